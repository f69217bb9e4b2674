package blockcodec

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

var allTypes = []string{
	"Bool", "UInt8", "UInt16", "UInt32", "UInt64", "UInt128", "Int8", "Int16", "Int32", "Int64", "Int128", "UInt256", "Int256", "Decimal(76, 2)", "BFloat16", "Float32", "Float64",
	"Decimal(9, 2)", "Decimal(18, 4)", "Decimal(38, 10)", "String", "FixedString(3)", "Date", "Date32", "DateTime", "DateTime64(3)", "Time", "Time64(3)",
	"UUID", "IPv4", "IPv6", "Enum8('a' = 1, 'b' = 2)", "Enum16('x' = 300)", "Nullable(UInt64)", "Nullable(String)",
	"Array(String)", "Array(Array(Nullable(Int32)))", "Map(String, UInt64)", "Tuple(a UInt8, b Nullable(String))", "Tuple()",
	"AggregateFunction(sum, UInt64)", "Array(LowCardinality(String))", "Map(LowCardinality(String), Array(UInt8))",
	"Variant(Int64, String, Array(UInt8))", "Array(Variant(Date, String))", "Dynamic", "Array(Dynamic)", "Map(String, Dynamic)", "JSON", "JSON(a Int64, b.c Nullable(String))", "Nullable(JSON)",
}

// fill appends a random value of any type.
func fill(r *rand.Rand, b column.Builder) {
	switch v := b.(type) {
	case *column.Str:
		n := v.Typ.Width()
		if n == 0 {
			n = r.IntN(20)
		}
		for range n {
			v.Data = append(v.Data, byte('a'+r.IntN(4)))
		}
		v.EndValue()
	case *column.Nullable:
		if r.IntN(3) == 0 {
			v.AppendNull()
			return
		}
		fill(r, v.Inner.(column.Builder))
		v.Nulls = append(v.Nulls, 0)
	case *column.Array:
		for range r.IntN(4) {
			fill(r, v.Elem.(column.Builder))
		}
		v.EndValue()
	case *column.Variant:
		fillVariant(r, v)
	case *column.Map:
		if v.Typ.Kind == types.JSON {
			fillObject(r, v)
			return
		}
		for range r.IntN(4) {
			fill(r, v.Keys.(column.Builder))
			fill(r, v.Vals.(column.Builder))
		}
		v.EndValue()
	case *column.Tuple:
		for _, e := range v.Elems {
			fill(r, e.(column.Builder))
		}
		v.N++
	case *column.Num[uint8]:
		v.Data = append(v.Data, uint8(r.IntN(2)))
	case *column.Num[uint64]:
		v.Data = append(v.Data, r.Uint64())
	case *column.Num[float64]:
		v.Data = append(v.Data, r.NormFloat64())
	case *column.Num[types.U128]:
		v.Data = append(v.Data, types.U128{Lo: r.Uint64(), Hi: r.Uint64()})
	case *column.Num[types.I256]:
		v.Data = append(v.Data, types.I256{r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()})
	default:
		v.AppendDefault()
	}
}

func randomBlock(t testing.TB, r *rand.Rand, rows int) *column.Block {
	b := &column.Block{N: rows}
	for _, name := range allTypes {
		typ, err := types.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		v := column.New(typ, rows)
		for range rows {
			fill(r, v)
		}
		b.Cols = append(b.Cols, v)
	}
	return b
}

func requireEqual(t *testing.T, want, got *column.Block) {
	t.Helper()
	if want.N != got.N || len(want.Cols) != len(got.Cols) {
		t.Fatalf("%d rows and %d columns, want %d and %d", got.N, len(got.Cols), want.N, len(want.Cols))
	}
	for c, w := range want.Cols {
		if !w.Type().Equal(got.Cols[c].Type()) || got.Cols[c].Len() != want.N {
			t.Fatalf("column %d is %s of %d, want %s of %d", c, got.Cols[c].Type(), got.Cols[c].Len(), w.Type(), want.N)
		}
		for i := range want.N {
			if a, b := fmt.Sprint(column.Value(w, i)), fmt.Sprint(column.Value(got.Cols[c], i)); a != b {
				t.Fatalf("column %d (%s) row %d: %s, want %s", c, w.Type(), i, b, a)
			}
		}
	}
}

