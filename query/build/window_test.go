package build

import (
	"fmt"
	"slices"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

func windowCall(t testing.TB, name string, frame plan.Frame, args ...plan.Expr) plan.WindowCall {
	c := plan.WindowCall{AggCall: plan.AggCall{Name: name, Func: name, Args: args}, Frame: frame,
		PartitionBy: []int{colG}, OrderBy: []plan.SortKey{desc(colF)}}
	if function.IsAggregate(name) {
		ts := make([]*types.Type, len(args))
		for i, a := range args {
			ts[i] = a.Type()
		}
		fn, err := function.BindAggregate(testEnv(), name, nil, ts, false)
		if err != nil {
			t.Fatal(err)
		}
		c.Fn = fn
	}
	return c
}

func bound(n int64) *int64 { return &n }

// naiveWindow computes one call for the row at position i of its partition, which is sorted.
func naiveWindow(c plan.WindowCall, part []row, i int) any {
	peer := func(a, b int) bool { return compareRows(part[a], part[b], c.OrderBy) == 0 }
	lo, hi := 0, len(part)
	if c.Frame.Start != nil {
		for lo = i; !c.Frame.Rows && lo > 0 && peer(lo-1, i); lo-- {
		}
		if c.Frame.Rows {
			lo = min(max(i+int(*c.Frame.Start), 0), len(part))
		}
	}
	if c.Frame.End != nil {
		for hi = i + 1; !c.Frame.Rows && hi < len(part) && peer(hi, i); hi++ {
		}
		if c.Frame.Rows {
			hi = min(max(i+int(*c.Frame.End)+1, 0), len(part))
		}
	}
	from := i
	for from > 0 && peer(from-1, i) {
		from--
	}
	shift := func(at, lo, hi int) any {
		switch {
		case at >= lo && at < hi:
			return evalRow(c.Args[0], part[at])
		case len(c.Args) > 2:
			return evalRow(c.Args[2], part[i])
		}
		return column.Value(column.NewDefaults(c.Args[0].Type(), 1), 0)
	}
	switch c.Func {
	case "row_number":
		return uint64(i + 1)
	case "rank":
		return uint64(from + 1)
	case "dense_rank":
		n := 1
		for k := 1; k <= i; k++ {
			if !peer(k-1, k) {
				n++
			}
		}
		return uint64(n)
	case "lag":
		return shift(i-2, 0, len(part))
	case "lead":
		return shift(i+int(number(evalRow(c.Args[1], part[i]))), 0, len(part))
	case "lagInFrame":
		return shift(i-2, lo, hi)
	case "nth_value":
		return shift(lo+1, lo, hi)
	}
	return naiveFold(c.AggCall, part[min(lo, hi):hi])
}

func TestWindowsAgainstNaive(t *testing.T) {
	tab := newFake("t", 120, 5)
	in := scanOf(tab, colID, colG, colS, colN, colF)
	two := constant(types.TUInt8, uint8(2))
	running, slide := plan.Frame{End: bound(0)}, plan.Frame{Rows: true, Start: bound(-2), End: bound(1)}
	calls := []plan.WindowCall{
		windowCall(t, "rank", running), windowCall(t, "dense_rank", running),
		windowCall(t, "sum", plan.Frame{}, col(in, colF)), windowCall(t, "sum", running, col(in, colF)),
		windowCall(t, "uniqExact", plan.Frame{Start: bound(0), End: bound(0)}, col(in, colS)),
		windowCall(t, "count", plan.Frame{Start: bound(0)}, col(in, colN)),
		windowCall(t, "uniqExact", plan.Frame{}, col(in, colS)), windowCall(t, "uniqExact", running, col(in, colS)),
		windowCall(t, "min", running, col(in, colF)), windowCall(t, "max", plan.Frame{}, col(in, colN)), windowCall(t, "avg", running, col(in, colID)),
	}
	total := []plan.WindowCall{ // need a total order
		windowCall(t, "sum", slide, col(in, colF)), windowCall(t, "count", plan.Frame{Rows: true, Start: bound(1), End: bound(3)}),
		windowCall(t, "count", plan.Frame{Rows: true, End: bound(-1)}), windowCall(t, "row_number", running), windowCall(t, "lag", running, col(in, colN), two),
		windowCall(t, "lead", running, col(in, colS), constant(types.TUInt8, uint8(1)), constant(types.TString, "none")),
		windowCall(t, "lead", running, col(in, colN), col(in, colG)),
		windowCall(t, "lagInFrame", slide, col(in, colID), two), windowCall(t, "nth_value", slide, col(in, colID), two),
	}
	ahead := plan.Frame{Rows: true, Start: bound(2), End: bound(4)} // of the last rows of a partition it is empty
	for _, fr := range []plan.Frame{running, slide, ahead, {Rows: true, Start: bound(-1)}, {Rows: true, End: bound(1)}} {
		for _, f := range []string{"sum", "avg", "min", "max", "any", "anyLast", "count"} {
			total = append(total, windowCall(t, f, fr, col(in, colF)), windowCall(t, f, fr, col(in, colN)), windowCall(t, f, fr, col(in, colID)))
		}
		total = append(total, windowCall(t, "any", fr, col(in, colS)), windowCall(t, "anyLast", fr, col(in, colS)))
	}
	for i := range total {
		total[i].OrderBy = append(slices.Clone(total[i].OrderBy), asc(colID))
	}
	calls = append(calls, total...)
	n := &plan.Window{Input: in, Calls: calls, Fields: slices.Clone(in.Schema())}
	for i, c := range calls {
		typ := types.TUInt64
		if c.Fn != nil {
			typ = c.Fn.Result()
		} else if len(c.Args) > 0 {
			typ = c.Args[0].Type()
		}
		n.Fields = append(n.Fields, column.Field{Name: fmt.Sprint(i), Type: typ})
	}
	want := naiveWindows(naive(in), calls)
	for _, o := range []exec.Options{{Threads: 1, MaxBlockSize: 3}, {Threads: 3}} {
		got, err := runPlan(t, n, &fakeStorage{morsel: 16}, o)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s", firstDifference(got, want))
		}
	}
}

func naiveWindows(rows []row, calls []plan.WindowCall) []string {
	var out []string
	for _, r := range rows {
		res := slices.Clone(r)
		var part []row
		for i, c := range calls {
			if i == 0 || !slices.Equal(c.OrderBy, calls[i-1].OrderBy) { // all have the same partitions
				part = keep(rows, func(o row) bool { return text(at(o, c.PartitionBy)) == text(at(r, c.PartitionBy)) })
				slices.SortStableFunc(part, func(a, b row) int { return compareRows(a, b, c.OrderBy) })
			}
			i := slices.IndexFunc(part, func(o row) bool { return o[colID] == r[colID] })
			res = append(res, naiveWindow(c, part, i))
		}
		out = append(out, text(res))
	}
	slices.Sort(out)
	return out
}
