package analyze

import (
	"strings"
	"testing"

	"github.com/olapd/olapd/query/plan"
)

// Calls of constants are evaluated once, those with lambdas too unless these read columns, parameters around them or what changes.
func TestFold(t *testing.T) {
	for _, c := range []struct {
		expr   string
		folded bool
	}{
		{"arrayMap(x -> x * 2, range(3))", true},
		{"arrayMap(x -> arrayMap(y -> x + y, range(2)), range(3))", true},
		{"arrayFold((acc, x) -> acc + x, [1, 2], toInt64(0))", true},
		{"arrayMap(x -> x + a, [1])", false},
		{"arrayMap(x -> x + rand(), [1])", false},
		{"arrayMap(x -> x, c)", false},
	} {
		n, err := analyzeText("SELECT "+c.expr+" AS r FROM t", testOptions(testCatalog(t)))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := n.(*plan.Project).Exprs[0].(*plan.Const); ok != c.folded {
			t.Errorf("%s: folded %v, want %v: %s", c.expr, ok, c.folded, strings.TrimSpace(plan.String(n)))
		}
	}
}
