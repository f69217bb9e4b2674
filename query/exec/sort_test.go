package exec

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// sortBlock is rows of a dictionary with repeated entries, half of them the same, and of numbers that decide ties.
func sortBlock(n int) *column.Block {
	r := rand.New(rand.NewPCG(1, 2))
	words := column.NewStr(types.TString, 0)
	for i := range 300 {
		words.Append([]byte(fmt.Sprintf("common prefix %d", i%250)))
	}
	codes, nums, last := make([]uint32, n), make([]uint64, n), make([]uint64, n)
	for i := range codes {
		codes[i], nums[i], last[i] = r.Uint32N(300)*r.Uint32N(2), r.Uint64N(50), r.Uint64N(5)
	}
	nulls := make([]uint8, n)
	for i := range nulls {
		nulls[i] = uint8(r.Uint32N(2))
	}
	return &column.Block{N: n, Cols: []column.Vector{&column.Dict{Values: words, Codes: codes},
		column.NewNullable(nulls, column.NewNum(types.TUInt64, nums)), column.NewNum(types.TUInt64, last)}}
}

// TestOrder sorts in several runs, merged in pieces, with and without a limit, as comparing all rows does.
func TestOrder(t *testing.T) {
	for _, n := range []int{1, 100, minParallelSort, 3*minParallelSort + 7} {
		for _, desc := range []bool{false, true} {
			keys := []plan.SortKey{{Index: 0, Order: column.Order{Desc: desc}}, {Index: 1, Order: column.Order{Desc: desc}}, {Index: 2}}
			flat := sortBlock(n)
			flat.Cols[0] = column.Flatten(flat.Cols[0])
			want := comparedItems(flat, keys)
			for _, threads := range []int{1, 2, 3, 5, 8} {
				for _, limit := range []int{0, 1, n / 3, n + 1} {
					r := newRun(context.Background(), Options{Threads: threads}.withDefaults())
					s := &sortStream{s: &Sort{keys: keys, limit: uint64(limit)}, r: r, block: sortBlock(n)}
					if err := s.order(r.ctx); err != nil {
						t.Fatal(err)
					}
					most := n
					if limit > 0 {
						most = min(n, limit)
					}
					same := slices.EqualFunc(s.items, want[:most], func(a, b sortItem) bool { return a.row == b.row })
					if !same {
						t.Errorf("%d rows, %d threads, limit %d, descending %t: wrong order", n, threads, limit, desc)
					}
					if err := r.close(); err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
}

// comparedItems sorts all rows by comparing them.
func comparedItems(b *column.Block, keys []plan.SortKey) []sortItem {
	ord, items := newRowOrder(b, keys)
	slices.SortFunc(items, func(x, y sortItem) int { return ord.compareFrom(0, x.row, y.row) })
	return items
}

// randomKey is a column of n rows with many ties: of whole numbers near to each other or far from each other, floats with NaN, strings that begin alike,
// end in zeros or are short, wide numbers, arrays, tuples of two of these, with or without NULL, as dictionaries of few or many entries.
func randomKey(r *rand.Rand, n int) column.Vector {
	entries := n
	dict := r.Uint32N(3) == 0
	if dict {
		entries = max(1, n>>r.Uint32N(8))
	}
	var v column.Vector
	switch span := uint64(1) << r.Uint32N(64); r.Uint32N(9) {
	case 0:
		data := make([]uint64, entries)
		for i := range data {
			data[i] = r.Uint64N(span) - span/2*uint64(r.Uint32N(2))
		}
		v = column.NewNum(types.TUInt64, data)
	case 1:
		data := make([]int32, entries)
		for i := range data {
			data[i] = int32(r.Uint64N(span)) - int32(span/2)
		}
		v = column.NewNum(types.TInt32, data)
	case 2:
		data := make([]float64, entries)
		for i := range data {
			data[i] = []float64{math.NaN(), 0, math.Copysign(0, -1), math.Inf(-1), r.NormFloat64(), float64(r.Uint32N(5))}[r.Uint32N(6)]
		}
		v = column.NewNum(types.TFloat64, data)
	case 3:
		data := make([]types.U128, entries)
		for i := range data {
			data[i] = types.U128{Hi: r.Uint64N(3), Lo: r.Uint64N(3)}
		}
		v = column.NewNum(types.TUInt128, data)
	case 7:
		data := make([]types.I256, entries)
		for i := range data {
			data[i] = types.I256{r.Uint64N(3), 0, r.Uint64N(2), r.Uint64N(2) << 63}
		}
		v = column.NewNum(types.TInt256, data)
	case 8:
		a, b := randomKey(r, entries), randomKey(r, entries)
		v = column.Flatten(&column.Tuple{Typ: types.NewTuple([]*types.Type{a.Type(), b.Type()}, nil), Elems: []column.Vector{a, b}, N: entries})
	case 4:
		s := column.NewStr(types.TString, entries)
		head := strings.Repeat("long prefix ", int(r.Uint32N(5)))
		for range entries {
			s.Append([]byte(head[:len(head)-min(len(head), int(r.Uint32N(3)*r.Uint32N(3)))] + fmt.Sprint(r.Uint32N(300)) + head + fmt.Sprint(r.Uint32N(3))))
		}
		v = s
	case 5:
		s := column.NewStr(types.TString, entries)
		for range entries {
			s.Append(bytes.Repeat([]byte{byte(r.Uint32N(2))}, int(r.Uint32N(30))))
		}
		v = s
	default:
		off, elem := make([]uint32, entries+1), []uint8{}
		for i := range entries {
			for range r.Uint32N(3) {
				elem = append(elem, uint8(r.Uint32N(3)))
			}
			off[i+1] = uint32(len(elem))
		}
		v = &column.Array{Typ: types.NewArray(types.TUInt8), Off: off, Elem: column.NewNum(types.TUInt8, elem)}
	}
	if k := v.Type().Kind; k != types.Array && k != types.Tuple && r.Uint32N(2) == 0 {
		nulls := make([]uint8, entries)
		for i := range nulls {
			nulls[i] = uint8(r.Uint32N(4) / 3)
		}
		v = column.NewNullable(nulls, v)
	}
	if !dict {
		return v
	}
	codes := make([]uint32, n)
	for i := range codes {
		codes[i] = r.Uint32N(uint32(entries))
	}
	return &column.Dict{Values: v, Codes: codes}
}

// TestRandomOrder sorts by up to four keys of all kinds as comparing all rows does.
func TestRandomOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 300 {
		n := 1 + int(r.Uint32N(1<<r.Uint32N(15)))
		b := &column.Block{N: n}
		var keys []plan.SortKey
		for i := range 1 + r.Uint32N(4) {
			b.Cols = append(b.Cols, randomKey(r, n))
			keys = append(keys, plan.SortKey{Index: int(i), Order: column.Order{Desc: r.Uint32N(2) == 0, NullsFirst: r.Uint32N(2) == 0}})
		}
		want := comparedItems(b, keys)
		limit := 0
		if round%3 == 0 {
			limit = 1 + int(r.Uint32N(uint32(n)))
			want = want[:limit]
		}
		run := newRun(context.Background(), Options{Threads: 1 + int(r.Uint32N(4))}.withDefaults())
		got, err := sortRows(run.ctx, run, &column.Block{N: n, Cols: slices.Clone(b.Cols)}, keys, uint64(limit))
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if got[i].row != want[i].row {
				t.Fatalf("round %d, %d rows by %v: row %d is %d, not %d", round, n, keys, i, got[i].row, want[i].row)
			}
		}
		if err := run.close(); err != nil {
			t.Error(err)
		}
	}
}

// BenchmarkOrder sorts a million rows by a dictionary of 300 strings.
func BenchmarkOrder(b *testing.B) {
	keys := []plan.SortKey{{Index: 0}, {Index: 1}}
	rows := sortBlock(1 << 20)
	for b.Loop() {
		r := newRun(context.Background(), Options{Threads: 2}.withDefaults())
		s := &sortStream{s: &Sort{keys: keys}, r: r, block: &column.Block{N: rows.N, Cols: slices.Clone(rows.Cols)}}
		if err := s.order(r.ctx); err != nil {
			b.Fatal(err)
		}
		if err := r.close(); err != nil {
			b.Fatal(err)
		}
	}
}
