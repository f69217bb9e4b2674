package segment

import (
	"bytes"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/segment/page"
)

// primaryIndex is the key of the first row of each granule and, last, of the last row; one vector a key column.
type primaryIndex struct{ keys []column.Vector }

// primaryIndex returns the decoded primary index, or nil if there is none.
func (r *Reader) primaryIndex() (*primaryIndex, error) {
	if r.ft.Primary == nil {
		return nil, nil
	}
	k := cacheKey{r.number, -r.ft.Primary.off} // the decoded form, beside the chunk's own key
	if ix, ok := r.cache.get(k).(*primaryIndex); ok {
		return ix, nil
	}
	b, err := readChunk(r.f, r.path, r.size, *r.ft.Primary)
	if err != nil {
		return nil, err
	}
	in := page.NewInput(b)
	n := r.Granules() + 1
	if got := in.U32(); in.Err() == nil && int(got) != n {
		return nil, corrupt(r.path, "a primary index of %d keys for %d granules", got, n-1)
	}
	ix, size := &primaryIndex{}, int64(0)
	for _, name := range r.ft.SortKey[:r.ft.PrimaryLen] {
		v := in.SizedVector(r.ft.entry(name).typ, n)
		if err := in.Err(); err != nil {
			return nil, err
		}
		ix.keys = append(ix.keys, v)
		size += v.Bytes()
	}
	r.cache.put(k, ix, size)
	return ix, nil
}

// prunePrimary keeps the granules whose keys can satisfy the plan.
func (r *Reader) prunePrimary(p *plan, set *Granules) (dropped int, used bool, err error) {
	byKey := map[string]int{}
	for i, k := range r.ft.SortKey[:r.ft.PrimaryLen] {
		byKey[k] = i
	}
	if !p.usesKey(byKey) {
		return 0, false, nil
	}
	ix, err := r.primaryIndex()
	if err != nil || ix == nil {
		return 0, false, err
	}
	kp := newKeyPlan(p, byKey, len(ix.keys))
	return set.keep(func(g int) bool { return kp.may(ix, g) }), true, nil
}

func (p *plan) usesKey(byKey map[string]int) bool {
	uses := false
	p.each(func(t *boundTerm) {
		_, ok := byKey[t.Column]
		uses = uses || ok
	})
	return uses || slices.ContainsFunc(p.terms, (*boundTerm).hasKeyRange)
}

func (t *boundTerm) hasKeyRange() bool {
	return t.Kind == KeyRange || slices.ContainsFunc(t.any, func(q *plan) bool { return slices.ContainsFunc(q.terms, (*boundTerm).hasKeyRange) })
}

// keyPlan is a plan's terms by key column.
type keyPlan struct {
	cols   [][]*boundTerm // per key column: what its value must satisfy
	ranges []*boundTerm   // KeyRange
	any    [][]*keyPlan   // of each, one must hold
}

func newKeyPlan(p *plan, byKey map[string]int, keys int) *keyPlan {
	kp := &keyPlan{cols: make([][]*boundTerm, keys)}
	for _, t := range p.terms {
		switch t.Kind {
		case KeyRange:
			kp.ranges = append(kp.ranges, t)
		case AnyOf:
			subs := make([]*keyPlan, len(t.any))
			for i, q := range t.any {
				subs[i] = newKeyPlan(q, byKey, keys)
			}
			kp.any = append(kp.any, subs)
		default:
			if k, ok := byKey[t.Column]; ok {
				kp.cols[k] = append(kp.cols[k], t)
			}
		}
	}
	return kp
}

// may reports whether a key between the granule's first and the next one's first can satisfy the plan.
func (kp *keyPlan) may(ix *primaryIndex, g int) bool {
	if !kp.tuple(ix, g, 0, true, true) {
		return false
	}
	for _, t := range kp.ranges {
		if !t.rangeMay(ix, g) {
			return false
		}
	}
	for _, subs := range kp.any {
		if !slices.ContainsFunc(subs, func(q *keyPlan) bool { return q.may(ix, g) }) {
			return false
		}
	}
	return true
}

