package exec

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/grouping"
)

// Sizes of aggregation: from splitGroups groups on a table no longer fits the second-level cache with its
// states, and is dealt out to aggPartitions partitions, which merge in parallel.
const (
	splitGroups   = 16384
	aggPartitions = 32
)

// aggWorker is one worker's part of an aggregation: a table per grouping set.
type aggWorker struct {
	a    *Aggregate
	r    *run
	sets []*aggTable
}

func newAggWorker(a *Aggregate, r *run) *aggWorker {
	w := &aggWorker{a: a, r: r}
	for range a.Sets {
		w.sets = append(w.sets, newAggTable(a, r))
	}
	return w
}

// add aggregates a block.
func (w *aggWorker) add(b *column.Block) error {
	if w.a.ended.Load() {
		return errEnd
	}
	vals, err := w.a.Program.Run(b)
	if err != nil {
		return err
	}
	for s, set := range w.a.Sets {
		if err := w.sets[s].add(w.keys(vals, set, b.N), vals, b.N); err != nil {
			return err
		}
		if err := w.sets[s].account(); err != nil {
			return err
		}
	}
	return nil
}

// keys returns the key columns, those outside the grouping set as defaults.
func (w *aggWorker) keys(vals []column.Vector, set []int, n int) []column.Vector {
	keys := vals[:len(w.a.Keys):len(w.a.Keys)]
	if len(set) == len(keys) {
		return keys
	}
	out := make([]column.Vector, len(keys))
	for _, k := range set {
		out[k] = keys[k]
	}
	for i := range out {
		if out[i] == nil {
			out[i] = column.NewDefaults(w.a.Keys[i].Type.WithoutLowCardinality(), n)
		}
	}
	return out
}

// aggTable is the groups of one grouping set: in one table at first, in partitions when they are many.
type aggTable struct {
	a      *Aggregate
	r      *run
	held   *reservation
	table  *grouping.Table // nil without keys, or once split
	states []function.States
	parts  *grouping.Partitioned
	pstate [][]function.States // by partition
	ids    []uint32
}

func newAggTable(a *Aggregate, r *run) *aggTable {
	t := &aggTable{a: a, r: r, held: r.reservation(), states: a.newStates()}
	if len(a.Keys) > 0 {
		t.table = grouping.New(a.keyTypes(), r.opts.CollideHashes)
		return t
	}
	for _, s := range t.states {
		s.Grow(1)
	}
	return t
}

// len is the number of groups.
func (t *aggTable) len() int {
	switch {
	case t.parts != nil:
		return t.parts.Total()
	case t.table != nil:
		return t.table.Len()
	}
	return 1
}

// add aggregates n rows.
func (t *aggTable) add(keys, vals []column.Vector, n int) error {
	switch {
	case t.parts != nil:
		return t.addParts(keys, vals, n)
	case t.table == nil:
		return t.feed(t.states, nil, vals, n)
	}
	if len(t.ids) < n {
		t.ids = make([]uint32, n)
	}
	ids := t.ids[:n]
	l := &t.r.opts.Limits
	if l.RowsToGroupBy > 0 && l.GroupByMode == OverflowAny && int64(t.table.Len()) >= l.RowsToGroupBy {
		return t.addKnown(keys, vals, ids)
	}
	if err := t.table.Insert(keys, ids); err != nil {
		return err
	}
	grow(t.states, t.table.Len())
	if err := t.feed(t.states, ids, vals, n); err != nil {
		return err
	}
	return t.full()
}

// full acts on the number of groups: a limit, or the size from which the table is split.
func (t *aggTable) full() error {
	l := &t.r.opts.Limits
	end, err := check(l.GroupByMode, sqlerr.TooManyRows, "rows to GROUP BY", int64(t.len()), l.RowsToGroupBy, 0, 0)
	if err != nil {
		return err
	}
	if end && l.GroupByMode == OverflowBreak {
		t.a.ended.Store(true)
	}
	if t.table != nil && t.table.Len() >= splitGroups && (l.RowsToGroupBy == 0 || l.GroupByMode != OverflowAny) {
		return t.split()
	}
	return nil
}

// addKnown drops the rows whose group is not there yet: group_by_overflow_mode = 'any'.
func (t *aggTable) addKnown(keys, vals []column.Vector, ids []uint32) error {
	if err := t.table.Finder().Find(keys, ids); err != nil {
		return err
	}
	var rows, known []uint32
	for i, id := range ids {
		if id != grouping.Missing {
			rows, known = append(rows, uint32(i)), append(known, id)
		}
	}
	return t.feed(t.states, known, gatherAll(vals, rows), len(rows))
}

