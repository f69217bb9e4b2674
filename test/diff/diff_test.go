package diff

import (
	"context"
	"strings"
	"testing"
)

func TestEqual(t *testing.T) {
	head := "a\tb\nInt8\tFloat64\n"
	for _, c := range []struct {
		name string
		r    rules
		a, b string
		want bool
	}{
		{"same", rules{}, "ok\n", "ok\n", true},
		{"codes", rules{float: 1}, "error 47\n", "error 46\n", false},
		{"order", rules{header: 2}, head + "1\t1\n2\t2\n", head + "2\t2\n1\t1\n", false},
		{"sorted", rules{header: 2, sort: true}, head + "1\t1\n2\t2\n", head + "2\t2\n1\t1\n", true},
		{"types", rules{header: 2, sort: true}, head + "1\t1\n", "a\tb\nInt8\tInt8\n1\t1\n", false},
		{"near", rules{header: 2, float: 1e-9}, head + "1\t0.1\n", head + "1\t0.10000000000000001\n", true},
		{"far", rules{header: 2, float: 1e-9}, head + "1\t0.1\n", head + "1\t0.11\n", false},
		{"array", rules{header: 2, float: 1e-9}, "[1,2.5]\n", "[1,2.50000000000001]\n", true},
		{"null", rules{header: 2, float: 1e-9}, "\\N\n", "0\n", false},
		{"missing", rules{header: 2, float: 1e-9, sort: true}, head + "1\t1\n", head, false},
	} {
		if got := c.r.equal(c.a, c.b); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

// wrong is an engine that errs in statements with a given text.
type wrong struct{ text string }

func (w wrong) name() string { return "wrong" }

func (w wrong) run(_ context.Context, sql, _ string) (outcome, error) {
	if strings.Contains(sql, w.text) {
		return outcome{code: 1}, nil
	}
	return outcome{data: "x\nUInt8\n1\n"}, nil
}

// TestMinimise checks that a difference is found and cut down to what causes it.
func TestMinimise(t *testing.T) {
	right, g := wrong{"never"}, newGenerator(5)
	found := 0
	for range 300 {
		s := g.statement()
		if !differs(t, s, right, wrong{" LIKE "}) {
			continue
		}
		found++
		small := minimise(t, s, right, wrong{" LIKE "})
		text := small.String()
		if !strings.Contains(text, " LIKE ") || len(small.items) > 1 || len(small.where) > 1 || small.limit > 0 || small.having != "" {
			t.Errorf("%s\nminimised to\n%s", s, text)
		}
	}
	if found < 20 {
		t.Errorf("only %d of 300 statements have a LIKE", found)
	}
}

// TestGeneratorRepeats holds the generator to its seed.
func TestGeneratorRepeats(t *testing.T) {
	a, b := newGenerator(9), newGenerator(9)
	for i := range 50 {
		if x, y := a.statement().String(), b.statement().String(); x != y {
			t.Fatalf("statement %d: %s and %s", i, x, y)
		}
	}
	if x, y := newGenerator(3).tables(true)[1], newGenerator(3).tables(false)[1]; x != y {
		t.Error("the dialects have different rows")
	}
}
