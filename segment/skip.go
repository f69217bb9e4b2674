package segment

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/segment/page"
)

// skipIndex answers, for a block of granules, whether a term can hold there.
type skipIndex interface {
	// answers reports whether the index can say anything about the term.
	answers(t *boundTerm) bool
	may(t *boundTerm, block int) bool
}

// pruneSkip keeps the granules that one skip index allows.
func (r *Reader) pruneSkip(p *plan, e *indexEntry, set *Granules) (dropped int, used bool, err error) {
	probe := emptySkip(e)
	relevant := func(t *boundTerm) bool { return t.Column == e.Column && probe.answers(t) }
	p.each(func(t *boundTerm) { used = used || relevant(t) })
	if !used {
		return 0, false, nil
	}
	ix, err := r.loadSkip(e)
	if err != nil {
		return 0, false, err
	}
	memo, memoBlock := true, -1
	return set.keep(func(g int) bool {
		if block := g / e.Granularity; block != memoBlock {
			memoBlock = block
			memo = p.may(func(t *boundTerm) bool { return !relevant(t) || ix.may(t, block) })
		}
		return memo
	}), true, nil
}

func emptySkip(e *indexEntry) skipIndex {
	if e.Type == IndexSet {
		return &setIndex{}
	}
	return &filterIndex{def: e.Index}
}

func (r *Reader) loadSkip(e *indexEntry) (skipIndex, error) {
	k := cacheKey{r.number, -e.Data.off}
	if ix, ok := r.cache.get(k).(skipIndex); ok {
		return ix, nil
	}
	b, err := readChunk(r.f, r.path, r.size, e.Data)
	if err != nil {
		return nil, err
	}
	per := e.Granularity
	blocks := (r.Granules() + per - 1) / per
	in := page.NewInput(b)
	if got := in.U32(); in.Err() == nil && int(got) != blocks {
		return nil, corrupt(r.path, "skip index %s of %d blocks, expected %d", e.Name, got, blocks)
	}
	var ix skipIndex
	if e.Type == IndexSet {
		ix, err = r.loadSet(e, in, blocks)
	} else {
		ix, err = r.loadFilters(e, in, blocks)
	}
	if err != nil {
		return nil, err
	}
	r.cache.put(k, ix, 2*int64(len(b)))
	return ix, nil
}

// setIndex is the distinct values of each block.
type setIndex struct {
	flags []uint8
	off   []uint32
	vals  column.Vector
}

func (r *Reader) loadSet(e *indexEntry, in *page.Input, blocks int) (skipIndex, error) {
	s := &setIndex{flags: page.SizedInts[uint8](in, blocks), off: make([]uint32, blocks+1)}
	total := uint64(0)
	for i, n := range page.SizedInts[uint32](in, blocks) {
		total += uint64(n)
		s.off[i+1] = uint32(total)
	}
	n := in.U32()
	if in.Err() == nil && (uint64(n) != total || total > uint64(r.Rows())) {
		return nil, corrupt(r.path, "set index %s of %d values", e.Name, n)
	}
	s.vals = in.SizedVector(r.ft.entry(e.Column).typ.Inner(), int(n))
	return s, in.Err()
}

func (s *setIndex) answers(t *boundTerm) bool {
	switch t.Kind {
	case Compare, In, NotIn, IsNull, IsNotNull, Prefix, Contains:
		return true
	}
	return false
}

func (s *setIndex) may(t *boundTerm, block int) bool {
	flags := s.flags[block]
	if t.Kind == IsNull {
		return flags&(setNull|setTooMany) != 0
	}
	if flags&setTooMany != 0 {
		return true
	}
	for i := s.off[block]; i < s.off[block+1]; i++ {
		if t.matches(s.vals, int(i)) {
			return true
		}
	}
	return false
}

// filterIndex is a Bloom filter a block, of values, tokens or n-grams.
type filterIndex struct {
	def     Index
	filters []filter
}

func (r *Reader) loadFilters(e *indexEntry, in *page.Input, blocks int) (skipIndex, error) {
	f := &filterIndex{def: e.Index, filters: make([]filter, blocks)}
	for i, n := range page.SizedInts[uint32](in, blocks) {
		if n%filterBlock != 0 {
			return nil, corrupt(r.path, "a filter of %d bytes in skip index %s", n, e.Name)
		}
		f.filters[i] = in.Take(int(n))
	}
	return f, in.Err()
}

func (f *filterIndex) answers(t *boundTerm) bool {
	switch f.def.Type {
	case IndexBloom:
		return t.Kind == Compare && t.Op == kernel.Eq || t.Kind == In || t.Kind == HasElem
	}
	switch t.Kind {
	case Compare:
		return t.Op == kernel.Eq
	case In, Prefix, Contains, HasToken, HasElem:
		return true
	}
	return false
}

func (f *filterIndex) may(t *boundTerm, block int) bool {
	b := f.filters[block]
	if f.def.Type == IndexBloom {
		if t.hashes == nil {
			t.hashes = hashScalars(t.vals)
		}
		for _, h := range t.hashes {
			if b.has(h) {
				return true
			}
		}
		return false
	}
	for i := range t.vals.Len() {
		if hasAll(b, f.parts(t.Kind, bytesAt(t.vals, i))) {
			return true
		}
	}
	return false
}

// parts returns the hashes that a string must have put into the filter if it satisfies a term with the constant s.
func (f *filterIndex) parts(kind TermKind, s []byte) []uint64 {
	if f.def.Type == IndexNgrams {
		return appendNgrams(nil, s, int(f.def.Params[0]))
	}
	// The constant's tokens at its edges may be parts of longer ones, unless the string begins or ends there too.
	return appendTokens(nil, s, kind != Contains, kind != Contains && kind != Prefix)
}

func hasAll(f filter, hashes []uint64) bool {
	for _, h := range hashes {
		if !f.has(h) {
			return false
		}
	}
	return true
}
