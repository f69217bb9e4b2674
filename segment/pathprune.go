package segment

import "github.com/olapd/olapd/internal/types"

// pathAnswer is what a page's directory says of a term at a path.
type pathAnswer uint8

const (
	pathUnknown pathAnswer = iota
	pathMayMatch
	pathCannot
)

// bindPath binds an AtPath term; nil if it prunes nothing.
func (r *Reader) bindPath(b *boundTerm) *boundTerm {
	if b.col.entry.typ.Kind != types.JSON {
		return nil
	}
	b.types, b.pages = map[string]*boundTerm{}, make([]pathAnswer, r.Pages())
	for _, t := range b.Types {
		one := &boundTerm{Term: t}
		if t.Values == nil {
			return nil
		}
		of := t.Values.Type().Inner()
		if !one.bindConstants(of) {
			if b.Others { // as if of another type
				continue
			}
			return nil
		}
		b.types[of.String()] = one
	}
	return b
}

// pathMay reports whether one of the rows [from, to) can have a value at the term's path that satisfies it. A directory that cannot be read says nothing.
func (r *Reader) pathMay(t *boundTerm, from, to int) (bool, error) {
	for p := r.pageOf(from); from < to; p++ {
		if t.pages[p] == pathUnknown {
			may, err := r.pageMay(t, p)
			if err != nil {
				return true, err
			}
			if t.pages[p] = pathCannot; may {
				t.pages[p] = pathMayMatch
			}
		}
		if t.pages[p] == pathMayMatch {
			return true, nil
		}
		_, from = r.PageRows(p)
	}
	return false, nil
}

// pageMay is pathMay of a whole page.
func (r *Reader) pageMay(t *boundTerm, p int) (bool, error) {
	ix, err := r.index(t.col)
	if err != nil {
		return true, err
	}
	d, err := r.pathDir(t.col, ix, p)
	if err != nil || d == nil {
		return true, err
	}
	i := d.find(t.Path)
	if i < 0 {
		return d.hasOther(t.Path), nil
	}
	stats, err := d.pathStats(i, r.path)
	if err != nil {
		return true, err
	}
	for _, s := range stats {
		one := t.types[s.name]
		if one == nil && t.Others {
			return true, nil
		}
		bounds := columnIndex{nulls: []uint32{0}, flags: []uint8{s.flags}, mins: s.lo, maxs: s.hi}
		if one != nil && one.boundsMay(&bounds, 0, int(s.rows)) {
			return true, nil
		}
	}
	return false, nil
}
