package cluster

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/sqlerr"
)

// Of a Kafka table that feeds one with a sharding key every shard reads all partitions, and keeps its rows. When the shards of these rows become others, all
// shards must have got to the same offsets: so the Kafka table is stopped, then consumed up to the offset that the first shard has got to, and goes on when the
// table that it feeds has come to lie on more shards. See decision 0019.

// Feeders are the Kafka tables of which materialized views write to a table.
func Feeders(c *catalog.Catalog, target catalog.TableID) (out []*catalog.Table) {
	for _, t := range c.Tables("") {
		if t.Kind == catalog.KindKafka && feeds(c, t.ID, target) {
			out = append(out, t)
		}
	}
	return out
}

// feeds reports whether a materialized view over a source writes to a table.
func feeds(c *catalog.Catalog, source, target catalog.TableID) bool {
	return slices.ContainsFunc(c.RollupsOf(source), func(r *catalog.Table) bool { return r.Target == target })
}

// Reach is how many shards, from the first, read all partitions of a Kafka table, because some of the rows that it gives may be theirs; 0: each partition is
// read by one shard, as the source has fed no table with a sharding key.
func Reach(c *catalog.Catalog, t *Topology, source catalog.TableID) int {
	reach := 0
	if len(t.Shards) == 1 {
		return 0
	}
	if s := c.ByID(source); s != nil && s.Reading == catalog.ReadForKeys {
		reach = 1
	}
	for _, r := range c.RollupsOf(source) {
		if target := c.ByID(r.Target); target != nil && target.ShardingKey() != "" {
			reach = max(reach, t.SpreadOf(target.ID).Shards())
		}
	}
	return reach
}

// errBeyondStop refuses offsets of a Kafka table beyond those that all shards consume for now.
var errBeyondStop = sqlerr.New(sqlerr.Aborted, "The Kafka table is not consumed further until a table that it feeds lies on more shards")

// beyondStops refuses ranges of a Kafka table that is stopped before their end.
func (m *shardFSM) beyondStops(ranges []SourceRange) error {
	for i := range ranges {
		r := &ranges[i]
		t := m.state.tables[r.Source]
		if t == nil || t.StoppedFor == 0 || m.fences.noStops {
			continue
		}
		if s, any := t.Stop(r.Topic, r.Partition); !any || r.End > s.Next || s.TopicID != r.TopicID.String() {
			return fmt.Errorf("%w: %s", errBeyondStop, r)
		}
	}
	return nil
}

// String is the ID in hexadecimal digits.
func (id TopicID) String() string { return hex.EncodeToString(id[:]) }

// StopSources lets the shards refuse all that Kafka tables have which feed the table of a growth, as long as it holds, and returns the version of the catalog
// that says so. A Kafka table that is stopped for the growth already stays as it is.
func (m *Meta) StopSources(ctx context.Context, g Growth) (version uint64, err error) {
	return m.changeSources(ctx, g, func(c *catalog.Catalog) (changed []*catalog.Table, err error) {
		for _, s := range Feeders(c, g.Table) {
			switch s.StoppedFor {
			case 0:
				stopped := *s
				stopped.StoppedFor = g.Table
				changed = append(changed, &stopped)
			case g.Table:
			default:
				return nil, sqlerr.New(sqlerr.Aborted, "Kafka table %s is stopped for table %d", s.FullName(), s.StoppedFor)
			}
		}
		return changed, nil
	})
}

// SetStops lets the shards consume a Kafka table that is stopped for a growth up to offsets, and returns the version of the catalog that says so. Those that it
// has already stay.
func (m *Meta) SetStops(ctx context.Context, g Growth, source catalog.TableID, stops []catalog.Stop) (version uint64, err error) {
	if len(stops) > maxStops {
		return 0, sqlerr.New(sqlerr.NotImplemented, "A Kafka table of %d partitions feeds table %d: with more than %d it cannot come to lie on more shards", len(stops), g.Table, maxStops)
	}
	return m.changeSources(ctx, g, func(c *catalog.Catalog) ([]*catalog.Table, error) {
		s := c.ByID(source)
		if s == nil || s.StoppedFor != g.Table || s.Stops != nil {
			return nil, nil
		}
		stopped := *s
		stopped.Stops = stops
		return []*catalog.Table{&stopped}, nil
	})
}

