package query

import (
	"context"
	"log/slog"
	"time"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/exec/spill"
	"github.com/olapd/olapd/query/files"
	"github.com/olapd/olapd/query/fragment"
	"github.com/olapd/olapd/query/remote"
	"github.com/olapd/olapd/query/virtual"
)

// Deps is what an Engine works with. Catalog, Store and Writer must be set.
type Deps struct {
	Catalog Catalog
	Store   Store
	Writer  Writer
	// Access is where users and roles are kept; nil: in memory. Users are those of the config, under which stored ones of the same name
	// are hidden; none: default, who may do everything. Resolver looks up hosts of users; nil: none is found.
	Access    Access
	Users     []*access.User
	Resolver  access.Resolver
	Providers virtual.Providers
	// Cluster is the other nodes, whose shards queries read too; nil on a node alone: Store has all rows.
	Cluster fragment.Cluster
	// Mutator changes stored rows; nil: refused.
	Mutator Mutator
	// Mover moves partitions between shards; nil: refused.
	Mover Mover
	// Backups writes and reads backups; nil: refused.
	Backups Backups
	// Operator runs SYSTEM CLUSTER; nil: refused.
	Operator Operator
	// Files is what table functions may read and write beside tables; nil: nothing.
	Files *files.Reach
	// Remote is which other servers table functions may connect to; nil: none.
	Remote *remote.Reach
	Budget *mem.Budget    // of the process; each query gets a child. nil: no limit but the query's own
	Temp   *spill.Store   // of the process; nil: queries over their memory end
	Clock  clock.Clock    // nil: the system's
	Logger *slog.Logger   // nil: none
	Zone   *time.Location // of the server; nil: UTC
	Host   string
	Server function.Server // what version() and its kin say
	// Settings are the defaults of every session that differ from those declared (the default profile).
	Settings map[string]string
	// CustomSettings are prefixes of the names of settings that clients may make up; none: none.
	CustomSettings []string
	// MaxQueries is how many queries run at once before TooManySimultaneousQueries; 0: defaultMaxQueries.
	MaxQueries int
	// Schemas is where the schemas of formats are; nil refuses those in files.
	Schemas *format.Schemas
	// Scratch makes an empty file for a statement's own use, which its Close removes; nil: statements keep in memory what they need.
	Scratch func() (vfs.File, error)
}

// Catalog reads and changes the schemas. Safe for concurrent use.
type Catalog interface {
	Catalog() *catalog.Catalog
	// Change replaces the newest catalog by what f makes of it, in one commit, and returns the catalog that was committed. When it
	// returns, storage knows the new tables. f is pure and is called again when another change came first; an
	// error of f is returned as it is, with nothing changed. If f returns its argument nothing is committed.
	Change(ctx context.Context, f func(*catalog.Catalog) (*catalog.Catalog, error)) (*catalog.Catalog, error)
}

// Store is the tables' rows. Safe for concurrent use. Tables are those with rows of their own (catalog.KindTable).
type Store interface {
	// Snapshot pins one instant of all tables, at which everything acknowledged before the call is visible.
	Snapshot(ctx context.Context) (exec.Storage, error)
	// Truncate removes all rows in one commit.
	Truncate(ctx context.Context, t *catalog.Table) error
	// DropPartition removes the rows of the partition with that ID (see Partition of system.parts).
	DropPartition(ctx context.Context, t *catalog.Table, partitionID string) error
	// CopyPartition puts the rows of a partition into another table, on each shard in one commit.
	CopyPartition(ctx context.Context, c PartitionCopy) error
	// Optimize merges segments, of one partition if its ID is given, down to one with final.
	Optimize(ctx context.Context, t *catalog.Table, partitionID string, final bool) error
	// Deduplicate merges them too, and of the rows of a shard's partition that are equal in the columns by leaves one. What the sort key and the partition
	// are made of is among by.
	Deduplicate(ctx context.Context, t *catalog.Table, partitionID string, by []string) error
	// Flush turns rows that are not yet in segments into segments; nil is all tables.
	Flush(ctx context.Context, t *catalog.Table) error
	// SetMerges stops and starts background merges; nil is all tables.
	SetMerges(t *catalog.Table, run bool) error
	// Check verifies every checksum and returns one entry per segment.
	Check(ctx context.Context, t *catalog.Table) ([]CheckResult, error)
	// Scrub reads the segments of this node's replicas, of a table or of all if it is nil, and replaces damaged ones by those of other replicas.
	Scrub(ctx context.Context, t *catalog.Table) ([]ScrubResult, error)
}

// PartitionCopy says which rows are put where: those of From that are committed when it begins. The tables have columns of the same types.
type PartitionCopy struct {
	From, To    *catalog.Table
	PartitionID string // empty: all partitions
	Move        bool   // From has the rows no more
	Replace     bool   // To has no other rows of the partition
}

// ScrubResult is one line of SYSTEM SCRUB: a table on a shard of which this node has a replica.
type ScrubResult struct {
	Shard    uint64
	Table    *catalog.Table
	Segments uint64 // live
	Damaged  uint64 // found so
	Repaired uint64 // of these, replaced by other replicas' or merged away since
	Missing  uint64 // whose files are to come from other replicas
	Errors   []string
}

// CheckResult is one segment's line of CHECK TABLE.
type CheckResult struct {
	Segment string
	OK      bool
	Message string
}

// Writer commits rows.
type Writer interface {
	// Insert commits the rows that next yields (nil at the end) together with what the table's rollups derive of them. A block has
	// the stored columns of t in order, defaults computed and constraints checked. What fits goes in one commit; a
	// larger insert becomes segments, committed at once at the end, so that an error leaves nothing behind. next is
	// called from one goroutine and its errors are returned as they are. When Insert returns nil the
	// rows are durable and visible. UnknownStatusOfInsert if the outcome is not known: a retry with the token is safe.
	Insert(ctx context.Context, t *catalog.Table, next func(context.Context) (*column.Block, error), o InsertOptions) (InsertResult, error)
}

// InsertOptions is how rows are committed.
type InsertOptions struct {
	// Token makes repeats of the insert take effect once (insert_deduplication_token); empty: the hash of the rows where Dedup is set.
	Token string
	Dedup bool
	// Direct leaves rollups alone: rows of a rollup's backfill, written to its target.
	Direct bool
	// Spread is by what a Writer has found a shard for rows that it gives to another, of a table that has grown: see catalog.Table.
	Spread catalog.Spread
}

// InsertResult is what an insert did. Of a Duplicate nothing was written.
type InsertResult struct {
	Rows, Bytes uint64
	Duplicate   bool
}
