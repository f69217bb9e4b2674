package page

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// shapes are runs of values that each favour another encoding.
func shapes[T kernel.Int](r *rand.Rand, n int) map[string][]T {
	out := map[string][]T{}
	for _, name := range []string{"constant", "small", "wide", "ascending", "runs", "sparse", "few", "pattern", "outliers", "series", "drift"} {
		out[name] = make([]T, n)
	}
	few := []T{T(r.Uint64()), T(r.Uint64()), T(r.Uint64()), T(r.Uint64()), T(r.Uint64())}
	run, up := T(0), T(r.Uint64())
	noise := make([]T, 700)
	for i := range noise {
		noise[i] = T(r.Uint64())
	}
	series, step, drift := T(0), T(0), T(0)
	for i := range n {
		out["constant"][i] = few[0]
		out["small"][i] = few[0] + T(r.IntN(50))
		out["wide"][i] = T(r.Uint64())
		up += T(r.IntN(3))
		out["ascending"][i] = up
		if r.IntN(50) == 0 {
			run = T(r.Uint64())
		}
		out["runs"][i] = run
		if r.IntN(60) == 0 {
			out["sparse"][i] = T(r.Uint64())
		}
		out["few"][i] = few[r.IntN(len(few))]
		out["pattern"][i] = noise[i%len(noise)]
		out["outliers"][i] = few[2] + T(r.IntN(30))
		if r.IntN(40) == 0 {
			out["outliers"][i] = T(r.Uint64())
		}
		if i%300 == 0 {
			series, step = few[3]+T(r.IntN(100)), 0
		}
		series += 7
		out["series"][i] = series
		step += T(r.IntN(3)) - 1
		drift += few[4] + step
		out["drift"][i] = drift
	}
	return out
}

func testInts[T kernel.Int](t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	seen := map[byte]bool{}
	for _, n := range []int{0, 1, 2, 3, 63, 64, 65, 700, 5000} {
		for name, src := range shapes[T](r, n) {
			b := AppendInts(nil, src)
			if len(b) > 1+n*width[T]() {
				t.Errorf("%T %s of %d: %d bytes, more than raw", src, name, n, len(b))
			}
			seen[b[0]] = true
			for range 5 {
				from := r.IntN(n + 1)
				to := from + r.IntN(n-from+1)
				got := make([]T, to-from)
				if err := Ints(got, b, n, from); err != nil || !slices.Equal(got, src[from:to]) {
					t.Fatalf("%T %s, encoding %d: %d to %d of %d: %v", src, name, b[0], from, to, n, err)
				}
				testPick(t, r, b, src)
			}
		}
	}
	if width[T]() >= 4 && len(seen) != 9 {
		t.Errorf("%T: only the encodings %v were chosen", *new(T), seen)
	}
}

// testPick takes some of the values out of an encoded stream of src.
func testPick[T kernel.Int](t *testing.T, r *rand.Rand, b []byte, src []T) {
	var at []uint32
	var want []T
	for i := r.IntN(3); i < len(src); i += 1 + r.IntN(1+len(src)/8) {
		at, want = append(at, uint32(i)), append(want, src[i])
	}
	if len(at) == 0 {
		return
	}
	got, err := PickInts[T](b, len(src), at)
	found := b[0] == howRaw || b[0] == howPacked || b[0] == howRuns || b[0] == howPatched && b[1] == 0
	if err != nil || (got != nil) != found || found && !slices.Equal(got, want) {
		t.Fatalf("%T, encoding %d: %v of %d: %v, want %v: %v", src, b[0], at, len(src), got, want, err)
	}
}

func TestInts(t *testing.T) {
	testInts[uint8](t)
	testInts[int8](t)
	testInts[uint16](t)
	testInts[int16](t)
	testInts[uint32](t)
	testInts[int32](t)
	testInts[uint64](t)
	testInts[int64](t)
}

func TestDecimals(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for name, tc := range map[string]struct {
		value func() float64
		ok    bool // decimal
	}{
		"cents":     {func() float64 { return float64(r.IntN(100_000)) / 100 }, true},
		"negative":  {func() float64 { return float64(r.IntN(1e6)-5e5) / 1e4 }, true},
		"integers":  {func() float64 { return float64(r.IntN(1e6)) }, true},
		"noise":     {r.NormFloat64, false},
		"with -0":   {func() float64 { return math.Copysign(float64(r.IntN(1000))/100, -1) }, false},
		"with NaN":  {func() float64 { return []float64{math.NaN(), r.Float64()}[r.IntN(2)] }, false},
		"very long": {func() float64 { return float64(r.Uint64()) }, false},
	} {
		v64, v32 := make([]float64, 3000), make([]float32, 3000)
		for i := range v64 {
			v64[i] = tc.value()
			v32[i] = float32(v64[i])
		}
		b64, b32 := appendFloats[float64, uint64](nil, v64), appendFloats[float32, uint32](nil, v32)
		if (b64[0] == howDecimal) != tc.ok {
			t.Errorf("%s: encoding %d", name, b64[0])
		}
		got64, got32 := make([]float64, 2000), make([]float32, 2000)
		if err := decodeFloats[float64, uint64](got64, b64, 3000, 500); err != nil {
			t.Fatal(name, err)
		}
		if err := decodeFloats[float32, uint32](got32, b32, 3000, 500); err != nil {
			t.Fatal(name, err)
		}
		for i := range got64 {
			if math.Float64bits(got64[i]) != math.Float64bits(v64[i+500]) || math.Float32bits(got32[i]) != math.Float32bits(v32[i+500]) {
				t.Fatalf("%s: value %d: %v %v, want %v %v", name, i+500, got64[i], got32[i], v64[i+500], v32[i+500])
			}
		}
	}
}

