package cluster

import (
	"context"
	"slices"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/mergetree"
)

// Scrub reads all segments of the replica, or those of one table unless that is 0, as fast as it goes, and returns those that are damaged. Where there
// are other replicas, the damaged files are fetched from them: see Repaired.
func (s *Shard) Scrub(ctx context.Context, table catalog.TableID) ([]mergetree.Damage, error) {
	return s.scrubAt(ctx, table, 0)
}

func (s *Shard) scrubAt(ctx context.Context, table catalog.TableID, rate int64) ([]mergetree.Damage, error) {
	return s.store.Scrub(ctx, mergetree.ScrubOptions{Table: table, Rate: rate, SetAside: !s.g.alone()})
}

// Repaired waits until damaged segments have been fetched from other replicas, or are not live any more, for repairPatience at most, and returns those that are
// damaged still. Where there is no other replica it does not wait.
func (s *Shard) Repaired(ctx context.Context, found []mergetree.Damage) (left []mergetree.Damage, err error) {
	for end := s.clk.Now().Add(repairPatience); ; {
		left = nil
		for _, d := range s.store.Damaged() {
			if slices.ContainsFunc(found, func(x mergetree.Damage) bool { return x.Segment.ID == d.Segment.ID }) {
				left = append(left, d)
			}
		}
		if len(left) == 0 || s.g.alone() || !s.clk.Now().Before(end) {
			return left, nil
		}
		if err := s.clk.Sleep(ctx, repairPoll); err != nil {
			return left, err
		}
	}
}

// keepScrubbing reads the replica's segments again and again, slowly, until ctx ends.
func (s *Shard) keepScrubbing(ctx context.Context) {
	for s.clk.Sleep(ctx, scrubInterval) == nil {
		if _, err := s.scrubAt(ctx, 0, scrubRate); err != nil && ctx.Err() == nil {
			s.g.log.Warn("scrubbing", "error", err)
		}
	}
}
