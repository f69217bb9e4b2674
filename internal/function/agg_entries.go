package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
)

// entries remembers which entries of the dictionary at hand were added to the states, for aggregates
// to which a value counts the same however often it occurs.
type entries struct {
	values column.Vector // the dictionary, by identity
	seen   []uint64      // one bit an entry
	sel    []uint32
}

// fresh returns what of v, which has n rows, still has to be added, and how many values those are.
func (e *entries) fresh(v column.Vector, n int) (column.Vector, int) {
	switch v := v.(type) {
	case *column.Const:
		return v.Value, min(n, 1)
	case *column.Dict:
		if e.values != v.Values {
			e.reset(v.Values)
		}
		e.sel = unseen(e.sel[:0], e.seen, v.Codes)
		return column.Gather(v.Values, e.sel), len(e.sel)
	}
	return v, n
}

func (e *entries) reset(values column.Vector) {
	e.values = values
	words := (values.Len() + 63) / 64
	if cap(e.seen) < words {
		e.seen = make([]uint64, words)
		return
	}
	e.seen = e.seen[:words]
	clear(e.seen)
}

func (e *entries) bytes() int64 { return 8*int64(cap(e.seen)) + 4*int64(cap(e.sel)) }

// unseen appends to sel each code that is not in the bitset yet, and puts it there.
func unseen(sel []uint32, seen []uint64, codes []uint32) []uint32 {
	for _, c := range codes {
		w, bit := &seen[c>>6], uint64(1)<<(c&63)
		if *w&bit == 0 {
			*w |= bit
			sel = append(sel, c)
		}
	}
	return sel
}

// entryKeys is what an aggregate derives from each entry of the dictionary at hand, such as a hash.
type entryKeys[K any] struct {
	entries
	keys []K // by code, of those seen
	out  []K
}

// maxIdleEntries is how many entries a dictionary may have for each row of a vector for keys to be kept: above that most
// of the memory would never be used.
const maxIdleEntries = 64

// of returns the key of each of n rows. The result is good until the next call.
func (e *entryKeys[K]) of(v column.Vector, n int, derive func([]column.Vector, int) []K) []K {
	d, ok := v.(*column.Dict)
	if !ok {
		return derive([]column.Vector{v}, n)
	}
	size := d.Values.Len()
	if size > maxIdleEntries*n {
		return derive([]column.Vector{column.Flatten(v)}, n)
	}
	if e.values != d.Values {
		e.reset(d.Values)
		if cap(e.keys) < size {
			e.keys = make([]K, size)
		}
		e.keys = e.keys[:size]
	}
	e.sel = unseen(e.sel[:0], e.seen, d.Codes)
	if len(e.sel) > 0 {
		for i, k := range derive([]column.Vector{column.Gather(d.Values, e.sel)}, len(e.sel)) {
			e.keys[e.sel[i]] = k
		}
	}
	if cap(e.out) < n {
		e.out = make([]K, n)
	}
	e.out = e.out[:n]
	kernel.Gather(e.out, e.keys, d.Codes)
	return e.out
}

func (e *entryKeys[K]) bytes(width int64) int64 {
	return e.entries.bytes() + width*int64(cap(e.keys)+cap(e.out))
}

// entryGroups remembers to which group each entry of the dictionary at hand was added last, for aggregates to which a value counts the same
// however often it occurs in a group: a value that comes again, to the same group as a rule, need not be looked at.
type entryGroups struct {
	values column.Vector // the dictionary, by identity
	last   []uint32      // by code, of the group one more
	codes  []uint32
	groups []uint32
}

// maxRareEntries is how many entries a dictionary may have for each row of a vector for groups to be remembered.
const maxRareEntries = 256

// fresh returns the entries that still have to be added, and to which groups. The result is good until the next call.
func (e *entryGroups) fresh(d *column.Dict, groups []uint32) (codes, to []uint32) {
	if size := d.Values.Len(); e.values != d.Values {
		if size > maxRareEntries*len(d.Codes) {
			return d.Codes, groups
		}
		e.values = d.Values
		if cap(e.last) < size {
			e.last = make([]uint32, size)
		}
		e.last = e.last[:size]
		clear(e.last)
	}
	codes, to = grown(e.codes, len(d.Codes)), grown(e.groups, len(d.Codes))
	n, last := 0, e.last
	for i, c := range d.Codes {
		g := groups[i]
		codes[n], to[n] = c, g
		if last[c] != g+1 {
			n++
		}
		last[c] = g + 1
	}
	e.codes, e.groups = codes, to
	return codes[:n], to[:n]
}

// grown returns a slice of n elements of any content, s if it is large enough.
func grown(s []uint32, n int) []uint32 {
	if cap(s) < n {
		return make([]uint32, n)
	}
	return s[:n]
}

func (e *entryGroups) bytes() int64 { return 4 * int64(cap(e.last)+cap(e.codes)+cap(e.groups)) }
