// Package grouping numbers rows by their key columns: equal keys get equal numbers, dense
// and in order of first appearance. GROUP BY, DISTINCT, LIMIT BY, joins, window partitions and IN sets
// are all built on it.
//
// # Keys
//
// An Encoder turns the key columns of a row into a few 64-bit words. A fixed-width column takes its
// own bits, anything else (strings, arrays …) is interned: its distinct values are numbered
// and the number takes 32 bits. A nullable column takes one bit more. Words are filled first-fit, wide columns first:
//
//	(UInt32 region, Nullable(String) phrase, UInt8 age):  word 0: region | phrase's number   word 1: age | null bit
//
// So strings are hashed and stored once, whatever they are combined with, and dictionary-coded
// columns are hashed once per entry. An Index numbers the words.
package grouping

import (
	"cmp"
	"slices"

	"github.com/olapd/olapd/internal/types"
)

// keyColumn is where one column lives in the words.
type keyColumn struct {
	typ      *types.Type // without LowCardinality
	inner    *types.Type // without Nullable too
	nullable bool
	intern   *interner // nil: fixed width
	bits     int       // 8 to 64, or 128: two whole words
	at       place
	null     place // of the null bit
}

// place is a word and the bit in it at which a value begins.
type place struct{ word, shift int }

// layout places the columns and returns them with the number of words of a row.
func layout(ts []*types.Type, collide bool) ([]keyColumn, int) {
	cols := make([]keyColumn, len(ts))
	for i, t := range ts {
		t = t.WithoutLowCardinality()
		c := &cols[i]
		*c = keyColumn{typ: t, inner: t.WithoutNullable(), nullable: t.Kind == types.Nullable}
		if c.bits = fixedBits(c.inner); c.bits == 0 {
			c.bits, c.intern = 32, newInterner(c.inner, collide)
		}
	}
	return cols, placeColumns(cols)
}

// placeColumns gives each column its place and returns the number of words of a row.
func placeColumns(cols []keyColumn) int {
	items := make([]item, 0, 2*len(cols))
	for i := range cols {
		c := &cols[i]
		items = append(items, item{c.bits, &c.at})
		if c.nullable {
			items = append(items, item{1, &c.null})
		}
	}
	return placeAll(items)
}

type item struct {
	bits int
	at   *place
}

// placeAll packs the items first-fit, wide ones first, and returns the number of words, at least one.
func placeAll(items []item) int {
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(b.bits, a.bits) })
	var used []int
	for _, it := range items {
		if it.bits > 64 {
			*it.at = place{word: len(used)}
			for range it.bits / 64 {
				used = append(used, 64)
			}
			continue
		}
		w := 0
		for w < len(used) && used[w]+it.bits > 64 {
			w++
		}
		if w == len(used) {
			used = append(used, 0)
		}
		*it.at = place{w, used[w]}
		used[w] += it.bits
	}
	return max(len(used), 1)
}

// fixedBits is the width of a fixed-width type, 0 for types that are interned.
func fixedBits(t *types.Type) int {
	switch t.Phys() {
	case types.PUInt8, types.PInt8:
		return 8
	case types.PUInt16, types.PInt16:
		return 16
	case types.PUInt32, types.PInt32, types.PFloat32:
		return 32
	case types.PUInt64, types.PInt64, types.PFloat64:
		return 64
	case types.PUInt128, types.PInt128:
		return 128
	case types.PUInt256, types.PInt256:
		return 256
	}
	return 0
}
