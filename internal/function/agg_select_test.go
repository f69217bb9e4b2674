package function

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// Every rank of many shapes is what sorting says, with all less before and all greater behind.
func TestSelectRank(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	shapes := map[string]func(i, n int) int{
		"random": func(_, n int) int { return r.IntN(n) }, "rising": func(i, _ int) int { return i }, "falling": func(i, n int) int { return n - i },
		"same": func(_, _ int) int { return 7 }, "few": func(_, _ int) int { return r.IntN(3) }, "organ": func(i, n int) int { return min(i, n-i) }, "saw": func(i, _ int) int { return i % 17 },
	}
	for name, at := range shapes {
		for _, n := range []int{1, 2, 3, 12, 13, 14, 100, 1000} {
			values := make([]int, n)
			for i := range values {
				values[i] = at(i, n)
			}
			want := slices.Sorted(slices.Values(values))
			for k := 0; k < n; k += 1 + n/50 {
				s := slices.Clone(values)
				selectRank(s, k, cmp.Compare[int])
				if s[k] != want[k] || k > 0 && slices.Max(s[:k]) > s[k] || slices.Min(s[k:]) < s[k] {
					t.Fatalf("%s of %d, rank %d: got %d, want %d", name, n, k, s[k], want[k])
				}
				if slices.Sort(s); !slices.Equal(s, want) {
					t.Fatalf("%s of %d, rank %d: values changed", name, n, k)
				}
			}
		}
	}
}

// Selecting takes a few comparisons an element, also of what is sorted already.
func TestSelectRankIsLinear(t *testing.T) {
	const n = 100_000
	for name, at := range map[string]func(i int) int{"rising": func(i int) int { return i }, "falling": func(i int) int { return -i }, "same": func(int) int { return 0 }, "organ": func(i int) int { return min(i, n-i) }} {
		s := make([]int, n)
		for i := range s {
			s[i] = at(i)
		}
		calls := 0
		selectRank(s, n/2, func(a, b int) int { calls++; return cmp.Compare(a, b) })
		if calls > 40*n {
			t.Errorf("%s: %d comparisons of %d elements", name, calls, n)
		}
	}
}
