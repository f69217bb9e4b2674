package segment

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sort"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/segment/page"
	"github.com/zeebo/xxh3"
)

// pathDir is the directory of a page of objects, decoded: which paths have bodies of their own, and where they lie. Immutable.
type pathDir struct {
	names  []byte   // of the paths, ascending, end to end
	ends   []uint32 // where each name ends
	bodies []ref    // of the paths, then that of the other paths, if there are any
	stats  [][]byte // of each path: see pathStats
	others []uint32 // hashes of the paths without a body of their own, ascending
}

// hashPath is what a directory holds of a path without a body of its own.
func hashPath(path []byte) uint32 { return uint32(xxh3.Hash(path)) }

// append appends a directory, page kind and all. The bodies follow each other in the file.
func (d *pathDir) append(dst []byte) []byte {
	dst = append(dst, pagePaths)
	dst = page.AppendU32(dst, uint32(len(d.ends)))
	lengths, sizes := make([]uint32, len(d.ends)), make([]uint32, len(d.bodies))
	from := uint32(0)
	for i, end := range d.ends {
		lengths[i] = end - from
		from = end
	}
	for i, b := range d.bodies {
		sizes[i] = uint32(b.len)
	}
	dst = append(page.AppendU32(page.AppendSizedInts(dst, lengths), uint32(len(d.names))), d.names...)
	first := uint64(0)
	if len(d.bodies) > 0 {
		first = uint64(d.bodies[0].off)
	}
	dst = binary.LittleEndian.AppendUint64(dst, first)
	dst = page.AppendSizedInts(page.AppendU32(dst, uint32(len(d.bodies))), sizes)
	for _, s := range d.stats {
		dst = append(page.AppendU32(dst, uint32(len(s))), s...)
	}
	return page.AppendSizedInts(page.AppendU32(dst, uint32(len(d.others))), d.others)
}

// Limits of what a directory is believed: of paths with a body of their own there are no more than max_dynamic_paths, 10,000, and the declared ones, and
// of the others no more than entries of objects fit into the rows of a page (maxPageBytes).
const (
	maxPagePaths  = 1 << 17
	maxOtherPaths = 1 << 23
)

// parseDir decodes a directory behind its kind.
func parseDir(in *page.Input, path string) (*pathDir, error) {
	n := int(in.U32())
	if in.Err() == nil && n > maxPagePaths {
		return nil, corrupt(path, "a page of %d paths", n)
	}
	d := &pathDir{ends: page.SizedInts[uint32](in, n)}
	d.names = in.Sized()
	at := int64(in.U64())
	bodies := int(in.U32())
	if in.Err() == nil && bodies != n && bodies != n+1 {
		return nil, corrupt(path, "%d bodies of %d paths", bodies, n)
	}
	sizes := page.SizedInts[uint32](in, bodies)
	d.stats = make([][]byte, n)
	for i := range d.stats {
		d.stats[i] = in.Sized()
	}
	others := int(in.U32())
	if in.Err() == nil && others > maxOtherPaths {
		return nil, corrupt(path, "a page of %d more paths", others)
	}
	d.others = page.SizedInts[uint32](in, others)
	if err := in.Err(); err != nil {
		return nil, err
	}
	if (len(sizes) > n) != (len(d.others) > 0) || !slices.IsSorted(d.others) {
		return nil, corrupt(path, "%d paths beside %d bodies of %d", len(d.others), len(sizes), n)
	}
	for _, size := range sizes {
		d.bodies = append(d.bodies, ref{off: at, len: int(size)})
		at += int64(size) + sumSize
	}
	return d, d.checkNames(path)
}

// checkNames makes ends of the lengths and sees that names ascend.
func (d *pathDir) checkNames(path string) error {
	end := uint64(0)
	for i, l := range d.ends {
		if end += uint64(l); end > uint64(len(d.names)) {
			break
		}
		d.ends[i] = uint32(end)
		if i > 0 && bytes.Compare(d.name(i-1), d.name(i)) >= 0 {
			return corrupt(path, "path %q behind %q", d.name(i), d.name(i-1))
		}
	}
	if end != uint64(len(d.names)) {
		return corrupt(path, "names of paths of %d bytes instead of %d", end, len(d.names))
	}
	return nil
}

