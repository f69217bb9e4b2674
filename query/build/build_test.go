package build

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testEnv() *function.Env {
	return &function.Env{Ctx: context.Background(), Now: time.Unix(1700000000, 0), Zone: time.UTC}
}

func call(t testing.TB, name string, args ...plan.Expr) plan.Expr {
	t.Helper()
	var as []function.Arg
	for _, a := range args {
		arg := function.Arg{Type: a.Type()}
		if k, ok := a.(*plan.Const); ok {
			arg.Const = k.Value
		}
		as = append(as, arg)
	}
	fn, err := function.Bind(testEnv(), name, as)
	if err != nil {
		t.Fatal(err)
	}
	return &plan.Call{Fn: fn, Args: args}
}

func constant(t *types.Type, x any) *plan.Const {
	return &plan.Const{Value: column.NewConst(t, x, 1).Value, T: t}
}

func in(not bool, set *plan.Set, args ...plan.Expr) *plan.In {
	t := types.TUInt8
	for i, a := range args {
		set.Types = append(set.Types, a.Type().Inner())
		if a.Type().IsNullable() {
			t = types.NewNullable(types.TUInt8)
		}
		_ = i
	}
	return &plan.In{Args: args, Set: set, Not: not, T: t}
}

func values(t *types.Type, xs ...any) *plan.Set {
	b := column.New(t, len(xs))
	for _, x := range xs {
		column.AppendValue(b, x)
	}
	return &plan.Set{Values: column.NewBlock(b)}
}

func aggregate(t testing.TB, in plan.Node, keys []plan.Expr, calls ...plan.AggCall) *plan.Aggregate {
	t.Helper()
	a := &plan.Aggregate{Input: in, Keys: keys}
	for _, k := range keys {
		a.Fields = append(a.Fields, column.Field{Name: k.String(), Type: k.Type()})
	}
	for _, c := range calls {
		var ts []*types.Type
		for _, x := range c.Args {
			ts = append(ts, x.Type())
		}
		fn, err := function.BindAggregate(testEnv(), c.Func, nil, ts, false)
		if err != nil {
			t.Fatal(err)
		}
		c.Fn, c.Name = fn, c.Func
		a.Aggs = append(a.Aggs, c)
		a.Fields = append(a.Fields, column.Field{Name: c.Func, Type: fn.Result()})
	}
	return a
}

func agg(name string, args ...plan.Expr) plan.AggCall { return plan.AggCall{Func: name, Args: args} }

func project(in plan.Node, exprs ...plan.Expr) *plan.Project {
	p := &plan.Project{Input: in, Exprs: exprs}
	for _, e := range exprs {
		p.Fields = append(p.Fields, column.Field{Name: e.String(), Type: e.Type()})
	}
	return p
}

func asc(i int) plan.SortKey { return plan.SortKey{Index: i} }
func desc(i int) plan.SortKey {
	return plan.SortKey{Index: i, Order: column.Order{Desc: true, NullsFirst: true}}
}

type planCase struct {
	name    string
	node    plan.Node
	ordered bool
}

