package exec

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
)

// verdict is what bounds tell of a comparison and some rows.
type verdict uint8

const (
	unsure verdict = iota
	always         // it holds for all
	never          // it holds for none
)

// decide returns what bounds of the morsel's values tell of a comparison, without reading them.
func (c *Compare) decide(m Morsel) (verdict, error) {
	bm, ok := m.(Bounded)
	if !ok {
		return unsure, nil
	}
	b, err := bm.Bounds(c.Column)
	if err != nil || b == nil || len(b.Ends) == 0 || b.Mins.Type().Phys() != c.Value.Type().Phys() {
		return unsure, err
	}
	all := c.run(b, 0)
	for i := 1; i < len(b.Ends) && all != unsure; i++ {
		if c.run(b, i) != all {
			all = unsure
		}
	}
	return all, nil
}

// run decides for run i of bounds.
func (c *Compare) run(b *Bounds, i int) verdict {
	if b.Special[i] || b.Empty[i] {
		return unsure
	}
	lo, hi := column.Compare(b.Mins, i, c.Value, 0), column.Compare(b.Maxs, i, c.Value, 0)
	switch c.Op {
	case kernel.Eq:
		return decided(lo == 0 && hi == 0, lo > 0 || hi < 0)
	case kernel.Ne:
		return decided(lo > 0 || hi < 0, lo == 0 && hi == 0)
	case kernel.Lt:
		return decided(hi < 0, lo >= 0)
	case kernel.Le:
		return decided(hi <= 0, lo > 0)
	case kernel.Gt:
		return decided(lo > 0, hi <= 0)
	}
	return decided(lo >= 0, hi < 0)
}

func decided(holds, fails bool) verdict {
	switch {
	case holds:
		return always
	case fails:
		return never
	}
	return unsure
}
