package exec

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
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
			ord, want := newRowOrder(flat, keys)
			slices.SortFunc(want, ord.compare)
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
