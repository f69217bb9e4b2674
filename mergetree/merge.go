package mergetree

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/segment"
)

// ttlDelay is how long expired rows may stay before their segment is rewritten for them: ClickHouse's merge_with_ttl_timeout.
const ttlDelay = 4 * time.Hour

// selectMerges runs Select over a view.
func (s *Store) selectMerges(v *TableView, now time.Time) []MergePlan {
	spec := v.Spec()
	if spec.Mode == Memory || !s.bg.mayMerge(spec.ID) {
		return nil
	}
	lim := v.limits()
	lim.MaxPlans = 2 * s.opts.Workers
	lim.Busy = func(id string) bool { return s.bg.isBusy(id) || v.absent(id) || v.live.frozen[id] }
	return Select(v.refs(), now.Unix(), lim)
}

func (b *background) isBusy(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.busy[id]
}

// limits are those of the table's settings and of its present memtable.
func (v *TableView) limits() Limits {
	set := v.Spec().Settings.withDefaults()
	lim := Limits{MaxBytes: uint64(set.MaxMergeBytes), MaxInputs: maxFanIn, TTLDropOnly: set.TTLDropOnly, TTLDelay: ttlDelay}
	if len(v.live.mem) > 0 {
		lim.Frontier = SeqAt(v.live.mem[0].firstIndex(), 0)
	}
	return lim
}

// absent reports whether the file of a live segment is not here.
func (v *TableView) absent(id string) bool {
	return v.live.missing != nil && slices.ContainsFunc(v.live.segs, func(f *segFile) bool { return f.seg.ID == id && !f.here.Load() })
}

// refs returns how the manifest names the live segments.
func (v *TableView) refs() []Segment {
	out := make([]Segment, len(v.live.segs))
	for i, f := range v.live.segs {
		out[i] = f.seg
	}
	return out
}

// Live returns the segments that edits can be made against, of one partition, and of all if none is given: by partition, then by order of commit.
func (v *TableView) Live(partition string) []Segment {
	return slices.DeleteFunc(v.refs(), func(s Segment) bool { return partition != "" && s.Partition != partition })
}

// merge carries a plan out on so many cores and commits it. The inputs are claimed by the caller.
func (s *Store) merge(ctx context.Context, c Committer, id catalog.TableID, p MergePlan, workers int) error {
	if err := s.bg.begin(); err != nil {
		return err
	}
	defer s.bg.work.Done()
	snap := s.Snapshot()
	defer snap.Close()
	v := snap.Table(id)
	if v == nil {
		return unknownTable(id)
	}
	e := Edit{Table: id, Cause: p.Cause}
	for _, in := range p.Inputs {
		e.Remove = append(e.Remove, in.ID)
	}
	if !p.Drop {
		seg, err := s.writeMerged(ctx, v, p, workers)
		if err != nil {
			return fmt.Errorf("mergetree: merging %d segments of %s: %w", len(p.Inputs), v.Spec().Name, err)
		}
		if seg != nil {
			e.Add = []Segment{*seg}
		}
	}
	return s.commit(ctx, c, e)
}

// writeMerged writes the merged segment; nil if no row is left.
func (s *Store) writeMerged(ctx context.Context, v *TableView, p MergePlan, workers int) (seg *Segment, err error) {
	spec, first, last := v.Spec(), p.Inputs[0], p.Inputs[len(p.Inputs)-1]
	target := Segment{Partition: p.Partition, First: first.First, Last: last.Last}
	info := &MergeInfo{Table: spec.ID, Cause: p.Cause, Partition: p.Partition, Inputs: p.Inputs, Started: s.clk.Now()}
	memory := int64(0)
	for _, in := range p.Inputs {
		target.Level = max(target.Level, in.Level+1)
		info.Rows, info.Bytes = info.Rows+in.Rows, info.Bytes+in.Bytes
		memory += int64(min(in.RawBytes, mergeBytes))
	}
	sources, partition, err := s.openInputs(v, p)
	if err != nil {
		return nil, err
	}
	it := newMergeIter(spec, spec.allColumns(), sources, s.opts.tune.mergeRows, false)
	if p.Distinct != nil {
		it.distinct = newDistinct(spec, p.Distinct, s.opts.Budget)
	}
	defer func() { err = errors.Join(err, it.close()) }()
	for _, src := range sources {
		memory += src.(*segmentSource).startStream(it.keepsRows())
	}
	if err := s.opts.Budget.Reserve(memory); err != nil {
		return nil, err
	}
	defer s.opts.Budget.Release(memory)
	out, err := s.newOutput(spec, target, partition, workers, it.keepsRows())
	if err != nil {
		return nil, err
	}
	info.Result = out.seg.ID
	s.bg.started(info)
	defer s.bg.ended(info)
	if err := out.copyFrom(ctx, it, info.Started.Unix()); err != nil {
		return nil, errors.Join(err, out.abort())
	}
	return out.finish(ctx)
}

// copyFrom writes the merged rows that have not expired at now.
func (o *output) copyFrom(ctx context.Context, it *mergeIter, now int64) error {
	if it.keepsRows() {
		return o.copyRuns(ctx, it)
	}
	for {
		b, err := it.next(ctx)
		if err != nil || b == nil {
			return err
		}
		if b, err = o.spec.unexpired(b, now); err != nil {
			return err
		}
		if err := o.append(b); err != nil {
			return err
		}
	}
}

// keepsRows reports whether a merge writes every row as it is.
func (m *mergeIter) keepsRows() bool { return m.coll == nil && m.distinct == nil && m.spec.TTL == nil }

// copyRuns writes the merged rows as they lie in the inputs.
func (o *output) copyRuns(ctx context.Context, it *mergeIter) error {
	for {
		pieces, n, err := it.pieces(ctx)
		if err != nil || n == 0 {
			return err
		}
		for _, p := range pieces {
			if err := o.appendRun(segment.Run{Block: p.b, From: p.from, To: p.to}); err != nil {
				return err
			}
		}
	}
}

// unexpired drops rows whose TTL has passed.
func (spec *Spec) unexpired(b *column.Block, now int64) (*column.Block, error) {
	if spec.TTL == nil || b.N == 0 {
		return b, nil
	}
	ttl, err := spec.TTL(b)
	if err != nil {
		return nil, fmt.Errorf("mergetree: TTL of %s: %w", spec.Name, err)
	}
	sel := make([]uint32, 0, b.N)
	for i, t := range ttl {
		if t > now {
			sel = append(sel, uint32(i))
		}
	}
	if len(sel) == b.N {
		return b, nil
	}
	return b.Gather(sel), nil
}

// openInputs opens the plan's segments; an input that is no longer live rejects the plan.
func (s *Store) openInputs(v *TableView, p MergePlan) (sources []source, partition []segment.Value, err error) {
	live := map[string]*segFile{}
	for _, f := range v.live.segs {
		live[f.seg.ID] = f
	}
	defer func() {
		if err != nil {
			for _, src := range sources {
				err = errors.Join(err, src.close())
			}
		}
	}()
	for _, in := range p.Inputs {
		f := live[in.ID]
		if f == nil {
			return sources, nil, fmt.Errorf("%w: segment %s is not live", ErrEditRejected, in.ID)
		}
		r, err := s.open(f)
		if err != nil {
			return sources, nil, err
		}
		sources = append(sources, newSegmentSource(v.Spec(), v.Spec().allColumns(), r, s.opts.tune.mergeRows))
		partition = r.Meta().Partition
	}
	return sources, partition, nil
}
