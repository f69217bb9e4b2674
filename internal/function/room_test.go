package function_test

import (
	"testing"

	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/parse"
)

// Results that outgrow their arguments are held against the query's memory before they are made.
func TestRoom(t *testing.T) {
	for _, c := range []struct {
		expr string
		code sqlerr.Code
	}{
		{"range(400000000)", sqlerr.MemoryLimitExceeded},
		{"arrayResize([1], 900000000)", sqlerr.MemoryLimitExceeded},
		{"arrayWithConstant(900000000, 1)", sqlerr.MemoryLimitExceeded},
		{"arrayWithConstant(100000, repeat('a', 100000))", sqlerr.MemoryLimitExceeded},
		{"repeat(repeat('a', 1000), 1000000)", sqlerr.MemoryLimitExceeded},
		{"replaceAll(repeat('a', 1000000), 'a', repeat('b', 5000))", sqlerr.MemoryLimitExceeded},
		{"replaceRegexpAll(repeat('a', 1000000), 'a', repeat('b', 1000))", sqlerr.MemoryLimitExceeded},
		{"arrayStringConcat(arrayWithConstant(20, repeat('a', 1000000)), repeat('b', 1000000))", sqlerr.MemoryLimitExceeded},
		{"timeSlots(toDateTime(0), toUInt32(400000000), 1)", sqlerr.MemoryLimitExceeded},
		{"length(range(1000000))", 0},
		{"length(repeat('a', 1000000))", 0},
	} {
		e, err := parse.Expr(c.expr, parse.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		env := testEnv()
		env.Budget = mem.NewBudget("of a test", 32<<20)
		_, err = (&evaluator{env: env, n: 1}).eval(e, nil)
		if sqlerr.CodeOf(err) != c.code && !(err == nil && c.code == 0) {
			t.Errorf("%s: %v, want code %d", c.expr, err, c.code)
		}
		if env.Budget.Used() != 0 {
			t.Errorf("%s leaves %d bytes reserved", c.expr, env.Budget.Used())
		}
	}
}
