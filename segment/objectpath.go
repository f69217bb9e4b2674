package segment

import (
	"bytes"
	"sort"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/segment/page"
)

// pathValues is what some rows have at a path: vals are the values of those that have it, rows which ones these are, ascending; nil: all.
type pathValues struct {
	rows []uint32
	vals *column.Variant
}

// appendPath appends the body of a path: the rows of a page of n that have it, and their values.
func appendPath(dst []byte, rows []uint32, n int, v *column.Variant) ([]byte, error) {
	dst = page.AppendU32(dst, uint32(len(rows)))
	if len(rows) < n {
		dst = page.AppendSizedInts(dst, rows)
	}
	return page.AppendVector(dst, v)
}

// decodePath decodes of the body of a path what rows [from, to) of the n of a page have, as rows from 0.
func decodePath(dynamic *types.Type, b []byte, n, from, to int) (pathValues, error) {
	in := page.NewInput(b)
	count := int(in.U32())
	if in.Err() == nil && count > n {
		return pathValues{}, sqlerr.New(sqlerr.CorruptedData, "Corrupted page: %d values in %d rows", count, n)
	}
	var rows []uint32
	if count < n {
		all := page.SizedInts[uint32](in, count)
		for i, row := range all {
			if int(row) >= n || i > 0 && row <= all[i-1] {
				return pathValues{}, sqlerr.New(sqlerr.CorruptedData, "Corrupted page: value %d in row %d of %d", i, row, n)
			}
		}
		first := from
		from, to = rowsBefore(all, from), rowsBefore(all, to)
		rows = make([]uint32, to-from)
		for i, row := range all[from:to] {
			rows[i] = row - uint32(first)
		}
	}
	if err := in.Err(); err != nil {
		return pathValues{}, err
	}
	v, err := page.Vector(dynamic, in.Take(in.Len()), count, from, to)
	if err != nil {
		return pathValues{}, err
	}
	return pathValues{rows, v.(*column.Variant)}, nil
}

// rowsBefore counts the rows that are less than a row.
func rowsBefore(rows []uint32, row int) int {
	return sort.Search(len(rows), func(i int) bool { return int(rows[i]) >= row })
}

// spread is the values in n rows, NULL where there are none.
func (p pathValues) spread(n int) *column.Variant {
	if p.rows == nil {
		return p.vals
	}
	out := &column.Variant{Typ: p.vals.Typ, Which: make([]uint32, n), At: make([]uint32, n), Alts: p.vals.Alts}
	for i := range out.Which {
		out.Which[i] = column.NoVariant
	}
	for i, row := range p.rows {
		out.Which[row], out.At[row] = p.vals.Which[i], p.vals.At[i]
	}
	return out
}

// maxEntries bounds what a directory is believed to have of paths in the rows of a page: several times what maxPageBytes of rows hold.
const maxEntries = 1 << 26

// assembly puts objects together from what they have at their paths.
type assembly struct {
	typ   *types.Type
	rows  int
	names [][]byte // of the paths, ascending
	paths []pathValues
	rest  *column.Map // what the rows have at other paths; nil: nothing
	total int
}

// add adds a path; names ascend.
func (a *assembly) add(name []byte, p pathValues) error {
	if a.total += p.vals.Len(); a.total > maxEntries {
		return sqlerr.New(sqlerr.CorruptedData, "Corrupted page: more than %d values in %d rows", maxEntries, a.rows)
	}
	a.names, a.paths = append(a.names, name), append(a.paths, p)
	return nil
}

// entry is a path of an object: which one of the assembly's it is, or len(paths) for those of the rest, and its place among the values there.
type entry struct{ path, at uint32 }

// objects returns the objects.
func (a *assembly) objects() (column.Vector, error) {
	off, entries := a.entries()
	if a.rest != nil {
		off, entries = a.withRest(off, entries)
	}
	return &column.Map{Typ: a.typ, Off: off, Keys: a.keys(entries), Vals: a.values(entries)}, nil
}

