package kernel

import (
	"math/bits"
	"strings"
	"sync"
	"unsafe"

	"github.com/olapd/olapd/internal/invariants"
)

const (
	// minDirty is the bytes from which on clearing memory costs more than asking for memory that is not.
	minDirty = 1 << 10
	// Memory of more than 1<<minRecycled bytes, and up to 1<<maxRecycled, is kept for use again: pages of values.
	minRecycled, maxRecycled = 12, 20
	// stepBits: there are 1<<stepBits sizes of them for each power of two, so that at most an eighth is not used.
	stepBits = 3
)

// recycled holds memory for use again, by size. What is in a pool is still in the second-level cache, most often, and no page of it is new.
var recycled [(maxRecycled - minRecycled) << stepBits]sync.Pool

// sizeClass returns the least size of those kept that holds so many bytes, and its number; -1 if there is none.
func sizeClass(bytes int) (size, class int) {
	if bytes <= 1<<minRecycled || bytes > 1<<maxRecycled {
		return 0, -1
	}
	log := bits.Len(uint(bytes-1)) - 1 // 1<<log < bytes ≤ 2<<log
	step := 1 << (log - stepBits)
	size = (bytes + step - 1) / step * step
	return size, (log-minRecycled)<<stepBits + size/step - 1<<stepBits - 1
}

// Dirty returns n numbers of any value, for callers that write all of them: clearing a page's worth of memory takes longer
// than decoding into it. Those who are the only ones to hold it, and are done, may give it to Recycle.
func Dirty[T Number](n int) []T {
	width := int(unsafe.Sizeof(*new(T)))
	bytes := n * width
	if bytes < minDirty {
		return make([]T, n)
	}
	size, class := sizeClass(bytes)
	if class < 0 {
		size = bytes
	} else if p, ok := recycled[class].Get().(unsafe.Pointer); ok {
		return unsafe.Slice((*T)(p), size/width)[:n]
	}
	var b strings.Builder // the one way of the standard library to memory that is not cleared
	b.Grow(size)
	b.WriteByte(0)
	out := unsafe.Slice((*T)(unsafe.Pointer(unsafe.StringData(b.String()))), size/width)
	poison(out)
	return out[:n]
}

// Recycle gives memory that nobody else holds, now or later, to a later call of Dirty. It takes what Dirty returned, whole, and lets go of all else.
func Recycle[T Number](s []T) {
	s = s[:cap(s)]
	bytes := len(s) * int(unsafe.Sizeof(*new(T)))
	size, class := sizeClass(bytes)
	if class < 0 || size != bytes {
		return
	}
	poison(s)
	recycled[class].Put(unsafe.Pointer(&s[0]))
}

// poison makes what is read before it is written, or after it was given back, show.
func poison[T Number](s []T) {
	if invariants.Enabled {
		for i := range s {
			s[i] = T(0) - 1
		}
	}
}
