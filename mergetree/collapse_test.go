package mergetree

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// TestSummingAsClickHouse holds results that ClickHouse gave for the same rows.
func TestSummingAsClickHouse(t *testing.T) {
	for _, c := range []struct {
		name, columns string
		sum           []string
		key           []string
		rows          [][]any
		want          string
	}{
		{"NULL, Bool and Date", "k UInt32, x Int32, n Nullable(Int32), s String, b Bool, d Date", nil, []string{"k"}, [][]any{
			{uint32(1), int32(1), nil, "a", uint8(1), uint16(10)}, {uint32(1), int32(-1), nil, "b", uint8(1), uint16(11)},
			{uint32(2), int32(0), nil, "z", uint8(0), uint16(10)}, {uint32(3), int32(0), int32(5), "q", uint8(0), uint16(10)},
			{uint32(4), int32(0), nil, "z", uint8(1), uint16(10)},
		}, "[1 0 <nil> a 1 10] [3 0 5 q 0 10] [4 0 <nil> z 1 10]"},
		{"nothing to sum", "k UInt32, s String", nil, []string{"k"}, [][]any{{uint32(1), "a"}, {uint32(1), "b"}, {uint32(2), "c"}}, "[1 a] [2 c]"},
		{"listed columns", "k UInt32, x Int32, y Int32, w Int32", []string{"x", "y"}, []string{"k"}, [][]any{
			{uint32(1), int32(1), int32(1), int32(1)}, {uint32(1), int32(1), int32(1), int32(2)}, {uint32(2), int32(0), int32(0), int32(7)},
		}, "[1 2 2 1]"},
		{"no key", "k UInt32, x UInt32", nil, nil, [][]any{{uint32(1), uint32(2)}, {uint32(3), uint32(4)}}, "[1 2] [3 4]"},
		{"wrapping and wide", "k UInt8, a UInt8, b Int128, c Float32", nil, []string{"k"}, [][]any{
			{uint8(1), uint8(200), types.I128From(-5), float32(1.5)}, {uint8(1), uint8(100), types.I128From(-6), float32(2)},
		}, "[1 44 -11 3.5]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := &Spec{Name: c.name, Mode: Summing, Sum: c.sum, SortKey: c.key, KeyColumns: c.key}
			b := &column.Block{N: len(c.rows)}
			for i, def := range strings.Split(c.columns, ", ") {
				name, typ, _ := strings.Cut(def, " ")
				ty, err := types.Parse(typ)
				must(t, err)
				spec.Columns = append(spec.Columns, column.Field{Name: name, Type: ty})
				v := column.New(ty, 0)
				for _, r := range c.rows {
					column.AppendValue(v, r[i])
				}
				b.Cols = append(b.Cols, v)
			}
			out, err := collapseSorted(spec, b)
			must(t, err)
			var got []string
			for i := range out.N {
				vals := make([]any, len(out.Cols))
				for k, v := range out.Cols {
					vals[k] = column.Value(v, i)
				}
				got = append(got, fmt.Sprint(vals))
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Fatalf("%s, want %s", s, c.want)
			}
		})
	}
}

// TestSortRows compares with a stable sort by column.Compare.
func TestSortRows(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	floats := []float64{0, math.Copysign(0, -1), 1, -1, math.Inf(1), math.Inf(-1), math.NaN(), -math.NaN(), math.MaxFloat64, -math.SmallestNonzeroFloat64}
	texts := []string{"", "a", "a\x00", "abcdefgh", "abcdefghi", "abcdefgha", "\xff\xff\xff\xff\xff\xff\xff\xff", "b"}
	const n = 300
	f, s := column.New(types.TFloat64, n), column.New(types.TString, n)
	i8, i64, u16 := column.New(types.TInt8, n), column.New(types.TInt64, n), column.New(types.TUInt16, n)
	nul := column.New(types.NewNullable(types.TInt32), n)
	for range n {
		column.AppendValue(f, floats[r.IntN(len(floats))])
		column.AppendValue(s, texts[r.IntN(len(texts))])
		column.AppendValue(i8, int8(r.IntN(256)-128))
		column.AppendValue(i64, []int64{math.MinInt64, -1, 0, 1, math.MaxInt64}[r.IntN(5)])
		column.AppendValue(u16, uint16(r.IntN(4)))
		if r.IntN(3) == 0 {
			column.AppendValue(nul, nil)
		} else {
			column.AppendValue(nul, int32(r.IntN(3)))
		}
	}
	for k, keys := range [][]column.Vector{{f}, {s}, {i8}, {i64}, {u16, s}, {nul, i8}, {i64, f, s}, {}} {
		want := make([]uint32, n)
		for i := range want {
			want[i] = uint32(i)
		}
		slices.SortStableFunc(want, func(a, b uint32) int { return compareRows(keys, int(a), keys, int(b)) })
		got := sortRows(keys, n)
		if len(keys) == 0 && got == nil {
			continue
		}
		if !slices.Equal(got, want) {
			t.Errorf("keys %d: other order than a stable sort", k)
		}
	}
}
