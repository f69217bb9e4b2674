// Package mem accounts for memory and hands it out in arenas.
//
// A Budget is a node of a tree: process → query → … A reservation counts in a budget and in all
// of its ancestors, and is refused when it would go over the limit of any of them. Queries over
// their limit end with MEMORY_LIMIT_EXCEEDED; the process does not grow.
//
// An Arena is typed, pointer-free memory outside the garbage collector's sight, in pooled,
// huge-page advised slabs, freed as a whole.
package mem

import (
	"fmt"
	"math"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/invariants"
	"github.com/olapd/olapd/internal/sqlerr"
)

// NoLimit is the limit of a budget that only counts.
const NoLimit = math.MaxInt64

// Budget counts the memory of a process, a user, a query or a part of one. All methods may be
// called from any goroutine; each costs one or two atomic operations per level of the tree.
type Budget struct {
	parent *Budget
	name   string // as in the error: "total", "for query", "for user"
	limit  atomic.Int64
	// garbage is the bytes of the limit of the query that are not in limit: see Limited.
	garbage int64
	used    atomic.Int64
	peak    atomic.Int64
	// yield lets go of memory that is reserved here: see Yields. yielding is held meanwhile.
	yield    func(n int64) bool
	yielding sync.Mutex
}

// NewBudget returns the root of a tree. Name stands in the error text after "limit": "total".
// A limit ≤ 0 means NoLimit.
func NewBudget(name string, limit int64) *Budget {
	b := &Budget{name: name}
	b.SetLimit(limit)
	return b
}

// Child returns a budget whose reservations count here too. A limit ≤ 0 means NoLimit.
func (b *Budget) Child(name string, limit int64) *Budget {
	c := NewBudget(name, limit)
	c.parent = b
	return c
}

// SetLimit changes the limit for later reservations; what is reserved stays.
func (b *Budget) SetLimit(limit int64) {
	if limit <= 0 {
		limit = NoLimit
	}
	b.limit.Store(limit)
}

// Limit returns the limit in bytes.
func (b *Budget) Limit() int64 { return b.limit.Load() }

// Least returns the least limit here and above: what can be reserved at most.
func (b *Budget) Least() int64 {
	least := int64(NoLimit)
	for at := b; at != nil; at = at.parent {
		least = min(least, at.limit.Load())
	}
	return least
}

// Used returns the bytes reserved now, here and in all children.
func (b *Budget) Used() int64 { return b.used.Load() }

// Peak returns the most that was ever reserved at once.
func (b *Budget) Peak() int64 { return b.peak.Load() }

// Reserve counts n ≥ 0 more bytes here and in every ancestor, or nowhere with an error of code
// MemoryLimitExceeded that names the limit, the request and the current use. What yields gives way
// first. A nil budget allows everything.
func (b *Budget) Reserve(n int64) error {
	if full := b.reserve(n, true); full != nil {
		return full.exceeded(n)
	}
	return nil
}

// ReserveSpare is Reserve of memory that nobody needs, for what is kept because it may be asked for again: nothing gives way to it. It reports
// whether there was so much.
func (b *Budget) ReserveSpare(n int64) bool { return b.reserve(n, false) == nil }

// reserve counts n bytes on all levels, or on none and returns the one that is full.
func (b *Budget) reserve(n int64, needed bool) (full *Budget) {
	invariants.Check(n >= 0, "mem: reserve %d bytes", n)
	for at := b; at != nil; at = at.parent {
		for !at.add(n) {
			if !needed || !at.makeRoom(n) {
				b.releaseBelow(at, n)
				return at
			}
		}
	}
	return nil
}

// Yields has f called before a reservation is refused for this budget's limit, with the bytes that are missing: f releases at least as many
// that it holds of this budget, or says false and releases nothing. It is called by one goroutine at a time, any one, and must not Reserve. To be
// called before the budget is used.
func (b *Budget) Yields(f func(n int64) bool) { b.yield = f }

// makeRoom reports whether n bytes may be tried again. What yielded is garbage until it is collected, and memory outside the heap does not make
// the collector run: so it is collected, and given back to the system, before anyone uses its room.
func (b *Budget) makeRoom(n int64) bool {
	if b.yield == nil {
		return false
	}
	b.yielding.Lock()
	defer b.yielding.Unlock()
	missing := n - (b.limit.Load() - b.used.Load())
	if missing <= 0 {
		return true
	}
	if !b.yield(missing) {
		return false
	}
	debug.FreeOSMemory()
	return true
}

// add counts n bytes at this level alone and reports whether the limit allowed it.
func (b *Budget) add(n int64) bool {
	if n > b.limit.Load()-b.used.Load() {
		return false
	}
	used := b.used.Add(n)
	if used > b.limit.Load() {
		b.used.Add(-n)
		return false
	}
	for {
		peak := b.peak.Load()
		if used <= peak || b.peak.CompareAndSwap(peak, used) {
			return true
		}
	}
}

// releaseBelow takes n back from b and its ancestors up to, but not including, stop.
func (b *Budget) releaseBelow(stop *Budget, n int64) {
	for at := b; at != stop; at = at.parent {
		at.used.Add(-n)
	}
}

// Release gives back n bytes that were reserved here.
func (b *Budget) Release(n int64) {
	for at := b; at != nil; at = at.parent {
		left := at.used.Add(-n)
		invariants.Check(left >= 0, "mem: budget %q released %d bytes more than reserved", at.name, -left)
	}
}

// exceeded is ClickHouse's text for a refused reservation.
func (b *Budget) exceeded(n int64) error {
	used := b.used.Load() + b.garbage
	return sqlerr.New(sqlerr.MemoryLimitExceeded,
		"Memory limit (%s) exceeded: would use %s (attempt to allocate chunk of %d bytes), current use %s, maximum: %s",
		b.name, FormatBytes(used+n), n, FormatBytes(used), FormatBytes(b.limit.Load()+b.garbage))
}

// FormatBytes writes a size as ClickHouse's messages do: "10.00 MiB".
func FormatBytes(n int64) string {
	units := [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	v, u := float64(n), 0
	for v >= 1024 && u < len(units)-1 {
		v, u = v/1024, u+1
	}
	return fmt.Sprintf("%.2f %s", v, units[u])
}

func (b *Budget) tooLarge(n int) error {
	return sqlerr.New(sqlerr.MemoryLimitExceeded,
		"Memory limit exceeded: attempt to allocate %d elements at once, the maximum is %s", n, FormatBytes(maxAlloc))
}
