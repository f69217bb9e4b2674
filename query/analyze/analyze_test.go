package analyze

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/plan"
)

func TestExprsOfATable(t *testing.T) {
	schema := column.Schema{{Name: "ts", Type: types.TDateTime}, {Name: "n", Type: types.TInt64}}
	for _, c := range []struct {
		sql, want string
		code      sqlerr.Code
	}{
		{"toDate(ts)", "toDate(ts)", sqlerr.OK},
		{"n + 1 AS m", "plus(n, 1)", sqlerr.OK},
		{"1 + 1", "2::UInt16", sqlerr.OK},
		{"nosuch", "", sqlerr.UnknownIdentifier},
		{"sum(n)", "", sqlerr.IllegalAggregation},
		{"row_number() over ()", "", sqlerr.IllegalAggregation},
		{"(select 1)", "", sqlerr.NotImplemented},
		{"n -> n", "", sqlerr.BadArguments},
	} {
		e, err := parse.Expr(c.sql, parse.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		opts := testOptions(catalog.New())
		opts.Scalar = nil
		x, err := Expr(context.Background(), e, schema, opts)
		if sqlerr.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want code %d", c.sql, err, c.code)
		} else if err == nil && x.String() != c.want {
			t.Errorf("%s is %s, want %s", c.sql, x, c.want)
		}
	}
}

func TestConst(t *testing.T) {
	for sql, want := range map[string]string{"1 + 2": "3::UInt16", "'a'": "'a'", "NULL": "NULL", "-5": "-5", "toDate('1970-01-03')": "2::Date"} {
		e, err := parse.Expr(sql, parse.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		c, err := Const(context.Background(), e, testOptions(catalog.New()))
		if err != nil || c.String() != want {
			t.Errorf("%s is %v (%v), want %s", sql, c, err, want)
		}
	}
	e, _ := parse.Expr("rand()", parse.Limits{})
	if _, err := Const(context.Background(), e, testOptions(catalog.New())); err == nil {
		t.Error("rand() is no constant")
	}
}

func TestParameters(t *testing.T) {
	opts := testOptions(testCatalog(t))
	opts.Params = map[string]string{"n": "5", "s": `a\tb`, "tab": "t", "bad": "x", "null": `\N`, "col": "a", "list": "[1,2]"}
	for _, c := range []struct {
		sql, want string
		code      sqlerr.Code
	}{
		{"select {n:UInt8}", "5", sqlerr.OK},
		{"select {s:String}", `'a\tb'`, sqlerr.OK},
		{"select {null:Nullable(UInt8)}", "NULL", sqlerr.OK},
		{"select {n:UInt8} + 1", "6::UInt16", sqlerr.OK},
		{"select a from t limit {n:UInt64}", "a", sqlerr.OK},
		{"select {col:Identifier} from {tab:Identifier}", "a", sqlerr.OK},
		{"select {missing:UInt8}", "", sqlerr.UnknownQueryParameter},
		{"select {bad:UInt8}", "", sqlerr.BadQueryParameter},
		{"select {n:NoSuchType}", "", sqlerr.UnknownType},
	} {
		n, err := analyzeText(c.sql, opts)
		if sqlerr.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want code %d", c.sql, err, c.code)
			continue
		}
		if err == nil && firstExpr(n) != c.want {
			t.Errorf("%s: %s, want %s", c.sql, firstExpr(n), c.want)
		}
	}
}

func firstExpr(n plan.Node) string {
	for {
		if p, ok := n.(*plan.Project); ok {
			return p.Exprs[0].String()
		}
		n = n.Inputs()[0]
	}
}

func TestLimits(t *testing.T) {
	opts := testOptions(testCatalog(t))
	doubling := "select 1 as a0"
	for i := range 40 {
		doubling += strings.NewReplacer("N", itoa(i), "M", itoa(i+1)).Replace(", aN + aN + dummy as aM")
	}
	nested := strings.Repeat("select * from (", 120) + "select 1" + strings.Repeat(")", 120)
	for _, c := range []struct {
		name, sql string
		code      sqlerr.Code
	}{
		{"aliases that double", doubling, sqlerr.TooBigAST},
		{"subqueries", nested, sqlerr.TooDeepSubqueries},
		{"cube", "select count() from types group by cube(i8,i16,i32,i64,u8,u16,u32,u64,f32,f64,s,fs,da)", sqlerr.TooManyColumns},
	} {
		if _, err := analyzeText(c.sql, opts); sqlerr.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want code %d", c.name, err, c.code)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := newAnalyzer(ctx, opts).enter(); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled analysis goes on: %v", err)
	}
}

