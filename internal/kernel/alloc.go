package kernel

import (
	"strings"
	"unsafe"

	"github.com/olapd/olapd/internal/invariants"
)

// minDirty is the bytes from which on clearing memory costs more than asking for memory that is not.
const minDirty = 1 << 10

// Dirty returns n numbers of any value, for callers that write all of them: clearing a page's worth of memory takes longer
// than decoding into it.
func Dirty[T Number](n int) []T {
	size := n * int(unsafe.Sizeof(*new(T)))
	if size < minDirty {
		return make([]T, n)
	}
	var b strings.Builder // the one way of the standard library to memory that is not cleared
	b.Grow(size)
	b.WriteByte(0)
	out := unsafe.Slice((*T)(unsafe.Pointer(unsafe.StringData(b.String()))), n)
	if invariants.Enabled {
		for i := range out {
			out[i] = T(0) - 1
		}
	}
	return out
}
