package segment

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
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

// Dictionary returns the dictionary of a stored column, or nil if it has none.
func (r *Reader) Dictionary(ctx context.Context, col int) (*Dictionary, error) {
	if col < 0 || col >= len(r.schema) || r.cols[col].entry.Dict == nil {
		return nil, nil
	}
	return r.dictionary(ctx, &r.cols[col])
}

// dictValues keeps a Dictionary alive as long as its values are: the vectors hold only those.
type dictValues struct {
	column.Str
	owner *Dictionary
}

func (r *Reader) dictionary(ctx context.Context, c *columnState) (*Dictionary, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry.Dict
	k := cacheKey{r.number, e.Header.off}
	if d, ok := r.cache.get(k).(*Dictionary); ok {
		return d, nil
	}
	if d := c.mu.dict.Value(); d != nil {
		r.cache.put(k, d, d.bytes())
		return d, nil
	}
	d, err := r.loadDictionary(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("segment: dictionary of column %s of %s: %w", c.entry.Name, r.path, err)
	}
	c.mu.dict = weak.Make(d)
	r.cache.put(k, d, d.bytes())
	return d, nil
}

func (d *Dictionary) bytes() int64 { return d.Values.Bytes() + 8*int64(len(d.Hashes)) }

// dictHeader is the header chunk of a dictionary.
type dictHeader struct {
	off    []uint32 // entries+1
	blocks []ref
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

// block decodes block k of a dictionary into its place in data, which starts at block first.
func (r *Reader) dictBlock(h *dictHeader, k, first int, data []byte) error {
	b, err := readChunk(r.f, r.path, r.size, h.blocks[k])
	if err != nil {
		return err
	}
	at := (k - first) * page.TextBlock
	return page.ReadTextBlock(data[at:min(at+page.TextBlock, len(data))], b)
}

func (r *Reader) loadDictionary(ctx context.Context, c *columnState) (*Dictionary, error) {
	h, err := r.dictHeader(c)
	if err != nil {
		return nil, err
	}
	hashes, err := r.dictHashes(c)
	if err != nil {
		return nil, err
	}
	data := make([]byte, h.off[len(h.off)-1])
	for k := range h.blocks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := r.dictBlock(h, k, 0, data); err != nil {
			return nil, err
		}
	}
	d := &Dictionary{Hashes: hashes}
	v := &dictValues{Str: column.Str{Typ: c.entry.typ.Inner(), Off: h.off, Data: data}, owner: d}
	d.Values = &v.Str
	return d, nil
}

func (r *Reader) dictHashes(c *columnState) ([]uint64, error) {
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

// Find returns the code of a value.
func (d *Dictionary) Find(s []byte) (code uint32, ok bool) {
	h := xxh3.Hash(s)
	for i, x := range d.Hashes {
		if x == h && bytes.Equal(d.Values.At(i), s) {
			return uint32(i), true
		}
	}
	return 0, false
}
