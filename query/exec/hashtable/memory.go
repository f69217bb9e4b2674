package hashtable

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/olapd/olapd/internal/mem"
)

// Memory is pooled memory for many tables, given back at once: fresh memory for the tables of a large aggregation cost
// a third of its time in page faults. What a table has outgrown, others that grow to that size take. Safe for concurrent use. A nil
// Memory is the Go heap.
type Memory struct {
	mu    sync.Mutex
	arena *mem.Arena
	spare [bits.UintSize][][]uint64 // outgrown, by the logarithm of the length
	held  atomic.Int64
}

// NewMemory returns an empty Memory. Its users account for what it holds.
func NewMemory() *Memory { return &Memory{arena: mem.NewArena(nil)} }

// Held is the bytes taken for tables, for those outgrown included.
func (m *Memory) Held() int64 { return m.held.Load() }

// Free gives the memory back. The tables that took it must not be used any more.
func (m *Memory) Free() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spare = [bits.UintSize][][]uint64{}
	m.arena.Free()
	m.held.Store(0)
}

// take returns n words, a power of two, of any content; nil if the system has no memory.
func (m *Memory) take(n int, zero bool) []uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	class := bits.TrailingZeros(uint(n))
	if k := len(m.spare[class]); k > 0 {
		words := m.spare[class][k-1]
		m.spare[class] = m.spare[class][:k-1]
		if zero {
			clear(words)
		}
		return words
	}
	get := mem.DirtySlice[uint64]
	if zero {
		get = mem.Slice[uint64]
	}
	words, err := get(m.arena, n)
	if err != nil {
		return nil
	}
	m.held.Store(m.arena.Held())
	return words
}

// array returns n values of T, which is one, two or four words without pointers; n is a power of two. They are zero, or of any content.
func array[T any](m *Memory, n int, zero bool) []T {
	if m == nil || n == 0 {
		return make([]T, n)
	}
	words := m.take(n*wordsOf[T](), zero)
	if words == nil {
		return make([]T, n)
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(words))), n)
}

// outgrown gives back what array has returned.
func outgrown[T any](m *Memory, s []T) {
	if m == nil || cap(s) == 0 {
		return
	}
	words := unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(s))), cap(s)*wordsOf[T]())
	m.mu.Lock()
	defer m.mu.Unlock()
	class := bits.TrailingZeros(uint(len(words)))
	m.spare[class] = append(m.spare[class], words)
}

func wordsOf[T any]() int {
	var one T
	return int(unsafe.Sizeof(one)) / 8
}

// roomier returns keys with room for n, in place of those given.
func roomier[K any](m *Memory, keys []K, n int) []K {
	out := array[K](m, n, false)[:len(keys)]
	copy(out, keys)
	outgrown(m, keys)
	return out
}