// tuple reports whether some tuple between left (row g) and right (row g+1) satisfies the terms from key column j on,
// the columns before being equal to left's if onLeft and to right's if onRight.
func (kp *keyPlan) tuple(ix *primaryIndex, g, j int, onLeft, onRight bool) bool {
	if j == len(kp.cols) || !onLeft && !onRight {
		return true
	}
	key := ix.keys[j]
	if onLeft && onRight && column.Compare(key, g, key, g+1) == 0 {
		return kp.point(key, g, j) && kp.tuple(ix, g, j+1, true, true)
	}
	left, right := -1, -1
	if onLeft {
		left = g
	}
	if onRight {
		right = g + 1
	}
	return kp.between(key, left, right, j) ||
		onLeft && kp.point(key, g, j) && kp.tuple(ix, g, j+1, true, false) ||
		onRight && kp.point(key, g+1, j) && kp.tuple(ix, g, j+1, false, true)
}

func (kp *keyPlan) point(key column.Vector, i, j int) bool {
	for _, t := range kp.cols[j] {
		if column.IsNull(key, i) {
			if t.Kind != IsNull {
				return false
			}
		} else if t.Kind == IsNull || !t.matches(key, i) {
			return false
		}
	}
	return true
}

func (kp *keyPlan) between(key column.Vector, left, right, j int) bool {
	for _, t := range kp.cols[j] {
		if !t.between(key, left, right) {
			return false
		}
	}
	return true
}

// between reports whether a value strictly between rows left and right of key, -1 meaning without bound, can satisfy the term.
func (t *boundTerm) between(key column.Vector, left, right int) bool {
	// above: some value above left lies below or at c; below: some value below right lies above or at c.
	above := func(c column.Vector, i int) bool { return left < 0 || column.Compare(key, left, c, i) < 0 }
	below := func(c column.Vector, i int) bool { return right < 0 || column.Compare(key, right, c, i) > 0 }
	switch t.Kind {
	case Compare:
		switch t.Op {
		case kernel.Eq:
			return above(t.vals, 0) && below(t.vals, 0)
		case kernel.Lt, kernel.Le:
			return above(t.vals, 0)
		case kernel.Gt, kernel.Ge:
			return below(t.vals, 0)
		}
	case In:
		i := 0
		if left >= 0 {
			i = t.lower(key, left)
			for i < t.vals.Len() && !above(t.vals, i) {
				i++
			}
		}
		return i < t.vals.Len() && below(t.vals, i)
	case IsNull: // NULL is greater than all values
		return right < 0
	case IsNotNull:
		return left < 0 || !column.IsNull(key, left)
	case Prefix:
		if !below(t.vals, 0) {
			return false
		}
		next := successor(bytes.Clone(t.text()))
		if next == nil {
			return true
		}
		bound := column.NewStr(t.vals.Type(), 1)
		bound.Append(next)
		return above(bound, 0)
	}
	return true
}

// rangeMay reports whether the rows of granule g can lie in a KeyRange.
func (t *boundTerm) rangeMay(ix *primaryIndex, g int) bool {
	if len(t.Lo) > 0 {
		if c := compareRow(ix, g+1, t.Lo); c < 0 || c == 0 && t.LoOpen {
			return false
		}
	}
	if len(t.Hi) > 0 {
		if c := compareRow(ix, g, t.Hi); c > 0 || c == 0 && t.HiOpen {
			return false
		}
	}
	return true
}

// compareRow compares the first columns of a row of the index with a bound.
func compareRow(ix *primaryIndex, row int, bound []Value) int {
	for j, b := range bound {
		c := b.vec
		if n, ok := c.(*column.Nullable); ok {
			c = n.Inner
		}
		if d := column.Compare(ix.keys[j], row, c, 0); d != 0 {
			return d
		}
	}
	return 0
}
