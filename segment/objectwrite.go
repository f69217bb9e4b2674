package segment

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/segment/page"
)

// objectWriter cuts the objects of a column of JSON into a vector for each path. Of a page the paths of declared types and as many others as
// max_dynamic_paths says, the most frequent, get a body of their own; the objects that the other paths make are one more.
type objectWriter struct {
	typ    *column.Type
	paths  []pagePath
	number map[string]uint32 // of the page's paths
	// What the pages reuse. By entry of the objects: its path, and then the entries in order of paths, with their rows.
	path, order, rows []uint32
	which, at         []uint32 // of a path's values
	bodies            [][]byte
	dir               pathDir

	most int // maxEntries; tests set less
}

// pagePath is a path of a page being written.
type pagePath struct {
	name  []byte
	count uint32 // of rows that have it
	from  uint32 // its first entry in order
	next  uint32 // the path that has come behind it lately: most objects have their paths in common
	own   bool   // it gets a body of its own
}

const noPath = math.MaxUint32

func newObjectWriter(t *column.Type) *objectWriter {
	return &objectWriter{typ: t, number: map[string]uint32{}, most: maxEntries}
}

// encode makes the bodies and the directory of a page of the objects in m, a flat vector of JSON; false, where there is more of them than a directory is
// believed to have, leaves it to be written whole.
func (w *objectWriter) encode(m *column.Map) (bool, error) {
	w.bodies = w.bodies[:0]
	if int(m.Off[m.Len()]-m.Off[0]) > w.most {
		return false, nil
	}
	w.findPaths(m)
	if own := w.choose(); own > maxPagePaths || len(w.paths)-own > maxOtherPaths {
		return false, nil
	}
	w.sortEntries(m)
	return true, w.encodePaths(m)
}

// findPaths numbers the paths of all entries.
func (w *objectWriter) findPaths(m *column.Map) {
	clear(w.number)
	w.paths = w.paths[:0]
	keys := m.Keys.(*column.Str)
	from, to := int(m.Off[0]), int(m.Off[m.Len()])
	w.path = slices.Grow(w.path[:0], to-from)[:to-from]
	last := uint32(noPath)
	for j := from; j < to; j++ {
		name := keys.At(j)
		k := uint32(noPath)
		if last != noPath {
			k = w.paths[last].next
		}
		if k == noPath || !bytes.Equal(w.paths[k].name, name) {
			k = w.numberOf(name)
			if last != noPath {
				w.paths[last].next = k
			}
		}
		w.paths[k].count++
		w.path[j-from] = k
		last = k
	}
}

func (w *objectWriter) numberOf(name []byte) uint32 {
	if k, ok := w.number[string(name)]; ok {
		return k
	}
	k := uint32(len(w.paths))
	w.number[string(name)] = k
	w.paths = append(w.paths, pagePath{name: name, next: noPath, own: w.typ.Object.TypedPath(string(name)) != nil})
	return k
}

// choose marks the paths that get a body of their own, and counts them.
func (w *objectWriter) choose() int {
	var rank []uint32
	for k := range w.paths {
		if !w.paths[k].own {
			rank = append(rank, uint32(k))
		}
	}
	if most := w.typ.Object.MaxPaths; len(rank) > most {
		slices.SortFunc(rank, func(a, b uint32) int {
			x, y := &w.paths[a], &w.paths[b]
			return cmp.Or(cmp.Compare(y.count, x.count), bytes.Compare(x.name, y.name))
		})
		rank = rank[:most]
	}
	for _, k := range rank {
		w.paths[k].own = true
	}
	own := 0
	for k := range w.paths {
		if w.paths[k].own {
			own++
		}
	}
	return own
}

// sortEntries puts the entries of each path together, in the order of the rows.
func (w *objectWriter) sortEntries(m *column.Map) {
	at := uint32(0)
	for k := range w.paths {
		w.paths[k].from = at
		at += w.paths[k].count
	}
	n := len(w.path)
	w.order, w.rows = slices.Grow(w.order[:0], n)[:n], slices.Grow(w.rows[:0], n)[:n]
	next := make([]uint32, len(w.paths))
	for k := range next {
		next[k] = w.paths[k].from
	}
	base := m.Off[0]
	for row := range m.Len() {
		for j := m.Off[row]; j < m.Off[row+1]; j++ {
			k := w.path[j-base]
			w.order[next[k]], w.rows[next[k]] = j, uint32(row)
			next[k]++
		}
	}
}

// encodePaths makes a body for each path that gets one, in the order of their names, and one for the others.
func (w *objectWriter) encodePaths(m *column.Map) error {
	own := make([]uint32, 0, len(w.paths))
	w.dir = pathDir{names: w.dir.names[:0], ends: w.dir.ends[:0]}
	for k := range w.paths {
		if w.paths[k].own {
			own = append(own, uint32(k))
		} else {
			w.dir.others = append(w.dir.others, hashPath(w.paths[k].name))
		}
	}
	slices.SortFunc(own, func(a, b uint32) int { return bytes.Compare(w.paths[a].name, w.paths[b].name) })
	for _, k := range own {
		w.dir.names = append(w.dir.names, w.paths[k].name...)
		w.dir.ends = append(w.dir.ends, uint32(len(w.dir.names)))
		p := &w.paths[k]
		v := w.values(m, p).Dense()
		stats, err := appendStats(nil, v)
		if err != nil {
			return err
		}
		w.dir.stats = append(w.dir.stats, stats)
		body, err := appendPath(nil, w.rows[p.from:p.from+p.count], m.Len(), v)
		if err != nil {
			return err
		}
		w.bodies = append(w.bodies, body)
	}
	if len(w.dir.others) == 0 {
		return nil
	}
	slices.Sort(w.dir.others)
	body, err := page.AppendVector(nil, w.rest(m))
	w.bodies = append(w.bodies, body)
	return err
}

// values is what the rows that have a path have there, as Dynamic; good until the next call.
func (w *objectWriter) values(m *column.Map, p *pagePath) *column.Variant {
	vals := m.Vals.(*column.Variant)
	w.which, w.at = w.which[:0], w.at[:0]
	for _, j := range w.order[p.from : p.from+p.count] {
		w.which, w.at = append(w.which, vals.Which[j]), append(w.at, vals.At[j])
	}
	return &column.Variant{Typ: vals.Typ, Which: w.which, At: w.at, Alts: vals.Alts}
}

// rest is the objects of the paths that get no body of their own.
func (w *objectWriter) rest(m *column.Map) *column.Map {
	out := &column.Map{Typ: m.Typ, Off: make([]uint32, 1, m.Len()+1)}
	var entries []uint32
	base := m.Off[0]
	for row := range m.Len() {
		for j := m.Off[row]; j < m.Off[row+1]; j++ {
			if !w.paths[w.path[j-base]].own {
				entries = append(entries, j)
			}
		}
		out.Off = append(out.Off, uint32(len(entries)))
	}
	out.Keys, out.Vals = column.Flatten(column.Gather(m.Keys, entries)), column.Flatten(column.Gather(m.Vals, entries))
	return out
}

// put writes the bodies and the directory, which it returns.
func (w *objectWriter) put(to *chunkWriter, dst []byte) ([]byte, error) {
	for _, b := range w.bodies {
		r, err := to.chunk(b)
		if err != nil {
			return dst, err
		}
		w.dir.bodies = append(w.dir.bodies, r)
	}
	return w.dir.append(dst), nil
}
