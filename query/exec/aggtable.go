package exec

import (
	"context"
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/exec/grouping"
)

const (
	// splitGroups is the number of groups from which a table no longer fits the second-level cache with its states.
	splitGroups = 16384
	// idleNumbers is how many numbers there may be for each row at hand for an array of states by number to pay.
	idleNumbers = 64
	// numbersPerRow is how many numbers there may be for each row that will likely come: with more, partitions by hash cost less than clearing, merging and
	// finishing states of numbers that no row has. A sixteenth of 10 million rows takes half of the CPU so, a quarter the same.
	numbersPerRow = 4
)

// aggWorker is one worker's part of an aggregation: a table per grouping set.
type aggWorker struct {
	a    *Aggregate
	sets []*aggTable
}

func newAggWorker(g *aggregation, number int) *aggWorker {
	w := &aggWorker{a: g.a}
	for _, s := range g.sets {
		t := newAggTable(s)
		t.worker = number
		w.sets = append(w.sets, t)
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
	all := len(w.a.Keys) + len(w.a.Unique)
	keys := vals[:all:all]
	if len(set) == len(w.a.Keys) {
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

// aggTable is one worker's groups of one grouping set: in a table at first; by number, where the key is one column of
// strings; or, once they are many, with all other workers' in partitions.
type aggTable struct {
	set    *aggSet
	worker int
	held   *reservation
	enc    *grouping.Encoder
	index  *grouping.Index // nil without keys, by number, or in partitions
	seen   []uint8         // by number: 1 where there are rows; nil otherwise
	states []function.States
	buf    *aggBuffer // of the partitions
	side   *aggTable  // of the second step, where the set has an out
	rows   int        // so far
	ids    []uint32
	hashes []uint64
}

func newAggTable(s *aggSet) *aggTable {
	t := &aggTable{set: s, held: s.r.reservation(), states: s.newStates(), enc: s.enc.Fork()}
	if s.keys > 0 {
		t.index = t.enc.NewIndex()
	} else {
		grow(t.states, 1)
	}
	return t
}

// add aggregates n rows.
func (t *aggTable) add(keys, vals []column.Vector, n int) error {
	if n == 0 {
		return nil
	}
	t.rows += n
	t.set.came.Add(int64(n))
	switch {
	case t.set.keys == 0:
		return t.set.feed(t.states, nil, vals, n)
	case t.seen != nil:
		t.ids = sized(t.ids, n)
		if err := t.enc.Number(keys[0], t.ids); err != nil {
			return err
		}
		if t.enc.Limit() > len(t.seen) && t.sparse() {
			return t.dealNumbers(t.ids, vals)
		}
		return t.addNumbers(t.ids, vals)
	}
	words, err := t.enc.Encode(keys, n)
	if err != nil {
		return err
	}
	if t.buf != nil {
		return t.buf.add(words, vals, n)
	}
	t.ids = sized(t.ids, n)
	if t.numbered() && t.enc.Limit() <= idleNumbers*n {
		if err := t.byNumber(); err != nil {
			return err
		}
		for i, w := range words {
			t.ids[i] = uint32(w)
		}
		return t.addNumbers(t.ids, vals)
	}
	return t.addWords(words, vals, t.ids)
}

// addWords aggregates rows by the words of their keys.
func (t *aggTable) addWords(words []uint64, vals []column.Vector, ids []uint32) error {
	l := &t.set.r.opts.Limits
	if l.RowsToGroupBy > 0 && l.GroupByMode == OverflowAny && int64(t.index.Len()) >= l.RowsToGroupBy {
		return t.addKnown(words, vals, ids)
	}
	var err error
	if t.hashes, err = t.enc.InsertWords(t.index, words, t.hashes, ids); err != nil {
		return err
	}
	grow(t.states, t.index.Len())
	if err := t.set.feed(t.states, ids, vals, len(ids)); err != nil {
		return err
	}
	return t.full()
}

// addNumbers aggregates rows by number.
func (t *aggTable) addNumbers(numbers []uint32, vals []column.Vector) error {
	t.widen()
	seen := t.seen
	for _, x := range numbers {
		seen[x] = 1
	}
	return t.set.feed(t.states, numbers, vals, len(numbers))
}

// widen makes an array by number hold all numbers given so far.
func (t *aggTable) widen() {
	if n := t.enc.Limit(); n > len(t.seen) {
		t.seen = append(t.seen, make([]uint8, n-len(t.seen))...)
		grow(t.states, n)
	}
}

// numbered reports whether groups can be by number. A limit of groups needs them counted.
func (t *aggTable) numbered() bool {
	return t.enc.Numbered() && t.set.r.opts.Limits.RowsToGroupBy == 0
}

// byNumber turns the table into an array by number.
func (t *aggTable) byNumber() error {
	n := t.enc.Limit()
	t.seen = make([]uint8, n)
	old, states := t.index, t.states
	t.index, t.states = nil, t.set.newStates()
	grow(t.states, n)
	numbers := make([]uint32, old.Len())
	for i, w := range old.Words(0, old.Len()) {
		numbers[i] = uint32(w)
		t.seen[w] = 1
	}
	return mergeStates(t.states, numbers, states, nil)
}

// sparse reports whether there are many more numbers than rows will likely come. The first worker that has to know decides for all, as far as the numbers go
// that there are then: arrays by number and partitions together cost more than either.
func (t *aggTable) sparse() bool {
	s, numbers := t.set, t.enc.Limit()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.mu.parts != nil:
		return true
	case numbers <= s.mu.numbers:
		return false
	case float64(numbers) > numbersPerRow*t.expectedRows():
		return true
	}
	s.mu.numbers = numbers
	return false
}

// expectedRows is how many rows all workers will likely get, as far as the scans below know how many they read. A worker may be far ahead of the others, or
// far behind; what has been read may be one block of each ahead.
func (t *aggTable) expectedRows() float64 {
	planned, read := plannedRows(t.set.a), max(t.set.r.read.rows.Load(), 1)
	if planned == 0 {
		return math.Inf(1)
	}
	came := max(t.set.came.Load(), min(int64(t.rows)*int64(t.set.r.opts.Threads), read))
	return float64(came) * float64(max(planned, read)) / float64(read)
}

// dealNumbers moves an array by number, which has become sparse, to partitions, and adds rows by number there.
func (t *aggTable) dealNumbers(numbers []uint32, vals []column.Vector) error {
	words := make([]uint64, len(numbers))
	for i, x := range numbers {
		words[i] = uint64(x)
	}
	if err := t.deal(); err != nil {
		return err
	}
	return t.buf.add(words, vals, len(words))
}

// full acts on the number of groups: a limit, or the size from which the table is split.
func (t *aggTable) full() error {
	l := &t.set.r.opts.Limits
	n := t.index.Len()
	end, err := check(l.GroupByMode, sqlerr.TooManyRows, "rows to GROUP BY", int64(n), l.RowsToGroupBy, 0, 0)
	if err != nil {
		return err
	}
	if end && l.GroupByMode == OverflowBreak {
		t.set.a.ended.Store(true)
	}
	switch {
	case n < splitGroups:
		return nil
	case t.numbered() && !t.sparse():
		return t.byNumber()
	case !t.index.Hashed() || l.RowsToGroupBy > 0:
		return nil // a table by key stays small; a limit bounds the other
	}
	return t.deal()
}

// addKnown drops the rows whose group is not there yet: group_by_overflow_mode = 'any'.
func (t *aggTable) addKnown(words []uint64, vals []column.Vector, ids []uint32) error {
	if t.index.Hashed() {
		t.hashes = sized(t.hashes, len(ids))
		t.enc.Hash(words, t.hashes)
	}
	t.index.Find(words, t.hashes, ids)
	var rows, known []uint32
	for i, id := range ids {
		if id != grouping.Missing {
			rows, known = append(rows, uint32(i)), append(known, id)
		}
	}
	return t.set.feed(t.states, known, t.set.gather(vals, rows), len(rows))
}

// gather gathers the columns that calls read at rows; the others are nil.
func (s *aggSet) gather(vals []column.Vector, rows []uint32) []column.Vector {
	out := make([]column.Vector, len(vals))
	for _, at := range s.args {
		out[at] = column.Gather(vals[at], rows)
	}
	return out
}

// feed adds rows to the states of their groups; groups nil is group 0 for all.
func (s *aggSet) feed(states []function.States, groups []uint32, vals []column.Vector, n int) error {
	var room [4]column.Vector
	for i, st := range states {
		c := s.calls[i]
		if c.Unique {
			continue
		}
		args := room[:0]
		for _, at := range c.Args {
			args = append(args, vals[at])
		}
		if !s.a.Merge {
			if err := st.Add(groups, args, n); err != nil {
				return err
			}
			continue
		}
		if groups == nil {
			groups = make([]uint32, n)
		}
		if err := loadStates(st, groups, column.Flatten(args[0])); err != nil {
			return sqlerr.Wrap(err, sqlerr.CodeOf(err), "States of %s", c.Name)
		}
	}
	return nil
}

// loadStates adds states, as bytes or plain, to groups: nodes of older versions send bytes only.
func loadStates(to function.States, groups []uint32, v column.Vector) error {
	if bytes, ok := v.(*column.Str); ok {
		return to.Load(groups, bytes)
	}
	if p, ok := to.(function.Plain); ok {
		return p.LoadPlain(groups, v)
	}
	return sqlerr.New(sqlerr.CorruptedData, "A vector of %s holds no states", v.Type())
}

// mergeTables merges tables that were not split into one of them.
func mergeTables(ctx context.Context, tables []*aggTable) (groups, error) {
	into := tables[0]
	for _, t := range tables[1:] {
		if t.seen != nil && into.seen == nil || t.seen != nil && len(t.seen) > len(into.seen) {
			into = t
		}
	}
	for _, t := range tables {
		if t != into {
			if err := into.merge(ctx, t); err != nil {
				return groups{}, err
			}
			if err := into.held.set(into.bytes()); err != nil {
				return groups{}, err
			}
		}
	}
	g := groups{n: 1, seen: into.seen, enc: into.set.enc, index: into.index, states: into.states}
	switch {
	case into.seen != nil:
		g.n = len(into.seen)
	case into.index != nil:
		g.n = into.index.Len()
	}
	return g, nil
}

// merge takes the groups of another table, which has no more numbers if both are by number.
func (t *aggTable) merge(ctx context.Context, o *aggTable) error {
	switch {
	case t.set.keys == 0:
		return mergeStates(t.states, nil, o.states, nil)
	case o.seen != nil:
		return t.mergeNumbers(ctx, o)
	}
	n := o.index.Len()
	ids := make([]uint32, n)
	words := o.index.Words(0, n)
	if t.seen == nil {
		var err error
		if t.hashes, err = t.enc.InsertWords(t.index, words, t.hashes, ids); err != nil {
			return err
		}
		grow(t.states, t.index.Len())
		return mergeStates(t.states, ids, o.states, nil)
	}
	t.widen()
	for i, w := range words {
		ids[i] = uint32(w)
		t.seen[w] = 1
	}
	return mergeStates(t.states, ids, o.states, nil)
}

// mergeNumbers is merge of two tables by number: on all processors where states of different groups allow it.
func (t *aggTable) mergeNumbers(ctx context.Context, o *aggTable) error {
	step := max(len(o.seen), 1)
	if apart(t.states) {
		step = numbersAtOnce
	}
	return t.set.r.parallel(ctx, (len(o.seen)+step-1)/step, func(ctx context.Context, i int) error {
		from, to := i*step, min((i+1)*step, len(o.seen))
		sel := (&groups{seen: o.seen}).present(from, to)
		for k, at := range sel {
			sel[k] = at + uint32(from)
			t.seen[sel[k]] = 1
		}
		return mergeStates(t.states, sel, o.states, sel)
	})
}

// numbersAtOnce is how many numbers of states that are apart one worker merges or finishes at a time: a fraction of a millisecond's work.
const numbersAtOnce = 1 << 16

// apart reports whether several goroutines may work on states, each on those of other groups.
func apart(states []function.States) bool {
	for _, s := range states {
		if a, ok := s.(function.Apart); !ok || !a.Apart() {
			return false
		}
	}
	return true
}

// split cuts groups by number into units that several readers may finish at once, if they may.
func (g groups) split() []groups {
	if g.seen == nil || g.n <= numbersAtOnce || !apart(g.states) {
		return []groups{g}
	}
	var out []groups
	for from := 0; from < g.n; from += numbersAtOnce {
		u := g
		u.from, u.n = from, min(from+numbersAtOnce, g.n)
		out = append(out, u)
	}
	return out
}

// mergeStates adds groups sel of src, nil for all, to the groups ids.
func mergeStates(dst []function.States, ids []uint32, src []function.States, sel []uint32) error {
	for i, s := range dst {
		if err := s.Merge(ids, src[i], sel); err != nil {
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

func bytesOf(states []function.States) int64 {
	n := int64(0)
	for _, s := range states {
		n += s.Bytes()
	}
	return n
}

// account reserves the memory held. A table that holds too much moves to partitions, which can be written.
func (t *aggTable) account() error {
	r := t.set.r
	if t.buf == nil && t.set.keys > 0 && r.opts.Limits.RowsToGroupBy == 0 && t.set.spill.crowded(t.bytes(), r.opts.Threads) {
		if err := t.deal(); err != nil {
			return err
		}
	}
	return t.held.set(t.bytes())
}

func (t *aggTable) bytes() int64 {
	n := 4*int64(cap(t.ids)) + 8*int64(cap(t.hashes)) + int64(cap(t.seen)) + bytesOf(t.states)
	if t.index != nil {
		n += t.index.Bytes()
	}
	if t.buf != nil {
		n += t.buf.bytes()
	}
	if t.worker == 0 {
		n += t.set.enc.Bytes()
	}
	return n
}

// sized returns a slice of n elements of any content, s if it is large enough.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