// cases are plans over table t (and u), each to be run as the naive engine does.
func cases(t testing.TB, tab, other *fakeTable) []planCase {
	all := func() *plan.Scan { return scanOf(tab, colID, colG, colS, colN, colF, colA, colNS) }
	filtered := func() *plan.Scan {
		s := all()
		return s.With(call(t, "and",
			in(false, values(types.TString, "apple", "plum", "\x00"), col(s, colS)),
			call(t, "greater", col(s, colF), constant(types.TFloat64, 3.0))), 0)
	}
	calls := func(n plan.Node) []plan.AggCall {
		return []plan.AggCall{agg("count"), agg("sum", col(n, colF)), agg("min", col(n, colID)), agg("uniqExact", col(n, colS)), agg("count", col(n, colN))}
	}
	out := []planCase{
		{"scan", all(), false},
		{"filter", filtered(), false},
		{"filter node", &plan.Filter{Input: all(), Cond: in(true, values(types.TInt32, int32(1), int32(-3)), col(all(), colN))}, false},
		{"subquery set", all().With(in(false, &plan.Set{Input: project(filtered(), col(all(), colID)), ID: 1}, col(all(), colID)), 0), false},
		{"tuple in", all().With(in(false, &plan.Set{Input: project(filtered(), col(all(), colG), col(all(), colNS)), ID: 1}, col(all(), colG), col(all(), colNS)), 0), false},
		{"sort", &plan.Sort{Input: all(), Keys: []plan.SortKey{asc(colN), desc(colS), asc(colID)}}, true},
		{"sort nulls first", &plan.Sort{Input: filtered(), Keys: []plan.SortKey{desc(colNS), desc(colF), asc(colID)}}, true},
		{"top", &plan.Sort{Input: all(), Keys: []plan.SortKey{desc(colF), asc(colID)}, Limit: 7}, true},
		{"top by string", &plan.Sort{Input: filtered(), Keys: []plan.SortKey{asc(colNS), desc(colS), asc(colID)}, Limit: 5}, true},
		{"top by nullable", &plan.Sort{Input: project(all(), col(all(), colS), col(all(), colN), col(all(), colID)), Keys: []plan.SortKey{desc(1), asc(2)}, Limit: 60}, true},
		{"limit", &plan.Limit{Input: &plan.Sort{Input: all(), Keys: []plan.SortKey{asc(colID)}}, N: 10, Offset: 5}, true},
		{"ties", &plan.Limit{Input: project(&plan.Sort{Input: all(), Keys: []plan.SortKey{asc(colG)}}, col(all(), colG)), N: 3, Offset: 2, WithTies: []plan.SortKey{asc(0)}}, true},
		{"distinct", &plan.Distinct{Input: project(all(), col(all(), colG), col(all(), colNS)), Keys: []int{0, 1}}, false},
		{"limit by", &plan.LimitBy{Input: &plan.Sort{Input: all(), Keys: []plan.SortKey{asc(colID)}}, Keys: []int{colS}, N: 2, Offset: 1}, true},
		{"union", &plan.Union{All: []plan.Node{all(), filtered(), all()}, Fields: all().Schema()}, false},
		{"array join", &plan.ArrayJoin{Input: all(), Columns: []int{colA}, Fields: arrayJoined(all().Schema())}, false},
		{"aggregate nothing", aggregate(t, all().With(in(false, values(types.TUInt8, uint8(99)), col(all(), colG)), 0), nil, agg("count")), false},
		{"having", &plan.Filter{Input: aggregate(t, all(), []plan.Expr{col(all(), colS)}, calls(all())...), Cond: call(t, "greater", col(all(), colG), constant(types.TUInt8, uint8(30)))}, false},
	}
	out[len(out)-1].node.(*plan.Filter).Cond = call(t, "greater", &plan.Col{Index: 1, Name: "count()", T: types.TUInt64}, constant(types.TUInt8, uint8(30)))
	for name, keys := range map[string][]int{
		"none": {}, "u8": {colG}, "u64": {colID}, "string": {colS}, "nullable": {colN}, "nullable string": {colNS}, "float": {colF},
		"two": {colG, colS}, "three": {colNS, colN, colS}, "array": {colA, colG}, "wide": {colID, colF, colN, colS, colNS},
	} {
		var exprs []plan.Expr
		for _, k := range keys {
			exprs = append(exprs, col(all(), k))
		}
		out = append(out, planCase{"group by " + name, aggregate(t, filtered(), exprs, calls(all())...), false},
			planCase{"group all by " + name, aggregate(t, all(), exprs, calls(all())...), false})
	}
	rollup := aggregate(t, all(), []plan.Expr{col(all(), colG), col(all(), colS)}, calls(all())...)
	rollup.GroupingSets = [][]int{{0, 1}, {0}, {}}
	out = append(out, planCase{"grouping sets", rollup, false})
	return append(out, joinCases(t, all(), scanOf(other, colID, colG, colNS, colF))...)
}

