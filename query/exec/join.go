package exec

import (
	"context"
	"slices"
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
	finder *keyFinder

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
	s.left, s.row, s.at = b, 0, 0
	if !s.g.all {
		s.matched = sized(s.matched, b.N)
		clear(s.matched)
	}
	return s.lookup()
}

// lookup finds the key numbers of the left block's rows.
func (s *joinStream) lookup() error {
	j, t := s.g.j, s.g.t
	s.ids = sized(s.ids, s.left.N)
	if t.keys == nil {
		return nil
	}
	if t.keyed == 0 {
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
	if s.finder == nil {
		s.finder = t.keys.finder()
	}
	if err := s.finder.find(keys[:eq], s.ids); err != nil {
		return err
	}
	for i, isNull := range nulls {
		if isNull != 0 {
			s.ids[i] = grouping.Missing
		}
	}
	return nil
}

// step makes one block: the next pairs of the left block, or at its end the rows without a partner.
func (s *joinStream) step() (*column.Block, error) {
	if s.row >= s.left.N {
		b := s.unmatchedLeft()
		s.left = nil
		return b, nil
	}
	p := s.pairs()
	if cond := s.g.j.Cond; cond != nil && len(p.right) > 0 {
		b := s.pairBlock(p)
		v, err := cond.Run1(b)
		if err != nil {
			return nil, err
		}
		pass := kernel.AppendSelected(nil, eval.Truth(v, b.N), 0)
		if len(pass) == b.N && s.g.all {
			return s.g.j.conform(b), nil
		}
		p = p.at(pass)
	}
	if !s.g.all {
		p = s.choose(p)
	}
	return s.g.j.conform(s.pairBlock(p)), nil
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
