package segment

import (
	"bytes"
	"encoding/binary"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/segment/page"
	"github.com/zeebo/xxh3"
)

// dictBuilder gives each distinct string a code, in order of first occurrence.
type dictBuilder struct {
	vals   *column.Str
	hashes []uint64
	table  []uint32 // open addressing: code+1 at the hash, 0 where free
	// known translates the codes of the dictionaries of incoming vectors: merges and memtables share theirs over many blocks.
	known map[column.Vector][]uint32 // code+1
}

func newDictBuilder(t *types.Type) *dictBuilder {
	return &dictBuilder{vals: column.NewStr(t.Inner(), 0), table: make([]uint32, 1024), known: map[column.Vector][]uint32{}}
}

// maxKnown bounds the dictionaries that are remembered.
const maxKnown = 64

func (d *dictBuilder) len() int { return d.vals.Len() }

// code returns the code of a string, new or known.
func (d *dictBuilder) code(s []byte, h uint64) uint32 {
	mask := uint64(len(d.table) - 1)
	at := h & mask
	for ; d.table[at] != 0; at = (at + 1) & mask {
		if c := d.table[at] - 1; d.hashes[c] == h && bytes.Equal(d.vals.At(int(c)), s) {
			return c
		}
	}
	c := uint32(d.len())
	d.vals.Append(s)
	d.hashes = append(d.hashes, h)
	d.table[at] = c + 1
	if 2*d.len() > len(d.table) {
		d.grow()
	}
	return c
}

func (d *dictBuilder) grow() {
	d.table = make([]uint32, 2*len(d.table))
	mask := uint64(len(d.table) - 1)
	for c, h := range d.hashes {
		at := h & mask
		for d.table[at] != 0 {
			at = (at + 1) & mask
		}
		d.table[at] = uint32(c) + 1
	}
}

// appendCodes appends the codes of a run of values; NULLs get the code 0. It stops with ok false when the dictionary is full.
func (d *dictBuilder) appendCodes(dst []uint32, nulls []uint8, inner column.Vector) (codes []uint32, ok bool) {
	switch v := inner.(type) {
	case *column.Dict:
		dst = d.appendTranslated(dst, nulls, v)
	case *column.Const:
		c := uint32(0)
		if nulls == nil {
			s := v.Value.(*column.Str).At(0)
			c = d.code(s, xxh3.Hash(s))
		}
		for range v.N {
			dst = append(dst, c)
		}
	default:
		s := column.Flatten(inner).(*column.Str)
		for i := range s.Len() {
			c := uint32(0)
			if nulls == nil || nulls[i] == 0 {
				b := s.At(i)
				c = d.code(b, xxh3.Hash(b))
			}
			dst = append(dst, c)
		}
	}
	return dst, d.len() <= maxDictEntries && len(d.vals.Data) <= maxDictBytes
}

func (d *dictBuilder) appendTranslated(dst []uint32, nulls []uint8, v *column.Dict) []uint32 {
	to := d.known[v.Values]
	if to == nil {
		if len(d.known) == maxKnown {
			clear(d.known)
		}
		to = make([]uint32, v.Values.Len())
		d.known[v.Values] = to
	}
	vals := v.Values.(*column.Str)
	for i, c := range v.Codes {
		if nulls != nil && nulls[i] != 0 {
			dst = append(dst, 0)
			continue
		}
		if to[c] == 0 {
			s := vals.At(int(c))
			to[c] = d.code(s, xxh3.Hash(s)) + 1
		}
		dst = append(dst, to[c]-1)
	}
	return dst
}

// close drops the entries from n on, and what only building needs.
func (d *dictBuilder) close(n int) {
	d.vals.Truncate(n)
	d.hashes, d.table, d.known = d.hashes[:n], nil, nil
}

// write writes the dictionary's chunks.
func (d *dictBuilder) write(w *chunkWriter) (*dictEntry, error) {
	raw := d.vals.Data
	first, lengths := w.off, []uint32(nil)
	for at := 0; at < len(raw); at += page.TextBlock {
		block, err := page.AppendTextBlock(nil, raw[at:min(at+page.TextBlock, len(raw))])
		if err != nil {
			return nil, err
		}
		r, err := w.chunk(block)
		if err != nil {
			return nil, err
		}
		lengths = append(lengths, uint32(r.len))
	}
	entryLens := make([]uint32, d.len())
	hashes := make([]byte, 0, 8*d.len())
	for i := range entryLens {
		entryLens[i] = d.vals.Off[i+1] - d.vals.Off[i]
		hashes = binary.LittleEndian.AppendUint64(hashes, d.hashes[i])
	}
	head := page.AppendSizedInts(page.AppendU32(nil, uint32(d.len())), entryLens)
	head = binary.LittleEndian.AppendUint64(head, uint64(len(raw)))
	head = binary.LittleEndian.AppendUint64(head, uint64(first))
	head = page.AppendSizedInts(head, lengths)
	e := &dictEntry{Entries: d.len()}
	var err error
	if e.Hashes, err = w.chunk(hashes); err != nil {
		return nil, err
	}
	e.Header, err = w.chunk(head)
	return e, err
}