func arrayJoined(s column.Schema) column.Schema {
	s = slices.Clone(s)
	s[colA].Type = types.TUInt8
	return s
}

func joinCases(t testing.TB, left, right plan.Node) []planCase {
	var out []planCase
	fields := append(slices.Clone(left.Schema()), right.Schema()...)
	nullable := slices.Clone(fields)
	for i := len(left.Schema()); i < len(fields); i++ {
		nullable[i].Type = types.NewNullable(fields[i].Type)
	}
	cond := call(t, "less", &plan.Col{Index: colF, Name: "f", T: types.TFloat64}, &plan.Col{Index: len(left.Schema()) + 3, Name: "f", T: types.TFloat64})
	for kind := plan.Inner; kind <= plan.RightAnti; kind++ {
		j := &plan.Join{Left: left, Right: right, Kind: kind, Fields: fields}
		name := fmt.Sprint("join ", kind)
		if kind != plan.Cross {
			j.LeftKeys = []plan.Expr{col(left, colG), col(left, colNS)}
			j.RightKeys = []plan.Expr{col(right, 1), col(right, 2)}
		}
		out = append(out, planCase{name + " key", project1(j), false})
		withCond := *j
		withCond.Cond = cond
		out = append(out, planCase{name + " key and condition", project1(&withCond), false})
	}
	useNulls := &plan.Join{Left: left, Right: right, Kind: plan.Left, Fields: nullable,
		LeftKeys: []plan.Expr{col(left, colID)}, RightKeys: []plan.Expr{col(right, 0)}}
	anyLeft := *useNulls
	anyLeft.Fields, anyLeft.Strictness = fields, plan.Any
	return append(out, planCase{"join_use_nulls", useNulls, false}, planCase{"any left", &anyLeft, false})
}

// project1 keeps, of semi joins, the columns of the side that decides: the partner is any of several.
func project1(j *plan.Join) plan.Node {
	w := len(j.Left.Schema())
	switch j.Kind {
	case plan.Semi:
		return project(j, &plan.Col{Index: 0, Name: "id", T: j.Fields[0].Type})
	case plan.RightSemi:
		return project(j, &plan.Col{Index: w, Name: "id", T: j.Fields[w].Type})
	}
	return j
}

func runPlan(t testing.TB, n plan.Node, st *fakeStorage, o exec.Options) ([]string, error) {
	t.Helper()
	p, err := Build(context.Background(), n, Options{Storage: st, Env: testEnv(), Options: o})
	if err != nil {
		return nil, err
	}
	var out []string
	err = p.Run(context.Background(), func(b *column.Block) error {
		if b.N > max(o.MaxBlockSize, 1) && o.MaxBlockSize > 0 {
			t.Errorf("block of %d rows", b.N)
		}
		for _, r := range rowsOf(b) {
			out = append(out, text(r))
		}
		return nil
	})
	if o := st.open.Load(); o != 0 {
		t.Errorf("%d scanners left open", o)
	}
	return out, err
}

func TestPlansAgainstNaive(t *testing.T) {
	tab, other := newFake("t", 211, 1), newFake("u", 60, 2)
	for _, c := range cases(t, tab, other) {
		var want []string
		for _, r := range naive(c.node) {
			want = append(want, text(r))
		}
		if !c.ordered {
			slices.Sort(want)
		}
		for _, o := range []exec.Options{
			{Threads: 1, MaxBlockSize: 1}, {Threads: 2, MaxBlockSize: 3}, {Threads: 4, MaxBlockSize: 1024}, {Threads: 1},
			{Threads: 2, MaxBlockSize: 1024, CollideHashes: true},
		} {
			for _, morsel := range []int{7, 64} {
				t.Run(fmt.Sprintf("%s/%d threads/%d rows/%v/morsel %d", c.name, o.Threads, o.MaxBlockSize, o.CollideHashes, morsel), func(t *testing.T) {
					got, err := runPlan(t, c.node, &fakeStorage{morsel: morsel}, o)
					if err != nil {
						t.Fatal(err)
					}
					if !c.ordered {
						slices.Sort(got)
					}
					if !slices.Equal(got, want) {
						t.Errorf("got %d rows, want %d\n%s", len(got), len(want), firstDifference(got, want))
					}
				})
			}
		}
	}
}

