package column

import (
	"math"
	"slices"

	"github.com/olapd/olapd/internal/types"
)

// NoVariant in Variant.Which is NULL.
const NoVariant = math.MaxUint32

// Variant is a vector of a Variant or a Dynamic: value i is value At[i] of Alts[Which[i]], or NULL where Which[i] is
// NoVariant. The alternatives are flat vectors that hold the values of their type one after the other: of a builder, At rises
// along the rows of each. Those of a Variant are its types, in order; those of a Dynamic are the types its values
// happen to have, in order of appearance: two vectors of one Dynamic number them differently.
type Variant struct {
	Typ   *types.Type
	Which []uint32
	At    []uint32
	Alts  []Vector

	// seen is the alternative that Alt found last: values of one type come in runs.
	seen *types.Type
	last uint32
	// number is of a Dynamic with many alternatives where each is, by the name of its type.
	number map[string]int
}

// fewAlts is how many alternatives are searched one by one: a lookup by name costs as much as comparing with so many.
const fewAlts = 8

// NewVariant returns an empty vector of a Variant or Dynamic with room for n values.
func NewVariant(t *types.Type, n int) *Variant {
	v := &Variant{Typ: t, Which: make([]uint32, 0, n), At: make([]uint32, 0, n)}
	for _, e := range t.Elems {
		v.Alts = append(v.Alts, New(e, 0))
	}
	return v
}

// Alt returns the number of the alternative of a type, LowCardinality aside; a Dynamic gets it if it has none yet, a Variant has -1.
func (v *Variant) Alt(t *types.Type) int {
	if v.seen == t && t != nil {
		return int(v.last)
	}
	plain := t.WithoutLowCardinality()
	k := v.find(plain)
	if k < 0 && v.Typ.Kind == types.Dynamic {
		k = len(v.Alts)
		v.Alts = append(v.Alts, New(plain, 0))
	}
	if k >= 0 {
		v.seen, v.last = t, uint32(k)
	}
	return k
}

// find returns the number of the alternative of exactly a type, or -1. It belongs to who builds v.
func (v *Variant) find(t *types.Type) int {
	if len(v.Alts) <= fewAlts || v.Typ.Kind == types.Variant {
		return slices.IndexFunc(v.Alts, func(a Vector) bool { return a.Type().Equal(t) })
	}
	if v.number == nil {
		v.number = make(map[string]int, 2*len(v.Alts))
	}
	for k := len(v.number); k < len(v.Alts); k++ { // those that were appended since
		v.number[v.Alts[k].Type().String()] = k
	}
	if k, ok := v.number[t.String()]; ok {
		return k
	}
	return -1
}

// AltType is the declared type of alternative k.
func (v *Variant) AltType(k int) *types.Type {
	if v.Typ.Kind == types.Variant {
		return v.Typ.Elems[k]
	}
	return v.Alts[k].Type()
}

// EndValue ends a value that was appended to alternative k directly.
func (v *Variant) EndValue(k int) {
	v.Which, v.At = append(v.Which, uint32(k)), append(v.At, uint32(v.Alts[k].Len()-1))
}

// AppendNull appends NULL.
func (v *Variant) AppendNull() { v.Which, v.At = append(v.Which, NoVariant), append(v.At, 0) }

// Value returns the vector and the place in it that hold value i; nil if it is NULL.
func (v *Variant) Value(i int) (Vector, int) {
	k := v.Which[i]
	if k == NoVariant {
		return nil, 0
	}
	return v.Alts[k], int(v.At[i])
}

// Type implements Vector.
func (v *Variant) Type() *types.Type { return v.Typ }

// Len implements Vector.
func (v *Variant) Len() int { return len(v.Which) }

// Slice implements Vector.
func (v *Variant) Slice(from, to int) Vector {
	return &Variant{Typ: v.Typ, Which: v.Which[from:to:to], At: v.At[from:to:to], Alts: v.Alts}
}

// Bytes implements Vector: alternatives count as far as the rows reach into them.
func (v *Variant) Bytes() int64 {
	n := 8 * int64(len(v.Which))
	for k, r := range v.reach() {
		if r[0] < r[1] {
			n += v.Alts[k].Slice(int(r[0]), int(r[1])).Bytes()
		}
	}
	return n
}

// reach is the first place of each alternative that a row has, and the one behind the last.
func (v *Variant) reach() [][2]uint32 {
	out := make([][2]uint32, len(v.Alts))
	for k := range out {
		out[k][0] = math.MaxUint32
	}
	for i, k := range v.Which {
		if k != NoVariant {
			at := v.At[i]
			out[k] = [2]uint32{min(out[k][0], at), max(out[k][1], at+1)}
		}
	}
	return out
}

