package segment

import (
	"bytes"
	"slices"
	"sort"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// plan is a Condition bound to a segment: terms it cannot use are gone.
type plan struct{ terms []*boundTerm }

// boundTerm is a Term with its column found and its constants checked.
type boundTerm struct {
	Term
	col *columnState
	// vals are the constants without NULL; ascending for In and NotIn.
	vals   column.Vector
	hashes []uint64
	any    []*plan
	// types are the terms of an AtPath, by the name of the type that they are about, and pages what is known of pages: see pathMay.
	types map[string]*boundTerm
	pages []pathAnswer
}

// bind resolves a condition. Terms on unknown columns or with constants of another type are dropped: they prune nothing.
func (r *Reader) bind(c Condition) *plan {
	p := &plan{}
	for _, t := range c.Terms {
		if b := r.bindTerm(t); b != nil {
			p.terms = append(p.terms, b)
		}
	}
	return p
}

func (r *Reader) bindTerm(t Term) *boundTerm {
	b := &boundTerm{Term: t}
	switch t.Kind {
	case AnyOf:
		for _, c := range t.Any {
			b.any = append(b.any, r.bind(c))
		}
		return b
	case KeyRange:
		if !r.keyRangeFits(t) {
			return nil
		}
		return b
	}
	if b.col = r.column(t.Column); b.col == nil {
		return nil
	}
	switch t.Kind {
	case IsNull, IsNotNull:
		return b
	case AtPath:
		return r.bindPath(b)
	}
	if !b.bindConstants(b.col.entry.typ) {
		return nil
	}
	return b
}

// bindConstants checks and sorts the constants of a term on values of a type; false says that it prunes nothing.
func (b *boundTerm) bindConstants(typ *types.Type) bool {
	t := &b.Term
	if t.Values == nil {
		return false
	}
	nulls, inner := splitNulls(t.Values)
	b.vals = column.Flatten(inner)
	if nulls != nil {
		b.vals = column.Flatten(scalars(t.Values))
	}
	if single := t.Kind != In && t.Kind != NotIn; single && b.vals.Len() != 1 || !b.usable(typ) {
		return false
	}
	if t.Kind == In || t.Kind == NotIn {
		order := make([]uint32, b.vals.Len())
		for i := range order {
			order[i] = uint32(i)
		}
		slices.SortFunc(order, func(x, y uint32) int { return column.Compare(b.vals, int(x), b.vals, int(y)) })
		b.vals = column.Gather(b.vals, order)
	}
	return true
}

// usable reports whether the constants are of the column's type and comparable with what the indexes hold.
func (b *boundTerm) usable(t *types.Type) bool {
	want := t.Inner()
	if b.Kind == HasElem {
		if want.Kind != types.Array {
			return false
		}
		want = want.Elem().Inner()
	}
	got := b.vals.Type().Inner()
	if !isScalar(want) || want.Phys() != got.Phys() || want.Scale != got.Scale {
		return false
	}
	switch b.Kind {
	case Prefix, Contains, HasToken:
		if want.Phys() != types.PBytes {
			return false
		}
	}
	if want.Kind == types.FixedString && !fullWidth(b.vals, want.N) && (b.Kind == Compare || b.Kind == In || b.Kind == NotIn) {
		return false // SQL pads with zero bytes what bytes compare as different
	}
	for i := range b.vals.Len() {
		if isNaN(b.vals, i) {
			return false
		}
	}
	return true
}

func fullWidth(v column.Vector, n int) bool {
	s := v.(*column.Str)
	for i := range s.Len() {
		if len(s.At(i)) != n {
			return false
		}
	}
	return true
}

func isNaN(v column.Vector, i int) bool {
	switch v := v.(type) {
	case *column.Num[float32]:
		return v.Data[i] != v.Data[i]
	case *column.Num[float64]:
		return v.Data[i] != v.Data[i]
	}
	return false
}

// keyRangeFits reports whether a KeyRange is over a prefix of the primary key, with bounds of its types.
func (r *Reader) keyRangeFits(t Term) bool {
	if len(t.Keys) > r.ft.PrimaryLen || len(t.Lo) > len(t.Keys) || len(t.Hi) > len(t.Keys) {
		return false
	}
	for i, k := range t.Keys {
		if r.ft.SortKey[i] != k {
			return false
		}
		typ := r.ft.entry(k).typ
		for _, bound := range [][]Value{t.Lo, t.Hi} {
			if i >= len(bound) {
				continue
			}
			v := bound[i].vec
			if v == nil || v.Type().Inner().Phys() != typ.Inner().Phys() || v.Type().Inner().Scale != typ.Inner().Scale ||
				column.IsNull(v, 0) || !isScalar(typ) || isNaN(v, 0) {
				return false
			}
			if typ.Inner().Kind == types.FixedString && !fullWidth(column.Flatten(scalars(v)), typ.Inner().N) {
				return false
			}
		}
	}
	return true
}

// may reports whether rows can satisfy the plan as far as leaf, asked for each term on a column, can tell.
func (p *plan) may(leaf func(t *boundTerm) bool) bool {
	for _, t := range p.terms {
		switch {
		case t.Kind == AnyOf:
			if !slices.ContainsFunc(t.any, func(q *plan) bool { return q.may(leaf) }) {
				return false
			}
		case t.Kind != KeyRange && !leaf(t):
			return false
		}
	}
	return true
}

// each calls f for every term on a column, at any depth.
func (p *plan) each(f func(t *boundTerm)) {
	for _, t := range p.terms {
		if t.Kind == AnyOf {
			for _, q := range t.any {
				q.each(f)
			}
		} else if t.Kind != KeyRange {
			f(t)
		}
	}
}

// matches reports whether value i of v, not NULL and of the column's type, satisfies the term. NaN may match too often.
func (t *boundTerm) matches(v column.Vector, i int) bool {
	switch t.Kind {
	case Compare:
		return t.Op.Holds(column.Compare(v, i, t.vals, 0))
	case In:
		return t.contains(v, i)
	case NotIn:
		return !t.contains(v, i)
	case IsNull:
		return false
	case Prefix:
		return bytes.HasPrefix(bytesAt(v, i), t.text())
	case Contains:
		return bytes.Contains(bytesAt(v, i), t.text())
	}
	return true // IsNotNull; and HasToken, HasElem: unknown
}

// text is the string constant of the term.
func (t *boundTerm) text() []byte { return t.vals.(*column.Str).At(0) }

func bytesAt(v column.Vector, i int) []byte {
	switch v := v.(type) {
	case *column.Str:
		return v.At(i)
	case *column.Dict:
		return bytesAt(v.Values, int(v.Codes[i]))
	case *column.Nullable:
		return bytesAt(v.Inner, i)
	}
	return column.Flatten(v).(*column.Str).At(i)
}

// lower returns the position of the first constant not less than value i of v.
func (t *boundTerm) lower(v column.Vector, i int) int {
	return sort.Search(t.vals.Len(), func(k int) bool { return column.Compare(v, i, t.vals, k) <= 0 })
}

func (t *boundTerm) contains(v column.Vector, i int) bool {
	k := t.lower(v, i)
	return k < t.vals.Len() && column.Compare(v, i, t.vals, k) == 0
}
