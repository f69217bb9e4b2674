package page

import (
	"encoding/binary"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// TextRows decodes the strings at positions sel, ascending, of the n that Vector would decode. Of the text it decodes the blocks that they are in,
// one after the other in the same memory.
func TextRows(t *types.Type, b []byte, n int, sel []uint32) (*column.Str, error) {
	if n > maxElems || len(sel) > 0 && int(sel[len(sel)-1]) >= n {
		return nil, corrupt("values %v of %d", sel, n)
	}
	in := &input{b: b}
	off := offsets(in, n, maxText)
	total := in.u64()
	if in.err != nil {
		return nil, in.err
	}
	defer kernel.Recycle(off)
	if total != uint64(off[n]) {
		return nil, corrupt("%d bytes of text where lengths say %d", total, off[n])
	}
	blocks := &textBlocksReader{table: in.take(4 * textBlocks(int(total))), total: int(total), at: -1}
	if blocks.in = in; in.err != nil {
		return nil, in.err
	}
	defer blocks.close()
	size, w := 0, t.WithoutLowCardinality().Width()
	for _, p := range sel {
		l := int(off[p+1] - off[p])
		if w > 0 && l != w {
			return nil, corrupt("a value of %d bytes in a column of %s", l, t)
		}
		size += l
	}
	if size/255 > len(b) {
		return nil, corrupt("%d bytes of text in %d", size, len(b))
	}
	out := &column.Str{Typ: t.WithoutLowCardinality(), Off: make([]uint32, 1, len(sel)+1), Data: make([]byte, 0, size)}
	for _, p := range sel {
		var err error
		if out.Data, err = blocks.append(out.Data, int(off[p]), int(off[p+1])); err != nil {
			return nil, err
		}
		out.Off = append(out.Off, uint32(len(out.Data)))
	}
	return out, nil
}

// textBlocksReader decodes blocks of a text in ascending order.
type textBlocksReader struct {
	in     *input
	table  []byte // stored lengths of the blocks
	total  int    // bytes of text
	at     int    // of the block in buf; -1: none
	buf    []byte
	behind int // blocks whose bytes have been taken from in
}

func (r *textBlocksReader) close() { kernel.Recycle(r.buf) }

// append appends bytes [from, to) of the text.
func (r *textBlocksReader) append(dst []byte, from, to int) ([]byte, error) {
	for from < to {
		k := from / TextBlock
		if err := r.load(k); err != nil {
			return dst, err
		}
		start := k * TextBlock
		end := min(to, start+len(r.buf))
		dst = append(dst, r.buf[from-start:end-start]...)
		from = end
	}
	return dst, nil
}

// load decodes block k, which is the one at hand or behind it.
func (r *textBlocksReader) load(k int) error {
	if k == r.at {
		return nil
	}
	var stored []byte
	for ; r.behind <= k; r.behind++ {
		stored = r.in.take(int(binary.LittleEndian.Uint32(r.table[4*r.behind:])))
	}
	if r.in.err != nil {
		return r.in.err
	}
	size := min(TextBlock, r.total-k*TextBlock)
	if size/255 > len(stored) {
		return corrupt("%d bytes of text in %d", size, len(stored))
	}
	if r.buf == nil {
		r.buf = kernel.Dirty[byte](TextBlock)
	}
	r.buf, r.at = r.buf[:size], k
	return ReadTextBlock(r.buf, stored)
}
