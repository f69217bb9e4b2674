package mergetree

import (
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/segment"
)

// Mode says what a merge does with rows of equal sort keys.
type Mode uint8

// The modes, one per engine of the family.
const (
	// Plain keeps all rows.
	Plain Mode = iota
	// Replacing keeps the row of the greatest Spec.Version (without one, and among equals, the last committed); if Spec.IsDeleted
	// is set there, FINAL leaves the row out.
	Replacing
	// Summing adds up Spec.Sum; a row whose sums are all zero goes.
	Summing
	// Aggregating merges the columns that Spec.States knows, and keeps the first value of the others.
	Aggregating
	// Memory keeps rows in the memtable for ever: no segments, no merges.
	Memory
)

var modeNames = [...]string{"plain", "replacing", "summing", "aggregating", "memory"}

// String returns the mode's name.
func (m Mode) String() string { return modeNames[m] }

// KeepsOrder reports whether the mode's result depends on the order of commits.
func (m Mode) KeepsOrder() bool { return m != Plain && m != Memory }

// Spec is a table as storage sees it. It is immutable. Its functions are pure, called from any
// goroutine with blocks that have exactly Columns in order, in any physical form, columns outside KeyColumns possibly at
// their defaults where only the sort key is asked for; the vectors returned are as long as the block.
type Spec struct {
	ID   catalog.TableID
	Name string // for messages
	// Columns are all stored columns in order, with declared types.
	Columns column.Schema
	Mode    Mode

	// Version and IsDeleted (Replacing) name columns; empty: none.
	Version, IsDeleted string
	// Sum names the columns that Summing adds; empty: every numeric column outside KeyColumns.
	Sum []string
	// KeyColumns names the columns that the sort key and the partition key read: never summed or aggregated.
	KeyColumns []string

	// Exprs are computed values that the sort key and the skip indexes need and that are not stored: their
	// names are the SQL by which a query's planner looks for them, such as toDate(ts). Eval computes those at the positions want.
	Exprs column.Schema
	Eval  func(b *column.Block, want []int) ([]column.Vector, error)
	// SortKey names columns and expressions; empty without ORDER BY.
	SortKey []string
	// PrimaryKey is how many leading elements of the sort key the sparse index holds; 0 means all.
	PrimaryKey int
	// Partition computes the value of PARTITION BY; nil without one. PartitionID renders the
	// partition's ID from the value in row i as ClickHouse does; it must be given with Partition.
	Partition   func(*column.Block) ([]column.Vector, error)
	PartitionID func(key []column.Vector, i int) string
	// TTL computes when each row expires, in Unix seconds (NoTTL: never); nil without TTL.
	TTL func(*column.Block) ([]int64, error)
	// States returns how the values of an AggregateFunction or SimpleAggregateFunction column merge: an
	// Aggregate whose saved states (AggregateFunction) or whose argument and result (SimpleAggregateFunction)
	// are the column's values; nil for other columns. Needed by Aggregating and Summing.
	States func(column string) function.Aggregate
	// Missing computes columns that rows written under an older schema lack, or have with another type (see StoredAs): want are positions in Columns, have and b the
	// columns there are. Nil fills in the types' defaults.
	Missing func(want []int, have column.Schema, b *column.Block) ([]column.Vector, error)

	// Indexes are the skip indexes, over Columns and Exprs.
	Indexes []segment.Index
	// Granularity is the rows of a granule; 0: segment.DefaultGranularity.
	Granularity int
	// Settings are the table's own; zero values mean the store's defaults.
	Settings Settings
}

// NoTTL is the expiry of a row that never expires.
const NoTTL = int64(1)<<62 - 1

// Settings tune the background work of one table.
type Settings struct {
	// FlushRows, FlushBytes and FlushAge are when a memtable is turned into segments: whichever comes first.
	FlushRows  int
	FlushBytes int64
	FlushAge   time.Duration
	// MaxMergeBytes is the size beyond which segments are not merged with each other.
	MaxMergeBytes int64
	// KeepUncollapsed leaves the blocks of an insert as they are (optimize_on_insert = 0).
	KeepUncollapsed bool
	// TTLDropOnly drops whole segments only once all their rows have expired (ttl_only_drop_parts).
	TTLDropOnly bool
}

// withDefaults fills zero values in.
func (s Settings) withDefaults() Settings {
	if s.FlushRows == 0 {
		s.FlushRows = DefaultFlushRows
	}
	if s.FlushBytes == 0 {
		s.FlushBytes = DefaultFlushBytes
	}
	if s.FlushAge == 0 {
		s.FlushAge = DefaultFlushAge
	}
	if s.MaxMergeBytes == 0 {
		s.MaxMergeBytes = DefaultMaxMergeBytes
	}
	return s
}
