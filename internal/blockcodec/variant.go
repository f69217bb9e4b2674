package blockcodec

import (
	"encoding/binary"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// Limits on what readVariant believes.
const (
	// maxDynamicDepth bounds Dynamics within values of Dynamic, far above what parsers of values let through.
	maxDynamicDepth = 1024
)

// appendVariant appends, for a Dynamic, the number of types and their names; then the number of each value's type, u32, and the
// values of each type. Alternatives hold just the values of the rows.
func appendVariant(dst []byte, v *column.Variant) []byte {
	if v.Typ.Kind == types.Dynamic {
		dst = binary.AppendUvarint(dst, uint64(len(v.Alts)))
		for _, a := range v.Alts {
			name := a.Type().String()
			dst = append(binary.AppendUvarint(dst, uint64(len(name))), name...)
		}
	}
	dst = appendNums(dst, v.Which)
	for _, a := range v.Alts {
		dst = appendVector(dst, column.Flatten(a))
	}
	return dst
}

func readVariant(in *input, t *types.Type, n int) column.Vector {
	alts := t.Elems
	if t.Kind == types.Dynamic {
		alts = readAlternatives(in, n)
	}
	if in.depth++; in.depth > maxDynamicDepth {
		in.err = corrupt("values of Dynamic nested deeper than %d", maxDynamicDepth)
	}
	defer func() { in.depth-- }()
	which := readNums[uint32](in, types.TUInt32, n)
	if in.err != nil {
		return nil
	}
	v := &column.Variant{Typ: t, Which: which.(*column.Num[uint32]).Data, At: make([]uint32, n)}
	counts := make([]uint32, len(alts))
	for i, k := range v.Which {
		if k == column.NoVariant {
			continue
		}
		if int64(k) >= int64(len(alts)) {
			in.err = corrupt("a value of type %d of %d", k, len(alts))
			return nil
		}
		v.At[i] = counts[k]
		counts[k]++
	}
	for k, a := range alts {
		v.Alts = append(v.Alts, readVector(in, a.WithoutLowCardinality(), int(counts[k])))
		if in.err != nil {
			return nil
		}
	}
	return v
}

// readAlternatives reads the types of the values of a Dynamic of n rows: each has one at least.
func readAlternatives(in *input, n int) []*types.Type {
	var out []*types.Type
	for left := in.uvarint(uint64(n)); left > 0 && in.err == nil; left-- {
		name := string(in.take(int(in.uvarint(MaxTypeName))))
		t, err := types.Parse(name)
		if err != nil || t.IsNullable() || t.IsUnion() {
			in.err = corrupt("a value of Dynamic of type %q", name)
			return nil
		}
		out = append(out, t)
	}
	return out
}
