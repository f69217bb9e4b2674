package function

import "slices"

// selectRank reorders s so that the element of rank k (from 0) by compare stands at k, none before it is greater and none behind it is less. It takes
// linear time: a partition that makes too little progress too often ends in sorting what is left.
func selectRank[E any](s []E, k int, compare func(a, b E) int) {
	for bad := 0; len(s) > 12; {
		at := partitionAt(s, compare)
		if len(s) > 8*min(at+1, len(s)-at) {
			if bad++; bad > 8 {
				break
			}
		}
		switch {
		case k == at:
			return
		case k < at:
			s = s[:at]
		default:
			s, k = s[at+1:], k-at-1
		}
	}
	slices.SortFunc(s, compare)
}

// partitionAt moves a median of three to where it belongs, with no greater element before it and no lesser behind it, and returns where that is.
func partitionAt[E any](s []E, compare func(a, b E) int) int {
	last := len(s) - 1
	mid := last / 2
	if compare(s[mid], s[0]) < 0 {
		s[mid], s[0] = s[0], s[mid]
	}
	if compare(s[last], s[0]) < 0 {
		s[last], s[0] = s[0], s[last]
	}
	if compare(s[last], s[mid]) < 0 {
		s[last], s[mid] = s[mid], s[last]
	}
	pivot := s[mid]
	s[mid], s[1] = s[1], s[mid] // s[0] and s[last] stop the scans
	i, j := 1, last
	for {
		for i++; compare(s[i], pivot) < 0; i++ {
		}
		for j--; compare(pivot, s[j]) < 0; j-- {
		}
		if i >= j {
			break
		}
		s[i], s[j] = s[j], s[i]
	}
	s[1], s[j] = s[j], pivot
	return j
}
