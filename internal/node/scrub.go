package node

import (
	"context"
	"slices"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/mergetree"
	"github.com/olapd/olapd/query"
)

// Scrub implements query.Store: the replicas of this node, one after the other, at the speed of the disk.
func (s *store) Scrub(ctx context.Context, t *catalog.Table) ([]query.ScrubResult, error) {
	only := catalog.TableID(0)
	if t != nil {
		only = t.ID
	}
	var out []query.ScrubResult
	for _, r := range s.node.cluster.Shards() {
		found, err := r.Scrub(ctx, only)
		if err != nil {
			return nil, err
		}
		left, err := r.Repaired(ctx, found)
		if err != nil {
			return nil, err
		}
		lines, err := s.scrubbed(r, only, found, left)
		if err != nil {
			return nil, err
		}
		out = append(out, lines...)
	}
	return out, nil
}

// scrubbed is what is to be said of a replica's tables after a scrub.
func (s *store) scrubbed(r *cluster.Shard, only catalog.TableID, found, left []mergetree.Damage) (out []query.ScrubResult, err error) {
	cat, faults := s.node.cluster.Meta().Catalog(), r.Store().Faults()
	err = eachTableOf(r, func(id catalog.TableID, v *mergetree.TableView) error {
		t := cat.ByID(id)
		if t == nil || only != 0 && id != only {
			return nil
		}
		x := query.ScrubResult{Shard: r.ID(), Table: t, Segments: uint64(len(v.Segments())), Missing: uint64(faults[id].Missing)}
		for _, d := range found {
			if d.Table != id {
				continue
			}
			x.Damaged++
			if !slices.ContainsFunc(left, func(l mergetree.Damage) bool { return l.Segment.ID == d.Segment.ID }) {
				x.Repaired++
			}
			x.Errors = append(x.Errors, d.Segment.ID+": "+d.Err.Error())
		}
		out = append(out, x)
		return nil
	})
	return out, err
}
