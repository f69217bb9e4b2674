package exec

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/eval"
)

// AggCall is one aggregate function of an Aggregate.
type AggCall struct {
	Name string
	Fn   function.Aggregate
	Args []int // positions in the program's results
}

// AggregateSpec says what an Aggregate computes.
type AggregateSpec struct {
	// Program computes the keys, then the arguments, from the input.
	Program *eval.Program
	Keys    column.Schema
	Calls   []AggCall
	// Sets are the grouping sets as positions in Keys; nil is one set of all keys.
	Sets [][]int
	// Partial yields states; Merge takes states as the only argument of each call.
	Partial, Merge bool
	WithTotals     bool
	// Having filters the result when there are totals, which count only the groups that pass; else nil.
	Having *eval.Program
	Text   string
}

// Aggregate groups rows. Each worker fills tables of its own; they are merged at the end, partition
// by partition and in parallel once there are many groups.
type Aggregate struct {
	base
	AggregateSpec
	totals totals
	ended  atomic.Bool // group_by_overflow_mode = 'break'
}

// NewAggregate returns an Aggregate.
func NewAggregate(in Operator, spec AggregateSpec) *Aggregate {
	if spec.Sets == nil {
		all := make([]int, len(spec.Keys))
		for i := range all {
			all[i] = i
		}
		spec.Sets = [][]int{all}
	}
	return &Aggregate{base: base{inputs: []Operator{in}}, AggregateSpec: spec}
}

// Describe implements Operator.
func (a *Aggregate) Describe() string {
	kind := "Aggregate "
	switch {
	case a.Partial:
		kind = "Partial aggregate "
	case a.Merge:
		kind = "Merge aggregate "
	}
	return kind + a.Text
}

func (a *Aggregate) keyTypes() []*types.Type {
	out := make([]*types.Type, len(a.Keys))
	for i, k := range a.Keys {
		out[i] = k.Type
	}
	return out
}

func (a *Aggregate) newStates() []function.States {
	out := make([]function.States, len(a.Calls))
	for i, c := range a.Calls {
		out[i] = c.Fn.New()
	}
	return out
}

func (a *Aggregate) streams(r *run) ([]Stream, error) {
	in, err := open(r, a.inputs[0])
	if err != nil {
		return nil, err
	}
	if a.WithTotals {
		a.totals.init(a)
	}
	shared := &aggregation{a: a, r: r, in: in}
	out := make([]Stream, r.opts.Threads)
	for i := range out {
		out[i] = &aggStream{g: shared}
	}
	return out, nil
}

// aggregation is one run of an Aggregate, shared by its output streams.
type aggregation struct {
	a     *Aggregate
	r     *run
	in    []Stream
	once  sync.Once
	err   error
	units []unit // of the result, computed by whichever stream takes them
	next  atomic.Int64
}

// unit is a part of the result that one stream merges and yields.
type unit func() (groups, error)

// consume drains the input into one table set per worker, then plans the units.
func (g *aggregation) consume(ctx context.Context) {
	workers := make([]*aggWorker, len(g.in))
	g.err = g.r.parallel(ctx, len(g.in), func(ctx context.Context, i int) error {
		w := newAggWorker(g.a, g.r)
		workers[i] = w
		return drain(ctx, g.in[i], w.add)
	})
	if g.err == nil {
		g.units, g.err = g.plan(workers)
	}
}

// plan merges what is small and makes a unit of each partition of what is large.
func (g *aggregation) plan(workers []*aggWorker) ([]unit, error) {
	var units []unit
	for s := range g.a.Sets {
		parts := make([]*aggTable, len(workers))
		split := false
		for i, w := range workers {
			parts[i] = w.sets[s]
			split = split || parts[i].parts != nil
		}
		if !split {
			u, err := g.mergeWhole(parts)
			if err != nil {
				return nil, err
			}
			units = append(units, u)
			continue
		}
		for _, t := range parts {
			if err := t.split(); err != nil {
				return nil, err
			}
		}
		if err := g.checkGroups(parts); err != nil {
			return nil, err
		}
		for k := range aggPartitions {
			units = append(units, func() (groups, error) { return g.mergePartition(parts, k) })
		}
	}
	return units, nil
}

