package raftlog

import "github.com/hashicorp/raft"

// cache holds the newest entries of all groups, first in, first out, so that followers and the
// state machine read them without the disk. It belongs to the writer; the entries themselves are
// in the groups' maps, under their locks.
type cache struct {
	limit int64
	bytes int64
	queue []cached
	head  int // of queue
}

type cached struct {
	g     *group
	entry *raft.Log
}

func cacheBytes(e *raft.Log) int64 {
	return int64(len(e.Data)+len(e.Extensions)) + cacheEntryOverhead
}

// addLocked REQUIRES: g.mu.
func (c *cache) addLocked(g *group, e *raft.Log) {
	g.cache[e.Index] = e
	c.queue = append(c.queue, cached{g, e})
	c.bytes += cacheBytes(e)
}

// trim drops the oldest entries beyond the limit.
func (c *cache) trim() {
	for c.bytes > c.limit {
		old := c.queue[c.head]
		c.queue[c.head] = cached{}
		c.head++
		c.bytes -= cacheBytes(old.entry)
		old.g.mu.Lock()
		if old.g.cache[old.entry.Index] == old.entry {
			delete(old.g.cache, old.entry.Index)
		}
		old.g.mu.Unlock()
	}
	if c.head > len(c.queue)/2 {
		n := copy(c.queue, c.queue[c.head:])
		clear(c.queue[n:])
		c.queue, c.head = c.queue[:n], 0
	}
}
