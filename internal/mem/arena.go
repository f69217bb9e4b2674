package mem

import (
	"math/bits"
	"unsafe"
)

const (
	// slabBytes is one x86-64 huge page, the unit that the kernel can map without 4 KiB faults:
	// fresh small pages doubled the time of large queries.
	slabBytes = 2 << 20
	// chunkBytes is what an arena takes at a time at most. The last chunk may be empty but for a slice, and chunks end where the next slice does
	// not fit: an arena takes a part of what it has, and a few times what it needs.
	chunkBytes, chunkPart, chunkNeeds = 16 << 20, 8, 16
	// pad is readable after every slice, so that kernels may load whole SIMD registers.
	pad = 64
	// align keeps slices on cache lines.
	align = 64
)

// Arena is pointer-free memory that is freed as a whole. Slices come aligned to 64 bytes, with capacity equal to length and at
// least 64 more readable bytes behind. It belongs to one goroutine; nothing from it may be used after Free.
type Arena struct {
	budget *Budget
	chunks []chunk // the last one is being filled
	large  []chunk // of one slice each
	held   int64   // bytes reserved from the budget
}

// NewArena returns an empty arena accounted to budget, which may be nil.
func NewArena(budget *Budget) *Arena { return &Arena{budget: budget} }

// Held returns the bytes that the arena has taken from its budget.
func (a *Arena) Held() int64 { return a.held }

// Bytes returns n zero bytes.
func (a *Arena) Bytes(n int) ([]byte, error) { return a.take(n, true) }

// Dirty returns n bytes of any content.
func (a *Arena) Dirty(n int) ([]byte, error) { return a.take(n, false) }

func (a *Arena) take(n int, zero bool) ([]byte, error) {
	if n > maxAlloc {
		return nil, a.budget.tooLarge(n)
	}
	need := (n + pad + align - 1) &^ (align - 1)
	if need > chunkBytes/2 {
		return a.own(n, need, zero)
	}
	if len(a.chunks) == 0 || a.chunks[len(a.chunks)-1].room() < need {
		if err := a.grow(need); err != nil {
			return nil, err
		}
	}
	return a.chunks[len(a.chunks)-1].take(n, need, zero), nil
}

// Slice returns n zero values of T, which must hold no pointers.
func Slice[T Plain](a *Arena, n int) ([]T, error) { return slice[T](a, n, true) }

// DirtySlice returns n values of T of any content.
func DirtySlice[T Plain](a *Arena, n int) ([]T, error) { return slice[T](a, n, false) }

func slice[T Plain](a *Arena, n int, zero bool) ([]T, error) {
	var one T
	size := int(unsafe.Sizeof(one))
	if n > maxAlloc/size {
		return nil, a.budget.tooLarge(n)
	}
	raw, err := a.take(n*size, zero)
	if err != nil || n == 0 {
		return nil, err
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(raw))), n), nil
}

// Plain is the element types that an arena may hold: those without pointers.
type Plain interface {
	~bool | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64 |
		~[2]uint64 | ~[4]uint64
}

// maxAlloc bounds one slice, far below where sizes overflow.
const maxAlloc = 1 << 40

// grow adds a chunk with room for need bytes; no more than for these if the budget has no room for it.
func (a *Arena) grow(need int) error {
	size := min(chunkFor(max(int(a.held/chunkPart), chunkNeeds*need)), chunkBytes)
	c, err := a.chunk(size, int64(size))
	if least := chunkFor(need); err != nil && size > least {
		c, err = a.chunk(least, int64(least))
	}
	if err == nil {
		a.chunks = append(a.chunks, c)
	}
	return err
}

// own returns a slice in a chunk of its own, of which only what the slice needs is counted: the rest is never touched.
func (a *Arena) own(n, need int, zero bool) ([]byte, error) {
	c, err := a.chunk(chunkFor(need), int64(need))
	if err != nil {
		return nil, err
	}
	out := c.take(n, need, zero)
	a.large = append(a.large, c)
	return out, nil
}

// chunkFor is the size of the smallest chunk of at least n bytes.
func chunkFor(n int) int { return slabBytes << bits.Len(uint(max(n-1, 0)/slabBytes)) }

// chunk takes a chunk of size bytes, n of which are counted.
func (a *Arena) chunk(size int, n int64) (chunk, error) {
	if err := a.budget.Reserve(n); err != nil {
		return chunk{}, err
	}
	c, err := idle.get(size)
	if err != nil {
		a.budget.Release(n)
		return chunk{}, err
	}
	a.held += n
	return c, nil
}

// Free gives all memory back. The arena is empty then and may be used again.
func (a *Arena) Free() {
	for _, c := range a.chunks {
		idle.put(c)
	}
	for _, c := range a.large {
		idle.put(c)
	}
	a.chunks, a.large = nil, nil
	a.budget.Release(a.held)
	a.held = 0
}

// chunk is a mapping of slabBytes or a power of two times as many.
type chunk struct {
	b     []byte
	used  int // by slices
	dirty int // bytes behind it are zero
}

func (c *chunk) room() int { return len(c.b) - c.used }

// take returns the next n bytes, of need with what is behind them.
func (c *chunk) take(n, need int, zero bool) []byte {
	from := c.used
	c.used += need
	if zero && from < c.dirty {
		clear(c.b[from:min(c.used, c.dirty)])
	}
	return c.b[from : from+n : from+n]
}
