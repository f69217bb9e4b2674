package segment

import (
	"context"
	"fmt"
	"math/bits"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/segment/page"
)

// ReadPart is ReadColumn of rows [from, to) or, with sel, ReadRows of the rows at from plus its ascending positions, for a scan of a small
// part of the segment: while a large dictionary is not in memory, only the blocks are read that hold the values of the rows, which come coded over just
// those values, another dictionary at each call.
func (r *Reader) ReadPart(ctx context.Context, col, from, to int, sel []uint32) (column.Vector, error) {
	if sel == nil {
		return r.readColumn(ctx, col, from, to, true)
	}
	return r.readRows(ctx, col, positions(from, sel), true)
}

// positions are from plus each of sel.
func positions(from int, sel []uint32) []uint32 {
	rows := make([]uint32, len(sel))
	for i, p := range sel {
		rows[i] = uint32(from) + p
	}
	return rows
}

// partShare is the part of a dictionary's blocks, as one over it, that is decoded piecemeal, the same ones again and again included, before it is
// loaded whole: who asks for more would have done better to load it at once, and has lost at most so much.
const partShare = 2

// coded is codes of a column as a vector; part is ReadPart's.
func (r *Reader) coded(ctx context.Context, c *columnState, codes []uint32, part bool) (*column.Dict, error) {
	if part && c.entry.Dict.Entries >= minLazyEntries {
		if d, err := r.partOf(ctx, c, codes); d != nil || err != nil {
			return d, err
		}
	}
	d, err := r.dictionary(ctx, c)
	if err != nil {
		return nil, err
	}
	return &column.Dict{Codes: codes, Values: d.Values, Unique: true, Hashes: d.Hashes, Lasting: true}, nil
}

// partOf makes codes, which it takes over, those of a dictionary of just their values; nil where the whole one is in memory, or better be.
func (r *Reader) partOf(ctx context.Context, c *columnState, codes []uint32) (*column.Dict, error) {
	d, h, err := r.dictOrHead(c)
	if d != nil || err != nil {
		return nil, err
	}
	used := newCodeSet(codes)
	blocks := used.blocks(h)
	if !c.takePart(len(blocks), len(h.blocks)) {
		return nil, nil
	}
	values, err := r.someValues(ctx, c, h, used, blocks)
	if err != nil {
		return nil, fmt.Errorf("segment: dictionary of column %s of %s: %w", c.entry.Name, r.path, err)
	}
	for i, code := range codes {
		codes[i] = used.rank(code)
	}
	return &column.Dict{Codes: codes, Values: values, Unique: true}, nil
}

// takePart reports whether n blocks more, of so many, may be decoded without loading the dictionary.
func (c *columnState) takePart(n, of int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.parts += n
	return c.mu.parts*partShare <= of
}

// someValues decodes the blocks, which hold all values of used, and returns these in the order of their codes.
func (r *Reader) someValues(ctx context.Context, c *columnState, h *dictHeader, used *codeSet, blocks []int) (*column.Str, error) {
	raw := kernel.Dirty[byte](len(blocks) * page.TextBlock)
	total := int(h.off[len(h.off)-1])
	for from := 0; from < len(blocks); {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		to := from + 1
		for to < len(blocks) && to-from < readGroup && blocks[to] == blocks[to-1]+1 {
			to++
		}
		bodies, err := readChunks(r.f, r.path, r.size, h.blocks[blocks[from]:blocks[to-1]+1])
		if err != nil {
			return nil, err
		}
		for i, b := range bodies {
			size := min(page.TextBlock, total-blocks[from+i]*page.TextBlock)
			if err := page.ReadTextBlock(raw[(from+i)*page.TextBlock:][:size], b); err != nil {
				return nil, err
			}
		}
		from = to
	}
	size := 0
	used.each(func(code uint32) { size += int(h.off[code+1] - h.off[code]) })
	out := column.NewStr(c.entry.typ.Inner(), used.count)
	out.Data = make([]byte, 0, size)
	k := 0 // of blocks: where the value begins
	used.each(func(code uint32) {
		at, end := int(h.off[code]), int(h.off[code+1])
		for at < end {
			for blocks[k] < at/page.TextBlock {
				k++
			}
			n := min(end, (blocks[k]+1)*page.TextBlock) - at
			out.Data = append(out.Data, raw[k*page.TextBlock+at%page.TextBlock:][:n]...)
			at += n
		}
		out.EndValue()
	})
	kernel.Recycle(raw)
	return out, nil
}

// codeSet is a set of codes that knows the place of each.
type codeSet struct {
	low    uint32 // a multiple of 64: the code of bit 0
	words  []uint64
	before []uint32 // codes in the words before
	count  int
}

func newCodeSet(codes []uint32) *codeSet {
	if len(codes) == 0 {
		return &codeSet{}
	}
	low, high := kernel.MinMaxInt(codes)
	s := &codeSet{low: low &^ 63}
	s.words = make([]uint64, (high-s.low)/64+1)
	for _, c := range codes {
		c -= s.low
		s.words[c/64] |= 1 << (c % 64)
	}
	s.before = make([]uint32, len(s.words))
	for i, w := range s.words {
		s.before[i] = uint32(s.count)
		s.count += bits.OnesCount64(w)
	}
	return s
}

// rank is how many codes of the set are below c, one of them.
func (s *codeSet) rank(c uint32) uint32 {
	c -= s.low
	return s.before[c/64] + uint32(bits.OnesCount64(s.words[c/64]&(1<<(c%64)-1)))
}

// each calls f for the codes, ascending.
func (s *codeSet) each(f func(code uint32)) {
	for i, w := range s.words {
		for ; w != 0; w &= w - 1 {
			f(s.low + uint32(64*i+bits.TrailingZeros64(w)))
		}
	}
}

// blocks are those of a dictionary's text that the values of the codes lie in, ascending.
func (s *codeSet) blocks(h *dictHeader) (blocks []int) {
	next := 0 // the first block not looked at
	s.each(func(code uint32) {
		at, end := int(h.off[code]), int(h.off[code+1])
		if at == end {
			return
		}
		last := (end - 1) / page.TextBlock
		for next = max(next, at/page.TextBlock); next <= last; next++ {
			blocks = append(blocks, next)
		}
	})
	return blocks
}
