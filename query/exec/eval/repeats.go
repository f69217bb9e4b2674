package eval

import (
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/hashtable"
)

// Functions map many strings to few: the hosts of URLs, their beginnings. Strings that repeat are kept once, with
// their hashes, so that what comes next has fewer to work through: a GROUP BY numbers its groups by them.

// repeats are the distinct strings among the values per entry of a dictionary, numbered by all workers.
type repeats struct {
	idle  atomic.Bool // they do not repeat
	mu    sync.Mutex
	typ   *types.Type
	table *hashtable.Bytes
	codes []uint32 // per entry
}

// piece is what a derivation knows of one chunk of entries.
type piece struct {
	values column.Vector // nil: codes, or unknown
	nulls  []uint8       // beside codes, of Nullable values
	codes  []uint32      // of distinct strings
}

func (p *piece) known() bool { return p.values != nil || p.codes != nil }

// add makes a piece of the values of entries [from, from + v.Len()) of n, coded if they are strings that repeat; lone says
// that there are no others.
func (r *repeats) add(v column.Vector, from, n int, lone bool) piece {
	p := piece{values: v}
	inner := v
	if nullable, ok := v.(*column.Nullable); ok {
		inner, p.nulls = nullable.Inner, nullable.Nulls
	}
	s, ok := inner.(*column.Str)
	if !ok || s.Typ.Kind != types.String || r.idle.Load() {
		return piece{values: v}
	}
	own, codes, err := distinct(s)
	if err != nil || !lone && 2*own.Len() > s.Len() {
		r.idle.Store(true)
		return piece{values: v}
	}
	to, err := r.number(own, s.Typ)
	if err != nil {
		r.idle.Store(true)
		return piece{values: v}
	}
	p.values, p.codes = nil, r.room(from, len(codes), n)
	kernel.Gather(p.codes, to, codes)
	return p
}

// distinct numbers the strings of a vector.
func distinct(s *column.Str) (*hashtable.Bytes, []uint32, error) {
	hashes, codes := make([]uint64, s.Len()), make([]uint32, s.Len())
	kernel.HashBytes(hashes, s.Off, s.Data)
	t := hashtable.NewBytes()
	for i, h := range hashes {
		var err error
		if codes[i], err = t.Insert(h, s.At(i)); err != nil {
			return nil, nil, err
		}
	}
	return t, codes, nil
}

// number returns the numbers of all strings of a table.
func (r *repeats) number(t *hashtable.Bytes, typ *types.Type) ([]uint32, error) {
	to := make([]uint32, t.Len())
	off, data := t.Values()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.table == nil {
		r.table, r.typ = hashtable.NewBytes(), typ
	}
	for i, h := range t.Hashes() {
		var err error
		if to[i], err = r.table.Insert(h, data[off[i]:off[i+1]]); err != nil {
			return nil, err
		}
	}
	return to, nil
}

// room is the codes of some of n entries.
func (r *repeats) room(from, count, n int) []uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.codes == nil {
		r.codes = make([]uint32, n)
	}
	return r.codes[from : from+count : from+count]
}

// texts are the distinct strings. No worker adds any more.
func (r *repeats) texts() *column.Str {
	off, data := r.table.Values()
	return &column.Str{Typ: r.typ, Off: off, Data: data}
}

// plain is the values of a piece.
func (r *repeats) plain(p piece) column.Vector {
	if p.values != nil {
		return p.values
	}
	v := column.Gather(r.texts(), p.codes)
	if p.nulls != nil {
		return column.NewNullable(p.nulls, v)
	}
	return v
}
