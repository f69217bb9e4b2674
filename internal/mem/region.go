package mem

// Region is a stretch of address space outside the Go heap that takes memory only where it has been written to: room to
// grow into without being copied, by huge pages where the system has them. It must not be used after Free, nor may anything that points into it. Not counted in
// any budget: its owner knows how much of it is in use.
type Region struct{ b []byte }

// NewRegion returns a region of n bytes; nil if the system has none to give, in which case the caller grows a slice instead.
func NewRegion(n int) *Region {
	b := mapRegion(n)
	if b == nil {
		return nil
	}
	return &Region{b}
}

// Bytes returns all of it, of length 0 at first use.
func (r *Region) Bytes() []byte { return r.b[:0] }

// Free gives the memory back. A nil region, or one already freed, has none.
func (r *Region) Free() {
	if r == nil || r.b == nil {
		return
	}
	unmap(r.b)
	r.b = nil
}
