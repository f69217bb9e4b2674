package eval

import (
	"fmt"
	"slices"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// TestInOfIntegers checks IN and NOT IN over sets of all sizes, near and far values, with and without NULL.
func TestInOfIntegers(t *testing.T) {
	for _, size := range []int{1, 2, maxCompared, maxCompared + 1, 500} {
		for _, step := range []int64{1, 3, 1 << 40} {
			var members []int64
			for i := range size {
				members = append(members, (int64(i)-int64(size)/2)*step)
			}
			checkIn(t, fmt.Sprintf("%d values, step %d", size, step), members)
		}
	}
}

func checkIn(t *testing.T, what string, members []int64) {
	t.Helper()
	set := &plan.Set{Types: []*types.Type{types.TInt64}, Values: column.NewBlock(column.NewNum(types.TInt64, members))}
	var data []int64
	for _, m := range members {
		data = append(data, m-1, m, m+1, -m)
	}
	nulls := make([]uint8, len(data))
	for i := range nulls {
		nulls[i] = uint8(i % 5 / 4)
	}
	values := column.NewNum(types.TInt64, data)
	in := column.NewBlock(values, column.NewNullable(nulls, values))
	nullable := types.NewNullable(types.TInt64)
	for _, not := range []bool{false, true} {
		p, err := Compile(testEnv, []plan.Expr{
			&plan.In{Args: []plan.Expr{col(0, types.TInt64)}, Set: set, Not: not, T: types.TUInt8},
			&plan.In{Args: []plan.Expr{col(1, nullable)}, Set: set, Not: not, T: types.NewNullable(types.TUInt8)},
		}, NewSets(testEnv, false))
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Run(in)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range data {
			want := slices.Contains(members, x) != not
			if got := column.Value(out[0], i).(uint8) != 0; got != want {
				t.Fatalf("%s: %d in: %v, want %v (not: %v)", what, x, got, want, not)
			}
			if null := column.IsNull(out[1], i); null != (nulls[i] != 0) || !null && (column.Value(out[1], i).(uint8) != 0) != want {
				t.Fatalf("%s: %d, null %d, in: %v, want %v (not: %v)", what, x, nulls[i], column.Value(out[1], i), want, not)
			}
		}
	}
}
