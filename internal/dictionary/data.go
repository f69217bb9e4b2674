package dictionary

import (
	"context"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

// Reader answers lookups. Safe for concurrent use.
type Reader interface {
	// Lookup finds the rows of n keys, given as vectors of the key's types, in what it returns beside their numbers: Data.Rows() for
	// keys that are not there. at are points of the shape's type for a range layout, else nil.
	Lookup(ctx context.Context, keys []column.Vector, at column.Vector, n int) (*Data, []uint32, error)
	// All is the whole dictionary. A direct layout refuses.
	All(ctx context.Context) (*Data, error)
}

// finder is the index of a layout: it writes into rows the row of each key, none where there is none.
type finder interface {
	find(keys []column.Vector, at column.Vector, rows []uint32, none uint32) error
	bytes() int64
}

// Data is the rows of a dictionary.
type Data struct {
	shape  *Shape
	rows   int
	keys   []column.Vector
	bounds []column.Vector // of intervals
	attrs  []column.Vector // of rows+1 values, the last of which is the default
	index  finder
	bytes  int64
	tree   func() *hierarchy // nil without a hierarchy
}

var _ Reader = (*Data)(nil)

// Rows is how many there are.
func (d *Data) Rows() int { return d.rows }

// Bytes is the memory that rows and index take.
func (d *Data) Bytes() int64 { return d.bytes }

// Shape is that of the dictionary.
func (d *Data) Shape() *Shape { return d.shape }

// Lookup implements Reader.
func (d *Data) Lookup(_ context.Context, keys []column.Vector, at column.Vector, n int) (*Data, []uint32, error) {
	rows := make([]uint32, n)
	flat := make([]column.Vector, len(keys))
	for i, k := range keys {
		flat[i] = column.Flatten(k)
	}
	if at != nil {
		at = column.Flatten(at)
	}
	return d, rows, d.index.find(flat, at, rows, uint32(d.rows))
}

// All implements Reader.
func (d *Data) All(context.Context) (*Data, error) { return d, nil }

// Gather returns an attribute of rows that Lookup found, its default for those that are not there.
func (d *Data) Gather(attribute int, rows []uint32) column.Vector {
	return column.Gather(d.attrs[attribute], rows)
}

// Block is the dictionary as a table; see Shape.Schema.
func (d *Data) Block() *column.Block {
	b := &column.Block{N: d.rows}
	b.Cols = append(append(b.Cols, d.keys...), d.bounds...)
	for _, a := range d.attrs[:len(d.shape.Attributes)] {
		b.Cols = append(b.Cols, a.Slice(0, d.rows))
	}
	return b
}

// Hierarchy is the tree of keys that the hierarchical attribute makes. UnsupportedMethod if there is none.
func (d *Data) hierarchy() (*hierarchy, error) {
	if d.tree == nil {
		return nil, sqlerr.New(sqlerr.UnsupportedMethod, "Dictionary %s does not support hierarchy", d.shape.Name)
	}
	return d.tree(), nil
}

func (d *Data) finish() {
	if d.shape.KeyAttribute {
		d.attrs = append(d.attrs[:len(d.attrs):len(d.attrs)], column.Concat(d.keys[0], d.shape.At(len(d.attrs)).Default))
	}
	if d.shape.Parent >= 0 && d.shape.Simple {
		d.tree = sync.OnceValue(func() *hierarchy { return newHierarchy(d) })
	}
	d.bytes = d.index.bytes()
	for _, list := range [][]column.Vector{d.keys, d.bounds, d.attrs} {
		for _, v := range list {
			d.bytes += v.Bytes()
		}
	}
}