// mergeWhole merges all tables into the first.
func (g *aggregation) mergeWhole(parts []*aggTable) (unit, error) {
	first := parts[0]
	for _, t := range parts[1:] {
		if err := first.merge(t.whole(), g.a.keyTypes()); err != nil {
			return nil, err
		}
		if err := first.account(); err != nil {
			return nil, err
		}
	}
	if err := g.checkGroups(parts[:1]); err != nil {
		return nil, err
	}
	return func() (groups, error) { return first.whole(), nil }, nil
}

// checkGroups holds the merged number of groups against max_rows_to_group_by.
func (g *aggregation) checkGroups(parts []*aggTable) error {
	l := &g.r.opts.Limits
	n := 0
	for _, t := range parts {
		n = max(n, t.len())
	}
	_, err := check(l.GroupByMode, sqlerr.TooManyRows, "rows to GROUP BY", int64(n), l.RowsToGroupBy, 0, 0)
	return err
}

func (g *aggregation) mergePartition(parts []*aggTable, k int) (groups, error) {
	if len(parts) == 1 {
		return parts[0].partition(k), nil
	}
	into := newAggTable(g.a, g.r)
	for _, t := range parts {
		if err := into.merge(t.partition(k), g.a.keyTypes()); err != nil {
			return groups{}, err
		}
	}
	return into.whole(), into.account()
}

// aggStream yields the groups of one unit after the other.
type aggStream struct {
	g    *aggregation
	cur  groups
	at   int
	rest blocksOf
}

func (s *aggStream) Next(ctx context.Context) (*column.Block, error) {
	s.g.once.Do(func() { s.g.consume(ctx) })
	if s.g.err != nil {
		return nil, s.g.err
	}
	for {
		if b := s.rest.next(); b != nil {
			return b, nil
		}
		if s.at < s.cur.n {
			to := min(s.at+s.g.r.opts.MaxBlockSize, s.cur.n)
			b, err := s.g.a.block(s.cur, s.at, to)
			s.at = to
			return b, err
		}
		i := int(s.g.next.Add(1)) - 1
		if i >= len(s.g.units) {
			return nil, nil
		}
		if err := s.take(s.g.units[i]); err != nil {
			return nil, err
		}
	}
}

// take merges the next unit.
func (s *aggStream) take(u unit) error {
	cur, err := u()
	if err != nil {
		return err
	}
	if !s.g.a.WithTotals {
		s.cur, s.at = cur, 0
		return nil
	}
	b, err := s.g.a.block(cur, 0, cur.n)
	if err != nil {
		return err
	}
	if b, err = s.g.a.totals.add(cur, b); err != nil {
		return err
	}
	s.rest = blocksOf{b: b, size: s.g.r.opts.MaxBlockSize}
	return nil
}

// block returns the result rows of groups [from, to).
func (a *Aggregate) block(g groups, from, to int) (*column.Block, error) {
	out := &column.Block{Cols: make([]column.Vector, 0, len(a.Keys)+len(a.Calls)), N: to - from}
	for i := range a.Keys {
		out.Cols = append(out.Cols, g.key(i, from, to))
	}
	for i, c := range a.Calls {
		v, err := a.finish(c, g.states[i], from, to)
		if err != nil {
			return nil, err
		}
		out.Cols = append(out.Cols, v)
	}
	return out, nil
}

func (a *Aggregate) finish(c AggCall, s function.States, from, to int) (column.Vector, error) {
	if !a.Partial {
		return s.Finish(from, to)
	}
	dst := column.NewStr(types.TString, to-from)
	s.Save(dst, from, to)
	return dst, nil
}

// DescribeAggregate joins names of keys and calls for EXPLAIN.
func DescribeAggregate(keys, calls []string) string {
	text := strings.Join(calls, ", ")
	if len(keys) > 0 {
		text += fmt.Sprintf(" by %s", strings.Join(keys, ", "))
	}
	return strings.TrimSpace(text)
}
