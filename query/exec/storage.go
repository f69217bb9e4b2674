// Package exec runs pipelines: trees of operators that pull blocks from each other. It knows
// tables only through Storage, declared here because it is consumed here.
//
// # Workers
//
// An operator yields one stream or, where order does not matter, one per thread; whoever drains
// them does so in as many goroutines. Scans hand morsels to whichever stream asks, so the chain scan → filter
// → project → partial aggregate runs in one goroutine per worker, a function call per block. Operators that need all
// their input (Aggregate, Sort, Join's right side …) drain their input's streams in parallel at the first Next and
// merge what the workers gathered. A channel carries blocks only where several streams become one.
//
// # Scans
//
// A scan reads of each morsel what it must and no more: not what the storage pruned, nor granules behind the bound of a Sort with a limit above (TopBound),
// nor columns for conditions that bounds decide; then one condition after the other, in the order that drops rows at the least measured cost
// (stepOrder), comparisons on the pages themselves (Matcher), conditions on one dictionary column once per entry for all workers (dictMask); and the other
// columns for the rows left. Under a Sort with a limit those are read last of all, for the rows of the result (Fetch). What no row of a granule
// passed is remembered by the storage (Remembering). Under a Sort by the table's sort key a scan has a stream for each run of rows that the storage keeps in order, and
// the Sort merges them (Sequence).
//
// # Blocks
//
// A block has at most MaxBlockSize rows, or those of a morsel where that is no less than DefaultBlockSize. Columns that no later operator reads may be nil, and Dict
// and Const vectors pass through; the result's columns may be Dict and Const too.
//
// # Ends
//
// Every goroutine belongs to a run and has ended when Pipeline.Run returns, whatever ended it: the last
// block, an error, a cancelled context, a panic (which becomes a LogicalError). Memory that an operator
// holds is reserved in the query's budget.
package exec

import (
	"context"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/segment"
)

// Storage is the tables as one query sees them: one instant of every table, pinned until Close.
// It is safe for concurrent use.
type Storage interface {
	// Open starts a scan. Errors carry codes (UnknownTable after a DROP, CorruptedData …).
	Open(ctx context.Context, req ScanRequest) (Scanner, error)
	// Close releases the pin; all scanners are closed before.
	Close()
}

// ScanRequest says what to read.
type ScanRequest struct {
	Table   plan.Table
	Columns []int // positions in Table.Schema
	// Cond may drop segments, granules and rows that cannot match; nil keeps all. What is
	// yielded is a superset of the matching rows: the pipeline filters again.
	Cond *segment.Condition
	// Filter names the whole filter of the scan, if it passes the same rows whenever it is asked of the same values: what it is found to
	// pass may be remembered and used again. Empty: it may not.
	Filter string
	// Final merges rows of equal sort keys by the table's mode.
	Final bool
	// Order names columns and expressions, a prefix of the table's sort key, in whose order the rows are wanted; empty: in any. See Sequenced.
	Order []string
}

// Scanner hands out morsels to any number of workers.
type Scanner interface {
	// Next returns the next morsel, or nil at the end. Safe for concurrent use.
	Next(ctx context.Context) (Morsel, error)
	// Stats is what was planned and dropped; complete once Open has returned.
	Stats() ScanStats
	Close() error
}

// Ordered may be implemented by a Scanner whose rows have an order that queries without ORDER BY see: one worker reads it.
type Ordered interface{ Ordered() bool }

// Sequenced may be implemented by a Scanner that knows which of its rows are in order of the request's Order. Next is not called then.
type Sequenced interface {
	// Runs returns all rows, those of a run in ascending order if it is Sorted. With desc the morsels of a run come from its end, and only they: the rows of each
	// are as ever. The first morsels of a run have first rows or so, those behind them more and more, up to most.
	Runs(desc bool, first, most int) []Run
}

// Run is a part of a table's rows, morsel by morsel.
type Run struct {
	Sorted  bool
	Morsels []Morsel
	// Next yields the morsels, and nil at the end, where they are not known from the start. For one goroutine.
	Next func(ctx context.Context) (Morsel, error)
}

