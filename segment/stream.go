package segment

import (
	"context"
	"fmt"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/segment/page"
)

// Stream reads the rows of a segment from first to last for a merge. Of each column it holds one page, outside the cache, which a merge would
// only sweep. Columns of dictionaries may be streamed for a Writer with Options.Whole that gets all rows, and in this order: of these dictionaries it
// holds the lengths and the hashes of the entries; their values it reads from the file, a block at a time, when the Writer first meets them. Not safe for
// concurrent use, but the Writer may read the columns of one stream side by side.
type Stream struct {
	r      *Reader           // with the pages of the stream
	values []bool            // by stored column: streamed
	dict   []*streamedValues // by stored column; nil until needed
}

// NewStream returns a stream of all rows; values says by stored column whether a dictionary's values are streamed. The reader must outlive
// what the stream has read.
func (r *Reader) NewStream(values []bool) *Stream {
	own := &Reader{path: r.path, f: r.f, size: r.size, ft: r.ft, meta: r.meta, schema: r.schema, cache: r.cache, number: r.number, cols: r.cols,
		recent: map[*columnState]pageBody{}}
	return &Stream{r: own, values: values, dict: make([]*streamedValues, len(r.schema))}
}

// Bytes is about the most memory that the stream takes beside the vectors read and dictionaries that are not streamed.
func (s *Stream) Bytes() int64 {
	n := s.r.meta.Bytes / int64(max(s.r.Pages(), 1))
	for col, streamed := range s.values {
		if entries := s.r.Entries(col); streamed && entries > 0 {
			n += streamEntryBytes*int64(entries) + 2*page.TextBlock
		}
	}
	return n
}

// streamEntryBytes is what an entry takes: its offset and its hash.
const streamEntryBytes = 4 + 8

// ReadColumn is Reader.ReadColumn, but the values of streamed dictionaries are for the Writer alone: nothing else can look at them.
func (s *Stream) ReadColumn(ctx context.Context, col, from, to int) (column.Vector, error) {
	if !s.values[col] || s.r.Entries(col) == 0 {
		return s.r.ReadColumn(ctx, col, from, to)
	}
	codes, nulls, coded, err := s.r.ReadCodes(ctx, col, from, to)
	if err != nil {
		return nil, err
	}
	if !coded { // a plain page: hardly ever behind one of codes in the same rows
		return s.r.ReadColumn(ctx, col, from, to)
	}
	c := &s.r.cols[col]
	if s.dict[col] == nil {
		if s.dict[col], err = s.r.streamValues(c, col); err != nil {
			return nil, fmt.Errorf("segment: dictionary of column %s of %s: %w", c.entry.Name, s.r.path, err)
		}
	}
	d := s.dict[col]
	return c.orNull(&column.Dict{Codes: codes, Values: d, Unique: true, Hashes: d.hashes}, nulls), nil
}

// streamedValues is the entries of a dictionary in the file. As a vector it has a type and a length, but no data.
type streamedValues struct {
	column.Str
	r      *Reader
	col    int
	hashes []uint64
	blocks []ref
	loaded int    // the block in raw; -1: none
	raw    []byte // one block, decoded
	joined []byte // a value that several blocks hold
}

func (r *Reader) streamValues(c *columnState, col int) (*streamedValues, error) {
	h, err := r.dictHeader(c)
	if err != nil {
		return nil, err
	}
	hashes, err := r.readHashes(c)
	if err != nil {
		return nil, err
	}
	return &streamedValues{Str: column.Str{Typ: c.entry.typ.Inner(), Off: h.off}, r: r, col: col, hashes: hashes, blocks: h.blocks, loaded: -1}, nil
}

// value returns the bytes of an entry, good until the next call.
func (v *streamedValues) value(code int) ([]byte, error) {
	from, to := int(v.Off[code]), int(v.Off[code+1])
	if from == to {
		return nil, nil
	}
	first, last := from/page.TextBlock, (to-1)/page.TextBlock
	if first == last {
		err := v.load(first)
		if err != nil {
			return nil, err
		}
		return v.raw[from-first*page.TextBlock : to-first*page.TextBlock], nil
	}
	v.joined = v.joined[:0]
	for k := first; k <= last; k++ {
		if err := v.load(k); err != nil {
			return nil, err
		}
		at := k * page.TextBlock
		v.joined = append(v.joined, v.raw[max(from-at, 0):min(to-at, len(v.raw))]...)
	}
	return v.joined, nil
}

// load decodes a block into raw.
func (v *streamedValues) load(k int) error {
	if k == v.loaded {
		return nil
	}
	b, err := readChunk(v.r.f, v.r.path, v.r.size, v.blocks[k])
	if err != nil {
		return err
	}
	if v.raw == nil {
		v.raw = make([]byte, page.TextBlock)
	}
	v.loaded = -1
	v.raw = v.raw[:min(page.TextBlock, int(v.Off[len(v.Off)-1])-k*page.TextBlock)]
	if err := page.ReadTextBlock(v.raw, b); err != nil {
		return err
	}
	v.loaded = k
	return nil
}

// streamed returns the codes of a vector over streamed values, and its null flags, if it is one.
func streamed(v column.Vector) (codes []uint32, nulls []uint8, from *streamedValues) {
	if n, ok := v.(*column.Nullable); ok {
		v, nulls = n.Inner, n.Nulls
	}
	if d, ok := v.(*column.Dict); ok {
		if from, ok := d.Values.(*streamedValues); ok {
			return d.Codes, nulls, from
		}
	}
	return nil, nil, nil
}

// withValues returns runs that hold the values themselves where column col of the ones given has streamed ones. The blocks needed are read
// once for all runs from one stream.
func withValues(runs []Run, col int) ([]Run, error) {
	parts := map[*streamedValues]*valuePart{}
	out := make([]Run, len(runs))
	for i := range runs {
		out[i] = runs[i]
		codes, nulls, from := streamed(runs[i].Block.Cols[col])
		if from == nil {
			continue
		}
		p := parts[from]
		if p == nil {
			p = &valuePart{block: &column.Block{Cols: make([]column.Vector, col+1)}}
			parts[from] = p
		}
		start := len(p.codes)
		for k := range runs[i].len() {
			at := runs[i].at(k)
			p.codes = append(p.codes, codes[at])
			if nulls != nil {
				p.nulls = append(p.nulls, nulls[at])
			}
		}
		out[i] = Run{Block: p.block, From: start, To: len(p.codes)}
	}
	for from, p := range parts {
		vals, err := from.r.ReadEntries(context.Background(), from.col, p.codes)
		if err != nil {
			return nil, err
		}
		p.block.N, p.block.Cols[col] = len(p.codes), from.r.cols[from.col].orNull(vals, p.nulls)
	}
	return out, nil
}

// valuePart is the rows of a page that come from one stream.
type valuePart struct {
	codes []uint32
	nulls []uint8
	block *column.Block
}
