package define

import (
	"testing"

	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
)

// TestSQL holds what is shown against ClickHouse's formatting, and checks that it parses to the same tree.
func TestSQL(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a+1", "a + 1"},
		{"(a+1)*2", "(a + 1) * 2"},
		{"a and b or not c", "(a AND b) OR (NOT c)"},
		{"x in (1,2)", "x IN (1, 2)"},
		{"x like 'a%' and y > 1", "(x LIKE 'a%') AND (y > 1)"},
		{"toDate(timestamp) + interval 1 day", "toDate(timestamp) + toIntervalDay(1)"},
		{"[1,a+1]", "[1, a + 1]"},
		{"(1, b)", "(1, b)"},
		{"x is null", "x IS NULL"},
		{"-a", "-a"},
		{"quantile(0.5)(x)", "quantile(0.5)(x)"},
		{"count()", "count()"},
		{"arrayMap(x -> x + 1, a)", "arrayMap(x -> (x + 1), a)"},
		{"`we ird` + `order`", "`we ird` + `order`"},
		{"cast(x as Int8)", "CAST(x, 'Int8')"},
		{"a - -1", "a - -1"},
	} {
		e, err := parse.Expr(c.in, parse.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", c.in, err)
		}
		got := SQL(e)
		if got != c.want {
			t.Errorf("%s is shown as %s, want %s", c.in, got, c.want)
		}
		again, err := parse.Expr(got, parse.Limits{})
		if err != nil {
			t.Errorf("%s: %v", got, err)
		} else if ast.Format(again) != ast.Format(e) {
			t.Errorf("%s parses to %s, not %s", got, ast.Format(again), ast.Format(e))
		}
	}
}
