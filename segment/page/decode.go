package page

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// Vector decodes values [from, to) of the n values of type t that AppendVector wrote to b. The
// result shares nothing with b. Any b gives a vector or an error of code CorruptedData or CannotDecompress.
func Vector(t *types.Type, b []byte, n, from, to int) (column.Vector, error) {
	return vector(t, b, n, from, to, 0)
}

// vector is Vector inside so many Dynamics, whose values have types of their own.
func vector(t *types.Type, b []byte, n, from, to, depth int) (column.Vector, error) {
	if from < 0 || from > to || to > n || n > maxElems {
		return nil, corrupt("values %d to %d of %d", from, to, n)
	}
	t = t.WithoutLowCardinality()
	switch t.Phys() {
	case types.PUInt8:
		return ints[uint8](t, b, n, from, to)
	case types.PUInt16:
		return ints[uint16](t, b, n, from, to)
	case types.PUInt32:
		return ints[uint32](t, b, n, from, to)
	case types.PUInt64:
		return ints[uint64](t, b, n, from, to)
	case types.PInt8:
		return ints[int8](t, b, n, from, to)
	case types.PInt16:
		return ints[int16](t, b, n, from, to)
	case types.PInt32:
		return ints[int32](t, b, n, from, to)
	case types.PInt64:
		return ints[int64](t, b, n, from, to)
	case types.PFloat32:
		data := kernel.Dirty[float32](to - from)
		return decoded(t, data, decodeFloats[float32, uint32](data, b, n, from))
	case types.PFloat64:
		data := kernel.Dirty[float64](to - from)
		return decoded(t, data, decodeFloats[float64, uint64](data, b, n, from))
	case types.PUInt128:
		data, err := halves(b, n, from, to)
		return column.NewNum(t, data), err
	case types.PInt128:
		data, err := halves(b, n, from, to)
		return column.NewNum(t, cast[types.I128](data)), err
	case types.PUInt256:
		data, err := quarters[types.U256](b, n, from, to)
		return decoded(t, data, err)
	case types.PInt256:
		data, err := quarters[types.I256](b, n, from, to)
		return decoded(t, data, err)
	case types.PBytes:
		v, err := decodeText(t, &input{b: b}, n, from, to)
		if err != nil {
			return nil, err
		}
		return v, nil
	}
	return composite(t, &input{b: b}, n, from, to, depth)
}

func ints[T interface {
	kernel.Int
	column.Elem
}](t *types.Type, b []byte, n, from, to int) (column.Vector, error) {
	data := kernel.Dirty[T](to - from)
	return decoded(t, data, Ints(data, b, n, from))
}

// decoded is the vector of data unless it could not be decoded: then it holds whatever memory had.
func decoded[T column.Elem](t *types.Type, data []T, err error) (column.Vector, error) {
	if err != nil {
		return nil, err
	}
	return column.NewNum(t, data), nil
}

func halves(b []byte, n, from, to int) ([]types.U128, error) {
	in := &input{b: b}
	lo, hi := in.sized(), in.sized()
	if in.err != nil {
		return nil, in.err
	}
	half, out := kernel.Dirty[uint64](to-from), make([]types.U128, to-from)
	if err := Ints(half, lo, n, from); err != nil {
		return nil, err
	}
	for i, x := range half {
		out[i].Lo = x
	}
	if err := Ints(half, hi, n, from); err != nil {
		return nil, err
	}
	for i, x := range half {
		out[i].Hi = x
	}
	return out, nil
}

func quarters[T types.U256 | types.I256](b []byte, n, from, to int) ([]T, error) {
	in := &input{b: b}
	quarter, out := kernel.Dirty[uint64](to-from), make([]T, to-from)
	for k := range 4 {
		stream := in.sized()
		if in.err != nil {
			return nil, in.err
		}
		if err := Ints(quarter, stream, n, from); err != nil {
			return nil, err
		}
		for i, x := range quarter {
			out[i][k] = x
		}
	}
	return out, nil
}

