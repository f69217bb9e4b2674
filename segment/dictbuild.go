package segment

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/segment/page"
	"github.com/zeebo/xxh3"
)

// dictBuilder gives each distinct string a code, in order of first occurrence.
type dictBuilder struct {
	vals   *column.Str
	hashes []uint64
	// table is open addressing at the low bits of the hash: code+1 below, 0 where free, and the hash's high half above, so that
	// hardly any other entry is looked at.
	table []uint64
	// known translates the codes of the dictionaries of incoming vectors: merges and memtables share theirs over many blocks.
	known  map[column.Vector][]uint32 // code+1
	whole  bool                       // Options.Whole
	only   column.Vector              // the one dictionary that all entries are from, each once: table has none of them yet
	err    error                      // of reading another dictionary's values
	empty  uint32                     // code+1 of the empty string
	blocks [][]byte                   // of compress
	text   int                        // bytes of all values, of compress
	region *mem.Region                // where large values are; nil: in the heap
	// touched keeps touch from being compiled away.
	touched byte
}

func newDictBuilder(t *types.Type, whole bool) *dictBuilder {
	return &dictBuilder{whole: whole, vals: column.NewStr(t.Inner(), 0), table: make([]uint64, 1024), known: map[column.Vector][]uint32{}}
}

const (
	// maxKnown bounds the dictionaries that are remembered.
	maxKnown = 64
	// dictBatch is how many strings are looked up together: their slots, and then the entries there, are fetched from memory
	// side by side and not one after the other.
	dictBatch = 64
	// heapDictBytes is how far values grow in the Go heap.
	heapDictBytes = 4 << 20
)

func (d *dictBuilder) len() int { return d.vals.Len() }

// bytes is the memory of the dictionary and of its blocks to come.
func (d *dictBuilder) bytes() int64 {
	if d == nil {
		return 0
	}
	n := int64(len(d.vals.Data))*4/3 + 12*int64(cap(d.hashes)) + 8*int64(len(d.table))
	for _, to := range d.known {
		n += 4 * int64(len(to))
	}
	return n
}

// full reports whether the dictionary has passed its limits.
func (d *dictBuilder) full() bool { return d.len() > maxDictEntries || len(d.vals.Data) > maxDictBytes }

// code returns the code of a string, new or known.
func (d *dictBuilder) code(s []byte, h uint64) uint32 {
	if d.only != nil { // a string from elsewhere than dictionaries
		d.settle()
	}
	mask := uint64(len(d.table) - 1)
	at := h & mask
	for ; d.table[at] != 0; at = (at + 1) & mask {
		if slot := d.table[at]; slot>>32 == h>>32 {
			if c := uint32(slot) - 1; bytes.Equal(d.vals.At(int(c)), s) {
				return c
			}
		}
	}
	c := d.add(s, h)
	d.table[at] = h>>32<<32 | uint64(c+1)
	if 2*d.len() > len(d.table) {
		d.grow()
	}
	return c
}

// add appends an entry that is not in the table, nor put there.
func (d *dictBuilder) add(s []byte, h uint64) uint32 {
	c := uint32(d.len())
	d.room(len(s))
	d.vals.Append(s)
	d.hashes = append(d.hashes, h)
	return c
}

// settle puts the entries into the table as they come from more than one dictionary from now on.
func (d *dictBuilder) settle() {
	d.only = nil
	size := len(d.table)
	for 2*d.len() > size {
		size *= 2
	}
	d.rehash(size)
}

// room makes sure that one more value of n bytes fits where the values are, moving large dictionaries out of the heap, where they would be
// copied again and again as they grow.
func (d *dictBuilder) room(n int) {
	data := d.vals.Data
	if d.region == nil && len(data)+n > cap(data) && len(data) >= heapDictBytes {
		if d.region = mem.NewRegion(maxDictBytes + page.TextBlock); d.region != nil {
			d.vals.Data = append(d.region.Bytes(), data...)
		}
	}
	if k := len(d.hashes); k == cap(d.hashes) {
		d.hashes, d.vals.Off = slices.Grow(d.hashes, k+1), slices.Grow(d.vals.Off, k+1)
	}
}

// free gives the values' memory back; the dictionary is of no use any more.
func (d *dictBuilder) free() {
	if d != nil {
		d.region.Free()
		d.vals, d.region = nil, nil
	}
}

func (d *dictBuilder) grow() {
	by := 4
	if len(d.table) >= 1<<22 {
		by = 2
	}
	d.rehash(by * len(d.table))
}

