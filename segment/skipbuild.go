package segment

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/segment/page"
)

// skipBuilder builds the chunk of one skip index: rows are added, blocks ended.
type skipBuilder interface {
	// add takes a run of rows of the column into the current block.
	add(v column.Vector)
	// end closes the current block.
	end()
	body() ([]byte, error)
}

// newSkipBuilder returns a builder for a checked index over a column of type t; nil where none is needed.
func newSkipBuilder(ix Index, t *types.Type) skipBuilder {
	switch ix.Type {
	case IndexSet:
		return &setBuilder{limit: int(ix.Params[0]), vals: column.New(t.Inner(), 0)}
	case IndexBloom:
		return &filterBuilder{
			hashes: func(dst []uint64, v column.Vector) []uint64 { return append(dst, hashScalars(v)...) },
			size:   func(n int) int { return filterSize(n, ix.rate()) },
		}
	case IndexTokens:
		return &filterBuilder{
			hashes: eachString(func(dst []uint64, s []byte) []uint64 { return appendTokens(dst, s, true, true) }),
			size:   func(int) int { return ix.filterBytes() },
		}
	case IndexNgrams:
		n := int(ix.Params[0])
		return &filterBuilder{
			hashes: eachString(func(dst []uint64, s []byte) []uint64 { return appendNgrams(dst, s, n) }),
			size:   func(int) int { return ix.filterBytes() },
		}
	}
	return nil
}

// eachString applies f to each string; to each entry in use once, if v is dictionary-coded.
func eachString(f func([]uint64, []byte) []uint64) func([]uint64, column.Vector) []uint64 {
	return func(dst []uint64, v column.Vector) []uint64 {
		if d, ok := v.(*column.Dict); ok {
			used := slices.Clone(d.Codes)
			slices.Sort(used)
			v = column.Flatten(&column.Dict{Codes: slices.Compact(used), Values: d.Values})
		}
		s := column.Flatten(v).(*column.Str)
		for i := range s.Len() {
			dst = f(dst, s.At(i))
		}
		return dst
	}
}

// filterBuilder makes a Bloom filter a block.
type filterBuilder struct {
	hashes func(dst []uint64, v column.Vector) []uint64
	size   func(distinct int) int
	cur    []uint64
	lens   []uint32
	bytes  []byte
}

// compactAt is where the hashes of a block are made distinct, so that long blocks of n-grams stay small.
const compactAt = 1 << 20

func (b *filterBuilder) add(v column.Vector) {
	b.cur = b.hashes(b.cur, scalars(v))
	if len(b.cur) > compactAt {
		b.compact()
	}
}

func (b *filterBuilder) compact() {
	slices.Sort(b.cur)
	b.cur = slices.Compact(b.cur)
}

func (b *filterBuilder) end() {
	b.compact()
	var f filter
	if len(b.cur) > 0 {
		f = newFilter(b.size(len(b.cur)))
		for _, h := range b.cur {
			f.add(h)
		}
	}
	b.lens = append(b.lens, uint32(len(f)))
	b.bytes = append(b.bytes, f...)
	b.cur = b.cur[:0]
}

func (b *filterBuilder) body() ([]byte, error) {
	dst := page.AppendSizedInts(page.AppendU32(nil, uint32(len(b.lens))), b.lens)
	return append(dst, b.bytes...), nil
}

// The flags of a block of a set index.
const (
	setTooMany = 1
	setNull    = 2
)

// setBuilder keeps the distinct values of a block, up to a limit; 0 is no limit but a block's own rows.
type setBuilder struct {
	limit  int
	cur    column.Builder
	seen   map[any]struct{}
	flag   uint8
	flags  []uint8
	counts []uint32
	vals   column.Builder
}

func (b *setBuilder) add(v column.Vector) {
	nulls, _ := splitNulls(v)
	if nulls != nil {
		b.flag |= setNull
	}
	if b.flag&setTooMany != 0 {
		return
	}
	if b.cur == nil {
		b.cur, b.seen = column.New(b.vals.Type(), 0), map[any]struct{}{}
	}
	s := scalars(v)
	if d, ok := s.(*column.Dict); ok {
		used := slices.Clone(d.Codes)
		slices.Sort(used)
		s = &column.Dict{Codes: slices.Compact(used), Values: d.Values}
	}
	for i := range s.Len() {
		x := column.Value(s, i)
		if _, ok := b.seen[x]; ok {
			continue
		}
		b.seen[x] = struct{}{}
		b.cur.AppendFrom(s, i)
		if b.limit > 0 && b.cur.Len() > b.limit || b.cur.Len() > PageRows {
			b.flag |= setTooMany
			b.cur = nil
			return
		}
	}
}

func (b *setBuilder) end() {
	n := 0
	if b.cur != nil && b.flag&setTooMany == 0 {
		n = b.cur.Len()
		b.vals.AppendRange(b.cur, 0, n)
	}
	b.flags, b.counts = append(b.flags, b.flag), append(b.counts, uint32(n))
	b.cur, b.seen, b.flag = nil, nil, 0
}

func (b *setBuilder) body() ([]byte, error) {
	dst := page.AppendU32(nil, uint32(len(b.flags)))
	dst = page.AppendSizedInts(page.AppendSizedInts(dst, b.flags), b.counts)
	dst = page.AppendU32(dst, uint32(b.vals.Len()))
	return page.AppendSizedVector(dst, b.vals)
}
