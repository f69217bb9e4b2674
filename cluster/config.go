package cluster

import (
	"fmt"
	"log/slog"
	"path"
	"time"

	"github.com/olapd/olapd/cluster/rpc"
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
	FS    vfs.FS
	Dir   string // of everything the node stores; made if missing
	Node  string // the node's name; empty: "node-1", the only one that begins a history of its own
	Specs SpecFunc
	// Network reaches the other nodes; nil: there are none.
	Network rpc.Network
	// Transport joins the members of a group; nil: Over the Network, or Loopback without one.
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
	// Pause is called between what a proposal was made from and its being handed to raft, for tests that let a process stand still just
	// there; nil: it goes on at once.
	Pause func()
	// CommitInterval is after how long, twice that at most, followers learn of a commit if nothing else is sent to them; 0: 50 ms. Longer, for
	// simulations of many groups, saves messages.
	CommitInterval time.Duration
	// LevelsBehind is how many feature levels this node lacks of those that the build has, or has more if it is negative, for tests of upgrades.
	LevelsBehind int

	fences fences // tests switch some off
}

// fences are the checks of the state machine that a test can switch off, to see that something notices.
type fences struct {
	noTerm, noCursor, noToken, noSchema, noBegin, noStaging, noOrphanRule, noMoves, noHold, noStops bool
}

// SwitchOff switches a fence off: term, cursor, token, schema, begin (a leader waits for its BeginTerm), staging, orphans, moves, hold (rows that were to
// be committed before their table came to lie on more shards) or stops (offsets up to which all shards consume a Kafka table before that). Only tests do, to see that what they look for would be seen.
func (c *Config) SwitchOff(fence string) {
	*map[string]*bool{"term": &c.fences.noTerm, "cursor": &c.fences.noCursor, "token": &c.fences.noToken, "schema": &c.fences.noSchema,
		"begin": &c.fences.noBegin, "staging": &c.fences.noStaging, "orphans": &c.fences.noOrphanRule, "moves": &c.fences.noMoves, "hold": &c.fences.noHold, "stops": &c.fences.noStops}[fence] = true
}

func (c *Config) withDefaults() {
	if c.Node == "" {
		c.Node = FirstNode
	}
	if c.Clock == nil {
		c.Clock = clock.Real()
	}
	if c.Transport == nil && c.Network != nil {
		c.Transport = Over(c.Network, c.Clock)
	}
	if c.Transport == nil {
		c.Transport = Loopback()
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

func (c *Config) snapshotsDir(group uint64) string {
	return path.Join(c.Dir, fmt.Sprint("snapshots-", group))
}