// name is the name of path i.
func (d *pathDir) name(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = d.ends[i-1]
	}
	return d.names[from:d.ends[i]]
}

// find returns the number of a path, or -1 if it has no body of its own.
func (d *pathDir) find(path string) int {
	p := []byte(path)
	i := sort.Search(len(d.ends), func(i int) bool { return bytes.Compare(d.name(i), p) >= 0 })
	if i == len(d.ends) || !bytes.Equal(d.name(i), p) {
		return -1
	}
	return i
}

// below returns the numbers [from, to) of the paths that begin with a prefix.
func (d *pathDir) below(prefix string) (from, to int) {
	p := []byte(prefix)
	from = sort.Search(len(d.ends), func(i int) bool { return bytes.Compare(d.name(i), p) >= 0 })
	for to = from; to < len(d.ends) && bytes.HasPrefix(d.name(to), p); to++ {
	}
	return from, to
}

// hasOther reports whether the rows may have a path that has no body of its own.
func (d *pathDir) hasOther(path string) bool {
	_, ok := slices.BinarySearch(d.others, hashPath([]byte(path)))
	return ok
}

// rest is where the paths without a body of their own lie; false if there are none.
func (d *pathDir) rest() (ref, bool) {
	if len(d.bodies) == len(d.ends) {
		return ref{}, false
	}
	return d.bodies[len(d.ends)], true
}

// typeStats is what a directory says of the values of one type at a path.
type typeStats struct {
	name  string // of the type
	rows  uint32
	flags uint8 // hasBounds, hasNaN
	// lo and hi enclose the values but NaN, if the flags say that there are bounds.
	lo, hi column.Vector
}

// appendStats appends the statistics of the values at a path.
func appendStats(dst []byte, v *column.Variant) ([]byte, error) {
	dst = page.AppendU32(dst, uint32(len(v.Alts)))
	for _, a := range v.Alts {
		name := a.Type().String()
		dst = append(page.AppendU32(dst, uint32(len(name))), name...)
		dst = page.AppendU32(dst, uint32(a.Len()))
		if !isScalar(a.Type()) {
			dst = append(dst, 0)
			continue
		}
		b := newBoundsBuilder(a.Type())
		b.add(nil, a, 0, a.Len())
		b.end()
		dst = append(dst, b.flags[0])
		if b.flags[0]&hasBounds == 0 {
			continue
		}
		var err error
		if dst, err = page.AppendSizedVector(dst, b.mins); err != nil {
			return dst, err
		}
		if dst, err = page.AppendSizedVector(dst, b.maxs); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// pathStats returns what the directory says of path i, a type at a time.
func (d *pathDir) pathStats(i int, path string) ([]typeStats, error) {
	in := page.NewInput(d.stats[i])
	var out []typeStats
	for left := in.U32(); left > 0 && in.Err() == nil; left-- {
		s := typeStats{name: string(in.Sized()), rows: in.U32(), flags: in.U8()}
		if s.flags&hasBounds != 0 && in.Err() == nil {
			t, err := types.Parse(s.name)
			if err != nil || !isScalar(t) {
				return nil, corrupt(path, "bounds of type %q at path %q", s.name, d.name(i))
			}
			s.lo, s.hi = in.SizedVector(t, 1), in.SizedVector(t, 1)
		}
		out = append(out, s)
	}
	return out, in.Err()
}

// pathDir reads the directory of page p of a column; nil if its objects are stored whole.
func (r *Reader) pathDir(c *columnState, ix *columnIndex, p int) (*pathDir, error) {
	b, err := r.pageBody(c, ix, p)
	if err != nil {
		return nil, err
	}
	in := page.NewInput(b)
	if in.U8() != pagePaths {
		return nil, in.Err()
	}
	return parseDir(in, r.path)
}
