package exec

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/grouping"
)

// aggregation is one run of an Aggregate, shared by its output streams.
//
// Each worker begins with a table of its own (aggtable.go), merged with the others at the end. A single key of strings needs no
// table: its values are numbered, and the number is the group. From splitGroups groups on, rows are dealt out by hash
// to partitions that all workers share (aggparts.go), which need no merge. The finished groups are units, which the streams take.
type aggregation struct {
	a     *Aggregate
	r     *run
	in    []Stream
	sets  []*aggSet // by grouping set
	once  once
	err   error
	units []groups // of the result
	setOf []int    // of each unit
	next  atomic.Int64
}

// aggSet is one grouping set being aggregated: what its workers share.
type aggSet struct {
	a     *Aggregate
	r     *run
	keys  int               // columns of the key
	enc   *grouping.Encoder // forked by each worker
	calls []AggCall         // the states of each group
	args  []int             // the distinct columns that calls read
	spill aggSpill
	// out is the set of the second step, where the first step's partitions hold keys only: see aggside.go. Set with the partitions.
	out *aggSet
	// tables is what the tables of the partitions take until the input ends.
	tables tableMemory
	came   atomic.Int64 // rows, of all workers
	// Of the partitions, set with them: see agggroups.go.
	begun     sample       // how many groups the first rows had
	groupSize int64        // bytes of a group
	expected  atomic.Int64 // groups that there will likely be
	grouped   atomic.Int64 // groups there are
	taken     atomic.Int64 // rows that workers have gathered, those visited included
	visited   atomic.Int64 // rows that partitions have
	mu        struct {
		sync.Mutex
		parts   []*aggPart // nil until groups are many
		numbers int        // up to how many it was decided to keep states by number: see sparse
	}
}

func newAggregation(a *Aggregate, r *run, in []Stream) *aggregation {
	g := &aggregation{a: a, r: r, in: in, once: newOnce()}
	for range a.Sets {
		g.sets = append(g.sets, newAggSet(a, r))
	}
	return g
}

func newAggSet(a *Aggregate, r *run) *aggSet {
	s := &aggSet{a: a, r: r}
	s.spill.init(r)
	var ts []*types.Type
	for _, k := range a.Keys {
		ts = append(ts, k.Type)
	}
	ts = append(ts, a.Unique...)
	s.keys = len(ts)
	s.enc = grouping.NewEncoder(ts, r.opts.CollideHashes)
	s.enc.Share(r.opts.Unions)
	seen := map[int]bool{}
	for _, c := range a.Calls {
		if c.Unique {
			continue
		}
		s.calls = append(s.calls, c)
		for _, at := range c.Args {
			if !seen[at] {
				seen[at] = true
				s.args = append(s.args, at)
			}
		}
	}
	return s
}

func (s *aggSet) newStates() []function.States {
	out := make([]function.States, len(s.calls))
	for i, c := range s.calls {
		out[i] = c.Fn.New()
	}
	return out
}

// consume drains the input into tables and partitions, then makes units of them.
func (g *aggregation) consume(ctx context.Context) {
	workers := make([]*aggWorker, len(g.in))
	g.err = g.r.parallel(ctx, len(g.in), func(ctx context.Context, i int) error {
		w := newAggWorker(g, i)
		workers[i] = w
		return drain(ctx, g.in[i], w.add)
	})
	for s := range g.sets {
		if g.err != nil {
			return
		}
		tables := make([]*aggTable, len(workers))
		for i, w := range workers {
			tables[i] = w.sets[s]
		}
		g.err = g.collect(ctx, s, tables)
	}
}

// collect makes units of the tables of one grouping set.
func (g *aggregation) collect(ctx context.Context, number int, tables []*aggTable) error {
	set := tables[0].set
	units, err := set.units(ctx, tables)
	if err != nil {
		return err
	}
	if len(g.a.Unique) > 0 {
		if units, err = g.regroup(ctx, set, tables, units); err != nil {
			return err
		}
	}
	n := 0
	for _, u := range units {
		n += u.n
	}
	l := &g.r.opts.Limits
	if _, err := check(l.GroupByMode, sqlerr.TooManyRows, "rows to GROUP BY", int64(n), l.RowsToGroupBy, 0, 0); err != nil {
		return err
	}
	for _, u := range units {
		for _, part := range u.split() {
			g.units, g.setOf = append(g.units, part), append(g.setOf, number)
		}
	}
	return nil
}

// units merges what is small and returns the partitions of what is large.
func (s *aggSet) units(ctx context.Context, tables []*aggTable) ([]groups, error) {
	if s.mu.parts == nil {
		u, err := mergeTables(ctx, tables)
		return []groups{u}, err
	}
	for _, t := range tables {
		if t.buf == nil {
			if err := t.deal(); err != nil {
				return nil, err
			}
		}
	}
	return s.lateUnits(tables), nil
}

