package page

import (
	"encoding/binary"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// appendText appends the values of v.
func appendText(dst []byte, v *column.Str) ([]byte, error) {
	n := v.Len()
	dst = appendLengths(dst, v.Off)
	raw := v.Data[v.Off[0]:v.Off[n]]
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(raw)))
	table := len(dst)
	dst = append(dst, make([]byte, 4*textBlocks(len(raw)))...)
	for at := 0; at < len(raw); at += TextBlock {
		start := len(dst)
		var err error
		if dst, err = AppendTextBlock(dst, raw[at:min(at+TextBlock, len(raw))]); err != nil {
			return dst, err
		}
		binary.LittleEndian.PutUint32(dst[table:], uint32(len(dst)-start))
		table += 4
	}
	return dst, nil
}

// appendLengths appends a stream[n] of the differences of n+1 offsets.
func appendLengths(dst []byte, off []uint32) []byte {
	lengths := make([]uint32, len(off)-1)
	kernel.Deltas(lengths, off)
	return appendSized(dst, func(b []byte) []byte { return AppendInts(b, lengths) })
}

func textBlocks(n int) int { return (n + TextBlock - 1) / TextBlock }

// AppendTextBlock appends raw as an LZ4 block, or as it is where that saves less than an eighth.
func AppendTextBlock(dst, raw []byte) ([]byte, error) {
	start := len(dst)
	out, err := compress.AppendCompress(dst, compress.LZ4, raw)
	if err != nil {
		return dst, err
	}
	if len(out)-start > len(raw)*7/8 {
		return append(out[:start], raw...), nil
	}
	return out, nil
}

// ReadTextBlock fills dst with the raw bytes of a block.
func ReadTextBlock(dst, stored []byte) error {
	if len(stored) == len(dst) {
		copy(dst, stored)
		return nil
	}
	return compress.Decompress(dst, compress.LZ4, stored)
}

// offsets decodes a stream[n] of lengths into n+1 offsets from 0 on. Their total must be at most limit.
func offsets(in *input, n int, limit uint64) []uint32 {
	b := in.sized()
	if in.err != nil {
		return nil
	}
	off := kernel.Dirty[uint32](n + 1)
	off[0] = 0
	if in.err = Ints(off[1:], b, n, 0); in.err != nil {
		return nil
	}
	if kernel.SumUint(off[1:]) > limit { // 2^32 lengths would be needed for the sum to wrap
		in.err = corrupt("lengths exceed %d", limit)
		return nil
	}
	kernel.PrefixSum(off[1:], 0)
	return off
}

// decodeText decodes values [from, to) of n.
func decodeText(t *types.Type, in *input, n, from, to int) (*column.Str, error) {
	off := offsets(in, n, maxText)
	total := in.u64()
	if in.err != nil {
		return nil, in.err
	}
	if total != uint64(off[n]) {
		return nil, corrupt("%d bytes of text where lengths say %d", total, off[n])
	}
	if w := t.Width(); w > 0 {
		for i := from; i < to; i++ {
			if off[i+1]-off[i] != uint32(w) {
				return nil, corrupt("a value of %d bytes in a column of %s", off[i+1]-off[i], t)
			}
		}
	}
	table := in.take(4 * textBlocks(int(total)))
	if in.err != nil {
		return nil, in.err
	}
	data, base, err := textRange(in, table, int(total), int(off[from]), int(off[to]))
	if err != nil {
		return nil, err
	}
	out := off[from : to+1]
	for i := range out {
		out[i] -= uint32(base)
	}
	return &column.Str{Typ: t, Off: out, Data: data}, nil
}

// textRange decodes the blocks that hold bytes [from, to) of the text; data[0] is byte base of it.
func textRange(in *input, table []byte, total, from, to int) (data []byte, base int, err error) {
	if from == to {
		return nil, from, nil
	}
	first, last := from/TextBlock, (to-1)/TextBlock
	base = first * TextBlock
	size := min((last+1)*TextBlock, total) - base
	if size/255 > len(in.b) {
		return nil, 0, corrupt("%d bytes of text in %d", size, len(in.b))
	}
	data = kernel.Dirty[byte](size)
	for k := range last + 1 {
		stored := in.take(int(binary.LittleEndian.Uint32(table[4*k:])))
		if in.err != nil {
			return nil, 0, in.err
		}
		if k < first {
			continue
		}
		at := k*TextBlock - base
		if err := ReadTextBlock(data[at:min(at+TextBlock, size)], stored); err != nil {
			return nil, 0, err
		}
	}
	return data, base, nil
}
