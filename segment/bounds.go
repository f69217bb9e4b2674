package segment

import (
	"bytes"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/segment/page"
)

// The flags of a granule in a column index.
const (
	hasBounds = 1
	hasNaN    = 2
)

// boundsBuilder gathers null counts and bounds per granule, and over all.
type boundsBuilder struct {
	nulls  []uint32
	flags  []uint8
	mins   column.Builder
	maxs   column.Builder
	cur    span
	all    span
	counts int64 // NULLs over all
	stamp  []uint32
	serial uint32
}

// span is the bounds of some rows: lo and hi are vectors of length 1, or nil without values.
type span struct {
	lo, hi column.Vector
	nulls  uint32
	nan    bool
}

func newBoundsBuilder(t *types.Type) *boundsBuilder {
	return &boundsBuilder{mins: column.New(t.Inner(), 0), maxs: column.New(t.Inner(), 0)}
}

// add takes rows [from, to) of a page into the current granule.
func (b *boundsBuilder) add(nulls []uint8, inner column.Vector, from, to int) {
	part := inner.Slice(from, to)
	if nulls != nil {
		n := kernel.Count(nulls[from:to])
		b.cur.nulls += uint32(n)
		b.counts += int64(n)
		if n == to-from {
			return
		}
		if n > 0 {
			keep := make([]uint8, to-from)
			kernel.Not(keep, nulls[from:to])
			part = column.Gather(part, kernel.AppendSelected(nil, keep, 0))
		}
	}
	lo, hi, nan := b.bounds(part)
	b.cur.widen(lo, hi, nan)
}

func (s *span) widen(lo, hi column.Vector, nan bool) {
	s.nan = s.nan || nan
	if lo == nil {
		return
	}
	if s.lo == nil || column.Compare(lo, 0, s.lo, 0) < 0 {
		s.lo = lo
	}
	if s.hi == nil || column.Compare(hi, 0, s.hi, 0) > 0 {
		s.hi = hi
	}
}

// end closes the current granule.
func (b *boundsBuilder) end() {
	b.all.widen(b.cur.lo, b.cur.hi, b.cur.nan)
	flags := uint8(0)
	if b.cur.nan {
		flags |= hasNaN
	}
	if b.cur.lo == nil {
		b.mins.AppendDefault()
		b.maxs.AppendDefault()
	} else {
		flags |= hasBounds
		b.mins.AppendFrom(shorten(b.cur.lo, false), 0)
		b.maxs.AppendFrom(shorten(b.cur.hi, true), 0)
	}
	b.nulls, b.flags = append(b.nulls, b.cur.nulls), append(b.flags, flags)
	b.cur = span{}
}

// append writes the part of a column index that page.Input reads in parseColumnIndex.
func (b *boundsBuilder) append(dst []byte) ([]byte, error) {
	dst = page.AppendSizedInts(page.AppendSizedInts(dst, b.nulls), b.flags)
	dst, err := page.AppendSizedVector(dst, b.mins)
	if err != nil {
		return dst, err
	}
	return page.AppendSizedVector(dst, b.maxs)
}

// shorten makes a long string bound at most maxBoundBytes long, upwards if up.
func shorten(v column.Vector, up bool) column.Vector {
	s, ok := v.(*column.Str)
	if !ok || s.Typ.Width() > 0 || len(s.At(0)) <= maxBoundBytes {
		return v
	}
	cut := bytes.Clone(s.At(0)[:maxBoundBytes])
	if up {
		if cut = successor(cut); cut == nil {
			return v
		}
	}
	out := column.NewStr(s.Typ, 1)
	out.Append(cut)
	return out
}

// successor returns the least string greater than every string that begins with s, or nil if there is none. It reuses s.
func successor(s []byte) []byte {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] != 0xff {
			s[i]++
			return s[:i+1]
		}
	}
	return nil
}

// bounds returns the least and greatest value of a vector of scalars, NaN aside; nil if there are none.
func (b *boundsBuilder) bounds(v column.Vector) (lo, hi column.Vector, nan bool) {
	if v.Len() == 0 {
		return nil, nil, false
	}
	switch v := v.(type) {
	case *column.Num[uint8]:
		return intBounds(v)
	case *column.Num[uint16]:
		return intBounds(v)
	case *column.Num[uint32]:
		return intBounds(v)
	case *column.Num[uint64]:
		return intBounds(v)
	case *column.Num[int8]:
		return intBounds(v)
	case *column.Num[int16]:
		return intBounds(v)
	case *column.Num[int32]:
		return intBounds(v)
	case *column.Num[int64]:
		return intBounds(v)
	case *column.Num[float32]:
		return floatBounds(v)
	case *column.Num[float64]:
		return floatBounds(v)
	case *column.Dict:
		return b.dictBounds(v)
	case *column.Str:
		return textBounds(v)
	case *column.Const:
		return b.bounds(v.Value)
	default:
		return compareBounds(v)
	}
}

func intBounds[T interface {
	kernel.Int
	column.Elem
}](v *column.Num[T]) (lo, hi column.Vector, nan bool) {
	l, h := kernel.MinMaxInt(v.Data)
	return column.NewNum(v.Typ, []T{l}), column.NewNum(v.Typ, []T{h}), false
}

func floatBounds[T interface {
	kernel.Float
	column.Elem
}](v *column.Num[T]) (lo, hi column.Vector, nan bool) {
	for _, x := range v.Data {
		nan = nan || x != x
	}
	l, h, ok := kernel.MinMaxFloat(v.Data)
	if !ok {
		return nil, nil, nan
	}
	return column.NewNum(v.Typ, []T{l}), column.NewNum(v.Typ, []T{h}), nan
}

// dictBounds compares each entry once.
func (b *boundsBuilder) dictBounds(v *column.Dict) (lo, hi column.Vector, nan bool) {
	if n := v.Values.Len(); len(b.stamp) < n {
		b.stamp = append(b.stamp, make([]uint32, n-len(b.stamp))...)
	}
	b.serial++
	vals, ok := v.Values.(*column.Str)
	if !ok {
		return compareBounds(v)
	}
	min, max := v.Codes[0], v.Codes[0]
	least, most := vals.At(int(min)), vals.At(int(max))
	for _, c := range v.Codes {
		if b.stamp[c] == b.serial {
			continue
		}
		b.stamp[c] = b.serial
		if s := vals.At(int(c)); bytes.Compare(s, least) < 0 {
			min, least = c, s
		} else if bytes.Compare(s, most) > 0 {
			max, most = c, s
		}
	}
	return one(vals, int(min)), one(vals, int(max)), false
}

// textBounds compares the bytes: strings and fixed strings are ordered by them.
func textBounds(v *column.Str) (lo, hi column.Vector, nan bool) {
	min, max := 0, 0
	least, most := v.At(0), v.At(0)
	for i := range v.Len() {
		if s := v.At(i); bytes.Compare(s, least) < 0 {
			min, least = i, s
		} else if bytes.Compare(s, most) > 0 {
			max, most = i, s
		}
	}
	return one(v, min), one(v, max), false
}

func compareBounds(v column.Vector) (lo, hi column.Vector, nan bool) {
	min, max := 0, 0
	for i := 1; i < v.Len(); i++ {
		if column.Compare(v, i, v, min) < 0 {
			min = i
		} else if column.Compare(v, i, v, max) > 0 {
			max = i
		}
	}
	return one(v, min), one(v, max), false
}

// one copies a value out, so that it does not hold the vector.
func one(v column.Vector, i int) column.Vector {
	b := column.New(v.Type(), 1)
	b.AppendFrom(v, i)
	return b
}
