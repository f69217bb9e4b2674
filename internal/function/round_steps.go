package function

import (
	"sort"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "roundDuration", MinArgs: 1, MaxArgs: 1, Resolve: fixed("roundDuration", types.TUInt16, isPlainNum), Eval: evalSteps(durationSteps), Family: "rounding", Doc: "Rounds seconds down to one of the usual durations.", Example: "roundDuration(100) → 60"},
		&Scalar{Name: "roundAge", MinArgs: 1, MaxArgs: 1, Resolve: fixed("roundAge", types.TUInt8, isPlainNum), Eval: evalAge, Family: "rounding", Doc: "Rounds an age down to one of the usual groups.", Example: "roundAge(20) → 18"},
	)
}

// durationSteps are the durations of sessions that reports tell apart.
var durationSteps = []float64{1, 10, 30, 60, 120, 180, 240, 300, 600, 1200, 1800, 3600, 7200, 18000, 36000}

// ageSteps are the first ages of the groups that reports tell apart.
var ageSteps = []float64{18, 25, 35, 45, 55}

// stepBelow is the greatest step that is not greater than x; 0 if there is none.
func stepBelow(steps []float64, x float64) float64 {
	if i := sort.Search(len(steps), func(i int) bool { return steps[i] > x }); i > 0 {
		return steps[i-1]
	}
	return 0
}

func evalSteps(steps []float64) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		out := make([]uint64, c.Rows)
		for i, x := range fullNums[float64](c.Args[0], c.Rows) {
			out[i] = uint64(stepBelow(steps, x))
		}
		return narrow(c.Result, out), nil
	}
}

// childAge is the group of those who are younger than the first step.
const childAge = 17

func evalAge(c *Call) (column.Vector, error) {
	out := make([]uint64, c.Rows)
	for i, x := range fullNums[float64](c.Args[0], c.Rows) {
		switch {
		case !(x >= 1):
		case x < ageSteps[0]:
			out[i] = childAge
		default:
			out[i] = uint64(stepBelow(ageSteps, x))
		}
	}
	return narrow(c.Result, out), nil
}
