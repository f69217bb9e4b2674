package mergetree

import (
	"context"
	"errors"
	"runtime"
	"slices"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
)

// OptimizeOptions say what OPTIMIZE TABLE does.
type OptimizeOptions struct {
	Partition string // ID of the only partition to merge; empty: all
	Final     bool   // down to one segment a partition; else one merge a partition
	// Distinct are columns by which equal rows of a partition become one, the first; nil: all rows stay. The sort key reads no others. It implies Final.
	Distinct []string
}

// maxAttempts bounds how often work on demand starts again after a rejected edit.
const maxAttempts = 16

// Optimize flushes a table and merges its segments, waiting for merges that are under way. Aborted if merges are stopped.
func (s *Store) Optimize(ctx context.Context, c Committer, id catalog.TableID, o OptimizeOptions) error {
	if !s.bg.mayMerge(id) {
		return sqlerr.New(sqlerr.Aborted, "Cancelled merging parts: merges of the table are stopped")
	}
	if err := retried(func() error { return s.Flush(ctx, c, id) }); err != nil {
		return err
	}
	parts, err := s.partitionIDs(id, o.Partition)
	if err != nil {
		return err
	}
	for _, part := range parts {
		for more := true; more; {
			err := retried(func() (err error) {
				more, err = s.optimizeOnce(ctx, c, id, part, o)
				return err
			})
			if err != nil {
				return err
			}
			more = more && (o.Final || o.Distinct != nil)
		}
	}
	return nil
}

// retried runs f again while its edit is rejected.
func retried(f func() error) error {
	var err error
	for range maxAttempts {
		if err = f(); !errors.Is(err, ErrEditRejected) {
			return err
		}
	}
	return sqlerr.Wrap(err, sqlerr.Aborted, "The table changed %d times while it was being worked on", maxAttempts)
}

// partitionIDs returns the partitions that a table has segments of, or the one asked for.
func (s *Store) partitionIDs(id catalog.TableID, only string) ([]string, error) {
	if only != "" {
		return []string{only}, nil
	}
	snap := s.Snapshot()
	defer snap.Close()
	v := snap.Table(id)
	if v == nil {
		return nil, unknownTable(id)
	}
	var out []string
	for _, f := range v.live.segs {
		out = append(out, f.seg.Partition)
	}
	return slices.Compact(out), nil // segments are sorted by partition
}

// optimizeOnce does one merge of a partition, and reports whether there may be more to do.
func (s *Store) optimizeOnce(ctx context.Context, c Committer, id catalog.TableID, part string, o OptimizeOptions) (bool, error) {
	var plan *MergePlan
	last := false
	err := s.bg.until(ctx, func() bool {
		plan, last = s.forcedPlan(id, part, o)
		return plan == nil || s.bg.claimLocked(id, plan.Inputs)
	})
	if err != nil || plan == nil {
		return false, err
	}
	defer s.bg.unclaim(id, plan.Inputs)
	return !last, s.merge(ctx, c, id, *plan, runtime.GOMAXPROCS(0)) // somebody waits for it
}

// forcedPlan returns what to merge regardless of sizes: the whole partition, up to optimizeFanIn segments at once, the
// smallest stretch first; nil if nothing is left to do. It reports whether nothing will be left after it: equal rows are all gone.
func (s *Store) forcedPlan(id catalog.TableID, part string, o OptimizeOptions) (p *MergePlan, last bool) {
	snap := s.Snapshot()
	defer snap.Close()
	v := snap.Table(id)
	if v == nil {
		return nil, false
	}
	lim, now := v.limits(), s.clk.Now().Unix()
	segs := v.unfrozen(v.Live(part), lim.Frontier)
	stretched := false
	switch {
	case len(segs) == 0:
		return nil, false
	case len(segs) == 1 && o.Distinct == nil:
		seg := segs[0]
		uncollapsed := seg.Level == 0 && v.Spec().Settings.KeepUncollapsed && v.Spec().Mode.KeepsOrder()
		if !o.Final || !uncollapsed && seg.TTLMin > now {
			return nil, false
		}
	case len(segs) > maxFanIn:
		segs, stretched = smallestStretch(segs, maxFanIn), true
	}
	p = &MergePlan{Partition: part, Inputs: segs, Cause: CauseMerge, Distinct: o.Distinct}
	if o.Distinct != nil {
		p.Cause, last = CauseMutation, !stretched
	}
	return p, last
}

// unfrozen returns the longest run of a partition's segments that lie before the frontier and are not on their way between shards.
func (v *TableView) unfrozen(part []Segment, frontier Seq) []Segment {
	var best []Segment
	for _, run := range runs(part, Limits{Frontier: frontier, Busy: func(id string) bool { return v.live.frozen[id] }}) {
		if len(run) > len(best) {
			best = run
		}
	}
	return best
}

// smallestStretch returns the n neighbours with the fewest bytes.
func smallestStretch(segs []Segment, n int) []Segment {
	sum := uint64(0)
	for _, s := range segs[:n] {
		sum += s.Bytes
	}
	best, at := sum, 0
	for i := n; i < len(segs); i++ {
		sum += segs[i].Bytes - segs[i-n].Bytes
		if sum < best {
			best, at = sum, i-n+1
		}
	}
	return segs[at : at+n]
}

// DropPartition removes all rows of a partition that are committed when it begins.
func (s *Store) DropPartition(ctx context.Context, c Committer, id catalog.TableID, part string) error {
	return retried(func() error {
		if err := s.Flush(ctx, c, id); err != nil {
			return err
		}
		snap := s.Snapshot()
		defer snap.Close()
		v := snap.Table(id)
		if v == nil {
			return unknownTable(id)
		}
		e := Edit{Table: id, Cause: CauseDropPartition}
		for _, seg := range v.refs() {
			if seg.Partition == part {
				e.Remove = append(e.Remove, seg.ID)
			}
		}
		if len(e.Remove) == 0 {
			return nil
		}
		return s.commit(ctx, c, e)
	})
}