func (p *aggPart) groups(s *aggSet) groups {
	return groups{n: p.index.Len(), enc: s.enc, index: p.index, states: p.states, part: p}
}

// release gives the memory of a unit back.
func (g *groups) release() {
	if g.part != nil {
		g.part.held.release()
		g.part.index, g.part.states = nil, nil
	}
	*g = groups{}
}

// groups is finished groups: of a table, of a partition, or by number, of which some are not there.
type groups struct {
	n      int // groups, or numbers, at which they end
	from   int // the first of them
	seen   []uint8
	enc    *grouping.Encoder
	index  *grouping.Index // nil: the groups are numbers
	states []function.States
	part   *aggPart // that the groups are, or nil
	// rows and number name a partition that is not aggregated yet: see aggFinisher.
	rows   *aggRows
	number int
}

// words returns the keys of groups [from, to).
func (g *groups) words(from, to int) []uint64 {
	if g.index != nil {
		return g.index.Words(from, to)
	}
	out := make([]uint64, to-from)
	for i := range out {
		out[i] = uint64(from + i)
	}
	return out
}

// present returns which of the groups [from, to) are there, as positions from from on; nil if all are.
func (g *groups) present(from, to int) []uint32 {
	if g.seen == nil {
		return nil
	}
	seen := g.seen[from:to]
	out := make([]uint32, 0, len(seen))
	for i, s := range seen {
		if s != 0 {
			out = append(out, uint32(i))
		}
	}
	return out
}

// aggStream yields the groups of one unit after the other.
type aggStream struct {
	g    *aggregation
	cur  groups
	set  int // the grouping set they are of
	at   int
	rest blocksOf
	late aggFinisher
	top  *topState // nil without a bound
}

func newAggStream(g *aggregation) *aggStream {
	s := &aggStream{g: g}
	if g.a.top != nil {
		s.top = &topState{t: g.a.top}
	}
	return s
}

func (s *aggStream) Next(ctx context.Context) (*column.Block, error) {
	s.g.once.do(func() { s.g.consume(ctx) })
	if s.g.err != nil {
		return nil, s.g.err
	}
	for {
		if b := s.rest.next(); b != nil {
			return b, nil
		}
		if s.at < s.cur.n {
			from, to := s.at, min(s.at+s.g.r.opts.MaxBlockSize, s.cur.n)
			s.at = to
			if b, err := s.block(from, to); err != nil || b.N > 0 {
				return b, err
			}
			continue
		}
		s.cur.release()
		i := int(s.g.next.Add(1)) - 1
		if i >= len(s.g.units) {
			return nil, nil
		}
		var err error
		if s.cur, err = s.late.ready(ctx, s.g.units[i]); err != nil {
			return nil, err
		}
		s.at, s.set, s.g.units[i] = s.cur.from, s.g.setOf[i], groups{}
	}
}

// block returns the rows of groups [from, to) that the reader needs.
func (s *aggStream) block(from, to int) (*column.Block, error) {
	a := s.g.a
	if s.top != nil {
		return s.topBlock(from, to)
	}
	b, err := a.block(s.cur, from, to)
	if err != nil {
		return nil, err
	}
	if b = a.numbered(b, s.set); !a.WithTotals {
		return b, nil
	}
	return a.totals.add(s.cur, s.set, from, to, b)
}

// numbered adds the number of the grouping set to a block, if it is asked for.
func (a *Aggregate) numbered(b *column.Block, set int) *column.Block {
	if a.SetNumber {
		b.Cols = append(b.Cols, column.NewConst(types.TUInt64, uint64(set), b.N))
	}
	return b
}

// block returns the result rows of groups [from, to).
func (a *Aggregate) block(g groups, from, to int) (*column.Block, error) {
	there := g.present(from, to)
	out := &column.Block{Cols: make([]column.Vector, 0, len(a.Keys)+len(a.Calls)), N: to - from}
	words := g.words(from, to)
	if there != nil {
		out.N, words = len(there), g.enc.AppendRows(nil, words, there)
	}
	for i := range a.Keys {
		out.Cols = append(out.Cols, g.enc.Decode(i, words))
	}
	for i, c := range a.Calls {
		v, err := a.finish(c, g.states[i], from, to)
		if err != nil {
			return nil, err
		}
		if there != nil {
			v = column.Gather(v, there)
		}
		out.Cols = append(out.Cols, v)
	}
	return out, nil
}

func (a *Aggregate) finish(c AggCall, s function.States, from, to int) (column.Vector, error) {
	switch {
	case !a.Partial:
		return s.Finish(from, to)
	case c.Plain:
		return s.(function.Plain).SavePlain(from, to), nil
	}
	dst := column.NewStr(types.TString, to-from)
	s.Save(dst, from, to)
	return dst, nil
}