// entries returns what each row has at the paths, in the order of their names.
func (a *assembly) entries() (off []uint32, out []entry) {
	off = make([]uint32, a.rows+1)
	a.each(func(_ int, row, _ uint32) { off[row+1]++ })
	for i := range a.rows {
		off[i+1] += off[i]
	}
	out = make([]entry, a.total)
	next := append([]uint32(nil), off[:a.rows]...)
	a.each(func(path int, row, at uint32) {
		out[next[row]] = entry{uint32(path), at}
		next[row]++
	})
	return off, out
}

// each calls f for every value of every path.
func (a *assembly) each(f func(path int, row, at uint32)) {
	for k, p := range a.paths {
		if p.rows == nil {
			for i := range a.rows {
				f(k, uint32(i), uint32(i))
			}
			continue
		}
		for i, row := range p.rows {
			f(k, row, uint32(i))
		}
	}
}

// withRest puts the entries of the rest between the others.
func (a *assembly) withRest(off []uint32, own []entry) (all []uint32, out []entry) {
	keys := a.rest.Keys.(*column.Str)
	all, out = make([]uint32, 1, a.rows+1), make([]entry, 0, len(own)+keys.Len())
	last := uint32(len(a.paths))
	for row := range a.rows {
		mine := own[off[row]:off[row+1]]
		for j := a.rest.Off[row]; j < a.rest.Off[row+1]; j++ {
			for len(mine) > 0 && bytes.Compare(a.names[mine[0].path], keys.At(int(j))) < 0 {
				out, mine = append(out, mine[0]), mine[1:]
			}
			out = append(out, entry{last, j})
		}
		out = append(out, mine...)
		all = append(all, uint32(len(out)))
	}
	return all, out
}

// keys is the names of the entries' paths.
func (a *assembly) keys(entries []entry) *column.Str {
	bytes := 0
	name := func(e entry) []byte {
		if int(e.path) < len(a.names) {
			return a.names[e.path]
		}
		return a.rest.Keys.(*column.Str).At(int(e.at))
	}
	for _, e := range entries {
		bytes += len(name(e))
	}
	out := column.NewStr(a.typ.Elems[0], len(entries))
	out.Data = make([]byte, 0, bytes)
	for _, e := range entries {
		out.Append(name(e))
	}
	return out
}

// values is the values of the entries.
func (a *assembly) values(entries []entry) *column.Variant {
	sources := make([]*column.Variant, 0, len(a.paths)+1)
	for _, p := range a.paths {
		sources = append(sources, p.vals)
	}
	if a.rest != nil {
		sources = append(sources, a.rest.Vals.(*column.Variant))
	}
	out, places := joinAlternatives(a.typ.Elems[1], sources)
	out.Which, out.At = make([]uint32, len(entries)), make([]uint32, len(entries))
	for i, e := range entries {
		v := sources[e.path]
		k := v.Which[e.at]
		if k == column.NoVariant {
			out.Which[i] = k
			continue
		}
		p := places[e.path][k]
		out.Which[i], out.At[i] = p.alt, p.base+v.At[e.at]
	}
	return out.Dense()
}

// place is where an alternative has come to lie: behind others of the same type.
type place struct{ alt, base uint32 }

// joinAlternatives puts the alternatives of one type of several Dynamics together, and returns where each one's are.
func joinAlternatives(t *types.Type, sources []*column.Variant) (*column.Variant, [][]place) {
	out, places := &column.Variant{Typ: t}, make([][]place, len(sources))
	number, length := map[string]uint32{}, []uint32(nil)
	parts := [][]column.Vector(nil)
	for i, v := range sources {
		places[i] = make([]place, len(v.Alts))
		for k, alt := range v.Alts {
			name := alt.Type().String()
			n, ok := number[name]
			if !ok {
				n = uint32(len(parts))
				number[name] = n
				parts, length = append(parts, nil), append(length, 0)
			}
			places[i][k] = place{n, length[n]}
			parts[n], length[n] = append(parts[n], alt), length[n]+uint32(alt.Len())
		}
	}
	for _, p := range parts {
		out.Alts = append(out.Alts, column.Flatten(column.Concat(p...)))
	}
	return out, places
}
