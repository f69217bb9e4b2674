package hits

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
)

// Format is a row format of ClickHouse.
type Format uint8

// The formats hits can be written in.
const (
	TSV Format = iota
	CSV
	JSONEachRow
	RowBinary
)

// ParseFormat returns the format of a lower-case name: tsv, csv, jsoneachrow or rowbinary.
func ParseFormat(name string) (Format, error) {
	switch name {
	case "tsv":
		return TSV, nil
	case "csv":
		return CSV, nil
	case "jsoneachrow":
		return JSONEachRow, nil
	case "rowbinary":
		return RowBinary, nil
	}
	return 0, fmt.Errorf("hits: unknown format %q (want tsv, csv, jsoneachrow or rowbinary)", name)
}

// writeChunk is how many bytes are gathered before a write.
const writeChunk = 1 << 18

// Write writes all remaining rows of g to w.
func Write(w io.Writer, g *Generator, f Format) error {
	buf := make([]byte, 0, writeChunk+1<<16)
	for row := g.Next(); row != nil; row = g.Next() {
		buf = AppendRow(buf, row, f)
		if len(buf) < writeChunk {
			continue
		}
		if _, err := w.Write(buf); err != nil {
			return fmt.Errorf("hits: write: %w", err)
		}
		buf = buf[:0]
	}
	if _, err := w.Write(buf); err != nil {
		return fmt.Errorf("hits: write: %w", err)
	}
	return nil
}

// AppendRow appends one row in format f, with its line break if the format has lines.
func AppendRow(dst []byte, r *Row, f Format) []byte {
	switch f {
	case RowBinary:
		return appendBinary(dst, r)
	case JSONEachRow:
		return appendJSON(dst, r)
	}
	sep := byte('\t')
	if f == CSV {
		sep = ','
	}
	for i := range Columns {
		if i > 0 {
			dst = append(dst, sep)
		}
		switch k := Columns[i].Kind; {
		case k == String && f == CSV:
			dst = appendQuoted(dst, r.Strings[i], '"')
		case k == String:
			dst = append(dst, r.Strings[i]...) // never holds what TSV escapes: see the package comment
		default:
			dst = appendValue(dst, r.Ints[i], k)
		}
	}
	return append(dst, '\n')
}

func appendValue(dst []byte, v int64, k Kind) []byte {
	switch k {
	case Date:
		return append(dst, dateText(v)...)
	case DateTime:
		day := v / secondsOfDay
		s := v - day*secondsOfDay
		dst = append(dst, dateText(day)...)
		return append(dst, ' ', byte('0'+s/36000), byte('0'+s/3600%10), ':',
			byte('0'+s%3600/600), byte('0'+s%600/60), ':', byte('0'+s%60/10), byte('0'+s%10))
	}
	if uint64(v) < 10 {
		return append(dst, byte('0'+v))
	}
	return strconv.AppendInt(dst, v, 10)
}

// The days a row can name: July 2013 and, by time zones and clock errors, a day around it.
const (
	june30  = 15886
	august2 = 15919
)

var dates = func() (d [august2 - june30 + 1]string) {
	for i := range d {
		switch {
		case i == 0:
			d[i] = "2013-06-30"
		case i > 31:
			d[i] = fmt.Sprintf("2013-08-%02d", i-31)
		default:
			d[i] = fmt.Sprintf("2013-07-%02d", i)
		}
	}
	return d
}()

func dateText(day int64) string { return dates[day-june30] }

// appendQuoted appends s between quotes, doubling those inside.
func appendQuoted(dst, s []byte, quote byte) []byte {
	dst = append(dst, quote)
	for _, c := range s {
		if c == quote {
			dst = append(dst, quote)
		}
		dst = append(dst, c)
	}
	return append(dst, quote)
}

// jsonKeys holds `,"Name":` of each column, jsonKeys[0] with a brace in place of the comma.
var jsonKeys = func() (k [NumColumns]string) {
	for i, c := range Columns {
		k[i] = `,"` + c.Name + `":`
	}
	k[0] = "{" + k[0][1:]
	return k
}()

func appendJSON(dst []byte, r *Row) []byte {
	for i := range Columns {
		dst = append(dst, jsonKeys[i]...)
		switch k := Columns[i].Kind; k {
		case String:
			dst = append(dst, '"')
			for _, c := range r.Strings[i] {
				if c == '"' {
					dst = append(dst, '\\')
				}
				dst = append(dst, c)
			}
			dst = append(dst, '"')
		case Date, DateTime:
			dst = append(appendValue(append(dst, '"'), r.Ints[i], k), '"')
		default:
			dst = appendValue(dst, r.Ints[i], k)
		}
	}
	return append(dst, '}', '\n')
}

func appendBinary(dst []byte, r *Row) []byte {
	for i := range Columns {
		v := r.Ints[i]
		switch Columns[i].Kind {
		case Int16, Date:
			dst = binary.LittleEndian.AppendUint16(dst, uint16(v))
		case Int32, DateTime:
			dst = binary.LittleEndian.AppendUint32(dst, uint32(v))
		case Int64:
			dst = binary.LittleEndian.AppendUint64(dst, uint64(v))
		case String:
			dst = binary.AppendUvarint(dst, uint64(len(r.Strings[i])))
			dst = append(dst, r.Strings[i]...)
		}
	}
	return dst
}
