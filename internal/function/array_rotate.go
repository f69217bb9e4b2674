package function

import (
	"math/rand/v2"

	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "arrayRotateLeft", MinArgs: 2, MaxArgs: 2, Resolve: sameAs0("arrayRotateLeft", isArray, isPlainInt), Eval: evalRotate(1), Family: "arrays", Doc: "Rotates an array to the left.", Example: "arrayRotateLeft([1, 2, 3], 1) → [2,3,1]"},
		&Scalar{Name: "arrayRotateRight", MinArgs: 2, MaxArgs: 2, Resolve: sameAs0("arrayRotateRight", isArray, isPlainInt), Eval: evalRotate(-1), Family: "arrays", Doc: "Rotates an array to the right.", Example: "arrayRotateRight([1, 2, 3], 1) → [3,1,2]"},
		&Scalar{Name: "arrayShiftLeft", MinArgs: 2, MaxArgs: 3, Nulls: NullCustom, Resolve: resolveShift("arrayShiftLeft"), Eval: evalShift(1), Family: "arrays", Doc: "Moves the elements to the left and fills the end.", Example: "arrayShiftLeft([1, 2, 3], 1) → [2,3,0]"},
		&Scalar{Name: "arrayShiftRight", MinArgs: 2, MaxArgs: 3, Nulls: NullCustom, Resolve: resolveShift("arrayShiftRight"), Eval: evalShift(-1), Family: "arrays", Doc: "Moves the elements to the right and fills the start.", Example: "arrayShiftRight([1, 2, 3], 1) → [0,1,2]"},
		&Scalar{Name: "arrayShuffle", MinArgs: 1, MaxArgs: 2, Volatile: true, Resolve: sameAs0("arrayShuffle", isArray, isPlainInt), Eval: evalShuffle, Family: "arrays", Doc: "Brings the elements into a random order; of the same seed into the same."},
	)
}

// rearranged makes an array of the elements of each row, of which place names the one that comes k-th of n; -1 is a blank.
func rearranged(c *Call, blank func(out column.Builder, row int), place func(row, k, n int) int) (column.Vector, error) {
	arr := arraysOf(c.Args[0])
	out := column.New(c.Result, c.Rows).(*column.Array)
	elem := out.Elem.(column.Builder)
	for i := range c.Rows {
		from, to := arr.bounds(i)
		for k := range to - from {
			if at := place(i, k, to-from); at >= 0 {
				elem.AppendFrom(arr.Elem, from+at)
			} else {
				blank(elem, i)
			}
		}
		out.EndValue()
	}
	return out, nil
}

func evalRotate(sign int64) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		by := numArg[int64](c.Args[1], c.Rows)
		return rearranged(c, nil, func(row, k, n int) int {
			return int(civil.Mod(int64(k)+sign*(by.at(row)%int64(n)), int64(n)))
		})
	}
}

func resolveShift(name string) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if !isArray(args[0].Type) {
			return nil, illegal(name, 0, args[0].Type)
		}
		if !isPlainInt(args[1].Type) {
			return nil, illegal(name, 1, args[1].Type)
		}
		if elem := args[0].Type.Elem(); len(args) == 3 {
			t, err := types.Supertype(elem, args[2].Type)
			if err != nil || !t.Equal(elem) {
				return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of argument of function %s, expected %s", args[2].Type, name, elem)
			}
		}
		return args[0].Type, nil
	}
}

func evalShift(sign int64) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		by := numArg[int64](c.Args[1], c.Rows)
		blank := func(out column.Builder, _ int) { out.AppendDefault() }
		if len(c.Args) == 3 {
			fill, err := Cast(c.Env, c.Args[2], c.Result.Elem())
			if err != nil {
				return nil, err
			}
			fill = column.Flatten(fill)
			blank = func(out column.Builder, row int) { out.AppendFrom(fill, row) }
		}
		return rearranged(c, blank, func(row, k, n int) int {
			b := by.at(row)
			if b <= -int64(n) || b >= int64(n) {
				return -1
			}
			if at := int64(k) + sign*b; at >= 0 && at < int64(n) {
				return int(at)
			}
			return -1
		})
	}
}

func evalShuffle(c *Call) (column.Vector, error) {
	next := func(_ int) *rand.Rand { return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) }
	if len(c.Args) == 2 {
		seed := numArg[uint64](c.Args[1], c.Rows)
		next = func(row int) *rand.Rand { return rand.New(rand.NewPCG(seed.at(row), 0)) }
	}
	var order []int
	return rearranged(c, nil, func(row, k, n int) int {
		if k == 0 {
			order = next(row).Perm(n)
		}
		return order[k]
	})
}
