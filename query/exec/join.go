package exec

import (
	"context"
	"slices"
	"sort"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/exec/grouping"
	"github.com/olapd/olapd/query/plan"
)

// JoinSpec says what a Join computes; see plan.Join.
type JoinSpec struct {
	Kind                plan.JoinKind
	Strictness          plan.Strictness
	LeftKeys, RightKeys *eval.Program // over their sides; equally many results
	KeyTypes            []*types.Type // of the keys as compared
	Cond                *eval.Program // over both sides; or nil
	AsofOp              string
	LeftWidth           int // columns of the left side
	Fields              column.Schema
	Used                []bool // of Fields, those that the reader or Cond uses: the others, such as most keys, are not made
	Text                string
}

// Join is a hash join: the right side is read into memory, the left side streams past it. Of an inner join it is the smaller side that
// is read into memory, as far as its size is known once the scans are planned.
type Join struct {
	base
	JoinSpec
	keyTypes []*types.Type // without Nullable and LowCardinality
}

// NewJoin returns a Join.
func NewJoin(left, right Operator, spec JoinSpec) *Join {
	j := &Join{base: base{inputs: []Operator{left, right}}, JoinSpec: spec}
	for _, t := range spec.KeyTypes {
		j.keyTypes = append(j.keyTypes, t.Inner())
	}
	return j
}

// Describe implements Operator.
func (j *Join) Describe() string { return "Hash" + j.Text }

// Totals implements Operator: a join has none.
func (j *Join) Totals() (*column.Block, error) { return nil, nil }

// builtWidth is the number of columns of the side in memory.
func (j *Join) builtWidth(swapped bool) int {
	if swapped {
		return j.LeftWidth
	}
	return len(j.Fields) - j.LeftWidth
}

// builtKeys computes the keys of the side in memory.
func (j *Join) builtKeys(swapped bool) *eval.Program {
	if swapped {
		return j.LeftKeys
	}
	return j.RightKeys
}

// firstOnly reports whether a left row's first partner is all that matters.
func (j *Join) firstOnly() bool {
	switch {
	case j.Cond != nil:
		return false // the first that satisfies it is
	case j.Kind == plan.Semi, j.Kind == plan.Anti:
		return true
	}
	return j.Strictness == plan.Any && (j.Kind == plan.Left || j.Kind == plan.Inner)
}

// allPairs reports whether the join yields every pair, and nothing else.
func (j *Join) allPairs() bool {
	return j.Kind == plan.Inner && j.Strictness != plan.Any || j.Kind == plan.Cross
}

// equalities is the number of key pairs that must be equal.
func (j *Join) equalities() int {
	if j.Strictness == plan.Asof {
		return len(j.keyTypes) - 1
	}
	return len(j.keyTypes)
}

// needsUsed reports whether it matters which right rows found a partner.
func (j *Join) needsUsed() bool {
	switch j.Kind {
	case plan.Right, plan.Full, plan.RightSemi, plan.RightAnti:
		return true
	case plan.Inner:
		return j.Strictness == plan.Any
	}
	return false
}

// keys computes key columns without NULLs, and which rows have one.
func (j *Join) keys(p *eval.Program, b *column.Block) ([]column.Vector, []uint8, error) {
	nulls := make([]uint8, b.N)
	if p == nil {
		return nil, nulls, nil
	}
	keys, err := p.Run(b)
	if err != nil {
		return nil, nil, err
	}
	for i, k := range keys {
		keys[i] = eval.StripNulls(k, nulls, j.keyTypes[i])
	}
	return keys, nulls, nil
}

