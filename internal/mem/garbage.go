package mem

import "math"

const (
	// garbagePart is the part of a query's limit, as its denominator, that is not to be reserved: it is for garbage, which no budget counts
	// and which takes memory until the collector finds it.
	garbagePart = 8
	// leastGarbage is what may gather in any case: less, and the collector would do nothing but run. Lower limits are of what is reserved alone.
	leastGarbage = 8 << 20
)

// Limited returns a child as Child does, for a query whose memory, its garbage included, stays under the limit. While it runs the collector
// runs more often where that is needed; end says that it does not run any more.
func (b *Budget) Limited(name string, limit int64) (c *Budget, end func()) {
	c = b.Child(name, limit)
	if limit < garbagePart*leastGarbage || limit == NoLimit {
		return c, func() {}
	}
	c.garbage = limit / garbagePart
	c.limit.Store(limit - c.garbage)
	return c, pacing.limit(c.garbage)
}

// limit keeps garbage under so many bytes until end is called.
func (p *pacer) limit(bytes int64) (end func()) {
	if bytes >= headroom.Load() { // or nobody paces the collector
		return func() {}
	}
	p.mu.Lock()
	if p.limits == nil {
		p.limits = map[int64]int{}
	}
	p.limits[bytes]++
	p.mu.Unlock()
	p.adjust(false)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.limits[bytes]--; p.limits[bytes] == 0 {
			delete(p.limits, bytes)
		}
	}
}

// headroomLocked is how much garbage may gather now.
func (p *pacer) headroomLocked() int64 {
	least := int64(math.MaxInt64)
	for bytes := range p.limits {
		least = min(least, bytes)
	}
	return min(least, headroom.Load())
}
