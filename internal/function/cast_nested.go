package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// nested converts arrays, tuples and maps element by element.
func (k *caster) nested(v column.Vector, from, to *types.Type) (column.Vector, error) {
	in := caster{env: k.env, mode: k.mode}
	switch {
	case from.Kind == types.Array && to.Kind == types.Array:
		a := v.(*column.Array)
		elem, off := a.Elem, a.Off
		if first, last := off[0], off[len(off)-1]; first != 0 || int(last) != elem.Len() {
			elem, off = elem.Slice(int(first), int(last)), rebase(off)
		}
		e, err := in.cast(elem, to.Elem())
		if err != nil {
			return nil, err
		}
		return &column.Array{Typ: to, Off: off, Elem: column.Flatten(e)}, nil
	case from.Kind == types.Tuple && to.Kind == types.Tuple && len(from.Elems) == len(to.Elems):
		t := v.(*column.Tuple)
		out := &column.Tuple{Typ: to, N: t.N}
		for i, e := range t.Elems {
			r, err := in.cast(e, to.Elems[i])
			if err != nil {
				return nil, err
			}
			out.Elems = append(out.Elems, column.Flatten(r))
		}
		return out, nil
	case from.Kind == types.Map && to.Kind == types.Map:
		m := v.(*column.Map)
		return in.mapOf(m.Keys, m.Vals, m.Off, to)
	case to.Kind == types.Map:
		if keys, vals, off := pairsOf(v, from); keys != nil {
			return in.mapOf(keys, vals, off, to)
		}
	case from.Kind == types.Map && to.Kind == types.Array && to.Elem().Kind == types.Tuple:
		return in.nested(mapPairs(v.(*column.Map)), types.NewArray(types.NewTuple(from.Elems, nil)), to)
	}
	if to.Kind == types.Array || to.Kind == types.Tuple || to.Kind == types.Map {
		return nil, sqlerr.New(sqlerr.TypeMismatch, "Cannot convert %s to %s", from, to)
	}
	return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of argument: it cannot be converted to %s", from, to)
}

func rebase(off []uint32) []uint32 {
	out := make([]uint32, len(off))
	for i, o := range off {
		out[i] = o - off[0]
	}
	return out
}

func (k *caster) mapOf(keys, vals column.Vector, off []uint32, to *types.Type) (column.Vector, error) {
	from, end := int(off[0]), int(off[len(off)-1])
	nk, err := k.cast(keys.Slice(from, end), to.Elems[0])
	if err != nil {
		return nil, err
	}
	nv, err := k.cast(vals.Slice(from, end), to.Elems[1])
	if err != nil {
		return nil, err
	}
	return &column.Map{Typ: to, Off: rebase(off), Keys: column.Flatten(nk), Vals: column.Flatten(nv)}, nil
}

// pairsOf takes Tuple(Array, Array) and Array(Tuple(k, v)) apart; nil if v is neither or the arrays differ in length.
func pairsOf(v column.Vector, from *types.Type) (keys, vals column.Vector, off []uint32) {
	switch {
	case from.Kind == types.Tuple && len(from.Elems) == 2 && isArray(from.Elems[0]) && isArray(from.Elems[1]):
		t := v.(*column.Tuple)
		a, b := t.Elems[0].(*column.Array), t.Elems[1].(*column.Array)
		ao, bo := rebase(a.Off), rebase(b.Off)
		for i := range ao {
			if ao[i] != bo[i] {
				return nil, nil, nil
			}
		}
		return a.Elem.Slice(int(a.Off[0]), a.Elem.Len()), b.Elem.Slice(int(b.Off[0]), b.Elem.Len()), ao
	case isArray(from) && from.Elem().Kind == types.Tuple && len(from.Elem().Elems) == 2:
		a := v.(*column.Array)
		t := column.Flatten(a.Elem).(*column.Tuple)
		return t.Elems[0], t.Elems[1], a.Off
	}
	return nil, nil, nil
}

// mapPairs is a map as an array of tuples.
func mapPairs(m *column.Map) *column.Array {
	elems := m.Typ.Elems
	t := types.NewTuple(elems, nil)
	return &column.Array{Typ: types.NewArray(t), Off: m.Off, Elem: &column.Tuple{Typ: t, Elems: []column.Vector{m.Keys, m.Vals}, N: m.Keys.Len()}}
}
