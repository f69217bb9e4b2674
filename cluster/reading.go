package cluster

import (
	"fmt"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/sqlerr"
)

// reading is how the shards read a Kafka table; of one that an older build has made it follows from what it feeds.
func reading(c *catalog.Catalog, source catalog.TableID) catalog.Reading {
	out := catalog.Reading("")
	if t := c.ByID(source); t != nil && t.Reading != "" {
		return t.Reading
	}
	for _, r := range c.RollupsOf(source) {
		if target := c.ByID(r.Target); target != nil {
			out = max(out, readingFor(target))
		}
	}
	return out
}

// readingFor is how a Kafka table must be read that feeds a table.
func readingFor(target *catalog.Table) catalog.Reading {
	if target.ShardingKey() != "" {
		return catalog.ReadForKeys
	}
	return catalog.ReadByPartition
}

// readable refuses that a Kafka table is read in another way as of a change which was made before shards were added.
func (m *metaFSM) readable(changed []*catalog.Table) error {
	for _, t := range changed {
		was := m.state.ByID(t.ID)
		if was != nil && was.Reading == catalog.ReadByPartition && t.Reading == catalog.ReadForKeys && len(m.topology.Shards) > 1 && m.has(feature.StoppedSources) {
			return fmt.Errorf("%w: there are %d shards now", ErrConflict, len(m.topology.Shards))
		}
	}
	return nil
}

// noteReadings notes how the Kafka tables are read that begin to feed a table with a change of the catalog: that stays so, whatever they feed later, for the cursors are
// of that way. Code NotImplemented if there are several shards, and the cursors of one are of the other way.
func (m *Meta) noteReadings(old, c *catalog.Catalog) (*catalog.Catalog, error) {
	before, after := feedings(old), feedings(c)
	now := map[catalog.TableID]catalog.Reading{}
	for f := range before {
		if !after[f] && c.ByID(f.source) != nil { // of one that an older build has made nothing may be left that tells
			now[f.source] = reading(old, f.source)
		}
	}
	for f := range after {
		if before[f] {
			continue
		}
		source, target := c.ByID(f.source), c.ByID(f.target)
		was, want := reading(old, f.source), readingFor(target)
		if was == catalog.ReadByPartition && want == catalog.ReadForKeys && len(m.Topology().Shards) > 1 {
			return nil, sqlerr.New(sqlerr.NotImplemented, "Kafka table %s cannot feed %s, which has a sharding key: it has fed tables without one, for which each shard reads other partitions. Make another Kafka table",
				source.FullName(), target.FullName())
		}
		now[f.source] = max(now[f.source], was, want)
	}
	var changed []*catalog.Table
	for id, reading := range now {
		if t := c.ByID(id); t.Reading != reading {
			noted := *t
			noted.Reading = reading
			changed = append(changed, &noted)
		}
	}
	if len(changed) == 0 {
		return c, nil
	}
	return c.WithChanged(changed...)
}