// changeSources changes Kafka tables for a growth that holds.
func (m *Meta) changeSources(ctx context.Context, g Growth, f func(c *catalog.Catalog) ([]*catalog.Table, error)) (version uint64, err error) {
	c, err := m.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) {
		if c.ByID(g.Table) == nil {
			return nil, noTable(g.Table)
		}
		if m.Topology().present(g, GrowthHolding) == nil {
			return nil, errMoveElsewhere
		}
		changed, err := f(c)
		if err != nil || len(changed) == 0 {
			return c, err
		}
		return c.WithChanged(changed...)
	})
	if err != nil {
		return 0, err
	}
	return c.Version, nil
}

// freed are the Kafka tables that are stopped for the growth of a table, as they are when they go on.
func freed(c *catalog.Catalog, table catalog.TableID) (out []*catalog.Table) {
	for _, t := range c.Tables("") {
		if t.StoppedFor == table {
			free := *t
			free.StoppedFor, free.Stops = 0, nil
			out = append(out, &free)
		}
	}
	return out
}

// HandSource lets a shard that has not read a Kafka table so far, or long ago, go on where all others have got to. It has no effect if the Kafka table, which is
// stopped, has changed since a version of the catalog.
func (w *Writer) HandSource(ctx context.Context, version uint64, source catalog.TableID, at TopicPartition, to Cursor, has *Cursor) error {
	move := func(m moveSource) error {
		m.source, m.topic, m.partition = source, at.Topic, at.Partition
		_, err := w.commit(ctx, proposal{body: &m, schema: version})
		return err
	}
	if has != nil {
		if *has == to {
			return nil
		}
		if err := move(moveSource{topicID: has.TopicID, next: has.Next}); err != nil {
			return err
		}
	}
	return move(moveSource{acquire: true, topicID: to.TopicID, next: to.Next})
}

// feeding is a Kafka table and one that a materialized view fills with what it gives.
type feeding struct{ source, target catalog.TableID }

// feedings are all of a catalog.
func feedings(c *catalog.Catalog) map[feeding]bool {
	out := map[feeding]bool{}
	for _, t := range c.Tables("") {
		if t.Kind != catalog.KindKafka {
			continue
		}
		for _, r := range c.RollupsOf(t.ID) {
			if target := c.ByID(r.Target); target != nil && !target.Detached {
				out[feeding{t.ID, target.ID}] = true
			}
		}
	}
	return out
}

// feedable refuses that a Kafka table begins to feed one that grows, or that has grown since shards may have read it; and that one ceases to while the other
// grows, for then it could not begin again.
func (m *metaFSM) feedable(c *catalog.Catalog) error {
	before, after := feedings(m.state), feedings(c)
	for f := range after {
		if before[f] {
			continue
		}
		source, target := c.ByID(f.source), c.ByID(f.target)
		switch {
		case m.topology.Growth(f.target) != nil:
			return sqlerr.New(sqlerr.Aborted, "Kafka table %s cannot begin to feed %s while that comes to lie on more shards: see system.moves, and try again", source.FullName(), target.FullName())
		case source.StoppedFor != 0:
			return sqlerr.New(sqlerr.Aborted, "Kafka table %s is stopped for a moment, as a table that it feeds comes to lie on more shards; try again", source.FullName())
		case source.ID < target.SpreadBefore && !slices.Contains(target.SpreadWith, source.ID):
			return sqlerr.New(sqlerr.NotImplemented, "Kafka table %s cannot feed %s, which has come to lie on more shards since: make another Kafka table", source.FullName(), target.FullName())
		}
	}
	for f := range before {
		g := m.topology.Growth(f.target)
		if g == nil || g.State != GrowthCopying && g.State != GrowthHolding || after[f] {
			continue
		}
		if source, target := c.ByID(f.source), c.ByID(f.target); source != nil && target != nil {
			return sqlerr.New(sqlerr.Aborted, "Kafka table %s cannot cease to feed %s while that comes to lie on more shards, for it could not begin again: see system.moves, and try again", source.FullName(), target.FullName())
		}
	}
	return nil
}

// has reports whether all who apply the meta group's log know a feature: what decides on changes must do so alike everywhere.
func (m *metaFSM) has(f feature.Feature) bool { return m.topology.Alone() || m.topology.Level.Has(f) }
