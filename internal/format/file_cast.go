package format

import (
	"encoding/binary"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// fileCast makes vectors of a file's natural types into those of a table's columns.
type fileCast struct {
	o    *Options
	file string // the name of the format, for messages
}

// column converts a whole column; omitted marks the rows whose NULL stands for the column's default.
func (k fileCast) column(v column.Vector, to *types.Type) (out column.Vector, omitted []uint8, err error) {
	out, err = k.cast(v, to)
	if n, ok := v.(*column.Nullable); ok && !to.IsNullable() && slices.Contains(n.Nulls, 1) {
		omitted = n.Nulls
	}
	return out, omitted, err
}

func (k fileCast) cast(v column.Vector, to *types.Type) (column.Vector, error) {
	from := v.Type()
	if from.Equal(to) {
		return v, nil
	}
	switch v := v.(type) {
	case *column.Nullable:
		if !to.IsNullable() {
			return k.present(v, to)
		}
	case *column.Dict:
		if to.IsNullable() && to.Elem().Equal(from) {
			return column.NewNullable(make([]uint8, v.Len()), v), nil
		}
	case *column.Array:
		if to.Kind == types.Array {
			elem, err := k.inside(v.Elem, to.Elem())
			return &column.Array{Typ: to, Off: v.Off, Elem: elem}, err
		}
	case *column.Map:
		if to.Kind == types.Map {
			keys, err := k.inside(v.Keys, to.Elems[0])
			if err != nil {
				return nil, err
			}
			vals, err := k.inside(v.Vals, to.Elems[1])
			return &column.Map{Typ: to, Off: v.Off, Keys: keys, Vals: vals}, err
		}
	case *column.Tuple:
		if to.Kind == types.Tuple {
			return k.tuple(v, to)
		}
	}
	if isGroup(from) || isGroup(to) {
		return nil, sqlerr.New(sqlerr.TypeMismatch, "Requested type doesn't match the schema of the %s data: its type is %s, the requested type is %s", k.file, from, to)
	}
	if from.Kind == types.FixedString && (from.N == 16 || from.N == 32) {
		if w := wideOf(v, to); w != nil {
			return w, nil
		}
	}
	if k.o.Cast == nil {
		return nil, sqlerr.New(sqlerr.TypeMismatch, "The type in the %s data is %s, the requested type is %s", k.file, from, to)
	}
	return k.o.Cast(v, to)
}

func isGroup(t *types.Type) bool {
	return t.Kind == types.Array || t.Kind == types.Map || t.Kind == types.Tuple
}

// inside is cast for what a group holds, which is flat.
func (k fileCast) inside(v column.Vector, to *types.Type) (column.Vector, error) {
	out, err := k.cast(v, to.WithoutLowCardinality())
	if err != nil {
		return nil, err
	}
	return column.Flatten(out), nil
}

// present converts to a type without NULL, whose places get the default.
func (k fileCast) present(v *column.Nullable, to *types.Type) (column.Vector, error) {
	if !slices.Contains(v.Nulls, 1) || isGroup(to) {
		return k.cast(v.Inner, to)
	}
	if !k.o.NullAsDefault {
		return nil, sqlerr.New(sqlerr.CannotInsertNullInOrdinaryColumn, "Cannot convert NULL value to non-Nullable type %s", to)
	}
	w, err := k.cast(v, types.NewNullable(to))
	if err != nil {
		return nil, err
	}
	inner := column.Concat(column.Flatten(w.(*column.Nullable).Inner), column.Flatten(column.NewDefaults(to, 1)))
	at := make([]uint32, v.Len())
	for i, null := range v.Nulls {
		if at[i] = uint32(i); null != 0 {
			at[i] = uint32(v.Len())
		}
	}
	return column.Gather(inner, at), nil
}

// tuple converts element by element: by name if both have names, else by place.
func (k fileCast) tuple(v *column.Tuple, to *types.Type) (column.Vector, error) {
	out := &column.Tuple{Typ: to, N: v.N}
	names := v.Type().Names
	if to.Names == nil && len(to.Elems) != len(v.Elems) {
		return nil, sqlerr.New(sqlerr.TypeMismatch, "Requested type doesn't match the schema of the %s data: its type is %s, the requested type is %s", k.file, v.Type(), to)
	}
	for i, t := range to.Elems {
		at := i
		if to.Names != nil {
			at = slices.Index(names, to.Names[i])
		}
		e := column.Flatten(column.NewDefaults(t.WithoutLowCardinality(), v.N))
		if at >= 0 {
			var err error
			if e, err = k.inside(v.Elems[at], t); err != nil {
				return nil, err
			}
		}
		out.Elems = append(out.Elems, e)
	}
	return out, nil
}

// wideOf reads 16 or 32 bytes as the values that ClickHouse writes so: IPv6, and integers with the lowest byte first. nil: to is none of them.
func wideOf(v column.Vector, to *types.Type) column.Vector {
	s, ok := column.Flatten(v).(*column.Str)
	if !ok || s.Typ.N != to.Width() {
		return nil
	}
	switch to.Phys() {
	case types.PBytes:
		if to.Kind == types.IPv6 {
			return column.WithType(s, to)
		}
	case types.PUInt128:
		if to.Kind == types.UInt128 {
			out := make([]types.U128, s.Len())
			for i := range out {
				b := s.At(i)
				out[i] = types.U128{Lo: binary.LittleEndian.Uint64(b), Hi: binary.LittleEndian.Uint64(b[8:])}
			}
			return column.NewNum(to, out)
		}
	case types.PInt128:
		if to.Kind == types.Int128 {
			out := make([]types.I128, s.Len())
			for i := range out {
				b := s.At(i)
				out[i] = types.I128{Lo: binary.LittleEndian.Uint64(b), Hi: int64(binary.LittleEndian.Uint64(b[8:]))}
			}
			return column.NewNum(to, out)
		}
	case types.PUInt256, types.PInt256:
		if to.Kind != types.Decimal {
			out := column.New(to, s.Len())
			for i := range s.Len() {
				appendFixed(out, s.At(i))
			}
			return out
		}
	}
	return nil
}
