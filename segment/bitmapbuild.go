package segment

import (
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/olapd/olapd/segment/page"
)

// bitmapBuilder gathers the rows of each dictionary code, and of NULL.
type bitmapBuilder struct {
	rows  []*roaring.Bitmap
	nulls *roaring.Bitmap
	sel   []uint32
	start []uint32
}

func newBitmapBuilder() *bitmapBuilder { return &bitmapBuilder{nulls: roaring.New()} }

// add takes the codes of the rows from base on; entries is the dictionary's size, at most maxBitmapValues.
func (b *bitmapBuilder) add(codes []uint32, nulls []uint8, entries int, base uint32) {
	for len(b.rows) < entries {
		b.rows = append(b.rows, roaring.New())
	}
	// A counting sort by code, NULL last, gives each row set its rows in order.
	b.start = append(b.start[:0], make([]uint32, entries+2)...)
	slot := func(i int) uint32 {
		if nulls != nil && nulls[i] != 0 {
			return uint32(entries)
		}
		return codes[i]
	}
	for i := range codes {
		b.start[slot(i)+1]++
	}
	for i := 1; i < len(b.start); i++ {
		b.start[i] += b.start[i-1]
	}
	b.sel = append(b.sel[:0], make([]uint32, len(codes))...)
	for i := range codes {
		s := slot(i)
		b.sel[b.start[s]] = base + uint32(i)
		b.start[s]++
	}
	from := uint32(0)
	for s, to := range b.start[:entries+1] {
		switch {
		case to == from:
		case s == entries:
			b.nulls.AddMany(b.sel[from:to])
		default:
			b.rows[s].AddMany(b.sel[from:to])
		}
		from = to
	}
}

// body returns the chunk.
func (b *bitmapBuilder) body(entries int) ([]byte, error) {
	for len(b.rows) < entries {
		b.rows = append(b.rows, roaring.New())
	}
	lengths := make([]uint32, 0, entries+1)
	var sets []byte
	for _, r := range append(b.rows[:entries:entries], b.nulls) {
		r.RunOptimize()
		s, err := r.ToBytes()
		if err != nil {
			return nil, fmt.Errorf("segment: serialising a row set: %w", err)
		}
		lengths = append(lengths, uint32(len(s)))
		sets = append(sets, s...)
	}
	dst := page.AppendSizedInts(page.AppendU32(nil, uint32(entries)), lengths)
	return append(dst, sets...), nil
}
