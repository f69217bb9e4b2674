package exec

import (
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/query/exec/eval"
)

// totals collects the row of WITH TOTALS: the states of all groups that pass HAVING, merged
// (ClickHouse's totals_mode = 'after_having_exclusive').
type totals struct {
	mu     sync.Mutex
	a      *Aggregate
	states []function.States // of one group
}

func (t *totals) init(a *Aggregate) {
	t.a = a
	for _, c := range a.Calls {
		t.states = append(t.states, c.Fn.New())
	}
	grow(t.states, 1)
}

// add takes the finished groups [from, to) of a grouping set, whose result is b, and returns the rows that pass HAVING. Every row is in a group of each
// set, so those of the first are all.
func (t *totals) add(g groups, set, from, to int, b *column.Block) (*column.Block, error) {
	sel := g.present(from, to)
	if sel == nil {
		sel = make([]uint32, to-from)
		for i := range sel {
			sel[i] = uint32(i)
		}
	}
	if h := t.a.Having; h != nil {
		v, err := h.Run1(b)
		if err != nil {
			return nil, err
		}
		pass := kernel.AppendSelected(nil, eval.Truth(v, b.N), 0)
		b = gatherBlock(b, pass)
		for i, p := range pass {
			pass[i] = sel[p]
		}
		sel = pass
	}
	if set > 0 {
		return b, nil
	}
	for i := range sel {
		sel[i] += uint32(from)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return b, mergeStates(t.states, nil, g.states, sel)
}

// Totals implements Operator: the keys are at their defaults.
func (a *Aggregate) Totals() (*column.Block, error) {
	if !a.WithTotals || a.totals.a == nil {
		return nil, nil
	}
	out := &column.Block{N: 1}
	for _, k := range a.Keys {
		out.Cols = append(out.Cols, column.NewDefaults(k.Type, 1))
	}
	for i, c := range a.Calls {
		v, err := a.finish(c, a.totals.states[i], 0, 1)
		if err != nil {
			return nil, err
		}
		out.Cols = append(out.Cols, v)
	}
	return a.numbered(out, len(a.Sets)-1), nil
}
