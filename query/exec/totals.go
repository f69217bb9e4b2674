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
	states []function.States // group 0 is the totals, group 1 takes the groups that do not pass
}

func (t *totals) init(a *Aggregate) {
	t.a, t.states = a, a.newStates()
	grow(t.states, 2)
}

// add takes finished groups, whose result is b, and returns the rows that pass HAVING.
func (t *totals) add(g groups, b *column.Block) (*column.Block, error) {
	into := make([]uint32, g.n)
	if h := t.a.Having; h != nil {
		v, err := h.Run1(b)
		if err != nil {
			return nil, err
		}
		mask := eval.Truth(v, b.N)
		for i, m := range mask {
			into[i] = uint32(m ^ 1)
		}
		b = gatherBlock(b, kernel.AppendSelected(nil, mask, 0))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, s := range t.states {
		if err := s.Merge(into, g.states[i], nil); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Totals implements Operator: the keys are at their defaults.
func (a *Aggregate) Totals() (*column.Block, error) {
	if !a.WithTotals || a.totals.states == nil {
		return nil, nil
	}
	g := groups{n: 1, states: a.totals.states, key: func(i, from, to int) column.Vector {
		return column.NewDefaults(a.Keys[i].Type, to-from)
	}}
	return a.block(g, 0, 1)
}