func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, rows := range []int{0, 1, 2, 7, 100, 3000} {
		b := randomBlock(t, r, rows)
		enc, err := Append([]byte("prefix"), b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(enc[6:])
		if err != nil {
			t.Fatal(err)
		}
		requireEqual(t, b, got)
		if rows > 4 { // a slice starts in the middle of its vectors
			enc, err = Append(nil, b.Slice(2, rows-1))
			if err != nil {
				t.Fatal(err)
			}
			got, err = Decode(enc)
			if err != nil {
				t.Fatal(err)
			}
			requireEqual(t, b.Slice(2, rows-1), got)
		}
	}
}

func TestEncodingsAreWrittenFlat(t *testing.T) {
	dict := &column.Dict{Codes: []uint32{1, 0, 1}, Values: column.NewStrings("a", "b"), Unique: true}
	b := column.NewBlock(column.NewConst(types.TUInt32, uint32(7), 3), dict, column.NewNulls(3), column.NewNullable([]uint8{0, 1, 0}, dict))
	enc, err := Append(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(enc)
	if err != nil {
		t.Fatal(err)
	}
	requireEqual(t, b, got)
}

func TestEveryFlipIsDetected(t *testing.T) {
	enc, err := Append(nil, randomBlock(t, rand.New(rand.NewPCG(3, 4)), 3))
	if err != nil {
		t.Fatal(err)
	}
	for i := range enc {
		for bit := range 8 {
			bad := append([]byte(nil), enc...)
			bad[i] ^= 1 << bit
			if _, err := Decode(bad); err == nil {
				t.Fatalf("a flip of bit %d of byte %d went unseen", bit, i)
			}
		}
		if _, err := Decode(enc[:i]); err == nil {
			t.Fatalf("a cut at %d went unseen", i)
		}
	}
}

func TestTooLarge(t *testing.T) {
	b := &column.Block{N: MaxRows + 1}
	if _, err := Append(nil, b); !sqlerr.Is(err, sqlerr.TooLargeSizeCompressed) {
		t.Fatal(err)
	}
}

// TestGolden holds the bytes of version 1: a change of them needs a new version.
func TestGolden(t *testing.T) {
	datadriven.RunTest(t, "testdata/golden", func(t *testing.T, d *datadriven.TestData) string {
		b := column.NewBlock(
			column.NewNum(types.TUInt16, []uint16{1, 2}),
			column.NewStrings("ab", ""),
			column.NewNullable([]uint8{0, 1}, column.NewNum(types.TInt32, []int32{-1, 99})),
			&column.Array{Typ: types.NewArray(types.TUInt8), Off: []uint32{0, 1, 3}, Elem: column.NewNum(types.TUInt8, []uint8{7, 8, 9})},
		)
		enc, err := Append(nil, b)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Decode(enc); err != nil {
			t.Fatal(err)
		} else {
			requireEqual(t, b, back)
		}
		return strings.ReplaceAll(hex.Dump(enc), "\t", " ")
	})
}

// FuzzDecode feeds the body behind the checksum, which would otherwise hide every decoder path.
func FuzzDecode(f *testing.F) {
	for _, rows := range []int{0, 1, 20} {
		enc, err := Append(nil, randomBlock(f, rand.New(rand.NewPCG(5, uint64(rows))), rows))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(enc[headerSize:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := decodeBody(&input{b: body})
		if err != nil {
			return
		}
		enc, err := Append(nil, b)
		if err != nil {
			return
		}
		back, err := Decode(enc)
		if err != nil {
			t.Fatalf("a decoded block does not survive another round: %v", err)
		}
		requireEqual(t, b, back)
	})
}

// fillVariant appends NULL or a value of one of the types; to a Dynamic now and then one with Dynamics inside.
func fillVariant(r *rand.Rand, v *column.Variant) {
	alts := v.Typ.Elems
	if v.Typ.Kind == types.Dynamic {
		alts = []*types.Type{types.TInt64, types.TString, types.NewArray(types.TDynamic), types.TDate}
	}
	n := r.IntN(len(alts) + 1)
	if n == len(alts) || alts[n].Kind == types.Array && r.IntN(3) > 0 {
		v.AppendNull()
		return
	}
	k := v.Alt(alts[n])
	fill(r, v.Alts[k].(column.Builder))
	v.EndValue(k)
}

func fillObject(r *rand.Rand, v *column.Map) {
	text := fmt.Sprintf(`{"a":%d,"b":{"c":%s},"d":[%d]}`, r.IntN(9), []string{"null", `"x"`, `"y"`}[r.IntN(3)], r.IntN(3))
	if err := valuetext.ParseInto(v, v.Typ, []byte(text), nil); err != nil {
		panic(err)
	}
}
