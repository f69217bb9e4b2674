package grouping

import (
	"container/list"
	"sync"
	"unsafe"
	"weak"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
)

// Unions keeps, from query to query, how the lasting dictionaries of columns number each other's values, the least recently used first to go: with
// them a GROUP BY over many segments does not compare their dictionaries anew. It keeps no dictionary alive; numbers over one that is gone
// go with it. Safe for concurrent use; nil keeps nothing.
type Unions struct {
	limit  int64
	budget *mem.Budget
	mu     struct {
		sync.Mutex
		used  int64
		of    map[weak.Pointer[column.Str]]*list.Element // of *keptUnion, each under all its dictionaries
		order list.List                                  // front is the latest used
	}
}

// keptUnion is a union that does not keep its dictionaries alive.
type keptUnion struct {
	parts []keptPart
	n     uint32
	bytes int64
}

type keptPart struct {
	text    weak.Pointer[column.Str]
	hashes  weak.Pointer[uint64] // the first
	numbers []uint32
	first   uint32
	fresh   []uint32
}

// NewUnions returns a collection of at most limit bytes, which count in budget (nil: nowhere). A full budget only makes it keep less.
func NewUnions(limit int64, budget *mem.Budget) *Unions {
	x := &Unions{limit: limit, budget: budget}
	x.mu.of = map[weak.Pointer[column.Str]]*list.Element{}
	return x
}

// Bytes is the memory held.
func (x *Unions) Bytes() int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.mu.used
}

// find returns the union that a dictionary is in, or nil.
func (x *Unions) find(text *column.Str) *union {
	if x == nil {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.mu.of[weak.Make(text)]
	if e == nil {
		return nil
	}
	u := e.Value.(*keptUnion).revive()
	if u == nil {
		x.dropLocked(e)
		return nil
	}
	x.mu.order.MoveToFront(e)
	return u
}

// keep remembers a union, in place of those that share a dictionary with it, and reports whether it does.
func (x *Unions) keep(u *union) bool {
	if x == nil || !u.lasting() {
		return false
	}
	k := &keptUnion{n: u.n, bytes: u.bytes() + int64(len(u.parts))*int64(unsafe.Sizeof(keptPart{})+unsafe.Sizeof(unionPart{}))}
	for _, p := range u.parts {
		if len(p.hashes) == 0 {
			return false
		}
		k.parts = append(k.parts, keptPart{weak.Make(p.text), weak.Make(&p.hashes[0]), p.numbers, p.first, p.fresh})
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, p := range k.parts {
		if e := x.mu.of[p.text]; e != nil {
			x.dropLocked(e)
		}
	}
	if !x.roomLocked(k.bytes) {
		return false
	}
	e := x.mu.order.PushFront(k)
	x.mu.used += k.bytes
	for _, p := range k.parts {
		x.mu.of[p.text] = e
	}
	return true
}

// roomLocked reserves n bytes: it drops what is of no use any more, and the least recently used as far as need be. REQUIRES: x.mu.
func (x *Unions) roomLocked(n int64) bool {
	if n > x.limit {
		return false
	}
	for e := x.mu.order.Front(); e != nil; {
		next := e.Next()
		if !e.Value.(*keptUnion).alive() {
			x.dropLocked(e)
		}
		e = next
	}
	for x.mu.used+n > x.limit {
		x.dropLocked(x.mu.order.Back())
	}
	for !x.budget.ReserveSpare(n) {
		if x.mu.order.Len() == 0 {
			return false
		}
		x.dropLocked(x.mu.order.Back())
	}
	return true
}

// dropLocked forgets a union. REQUIRES: x.mu.
func (x *Unions) dropLocked(e *list.Element) {
	k := x.mu.order.Remove(e).(*keptUnion)
	for _, p := range k.parts {
		delete(x.mu.of, p.text)
	}
	x.mu.used -= k.bytes
	x.budget.Release(k.bytes)
}

// alive reports whether all dictionaries are still there.
func (k *keptUnion) alive() bool {
	for _, p := range k.parts {
		if p.text.Value() == nil || p.hashes.Value() == nil {
			return false
		}
	}
	return true
}

// revive returns the union; nil if one of its dictionaries is gone.
func (k *keptUnion) revive() *union {
	u := &union{parts: make([]*unionPart, len(k.parts)), n: k.n}
	for i, p := range k.parts {
		text, hash := p.text.Value(), p.hashes.Value()
		if text == nil || hash == nil {
			return nil
		}
		u.parts[i] = &unionPart{text: text, hashes: unsafe.Slice(hash, text.Len()), lasting: true, numbers: p.numbers, first: p.first, fresh: p.fresh}
	}
	return u
}
