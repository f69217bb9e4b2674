package mem

// batchChunk is what a Batch takes from its budget at a time. ClickHouse counts untracked memory
// per thread up to 4 MiB; a quarter of that keeps the error small with many workers.
const batchChunk = 1 << 20

// Batch lets one worker reserve in small steps while the shared counters move only once per
// chunk. It belongs to one goroutine. The zero value is not usable; see NewBatch.
type Batch struct {
	budget *Budget
	taken  int64 // reserved from the budget
	used   int64 // handed on to the worker
}

// NewBatch returns an empty batch over budget, which may be nil.
func NewBatch(budget *Budget) Batch { return Batch{budget: budget} }

// Reserve counts n ≥ 0 more bytes.
func (b *Batch) Reserve(n int64) error {
	if b.used+n <= b.taken {
		b.used += n
		return nil
	}
	return b.refill(n)
}

// refill takes a chunk, or near the limit only what is needed.
func (b *Batch) refill(n int64) error {
	need := b.used + n - b.taken
	chunk := max(need, batchChunk)
	err := b.budget.Reserve(chunk)
	if err != nil && chunk > need {
		chunk = need
		err = b.budget.Reserve(chunk)
	}
	if err != nil {
		return err
	}
	b.taken += chunk
	b.used += n
	return nil
}

// Release gives back n bytes; they stay with the batch for the next Reserve, except what is
// more than two chunks.
func (b *Batch) Release(n int64) {
	b.used -= n
	if spare := b.taken - b.used; spare > 2*batchChunk {
		b.give(spare - batchChunk)
	}
}

// Used returns the bytes that the worker holds.
func (b *Batch) Used() int64 { return b.used }

// Close gives everything back, what the worker has not released included.
func (b *Batch) Close() {
	b.give(b.taken)
	b.used = 0
}

func (b *Batch) give(n int64) {
	if n > 0 {
		b.budget.Release(n)
		b.taken -= n
	}
}
