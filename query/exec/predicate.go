package exec

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/exec/eval"
)

// Predicate is one conjunct of a scan's filter.
type Predicate struct {
	Program *eval.Program
	Text    string
	// Compare is the same where it is a comparison with a constant; else nil.
	Compare *Compare
	// Safe says that it fails for no row: it may be evaluated before others and for rows that they exclude.
	Safe bool
	// Cost estimates what a row costs, in tenths of a nanosecond, and Pass which part of the rows passes: the order until it is measured.
	Cost int
	Pass float64
}

// costlyPredicate is the Cost from which a predicate is evaluated only for the rows left, whatever cutting the block down to them costs.
const costlyPredicate = 64

// mask returns which of the view's rows pass p, and how much of the time was spent on entries of a dictionary, once for the whole scan.
func (w *scanStream) mask(p *Predicate) (mask []uint8, sunk int64, err error) {
	b := w.view.block
	cols := p.Program.Columns()
	if len(cols) == 1 && !p.Program.Volatile() {
		if c, ok := codedColumn(b.Cols[cols[0]]); ok {
			entries, spent, err := w.entries(p, cols[0], c)
			if err != nil {
				return nil, 0, err
			}
			if entries != nil {
				return c.lookup(w.view.spare(), entries), spent, nil
			}
		}
	}
	v, err := p.Program.Run1(b)
	if err != nil {
		return nil, 0, err
	}
	return eval.Truth(v, b.N), 0, nil
}

// codedRows is a dictionary-coded column, with NULLs or without.
type codedRows struct {
	dict  *column.Dict
	nulls []uint8 // nil: the column is not Nullable
}

func codedColumn(v column.Vector) (codedRows, bool) {
	switch v := v.(type) {
	case *column.Dict:
		return codedRows{dict: v}, true
	case *column.Nullable:
		if d, ok := v.Inner.(*column.Dict); ok {
			return codedRows{dict: d, nulls: v.Nulls}, true
		}
	}
	return codedRows{}, false
}

// values returns the entries of the dictionary as values of the column, and behind them, if it is Nullable, NULL.
func (c codedRows) values() column.Vector {
	v := c.dict.Values
	if c.nulls == nil {
		return v
	}
	n := v.Len()
	b := column.New(v.Type(), n+1)
	b.AppendRange(v, 0, n)
	b.AppendDefault()
	nulls := make([]uint8, n+1)
	nulls[n] = 1
	return column.NewNullable(nulls, b)
}

// lookup fills the mask of the rows, given which entries pass and behind them whether NULL does.
func (c codedRows) lookup(out, entries []uint8) []uint8 {
	for i, code := range c.dict.Codes {
		out[i] = entries[code]
	}
	if c.nulls != nil {
		null := entries[len(entries)-1]
		for i, isNull := range c.nulls {
			if isNull != 0 {
				out[i] = null
			}
		}
	}
	return out
}
