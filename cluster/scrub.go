package cluster

import (
	"context"

	"github.com/olapd/olapd/mergetree"
)

// Scrub reads all of the replica's segments as fast as it goes, and returns those that are damaged. Where there are other replicas,
// the damaged files are fetched from them.
func (s *Shard) Scrub(ctx context.Context) ([]mergetree.Damage, error) { return s.scrubAt(ctx, 0) }

func (s *Shard) scrubAt(ctx context.Context, rate int64) ([]mergetree.Damage, error) {
	return s.store.Scrub(ctx, mergetree.ScrubOptions{Rate: rate, SetAside: !s.g.alone()})
}

// keepScrubbing reads the replica's segments again and again, slowly, until ctx ends.
func (s *Shard) keepScrubbing(ctx context.Context) {
	for s.clk.Sleep(ctx, scrubInterval) == nil {
		if _, err := s.scrubAt(ctx, scrubRate); err != nil && ctx.Err() == nil {
			s.g.log.Warn("scrubbing", "error", err)
		}
	}
}
