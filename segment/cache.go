package segment

import (
	"container/list"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/mem"
)

// Cache keeps verified page bodies, dictionaries and indexes of any number of readers, least recently used first to go.
// Safe for concurrent use. What it gives out is immutable and stays valid after eviction.
type Cache struct {
	limit  int64
	budget *mem.Budget
	mu     struct {
		sync.Mutex
		used  int64
		items map[cacheKey]*list.Element // of *cacheItem
		order list.List                  // front is the latest used
	}
	hits, misses atomic.Int64
}

// cacheKey is a chunk of a reader; every Reader has its own number.
type cacheKey struct {
	reader uint64
	off    int64
}

type cacheItem struct {
	key   cacheKey
	value any
	bytes int64
}

// NewCache returns a cache of at most limit bytes, which count in budget (nil: nowhere). A full budget only makes it keep less; that the cache
// gives way to others' reservations is for the owner of the budget to say: budget.Yields(c.GiveWay).
func NewCache(limit int64, budget *mem.Budget) *Cache {
	c := &Cache{limit: limit, budget: budget}
	c.mu.items = map[cacheKey]*list.Element{}
	return c
}

// yieldShare is the part of the cache's limit, as one over it, that goes at least when it gives way: each time the garbage is collected.
const yieldShare = 8

// GiveWay drops at least n bytes, the least recently used first, or reports that it has not so many.
func (c *Cache) GiveWay(n int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n > c.mu.used {
		return false
	}
	for keep := c.mu.used - max(n, c.limit/yieldShare); c.mu.order.Len() > 0 && c.mu.used > keep; {
		c.evictLocked(c.mu.order.Back())
	}
	return true
}

// Stats returns the hits and misses so far and the bytes held now.
func (c *Cache) Stats() (hits, misses, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hits.Load(), c.misses.Load(), c.mu.used
}

// get returns a value, or nil. A nil cache holds nothing.
func (c *Cache) get(k cacheKey) any {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.mu.items[k]
	if e == nil {
		c.misses.Add(1)
		return nil
	}
	c.hits.Add(1)
	c.mu.order.MoveToFront(e)
	return e.Value.(*cacheItem).value
}

// put keeps a value if there is, or can be made, room for it.
func (c *Cache) put(k cacheKey, value any, bytes int64) {
	if c == nil || bytes > c.limit/2 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.items[k] != nil {
		return
	}
	for c.mu.used+bytes > c.limit {
		c.evictLocked(c.mu.order.Back())
	}
	for !c.budget.ReserveSpare(bytes) {
		if c.mu.order.Len() == 0 {
			return
		}
		c.evictLocked(c.mu.order.Back())
	}
	c.mu.items[k] = c.mu.order.PushFront(&cacheItem{key: k, value: value, bytes: bytes})
	c.mu.used += bytes
}

// evictLocked drops an entry. REQUIRES: c.mu.
func (c *Cache) evictLocked(e *list.Element) {
	it := c.mu.order.Remove(e).(*cacheItem)
	delete(c.mu.items, it.key)
	c.mu.used -= it.bytes
	c.budget.Release(it.bytes)
}

// drop removes all that a reader put in.
func (c *Cache) drop(reader uint64) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := c.mu.order.Front(); e != nil; {
		next := e.Next()
		if e.Value.(*cacheItem).key.reader == reader {
			c.evictLocked(e)
		}
		e = next
	}
}
