package exec

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// Conditions go by estimate until they are measured, and those that may fail stay last and in their order.
func TestStepOrder(t *testing.T) {
	o := newStepOrder(&Scan{Preds: []*Predicate{
		{Safe: true, Cost: 10, Pass: 0.5}, {Safe: true, Cost: 100, Pass: 0.5}, {Cost: 1, Pass: 0.1}, {Safe: true, Cost: 5, Pass: 0.99}, {Cost: 0, Pass: 0.1},
	}})
	if got := o.current(); !slices.Equal(got, []int{0, 1, 3, 2, 4}) {
		t.Fatalf("estimated order %v", got)
	}
	for range sortEvery * len(o.stats) {
		o.record(0, 65_536, 65_536, 65_536*2) // drops nothing
		o.record(1, 65_536, 10, 65_536)       // costs little, drops nearly all
		o.record(3, 65_536, 30_000, 65_536/2)
	}
	if got := o.current(); !slices.Equal(got[:2], []int{3, 1}) && !slices.Equal(got[:2], []int{1, 3}) || got[2] != 0 || !slices.Equal(got[3:], []int{2, 4}) {
		t.Fatalf("measured order %v", got)
	}
}

// The first rows survive any mixture of asking what is within the bound and tightening it, by two workers.
func TestTopBound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		top := &TopBound{Limit: 1 + r.IntN(20), Single: r.IntN(2) == 0, Order: column.Order{Desc: r.IntN(2) == 0}}
		workers := []*topState{{t: top}, {t: top}}
		var all, kept []int32
		for range 30 {
			data := make([]int32, 1+r.IntN(50))
			for i := range data {
				data[i] = int32(r.IntN(200) - 100)
			}
			all = append(all, data...)
			w := workers[r.IntN(2)]
			if worst := top.worst.Load(); worst != nil {
				data = masked(data, w.within(column.NewNum(types.TInt32, data), worst))
			}
			kept = append(kept, masked(data, w.lower(column.NewNum(types.TInt32, data)))...)
		}
		order := func(a, b int32) int {
			if top.Order.Desc {
				return cmp.Compare(b, a)
			}
			return cmp.Compare(a, b)
		}
		slices.SortFunc(all, order)
		slices.SortFunc(kept, order)
		n := min(top.Limit, len(all))
		if len(kept) < n || !slices.Equal(kept[:n], all[:n]) {
			t.Fatalf("kept %v, want %v", kept, all[:n])
		}
	}
}

func masked(data []int32, mask []uint8) []int32 {
	var out []int32
	for i, x := range data {
		if mask[i] != 0 {
			out = append(out, x)
		}
	}
	return out
}

// What bounds decide of a comparison is so for every value between them.
func TestDecide(t *testing.T) {
	for lo := uint8(0); lo < 6; lo++ {
		for hi := lo; hi < 6; hi++ {
			for x := uint8(0); x < 6; x++ {
				for op := kernel.Eq; op <= kernel.Ge; op++ {
					c := &Compare{Op: op, Value: column.NewNum(types.TUInt8, []uint8{x})}
					b := &Bounds{Ends: []uint32{1}, Mins: column.NewNum(types.TUInt8, []uint8{lo}), Maxs: column.NewNum(types.TUInt8, []uint8{hi}),
						Special: []bool{false}, Empty: []bool{false}}
					var values []uint8
					for v := lo; v <= hi; v++ {
						values = append(values, v)
					}
					mask := make([]uint8, len(values))
					kernel.CompareConst(mask, op, values, x)
					n, got := kernel.Count(mask), c.run(b, 0)
					if got == always && n != len(mask) || got == never && n != 0 {
						t.Errorf("%d to %d %s %d: %d of %d hold, decided %d", lo, hi, op, x, n, len(mask), got)
					}
					b.Special[0] = true
					if c.run(b, 0) != unsure {
						t.Errorf("decided where NULL or NaN may be")
					}
				}
			}
		}
	}
}

// A view narrowed by masks and positions, in any order, is left with the rows that all of them keep.
func TestMorselView(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		n := 1 + r.IntN(300)
		want := make([]bool, n)
		for i := range want {
			want[i] = true
		}
		v := &morselView{width: 1, refs: true}
		v.reset(rowsOnly(n))
		if r.IntN(3) == 0 {
			ends := []uint32{uint32(n / 3), uint32(n / 2), uint32(n)}
			drop := r.IntN(3)
			v.keepRuns(ends, func(k int) bool { return k != drop })
			for i := range want {
				k, _ := slices.BinarySearch(ends, uint32(i)+1)
				want[i] = k != drop
			}
		}
		for range r.IntN(5) {
			mask, part := make([]uint8, v.block.N), r.IntN(6)
			rows := v.sel
			for i := range mask {
				row := i
				if rows != nil {
					row = int(rows[i])
				}
				if mask[i] = 1; r.IntN(6) < part {
					mask[i], want[row] = 0, false
				}
			}
			v.and(mask, func(int) bool { return true })
			if r.IntN(3) == 0 {
				v.compact()
			}
		}
		v.compact()
		var kept []uint64
		for i, w := range want {
			if w {
				kept = append(kept, uint64(i))
			}
		}
		if got := v.references(0); !slices.Equal(got, kept) {
			t.Fatalf("left %v, want %v", got, kept)
		}
	}
}

// rowsOnly is a morsel of so many rows without columns.
type rowsOnly int

func (n rowsOnly) Rows() int { return int(n) }

func (rowsOnly) Column(context.Context, int, []uint32) (column.Vector, error) {
	return nil, errors.New("no column")
}
