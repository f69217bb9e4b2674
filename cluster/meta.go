package cluster

import (
	"context"
	"errors"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// Meta is the meta group on this node: the catalog. All methods may be called from any goroutine.
type Meta struct {
	g     *group
	fsm   *metaFSM
	specs SpecFunc
	// one change at a time is made here, so that conflicts come from other nodes only.
	changing chan struct{} // holds one token
}

// ChangeFunc makes a changed catalog of the present one with its With… and Without… methods, or returns it as it is. It may be
// called several times: it makes its tables anew each time.
type ChangeFunc func(*catalog.Catalog) (*catalog.Catalog, error)

// Catalog returns the catalog as this node knows it.
func (m *Meta) Catalog() *catalog.Catalog { return m.fsm.published.Load().catalog }

// Topology returns the cluster as this node knows it.
func (m *Meta) Topology() *Topology { return m.fsm.published.Load().topology }

// Changed returns a channel that is closed when the catalog or the topology may have changed. Call it before Catalog.
func (m *Meta) Changed() <-chan struct{} {
	_, changed := m.fsm.appliedIndex()
	return changed
}

// Leader returns the term in which this node leads the meta group, and whether it does.
func (m *Meta) Leader() (term uint64, leads bool) {
	term, _ = m.g.leading()
	return term, term != 0
}

// Barrier waits until all changes acknowledged before the call are in Catalog.
func (m *Meta) Barrier(ctx context.Context) error { return m.g.barrier(ctx) }

// Err returns why the replica has stopped, or nil.
func (m *Meta) Err() error { return m.fsm.err() }

// Compact takes a Raft snapshot now and deletes the log before it.
func (m *Meta) Compact() error { return m.g.snapshot() }

// Change makes a change and returns the catalog that has it. Changes are linearizable: f is called with a catalog that has all
// changes acknowledged before, and the change is committed only if none came between. An error of f is returned as it is. The shards
// learn of the change on their own: see Node.Change.
func (m *Meta) Change(ctx context.Context, f ChangeFunc) (*catalog.Catalog, error) {
	return retried(ctx, m, func() (*catalog.Catalog, error) { return m.change(ctx, f) })
}

// ChangeTopology changes the topology, linearizably as Change does. f makes its change on a copy that it is given, of the next
// version; with same it has nothing to change.
func (m *Meta) ChangeTopology(ctx context.Context, f func(*Topology) (same bool, err error)) (*Topology, error) {
	return retried(ctx, m, func() (*Topology, error) { return m.changeTopology(ctx, f) })
}

// retried makes one change at a time, again if another one came between.
func retried[T any](ctx context.Context, m *Meta, change func() (T, error)) (none T, err error) {
	select {
	case m.changing <- struct{}{}:
		defer func() { <-m.changing }()
	case <-ctx.Done():
		return none, ctxErr(ctx)
	}
	for attempt := 1; ; attempt++ {
		c, err := change()
		limit := attempts
		if errors.Is(err, ErrConflict) {
			limit = conflictAttempts
		} else if m.g.net != nil {
			limit = 1 // commit has waited for a leader
		}
		if err == nil || !retryable(err) || attempt >= limit {
			return c, err
		}
		m.g.recheckNow()
		if err := m.g.clk.Sleep(ctx, retryPause); err != nil {
			return none, err
		}
	}
}

func (m *Meta) changeTopology(ctx context.Context, f func(*Topology) (bool, error)) (*Topology, error) {
	if err := m.g.barrier(ctx); err != nil {
		return nil, err
	}
	t := m.Topology().clone()
	same, err := f(t)
	if err != nil || same {
		return m.Topology(), err
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	r, err := m.g.commit(ctx, proposal{body: &topologyChange{t}})
	if err := errors.Join(err, r.err); err != nil {
		return nil, err
	}
	return m.Topology(), nil
}

func (m *Meta) change(ctx context.Context, f ChangeFunc) (*catalog.Catalog, error) {
	if err := m.g.barrier(ctx); err != nil {
		return nil, err
	}
	old := m.Catalog()
	c, err := f(old)
	if err != nil {
		return nil, err
	}
	if c == old || c.Version == old.Version {
		return old, nil
	}
	if c, err = m.noteReadings(old, c); err != nil {
		return nil, err
	}
	d := catalog.Diff(old, c)
	if err := m.check(old, d); err != nil {
		return nil, err
	}
	r, err := m.g.commit(ctx, proposal{body: &catalogChange{d}, schema: d.To})
	if err := errors.Join(err, r.err); err != nil {
		return nil, err
	}
	return m.Catalog(), nil
}

// check refuses a change that the shards could not apply, on nodes of older builds too, or that reuses an ID.
func (m *Meta) check(old *catalog.Catalog, d catalog.Delta) error {
	for _, t := range d.Tables {
		if err := m.understood(t); err != nil {
			return err
		}
		if was := old.ByID(t.ID); was != nil && was.UUID != t.UUID || was == nil && t.ID < old.NextID {
			return sqlerr.New(sqlerr.LogicalError, "Table %s has the ID %d of another table", t.FullName(), t.ID)
		}
		if t.Kind != catalog.KindTable {
			continue
		}
		if _, err := m.specs(t); err != nil {
			return err
		}
	}
	return nil
}

// understood refuses a table of which nodes of older builds could make nothing: their shards would end at it.
func (m *Meta) understood(t *catalog.Table) error {
	topology := m.Topology()
	if topology.Alone() {
		return nil
	}
	if t.Kind == catalog.KindDictionary {
		return topology.Level.Require(feature.Dictionaries)
	}
	if t.Refresh != nil {
		return topology.Level.Require(feature.Refreshes)
	}
	for _, c := range t.Columns {
		typ, err := types.Parse(c.Type)
		if err != nil {
			return err
		}
		if typ.HasUnion() || typ.HasJSON() {
			if err := topology.Level.Require(feature.OwnTypes); err != nil {
				return err
			}
		}
	}
	return nil
}
