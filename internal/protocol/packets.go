package protocol

import (
	"encoding/binary"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Exception is an error as a server tells it. Text begins with "DB::Exception: ".
type Exception struct {
	Code              int32
	Name, Text, Stack string
	Nested            *Exception
}

// Progress is what was done since the last one.
type Progress struct {
	ReadRows, ReadBytes, TotalRows uint64
	WrittenRows, WrittenBytes      uint64
	ElapsedNanos                   uint64
}

// Profile is what a result was, behind its rows.
type Profile struct {
	Rows, Blocks, Bytes uint64
	AppliedLimit        bool
	BeforeLimit         uint64
	HasBeforeLimit      bool
}

// TableStatus is a table in a TablesStatus packet; of a request only the names count.
type TableStatus struct {
	Database, Table string
	Replicated      bool
	DelaySeconds    uint64
}

// AppendException appends the packet of an exception.
func AppendException(dst []byte, e *Exception) []byte {
	dst = binary.AppendUvarint(dst, uint64(ServerException))
	for ; e != nil; e = e.Nested {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(e.Code))
		dst = appendBool(appendStrings(dst, e.Name, e.Text, e.Stack), e.Nested != nil)
	}
	return dst
}

// ReadException reads an exception behind its kind.
func (r *Reader) ReadException() (*Exception, error) {
	first := &Exception{}
	for e, n := first, 0; ; n++ {
		e.Code = r.Int32()
		e.Name, e.Text, e.Stack = r.Text(), r.Text(), r.Text()
		if !r.Bool() {
			return first, r.err
		}
		if n == maxNested {
			r.fail(sqlerr.New(sqlerr.TooDeepRecursion, "Exceptions are nested deeper than %d", maxNested))
			return first, r.err
		}
		e.Nested = &Exception{}
		e = e.Nested
	}
}

// AppendProgress appends the packet of a progress.
func AppendProgress(dst []byte, p Progress, revision int) []byte {
	dst = binary.AppendUvarint(dst, uint64(ServerProgress))
	dst = binary.AppendUvarint(binary.AppendUvarint(dst, p.ReadRows), p.ReadBytes)
	if revision >= withTotalRows {
		dst = binary.AppendUvarint(dst, p.TotalRows)
	}
	if revision >= withWrites {
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, p.WrittenRows), p.WrittenBytes)
	}
	if revision >= withElapsedInProgress {
		dst = binary.AppendUvarint(dst, p.ElapsedNanos)
	}
	return dst
}

// ReadProgress reads a progress behind its kind.
func (r *Reader) ReadProgress(revision int) (Progress, error) {
	p := Progress{ReadRows: r.Uvarint(), ReadBytes: r.Uvarint()}
	if revision >= withTotalRows {
		p.TotalRows = r.Uvarint()
	}
	if revision >= withWrites {
		p.WrittenRows, p.WrittenBytes = r.Uvarint(), r.Uvarint()
	}
	if revision >= withElapsedInProgress {
		p.ElapsedNanos = r.Uvarint()
	}
	return p, r.err
}

// AppendProfile appends the packet of a profile.
func AppendProfile(dst []byte, p Profile) []byte {
	dst = binary.AppendUvarint(dst, uint64(ServerProfileInfo))
	for _, n := range []uint64{p.Rows, p.Blocks, p.Bytes} {
		dst = binary.AppendUvarint(dst, n)
	}
	dst = binary.AppendUvarint(appendBool(dst, p.AppliedLimit), p.BeforeLimit)
	return appendBool(dst, p.HasBeforeLimit)
}

// ReadProfile reads a profile behind its kind.
func (r *Reader) ReadProfile() (Profile, error) {
	p := Profile{
		Rows: r.Uvarint(), Blocks: r.Uvarint(), Bytes: r.Uvarint(), AppliedLimit: r.Bool(),
		BeforeLimit: r.Uvarint(), HasBeforeLimit: r.Bool(),
	}
	return p, r.err
}

// ReadTables reads the names of a request for the status of tables, behind its kind.
func (r *Reader) ReadTables() ([]TableStatus, error) {
	n := r.Count(maxSettings, "tables")
	var out []TableStatus
	for ; n > 0 && r.err == nil; n-- {
		out = append(out, TableStatus{Database: r.Name(), Table: r.Name()})
	}
	return out, r.err
}

// AppendTables appends the answer to a request for the status of tables.
func AppendTables(dst []byte, tables []TableStatus) []byte {
	dst = appendInts(binary.AppendUvarint(dst, uint64(ServerTablesStatus)), len(tables))
	for _, t := range tables {
		dst = appendBool(appendStrings(dst, t.Database, t.Table), t.Replicated)
		if t.Replicated {
			dst = binary.AppendUvarint(dst, t.DelaySeconds)
		}
	}
	return dst
}

// AppendTableColumns appends the packet that describes a table's columns and defaults before an INSERT.
func AppendTableColumns(dst []byte, table, columns string) []byte {
	return appendStrings(binary.AppendUvarint(dst, uint64(ServerTableColumns)), table, columns)
}

// ReadTableColumns reads the description of a table's columns behind its kind.
func (r *Reader) ReadTableColumns() (table, columns string, err error) {
	table, columns = r.Name(), r.Text()
	return table, columns, r.err
}
