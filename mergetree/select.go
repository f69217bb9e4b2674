package mergetree

import (
	"slices"
	"time"
)

// MergePlan is a merge worth doing: neighbouring segments of one partition, in order of commit.
type MergePlan struct {
	Partition string
	Inputs    []Segment
	Cause     Cause
	// Drop says that all rows have expired: the inputs go, and nothing is written.
	Drop bool
	// Distinct are the columns by which equal rows become one; nil: all rows stay. The cause is CauseMutation then.
	Distinct []string
}

// Limits bound what Select proposes.
type Limits struct {
	MaxBytes  uint64 // of all inputs of a merge
	MaxInputs int
	MaxPlans  int
	// Frontier is the sequence number from which on rows are still in the memtable: segments behind it wait. 0: none are.
	Frontier Seq
	// Busy segments take part in no plan, nor does a plan reach across them.
	Busy func(id string) bool
	// TTLDropOnly proposes no rewriting of segments only some of whose rows have expired.
	TTLDropOnly bool
	// TTLDelay is how long expired rows may stay until their segment is rewritten.
	TTLDelay time.Duration
}

// The selector's tuning; the simulator's test holds what it comes to.
const (
	// tierBase is how many times the largest input all inputs together must be: a row is rewritten
	// about log(rows)/log(tierBase) times.
	tierBase = 4.0
	// tierFloor is what tierBase falls to when segments are many or old.
	tierFloor = 1.3
	// calmSegments and crowdedSegments are the segments of a partition from which on the base falls, and where it reaches the floor.
	calmSegments, crowdedSegments = 12, 60
	// youngAge and oldAge do the same by the age of a plan's youngest input, in seconds: a partition that is no longer
	// written to becomes a few large segments.
	youngAge, oldAge = 120, 3600
	// fixedBytes is added to each input's size: opening and naming a segment costs as much as so many bytes.
	fixedBytes = 64 << 10
)

// Select proposes merges: expired segments first, then runs of neighbours whose sizes are alike, the best first. It is a
// pure function; now is in Unix seconds. No segment is in two plans.
func Select(segs []Segment, now int64, lim Limits) []MergePlan {
	var plans []MergePlan
	for _, part := range partitions(segs) {
		free := runs(part, lim)
		for i, run := range free {
			var dropped []MergePlan
			dropped, free[i] = expired(run, now, lim)
			plans = append(plans, dropped...)
		}
		count := len(part)
		for _, run := range free {
			plans = append(plans, tiered(run, count, now, lim)...)
		}
	}
	slices.SortStableFunc(plans, func(a, b MergePlan) int { return urgency(b) - urgency(a) })
	if lim.MaxPlans > 0 && len(plans) > lim.MaxPlans {
		plans = plans[:lim.MaxPlans]
	}
	return plans
}

// urgency ranks plans: freeing space costs nothing; then what takes most segments away.
func urgency(p MergePlan) int {
	if p.Drop {
		return 1 << 20
	}
	return len(p.Inputs)
}

// partitions groups segments by partition, each in order of commit.
func partitions(segs []Segment) [][]Segment {
	sorted := slices.Clone(segs)
	slices.SortStableFunc(sorted, compareSegments)
	var out [][]Segment
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && sorted[n].Partition == sorted[0].Partition {
			n++
		}
		out = append(out, sorted[:n])
		sorted = sorted[n:]
	}
	return out
}

// runs cuts a partition at busy segments and ends it at the frontier.
func runs(part []Segment, lim Limits) [][]Segment {
	var out [][]Segment
	var run []Segment
	for _, s := range part {
		if lim.Frontier > 0 && s.Last >= lim.Frontier {
			break
		}
		if lim.Busy != nil && lim.Busy(s.ID) {
			out, run = append(out, run), nil
			continue
		}
		run = append(run, s)
	}
	return append(out, run)
}

// expired proposes what TTL calls for, and returns the rest of the run up to the first such segment: what lies behind
// it comes next time.
func expired(run []Segment, now int64, lim Limits) ([]MergePlan, []Segment) {
	var plans []MergePlan
	rest := run
	for i := len(run) - 1; i >= 0; i-- {
		s := run[i]
		switch {
		case s.TTLMax <= now:
			plans = append(plans, MergePlan{Partition: s.Partition, Inputs: run[i : i+1], Cause: CauseTTL, Drop: true})
		case !lim.TTLDropOnly && s.TTLMin <= now-int64(lim.TTLDelay/time.Second):
			plans = append(plans, MergePlan{Partition: s.Partition, Inputs: run[i : i+1], Cause: CauseTTL})
		default:
			continue
		}
		rest = run[:i]
	}
	return plans, rest
}

// tiered proposes disjoint windows of a run, the best first, each behind the ones before it.
func tiered(run []Segment, count int, now int64, lim Limits) []MergePlan {
	if len(run) < 2 {
		return nil
	}
	from, to := bestWindow(run, count, now, lim)
	if to == 0 {
		return nil
	}
	plans := []MergePlan{{Partition: run[0].Partition, Inputs: run[from:to], Cause: CauseMerge}}
	plans = append(plans, tiered(run[:from], count, now, lim)...)
	return append(plans, tiered(run[to:], count, now, lim)...)
}

// bestWindow returns the window [from, to) of the highest score, or to = 0 when none is good enough. The score
// is how much larger the result is than its largest input: many small ones before few, alike before unlike.
func bestWindow(run []Segment, count int, now int64, lim Limits) (from, to int) {
	best := 0.0
	for i := range run {
		total, largest, youngest := uint64(0), uint64(0), int64(0)
		for j := i; j < len(run) && j-i < lim.MaxInputs; j++ {
			s := run[j]
			if total += s.Bytes; total > lim.MaxBytes {
				break
			}
			largest, youngest = max(largest, s.Bytes), max(youngest, s.Created)
			n := j - i + 1
			if n < 2 {
				continue
			}
			score := float64(total+uint64(n)*fixedBytes) / float64(largest+fixedBytes)
			if score >= base(count, now-youngest) && score > best {
				best, from, to = score, i, j+1
			}
		}
	}
	return from, to
}

// base returns the score that a window must reach.
func base(count int, age int64) float64 {
	f := max(ramp(float64(count), calmSegments, crowdedSegments), ramp(float64(age), youngAge, oldAge))
	return tierBase - f*(tierBase-tierFloor)
}

// ramp goes from 0 at lo to 1 at hi.
func ramp(x, lo, hi float64) float64 { return min(max((x-lo)/(hi-lo), 0), 1) }