// randomValue returns a value of t in the form of column.Value.
func randomValue(r *rand.Rand, t *types.Type) any {
	t = t.WithoutLowCardinality()
	switch t.Phys() {
	case types.PNullable:
		if r.IntN(3) == 0 {
			return nil
		}
		return randomValue(r, t.Elem())
	case types.PArray:
		out := []any{}
		for range r.IntN(4) {
			out = append(out, randomValue(r, t.Elem()))
		}
		return out
	case types.PMap:
		out := [][2]any{}
		for range r.IntN(3) {
			out = append(out, [2]any{randomValue(r, t.Elems[0]), randomValue(r, t.Elems[1])})
		}
		return out
	case types.PVariant:
		alts := t.Elems
		if t.Kind == types.Dynamic {
			alts = []*types.Type{types.TInt64, types.TString, types.NewArray(types.TDynamic), types.TDate}
		}
		n := r.IntN(len(alts) + 1)
		if n == len(alts) || alts[n].Kind == types.Array && r.IntN(4) > 0 {
			return nil
		}
		return column.Typed{Type: alts[n], Value: randomValue(r, alts[n])}
	case types.PTuple:
		out := []any{}
		for _, e := range t.Elems {
			out = append(out, randomValue(r, e))
		}
		return out
	case types.PBytes:
		n := t.Width()
		if n == 0 {
			n = r.IntN(12)
			if r.IntN(500) == 0 {
				n = 100_000
			}
		}
		return string(bytes.Repeat([]byte{byte('a' + r.IntN(3))}, n))
	}
	b := column.New(t, 1)
	b.AppendDefault()
	v := reflect.New(reflect.TypeOf(column.Value(b, 0))).Elem()
	switch x := r.Uint64() >> r.IntN(60); v.Kind() {
	case reflect.Float32, reflect.Float64:
		v.SetFloat([]float64{0, math.Copysign(0, -1), 1.5, math.Inf(1), float64(x)}[r.IntN(5)])
	case reflect.Struct:
		if v.Type() == reflect.TypeOf(types.U128{}) {
			return types.U128{Lo: x, Hi: r.Uint64()}
		}
		return types.I128From(int64(x))
	case reflect.Array:
		return reflect.ValueOf([4]uint64{x, r.Uint64(), x, r.Uint64() >> r.IntN(64)}).Convert(v.Type()).Interface()
	default:
		if v.CanInt() {
			v.SetInt(int64(x) % (1 << (v.Type().Bits() - 1)))
		} else {
			v.SetUint(x & (math.MaxUint64 >> (64 - v.Type().Bits())))
		}
	}
	return v.Interface()
}

var testTypes = []string{
	"UInt8", "Bool", "UInt16", "UInt32", "UInt64", "UInt128", "Int8", "Int16", "Int32", "Int64", "Int128", "UInt256", "Int256", "BFloat16", "Float32", "Float64",
	"Decimal(9, 2)", "Decimal(18, 4)", "Decimal(38, 10)", "Decimal(76, 10)", "String", "FixedString(3)", "Date", "Date32", "DateTime", "DateTime64(3)", "UUID", "IPv4", "IPv6",
	"Enum8('a' = 1, 'b' = 2)", "Enum16('a' = 1)", "Nullable(Int32)", "Nullable(String)", "Nullable(UUID)", "LowCardinality(Nullable(String))",
	"Array(UInt16)", "Array(Nullable(String))", "Array(Array(Int8))", "Tuple(a UInt8, b String)", "Map(String, UInt64)", "Map(LowCardinality(String), Array(String))",
	"Array(Tuple(UInt8, Nullable(String)))", "AggregateFunction(uniq, UInt64)", "SimpleAggregateFunction(sum, UInt64)",
	"Variant(Int64, String, Array(UInt8))", "Array(Variant(Date, String))", "Dynamic", "Array(Dynamic)", "Map(String, Dynamic)", "JSON", "JSON(a Int64, b.c Nullable(String))",
}

func randomVector(t testing.TB, r *rand.Rand, name string, n int) (*types.Type, column.Vector) {
	typ, err := types.Parse(name)
	if err != nil {
		t.Fatal(name, err)
	}
	b := column.New(typ, n)
	for range n {
		column.AppendValue(b, randomValue(r, typ))
	}
	return typ, b
}

