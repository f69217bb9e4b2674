package mem

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/olapd/olapd/internal/sqlerr"
)

// mapAnonymous returns n zero bytes outside the Go heap.
func mapAnonymous(n int) ([]byte, error) {
	b, err := mapAligned(n, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CannotAllocateMemory, "Cannot allocate %s of memory", FormatBytes(int64(n)))
	}
	return b, nil
}

// mapRegion maps n bytes of which the kernel promises nothing until they are written to; nil if it refuses.
func mapRegion(n int) []byte {
	b, err := mapAligned(n, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_NORESERVE)
	if err != nil {
		return nil
	}
	return b
}

// mapAligned maps n bytes, rounded up to pages. Mappings of a huge page or more are aligned to one by mapping more and cutting off the ends, so that
// the kernel can use them: what grows by small pages faults once for each 4 KiB.
func mapAligned(n, flags int) ([]byte, error) {
	size := (n + pageBytes - 1) &^ (pageBytes - 1)
	slack := 0
	if size >= slabBytes {
		slack = slabBytes
	}
	p, err := unix.MmapPtr(-1, 0, nil, uintptr(size+slack), unix.PROT_READ|unix.PROT_WRITE, flags)
	if err != nil {
		return nil, fmt.Errorf("mmap of %d bytes: %w", size, err)
	}
	if slack > 0 {
		head := (slabBytes - int(uintptr(p)%slabBytes)) % slabBytes
		cut(p, head)
		p = unsafe.Add(p, head)
		cut(unsafe.Add(p, size), slack-head)
		// Advice only: without transparent huge pages the memory works all the same.
		_ = unix.Madvise(unsafe.Slice((*byte)(p), size), unix.MADV_HUGEPAGE)
	}
	return unsafe.Slice((*byte)(p), size), nil
}

const pageBytes = 4096

func cut(p unsafe.Pointer, n int) {
	if n > 0 {
		_ = unix.MunmapPtr(p, uintptr(n))
	}
}

// unmap gives back a whole result of mapAnonymous.
func unmap(m []byte) { cut(unsafe.Pointer(unsafe.SliceData(m)), len(m)) }
