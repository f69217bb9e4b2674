package raftlog

import (
	"fmt"
	"slices"
	"sync"

	"github.com/hashicorp/raft"
)

// location is where an entry's record is; file 0 is nowhere.
type location struct {
	file, offset, size uint32
}

// group is the index of one Raft group in memory. Only the writer changes it, under mu; anyone
// may read it under mu. The writer itself reads without.
type group struct {
	id    uint64
	mu    sync.RWMutex
	first uint64 // 0 when there are no entries
	last  uint64
	locs  []location // of first, first+1, …
	cache map[uint64]*raft.Log
	keys  map[string][]byte // values are never changed in place

	// planFirst and planLast are first and last after the requests of the batch at hand.
	// They belong to the writer.
	planFirst, planLast uint64
}

func newGroup(id uint64) *group {
	return &group{id: id, cache: map[uint64]*raft.Log{}, keys: map[string][]byte{}}
}

func (g *group) resetPlan() { g.planFirst, g.planLast = g.first, g.last }

func (g *group) checkpoint() checkpoint {
	return checkpoint{first: g.first, last: g.last, keys: g.keys}
}

// bounds is a range of entries, inclusive; 0, 0 is none.
type bounds struct{ first, last uint64 }

// without returns what is left after deleting entries from first to last. Raft cuts off ends
// only; a hole is refused.
func (b bounds) without(first, last uint64) (bounds, error) {
	switch {
	case b.last == 0 || last < b.first || first > b.last || first > last:
		return b, nil
	case first <= b.first && last >= b.last:
		return bounds{}, nil
	case first <= b.first:
		return bounds{last + 1, b.last}, nil
	case last >= b.last:
		return bounds{b.first, first - 1}, nil
	}
	return b, fmt.Errorf("raftlog: deleting entries %d to %d would leave a hole in %d to %d", first, last, b.first, b.last)
}

// with returns the range after appending index, which must follow the last unless there is none.
func (b bounds) with(index uint64) (bounds, error) {
	switch {
	case index == 0:
		return b, fmt.Errorf("raftlog: entry with index 0")
	case b.last == 0:
		return bounds{index, index}, nil
	case index != b.last+1:
		return b, fmt.Errorf("raftlog: entry %d does not follow entry %d", index, b.last)
	}
	return bounds{b.first, index}, nil
}

// appendLocked adds an entry that follows. REQUIRES: g.mu, and bounds.with has agreed.
func (g *group) appendLocked(index uint64, at location) {
	if g.last == 0 {
		g.first = index
		g.locs = g.locs[:0]
	}
	g.last = index
	g.locs = append(g.locs, at)
}

// shrinkLocked reduces the live entries to b, and calls gone for the location of each that goes.
func (g *group) shrinkLocked(b bounds, gone func(location)) {
	if b.last == 0 {
		b = bounds{g.last + 1, g.last}
	}
	lo, hi := int(b.first-g.first), int(b.last-g.first)+1
	for i, at := range g.locs {
		if i < lo || i >= hi {
			delete(g.cache, g.first+uint64(i))
			gone(at)
		}
	}
	g.locs = g.locs[lo:hi]
	if len(g.locs) == 0 {
		g.first, g.last, g.locs = 0, 0, nil
		return
	}
	g.first, g.last = b.first, b.last
}

// setLocked stores a key; the map that readers hold values of stays valid.
func (g *group) setLocked(key, value []byte) { g.keys[string(key)] = slices.Clone(value) }

// dropLocked forgets everything.
func (g *group) dropLocked(gone func(location)) {
	if g.last != 0 {
		g.shrinkLocked(bounds{}, gone)
	}
	g.keys = map[string][]byte{}
}

// restoreLocked makes the group as a checkpoint says, with entries that are yet to be found.
func (g *group) restoreLocked(c checkpoint) {
	g.first, g.last, g.keys = c.first, c.last, c.keys
	if c.last != 0 {
		g.locs = make([]location, c.last-c.first+1)
	}
}
