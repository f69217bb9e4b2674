package eval

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
)

// lookup finds integers in a set without hashing them.
type lookup interface {
	// find writes 1 to dst[i] where value i of v is in the set, else 0; false if v's form is another.
	find(dst []uint8, v column.Vector) bool
}

// Limits of lookups.
const (
	maxCompared = 12      // values that are compared with one after the other
	maxTable    = 1 << 18 // bytes of a table over the values' range: what the second-level cache holds beside a block
)

// newLookup returns a lookup of the distinct values of a set's only column, or nil.
func newLookup(values column.Vector) lookup {
	switch v := column.Flatten(values).(type) {
	case *column.Num[uint8]:
		return intLookup(v.Data)
	case *column.Num[uint16]:
		return intLookup(v.Data)
	case *column.Num[uint32]:
		return intLookup(v.Data)
	case *column.Num[uint64]:
		return intLookup(v.Data)
	case *column.Num[int8]:
		return intLookup(v.Data)
	case *column.Num[int16]:
		return intLookup(v.Data)
	case *column.Num[int32]:
		return intLookup(v.Data)
	case *column.Num[int64]:
		return intLookup(v.Data)
	}
	return nil
}

type smallInt interface {
	uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64
}

func intLookup[T smallInt](values []T) lookup {
	if len(values) == 0 {
		return nil
	}
	if len(values) <= maxCompared {
		return &compared[T]{append([]T(nil), values...)}
	}
	lo, hi := kernel.MinMaxInt(values)
	if span := uint64(hi) - uint64(lo); span < maxTable {
		t := &table[T]{lo: lo, member: make([]uint8, span+1)}
		for _, x := range values {
			t.member[uint64(x)-uint64(lo)] = 1
		}
		return t
	}
	return nil
}

// compared is a set of few values.
type compared[T smallInt] struct{ values []T }

func (c *compared[T]) find(dst []uint8, v column.Vector) bool {
	n, ok := v.(*column.Num[T])
	if !ok {
		return false
	}
	kernel.CompareConst(dst, kernel.Eq, n.Data, c.values[0])
	if len(c.values) == 1 {
		return true
	}
	one := make([]uint8, len(dst))
	for _, x := range c.values[1:] {
		kernel.CompareConst(one, kernel.Eq, n.Data, x)
		kernel.Or(dst, dst, one)
	}
	return true
}

// table is a set of values within a small range.
type table[T smallInt] struct {
	lo     T
	member []uint8
}

func (t *table[T]) find(dst []uint8, v column.Vector) bool {
	n, ok := v.(*column.Num[T])
	if !ok {
		return false
	}
	lo, member, last := uint64(t.lo), t.member, uint64(len(t.member)-1)
	for i, x := range n.Data {
		at := uint64(x) - lo
		in := member[min(at, last)]
		if at > last {
			in = 0
		}
		dst[i] = in
	}
	return true
}
