package segment

import (
	"fmt"
	"testing"
)

// Pages are prefetched once each while a column is read in order, about, by any number of workers, and not where it is read here and there.
func TestAheadOf(t *testing.T) {
	for _, c := range []struct {
		pages []int
		want  string
	}{
		{[]int{0, 1, 2, 3, 4, 5, 6, 7}, "- 2-6 6-7 7-8 8-9 9-10 - -"},
		{[]int{1, 0, 3, 2, 5, 4}, "- 1-5 5-8 - 8-10 -"},
		{[]int{0, 5, 1, 9, 3}, "- - 2-6 - -"},
		{[]int{0, 1, 9, 0, 1}, "- 2-6 - - 2-6"}, // scanned again
		{[]int{3, 3, 3}, "- - -"},
	} {
		got := ""
		var s columnState
		for _, p := range c.pages {
			from, to := s.aheadOf(p, 10)
			if from < to {
				got += fmt.Sprintf("%d-%d ", from, to)
				continue
			}
			got += "- "
		}
		if got != c.want+" " {
			t.Errorf("%v: %s, want %s", c.pages, got, c.want)
		}
	}
}
