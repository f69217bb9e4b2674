package build

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// run1 runs a plan that must not fail and returns the pipeline and its rows.
func run1(t *testing.T, n plan.Node, o exec.Options) (*exec.Pipeline, []string) {
	t.Helper()
	p, err := Build(context.Background(), n, Options{Storage: &fakeStorage{morsel: 8}, Env: testEnv(), Options: o})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	if err := p.Run(context.Background(), func(b *column.Block) error {
		for _, r := range rowsOf(b) {
			out = append(out, text(r))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return p, out
}

func numbers(name string, xs ...any) plan.Node {
	b := column.New(types.TInt64, len(xs))
	for _, x := range xs {
		column.AppendValue(b, x)
	}
	return &plan.Values{Block: column.NewBlock(b), Fields: column.Schema{{Name: name, Type: types.TInt64}}}
}

func TestShortCircuit(t *testing.T) {
	in := numbers("x", int64(0), int64(2), int64(5))
	x := col(in, 0)
	zero, ten := constant(types.TInt64, int64(0)), constant(types.TInt64, int64(10))
	quotient := call(t, "intDiv", ten, x)
	for _, c := range []struct {
		e    plan.Expr
		want []string
	}{
		{call(t, "if", call(t, "equals", x, zero), zero, quotient), []string{"0|", "5|", "2|"}},
		{call(t, "and", call(t, "notEquals", x, zero), call(t, "equals", quotient, constant(types.TInt64, int64(5)))), []string{"0|", "1|", "0|"}},
		{call(t, "or", call(t, "equals", x, zero), call(t, "equals", quotient, constant(types.TInt64, int64(2)))), []string{"1|", "0|", "1|"}},
		{call(t, "multiIf", call(t, "equals", x, zero), ten, call(t, "equals", quotient, constant(types.TInt64, int64(5))), quotient, zero), []string{"10|", "5|", "0|"}},
	} {
		if _, got := run1(t, project(in, c.e), exec.Options{}); !slices.Equal(got, c.want) {
			t.Errorf("%s = %v, want %v", c.e, got, c.want)
		}
	}
	_, err := runPlan(t, project(in, quotient), &fakeStorage{morsel: 1}, exec.Options{})
	if !sqlerr.Is(err, sqlerr.IllegalDivision) {
		t.Errorf("unguarded division: %v", err)
	}
}

func TestGuardsKeepTheirOrder(t *testing.T) {
	tab := newFake("t", 50, 1)
	scan := scanOf(tab, colID, colG)
	ten := constant(types.TUInt8, uint8(10))
	guarded := call(t, "and", call(t, "notEquals", col(scan, 1), constant(types.TUInt8, uint8(0))),
		call(t, "greater", call(t, "intDiv", ten, col(scan, 1)), constant(types.TUInt8, uint8(4))))
	if _, got := run1(t, scan.With(guarded, 0), exec.Options{Threads: 2}); len(got) == 0 {
		t.Error("no rows")
	}
}

func TestNullsInSets(t *testing.T) {
	null := types.NewNullable(types.TInt64)
	b := column.New(null, 3)
	for _, x := range []any{int64(1), nil, int64(3)} {
		column.AppendValue(b, x)
	}
	n := &plan.Values{Block: column.NewBlock(b), Fields: column.Schema{{Name: "x", Type: null}}}
	x := col(n, 0)
	nulls := func(not, transform bool) plan.Expr {
		set := &plan.Set{Types: []*types.Type{null}, Values: column.NewBlock(column.Gather(b, []uint32{0, 1}))}
		e := &plan.In{Args: []plan.Expr{x}, Set: set, Not: not, T: types.NewNullable(types.TUInt8)}
		if transform {
			e.T = types.TUInt8
		}
		return e
	}
	_, got := run1(t, project(n, nulls(false, false), nulls(true, false), nulls(false, true), nulls(true, true)), exec.Options{})
	want := []string{"1|0|1|0|", "<nil>|<nil>|1|0|", "0|1|0|1|"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSetOfAnotherType(t *testing.T) {
	small := &plan.Values{Block: column.NewBlock(column.NewNum(types.TInt16, []int16{-1, 2, 300})), Fields: column.Schema{{Name: "y", Type: types.TInt16}}}
	in := &plan.Values{Block: column.NewBlock(column.NewNum(types.TUInt8, []uint8{2, 44, 255})), Fields: column.Schema{{Name: "x", Type: types.TUInt8}}}
	e := &plan.In{Args: []plan.Expr{col(in, 0)}, Set: &plan.Set{Types: []*types.Type{types.TUInt8}, Input: small}, T: types.TUInt8}
	if _, got := run1(t, project(in, e), exec.Options{}); !slices.Equal(got, []string{"1|", "0|", "0|"}) {
		t.Errorf("got %v", got)
	}
}

func TestTotals(t *testing.T) {
	tab := newFake("t", 100, 1)
	scan := scanOf(tab, colG, colF)
	a := aggregate(t, scan, []plan.Expr{col(scan, 0)}, agg("count"), agg("sum", col(scan, 1)))
	a.Totals = true
	having := &plan.Filter{Input: a, Cond: call(t, "greater", col(a, 0), constant(types.TUInt8, uint8(1)))}
	top := &plan.Limit{Input: &plan.Sort{Input: project(having, col(a, 1), col(a, 2)), Keys: []plan.SortKey{asc(0)}}, N: 1}
	want := naive(aggregate(t, scan.With(call(t, "greater", col(scan, 0), constant(types.TUInt8, uint8(1))), 0), nil, agg("count"), agg("sum", col(scan, 1))))
	p, rows := run1(t, top, exec.Options{Threads: 2, Extremes: true})
	tot, err := p.Totals()
	if err != nil || tot == nil || tot.N != 1 || text(rowsOf(tot)[0]) != text(want[0]) || len(rows) != 1 {
		t.Errorf("totals %v, error %v, want %v; %d rows", tot, err, want, len(rows))
	}
	if n, ok := p.RowsBeforeLimit(); !ok || n != 3 {
		t.Errorf("rows before limit: %d, %v", n, ok)
	}
	if e := p.Extremes(); text(rowsOf(e)[0]) != rows[0] || text(rowsOf(e)[1]) != rows[0] {
		t.Errorf("extremes %v of %v", rowsOf(e), rows)
	}
}

func TestPartialAndMerge(t *testing.T) {
	tab := newFake("t", 300, 1)
	scan := scanOf(tab, colG, colS)
	whole := aggregate(t, scan, []plan.Expr{col(scan, 0)}, agg("count"), agg("uniqExact", col(scan, 1)))
	partial := *whole
	partial.Partial = true
	merge := *whole
	merge.Input, merge.Merge = &plan.Union{All: []plan.Node{&partial, &partial}, Fields: whole.Fields}, true
	merge.Keys = []plan.Expr{col(&partial, 0)}
	merge.Aggs = slices.Clone(whole.Aggs)
	for i := range merge.Aggs {
		merge.Aggs[i].Args = []plan.Expr{&plan.Col{Index: 1 + i, Name: "state", T: types.TString}}
	}
	_, want := run1(t, whole, exec.Options{})
	_, got := run1(t, project(&merge, col(whole, 0), call(t, "intDiv", col(whole, 1), constant(types.TUInt8, uint8(2))), col(whole, 2)), exec.Options{Threads: 2})
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAsof(t *testing.T) {
	left, right := numbers("l", int64(1), int64(5), int64(9)), numbers("r", int64(8), int64(2), int64(5))
	for op, want := range map[string][]string{
		"greaterOrEquals": {"5|5|", "9|8|"}, "greater": {"5|2|", "9|8|"}, "lessOrEquals": {"1|2|", "5|5|"}, "less": {"1|2|", "5|8|"},
	} {
		j := &plan.Join{Left: left, Right: right, Kind: plan.Inner, Strictness: plan.Asof, AsofOp: op,
			LeftKeys: []plan.Expr{constant(types.TUInt8, uint8(1)), col(left, 0)}, RightKeys: []plan.Expr{constant(types.TUInt8, uint8(1)), col(right, 0)},
			Fields: append(slices.Clone(left.Schema()), right.Schema()...)}
		if _, got := run1(t, j, exec.Options{}); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", op, got, want)
		}
	}
}

func TestPanicsAreErrors(t *testing.T) {
	bad := &plan.Values{Block: &column.Block{Cols: []column.Vector{nil}, N: 3}, Fields: column.Schema{{Name: "x", Type: types.TInt64}}}
	for _, threads := range []int{1, 3} {
		_, err := runPlan(t, project(&plan.Union{All: []plan.Node{bad, bad}, Fields: bad.Fields}, call(t, "negate", col(bad, 0))), &fakeStorage{}, exec.Options{Threads: threads})
		if !sqlerr.Is(err, sqlerr.LogicalError) {
			t.Errorf("%d threads: %v", threads, err)
		}
	}
}

func TestExplain(t *testing.T) {
	tab := newFake("t", 20, 1)
	scan := scanOf(tab, colID, colG)
	s := scan.With(call(t, "greater", col(scan, 1), constant(types.TUInt8, uint8(1))), 0)
	n := &plan.Limit{Input: &plan.Sort{Input: aggregate(t, s, []plan.Expr{col(scan, 1)}, agg("count")), Keys: []plan.SortKey{desc(1)}, Limit: 3}, N: 3}
	p, err := Build(context.Background(), n, Options{Storage: &fakeStorage{morsel: 8}, Env: testEnv()})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Plan(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"Limit 3", "  Top 3 by count desc", "    Aggregate count() by g", "      Scan t where greater(g, 1)", "        Prunes by g > 1", "        Reads 1/1 segments, 0/0 granules, 20/20 rows",
	}, "\n")
	if got := strings.Join(p.Explain(), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
