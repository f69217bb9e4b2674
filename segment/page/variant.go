package page

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// maxDynamicDepth bounds Dynamics within values of Dynamic, far above what parsers of values let through.
const maxDynamicDepth = 1024

// appendVariant appends a vector whose alternatives hold just the values of the rows.
func appendVariant(dst []byte, v *column.Variant) ([]byte, error) {
	if v.Typ.Kind == types.Dynamic {
		dst = AppendU32(dst, uint32(len(v.Alts)))
		for _, a := range v.Alts {
			name := a.Type().String()
			dst = append(AppendU32(dst, uint32(len(name))), name...)
		}
	}
	which := make([]uint32, v.Len())
	for i, k := range v.Which {
		which[i] = min(k, uint32(len(v.Alts)))
	}
	dst = AppendSizedInts(dst, which)
	for _, a := range v.Alts {
		var err error
		if dst, err = appendSizedVector(dst, a); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// variant decodes values [from, to): of each alternative those that lie in the rows.
func variant(t *types.Type, in *input, n, from, to, depth int) (column.Vector, error) {
	if depth >= maxDynamicDepth {
		return nil, corrupt("values of Dynamic nested deeper than %d", maxDynamicDepth)
	}
	alts := t.Elems
	if t.Kind == types.Dynamic {
		alts = alternatives(in)
	}
	stream := in.sized()
	if in.err != nil {
		return nil, in.err
	}
	which := kernel.Dirty[uint32](n)
	if err := Ints(which, stream, n, 0); err != nil {
		return nil, err
	}
	if err := CheckCodes(which, len(alts)+1); err != nil {
		return nil, err
	}
	if v, err := onlyVariant(t, in, which, alts, from, to, depth); v != nil || err != nil {
		kernel.Recycle(which)
		return v, err
	}
	starts, counts := make([]int, len(alts)), make([]int, len(alts)+1)
	v := &column.Variant{Typ: t, Which: make([]uint32, to-from), At: make([]uint32, to-from)}
	for i, k := range which {
		if i == from {
			copy(starts, counts)
		}
		if i >= from && i < to {
			if v.Which[i-from] = k; int(k) < len(alts) {
				v.At[i-from] = uint32(counts[k] - starts[k])
			} else {
				v.Which[i-from] = column.NoVariant
			}
		}
		counts[k]++
	}
	ends := make([]int, len(alts))
	copy(ends, starts)
	for _, k := range v.Which {
		if k != column.NoVariant {
			ends[k]++
		}
	}
	kernel.Recycle(which)
	for k, a := range alts {
		b := in.sized()
		if in.err != nil {
			return nil, in.err
		}
		if starts[k] == ends[k] { // no row is of it
			v.Alts = append(v.Alts, column.New(a, 0))
			continue
		}
		alt, err := vector(a, b, counts[k], starts[k], ends[k], depth+1)
		if err != nil {
			return nil, err
		}
		v.Alts = append(v.Alts, alt)
	}
	return v, nil
}

// onlyVariant decodes values [from, to) where all values there are of one alternative, the only one; else it returns nil, and has read nothing.
func onlyVariant(t *types.Type, in *input, which []uint32, alts []*types.Type, from, to, depth int) (column.Vector, error) {
	if len(alts) != 1 || len(which) == 0 || slices.Max(which) > 0 { // NULL is 1
		return nil, nil
	}
	b := in.sized()
	if in.err != nil {
		return nil, in.err
	}
	alt, err := vector(alts[0], b, len(which), from, to, depth+1)
	if err != nil {
		return nil, err
	}
	at := make([]uint32, to-from)
	for i := range at {
		at[i] = uint32(i)
	}
	return &column.Variant{Typ: t, Which: make([]uint32, to-from), At: at, Alts: []column.Vector{alt}}, nil
}

// alternatives reads the types of the values of a Dynamic.
func alternatives(in *input) []*types.Type {
	var out []*types.Type
	for left := in.u32(); left > 0 && in.err == nil; left-- {
		name := string(in.sized())
		t, err := types.Parse(name)
		if err != nil || t.IsNullable() || t.IsUnion() {
			in.err = corrupt("a value of Dynamic of type %q", name)
			return nil
		}
		out = append(out, t)
	}
	return out
}
