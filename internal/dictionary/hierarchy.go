package dictionary

import (
	"context"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

const (
	// maxDepth bounds the way from a key to its root: longer ones are circles. ClickHouse's.
	maxDepth = 1000
	// maxDescendants bounds the keys that one call lists, over all rows of a block.
	maxDescendants = 1 << 24
)

// hierarchy is the tree that the hierarchical attribute makes of the keys.
type hierarchy struct {
	keys     []uint64
	parents  []uint64 // by row
	roots    []uint8  // 1: the row has no parent
	index    finder
	children map[uint64][]uint64 // in ascending order
}

func newHierarchy(d *Data) *hierarchy {
	h := &hierarchy{keys: d.keys[0].(*column.Num[uint64]).Data, roots: make([]uint8, d.rows), index: d.index, children: map[uint64][]uint64{}}
	v := d.attrs[d.shape.Parent]
	if n, ok := v.(*column.Nullable); ok {
		copy(h.roots, n.Nulls)
		v = n.Inner
	} else if def, ok := d.shape.Attributes[d.shape.Parent].Default.(*column.Num[uint64]); ok {
		for i, p := range v.(*column.Num[uint64]).Data[:d.rows] {
			if p == def.Data[0] {
				h.roots[i] = 1
			}
		}
	}
	h.parents = v.(*column.Num[uint64]).Data[:d.rows]
	_, nullable := d.attrs[d.shape.Parent].(*column.Nullable)
	for i, k := range h.keys {
		if h.roots[i] == 0 || !nullable {
			h.children[h.parents[i]] = append(h.children[h.parents[i]], k)
		}
	}
	for _, list := range h.children {
		slices.Sort(list)
	}
	return h
}

// row is the row of a key, -1 if it is not there.
func (h *hierarchy) row(key uint64) int {
	var at [1]uint32
	if err := h.index.find([]column.Vector{&column.Num[uint64]{Data: []uint64{key}}}, nil, at[:], noRow); err != nil || at[0] == noRow {
		return -1
	}
	return int(at[0])
}

// path appends a key and those above it, up to one that has no parent, is not there, or has come before.
func (h *hierarchy) path(dst []uint64, key uint64) []uint64 {
	start := len(dst)
	r := h.row(key)
	for n := 0; r >= 0 && n < maxDepth; n++ {
		dst = append(dst, key)
		if h.roots[r] != 0 {
			return dst
		}
		if key = h.parents[r]; slices.Contains(dst[start:], key) {
			return dst
		}
		if r = h.row(key); r < 0 {
			dst = append(dst, key)
		}
	}
	return dst
}

// Ancestors returns, for each key, itself and the keys above it. UnsupportedMethod without a hierarchy.
func (d *Data) Ancestors(keys []uint64) (column.Vector, error) {
	h, err := d.hierarchy()
	if err != nil {
		return nil, err
	}
	out := newLists(len(keys))
	for _, k := range keys {
		out.add(func(dst []uint64) []uint64 { return h.path(dst, k) })
	}
	return out.vector()
}

// IsIn reports for each key whether it is below, or is, another. UnsupportedMethod without a hierarchy.
func (d *Data) IsIn(keys, above []uint64) ([]uint8, error) {
	h, err := d.hierarchy()
	if err != nil {
		return nil, err
	}
	out := make([]uint8, len(keys))
	var path []uint64
	for i, k := range keys {
		path = h.path(path[:0], k)
		if slices.Contains(path, above[i]) {
			out[i] = 1
		}
	}
	return out, nil
}

// Descendants returns the keys below each key: at a level, where 1 is that of the children, or with level 0 at all of them. UnsupportedMethod
// without a hierarchy.
func (d *Data) Descendants(ctx context.Context, keys []uint64, level uint64) (column.Vector, error) {
	h, err := d.hierarchy()
	if err != nil {
		return nil, err
	}
	out := newLists(len(keys))
	for i, k := range keys {
		if i%1024 == 0 && ctx != nil && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		out.add(func(dst []uint64) []uint64 { return h.below(dst, k, k, level, 1) })
		if len(out.data) > maxDescendants {
			break
		}
	}
	return out.vector()
}

// below appends the keys under one, which is at depth-1, in order from the top. Keys have one parent: only the key that all began with can
// come again.
func (h *hierarchy) below(dst []uint64, start, key, level, depth uint64) []uint64 {
	if depth > maxDepth || level > 0 && depth > level {
		return dst
	}
	for _, c := range h.children[key] {
		if len(dst) > maxDescendants {
			return dst
		}
		if level == 0 || level == depth {
			dst = append(dst, c)
		}
		if c != start {
			dst = h.below(dst, start, c, level, depth+1)
		}
	}
	return dst
}

// lists are arrays of keys being made.
type lists struct {
	data []uint64
	off  []uint32
}

func newLists(n int) *lists { return &lists{off: make([]uint32, 1, n+1)} }

func (l *lists) add(more func([]uint64) []uint64) {
	l.data = more(l.data)
	l.off = append(l.off, uint32(len(l.data)))
}

func (l *lists) vector() (column.Vector, error) {
	if len(l.data) > maxDescendants {
		return nil, tooMany()
	}
	return &column.Array{Typ: types.NewArray(types.TUInt64), Off: l.off, Elem: column.NewNum(types.TUInt64, l.data)}, nil
}

func tooMany() error {
	return sqlerr.New(sqlerr.TooLargeArraySize, "A block of keys of a dictionary has more than %d keys below", maxDescendants)
}
