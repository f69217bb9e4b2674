package function

import (
	"bytes"
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// keyed is array columns whose elements are numbered so that equal ones, across the columns, have equal numbers.
type keyed struct {
	arrays   []arrayArg
	ids      [][]uint32
	nulls    []broadcast[uint8]
	distinct int // every number is less
}

// numberElements casts the arrays to one element type and numbers their elements, in their order; with closed, elements that the first array has not are all
// one. compared says that floats are equal as = has it, not by their bits.
func numberElements(c *Call, args []column.Vector, t *types.Type, compared, closed bool) (*keyed, error) {
	out := &keyed{}
	seen := newNumbering()
	seen.compared = compared
	for _, a := range args {
		arr := arraysOf(a)
		e, err := Cast(c.Env, arr.Elem, t)
		if err != nil {
			return nil, err
		}
		e = column.Flatten(e)
		_, nulls := splitNullable(e)
		out.arrays, out.ids, out.nulls = append(out.arrays, arr), append(out.ids, seen.number(e)), append(out.nulls, nulls)
		if closed && !seen.closed {
			seen.close()
		}
	}
	out.distinct = seen.count
	return out, nil
}

// numbering gives equal values equal numbers from 0 on: a table of open addressing, over the values themselves where they are plain numbers, else over
// hashes. Floats are equal by their bits, everything else as column.Compare has it. All vectors of one numbering have one type.
type numbering struct {
	compared bool     // floats are equal as = has it: the zeros are, NaN is not to itself
	slots    []uint32 // number plus one, or 0; the length is a power of two and at least twice count
	keys     []uint64 // number → the value (see plainKeys) or its hash
	count    int
	null     uint32 // number of NULL plus one
	// plainly: the values are plain numbers. Of others vecs and rows say where a number was seen first.
	plainly bool
	vecs    []column.Vector
	rows    []uint32
	closed  bool   // values that are not there yet have the number unseen
	unseen  uint32 // where closed
}

// close makes the values numbered so far the only ones: all others have one number, which none of them has.
func (s *numbering) close() {
	s.unseen, s.closed = s.alone(), true
}

func newNumbering() *numbering { return &numbering{slots: make([]uint32, 64)} }

// number returns the numbers of the values of v, which is flat.
func (s *numbering) number(v column.Vector) []uint32 {
	if n, ok := v.(*column.Nullable); ok {
		ids := s.number(n.Inner)
		for i, null := range n.Nulls {
			if null != 0 {
				ids[i] = s.ofNull()
			}
		}
		return ids
	}
	ids := make([]uint32, v.Len())
	if keys := plainKeys(v); keys != nil {
		s.plainly = true
		for i, k := range keys {
			ids[i] = s.plain(k)
		}
		if s.compared && v.Type().IsFloat() {
			s.compareFloats(ids, numsOf[float64](v))
		}
		return ids
	}
	hashes := make([]uint64, v.Len())
	column.Hash(v, hashes)
	for i, h := range hashes {
		ids[i] = s.hashed(h, v, i)
	}
	return ids
}

// compareFloats makes the numbers of floats those of equality as = has it.
func (s *numbering) compareFloats(ids []uint32, data []float64) {
	for i, x := range data {
		if x == 0 {
			ids[i] = s.plain(0)
		} else if x != x {
			ids[i] = s.alone()
		}
	}
}

func (s *numbering) ofNull() uint32 {
	if s.null == 0 {
		s.null = s.alone() + 1
	}
	return s.null - 1
}

// alone is a number that no value in the table has.
func (s *numbering) alone() uint32 {
	if !s.plainly {
		s.vecs, s.rows = append(s.vecs, nil), append(s.rows, 0)
	}
	s.keys = append(s.keys, 0)
	s.count++
	return uint32(s.count) - 1
}

// plain is the number of a plain value.
func (s *numbering) plain(key uint64) uint32 {
	mask := uint64(len(s.slots) - 1)
	at := column.Mix(key) & mask
	for ; s.slots[at] != 0; at = (at + 1) & mask {
		if id := s.slots[at] - 1; s.keys[id] == key {
			return id
		}
	}
	if s.closed {
		return s.unseen
	}
	return s.add(at, key)
}

// hashed is the number of value i of v, whose hash is h.
func (s *numbering) hashed(h uint64, v column.Vector, i int) uint32 {
	mask := uint64(len(s.slots) - 1)
	at := h & mask
	for ; s.slots[at] != 0; at = (at + 1) & mask {
		if id := s.slots[at] - 1; s.keys[id] == h && equalValues(s.vecs[id], int(s.rows[id]), v, i) {
			return id
		}
	}
	if s.closed {
		return s.unseen
	}
	s.vecs, s.rows = append(s.vecs, v), append(s.rows, uint32(i))
	return s.add(at, h)
}

// add gives the next number to key, at a free slot.
func (s *numbering) add(at, key uint64) uint32 {
	s.keys = append(s.keys, key)
	s.count++
	s.slots[at] = uint32(s.count)
	if 2*s.count > len(s.slots) {
		s.rehash()
	}
	return uint32(s.count) - 1
}

func (s *numbering) rehash() {
	old := s.slots
	s.slots = make([]uint32, 2*len(old))
	mask := uint64(len(s.slots) - 1)
	for _, slot := range old {
		if slot == 0 {
			continue
		}
		at := s.keys[slot-1]
		if s.plainly {
			at = column.Mix(at)
		}
		at &= mask
		for s.slots[at] != 0 {
			at = (at + 1) & mask
		}
		s.slots[at] = slot
	}
}

func equalValues(a column.Vector, i int, b column.Vector, j int) bool {
	if s, ok := a.(*column.Str); ok {
		return bytes.Equal(s.At(i), b.(*column.Str).At(j))
	}
	return column.Compare(a, i, b, j) == 0
}

// plainKeys returns numbers that are equal where the values of v are, or nil unless v holds numbers of at most 64 bits.
func plainKeys(v column.Vector) []uint64 {
	switch v := v.(type) {
	case *column.Num[uint64]:
		return v.Data
	case *column.Num[float64]:
		return floatKeys(v.Data)
	case *column.Num[float32]:
		return floatKeys(v.Data)
	case *column.Num[uint8], *column.Num[uint16], *column.Num[uint32], *column.Num[int8], *column.Num[int16], *column.Num[int32], *column.Num[int64]:
		return numsOf[uint64](v)
	}
	return nil
}

// floatKeys are the bits: the two zeros differ, and NaN equals itself.
func floatKeys[T float32 | float64](data []T) []uint64 {
	out := make([]uint64, len(data))
	for i, x := range data {
		out[i] = math.Float64bits(float64(x))
	}
	return out
}
