package mem

import (
	"sync"
	"unsafe"
)

const (
	// slabBytes is one x86-64 huge page, the unit that the kernel can map without 4 KiB faults:
	// fresh small pages doubled the time of large queries.
	slabBytes = 2 << 20
	// pad is readable after every slice, so that kernels may load whole SIMD registers.
	pad = 64
	// align keeps slices on cache lines.
	align = 64
	// defaultIdle bounds the idle slabs kept for the next query until KeepIdle says otherwise: 128 MiB.
	defaultIdle = 64
	// largeBytes and more get a mapping of their own, given back to the system when freed.
	largeBytes = slabBytes / 2
)

// Arena is pointer-free memory that is freed as a whole. Slices come zeroed, aligned to 64 bytes,
// with capacity equal to length and at least 64 more readable bytes behind. It belongs to one
// goroutine; nothing from it may be used after Free.
type Arena struct {
	budget *Budget
	slabs  [][]byte // pooled slabs, the last one is being filled
	large  [][]byte
	fill   int   // bytes used of the last slab
	held   int64 // bytes reserved from the budget
}

// NewArena returns an empty arena accounted to budget, which may be nil.
func NewArena(budget *Budget) *Arena { return &Arena{budget: budget} }

// Held returns the bytes that the arena has taken from its budget.
func (a *Arena) Held() int64 { return a.held }

// Bytes returns n zero bytes.
func (a *Arena) Bytes(n int) ([]byte, error) {
	if n > maxAlloc {
		return nil, a.budget.tooLarge(n)
	}
	need := (n + pad + align - 1) &^ (align - 1)
	if need >= largeBytes {
		return a.own(n, need)
	}
	if len(a.slabs) == 0 || a.fill+need > slabBytes {
		if err := a.grow(); err != nil {
			return nil, err
		}
	}
	slab := a.slabs[len(a.slabs)-1]
	out := slab[a.fill : a.fill+n : a.fill+n]
	a.fill += need
	return out, nil
}

// Slice returns n zero values of T, which must hold no pointers.
func Slice[T Plain](a *Arena, n int) ([]T, error) {
	var zero T
	size := int(unsafe.Sizeof(zero))
	if n > maxAlloc/size {
		return nil, a.budget.tooLarge(n)
	}
	raw, err := a.Bytes(n * size)
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

func (a *Arena) grow() error {
	if err := a.reserve(slabBytes); err != nil {
		return err
	}
	slab, err := slabs.get()
	if err != nil {
		a.release(slabBytes)
		return err
	}
	a.slabs = append(a.slabs, slab)
	a.fill = 0
	return nil
}

func (a *Arena) own(n, need int) ([]byte, error) {
	if err := a.reserve(int64(need)); err != nil {
		return nil, err
	}
	m, err := mapAnonymous(need)
	if err != nil {
		a.release(int64(need))
		return nil, err
	}
	a.large = append(a.large, m)
	return m[:n:n], nil
}

func (a *Arena) reserve(n int64) error {
	if err := a.budget.Reserve(n); err != nil {
		return err
	}
	a.held += n
	return nil
}

func (a *Arena) release(n int64) {
	a.budget.Release(n)
	a.held -= n
}

// Free gives all memory back. The arena is empty then and may be used again.
func (a *Arena) Free() {
	for i, s := range a.slabs {
		used := slabBytes
		if i == len(a.slabs)-1 {
			used = a.fill
		}
		slabs.put(s, used)
	}
	for _, m := range a.large {
		unmap(m)
	}
	a.slabs, a.large, a.fill = nil, nil, 0
	a.release(a.held)
}

// slabPool keeps zeroed slabs between queries.
type slabPool struct {
	mu   sync.Mutex
	free [][]byte
	most int // idle slabs
}

var slabs = slabPool{most: defaultIdle}

// KeepIdle bounds the memory of ended queries that the process keeps for the next ones: bytes, in whole huge pages. Fresh
// huge pages stall for as long as the kernel needs to make some, seconds where files fill the memory.
func KeepIdle(bytes int64) {
	slabs.mu.Lock()
	defer slabs.mu.Unlock()
	slabs.most = int(bytes / slabBytes)
}

func (p *slabPool) get() ([]byte, error) {
	p.mu.Lock()
	if n := len(p.free); n > 0 {
		s := p.free[n-1]
		p.free = p.free[:n-1]
		p.mu.Unlock()
		return s, nil
	}
	p.mu.Unlock()
	return mapAnonymous(slabBytes)
}

// put takes back a slab of which the first used bytes may be dirty.
func (p *slabPool) put(s []byte, used int) {
	p.mu.Lock()
	full := len(p.free) >= p.most
	p.mu.Unlock()
	if full {
		unmap(s)
		return
	}
	clear(s[:used])
	p.mu.Lock()
	p.free = append(p.free, s)
	p.mu.Unlock()
}
