package eval

import (
	"sync/atomic"

	"github.com/olapd/olapd/internal/mem"
)

// Kept is the memory of what the programs of one query keep of dictionaries, reserved in the query's budget. It is safe for concurrent
// use; nil counts nothing.
type Kept struct {
	budget *mem.Budget
	bytes  atomic.Int64
}

// NewKept returns an empty count; budget may be nil.
func NewKept(budget *mem.Budget) *Kept { return &Kept{budget: budget} }

// reserve counts n more bytes; false if there is no room.
func (k *Kept) reserve(n int64) bool {
	if k == nil {
		return true
	}
	if k.budget.Reserve(n) != nil {
		return false
	}
	k.bytes.Add(n)
	return true
}

func (k *Kept) release(n int64) {
	if k != nil {
		k.bytes.Add(-n)
		k.budget.Release(n)
	}
}

// Close gives everything back, when no program of the query runs any more.
func (k *Kept) Close() {
	if k != nil {
		k.budget.Release(k.bytes.Swap(0))
	}
}
