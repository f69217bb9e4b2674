package node

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/ingest"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
)

// methodSchema is a stream that asks a node to wait until it has a version of the catalog, a uvarint, and for an empty message then.
const methodSchema = "schema.await"

// schemaPatience is how long a change of the schema, which is committed already, waits until the other nodes have it too. Who is down or far behind does
// not hold it up for longer, and learns of it later.
const schemaPatience = 2 * time.Second

// catalogs implements query.Catalog.
type catalogs struct{ n *Node }

// Catalog implements query.Catalog.
func (c catalogs) Catalog() *catalog.Catalog { return c.n.cluster.Meta().Catalog() }

// Change implements query.Catalog. What storage or ingestion could not run is refused before it is proposed. When it returns, all nodes that can be
// reached answer with the new schema.
func (c catalogs) Change(ctx context.Context, f func(*catalog.Catalog) (*catalog.Catalog, error)) (*catalog.Catalog, error) {
	changed, err := c.n.cluster.Change(ctx, func(old *catalog.Catalog) (*catalog.Catalog, error) {
		next, err := f(old)
		if err != nil || next == old {
			return next, err
		}
		for _, t := range next.Tables("") {
			if was := old.ByID(t.ID); was != nil && was.Version == t.Version {
				continue
			}
			if t.Kind == catalog.KindKafka {
				if _, err := ingest.ParseConfig(kafkaSettings(t)); err != nil {
					return nil, err
				}
			}
		}
		return next, nil
	})
	if err != nil {
		return nil, err
	}
	c.n.everyoneHas(ctx, changed.Version)
	return changed, nil
}

// everyoneHas waits until the other nodes have a version of the catalog, as far as they can be reached in schemaPatience.
func (n *Node) everyoneHas(ctx context.Context, version uint64) {
	if n.cfg.Network == nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	late := n.cfg.Clock.NewTimer(schemaPatience)
	defer late.Stop()
	var asked sync.WaitGroup
	for _, m := range n.cluster.Topology().Nodes {
		if m.Name != n.cluster.Name() && m.State != cluster.Lost {
			asked.Go(func() { _ = n.hasSchema(ctx, m.Name, version) }) // who does not answer learns of it later
		}
	}
	all := make(chan struct{})
	go func() {
		asked.Wait()
		close(all)
	}()
	select {
	case <-all:
	case <-late.C():
	case <-ctx.Done():
	}
}

// hasSchema waits until a node has a version of the catalog.
func (n *Node) hasSchema(ctx context.Context, node string, version uint64) error {
	s, err := n.cfg.Network.Open(ctx, node, methodSchema)
	if err != nil {
		return err
	}
	if err := s.Send(binary.AppendUvarint(nil, version)); err != nil {
		return err
	}
	_, err = s.Recv()
	return err
}

// serveSchema answers methodSchema.
func (n *Node) serveSchema(ctx context.Context, from string, s rpc.Stream) error {
	b, err := s.Recv()
	if err != nil {
		return err
	}
	version, size := binary.Uvarint(b)
	if size <= 0 {
		return sqlerr.New(sqlerr.CorruptedData, "Node %s asks for no version of the schema", from)
	}
	meta := n.cluster.Meta()
	for {
		changed := meta.Changed()
		if meta.Catalog().Version >= version {
			return s.Send(nil)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
