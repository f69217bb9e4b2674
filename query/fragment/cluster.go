package fragment

import (
	"context"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/query/exec"
)

// Cluster is what distributed queries need of it. Its methods may be called from any goroutine.
type Cluster interface {
	// Self is this node's name.
	Self() string
	// Shards are all shards of the cluster, and how rows lie on them. The caller does not change them.
	Shards() ([]Shard, Layout)
	// Open starts a stream to another node that Server.Serve answers there. It ends with ctx. An error of the network itself has the code NetworkError.
	Open(ctx context.Context, node string) (Stream, error)
	// Pin pins one instant of replicas on this node: it waits until they and the catalog are as new as asked for. What cannot be read here now, but
	// perhaps elsewhere, is AllConnectionTriesFailed.
	Pin(ctx context.Context, p PinRequest) (Pinned, error)
}

// Shard is a shard and the nodes with a replica, in the order they are to be asked; never empty.
type Shard struct {
	ID    uint64
	Nodes []string
}

// Layout is how rows lie on the shards, of one version of the topology.
type Layout struct {
	// Version is that of the topology: by it, pins agree which shard shows rows that move.
	Version uint64
	// Spread is how rows of a table find their shards by their sharding key; nil: they are counted modulo all shards.
	Spread func(catalog.TableID) catalog.Spread
	// Level is the cluster's feature level.
	Level feature.Level
}

// PinRequest says how new the rows of shards must be.
type PinRequest struct {
	Shards []uint64
	// After is, for each shard, the log index that must be applied; 0: any.
	After []uint64
	// Strong asks for everything that was committed before the request.
	Strong bool
	// Catalog is the version of the catalog that must be known, and whose tables must be there.
	Catalog uint64
	// Topology is the version of the topology by which the query reads; 0: any.
	Topology uint64
}

// Pinned is rows of shards at one instant.
type Pinned struct {
	// Storage reads all of them as one; closing it ends the pin.
	Storage exec.Storage
	// Indices are the log indices it is of, in the order of the request.
	Indices []uint64
}

// Template is what all requests of a query have in common.
type Template struct {
	Query, User, Database string
	Now                   time.Time
	Zone                  string
	Settings              map[string]string
	Catalog               uint64
	// After are the log indices, by shard, that must have been applied where it is read; Strong asks for all that was committed.
	After  map[uint64]uint64
	Strong bool
	// SkipUnavailable leaves shards out that no node answers for.
	SkipUnavailable bool
	// Hedge is how long a node may take to answer before another is asked beside it; 0: for ever.
	Hedge time.Duration
}

// request asks a link for a fragment.
func (t *Template) request(k linkKey, s *sending, m *meeting) *Request {
	return &Request{linkKey: k, Catalog: t.Catalog, User: t.User, Database: t.Database, Now: t.Now, Zone: t.Zone, Settings: t.Settings,
		Plan: s.plan, Columns: s.Columns, Broadcasts: len(s.Broadcasts), Meeting: m, Late: s.Late != nil}
}

// pin asks for the rows of shards.
func (q *Query) pin(shards []Shard) PinRequest {
	t := &q.t
	p := PinRequest{Strong: t.Strong, Catalog: t.Catalog, Topology: q.layout.Version}
	for _, s := range shards {
		p.Shards, p.After = append(p.Shards, s.ID), append(p.After, t.After[s.ID])
	}
	return p
}
