package exec

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
)

// fewOf is which part of the groups at hand may be left for finishing them one by one to pay.
const fewOf = 16

// topBlock returns the rows of groups [from, to) that may be among the first: the column that decides is finished
// first, the others and the keys only of groups within the bound.
func (s *aggStream) topBlock(from, to int) (*column.Block, error) {
	a, g := s.g.a, s.cur
	order, err := s.orderColumn(from, to)
	if err != nil {
		return nil, err
	}
	there := g.present(from, to)
	if there != nil {
		order = column.Gather(order, there)
	}
	sel := s.within(order)
	if len(sel)*fewOf > to-from {
		b, err := a.block(g, from, to)
		if err != nil {
			return nil, err
		}
		return gatherBlock(b, sel), nil
	}
	if there != nil {
		for i, at := range sel {
			sel[i] = there[at]
		}
	}
	return a.some(g, from, sel)
}

// orderColumn returns the result's column that the bound is of.
func (s *aggStream) orderColumn(from, to int) (column.Vector, error) {
	a, g := s.g.a, s.cur
	at := a.top.Column
	if at < len(a.Keys) {
		return g.enc.Decode(at, g.words(from, to)), nil
	}
	at -= len(a.Keys)
	return a.finish(a.Calls[at], g.states[at], from, to)
}

// within returns the positions of the values that may be among the first, and tightens the bound.
func (s *aggStream) within(v column.Vector) []uint32 {
	n := v.Len()
	worst := s.top.t.worst.Load()
	if worst == nil {
		return kernel.AppendSelected(make([]uint32, 0, n), s.top.lower(v), 0)
	}
	mask := s.top.within(v, worst)
	sel := kernel.AppendSelected(make([]uint32, 0, kernel.Count(mask)), mask, 0)
	s.top.t.passed.Add(int64(n - len(sel)))
	if len(sel) == 0 {
		return sel
	}
	kept := kernel.AppendSelected(nil, s.top.lower(column.Gather(v, sel)), 0)
	for i, k := range kept {
		kept[i] = sel[k]
	}
	return kept
}

// some returns the result rows of the groups at positions sel from from on.
func (a *Aggregate) some(g groups, from int, sel []uint32) (*column.Block, error) {
	out := &column.Block{Cols: make([]column.Vector, 0, len(a.Keys)+len(a.Calls)), N: len(sel)}
	if len(sel) == 0 {
		return out, nil
	}
	var words []uint64
	for _, at := range sel {
		words = append(words, g.words(from+int(at), from+int(at)+1)...)
	}
	for i := range a.Keys {
		out.Cols = append(out.Cols, g.enc.Decode(i, words))
	}
	for i, c := range a.Calls {
		one := make([]column.Vector, len(sel))
		for k, at := range sel {
			var err error
			if one[k], err = a.finish(c, g.states[i], from+int(at), from+int(at)+1); err != nil {
				return nil, err
			}
		}
		out.Cols = append(out.Cols, column.Concat(one...))
	}
	return out, nil
}
