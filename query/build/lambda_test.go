package build

import (
	"slices"
	"testing"

	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// higher binds a function of a lambda and an array.
func higher(t *testing.T, name string, l *plan.Lambda, array plan.Expr) plan.Expr {
	t.Helper()
	fn, err := function.Bind(testEnv(), name, []function.Arg{{Type: l.Body.Type(), Lambda: true}, {Type: array.Type()}})
	if err != nil {
		t.Fatal(err)
	}
	return &plan.Call{Fn: fn, Args: []plan.Expr{l, array}}
}

func TestLambdasCaptureColumnsAndParameters(t *testing.T) {
	tab := newFake("t", 40, 1)
	scan := scanOf(tab, colG, colA)
	g, a := col(scan, 0), col(scan, 1)
	x, y := &plan.Param{Name: "x", T: types.TUInt8}, &plan.Param{Name: "y", T: types.TUInt8}
	// arrayMap(x -> arrayCount(y -> equals(y, x + g - g), a), a): how often each element occurs
	same := call(t, "equals", y, call(t, "minus", call(t, "plus", x, g), g))
	count := higher(t, "arrayCount", &plan.Lambda{Params: []*plan.Param{y}, Body: same}, a)
	occurs := higher(t, "arrayMap", &plan.Lambda{Params: []*plan.Param{x}, Body: count}, a)
	var want []string
	for _, r := range naive(scan) {
		elems, counts := r[1].([]any), []any{}
		for _, e := range elems {
			n := 0
			for _, f := range elems {
				if e == f {
					n++
				}
			}
			counts = append(counts, n)
		}
		want = append(want, text(row{r[1], counts}))
	}
	slices.Sort(want)
	for _, o := range []exec.Options{{Threads: 1, MaxBlockSize: 3}, {Threads: 2}} {
		_, got := run1(t, project(scan, a, occurs), o)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s", firstDifference(got, want))
		}
	}
}
