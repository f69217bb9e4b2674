package function

import (
	"testing"
	"time"
)

// Keys that come in the order of another set's slots must not crowd in a part of the table: a merge then took time with the square of the
// keys, a thousand times that of adding them.
func TestSetsMergeInLinearTime(t *testing.T) {
	const keys = 700_000
	mix := func(k uint64) uint64 {
		k = (k ^ k>>33) * 0xff51afd7ed558ccd
		k = (k ^ k>>33) * 0xc4ceb9fe1a85ec53
		return k ^ k>>33
	}
	var a, b set[uint64]
	start := time.Now()
	for i := uint64(1); i <= keys; i++ {
		a.insert(i, mix)
		b.insert(i+keys, mix)
	}
	added := time.Since(start)
	start = time.Now()
	mergeSets(mix)(&foldStates[set[uint64]]{}, &a, &b)
	if merged := time.Since(start); merged > 10*added {
		t.Errorf("adding took %v, merging %v", added, merged)
	}
	if a.len() != 2*keys {
		t.Errorf("%d keys", a.len())
	}
}