// rehash makes a table of so many slots, a power of two, of all entries.
func (d *dictBuilder) rehash(size int) {
	d.table = make([]uint64, size)
	mask := uint64(len(d.table) - 1)
	for c, h := range d.hashes {
		at := h & mask
		for d.table[at] != 0 {
			at = (at + 1) & mask
		}
		d.table[at] = h>>32<<32 | uint64(c+1)
	}
}

// appendRun appends the codes of a run of a column; NULLs get the code 0. It stops when the dictionary is full: what it has appended means
// nothing then.
func (d *dictBuilder) appendRun(dst []uint32, v column.Vector, r *Run) []uint32 {
	nulls, inner := splitNulls(v)
	switch v := inner.(type) {
	case *column.Dict:
		return d.appendTranslated(dst, nulls, v, r)
	case *column.Const:
		c := uint32(0)
		if nulls == nil {
			s := v.Value.(*column.Str).At(0)
			c = d.code(s, xxh3.Hash(s))
		}
		for range r.len() {
			dst = append(dst, c)
		}
		return dst
	}
	s := inner.(*column.Str)
	var batch [dictBatch]uint32
	for from := r.From; from < r.To && !d.full(); from += dictBatch {
		at := batch[:min(dictBatch, r.To-from)]
		for i := range at {
			at[i] = uint32(from + i)
		}
		if r.Sel != nil {
			copy(at, r.Sel[from:])
		}
		dst = d.appendStrings(dst, nulls, s, at)
	}
	return dst
}

// appendStrings appends the codes of the strings at up to dictBatch positions.
func (d *dictBuilder) appendStrings(dst []uint32, nulls []uint8, s *column.Str, at []uint32) []uint32 {
	var hashes [dictBatch]uint64
	for i, p := range at {
		if from, to := s.Off[p], s.Off[p+1]; from < to {
			hashes[i] = xxh3.Hash(s.Data[from:to])
		}
	}
	d.touch(hashes[:len(at)])
	for i, p := range at {
		c, from, to := uint32(0), s.Off[p], s.Off[p+1]
		switch {
		case nulls != nil && nulls[p] != 0:
		case from < to:
			c = d.code(s.Data[from:to], hashes[i])
		default: // many columns hold little else
			if d.empty == 0 {
				d.empty = d.code(nil, xxh3.Hash(nil)) + 1
			}
			c = d.empty - 1
		}
		dst = append(dst, c)
	}
	return dst
}

// touch loads what looking up the hashes will need.
func (d *dictBuilder) touch(hashes []uint64) {
	var offs [dictBatch]uint32
	mask := uint64(len(d.table) - 1)
	n := 0
	for _, h := range hashes {
		if slot := d.table[h&mask]; slot != 0 && slot>>32 == h>>32 {
			offs[n] = uint32(slot) - 1
			n++
		}
	}
	for i, c := range offs[:n] {
		offs[i] = d.vals.Off[c]
	}
	sum := byte(0)
	for _, o := range offs[:n] {
		if int(o) < len(d.vals.Data) {
			sum |= d.vals.Data[o]
		}
	}
	d.touched = sum
}

// translation returns the table of codes of another dictionary: code+1 of this one where known.
func (d *dictBuilder) translation(values column.Vector) []uint32 {
	to := d.known[values]
	if to == nil {
		if d.only != nil {
			d.settle()
		}
		if len(d.known) == maxKnown {
			clear(d.known)
		}
		to = make([]uint32, values.Len())
		d.known[values] = to
	}
	return to
}

func (d *dictBuilder) appendTranslated(dst []uint32, nulls []uint8, v *column.Dict, r *Run) []uint32 {
	to := d.translation(v.Values)
	n := len(dst)
	if r.Sel == nil {
		dst = append(dst, v.Codes[r.From:r.To]...)
	} else {
		for _, p := range r.sel() {
			dst = append(dst, v.Codes[p])
		}
	}
	vals, _ := v.Values.(*column.Str)
	for i, c := range dst[n:] {
		if i%dictBatch == 0 && vals != nil && v.Hashes != nil {
			d.touchEntries(to, vals, v.Hashes, dst[n+i:min(n+i+dictBatch, len(dst))])
		}
		if nulls != nil && nulls[r.at(i)] != 0 {
			dst[n+i] = 0
			continue
		}
		if to[c] == 0 {
			if d.full() || d.err != nil {
				break
			}
			d.translate(to, v, c)
		}
		dst[n+i] = to[c] - 1
	}
	return dst
}