func (t *aggTable) addParts(keys, vals []column.Vector, n int) error {
	shares, err := t.parts.Insert(keys, n)
	if err != nil {
		return err
	}
	args := make([]column.Vector, len(vals)) // the keys are not needed any more
	copy(args[len(keys):], vals[len(keys):])
	for k, s := range shares {
		if len(s.Rows) == 0 {
			continue
		}
		grow(t.pstate[k], t.parts.Len(k))
		if err := t.feed(t.pstate[k], s.IDs, gatherAll(args, s.Rows), len(s.Rows)); err != nil {
			return err
		}
	}
	return t.full()
}

// gatherAll gathers the values at rows; nil vectors stay nil.
func gatherAll(vals []column.Vector, rows []uint32) []column.Vector {
	out := make([]column.Vector, len(vals))
	for i, v := range vals {
		if v != nil {
			out[i] = column.Gather(v, rows)
		}
	}
	return out
}

// feed adds rows to the states of their groups; groups nil is group 0 for all.
func (t *aggTable) feed(states []function.States, groups []uint32, vals []column.Vector, n int) error {
	for i, c := range t.a.Calls {
		args := make([]column.Vector, len(c.Args))
		for k, at := range c.Args {
			args[k] = vals[at]
		}
		if !t.a.Merge {
			if err := states[i].Add(groups, args, n); err != nil {
				return err
			}
			continue
		}
		if groups == nil {
			groups = make([]uint32, n)
		}
		src, ok := column.Flatten(args[0]).(*column.Str)
		if !ok {
			return sqlerr.New(sqlerr.LogicalError, "States of %s are of type %s", c.Name, args[0].Type())
		}
		if err := states[i].Load(groups, src); err != nil {
			return err
		}
	}
	return nil
}

// split deals the groups out to partitions.
func (t *aggTable) split() error {
	if t.parts != nil {
		return nil
	}
	parts, part, ids, err := t.table.Partition(aggPartitions)
	if err != nil {
		return err
	}
	n := len(part)
	rows := make([][]uint32, aggPartitions)
	for g, k := range part {
		rows[k] = append(rows[k], uint32(g))
	}
	t.pstate = make([][]function.States, aggPartitions)
	for k := range t.pstate {
		t.pstate[k] = t.a.newStates()
		grow(t.pstate[k], parts.Len(k))
	}
	for i, s := range t.states {
		saved := column.NewStr(types.TString, n)
		s.Save(saved, 0, n)
		for k, sel := range rows {
			sub := make([]uint32, len(sel))
			for j, g := range sel {
				sub[j] = ids[g]
			}
			if err := t.pstate[k][i].Load(sub, column.Gather(saved, sel).(*column.Str)); err != nil {
				return err
			}
		}
	}
	t.table, t.states, t.parts = nil, nil, parts
	return nil
}

// groups is a finished table or partition.
type groups struct {
	n      int
	states []function.States
	key    func(i, from, to int) column.Vector
}

func (t *aggTable) whole() groups {
	g := groups{n: t.len(), states: t.states}
	if t.table != nil {
		g.key = t.table.Key
	}
	return g
}

func (t *aggTable) partition(k int) groups {
	return groups{n: t.parts.Len(k), states: t.pstate[k], key: func(i, from, to int) column.Vector { return t.parts.Key(k, i, from, to) }}
}

// merge takes the groups of another table into t, which is not split.
func (t *aggTable) merge(g groups, keyTypes []*types.Type) error {
	if g.n == 0 {
		return nil
	}
	ids := make([]uint32, g.n)
	if t.table != nil {
		keys := make([]column.Vector, len(keyTypes))
		for i := range keys {
			keys[i] = g.key(i, 0, g.n)
		}
		if err := t.table.Insert(keys, ids); err != nil {
			return err
		}
		grow(t.states, t.table.Len())
	}
	for i, s := range t.states {
		if err := s.Merge(ids, g.states[i], nil); err != nil {
			return err
		}
	}
	return nil
}

func grow(states []function.States, n int) {
	for _, s := range states {
		s.Grow(n)
	}
}

// account reserves the memory held.
func (t *aggTable) account() error {
	n := 4 * int64(cap(t.ids))
	if t.table != nil {
		n += t.table.Bytes()
	}
	for _, s := range t.states {
		n += s.Bytes()
	}
	if t.parts != nil {
		n += t.parts.Bytes()
		for _, states := range t.pstate {
			for _, s := range states {
				n += s.Bytes()
			}
		}
	}
	return t.held.set(n)
}
