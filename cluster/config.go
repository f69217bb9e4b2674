package cluster

import (
	"log/slog"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/mergetree"
	"github.com/olapd/olapd/segment"
)

// SpecFunc compiles a table for storage: a pure function of the table, or replicas differ. Nil without an error is a table
// without stored rows (Null). It is called by the state machines; an error there stops the replica, so a change that it
// refuses is never proposed.
type SpecFunc func(*catalog.Table) (*mergetree.Spec, error)

// Config is what a Node works with.
type Config struct {
	FS   vfs.FS
	Dir  string // of everything the node stores; made if missing
	Node string // the node's name; empty: "node-1"
	// Shards is the number of placement shards, kept for ever; 0: 1.
	Shards int
	Specs  SpecFunc
	// Transport joins the members of a group; nil: Loopback, for groups of one member.
	Transport Transport
	Clock     clock.Clock // nil: the system's
	Budget    *mem.Budget // of memtables and background work; nil: none
	Logger    *slog.Logger
	Cache     *segment.Cache // of pages, shared by all shards; nil: none

	MemtableLimit int64 // of a shard; 0: mergetree.DefaultMemtableLimit
	Workers       int   // flushes and merges at once, of a shard; 0: mergetree's default
	InflightBytes int64 // of a group; 0: DefaultInflightBytes
	SnapshotBytes int64 // of a group; 0: DefaultSnapshotBytes
	LogSegment    int64 // bytes of a file of the log; 0: raftlog's default
	// NoBackground leaves out flushes and merges, for tests that make their own.
	NoBackground bool

	fences fences // tests switch some off
}

// fences are the checks of the state machine that a test can switch off, to see that something notices.
type fences struct {
	noTerm, noCursor, noToken, noSchema bool
}

func (c *Config) withDefaults() {
	if c.Node == "" {
		c.Node = "node-1"
	}
	if c.Shards == 0 {
		c.Shards = 1
	}
	if c.Transport == nil {
		c.Transport = Loopback()
	}
	if c.Clock == nil {
		c.Clock = clock.Real()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.InflightBytes == 0 {
		c.InflightBytes = DefaultInflightBytes
	}
	if c.SnapshotBytes == 0 {
		c.SnapshotBytes = DefaultSnapshotBytes
	}
}
