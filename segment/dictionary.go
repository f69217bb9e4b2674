package segment

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"weak"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/segment/page"
	"github.com/zeebo/xxh3"
)

// Dictionary is the dictionary of one column of one segment. Immutable. As long as anyone holds it, or the vectors over
// it, the reader gives out this very one, so work done per entry may be kept under the identity of Values.
type Dictionary struct {
	Values *column.Str // entry by code; distinct
	Hashes []uint64    // xxh3 of each entry
}

// Dictionary returns the dictionary of a stored column, or nil if it has none. It loads all values: lengths alone, the code of
// one value or the values of a few codes are to be had for less (ReadLengths, FindCode, ReadEntries).
func (r *Reader) Dictionary(ctx context.Context, col int) (*Dictionary, error) {
	if r.Entries(col) == 0 {
		return nil, nil
	}
	return r.dictionary(ctx, &r.cols[col])
}

// Entries returns the number of entries of a stored column's dictionary; 0 if it has none.
func (r *Reader) Entries(col int) int {
	if col < 0 || col >= len(r.schema) || r.cols[col].entry.Dict == nil {
		return 0
	}
	return r.cols[col].entry.Dict.Entries
}

// dictValues keeps a Dictionary alive as long as its values are: the vectors hold only those.
type dictValues struct {
	column.Str
	owner *Dictionary
}

func (r *Reader) dictionary(ctx context.Context, c *columnState) (*Dictionary, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := r.loadedLocked(c); d != nil {
		return d, nil
	}
	d, err := r.loadLocked(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("segment: dictionary of column %s of %s: %w", c.entry.Name, r.path, err)
	}
	c.mu.dict = weak.Make(d)
	r.cache.put(r.dictKey(c), d, int64(len(d.Values.Data)))
	return d, nil
}

func (r *Reader) dictKey(c *columnState) cacheKey { return cacheKey{r.number, c.entry.Dict.Header.off} }

// loadedLocked returns the dictionary if it is in memory, else nil. REQUIRES: c.mu.
func (r *Reader) loadedLocked(c *columnState) *Dictionary {
	k := r.dictKey(c)
	if d, ok := r.cache.get(k).(*Dictionary); ok {
		return d
	}
	d := c.mu.dict.Value()
	if d != nil {
		r.cache.put(k, d, int64(len(d.Values.Data)))
	}
	return d
}

// loadLocked reads the whole dictionary, its blocks on all cores. REQUIRES: c.mu.
func (r *Reader) loadLocked(ctx context.Context, c *columnState) (*Dictionary, error) {
	h, err := r.headLocked(c)
	if err != nil {
		return nil, err
	}
	hashes, err := r.hashesLocked(c)
	if err != nil {
		return nil, err
	}
	data := make([]byte, h.off[len(h.off)-1])
	groups := (len(h.blocks) + readGroup - 1) / readGroup
	err = inParallel(runtime.GOMAXPROCS(0), groups, func(g int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		first := g * readGroup
		return r.dictBlocks(h, first, min(first+readGroup, len(h.blocks)), data)
	})
	if err != nil {
		return nil, err
	}
	d := &Dictionary{Hashes: hashes}
	v := &dictValues{Str: column.Str{Typ: c.entry.typ.Inner(), Off: h.off, Data: data}, owner: d}
	d.Values = &v.Str
	return d, nil
}

// readGroup is how many blocks of a dictionary are read from the file at once: half a megabyte or so.
const readGroup = 16

// dictBlocks decodes blocks [from, to) into their places in data.
func (r *Reader) dictBlocks(h *dictHeader, from, to int, data []byte) error {
	bodies, err := readChunks(r.f, r.path, r.size, h.blocks[from:to])
	if err != nil {
		return err
	}
	for i, b := range bodies {
		at := (from + i) * page.TextBlock
		if err := page.ReadTextBlock(data[at:min(at+page.TextBlock, len(data))], b); err != nil {
			return err
		}
	}
	return nil
}

// dictHeader is the header chunk of a dictionary: all but values and hashes.
type dictHeader struct {
	off    []uint32 // entries+1
	blocks []ref    // end to end
}

// headLocked returns the header through the cache. REQUIRES: c.mu.
func (r *Reader) headLocked(c *columnState) (*dictHeader, error) {
	k := cacheKey{r.number, -c.entry.Dict.Header.off}
	if h, ok := r.cache.get(k).(*dictHeader); ok {
		return h, nil
	}
	h, err := r.dictHeader(c)
	if err == nil {
		r.cache.put(k, h, 4*int64(len(h.off))+16*int64(len(h.blocks)))
	}
	return h, err
}

func (r *Reader) dictHeader(c *columnState) (*dictHeader, error) {
	e := c.entry.Dict
	b, err := readChunk(r.f, r.path, r.size, e.Header)
	if err != nil {
		return nil, err
	}
	in := page.NewInput(b)
	if n := in.U32(); in.Err() == nil && int(n) != e.Entries {
		return nil, corrupt(r.path, "a dictionary of %d entries where the footer says %d", n, e.Entries)
	}
	h := &dictHeader{off: make([]uint32, e.Entries+1)}
	total, width := uint64(0), c.entry.typ.Inner().Width()
	for i, l := range page.SizedInts[uint32](in, e.Entries) {
		total += uint64(l)
		if total > 255*uint64(r.size) || total > 1<<32-1 || width > 0 && int(l) != width {
			return nil, corrupt(r.path, "dictionary entry %d of %d bytes", i, l)
		}
		h.off[i+1] = uint32(total)
	}
	raw, at := in.U64(), int64(in.U64())
	blocks := (int(total) + page.TextBlock - 1) / page.TextBlock
	lens := page.SizedInts[uint32](in, blocks)
	if err := in.Err(); err != nil {
		return nil, err
	}
	if raw != total {
		return nil, corrupt(r.path, "a dictionary of %d bytes where lengths say %d", raw, total)
	}
	for _, l := range lens {
		h.blocks = append(h.blocks, ref{off: at, len: int(l)})
		at += int64(l) + sumSize
	}
	return h, nil
}

// hashesLocked returns the hash of each entry through the cache. REQUIRES: c.mu.
func (r *Reader) hashesLocked(c *columnState) ([]uint64, error) {
	k := cacheKey{r.number, c.entry.Dict.Hashes.off}
	if h, ok := r.cache.get(k).([]uint64); ok {
		return h, nil
	}
	out, err := r.readHashes(c)
	if err == nil {
		r.cache.put(k, out, 8*int64(len(out)))
	}
	return out, err
}

func (r *Reader) readHashes(c *columnState) ([]uint64, error) {
	e := c.entry.Dict
	b, err := readChunk(r.f, r.path, r.size, e.Hashes)
	if err != nil {
		return nil, err
	}
	if len(b) != 8*e.Entries {
		return nil, corrupt(r.path, "%d bytes of hashes for a dictionary of %d", len(b), e.Entries)
	}
	out := make([]uint64, e.Entries)
	for i := range out {
		out[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return out, nil
}

// Find returns the code of a value. It looks at the hash of every entry: who asks often asks FindCode.
func (d *Dictionary) Find(s []byte) (code uint32, ok bool) {
	h := xxh3.Hash(s)
	for i, x := range d.Hashes {
		if x == h && bytes.Equal(d.Values.At(i), s) {
			return uint32(i), true
		}
	}
	return 0, false
}
