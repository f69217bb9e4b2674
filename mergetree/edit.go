package mergetree

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
)

// Seq orders rows by commit: a log index in the upper 48 bits, below it the ordinal of a segment among
// those of its edit.
type Seq uint64

// maxOrdinal bounds the segments that one edit may add.
const maxOrdinal = 1<<16 - 1

// SeqAt returns the sequence number of an ordinal within a log entry.
func SeqAt(index uint64, ordinal int) Seq { return Seq(index<<16 | uint64(ordinal)) }

// Index returns the log index.
func (s Seq) Index() uint64 { return uint64(s) >> 16 }

// Segment is how manifests and edits name a segment: what selection, pruning by partition and
// verification need. Everything else is in the file's footer.
type Segment struct {
	ID        string   // of the file; unique for ever
	Hash      [16]byte // xxh3-128 of the file, checked when it is opened
	Partition string   // partition ID
	Rows      uint64
	Bytes     uint64 // of the file
	RawBytes  uint64
	Level     uint32 // merges behind it: 0 is a flush or an insert
	// First and Last are the range of sequence numbers of the rows. Both are 0 in the segments of a bulk insert
	// until ApplyEdit puts the commit's own index there.
	First, Last Seq
	// TTLMin and TTLMax are when the first and the last row expire, in Unix seconds; NoTTL without TTL.
	TTLMin, TTLMax int64
	Created        int64 // Unix seconds, of the file
}

// String prints the segment on one line.
func (s Segment) String() string {
	return fmt.Sprintf("%s[%s] level %d, %d rows, %d bytes, log %d-%d", s.ID, s.Partition, s.Level, s.Rows, s.Bytes, s.First.Index(), s.Last.Index())
}

// Cause says what made an edit.
type Cause uint8

// The causes. Stored: never renumber.
const (
	CauseFlush Cause = iota + 1
	CauseMerge
	CauseInsert
	CauseDropPartition
	CauseTTL
	CauseMutation
	CauseBackfill
	CauseMove // segments that come from another shard, or have gone to one
)

var causeNames = map[Cause]string{CauseFlush: "flush", CauseMerge: "merge", CauseInsert: "insert",
	CauseDropPartition: "drop partition", CauseTTL: "ttl", CauseMutation: "mutation", CauseBackfill: "backfill", CauseMove: "move"}

// String returns the cause's name.
func (c Cause) String() string { return causeNames[c] }

// Edit is one atomic change of a table's segments.
type Edit struct {
	Table  catalog.TableID
	Cause  Cause
	Add    []Segment
	Remove []string // segment IDs; all must be live or the edit is rejected
	// From and Watermark say that Add holds the memtable rows of log indexes in (From, Watermark], which
	// leave the memtable. The edit is rejected unless From is where the table's memtable begins. Both 0: the memtable stays.
	From, Watermark uint64
}

// String prints the edit on one line.
func (e Edit) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of table %d:", e.Cause, e.Table)
	for _, s := range e.Add {
		fmt.Fprintf(&b, " +%s", s)
	}
	for _, id := range e.Remove {
		fmt.Fprintf(&b, " -%s", id)
	}
	if e.Watermark > 0 {
		fmt.Fprintf(&b, " memtable %d-%d", e.From+1, e.Watermark)
	}
	return b.String()
}

// ErrEditRejected is what ApplyEdit returns, and a Committer passes on, for an edit that no longer fits the
// state: nothing happened, on any replica.
var ErrEditRejected = errors.New("mergetree: edit no longer fits the state")

// Committer puts edits into the shard's log. Implemented by the cluster.
type Committer interface {
	// CommitEdit returns nil once the edit is committed and applied here. An error that wraps
	// ErrEditRejected means that it had and will have no effect; after any other error the outcome is
	// unknown, and the edit's files are kept.
	CommitEdit(ctx context.Context, e Edit) error
}

// editVersion is the first byte of an encoded edit.
const editVersion = 1