func (j *Join) streams(r *run) ([]Stream, error) {
	bounded := r.opts.Limits.RowsInJoin > 0 || r.opts.Limits.BytesInJoin > 0 // of the right side
	swappable := j.Kind == plan.Inner && j.Strictness == plan.All && !bounded
	filters := j.filters(j.inputs[0], j.LeftKeys)
	var swappedFilters []*RuntimeFilter
	if swappable {
		swappedFilters = j.filters(j.inputs[1], j.RightKeys)
	}
	right, err := open(r, j.inputs[1])
	if err != nil {
		return nil, err
	}
	left, err := open(r, j.inputs[0])
	if err != nil {
		return nil, err
	}
	shared := &joining{once: newOnce(), j: j, r: r, right: right, filters: filters, probe: estimate(j.inputs[0])}
	if swappable && estimate(j.inputs[0])*swapFactor < estimate(j.inputs[1]) {
		shared.swapped, shared.right, left = true, left, right
		shared.filters, shared.probe = swappedFilters, estimate(j.inputs[1])
	}
	shared.first, shared.all = j.firstOnly(), j.allPairs()
	shared.active.Store(int64(len(left)))
	shared.left, shared.most = slices.Clone(left), r.opts.Limits.JoinSpill
	for i, s := range left {
		left[i] = &joinStream{g: shared, in: s}
	}
	return left, nil
}

// joining is one run of a Join, shared by its streams.
type joining struct {
	j     *Join
	r     *run
	right []Stream // the side in memory: of a swapped join the left one
	left  []Stream // the other
	// swapped: what is called left below is the right side, and the other way round.
	swapped    bool
	first, all bool // firstOnly and allPairs of j
	// filters tell the scans of the left side the keys in memory; nil for those of which they want none. probe is about how many rows it has.
	filters []*RuntimeFilter
	probe   int64
	once    once
	t       *joinTable
	err     error
	active  atomic.Int64 // streams still reading the left side
	// most is the bytes of memory from which the join goes on by parts, 0: never; depth is how often it has been parted.
	most  int64
	depth int
	grace *grace // nil: the right side is in memory
	held  []*reservation
}

// joinStream joins the left blocks of one worker.
type joinStream struct {
	g      *joining
	in     Stream
	finder *grouping.Finder

	left    *column.Block // the block being joined
	ids     []uint32      // key numbers of its rows; Missing without a partner
	row, at int           // the next pair: row of left, place among its candidates
	matched []uint8       // rows of left that found a partner
	asofKey column.Vector
	ended   bool
	rest    blocksOf  // right rows without a partner, at the very end
	part    *partJoin // being joined, of a join by parts
}

func (s *joinStream) stop() { stop(s.in) }

