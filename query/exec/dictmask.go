package exec

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/exec/eval"
)

const (
	// smallDict is the entries of a dictionary that is evaluated as a whole whatever it costs: a few milliseconds' work.
	smallDict = 32_768
	// cheapPerRow is what reading and testing a row costs at least, in tenths of a nanosecond.
	cheapPerRow = 5
)

// entries returns which entries pass p, exact at least for those the rows at hand use, or nil if rows had better be evaluated one by one.
func (w *scanStream) entries(p *Predicate, col int, c codedRows) (entries []uint8, sunk int64, err error) {
	start := w.r.opts.Clock.Now()
	mask, known, err := p.Program.Mask(w.view.block.Cols[col], col, w.wholePays(p, c.dict.Values.Len(), c))
	if err != nil || known {
		return mask, int64(w.r.opts.Clock.Since(start)), err
	}
	return w.lazyEntries(p, col, c)
}

// wholePays reports whether evaluating all n entries costs less than evaluating those that rows will use, or next to nothing beside the scan. How many
// rows are still to come is guessed from those left of this morsel; under a Sort's bound few are, so that entries are evaluated as they
// come up, until that has cost half of what all would.
func (w *scanStream) wholePays(p *Predicate, n int, c codedRows) bool {
	rows := w.view.block.N
	if n <= smallDict || n <= rows || int64(n)*int64(p.Cost) <= cheapPerRow*w.s.planned.Rows {
		return true
	}
	if w.top != nil || w.s.Limit > 0 {
		l := w.lazy[p]
		return l != nil && l.values == c.dict.Values && l.evaluated > n/2
	}
	share := float64(rows) / float64(max(w.view.m.Rows(), 1))
	return share*float64(w.s.planned.Rows)/float64(max(w.s.planned.Segments, 1)) > float64(n)/2
}

// evaluate computes a predicate over values of its only column.
func evaluate(p *Predicate, col, width int, values column.Vector) ([]uint8, error) {
	b := &column.Block{Cols: make([]column.Vector, width), N: values.Len()}
	b.Cols[col] = values
	v, err := p.Program.Run1(b)
	if err != nil {
		return nil, err
	}
	return eval.Truth(v, b.N), nil
}

// lazyMask is the entries of a large dictionary that one worker has evaluated so far.
type lazyMask struct {
	values    column.Vector
	mask      []uint8
	known     []bool
	evaluated int
}

// lazyEntries evaluates the entries that the rows at hand use and that are not known yet.
func (w *scanStream) lazyEntries(p *Predicate, col int, c codedRows) ([]uint8, int64, error) {
	n := c.dict.Values.Len()
	l := w.lazy[p]
	if l == nil || l.values != c.dict.Values {
		l = &lazyMask{values: c.dict.Values, mask: make([]uint8, n+1), known: make([]bool, n+1)}
		if w.lazy == nil {
			w.lazy = map[*Predicate]*lazyMask{}
		}
		w.lazy[p] = l
	}
	var fresh []uint32
	for _, code := range c.dict.Codes {
		if !l.known[code] {
			l.known[code] = true
			fresh = append(fresh, code)
		}
	}
	if len(fresh) == 0 && (c.nulls == nil || l.known[n]) {
		return l.mask, 0, nil
	}
	at := codedRows{dict: &column.Dict{Values: column.Gather(c.dict.Values, fresh)}, nulls: c.nulls}
	mask, err := evaluate(p, col, len(w.view.block.Cols), at.values())
	if err != nil {
		delete(w.lazy, p) // the rows one by one tell whether it is a row that fails
		return nil, 0, nil
	}
	for i, code := range fresh {
		l.mask[code] = mask[i]
	}
	if c.nulls != nil {
		l.mask[n], l.known[n] = mask[len(fresh)], true
	}
	l.evaluated += len(fresh)
	return l.mask, 0, nil
}