func firstDifference(got, want []string) string {
	for i := 0; i < max(len(got), len(want)); i++ {
		g, w := "(end)", "(end)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			return fmt.Sprintf("row %d: got %s want %s", i, g, w)
		}
	}
	return ""
}

func TestManyGroupsSplit(t *testing.T) {
	tab := newFake("t", 50_000, 3)
	scan := scanOf(tab, colID, colG, colS)
	n := aggregate(t, scan, []plan.Expr{col(scan, 0), col(scan, 2)}, agg("count"), agg("min", col(scan, 1)), agg("uniqExact", col(scan, 2)))
	var want []string
	for _, r := range naive(n) {
		want = append(want, text(r))
	}
	slices.Sort(want)
	for threads := 1; threads <= 3; threads++ {
		got, err := runPlan(t, n, &fakeStorage{morsel: 4000}, exec.Options{Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%d threads: got %d rows, want %d: %s", threads, len(got), len(want), firstDifference(got, want))
		}
	}
}

func TestCountReadsNoColumn(t *testing.T) {
	st := &fakeStorage{morsel: 10}
	got, err := runPlan(t, aggregate(t, scanOf(newFake("t", 95, 1)), nil, agg("count")), st, exec.Options{Threads: 2})
	if err != nil || len(got) != 1 || got[0] != "95|" {
		t.Errorf("count() = %v, %v", got, err)
	}
	if n := st.columns.Load(); n != 0 {
		t.Errorf("%d columns were read", n)
	}
}

func TestTopReadsLittle(t *testing.T) {
	st := &fakeStorage{morsel: 100}
	tab := newFake("t", 10_000, 1)
	scan := scanOf(tab, colID, colS, colF)
	n := &plan.Limit{Input: &plan.Sort{Input: scan, Keys: []plan.SortKey{asc(0)}, Limit: 3}, N: 3}
	p, got := runOn(t, st, n)
	if !slices.Equal(at(got[0], []int{0}), row{uint64(0)}) || len(got) != 3 {
		t.Errorf("got %v", got)
	}
	if n, _ := p.RowsBeforeLimit(); n != 10_000 {
		t.Errorf("%d rows before the limit", n)
	}
	if n := st.values.Load(); n > 11_000 {
		t.Errorf("%d values were read", n)
	}
}

func runOn(t *testing.T, st *fakeStorage, n plan.Node) (*exec.Pipeline, []row) {
	t.Helper()
	p, err := Build(context.Background(), n, Options{Storage: st, Env: testEnv()})
	if err != nil {
		t.Fatal(err)
	}
	var out []row
	if err := p.Run(context.Background(), func(b *column.Block) error {
		out = append(out, rowsOf(b)...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return p, out
}

func TestLimitStopsTheScan(t *testing.T) {
	st := &fakeStorage{morsel: 10}
	scan := scanOf(newFake("t", 10_000, 1), colID)
	got, err := runPlan(t, &plan.Limit{Input: scan, N: 15}, st, exec.Options{Threads: 1})
	if err != nil || len(got) != 15 || st.rows.Load() > 100 {
		t.Errorf("%d rows of %d read, error %v", len(got), st.rows.Load(), err)
	}
}

func TestErrors(t *testing.T) {
	tab := newFake("t", 5000, 1)
	all := scanOf(tab, colID, colG, colS)
	byID := aggregate(t, all, []plan.Expr{col(all, 0)}, agg("count"))
	sorted := &plan.Sort{Input: all, Keys: []plan.SortKey{asc(0)}}
	small := mem.NewBudget("total", 20_000)
	for _, c := range []struct {
		name string
		node plan.Node
		o    exec.Options
		code sqlerr.Code
	}{
		{"memory of groups", byID, exec.Options{Budget: small}, sqlerr.MemoryLimitExceeded},
		{"memory of sort", sorted, exec.Options{Budget: small}, sqlerr.MemoryLimitExceeded},
		{"memory of distinct", &plan.Distinct{Input: all, Keys: []int{0}}, exec.Options{Budget: small}, sqlerr.MemoryLimitExceeded},
		{"rows to read", all, exec.Options{Limits: exec.Limits{RowsToRead: 100}}, sqlerr.TooManyRows},
		{"bytes to read", all, exec.Options{Limits: exec.Limits{BytesToRead: 100}}, sqlerr.TooManyBytes},
		{"groups", byID, exec.Options{Limits: exec.Limits{RowsToGroupBy: 100}}, sqlerr.TooManyRows},
		{"result", all, exec.Options{Limits: exec.Limits{ResultRows: 100}}, sqlerr.TooManyRowsOrBytes},
		{"sort", sorted, exec.Options{Limits: exec.Limits{RowsToSort: 100}}, sqlerr.TooManyRowsOrBytes},
		{"distinct", &plan.Distinct{Input: all, Keys: []int{0}}, exec.Options{Limits: exec.Limits{RowsInDistinct: 100}}, sqlerr.SetSizeLimitExceeded},
	} {
		for _, threads := range []int{1, 3} {
			c.o.Threads = threads
			_, err := runPlan(t, c.node, &fakeStorage{morsel: 64}, c.o)
			if !sqlerr.Is(err, c.code) {
				t.Errorf("%s, %d threads: error %v, want code %d", c.name, threads, err, c.code)
			}
		}
	}
	if small.Used() != 0 {
		t.Errorf("%d bytes are still reserved", small.Used())
	}
}

func TestGroupOverflowModes(t *testing.T) {
	tab := newFake("t", 5000, 1)
	all := scanOf(tab, colID)
	byID := aggregate(t, all, []plan.Expr{col(all, 0)}, agg("count"))
	for _, mode := range []exec.Overflow{exec.OverflowBreak, exec.OverflowAny} {
		got, err := runPlan(t, byID, &fakeStorage{morsel: 64}, exec.Options{Threads: 1, Limits: exec.Limits{RowsToGroupBy: 100, GroupByMode: mode}})
		if err != nil || len(got) < 100 || len(got) > 200 {
			t.Errorf("mode %d: %d groups, error %v", mode, len(got), err)
		}
	}
}

func TestCancellation(t *testing.T) {
	tab := newFake("t", 20_000, 1)
	all := scanOf(tab, colID, colS)
	for _, n := range []plan.Node{all, &plan.Sort{Input: all, Keys: []plan.SortKey{asc(1)}}, aggregate(t, all, []plan.Expr{col(all, 1)}, agg("count"))} {
		for _, threads := range []int{1, 4} {
			ctx, cancel := context.WithCancel(context.Background())
			st := &fakeStorage{morsel: 3}
			p, err := Build(ctx, n, Options{Storage: st, Env: testEnv(), Options: exec.Options{Threads: threads, Progress: func(int64, int64) { cancel() }}})
			if err != nil {
				t.Fatal(err)
			}
			err = p.Run(ctx, func(*column.Block) error { return nil })
			if !sqlerr.Is(err, sqlerr.QueryWasCancelled) || st.open.Load() != 0 {
				t.Errorf("%T: error %v, %d scanners open", n, err, st.open.Load())
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Nanosecond)
	defer cancel()
	p, err := Build(ctx, all, Options{Storage: &fakeStorage{morsel: 3}, Env: testEnv()})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(ctx, func(*column.Block) error { return nil }); !sqlerr.Is(err, sqlerr.TimeoutExceeded) {
		t.Errorf("after the deadline: %v", err)
	}
}