func (s *joinStream) Next(ctx context.Context) (*column.Block, error) {
	s.g.once.do(func() { s.g.t, s.g.err = s.g.build(ctx) })
	if s.g.err != nil {
		return nil, s.g.err
	}
	if s.g.grace != nil {
		return s.partNext(ctx)
	}
	for !s.ended {
		if s.left == nil {
			if err := s.advance(ctx); err != nil {
				return nil, err
			}
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := s.step()
		if err != nil || b != nil && b.N > 0 {
			return b, err
		}
	}
	return s.rest.next(), nil
}

// advance takes the next left block, or ends the left side.
func (s *joinStream) advance(ctx context.Context) error {
	b, err := s.in.Next(ctx)
	if err != nil {
		return err
	}
	if b == nil {
		s.ended = true
		if s.g.active.Add(-1) == 0 {
			s.rest = blocksOf{b: s.unmatchedRight(), size: s.g.r.opts.MaxBlockSize}
		}
		return nil
	}
	s.left, s.row, s.at, s.matched = b, 0, 0, make([]uint8, b.N)
	return s.lookup()
}

// lookup finds the key numbers of the left block's rows.
func (s *joinStream) lookup() error {
	j, t := s.g.j, s.g.t
	s.ids = make([]uint32, s.left.N)
	if t.table == nil {
		return nil
	}
	if len(t.order) == 0 {
		for i := range s.ids {
			s.ids[i] = grouping.Missing
		}
		return nil
	}
	keys, nulls, err := j.keys(j.builtKeys(!s.g.swapped), s.left)
	if err != nil {
		return err
	}
	eq := j.equalities()
	if j.Strictness == plan.Asof {
		s.asofKey = column.Flatten(keys[eq])
	}
	if eq > 0 {
		if s.finder == nil {
			s.finder = t.table.Finder()
		}
		if err := s.finder.Find(keys[:eq], s.ids); err != nil {
			return err
		}
	}
	for i, isNull := range nulls {
		if isNull != 0 {
			s.ids[i] = grouping.Missing
		}
	}
	return nil
}

// candidates are the right rows that agree in the keys with left row i; all is true if these are all
// rows, as a count.
func (s *joinStream) candidates(i int) (rows []uint32, all int) {
	t := s.g.t
	switch {
	case t.table == nil:
		return nil, t.rows.N
	case s.ids[i] == grouping.Missing:
		return nil, 0
	}
	rows = t.order[t.starts[s.ids[i]]:t.starts[s.ids[i]+1]]
	if s.g.j.Strictness == plan.Asof {
		return s.nearest(i, rows), 0
	}
	if s.g.first && len(rows) > 1 {
		rows = rows[:1]
	}
	return rows, 0
}

// nearest returns the one row that an ASOF join pairs with left row i: rows ascend by the inequality's column.
func (s *joinStream) nearest(i int, rows []uint32) []uint32 {
	cmp := func(k int) int { return column.Compare(s.g.t.asof, int(rows[k]), s.asofKey, i) }
	at := -1
	switch s.g.j.AsofOp {
	case "greaterOrEquals": // left ≥ right: the last not above
		at = sort.Search(len(rows), func(k int) bool { return cmp(k) > 0 }) - 1
	case "greater":
		at = sort.Search(len(rows), func(k int) bool { return cmp(k) >= 0 }) - 1
	case "lessOrEquals": // left ≤ right: the first not below
		at = sort.Search(len(rows), func(k int) bool { return cmp(k) >= 0 })
	default:
		at = sort.Search(len(rows), func(k int) bool { return cmp(k) > 0 })
	}
	if at < 0 || at >= len(rows) {
		return nil
	}
	return rows[at : at+1]
}

// step makes one block: the next pairs of the left block, or at its end the rows without a partner.
func (s *joinStream) step() (*column.Block, error) {
	if s.row >= s.left.N {
		b := s.unmatchedLeft()
		s.left = nil
		return b, nil
	}
	lrows, rrows := s.pairs()
	if cond := s.g.j.Cond; cond != nil && len(lrows) > 0 {
		b := s.pairBlock(lrows, rrows)
		v, err := cond.Run1(b)
		if err != nil {
			return nil, err
		}
		pass := kernel.AppendSelected(nil, eval.Truth(v, b.N), 0)
		if len(pass) == b.N && s.g.all {
			return s.g.j.conform(b), nil
		}
		lrows, rrows = at(lrows, pass), at(rrows, pass)
	}
	if !s.g.all {
		lrows, rrows = s.choose(lrows, rrows)
	}
	return s.g.j.conform(s.pairBlock(lrows, rrows)), nil
}

func at(rows, sel []uint32) []uint32 {
	out := make([]uint32, len(sel))
	kernel.Gather(out, rows, sel)
	return out
}

// pairs lists the next candidate pairs, about a block of them.
func (s *joinStream) pairs() (lrows, rrows []uint32) {
	limit := s.g.r.opts.MaxBlockSize
	guess := min(limit, s.left.N-s.row) // most often a row has a partner or none
	lrows, rrows = make([]uint32, 0, guess), make([]uint32, 0, guess)
	for s.row < s.left.N && len(lrows) < limit {
		rows, all := s.candidates(s.row)
		n := max(len(rows), all)
		for s.at < n && len(lrows) < limit {
			r := uint32(s.at)
			if rows != nil {
				r = rows[s.at]
			}
			lrows, rrows = append(lrows, uint32(s.row)), append(rrows, r)
			s.at++
		}
		if s.at >= n {
			s.row, s.at = s.row+1, 0
		}
	}
	return lrows, rrows
}

// choose notes who found a partner and returns the pairs that the join yields.
func (s *joinStream) choose(lrows, rrows []uint32) (l, r []uint32) {
	j, used := s.g.j, s.g.t.used
	for i, lr := range lrows {
		rr := rrows[i]
		first := s.matched[lr] == 0
		fresh := true // the right row's first partner
		take := true
		switch {
		case j.Kind == plan.Anti || j.Kind == plan.RightAnti:
			take = false
		case j.Kind == plan.Semi, j.Kind == plan.Left && j.Strictness == plan.Any:
			take = first
		case j.Kind == plan.Inner && j.Strictness == plan.Any:
			take = first
		}
		if used != nil && (take || j.Kind == plan.RightAnti) {
			fresh = used[rr].CompareAndSwap(0, 1)
		}
		switch {
		case j.Kind == plan.RightSemi, j.Strictness == plan.Any && (j.Kind == plan.Right || j.Kind == plan.Inner):
			take = take && fresh
		}
		s.matched[lr] = 1
		if take {
			l, r = append(l, lr), append(r, rr)
		}
	}
	return l, r
}

func (s *joinStream) pairBlock(lrows, rrows []uint32) *column.Block {
	left, right := s.left, s.g.t.rows
	if s.g.swapped {
		left, right, lrows, rrows = right, left, rrows, lrows
	}
	j := s.g.j
	cols := append(gatherUsed(left.Cols, lrows, j.Used[:j.LeftWidth]), gatherUsed(right.Cols, rrows, j.Used[j.LeftWidth:])...)
	return &column.Block{Cols: cols, N: len(lrows)}
}

// gatherUsed gathers the values at rows of the columns that are used.
func gatherUsed(cols []column.Vector, rows []uint32, used []bool) []column.Vector {
	out := make([]column.Vector, len(cols))
	for i, v := range cols {
		if used[i] && v != nil {
			out[i] = column.Gather(v, rows)
		}
	}
	return out
}

// unmatchedLeft returns the left rows without a partner, where the kind keeps them.
func (s *joinStream) unmatchedLeft() *column.Block {
	j := s.g.j
	if j.Kind != plan.Left && j.Kind != plan.Full && j.Kind != plan.Anti {
		return nil
	}
	var sel []uint32
	for i, m := range s.matched {
		if m == 0 {
			sel = append(sel, uint32(i))
		}
	}
	b := gatherBlock(s.left, sel)
	for _, f := range j.Fields[j.LeftWidth:] {
		b.Cols = append(b.Cols, column.NewDefaults(f.Type, b.N))
	}
	return j.conform(b)
}

// unmatchedRight returns the right rows without a partner, where the kind keeps them.
func (s *joinStream) unmatchedRight() *column.Block {
	j, t := s.g.j, s.g.t
	if j.Kind != plan.Right && j.Kind != plan.Full && j.Kind != plan.RightAnti {
		return nil
	}
	var sel []uint32
	for i := range t.used {
		if t.used[i].Load() == 0 {
			sel = append(sel, uint32(i))
		}
	}
	if len(sel) == 0 {
		return nil
	}
	b := &column.Block{N: len(sel)}
	for _, f := range j.Fields[:j.LeftWidth] {
		b.Cols = append(b.Cols, column.NewDefaults(f.Type, b.N))
	}
	b.Cols = append(b.Cols, gatherBlock(t.rows, sel).Cols...)
	return j.conform(b)
}

// conform makes columns Nullable where the join's schema says so (join_use_nulls).
func (j *Join) conform(b *column.Block) *column.Block {
	for i, f := range j.Fields {
		if v := b.Cols[i]; v != nil && f.Type.IsNullable() && v.Type().Kind != types.Nullable {
			b.Cols[i] = column.NewNullable(make([]uint8, b.N), flatInner(v))
		}
	}
	return b
}

// flatInner returns v in a form allowed inside Nullable.
func flatInner(v column.Vector) column.Vector {
	if _, ok := v.(*column.Dict); ok {
		return v
	}
	return column.Flatten(v)
}
