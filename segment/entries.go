package segment

import (
	"bytes"
	"context"
	"fmt"
	"math/bits"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/segment/page"
	"github.com/zeebo/xxh3"
)

// FindCode returns the code of a value in the dictionary of a stored column, which has one. It loads the hashes, but no value except the
// one that it finds; for the empty string, which is asked for most, only the lengths.
func (r *Reader) FindCode(ctx context.Context, col int, s []byte) (code uint32, ok bool, err error) {
	if r.Entries(col) == 0 {
		return 0, false, sqlerr.New(sqlerr.LogicalError, "Column %d of segment %s has no dictionary", col, r.path)
	}
	c := &r.cols[col]
	if len(s) == 0 {
		return r.findEmpty(c)
	}
	like, err := r.hashed(c, xxh3.Hash(s))
	if err != nil || len(like) == 0 {
		return 0, false, err
	}
	vals, err := r.ReadEntries(ctx, col, like)
	if err != nil {
		return 0, false, err
	}
	for i, code := range like {
		if bytes.Equal(vals.At(i), s) {
			return code, true, nil
		}
	}
	return 0, false, nil
}

// findEmpty is FindCode of the empty string.
func (r *Reader) findEmpty(c *columnState) (code uint32, ok bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.empty == 0 {
		h, err := r.headLocked(c)
		if err != nil {
			return 0, false, fmt.Errorf("segment: dictionary of column %s of %s: %w", c.entry.Name, r.path, err)
		}
		c.mu.empty = -1
		for i, from := range h.off[:len(h.off)-1] {
			if from == h.off[i+1] {
				c.mu.empty = i + 1
				break
			}
		}
	}
	if c.mu.empty < 0 {
		return 0, false, nil
	}
	return uint32(c.mu.empty - 1), true, nil
}

// hashed returns the codes whose values have a hash: hardly ever more than one.
func (r *Reader) hashed(c *columnState, h uint64) (codes []uint32, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := cacheKey{r.number, -c.entry.Dict.Hashes.off}
	ix, ok := r.cache.get(k).(*hashIndex)
	if !ok {
		hashes, err := r.hashesLocked(c)
		if err != nil {
			return nil, fmt.Errorf("segment: hashes of column %s of %s: %w", c.entry.Name, r.path, err)
		}
		if c.mu.finds++; c.mu.finds <= scanFinds {
			for i, x := range hashes {
				if x == h {
					codes = append(codes, uint32(i))
				}
			}
			return codes, nil
		}
		ix = newHashIndex(hashes)
		r.cache.put(k, ix, ix.bytes())
	}
	return ix.find(h), nil
}

// scanFinds is how often all hashes are compared before an index over them is made: a pass takes under 1 ns an entry, the index about ten.
const scanFinds = 8

// hashIndex is the codes of a dictionary in buckets by the high bits of their hashes.
type hashIndex struct {
	hashes []uint64
	shift  int
	start  []uint32 // of each bucket in codes, and the end
	codes  []uint32
}

func newHashIndex(hashes []uint64) *hashIndex {
	buckets := bits.Len(uint(len(hashes)) / 8) // as a power of two: 8 to 16 entries each
	ix := &hashIndex{hashes: hashes, shift: 64 - buckets, start: make([]uint32, 1<<buckets+1), codes: make([]uint32, len(hashes))}
	for _, h := range hashes {
		ix.start[h>>ix.shift+1]++
	}
	for i := 1; i < len(ix.start); i++ {
		ix.start[i] += ix.start[i-1]
	}
	next := slices.Clone(ix.start)
	for c, h := range hashes {
		b := h >> ix.shift
		ix.codes[next[b]] = uint32(c)
		next[b]++
	}
	return ix
}

func (ix *hashIndex) bytes() int64 { return 4 * int64(len(ix.start)+len(ix.codes)) }

func (ix *hashIndex) find(h uint64) (codes []uint32) {
	b := h >> ix.shift
	for _, c := range ix.codes[ix.start[b]:ix.start[b+1]] {
		if ix.hashes[c] == h {
			codes = append(codes, c)
		}
	}
	return codes
}

// ReadEntries returns the values of some codes of a stored column's dictionary, in their order. Unless the dictionary is in memory, it decodes just the
// blocks that hold them.
func (r *Reader) ReadEntries(ctx context.Context, col int, codes []uint32) (*column.Str, error) {
	if len(codes) > 0 && int(slices.Max(codes)) >= r.Entries(col) {
		return nil, sqlerr.New(sqlerr.LogicalError, "Code %d of column %d of segment %s with %d", slices.Max(codes), col, r.path, r.Entries(col))
	}
	c := &r.cols[col]
	out := column.NewStr(c.entry.typ.Inner(), len(codes))
	if len(codes) == 0 {
		return out, nil
	}
	d, h, err := r.dictOrHead(c)
	if err != nil {
		return nil, err
	}
	if d != nil {
		out.AppendSelected(d.Values, codes)
		return out, nil
	}
	blocks := map[int][]byte{}
	for _, code := range codes {
		if err := r.appendEntry(ctx, out, h, blocks, code); err != nil {
			return nil, fmt.Errorf("segment: dictionary of column %s of %s: %w", c.entry.Name, r.path, err)
		}
	}
	return out, nil
}

// dictOrHead returns the dictionary of a column if it is in memory, else its header.
func (r *Reader) dictOrHead(c *columnState) (*Dictionary, *dictHeader, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := r.loadedLocked(c); d != nil {
		return d, nil, nil
	}
	h, err := r.headLocked(c)
	if err != nil {
		err = fmt.Errorf("segment: dictionary of column %s of %s: %w", c.entry.Name, r.path, err)
	}
	return nil, h, err
}

// appendEntry appends a value, decoding the blocks that it lies in unless they are in blocks.
func (r *Reader) appendEntry(ctx context.Context, out *column.Str, h *dictHeader, blocks map[int][]byte, code uint32) error {
	from, to := int(h.off[code]), int(h.off[code+1])
	for from < to {
		k := from / page.TextBlock
		raw := blocks[k]
		if raw == nil {
			if err := ctx.Err(); err != nil {
				return err
			}
			b, err := r.chunk(h.blocks[k])
			if err != nil {
				return err
			}
			total := int(h.off[len(h.off)-1])
			raw = make([]byte, min(page.TextBlock, total-k*page.TextBlock))
			if err := page.ReadTextBlock(raw, b); err != nil {
				return err
			}
			blocks[k] = raw
		}
		n := min(to, (k+1)*page.TextBlock) - from
		at := from - k*page.TextBlock
		out.Data = append(out.Data, raw[at:at+n]...)
		from += n
	}
	out.EndValue()
	return nil
}