func itoa(i int) string { return unsigned(uint64(i)).String() }

func TestErrorsPointAtTheText(t *testing.T) {
	opts := testOptions(testCatalog(t))
	for _, c := range []struct {
		sql, at, says string
	}{
		{"select a, nosuch from t", "nosuch", "nosuch"},
		{"select pluss(a, 1) from t", "pluss", "Maybe you meant: ['plus','"},
		{"select t.aa from t", "t.aa", "Maybe you meant: ['t.a','t.b']"},
		{"select a from tt", "tt", "Maybe you meant: ['t']"},
		{"select a from t where sum(a) > 1", "sum(a) > 1", "WHERE"},
		{"select a from t group by 3", "3", "[1, 1]"},
		{"select b + 1 from t", "b + 1", "plus"},
	} {
		_, err := analyzeText(c.sql, opts)
		var e *sqlerr.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", c.sql, err)
			continue
		}
		if want := strings.Index(c.sql, c.at); e.Pos != want {
			t.Errorf("%s: position %d, want %d (%v)", c.sql, e.Pos, want, err)
		}
		if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %q does not say %s", c.sql, err, c.says)
		}
	}
}

func TestTableFilters(t *testing.T) {
	opts := testOptions(testCatalog(t))
	opts.Filters = map[string]string{"default.t": "a > 10", "u": "z = 'x'"}
	for sql, want := range map[string]string{
		"select b from t":                              "Filter greater(a, 10)",
		"select x.b from t as x":                       "Filter greater(a, 10)",
		"select bb from vw":                            "Filter greater(a, 10)",
		"select a from u":                              "Filter equals(z, 'x')",
		"select count() from t, u":                     "Filter equals(z, 'x')",
		"select a from t where 1 in (select a from u)": "Filter equals(z, 'x')",
	} {
		n, err := analyzeText(sql, opts)
		if err != nil {
			t.Fatal(err)
		}
		if got := plan.String(n); !strings.Contains(got, want) {
			t.Errorf("%s\n%s has no %s", sql, got, want)
		}
	}
}

func BenchmarkLongIn(b *testing.B) {
	opts := testOptions(testCatalog(b))
	var list strings.Builder
	for i := range 20_000 {
		list.WriteString(itoa(i) + ",")
	}
	sql := "select a from t where a in (" + list.String() + "1)"
	for b.Loop() {
		if _, err := analyzeText(sql, opts); err != nil {
			b.Fatal(err)
		}
	}
}

func TestResultLimit(t *testing.T) {
	opts := testOptions(testCatalog(t))
	set := map[string]string{"limit": "3", "offset": "2"}
	opts.Setting = func(name string) (string, bool) { v, ok := set[name]; return v, ok }
	n, err := analyzeText("select a from t", opts)
	if err != nil {
		t.Fatal(err)
	}
	if l, ok := n.(*plan.Limit); !ok || l.N != 3 || l.Offset != 2 {
		t.Errorf("the settings limit and offset are not applied:\n%s", plan.String(n))
	}
}

// FuzzQuery looks for statements that parse and then make the analyzer panic or print a plan it cannot.
func FuzzQuery(f *testing.F) {
	for _, file := range []string{"basic", "group", "hits"} {
		for _, c := range readGolden(f, "testdata/"+file+".golden") {
			f.Add(c.sql)
		}
	}
	opts := testOptions(testCatalog(f))
	f.Fuzz(func(t *testing.T, sql string) {
		n, err := analyzeText(sql, opts)
		if err != nil {
			var e *sqlerr.Error
			if sqlerr.CodeOf(err) == sqlerr.LogicalError && errors.As(err, &e) {
				t.Fatalf("%s: %v", sql, err)
			}
			return
		}
		_ = plan.String(n)
	})
}