// touchEntries loads what translating those of up to dictBatch codes will need that are not known.
func (d *dictBuilder) touchEntries(to []uint32, vals *column.Str, of []uint64, codes []uint32) {
	var hashes [dictBatch]uint64
	n, sum := 0, byte(0)
	for _, c := range codes {
		if to[c] == 0 {
			hashes[n] = of[c]
			n++
			if at := vals.Off[c]; int(at) < len(vals.Data) {
				sum |= vals.Data[at]
			}
		}
	}
	if d.only == nil {
		d.touch(hashes[:n])
	}
	d.touched |= sum
}

// translate finds the code of entry c of another dictionary. In one of a segment whose rows are all appended, its entries first occur in this
// order: the next ones are looked up too.
func (d *dictBuilder) translate(to []uint32, v *column.Dict, c uint32) {
	if from, ok := v.Values.(*streamedValues); ok {
		d.err = d.translateStreamed(to, from, int(c))
		return
	}
	vals := v.Values.(*column.Str)
	if !d.whole || v.Hashes == nil || !v.Unique {
		s := vals.At(int(c))
		switch {
		case v.Hashes == nil:
			to[c] = d.code(s, xxh3.Hash(s)) + 1
		case v.Unique && (d.len() == 0 || d.only == v.Values):
			d.only = v.Values
			to[c] = d.add(s, v.Hashes[c]) + 1
		default:
			to[c] = d.code(s, v.Hashes[c]) + 1
		}
		return
	}
	end := min(int(c)+dictBatch, len(to))
	d.touch(v.Hashes[c:end])
	for i := int(c); i < end; i++ {
		if to[i] == 0 {
			to[i] = d.code(vals.At(i), v.Hashes[i]) + 1
		}
	}
}

// translateStreamed is translate of values that are still in the file.
func (d *dictBuilder) translateStreamed(to []uint32, from *streamedValues, c int) error {
	end := min(c+dictBatch, len(to))
	d.touch(from.hashes[c:end])
	for i := c; i < end; i++ {
		if to[i] != 0 {
			continue
		}
		s, err := from.value(i)
		if err != nil {
			return err
		}
		to[i] = d.code(s, from.hashes[i]) + 1
	}
	return nil
}

// textOf is the bytes of the strings with these codes, and how many are empty, NULLs aside.
func (d *dictBuilder) textOf(codes []uint32, nulls []uint8) (n, empty int64) {
	for i, c := range codes {
		if nulls == nil || nulls[i] == 0 {
			l := int64(d.vals.Off[c+1] - d.vals.Off[c])
			n += l
			empty += (l - 1) >> 63 & 1
		}
	}
	return n, empty
}

// close drops the entries from n on, and what only building needs.
func (d *dictBuilder) close(n int) {
	d.vals.Truncate(n)
	d.hashes, d.table, d.known, d.only = d.hashes[:n], nil, nil, nil
}

// compress makes the blocks of values that write writes, and gives back the memory of all else; the dictionary is complete.
func (d *dictBuilder) compress() error {
	raw := d.vals.Data
	d.text, d.table, d.known, d.only = len(raw), nil, nil, nil
	var block []byte
	for at := 0; at < len(raw); at += page.TextBlock {
		var err error
		if block, err = page.AppendTextBlock(block[:0], raw[at:min(at+page.TextBlock, len(raw))]); err != nil {
			return err
		}
		d.blocks = append(d.blocks, bytes.Clone(block))
	}
	d.vals.Data = nil
	d.region.Free()
	d.region = nil
	return nil
}

// write writes the dictionary's chunks, after compress.
func (d *dictBuilder) write(w *chunkWriter) (*dictEntry, error) {
	first, lengths := w.off, []uint32(nil)
	for i, block := range d.blocks {
		r, err := w.chunk(block)
		if err != nil {
			return nil, err
		}
		d.blocks[i] = nil
		lengths = append(lengths, uint32(r.len))
	}
	entryLens := make([]uint32, d.len())
	hashes := make([]byte, 0, 8*d.len())
	for i := range entryLens {
		entryLens[i] = d.vals.Off[i+1] - d.vals.Off[i]
		hashes = binary.LittleEndian.AppendUint64(hashes, d.hashes[i])
	}
	head := page.AppendSizedInts(page.AppendU32(nil, uint32(d.len())), entryLens)
	head = binary.LittleEndian.AppendUint64(head, uint64(d.text))
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
