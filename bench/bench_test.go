package main

import (
	"math"
	"testing"
)

func TestAgree(t *testing.T) {
	for _, c := range []struct {
		q    int
		a, b []string
		want bool
	}{
		{1, []string{"1"}, []string{"1"}, true},
		{1, []string{"1"}, []string{"2"}, false},
		{3, []string{"0.1000000000001"}, []string{"0.1"}, true},
		{8, []string{"a\t1", "b\t1"}, []string{"b\t1", "a\t1"}, true},
		{13, []string{"a\t5", "b\t1"}, []string{"a\t5", "c\t1"}, true}, // a tie at the limit
		{13, []string{"a\t5", "b\t1"}, []string{"a\t5", "c\t2"}, false},
		{13, []string{"a\t5"}, []string{"a\t5", "b\t1"}, false},
		{18, []string{"a\tb\t1"}, []string{"x\ty\t2"}, true}, // LIMIT without ORDER BY
	} {
		if got := agree(hitsTies, c.q, c.a, c.b); got != c.want {
			t.Errorf("q%d %q %q: %v", c.q, c.a, c.b, got)
		}
	}
}

func TestGeometricMean(t *testing.T) {
	if got := geometricMean([]float64{1, 100, failed}); math.Abs(got-10) > 1e-12 {
		t.Errorf("got %v, want 10", got)
	}
	if got := geometricMean([]float64{failed}); got != 0 {
		t.Errorf("got %v, want 0", got)
	}
}

func TestEveryQueryIsThere(t *testing.T) {
	for _, s := range suites {
		for q := 1; q <= s.queries; q++ {
			for _, engine := range engineNames {
				if sql, err := s.query(q, engine); err != nil || sql == "" {
					t.Errorf("%s q%d for %s: %v", s.name, q, engine, err)
				}
			}
		}
	}
}

func TestCommandLine(t *testing.T) {
	got := commandLine([]string{"run", "--rows", "10", "--dir", "/somewhere", "-server=x", "--results", "", "--cold=false"})
	if want := "bench run --rows 10 --cold=false"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