// Morsel is a run of at most 65,536 rows of one table, read column by column by one worker.
type Morsel interface {
	Rows() int
	// Column returns the values of column i of the request: all rows, or those at the
	// positions sel (ascending). Vectors may be Dict or Const.
	Column(ctx context.Context, i int, sel []uint32) (column.Vector, error)
}

// Planned may be implemented by a Scanner that knows all its morsels when it is opened. They may be read in any order and more
// than once, until the scanner is closed; Next is not called then.
type Planned interface{ Morsels() []Morsel }

// Summarized may be implemented by a Scanner that knows something of all the rows of its table.
type Summarized interface {
	// Summary returns nil if nothing is known. It tells of the rows before any condition.
	Summary() (*Summary, error)
}

// Summary is the number of rows and, for each column of the request, its least and greatest value as vectors of length 1, nil
// where they are not known exactly.
type Summary struct {
	Rows       int64
	Mins, Maxs []column.Vector
}

// Bounded may be implemented by a Morsel whose storage knows bounds of its values without reading them.
type Bounded interface {
	// Bounds tells what is known of column i of the request; nil if that is nothing.
	Bounds(i int) (*Bounds, error)
}

// Bounds are bounds of the values in runs of rows, granules or what of them is in a morsel, that cover it in order.
type Bounds struct {
	Ends []uint32 // a run is the rows from the end of the one before up to its own
	// Mins and Maxs have a value per run and enclose those of its rows that are neither NULL nor NaN, not always tightly.
	Mins, Maxs column.Vector
	Special    []bool // NULL or NaN may be there
	Empty      []bool // nothing else is there
}

// Remembering may be implemented by a Morsel whose storage remembers what filters pass.
type Remembering interface {
	// Remember tells that of the morsel's rows those at the positions passed, ascending, pass the request's Filter.
	Remember(passed []uint32)
}

// Narrowed may be implemented by a Morsel of which indexes tell the rows that can match the request's condition.
type Narrowed interface {
	// Candidates appends the positions of those rows to dst, ascending; false, if nothing is known, stands for all.
	Candidates(dst []uint32) ([]uint32, bool)
}

// Matcher may be implemented by a Morsel that can compare a column with a constant without making a vector of it.
type Matcher interface {
	// Match fills mask, one flag a row of the morsel, with which values of column i of the request compare with x, value 0 of a vector of
	// its type, as op says; false, if it cannot, leaves the mask undefined.
	Match(ctx context.Context, i int, op kernel.Op, x column.Vector, mask []uint8) (bool, error)
}

// Coder may be implemented by a Morsel that can look strings up in the dictionaries of its columns.
type Coder interface {
	// Code returns the code of a string, value 0 of x, in the dictionary of Column(i), or one that no row has if it is not there. ok is false if there is
	// no dictionary, or no way to look strings up in it.
	Code(ctx context.Context, i int, x column.Vector) (code uint32, ok bool, err error)
}

// Lending may be implemented by a Morsel that decodes columns into memory of their own.
type Lending interface {
	// Fresh reports whether nobody else holds what Column returns for column i of the request.
	Fresh(i int) bool
}

// Measured may be implemented by a Morsel that can tell the lengths of strings without reading them.
type Measured interface {
	// Lengths returns the lengths in bytes of column i of the request, UInt64 or Nullable of it, of the rows that Column would return.
	Lengths(ctx context.Context, i int, sel []uint32) (column.Vector, error)
}

// Parted may be implemented by a Morsel that can read sub-columns of JSON without the rest.
type Parted interface {
	// Part returns a sub-column of column i of the request, of the rows that Column would return; nil if it cannot.
	Part(ctx context.Context, i int, p *function.ObjectPart, sel []uint32) (column.Vector, error)
}

// ScanStats counts what a scan is to read and what it need not, for EXPLAIN. They add up exactly: the total is what is to be read and the sum over
// Dropped, for segments, granules and rows. The rows of a memtable are in no segment and no granule.
type ScanStats struct {
	Segments, Granules, Rows, Bytes int64 // to be read
	TotalSegments, TotalGranules    int64
	TotalRows                       int64
	Dropped                         []Drop // by partition, primary key, skip index …, in the order applied
}

// Drop is what one index spared.
type Drop struct {
	Index                    string // partition, primary key, minmax(c), bloom(c), bitmap(c) …
	Segments, Granules, Rows int64
}
