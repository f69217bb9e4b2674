package segment

import (
	"fmt"

	"slices"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/segment/page"
)

// Reader is an open segment. It is reference-counted: Open gives the first reference, Retain another,
// and the last Release closes the file. All methods may be called from any goroutine by a holder of a reference.
type Reader struct {
	path   string
	f      vfs.File
	size   int64
	ft     *footer
	meta   Meta
	schema column.Schema
	cache  *Cache
	number uint64 // in the cache
	refs   atomic.Int64
	cols   []columnState // the schema's, then the expressions'
	onFree atomic.Pointer[func()]

	outcomes outcomes
	// recent is of a Stream: by column the page read last, which is not put in the cache.
	recent map[*columnState]pageBody
}

// pageBody is the verified body of a page.
type pageBody struct {
	at    ref
	body  []byte
	paths [][]byte // of a page of objects, once they are read: the bodies of all its paths
}

// columnState is what a reader has loaded of a column.
type columnState struct {
	entry *columnEntry
	// mu is held while reading from the file, so that what many readers wait for is read once.
	mu struct {
		sync.Mutex
		index *columnIndex
		dict  weak.Pointer[Dictionary]
		finds int // of codes by their values
		read  int // page read from the file last, +1; 0: none
		ahead int // pages below are prefetched, of the run of pages being read
		parts int // blocks of the dictionary decoded by ReadPart
		empty int // code+1 of the empty string, -1 if the dictionary lacks it, 0 if that is not known
	}
}

var readerNumbers atomic.Uint64

// Open opens a segment: it reads and checks magic, trailer and footer. The cache may be nil and may be shared.
func Open(fs vfs.FS, path string, cache *Cache) (*Reader, error) {
	f, err := fs.Open(path)
	if err != nil {
		return nil, fmt.Errorf("segment: opening %s: %w", path, err)
	}
	r := &Reader{path: path, f: f, cache: cache, number: readerNumbers.Add(1)}
	if err := r.load(); err != nil {
		f.Close()
		return nil, err
	}
	r.refs.Store(1)
	return r, nil
}

func (r *Reader) load() error {
	size, err := r.f.Size()
	if err != nil {
		return fmt.Errorf("segment: size of %s: %w", r.path, err)
	}
	r.size = size
	if size < int64(headSize)+trailerSize {
		return corrupt(r.path, "it has only %d bytes", size)
	}
	head, tail := make([]byte, headSize), make([]byte, trailerSize)
	for _, part := range []struct {
		b   []byte
		off int64
	}{{head, 0}, {tail, size - trailerSize}} {
		if n, err := r.f.ReadAt(part.b, part.off); n < len(part.b) {
			return fmt.Errorf("segment: reading %s at %d: %w", r.path, part.off, err)
		}
	}
	if string(head[:len(magic)]) != magic {
		return corrupt(r.path, "it begins with %q", head)
	}
	at, hash, err := parseTrailer(tail, r.path, size, head[len(magic)])
	if err != nil {
		return err
	}
	body, err := readChunk(r.f, r.path, size, at)
	if err != nil {
		return err
	}
	if r.ft, err = parseFooter(body, r.path); err != nil {
		return err
	}
	r.meta = r.ft.Meta
	r.meta.Hash, r.meta.Bytes = hashString(hash), size
	r.cols = make([]columnState, len(r.ft.Columns)+len(r.ft.Exprs))
	for i := range r.ft.Columns {
		r.cols[i].entry = &r.ft.Columns[i]
		r.schema = append(r.schema, column.Field{Name: r.ft.Columns[i].Name, Type: r.ft.Columns[i].typ})
	}
	for i := range r.ft.Exprs {
		r.cols[len(r.ft.Columns)+i].entry = &r.ft.Exprs[i]
	}
	return nil
}

// Retain adds a reference and returns r.
func (r *Reader) Retain() *Reader {
	if r.refs.Add(1) <= 1 {
		panic("segment: Retain of a released reader of " + r.path)
	}
	return r
}

// Release gives a reference back. The last one closes the file, drops the cached chunks and calls the OnFree function.
func (r *Reader) Release() error {
	n := r.refs.Add(-1)
	if n > 0 {
		return nil
	}
	if n < 0 {
		panic("segment: Release of a released reader of " + r.path)
	}
	r.cache.drop(r.number)
	err := r.f.Close()
	if f := r.onFree.Load(); f != nil {
		(*f)()
	}
	return err
}

// OnFree sets a function to be called once when the last reference goes: removing the file of a merged segment.
func (r *Reader) OnFree(f func()) { r.onFree.Store(&f) }

// Meta describes the segment; it must not be changed.
func (r *Reader) Meta() *Meta { return &r.meta }

// Path returns the file's path.
func (r *Reader) Path() string { return r.path }