// composite decodes the types made of others.
func composite(t *types.Type, in *input, n, from, to, depth int) (column.Vector, error) {
	switch t.Phys() {
	case types.PNullable:
		return nullable(t, in, n, from, to, depth)
	case types.PArray:
		elems, off := run(in, n)
		if in.err != nil {
			return nil, in.err
		}
		elem, err := vector(t.Elem(), in.b, elems, int(off[from]), int(off[to]), depth)
		if err != nil {
			return nil, err
		}
		return &column.Array{Typ: t, Off: rebase(off[from : to+1]), Elem: elem}, nil
	case types.PMap:
		elems, off := run(in, n)
		keyBytes := in.sized()
		if in.err != nil {
			return nil, in.err
		}
		keys, err := vector(t.Elems[0], keyBytes, elems, int(off[from]), int(off[to]), depth)
		if err != nil {
			return nil, err
		}
		vals, err := vector(t.Elems[1], in.b, elems, int(off[from]), int(off[to]), depth)
		if err != nil {
			return nil, err
		}
		return &column.Map{Typ: t, Off: rebase(off[from : to+1]), Keys: keys, Vals: vals}, nil
	case types.PTuple:
		return tuple(t, in, n, from, to, depth)
	case types.PVariant:
		return variant(t, in, n, from, to, depth)
	}
	return nil, corrupt("no encoding for type %s", t)
}

// run reads the element count and offsets of arrays or maps.
func run(in *input, n int) (elems int, off []uint32) {
	total := in.u32()
	off = offsets(in, n, maxElems)
	if in.err == nil && off[n] != total {
		in.err = corrupt("%d elements where lengths say %d", total, off[n])
	}
	return int(total), off
}

func rebase(off []uint32) []uint32 {
	base := off[0]
	for i := range off {
		off[i] -= base
	}
	return off
}

func nullable(t *types.Type, in *input, n, from, to, depth int) (column.Vector, error) {
	flags := in.sized()
	if in.err != nil {
		return nil, in.err
	}
	nulls, err := Nulls(flags, n, from, to)
	if err != nil {
		return nil, err
	}
	inner, err := vector(t.Elem(), in.b, n, from, to, depth)
	if err != nil {
		return nil, err
	}
	return column.NewNullable(nulls, inner), nil
}

// Nulls decodes flags [from, to) of a stream of n null flags: each 0 or 1.
func Nulls(stream []byte, n, from, to int) ([]uint8, error) {
	nulls := kernel.Dirty[uint8](to - from)
	if err := Ints(nulls, stream, n, from); err != nil {
		return nil, err
	}
	if len(nulls) == 0 {
		return nulls, nil
	}
	if _, most := kernel.MinMaxInt(nulls); most > 1 {
		return nil, corrupt("null flags other than 0 and 1")
	}
	return nulls, nil
}

func tuple(t *types.Type, in *input, n, from, to, depth int) (column.Vector, error) {
	out := &column.Tuple{Typ: t, Elems: make([]column.Vector, len(t.Elems)), N: to - from}
	for i, e := range t.Elems {
		b := in.sized()
		if in.err != nil {
			return nil, in.err
		}
		v, err := vector(e, b, n, from, to, depth)
		if err != nil {
			return nil, err
		}
		out.Elems[i] = v
	}
	return out, nil
}

// Input reads formats built from the pieces of this package. The first error stays; later reads give zeros.
type Input struct{ in input }

// NewInput reads b from its front.
func NewInput(b []byte) *Input { return &Input{input{b: b}} }

// U8, U32 and U64 read a number.
func (r *Input) U8() uint8   { return r.in.u8() }
func (r *Input) U32() uint32 { return r.in.u32() }
func (r *Input) U64() uint64 { return r.in.u64() }

// Sized reads a u32 length and as many bytes, which are shared.
func (r *Input) Sized() []byte { return r.in.sized() }

// Take reads n bytes, which are shared.
func (r *Input) Take(n int) []byte { return r.in.take(n) }

// Len is the number of bytes left.
func (r *Input) Len() int { return len(r.in.b) }

// Err returns the first error.
func (r *Input) Err() error { return r.in.err }

// SizedInts reads a stream[n]; n is bounded by the caller.
func SizedInts[T kernel.Int](r *Input, n int) []T {
	b := r.in.sized()
	if r.in.err == nil && (n < 0 || n > maxElems) {
		r.in.err = corrupt("%d values", n)
	}
	if r.in.err != nil {
		return nil
	}
	out := make([]T, n)
	r.in.err = Ints(out, b, n, 0)
	return out
}

// SizedVector reads a vector of n values behind its u32 length.
func (r *Input) SizedVector(t *types.Type, n int) column.Vector {
	b := r.in.sized()
	if r.in.err != nil {
		return nil
	}
	v, err := Vector(t, b, n, 0, n)
	r.in.err = err
	return v
}
