package format

import (
	"fmt"

	"github.com/olapd/olapd/internal/column"
)

// vector assembles the column that was read into the runs of its leaves. Its slots are the entries of a leaf whose repetition
// level is at most rep and whose definition level is at least def: the rows, or the elements of the group around it.
func (n *parquetNode) vector(rep, def byte) (column.Vector, error) {
	if n.leaf != nil {
		return n.leaf.vector()
	}
	if n.def == 0 {
		return n.tuple(rep, def)
	}
	off, err := n.offsets(rep, def)
	if err != nil {
		return nil, err
	}
	kids := make([]column.Vector, len(n.kids))
	for i, k := range n.kids {
		if kids[i], err = k.vector(n.rep, n.def); err != nil {
			return nil, err
		}
		if kids[i] = column.Flatten(kids[i]); kids[i].Len() != int(off[len(off)-1]) {
			return nil, fmt.Errorf("fields of one group have %d and %d elements", kids[i].Len(), off[len(off)-1])
		}
	}
	if len(kids) == 1 {
		return &column.Array{Typ: n.typ, Off: off, Elem: kids[0]}, nil
	}
	return &column.Map{Typ: n.typ, Off: off, Keys: kids[0], Vals: kids[1]}, nil
}

func (n *parquetNode) tuple(rep, def byte) (column.Vector, error) {
	out := &column.Tuple{Typ: n.typ}
	for i, k := range n.kids {
		v, err := k.vector(rep, def)
		if err != nil {
			return nil, err
		}
		if i > 0 && v.Len() != out.N {
			return nil, fmt.Errorf("fields of one group have %d and %d values", out.N, v.Len())
		}
		out.N, out.Elems = v.Len(), append(out.Elems, column.Flatten(v))
	}
	return out, nil
}

// offsets are those of the group's elements in its slots.
func (n *parquetNode) offsets(rep, def byte) ([]uint32, error) {
	r := &n.first().run
	if len(r.reps) != len(r.defs) {
		return nil, fmt.Errorf("%d repetition and %d definition levels", len(r.reps), len(r.defs))
	}
	off := make([]uint32, 0, len(r.defs)+1)
	elements := uint32(0)
	for i, d := range r.defs {
		if r.reps[i] <= rep && d >= def {
			off = append(off, elements)
		}
		if r.reps[i] <= n.rep && d >= n.def {
			elements++
		}
	}
	return append(off, elements), nil
}
