package exec

import "math"

// How many groups there will be is guessed twice: by the first worker's rows, when the partitions are made, and after each visit of the partitions, by all rows that came
// so far. Nothing depends on it but what is gathered and reserved.

// sample is how many groups some rows had.
type sample struct{ rows, groups int }

// mostReserved is how many groups a partition reserves room for at most.
const mostReserved = 8 * partGroups

// expectedGroups guesses, from a worker's rows and their groups, how many groups there will be: at most, if they go on to come as they
// did; and likely, if all keys are as frequent, so that the first repetitions tell how many keys there are. Frequent keys make that too
// few, which costs some growing until the first visit tells; reserving for the most made tables ten times too large, which is much more memory to touch.
func (s *aggSet) expectedGroups(of sample) (most, likely int) {
	read := s.r.read.rows.Load()
	share := float64(max(plannedRows(s.a), read)) / float64(max(read, 1)) * float64(s.r.opts.Threads)
	return int(float64(of.groups) * share), int(DistinctOf(of.rows, of.groups, float64(of.rows)*share))
}

// learn guesses again, after a worker has visited the partitions.
func (s *aggSet) learn() {
	now := sample{rows: int(s.visited.Load()), groups: int(s.grouped.Load())}
	read := max(s.r.read.rows.Load(), 1)
	total := float64(s.taken.Load()) * float64(max(plannedRows(s.a), read)) / float64(read)
	s.expected.Store(int64(s.begun.further(now, total)))
}

// roomOfPart is for how many groups a partition has room at least, unless all together may not stay in memory.
func (s *aggSet) roomOfPart() int {
	n := s.expected.Load()
	if limit := s.spill.limit; limit > 0 && (n*s.groupSize > limit || s.spill.wrote.Load()) {
		return 0
	}
	return min(int(n)/len(s.mu.parts), mostReserved)
}

// further is how many groups there will likely be among total rows, by how they grew from s to now: as those of equally frequent keys if that told how many
// there are now, else by a power of the rows, which fits keys of which some are frequent or new ones come all the time.
func (s sample) further(now sample, total float64) int {
	if now.rows <= s.rows || now.groups <= s.groups || total <= float64(now.rows) {
		return now.groups
	}
	if DistinctOf(s.rows, s.groups, float64(now.rows))*wellGuessed > float64(now.groups) {
		return int(DistinctOf(now.rows, now.groups, total))
	}
	power := math.Log(float64(now.groups)/float64(s.groups)) / math.Log(float64(now.rows)/float64(s.rows))
	return int(min(float64(now.groups)*math.Pow(total/float64(now.rows), power), total))
}

// wellGuessed is how many times more groups than expected fit the law they were expected by.
const wellGuessed = 1.25

// DistinctOf is how many of equally frequent keys there are likely among total rows if rows of them had groups.
func DistinctOf(rows, groups int, total float64) float64 {
	n, d := float64(rows), float64(groups)
	among := func(keys, rows float64) float64 { return -keys * math.Expm1(-rows/keys) }
	if among(total, n) <= d { // so many keys that each row has its own, nearly
		return total
	}
	low, high := d, total
	for range distinctSteps {
		if mid := math.Sqrt(low * high); among(mid, n) < d {
			low = mid
		} else {
			high = mid
		}
	}
	return among(high, total)
}

// distinctSteps halve the logarithm of the interval in which the number of keys is: to a millionth.
const distinctSteps = 24

// plannedRows is how many rows the scans below read at most, as far as they know.
func plannedRows(op Operator) int64 {
	n := int64(0)
	if s, ok := op.(*Scan); ok {
		n = s.ScanStats().Rows
	}
	for _, in := range op.Inputs() {
		n = max(n, plannedRows(in))
	}
	return n
}
