package column

import (
	"fmt"

	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// AppendDefault implements Builder.
func (v *Num[T]) AppendDefault() {
	var zero T
	if v.Typ.IsEnum() {
		v.AppendRange(enumDefault(v.Typ), 0, 1)
		return
	}
	v.Data = append(v.Data, zero)
}

// AppendDefault implements Builder.
func (v *Str) AppendDefault() {
	v.Data = append(v.Data, make([]byte, v.Typ.Width())...)
	v.EndValue()
}

// AppendDefault implements Builder.
func (v *Nullable) AppendDefault() { v.AppendNull() }

// AppendDefault implements Builder.
func (v *Array) AppendDefault() { v.EndValue() }

// AppendDefault implements Builder.
func (v *Map) AppendDefault() {
	if v.Typ.Kind == types.JSON {
		v.appendTypedDefaults()
	}
	v.EndValue()
}

// AppendDefault implements Builder.
func (v *Tuple) AppendDefault() {
	for _, e := range v.Elems {
		e.(Builder).AppendDefault()
	}
	v.N++
}

// AppendFrom implements Builder.
func (v *Num[T]) AppendFrom(src Vector, i int)   { v.AppendRange(src, i, i+1) }
func (v *Str) AppendFrom(src Vector, i int)      { v.AppendRange(src, i, i+1) }
func (v *Nullable) AppendFrom(src Vector, i int) { v.AppendRange(src, i, i+1) }
func (v *Array) AppendFrom(src Vector, i int)    { v.AppendRange(src, i, i+1) }
func (v *Map) AppendFrom(src Vector, i int)      { v.AppendRange(src, i, i+1) }
func (v *Tuple) AppendFrom(src Vector, i int)    { v.AppendRange(src, i, i+1) }

// AppendRange implements Builder.
func (v *Num[T]) AppendRange(src Vector, from, to int) {
	switch s := src.(type) {
	case *Num[T]:
		v.Data = append(v.Data, s.Data[from:to]...)
	case *Dict:
		v.AppendSelected(s.Values, s.Codes[from:to])
	case *Const:
		v.AppendSelected(s.Value, make([]uint32, to-from))
	default:
		mismatch(v, src)
	}
}

// AppendSelected implements Builder.
func (v *Num[T]) AppendSelected(src Vector, sel []uint32) {
	switch s := src.(type) {
	case *Num[T]:
		n := len(v.Data)
		v.Data = grow(v.Data, len(sel))
		dst := v.Data[n:]
		for i, p := range sel {
			dst[i] = s.Data[p]
		}
	case *Dict:
		v.AppendSelected(s.Values, codesAt(s.Codes, sel))
	case *Const:
		v.AppendSelected(s.Value, make([]uint32, len(sel)))
	default:
		mismatch(v, src)
	}
}

// AppendRange implements Builder.
func (v *Str) AppendRange(src Vector, from, to int) {
	switch s := src.(type) {
	case *Str:
		checkBytes(len(v.Data) + int(s.Off[to]-s.Off[from]))
		base := uint32(len(v.Data)) - s.Off[from]
		v.Data = append(v.Data, s.Data[s.Off[from]:s.Off[to]]...)
		n := len(v.Off)
		v.Off = grow(v.Off, to-from)
		dst := v.Off[n:]
		for i, o := range s.Off[from+1 : to+1] {
			dst[i] = base + o
		}
	case *Dict:
		v.AppendSelected(s.Values, s.Codes[from:to])
	case *Const:
		v.AppendSelected(s.Value, make([]uint32, to-from))
	default:
		mismatch(v, src)
	}
}

// AppendSelected implements Builder.
func (v *Str) AppendSelected(src Vector, sel []uint32) {
	switch s := src.(type) {
	case *Str:
		size := 0
		for _, p := range sel {
			size += int(s.Off[p+1] - s.Off[p])
		}
		checkBytes(len(v.Data) + size)
		v.Data, v.Off = kernel.GatherBytes(v.Data, v.Off, s.Data, s.Off, sel)
	case *Dict:
		v.AppendSelected(s.Values, codesAt(s.Codes, sel))
	case *Const:
		v.AppendSelected(s.Value, make([]uint32, len(sel)))
	default:
		mismatch(v, src)
	}
}

// AppendRange implements Builder.
func (v *Nullable) AppendRange(src Vector, from, to int) {
	inner := v.Inner.(Builder)
	switch s := src.(type) {
	case *Nullable:
		v.Nulls = append(v.Nulls, s.Nulls[from:to]...)
		if s.typ.Elem().Kind == v.typ.Elem().Kind || s.typ.Elem().Phys() == v.typ.Elem().Phys() {
			inner.AppendRange(s.Inner, from, to)
			return
		}
		for i := from; i < to; i++ { // Nullable(Nothing): the literal NULL
			inner.AppendDefault()
		}
	case *Const:
		v.AppendSelected(s.Value, make([]uint32, to-from))
	default:
		v.Nulls = append(v.Nulls, make([]uint8, to-from)...)
		inner.AppendRange(src, from, to)
	}
}

// AppendSelected implements Builder.
func (v *Nullable) AppendSelected(src Vector, sel []uint32) {
	inner := v.Inner.(Builder)
	switch s := src.(type) {
	case *Nullable:
		for _, p := range sel {
			v.Nulls = append(v.Nulls, s.Nulls[p])
		}
		if s.typ.Elem().Phys() == v.typ.Elem().Phys() {
			inner.AppendSelected(s.Inner, sel)
			return
		}
		for range sel {
			inner.AppendDefault()
		}
	case *Const:
		v.AppendSelected(s.Value, make([]uint32, len(sel)))
	default:
		v.Nulls = append(v.Nulls, make([]uint8, len(sel))...)
		inner.AppendSelected(src, sel)
	}
}

// AppendRange implements Builder.
func (v *Array) AppendRange(src Vector, from, to int) {
	switch s := src.(type) {
	case *Array:
		base := uint32(v.Elem.Len()) - s.Off[from]
		v.Elem.(Builder).AppendRange(s.Elem, int(s.Off[from]), int(s.Off[to]))
		for _, o := range s.Off[from+1 : to+1] {
			v.Off = append(v.Off, base+o)
		}
	default:
		v.AppendRange(Flatten(src), from, to)
	}
}

// AppendSelected implements Builder.
func (v *Array) AppendSelected(src Vector, sel []uint32) {
	s, ok := src.(*Array)
	n := 0
	if ok {
		for _, p := range sel {
			n += int(s.Off[p+1] - s.Off[p])
		}
	}
	if !ok || n > longArray*len(sel) {
		appendEach(v, src, sel)
		return
	}
	at, from := make([]uint32, n), len(v.Off)
	v.Off = grow(v.Off, len(sel))
	ends, base, k := v.Off[from:], uint32(v.Elem.Len()), 0
	for i, p := range sel {
		for j := s.Off[p]; j < s.Off[p+1]; j++ {
			at[k] = j
			k++
		}
		ends[i] = base + uint32(k)
	}
	v.Elem.(Builder).AppendSelected(s.Elem, at)
}

// longArray is the mean number of elements from which arrays are appended one by one, each with one copy, instead of all at once element by element.
const longArray = 32

// AppendRange implements Builder.
func (v *Map) AppendRange(src Vector, from, to int) {
	switch s := src.(type) {
	case *Map:
		base := uint32(v.Keys.Len()) - s.Off[from]
		v.Keys.(Builder).AppendRange(s.Keys, int(s.Off[from]), int(s.Off[to]))
		v.Vals.(Builder).AppendRange(s.Vals, int(s.Off[from]), int(s.Off[to]))
		for _, o := range s.Off[from+1 : to+1] {
			v.Off = append(v.Off, base+o)
		}
	default:
		v.AppendRange(Flatten(src), from, to)
	}
}

// AppendSelected implements Builder.
func (v *Map) AppendSelected(src Vector, sel []uint32) {
	s, ok := src.(*Map)
	if !ok {
		appendEach(v, src, sel)
		return
	}
	base, n := uint32(v.Keys.Len()), 0
	for _, p := range sel {
		n += int(s.Off[p+1] - s.Off[p])
	}
	entries := make([]uint32, 0, n)
	for _, p := range sel {
		for j := s.Off[p]; j < s.Off[p+1]; j++ {
			entries = append(entries, j)
		}
		v.Off = append(v.Off, base+uint32(len(entries)))
	}
	v.Keys.(Builder).AppendSelected(s.Keys, entries)
	v.Vals.(Builder).AppendSelected(s.Vals, entries)
}

func appendEach(b Builder, src Vector, sel []uint32) {
	if c, ok := src.(*Const); ok {
		src, sel = c.Value, make([]uint32, len(sel))
	}
	for _, p := range sel {
		b.AppendRange(src, int(p), int(p)+1)
	}
}

// AppendRange implements Builder.
func (v *Tuple) AppendRange(src Vector, from, to int) {
	s, ok := src.(*Tuple)
	if !ok {
		s = Flatten(src).(*Tuple)
	}
	for i, e := range v.Elems {
		e.(Builder).AppendRange(s.Elems[i], from, to)
	}
	v.N += to - from
}

// AppendSelected implements Builder.
func (v *Tuple) AppendSelected(src Vector, sel []uint32) {
	if c, ok := src.(*Const); ok {
		src, sel = c.Value, make([]uint32, len(sel))
	}
	s := src.(*Tuple)
	for i, e := range v.Elems {
		e.(Builder).AppendSelected(s.Elems[i], sel)
	}
	v.N += len(sel)
}

// Truncate implements Builder.
func (v *Num[T]) Truncate(n int) { v.Data = v.Data[:n] }

// Truncate implements Builder.
func (v *Str) Truncate(n int) {
	v.Off = v.Off[:n+1]
	v.Data = v.Data[:v.Off[n]]
}

// Truncate implements Builder.
func (v *Nullable) Truncate(n int) {
	v.Nulls = v.Nulls[:n]
	v.Inner.(Builder).Truncate(n)
}

// Truncate implements Builder.
func (v *Array) Truncate(n int) {
	v.Off = v.Off[:n+1]
	v.Elem.(Builder).Truncate(int(v.Off[n]))
}

// Truncate implements Builder.
func (v *Map) Truncate(n int) {
	v.Off = v.Off[:n+1]
	v.Keys.(Builder).Truncate(int(v.Off[n]))
	v.Vals.(Builder).Truncate(int(v.Off[n]))
}

// Truncate implements Builder.
func (v *Tuple) Truncate(n int) {
	for _, e := range v.Elems {
		e.(Builder).Truncate(n)
	}
	v.N = n
}

func codesAt(codes, sel []uint32) []uint32 {
	out := make([]uint32, len(sel))
	for i, p := range sel {
		out[i] = codes[p]
	}
	return out
}

// grow extends s by n elements of any content.
func grow[T any](s []T, n int) []T {
	if need := len(s) + n; need > cap(s) {
		bigger := make([]T, len(s), max(need, 2*cap(s)))
		copy(bigger, s)
		s = bigger
	}
	return s[:len(s)+n]
}

func mismatch(dst, src Vector) {
	panic(fmt.Sprintf("column: appending %T of %s to %s", src, src.Type(), dst.Type()))
}

// maxBytes is what the offsets of a Str reach.
const maxBytes = 1<<32 - 1

// checkBytes throws TooLargeStringSize where strings outgrow their offsets. Builders return no errors, and what makes blocks of that size is a
// statement that repeats a large constant, most often.
func checkBytes(n int) {
	if n > maxBytes {
		panic(sqlerr.New(sqlerr.TooLargeStringSize, "Too large strings in one block: %d bytes, the maximum is %d", n, maxBytes))
	}
}
