package mem

import (
	"math/bits"
	"sync"
)

const (
	// defaultIdle bounds the idle chunks kept for the next query until KeepIdle says otherwise.
	defaultIdle = 128 << 20
	// classes is how many sizes of chunks there are: up to maxAlloc, rounded up.
	classes = 22
)

// idlePool keeps the chunks of ended queries for the next ones. Memory that is fresh from the system is slow: the kernel clears it, may have
// to make huge pages of it, and a hypervisor may have to find some first.
type idlePool struct {
	mu    sync.Mutex
	free  [classes][]chunk // of slabBytes << class, the last used last
	bytes [classes]int64   // of free that have been written to
	total int64            // of bytes
	least int64            // total at its lowest since the last trim: what no query has used
	most  int64
	stays int64
	of    *Budget // nil: of no process with a limit
}

var idle = idlePool{most: defaultIdle, stays: defaultIdle}

// KeepIdle bounds the memory of ended queries that the process keeps for the next ones, in bytes: to most and to what the budget has left, at once; and to stays what
// TrimIdle leaves though nobody uses it.
func KeepIdle(most, stays int64, of *Budget) {
	idle.mu.Lock()
	defer idle.mu.Unlock()
	idle.most, idle.stays, idle.of = most, stays, of
}

// TrimIdle gives back what no query has used since it was called last, and what the budget has not left.
func TrimIdle() { idle.unmap(idle.trim()) }

func (p *idlePool) trim() []chunk {
	p.mu.Lock()
	defer p.mu.Unlock()
	bound := min(max(p.total-p.least, p.stays), p.boundLocked())
	out := p.exceeding(bound)
	p.least = p.total
	return out
}

// boundLocked is how many bytes may stay now.
func (p *idlePool) boundLocked() int64 {
	if p.of == nil {
		return p.most
	}
	return max(min(p.most, p.of.Limit()-p.of.Used()), 0)
}

func (p *idlePool) unmap(chunks []chunk) {
	for _, c := range chunks {
		unmap(c.b)
	}
}

// get returns a chunk of size bytes: a used one, half of a larger one that was used, or a fresh one.
func (p *idlePool) get(size int) (chunk, error) {
	class := bits.TrailingZeros(uint(size / slabBytes))
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := class; k < classes; k++ {
		if len(p.free[k]) == 0 {
			continue
		}
		c := p.pop(k, len(p.free[k])-1)
		for ; k > class; k-- {
			var rest chunk
			c, rest = c.halves()
			p.push(rest, k-1)
		}
		return c, nil
	}
	b, err := mapAnonymous(size)
	return chunk{b: b}, err
}

// put takes a chunk back. Where that is too much, the chunks go of which there are most, the longest unused first.
func (p *idlePool) put(c chunk) {
	c.dirty, c.used = max(c.dirty, c.used), 0
	p.unmap(p.exchange(c))
}

// exchange takes a chunk and returns those that are too many then.
func (p *idlePool) exchange(c chunk) []chunk {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.push(c, bits.TrailingZeros(uint(len(c.b)/slabBytes)))
	return p.exceeding(p.boundLocked())
}

// exceeding takes chunks out until at most so many bytes are left.
func (p *idlePool) exceeding(bound int64) (out []chunk) {
	for p.total > bound {
		most := 0
		for k, n := range p.bytes {
			if n > p.bytes[most] {
				most = k
			}
		}
		out = append(out, p.pop(most, 0))
	}
	return out
}

func (p *idlePool) push(c chunk, class int) {
	p.free[class] = append(p.free[class], c)
	p.bytes[class] += int64(c.dirty)
	p.total += int64(c.dirty)
}

func (p *idlePool) pop(class, at int) chunk {
	f := p.free[class]
	c := f[at]
	copy(f[at:], f[at+1:])
	p.free[class] = f[:len(f)-1]
	p.bytes[class] -= int64(c.dirty)
	p.total -= int64(c.dirty)
	p.least = min(p.least, p.total)
	return c
}

// halves splits the chunk.
func (c chunk) halves() (a, b chunk) {
	n := len(c.b) / 2
	return chunk{b: c.b[:n:n], dirty: min(c.dirty, n)}, chunk{b: c.b[n:], dirty: max(c.dirty-n, 0)}
}
