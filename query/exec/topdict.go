package exec

import (
	"encoding/binary"
	"sync"

	"github.com/olapd/olapd/internal/column"
)

// topMasks are, of dictionaries of the first sort key, which entries were within the bound when last looked at: the bound only gets
// tighter, so that what they exclude stays excluded.
type topMasks struct {
	sync.Mutex
	of map[column.Vector]*topMask
}

// topMask is the entries of one dictionary within a bound. Immutable.
type topMask struct {
	worst sortItem
	mask  []uint8
}

// maxTopMasks bounds the dictionaries remembered.
const maxTopMasks = 64

// topLookups is a worker's record of the rows that it has looked up in one dictionary.
type topLookups struct {
	values       column.Vector
	rows, passed int // since it last asked for a mask
}

// withinCodes is within for a dictionary-coded column of strings; false if it is none or a mask over the entries does not pay yet.
func (s *topState) withinCodes(out []uint8, v column.Vector, worst *sortItem) bool {
	d, ok := v.(*column.Dict)
	if !ok {
		return false
	}
	text, ok := d.Values.(*column.Str)
	if !ok {
		return false
	}
	l := &s.lookups
	if l.values != d.Values {
		*l = topLookups{values: d.Values}
	}
	m := s.t.masks.get(d.Values)
	// Entries are looked at (again) once as many rows have come as there are, if by now the bound may exclude more of them.
	if due := l.rows > text.Len()/2; due && (m == nil || *worst != m.worst && l.passed > l.rows/16) {
		m = s.t.masks.build(text, s.t, worst)
		l.rows, l.passed = 0, 0
	}
	l.rows += len(d.Codes)
	if m == nil {
		return false
	}
	n := 0
	for i, c := range d.Codes {
		out[i] = m.mask[c]
		n += int(m.mask[c])
	}
	l.passed += n
	return true
}

func (t *topMasks) get(values column.Vector) *topMask {
	t.Lock()
	defer t.Unlock()
	return t.of[values]
}

// build looks at all entries; workers do so one at a time, and one that finds that another has just done it takes what that found.
func (t *topMasks) build(text *column.Str, bound *TopBound, worst *sortItem) *topMask {
	t.Lock()
	defer t.Unlock()
	if m := t.of[text]; m != nil && m.worst == *worst {
		return m
	}
	if t.of == nil || len(t.of) >= maxTopMasks {
		t.of = map[column.Vector]*topMask{}
	}
	m := &topMask{worst: *worst, mask: make([]uint8, text.Len())}
	it := sortItem{rank: rankValue}
	for i := range m.mask {
		it.prefix = stringPrefix(text.At(i))
		if bound.Order.Desc {
			it.prefix = ^it.prefix
		}
		if !worst.before(it) {
			m.mask[i] = 1
		}
	}
	t.of[text] = m
	return m
}

// stringPrefix is the first eight bytes, in an order as the strings'; a shorter string is padded with zeros.
func stringPrefix(s []byte) uint64 {
	if len(s) >= 8 {
		return binary.BigEndian.Uint64(s)
	}
	var x uint64
	for i, b := range s {
		x |= uint64(b) << (56 - 8*i)
	}
	return x
}
