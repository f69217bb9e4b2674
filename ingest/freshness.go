package ingest

import (
	"math"
	"sync/atomic"
	"time"
)

// Freshness measures how long messages took from their timestamp to being visible. Buckets grow by a fifth from 1 ms,
// so a quantile is exact to 10 %. Safe for concurrent use.
type Freshness struct {
	buckets [freshBuckets]atomic.Uint64
}

const (
	freshGrowth  = 1.2
	freshBuckets = 128 // the last one begins at 1.2^127 ms, which is more than three months
)

func (f *Freshness) add(ms int64) {
	i := 0
	if ms > 1 {
		i = min(int(math.Log(float64(ms))/math.Log(freshGrowth)), freshBuckets-1)
	}
	f.buckets[i].Add(1)
}

// Snapshot copies the counts.
func (f *Freshness) Snapshot() FreshnessCounts {
	var s FreshnessCounts
	for i := range f.buckets {
		s[i] = f.buckets[i].Load()
	}
	return s
}

// FreshnessCounts are the messages per bucket.
type FreshnessCounts [freshBuckets]uint64

// Sub returns what was counted since an earlier snapshot.
func (s FreshnessCounts) Sub(earlier FreshnessCounts) FreshnessCounts {
	for i := range s {
		s[i] -= earlier[i]
	}
	return s
}

// Count is the number of messages.
func (s FreshnessCounts) Count() uint64 {
	n := uint64(0)
	for _, c := range s {
		n += c
	}
	return n
}

// Quantile returns the delay that a share q of the messages did not exceed, 0 if there are none.
func (s FreshnessCounts) Quantile(q float64) time.Duration {
	rank := uint64(math.Ceil(q * float64(s.Count())))
	for i, c := range s {
		if c >= rank && rank > 0 {
			return time.Duration(math.Pow(freshGrowth, float64(i)+0.5) * float64(time.Millisecond))
		}
		rank -= c
	}
	return 0
}
