package exec

import (
	"context"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
)

// Compare is a predicate that compares a column with a constant of its type, as Value 0 of a vector.
type Compare struct {
	Column int
	Op     kernel.Op
	Value  column.Vector
}

// rarely is the part of the rows, as one over it, below which those that pass a comparison are so few that the column is read again
// for them: hardly two a page, most of which need not be decoded for that.
const rarely = 32_768

// compare fills the view's spare mask where p is a comparison that needs no expression to be computed. Where nothing else reads the
// column it is not kept either.
func (w *scanStream) compare(ctx context.Context, k int, p *Predicate, needed bool) ([]uint8, error) {
	c, v := p.Compare, w.view
	if c == nil {
		return nil, nil
	}
	if v.block.Cols[c.Column] == nil && v.sel == nil && (!needed || w.s.order.passes(k) < 1.0/rarely) && !v.measured(c.Column) {
		if m, ok := v.m.(Matcher); ok {
			mask := v.spare()
			done, err := m.Match(ctx, c.Column, c.Op, c.Value, mask)
			if err != nil {
				return nil, err
			}
			if done {
				return mask, nil
			}
		}
	}
	if err := v.load(ctx, []int{c.Column}); err != nil {
		return nil, err
	}
	if d, ok := v.block.Cols[c.Column].(*column.Dict); ok {
		return w.compareCodes(ctx, k, c, d)
	}
	mask := v.spare()
	if !compareVector(mask, c.Op, v.block.Cols[c.Column], c.Value) {
		return nil, nil
	}
	return mask, nil
}

// foundCode is what a string is in one dictionary.
type foundCode struct {
	values column.Vector // the dictionary's
	code   uint32
	ok     bool // false: it cannot be looked up
}

// compareCodes is compare for equality of strings in a dictionary, where their storage can tell the code of one.
func (w *scanStream) compareCodes(ctx context.Context, k int, c *Compare, d *column.Dict) ([]uint8, error) {
	coder, ok := w.view.m.(Coder)
	if !ok || c.Op != kernel.Eq && c.Op != kernel.Ne {
		return nil, nil
	}
	if w.codes == nil {
		w.codes = make([]foundCode, len(w.s.Preds))
	}
	f := &w.codes[k]
	if f.values != d.Values {
		var err error
		f.values = d.Values
		if f.code, f.ok, err = coder.Code(ctx, c.Column, c.Value); err != nil {
			f.values = nil
			return nil, err
		}
	}
	if !f.ok {
		return nil, nil
	}
	mask := w.view.spare()
	kernel.CompareConst(mask, c.Op, d.Codes, f.code)
	return mask, nil
}

// compareVector fills mask for flat vectors of numbers; false for others.
func compareVector(mask []uint8, op kernel.Op, v, x column.Vector) bool {
	switch v := v.(type) {
	case *column.Num[uint8]:
		return compareNum(mask, op, v, x)
	case *column.Num[int8]:
		return compareNum(mask, op, v, x)
	case *column.Num[uint16]:
		return compareNum(mask, op, v, x)
	case *column.Num[int16]:
		return compareNum(mask, op, v, x)
	case *column.Num[uint32]:
		return compareNum(mask, op, v, x)
	case *column.Num[int32]:
		return compareNum(mask, op, v, x)
	case *column.Num[uint64]:
		return compareNum(mask, op, v, x)
	case *column.Num[int64]:
		return compareNum(mask, op, v, x)
	case *column.Num[float32]:
		return compareNum(mask, op, v, x)
	case *column.Num[float64]:
		return compareNum(mask, op, v, x)
	}
	return false
}

func compareNum[T interface {
	kernel.Number
	column.Elem
}](mask []uint8, op kernel.Op, v *column.Num[T], x column.Vector) bool {
	k, ok := x.(*column.Num[T])
	if ok {
		kernel.CompareConst(mask, op, v.Data, k.Data[0])
	}
	return ok
}
