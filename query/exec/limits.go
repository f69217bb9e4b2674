package exec

import (
	"sync/atomic"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Overflow is what happens at a limit.
type Overflow uint8

// The overflow modes: an error, an end with what there is so far, or (GROUP BY only) no further groups.
const (
	OverflowThrow Overflow = iota
	OverflowBreak
	OverflowAny
)

// Limits are the query's limits; 0 is none. Modes say what happens at theirs.
type Limits struct {
	RowsToRead, BytesToRead         int64 // max_rows_to_read, max_bytes_to_read
	ReadMode                        Overflow
	RowsToGroupBy                   int64
	GroupByMode                     Overflow
	RowsToSort, BytesToSort         int64
	SortMode                        Overflow
	ResultRows, ResultBytes         int64
	ResultMode                      Overflow
	RowsInDistinct, BytesInDistinct int64
	DistinctMode                    Overflow
	RowsInSet, BytesInSet           int64
	SetMode                         Overflow
	RowsInJoin, BytesInJoin         int64
	JoinMode                        Overflow

	// RowsToBroadcast and BytesToBroadcast are how much of one side of a join is sent to all other nodes.
	RowsToBroadcast, BytesToBroadcast int64

	// Bytes of memory from which sorts and aggregations go on in temporary files, if Options.Temp is set; 0: never.
	SortSpill, GroupSpill, JoinSpill int64
}

// check returns whether rows or bytes pass their limits: an error with the code or, in break mode, true.
func check(mode Overflow, code sqlerr.Code, what string, rows, maxRows, bytes, maxBytes int64) (bool, error) {
	switch {
	case maxRows > 0 && rows > maxRows:
		if mode == OverflowThrow {
			return true, sqlerr.New(code, "Limit for %s exceeded, max rows: %d, current rows: %d", what, maxRows, rows)
		}
		return true, nil
	case maxBytes > 0 && bytes > maxBytes:
		if mode == OverflowThrow {
			return true, sqlerr.New(bytesCode(code), "Limit for %s exceeded, max bytes: %d, current bytes: %d", what, maxBytes, bytes)
		}
		return true, nil
	}
	return false, nil
}

func bytesCode(rows sqlerr.Code) sqlerr.Code {
	if rows == sqlerr.TooManyRows {
		return sqlerr.TooManyBytes
	}
	return rows
}

// readCounter counts what all scans of a run read.
type readCounter struct{ rows, bytes atomic.Int64 }

// read counts rows and bytes read; true means that scans end here.
func (r *run) countRead(rows, bytes int64) (bool, error) {
	if r.opts.Progress != nil {
		r.opts.Progress(rows, bytes)
	}
	l := &r.opts.Limits
	return check(l.ReadMode, sqlerr.TooManyRows, "rows to read",
		r.read.rows.Add(rows), l.RowsToRead, r.read.bytes.Add(bytes), l.BytesToRead)
}