// Dense returns the same values with alternatives that hold just them, in the order of the rows. Those of a Dynamic that no row has are left out.
func (v *Variant) Dense() *Variant {
	sel := v.places()
	out := &Variant{Typ: v.Typ, Which: make([]uint32, len(v.Which)), At: make([]uint32, len(v.Which))}
	number := make([]uint32, len(v.Alts))
	for k, places := range sel {
		if len(places) == 0 && v.Typ.Kind == types.Dynamic {
			continue
		}
		number[k] = uint32(len(out.Alts))
		out.Alts = append(out.Alts, gatherRun(v.Alts[k], places))
	}
	next := make([]uint32, len(out.Alts))
	for i, k := range v.Which {
		if k == NoVariant {
			out.Which[i] = NoVariant
			continue
		}
		n := number[k]
		out.Which[i], out.At[i] = n, next[n]
		next[n]++
	}
	return out
}

// places are of each alternative the places that rows have, in their order.
func (v *Variant) places() [][]uint32 {
	out := make([][]uint32, len(v.Alts))
	for i, k := range v.Which {
		if k != NoVariant {
			out[k] = append(out[k], v.At[i])
		}
	}
	return out
}

// gatherRun is Gather, flat, that shares memory where the places follow each other.
func gatherRun(v Vector, sel []uint32) Vector {
	if n := len(sel); n > 0 && sel[n-1] == sel[0]+uint32(n-1) && slices.IsSorted(sel) {
		return v.Slice(int(sel[0]), int(sel[0])+n)
	}
	return Flatten(Gather(v, sel))
}

// Rows returns the rows whose values are of alternative k, ascending, and the values.
func (v *Variant) Rows(k int) (rows []uint32, values Vector) {
	var places []uint32
	for i, w := range v.Which {
		if w == uint32(k) {
			rows, places = append(rows, uint32(i)), append(places, v.At[i])
		}
	}
	return rows, gatherRun(v.Alts[k], places)
}

// AppendDefault implements Builder: NULL.
func (v *Variant) AppendDefault() { v.AppendNull() }

// AppendFrom implements Builder.
func (v *Variant) AppendFrom(src Vector, i int) {
	if s, ok := src.(*Variant); ok {
		v.appendValue(s, i)
		return
	}
	v.AppendSelected(src, []uint32{uint32(i)})
}

// appendValue appends value i of a Variant or Dynamic.
func (v *Variant) appendValue(s *Variant, i int) {
	k := s.Which[i]
	if k == NoVariant {
		v.AppendNull()
		return
	}
	to := int(k)
	if v.Typ.Kind == types.Dynamic || !v.Typ.Equal(s.Typ) {
		to = v.alternative(s.Alts[k])
	}
	v.Alts[to].(Builder).AppendFrom(s.Alts[k], int(s.At[i]))
	v.EndValue(to)
}

// AppendRange implements Builder.
func (v *Variant) AppendRange(src Vector, from, to int) {
	if s, ok := src.(*Variant); ok && to-from <= len(s.Alts) {
		for i := from; i < to; i++ {
			v.appendValue(s, i)
		}
		return
	}
	if s, ok := src.(*Variant); ok && v.appendRun(s, from, to) {
		return
	}
	sel := make([]uint32, to-from)
	for i := range sel {
		sel[i] = uint32(from + i)
	}
	v.AppendSelected(src, sel)
}

// appendRun appends values [from, to) of a Variant or Dynamic whose values of each type lie one after the other, as in what was built or decoded; false, where
// they do not, leaves v as it is.
func (v *Variant) appendRun(s *Variant, from, to int) bool {
	type run struct{ first, n, number, base uint32 }
	runs := make([]run, len(s.Alts))
	for i, k := range s.Which[from:to] {
		if k == NoVariant {
			continue
		}
		r, at := &runs[k], s.At[from+i]
		if r.n == 0 {
			r.first = at
		}
		if at != r.first+r.n {
			return false
		}
		r.n++
	}
	for k := range runs {
		r := &runs[k]
		if r.n == 0 {
			continue
		}
		if r.number = uint32(k); v.Typ.Kind == types.Dynamic || !v.Typ.Equal(s.Typ) {
			r.number = uint32(v.alternative(s.Alts[k]))
		}
		alt := v.Alts[r.number].(Builder)
		r.base = uint32(alt.Len()) - r.first
		alt.AppendRange(s.Alts[k], int(r.first), int(r.first+r.n))
	}
	n := len(v.Which)
	v.Which, v.At = grow(v.Which, to-from), grow(v.At, to-from)
	for i, k := range s.Which[from:to] {
		if k == NoVariant {
			v.Which[n+i], v.At[n+i] = NoVariant, 0
			continue
		}
		r := &runs[k]
		v.Which[n+i], v.At[n+i] = r.number, r.base+s.At[from+i]
	}
	return true
}