// Limits on what DecodeEdit believes.
const (
	maxIDLen        = 256
	maxPartitionLen = 64 << 10
)

// AppendEdit appends the edit's bytes:
//
//	u8 version | uv table | u8 cause | uv from | uv watermark | uv adds | segments | uv removes | per remove: uv length, ID
//
// where a segment is
//
//	uv length, ID | 16 bytes hash | uv length, partition | uv rows, bytes, raw bytes, level, first, last | varint TTL min, TTL max, created
func AppendEdit(dst []byte, e Edit) []byte {
	dst = append(dst, editVersion)
	dst = binary.AppendUvarint(dst, uint64(e.Table))
	dst = append(dst, byte(e.Cause))
	dst = binary.AppendUvarint(dst, e.From)
	dst = binary.AppendUvarint(dst, e.Watermark)
	dst = binary.AppendUvarint(dst, uint64(len(e.Add)))
	for i := range e.Add {
		dst = appendSegment(dst, &e.Add[i])
	}
	dst = binary.AppendUvarint(dst, uint64(len(e.Remove)))
	for _, id := range e.Remove {
		dst = appendString(dst, id)
	}
	return dst
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendSegment(dst []byte, s *Segment) []byte {
	dst = appendString(dst, s.ID)
	dst = append(dst, s.Hash[:]...)
	dst = appendString(dst, s.Partition)
	for _, x := range [...]uint64{s.Rows, s.Bytes, s.RawBytes, uint64(s.Level), uint64(s.First), uint64(s.Last)} {
		dst = binary.AppendUvarint(dst, x)
	}
	for _, x := range [...]int64{s.TTLMin, s.TTLMax, s.Created} {
		dst = binary.AppendVarint(dst, x)
	}
	return dst
}

// DecodeEdit reads an edit from the front of b and returns the bytes behind it. Damage is CorruptedData.
func DecodeEdit(b []byte) (Edit, []byte, error) {
	r := &reader{b: b}
	var e Edit
	if v := r.u8(); r.err == nil && v != editVersion {
		return e, b, sqlerr.New(sqlerr.CorruptedData, "Edit of version %d, this build reads %d", v, editVersion)
	}
	e.Table, e.Cause = catalog.TableID(r.uvarint()), Cause(r.u8())
	e.From, e.Watermark = r.uvarint(), r.uvarint()
	for range r.count() {
		e.Add = append(e.Add, r.segment())
	}
	for range r.count() {
		e.Remove = append(e.Remove, r.text(maxIDLen))
	}
	return e, r.b, r.err
}

// reader reads from the front of a byte slice; after the first failure every read gives zero and err stays.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = sqlerr.New(sqlerr.CorruptedData, "Corrupted state: %s with %d bytes left", what, len(r.b))
	}
}

func (r *reader) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.b) {
		r.fail("too short")
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	x, n := binary.Uvarint(r.b)
	if r.err != nil || n <= 0 {
		r.fail("bad number")
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *reader) varint() int64 {
	x, n := binary.Varint(r.b)
	if r.err != nil || n <= 0 {
		r.fail("bad number")
		return 0
	}
	r.b = r.b[n:]
	return x
}

// count reads a number of things that take at least a byte each.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail("bad count")
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

func (r *reader) text(limit int) string {
	n := r.uvarint()
	if n > uint64(limit) {
		r.fail("text too long")
		return ""
	}
	return string(r.take(int(n)))
}

func (r *reader) segment() Segment {
	s := Segment{ID: r.text(maxIDLen)}
	copy(s.Hash[:], r.take(16))
	s.Partition = r.text(maxPartitionLen)
	s.Rows, s.Bytes, s.RawBytes = r.uvarint(), r.uvarint(), r.uvarint()
	s.Level, s.First, s.Last = uint32(r.uvarint()), Seq(r.uvarint()), Seq(r.uvarint())
	s.TTLMin, s.TTLMax, s.Created = r.varint(), r.varint(), r.varint()
	return s
}
