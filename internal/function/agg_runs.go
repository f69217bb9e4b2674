package function

// Rows that come in order of what they are grouped by have the same group many times in a row: a state is then kept in registers for a run, rather than
// stored and loaded again for each row. Values are added up in the same order either way.

const (
	// runSample is how many pairs of neighbours are looked at, runChanges as how many of them may be of two groups.
	runSample  = 64
	runChanges = 4
)

// inRuns reports whether most neighbours are of one group, as a sample says.
func inRuns(groups []uint32) bool {
	if len(groups) < 4*runSample {
		return false
	}
	step, changes := (len(groups)-1)/runSample, 0
	for i := range runSample {
		if groups[i*step] != groups[i*step+1] {
			changes++
		}
	}
	return changes <= runChanges
}

// countRuns adds to each state the number of its rows.
func countRuns(states []uint64, groups []uint32) {
	for i := 0; i < len(groups); {
		g, from := groups[i], i
		for i < len(groups) && groups[i] == g {
			i++
		}
		states[g] += uint64(i - from)
	}
}

func sumRuns[T, A number](states []A, groups []uint32, xs []T) {
	groups = groups[:len(xs)]
	for i := 0; i < len(groups); {
		g := groups[i]
		sum := states[g]
		for i < len(groups) && groups[i] == g {
			sum += A(xs[i])
			i++
		}
		states[g] = sum
	}
}

func averageRuns[T, A number](states []avgState[A], groups []uint32, xs []T) {
	groups = groups[:len(xs)]
	for i := 0; i < len(groups); {
		g, from := groups[i], i
		sum := states[g].sum
		for i < len(groups) && groups[i] == g {
			sum += A(xs[i])
			i++
		}
		states[g].sum = sum
		states[g].n += uint64(i - from)
	}
}
