package exec

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// ArrayJoin repeats each row once per element of arrays of one length, which it replaces by their elements.
type ArrayJoin struct {
	base
	cols   []int
	left   bool
	schema column.Schema
}

// NewArrayJoin returns an ArrayJoin of the arrays or maps at cols; left keeps rows with empty ones.
func NewArrayJoin(in Operator, cols []int, left bool, schema column.Schema) *ArrayJoin {
	return &ArrayJoin{base: base{inputs: []Operator{in}}, cols: cols, left: left, schema: schema}
}

// Describe implements Operator.
func (a *ArrayJoin) Describe() string {
	if a.left {
		return "LeftArrayJoin " + columnNames(a.schema, a.cols)
	}
	return "ArrayJoin " + columnNames(a.schema, a.cols)
}

func (a *ArrayJoin) streams(r *run) ([]Stream, error) {
	in, err := open(r, a.inputs[0])
	if err != nil {
		return nil, err
	}
	for i, s := range in {
		in[i] = &splitting{in: &mapped{in: s, f: a.explode}, size: r.opts.MaxBlockSize}
	}
	return in, nil
}

// explode computes the rows of one block.
func (a *ArrayJoin) explode(b *column.Block) (*column.Block, error) {
	arrays := make([]*column.Array, len(a.cols))
	for i, c := range a.cols {
		v, ok := asArray(column.Flatten(b.Cols[c]))
		if !ok {
			return nil, sqlerr.New(sqlerr.TypeMismatch, "ARRAY JOIN requires array argument, got %s", b.Cols[c].Type())
		}
		if arrays[i] = v; i > 0 && !sameSizes(arrays[0].Off, v.Off) {
			return nil, sqlerr.New(sqlerr.SizesOfArraysDontMatch, "Sizes of ARRAY-JOIN-ed arrays do not match")
		}
	}
	rows, empty := a.rows(arrays[0].Off, b.N)
	out := &column.Block{Cols: make([]column.Vector, len(b.Cols)), N: len(rows)}
	for i, c := range b.Cols {
		if c != nil && !slices.Contains(a.cols, i) {
			out.Cols[i] = repeated(c, rows)
		}
	}
	for i, c := range a.cols {
		out.Cols[c] = elements(arrays[i], b.N, empty)
	}
	return out, nil
}

// fewCopies is how often each row comes on average from which strings are not copied.
const fewCopies = 2

// repeated returns the value of each of rows: strings that come several times each as a dictionary, whose entries are the input's.
func repeated(v column.Vector, rows []uint32) column.Vector {
	if s, ok := v.(*column.Str); ok && len(rows) >= fewCopies*s.Len() {
		return &column.Dict{Values: s, Codes: rows}
	}
	return column.Gather(v, rows)
}

// rows returns the input row of each output row; empty says that some come from empty arrays.
func (a *ArrayJoin) rows(off []uint32, n int) (rows []uint32, empty bool) {
	rows = make([]uint32, 0, off[n]-off[0])
	for i := range n {
		size := off[i+1] - off[i]
		if size == 0 && a.left {
			size, empty = 1, true
		}
		for range size {
			rows = append(rows, uint32(i))
		}
	}
	return rows, empty
}

// elements returns the elements of all arrays, with a default for each empty one if there are any to keep.
func elements(v *column.Array, n int, empty bool) column.Vector {
	if !empty {
		return v.Elem.Slice(int(v.Off[0]), int(v.Off[n]))
	}
	b := column.New(v.Elem.Type(), n)
	for i := range n {
		if v.Off[i] == v.Off[i+1] {
			b.AppendDefault()
		} else {
			b.AppendRange(v.Elem, int(v.Off[i]), int(v.Off[i+1]))
		}
	}
	return b
}

// asArray views a map as an array of its pairs.
func asArray(v column.Vector) (*column.Array, bool) {
	switch v := v.(type) {
	case *column.Array:
		return v, true
	case *column.Map:
		t := types.NewTuple(v.Typ.Elems, []string{"keys", "values"})
		pairs := &column.Tuple{Typ: t, Elems: []column.Vector{v.Keys, v.Vals}, N: v.Keys.Len()}
		return &column.Array{Typ: types.NewArray(t), Off: v.Off, Elem: pairs}, true
	}
	return nil, false
}

func sameSizes(a, b []uint32) bool {
	for i := 1; i < len(a); i++ {
		if a[i]-a[i-1] != b[i]-b[i-1] {
			return false
		}
	}
	return true
}
