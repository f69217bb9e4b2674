package column

import (
	"bytes"
	"slices"
	"sort"
)

// A vector of JSON is a *Map: of each object the paths that have a value, in the order of their bytes, and the values as
// Dynamic. Paths with a declared type are always there, with a value of just that type. A path whose declared type may be NULL is
// there with NULL. No other value is NULL.

// appendTypedDefaults appends the paths of declared types to the object being built, with their defaults.
func (v *Map) appendTypedDefaults() {
	vals := v.Vals.(*Variant)
	for _, p := range v.Typ.Object.Typed {
		v.Keys.(*Str).AppendString(p.Path)
		vals.AppendDefaultOf(p.Type)
	}
}

// AppendDefaultOf appends the default value of a type: NULL where that is one.
func (v *Variant) AppendDefaultOf(t *Type) {
	if t = t.WithoutLowCardinality(); t.IsNullable() || t.IsUnion() {
		v.AppendNull()
		return
	}
	k := v.Alt(t)
	v.Alts[k].(Builder).AppendDefault()
	v.EndValue(k)
}

// Path returns the values that the objects of a vector of JSON have at a path, as Dynamic; NULL where they have none. Types are numbered in order of
// their appearance at the path, as if it were a column.
func (v *Map) Path(path string) *Variant {
	keys, vals := v.Keys.(*Str), v.Vals.(*Variant)
	out := &Variant{Typ: vals.Typ, Which: make([]uint32, v.Len()), At: make([]uint32, v.Len())}
	number := make([]uint32, len(vals.Alts))
	for k := range number {
		number[k] = NoVariant
	}
	p := []byte(path)
	for i := range out.Which {
		from, to := int(v.Off[i]), int(v.Off[i+1])
		j := from + sort.Search(to-from, func(n int) bool { return bytes.Compare(keys.At(from+n), p) >= 0 })
		out.Which[i] = NoVariant
		if j == to || !bytes.Equal(keys.At(j), p) || vals.Which[j] == NoVariant {
			continue
		}
		k := vals.Which[j]
		if number[k] == NoVariant {
			number[k] = uint32(len(out.Alts))
			out.Alts = append(out.Alts, vals.Alts[k])
		}
		out.Which[i], out.At[i] = number[k], vals.At[j]
	}
	return out
}

// Below returns the objects that the objects of a vector of JSON have below a path, as objects of t, whose values are Dynamic of the same kind.
func (v *Map) Below(path string, t *Type) *Map {
	keys, vals := v.Keys.(*Str), v.Vals.(*Variant)
	prefix := []byte(path + ".")
	out := &Map{Typ: t, Off: make([]uint32, 1, v.Len()+1), Keys: NewStr(t.Elems[0], 0)}
	under := out.Keys.(*Str)
	var sel []uint32
	for i := range v.Len() {
		from, to := int(v.Off[i]), int(v.Off[i+1])
		j := from + sort.Search(to-from, func(n int) bool { return bytes.Compare(keys.At(from+n), prefix) >= 0 })
		for ; j < to && bytes.HasPrefix(keys.At(j), prefix); j++ {
			under.Append(keys.At(j)[len(prefix):])
			sel = append(sel, uint32(j))
		}
		out.Off = append(out.Off, uint32(len(sel)))
	}
	below := NewVariant(t.Elems[1], len(sel))
	below.AppendSelected(vals, sel)
	out.Vals = below
	return out
}

// Paths returns the paths without a declared type that the objects of a vector of JSON have, in the order of their bytes: those that
// max_dynamic_paths keeps apart, which are the first to appear, and the others, which ClickHouse calls shared data.
func (v *Map) Paths() (kept, shared []string) {
	keys := v.Keys.(*Str)
	seen := map[string]bool{}
	o := v.Typ.Object
	for j := int(v.Off[0]); j < int(v.Off[v.Len()]); j++ {
		if p := keys.At(j); !seen[string(p)] {
			path := string(p)
			switch seen[path] = true; {
			case o.TypedPath(path) != nil:
			case len(kept) < o.MaxPaths:
				kept = append(kept, path)
			default:
				shared = append(shared, path)
			}
		}
	}
	slices.Sort(kept)
	slices.Sort(shared)
	return kept, shared
}

// compareObjects compares objects path by path: the lesser path goes before, then the lesser value.
func compareObjects(a *Map, i int, b *Map, j int) int {
	x, y := int(a.Off[i]), int(b.Off[j])
	for ; x < int(a.Off[i+1]) && y < int(b.Off[j+1]); x, y = x+1, y+1 {
		if c := Compare(a.Keys, x, b.Keys, y); c != 0 {
			return c
		}
		if c := Compare(a.Vals, x, b.Vals, y); c != 0 {
			return c
		}
	}
	return (int(a.Off[i+1]) - x) - (int(b.Off[j+1]) - y)
}
