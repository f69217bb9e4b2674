package fragment

import (
	"encoding/binary"
	"math"

	"github.com/olapd/olapd/internal/blockcodec"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// reader takes the parts of an encoding. After an error, which stays, it yields zeros.
type reader struct {
	b     []byte
	types []*types.Type // by number
	err   error
}

func corrupt(format string, args ...any) error {
	return sqlerr.New(sqlerr.CorruptedData, "Corrupted fragment: "+format, args...)
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err, r.b = err, nil
	}
}

func (r *reader) u8() byte {
	if len(r.b) == 0 {
		r.fail(corrupt("it ends too early"))
		return 0
	}
	x := r.b[0]
	r.b = r.b[1:]
	return x
}

func (r *reader) uv() uint64 {
	x, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail(corrupt("no number"))
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *reader) sv() int64 {
	x, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail(corrupt("no number"))
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *reader) f64() uint64 {
	b := r.take(8)
	if r.err != nil {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

func (r *reader) flag() bool { return r.u8() != 0 }

// count reads how many things follow, each of a byte at least: so memory for them is bounded by the input.
func (r *reader) count() int {
	n := r.uv()
	if n > uint64(len(r.b)) {
		r.fail(corrupt("%d elements in %d bytes", n, len(r.b)))
		return 0
	}
	return int(n)
}

// index reads a position below n.
func (r *reader) index(n int) int {
	x := r.uv()
	if x >= uint64(n) {
		r.fail(corrupt("position %d of %d", x, n))
		return 0
	}
	return int(x)
}

func (r *reader) indexes(n int) []int {
	out := make([]int, r.count())
	for i := range out {
		out[i] = r.index(n)
	}
	return out
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail(corrupt("%d bytes where there are %d", n, len(r.b)))
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) text() string { return string(r.take(r.count())) }

func (r *reader) typ() *types.Type {
	n := r.uv()
	switch {
	case r.err == nil && n < uint64(len(r.types)):
		return r.types[n]
	case n > uint64(len(r.types)):
		r.fail(corrupt("type %d of %d", n, len(r.types)))
	}
	name := r.text()
	if r.err != nil {
		return types.TNothing
	}
	t, err := types.Parse(name)
	if err != nil {
		r.fail(sqlerr.Wrap(err, sqlerr.CorruptedData, "Corrupted fragment"))
		return types.TNothing
	}
	r.types = append(r.types, t)
	return t
}

func (r *reader) fields() column.Schema {
	n := r.count()
	out := make(column.Schema, 0, n)
	for range n {
		out = append(out, column.Field{Name: r.text(), Type: r.typ()})
		if r.err != nil {
			return nil
		}
	}
	return out
}

func (r *reader) block() *column.Block {
	enc := r.take(r.count())
	if r.err != nil {
		return nil
	}
	b, err := blockcodec.Decode(enc)
	if err != nil {
		r.fail(err)
		return nil
	}
	return b
}

// vector reads one value of the type.
func (r *reader) vector(t *types.Type) column.Vector {
	b := r.block()
	if r.err != nil {
		return nil
	}
	if b.N != 1 || len(b.Cols) != 1 || t != nil && b.Cols[0].Type().Phys() != t.WithoutLowCardinality().Phys() {
		r.fail(corrupt("a constant that is not one value of its type"))
		return nil
	}
	return b.Cols[0]
}

func (r *reader) float() float64 { return math.Float64frombits(r.f64()) }