// AppendSelected implements Builder. A source that is no Variant or Dynamic is of one of the types.
func (v *Variant) AppendSelected(src Vector, sel []uint32) {
	switch s := src.(type) {
	case *Const:
		v.AppendSelected(s.Value, make([]uint32, len(sel)))
	case *Nullable:
		v.appendNullable(s, sel)
	case *Variant:
		if len(sel) <= len(s.Alts) { // appendVariant looks at each alternative
			for _, p := range sel {
				v.appendValue(s, int(p))
			}
			return
		}
		v.appendVariant(s, sel)
	default:
		k := v.alternative(src)
		at := uint32(v.Alts[k].Len())
		v.Alts[k].(Builder).AppendSelected(src, sel)
		for i := range sel {
			v.Which, v.At = append(v.Which, uint32(k)), append(v.At, at+uint32(i))
		}
	}
}

func (v *Variant) alternative(src Vector) int {
	k := v.Alt(src.Type())
	if k < 0 {
		mismatch(v, src)
	}
	return k
}

func (v *Variant) appendNullable(s *Nullable, sel []uint32) {
	for _, p := range sel {
		if s.Nulls[p] != 0 {
			v.AppendNull()
			continue
		}
		k := v.alternative(s.Inner)
		v.Alts[k].(Builder).AppendFrom(s.Inner, int(p))
		v.EndValue(k)
	}
}

func (v *Variant) appendVariant(s *Variant, sel []uint32) {
	const unknown = NoVariant
	same := v.Typ.Kind == types.Variant && v.Typ.Equal(s.Typ)
	number := make([]uint32, len(s.Alts))
	places := make([][]uint32, len(s.Alts))
	next := make([]uint32, len(s.Alts))
	for k := range number {
		number[k] = unknown
	}
	for _, p := range sel {
		k := s.Which[p]
		if k == NoVariant {
			v.AppendNull()
			continue
		}
		if number[k] == unknown {
			if number[k] = k; !same {
				number[k] = uint32(v.alternative(s.Alts[k]))
			}
			next[k] = uint32(v.Alts[number[k]].Len())
		}
		places[k] = append(places[k], s.At[p])
		v.Which, v.At = append(v.Which, number[k]), append(v.At, next[k])
		next[k]++
	}
	for k, at := range places {
		if len(at) > 0 {
			v.Alts[number[k]].(Builder).AppendSelected(s.Alts[k], at)
		}
	}
}

// Truncate implements Builder. Who appends to an alternative directly takes back what no EndValue follows.
func (v *Variant) Truncate(n int) {
	for i := len(v.Which) - 1; i >= n; i-- {
		if k := v.Which[i]; k != NoVariant {
			v.Alts[k].(Builder).Truncate(int(v.At[i]))
		}
	}
	v.Which, v.At = v.Which[:n], v.At[:n]
}

func compareVariant(a *Variant, i int, b Vector, j int) int {
	an, bn := a.Which[i] == NoVariant, IsNull(b, j)
	switch {
	case an && bn:
		return 0
	case an:
		return 1
	case bn:
		return -1
	}
	x, i := a.Value(i)
	y, j := b.(*Variant).Value(j)
	if c := compareNames(x.Type(), y.Type()); c != 0 {
		return c
	}
	return Compare(x, i, y, j)
}

// compareNames orders values of different types of a Variant or Dynamic: by the names of the types.
func compareNames(a, b *types.Type) int {
	switch {
	case a == b || a.String() == b.String():
		return 0
	case a.String() < b.String():
		return -1
	}
	return 1
}

// variantWithType is WithType: between Dynamics of other limits, and Variants whose types are represented alike, one for one.
func variantWithType(v *Variant, t *types.Type) Vector {
	out := &Variant{Typ: t, Which: v.Which, At: v.At, Alts: v.Alts}
	if t.Kind == types.Variant {
		out.Alts = make([]Vector, len(v.Alts))
		for k, a := range v.Alts {
			out.Alts[k] = WithType(a, t.Elems[k])
		}
	}
	return out
}

// Holds reports whether a vector of t takes values of a vector of type of: t itself, of Nullable its inner type, of a Variant one of
// its types, any of Dynamic.
func Holds(t, of *types.Type) bool {
	t = t.WithoutLowCardinality()
	switch {
	case t.Equal(of) || t.Kind == types.Dynamic:
		return true
	case t.Kind == types.Nullable:
		return Holds(t.Elem(), of)
	case t.Kind == types.Variant:
		for _, e := range t.Elems {
			if e.WithoutLowCardinality().Equal(of) {
				return true
			}
		}
	}
	return false
}

// Own returns where value i of v really is: of a Variant or Dynamic the vector of its type, unless it is NULL; of others v itself.
func Own(v Vector, i int) (Vector, int) {
	if c, ok := v.(*Const); ok {
		if _, ok := c.Value.(*Variant); ok {
			v, i = c.Value, 0
		}
	}
	if u, ok := v.(*Variant); ok && u.Which[i] != NoVariant {
		return u.Value(i)
	}
	return v, i
}