func sameValues(a column.Vector, from, to int, b column.Vector) error {
	if b.Len() != to-from {
		return fmt.Errorf("%d values, want %d", b.Len(), to-from)
	}
	for i := range b.Len() {
		if x, y := column.Value(a, from+i), column.Value(b, i); !reflect.DeepEqual(x, y) {
			return fmt.Errorf("value %d: %v, want %v", i, y, x)
		}
	}
	return nil
}

func TestVectors(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, name := range testTypes {
		for _, n := range []int{0, 1, 7, 900} {
			typ, v := randomVector(t, r, name, n)
			b, err := AppendVector(nil, v)
			if err != nil {
				t.Fatal(name, err)
			}
			for k := range 5 {
				from := r.IntN(n + 1)
				to := from + r.IntN(n-from+1)
				if k == 0 {
					from, to = 0, n
				}
				got, err := Vector(typ, b, n, from, to)
				if err != nil {
					t.Fatalf("%s, %d to %d of %d: %v", name, from, to, n, err)
				}
				if got.Type().Phys() != v.Type().Phys() {
					t.Fatalf("%s comes back as %s", name, got.Type())
				}
				if err := sameValues(v, from, to, got); err != nil {
					t.Fatalf("%s, %d to %d of %d: %v", name, from, to, n, err)
				}
			}
			again, err := AppendVector(nil, v.Slice(n/3, n))
			if err != nil {
				t.Fatal(err)
			}
			got, err := Vector(typ, again, n-n/3, 0, n-n/3)
			if err != nil {
				t.Fatal(err)
			}
			if err := sameValues(v, n/3, n, got); err != nil {
				t.Fatalf("slice of %s: %v", name, err)
			}
		}
	}
}

// TestFlips changes every byte: the decoder may give other values but must not panic or read beyond.
func TestFlips(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, name := range testTypes {
		typ, v := randomVector(t, r, name, 40)
		b, err := AppendVector(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(b); i += 1 + len(b)/2000 {
			for _, x := range []byte{1, 0x80, 0xff} {
				bad := bytes.Clone(b)
				bad[i] ^= x
				_, _ = Vector(typ, slices.Clip(bad), 40, 0, 40)
				_, _ = Vector(typ, slices.Clip(bad), 40, 5, 20)
				_, _ = Pick(typ, slices.Clip(bad), 40, []uint32{3, 4, 39})
			}
			_, _ = Vector(typ, slices.Clip(b[:i]), 40, 0, 40)
		}
	}
}

// Some rows of a text are those of the whole of it, whatever blocks they are in; no change of a byte makes that panic.
func TestTextRows(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for _, n := range []int{1, 30, 2000} {
		v := column.NewStr(types.TString, n)
		for range n {
			v.AppendString(strings.Repeat(string(rune('a'+r.IntN(26))), r.IntN(3)*r.IntN(100_000)/max(n/20, 1)))
		}
		b, err := AppendVector(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			var sel []uint32
			for i := range n {
				if r.IntN(n/3+2) == 0 {
					sel = append(sel, uint32(i))
				}
			}
			got, err := TextRows(types.TString, b, n, sel)
			if err != nil {
				t.Fatal(err)
			}
			if err := sameValues(column.Gather(v, sel), 0, len(sel), got); err != nil {
				t.Fatal(err)
			}
			bad := bytes.Clone(b)
			bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
			_, _ = TextRows(types.TString, bad, n, sel)
			_, _ = TextRows(types.TString, slices.Clip(b[:r.IntN(len(b))]), n, sel)
		}
	}
}

func FuzzVector(f *testing.F) {
	r := rand.New(rand.NewPCG(4, 4))
	for i, name := range testTypes {
		_, v := randomVector(f, r, name, 20)
		b, err := AppendVector(nil, v)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) < 4096 {
			f.Add(uint8(i), uint16(20), b)
		}
	}
	for _, src := range shapes[uint32](r, 1500) {
		f.Add(uint8(slices.Index(testTypes, "UInt32")), uint16(1500), AppendInts(nil, src))
	}
	f.Fuzz(func(t *testing.T, which uint8, n uint16, b []byte) {
		typ, err := types.Parse(testTypes[int(which)%len(testTypes)])
		if err != nil {
			t.Fatal(err)
		}
		n %= 4096
		_, _ = Vector(typ, b, int(n), 0, int(n))
		_, _ = Vector(typ, b, int(n), int(n)/3, int(n)/2)
		if typ.WithoutLowCardinality().Phys() == types.PBytes {
			_, _ = TextRows(typ, b, int(n), []uint32{uint32(n) / 3, uint32(n) / 2})
		}
		_, _ = Pick(typ, b, int(n), []uint32{uint32(n) / 3, uint32(n) / 2})
	})
}

func BenchmarkInts(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 5))
	for name, src := range shapes[uint32](r, 65536) {
		var enc []byte
		b.Run("encode/"+name, func(b *testing.B) {
			b.SetBytes(4 * 65536)
			for b.Loop() {
				enc = AppendInts(enc[:0], src)
			}
		})
		b.Run("decode/"+name, func(b *testing.B) {
			b.SetBytes(4 * 65536)
			for b.Loop() {
				if err := Ints(src, enc, len(src), 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
