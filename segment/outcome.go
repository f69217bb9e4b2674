package segment

import (
	"sync"
	"sync/atomic"
)

// Outcome remembers of which granules of a segment no row passes a filter, so that who filters alike again can leave them out. A
// segment never changes, so it stays true. Safe for concurrent use.
type Outcome struct{ barren []atomic.Uint64 }

// maxOutcomes bounds the filters that a segment remembers: a dashboard has some dozens. With a bit a granule they take a kilobyte each
// in a segment of a hundred million rows.
const maxOutcomes = 256

// outcomes are those of a reader, by filter.
type outcomes struct {
	sync.Mutex
	of map[string]*Outcome
}

// Outcome returns what is remembered of a filter, at first nothing. Filters of equal keys must pass the same rows of this segment.
func (r *Reader) Outcome(key string) *Outcome {
	r.outcomes.Lock()
	defer r.outcomes.Unlock()
	o := r.outcomes.of[key]
	if o == nil {
		if r.outcomes.of == nil || len(r.outcomes.of) >= maxOutcomes {
			r.outcomes.of = map[string]*Outcome{}
		}
		o = &Outcome{barren: make([]atomic.Uint64, (r.Granules()+63)/64)}
		r.outcomes.of[key] = o
	}
	return o
}

// Add says that no row of a granule passes.
func (o *Outcome) Add(g int) { o.barren[g/64].Or(1 << (g % 64)) }

// Prune takes the granules without rows that pass out of a set, and returns how many those were and their rows.
func (o *Outcome) Prune(r *Reader, set *Granules) (granules, rows int) {
	before := r.rowsIn(set)
	granules = set.keep(func(g int) bool { return o.barren[g/64].Load()>>(g%64)&1 == 0 })
	return granules, before - r.rowsIn(set)
}