// Schema returns the stored columns; it must not be changed.
func (r *Reader) Schema() column.Schema { return r.schema }

// SortKey returns the names of the sort key's columns and expressions; it must not be changed.
func (r *Reader) SortKey() []string { return r.ft.SortKey }

// Rows returns the number of rows.
func (r *Reader) Rows() int { return int(r.meta.Rows) }

// Pages returns the number of pages of each column.
func (r *Reader) Pages() int { return len(r.ft.PageEnds) }

// PageRows returns the rows [from, to) of a page.
func (r *Reader) PageRows(p int) (from, to int) {
	if p > 0 {
		from = int(r.ft.PageEnds[p-1])
	}
	return from, int(r.ft.PageEnds[p])
}

// pageOf returns the page that holds a row.
func (r *Reader) pageOf(row int) int {
	p, _ := slices.BinarySearch(r.ft.PageEnds, uint32(row)+1)
	return p
}

// Granules returns the number of granules.
func (r *Reader) Granules() int { return r.meta.Granules }

// GranuleRows returns the rows [from, to) of a granule.
func (r *Reader) GranuleRows(g int) (from, to int) {
	n := r.meta.Granularity
	return g * n, min((g+1)*n, r.Rows())
}

// column finds a column or expression by name.
func (r *Reader) column(name string) *columnState {
	for i := range r.cols {
		if r.cols[i].entry.Name == name {
			return &r.cols[i]
		}
	}
	return nil
}

// chunk reads a verified body through the cache.
func (r *Reader) chunk(at ref) ([]byte, error) {
	if b := r.cached(at); b != nil {
		return b, nil
	}
	return r.fetch(at)
}

// cached returns a verified body from the cache; nil if it is not there.
func (r *Reader) cached(at ref) []byte {
	if b, ok := r.cache.get(cacheKey{r.number, at.off}).([]byte); ok && len(b) == at.len {
		return b
	}
	return nil
}

// fetch reads a verified body into the cache.
func (r *Reader) fetch(at ref) ([]byte, error) {
	b, err := readChunk(r.f, r.path, r.size, at)
	if err == nil {
		r.cache.put(cacheKey{r.number, at.off}, b, int64(len(b)))
	}
	return b, err
}

// pageBody reads the body of page p of a column.
func (r *Reader) pageBody(c *columnState, ix *columnIndex, p int) ([]byte, error) {
	at := ix.pages[p]
	if r.recent == nil {
		if b := r.cached(at); b != nil {
			return b, nil
		}
		r.readAhead(c, ix, p)
		return r.fetch(at)
	}
	if p := r.recent[c]; p.body != nil && p.at == at {
		return p.body, nil
	}
	r.readAhead(c, ix, p)
	b, err := readChunk(r.f, r.path, r.size, at)
	if err == nil {
		r.recent[c] = pageBody{at: at, body: b}
	}
	return b, err
}

// columnIndex is a column's index chunk, decoded. Immutable.
type columnIndex struct {
	pages      []ref
	nulls      []uint32 // per granule; nil without bounds
	flags      []uint8
	mins, maxs column.Vector
}

// index returns a column's index, reading it the first time.
func (r *Reader) index(c *columnState) (*columnIndex, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.index != nil {
		return c.mu.index, nil
	}
	b, err := readChunk(r.f, r.path, r.size, c.entry.Index)
	if err != nil {
		return nil, err
	}
	ix, err := r.parseColumnIndex(c, b)
	if err != nil {
		return nil, err
	}
	c.mu.index = ix
	return ix, nil
}

func (r *Reader) parseColumnIndex(c *columnState, b []byte) (*columnIndex, error) {
	pages, granules := r.Pages(), r.Granules()
	if !c.stored(r) {
		pages = 0
	}
	in := page.NewInput(b)
	offs, lens := page.SizedInts[uint64](in, pages), page.SizedInts[uint32](in, pages)
	ix := &columnIndex{pages: make([]ref, pages)}
	if bounded := in.U8(); bounded == 1 {
		ix.nulls, ix.flags = page.SizedInts[uint32](in, granules), page.SizedInts[uint8](in, granules)
		t := c.entry.typ.Inner()
		ix.mins, ix.maxs = in.SizedVector(t, granules), in.SizedVector(t, granules)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("segment: index of column %s of %s: %w", c.entry.Name, r.path, err)
	}
	for p := range offs {
		ix.pages[p] = ref{off: int64(offs[p]), len: int(lens[p])}
	}
	return ix, nil
}

// stored reports whether the column has pages.
func (c *columnState) stored(r *Reader) bool {
	for i := range r.ft.Columns {
		if &r.ft.Columns[i] == c.entry {
			return true
		}
	}
	return false
}
