package segment

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/invariants"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/segment/page"
)

// Writer writes one segment from sorted rows: NewWriter, Append any number of times, then Finish or
// Abort. After an error only Abort may follow. Not safe for concurrent use.
type Writer struct {
	fs      vfs.FS
	path    string
	f       vfs.File
	w       *chunkWriter
	opts    Options
	cols    []*columnWriter // the schema's, then the expressions'
	skips   []skipState
	keys    []int            // columns of the sort key
	primary []column.Builder // of the first PrimaryLen keys
	first   []Value          // keys of the first and last row so far
	last    []Value
	pend    []Run // rows of the page being gathered
	pendN   int
	pendB   int64
	sizes   map[*column.Block]int64 // bytes a row of the blocks checked since the last page
	order   []int                   // of cols: in which they are encoded
	held    int64                   // of the budget, for dictionaries
	rows    int64                   // in pages already
	ends    []uint32
}

// skipState is a skip index being built.
type skipState struct {
	def   Index
	col   int
	build skipBuilder // nil for minmax
	open  bool        // rows since the last end
}

// NewWriter creates the file, which must not matter to anybody yet: until Finish returns it may be missing or partial after a crash.
func NewWriter(fs vfs.FS, path string, o Options) (*Writer, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	f, err := fs.Create(path)
	if err != nil {
		return nil, fmt.Errorf("segment: creating %s: %w", path, err)
	}
	w := &Writer{fs: fs, path: path, f: f, w: newChunkWriter(f, o.version()), opts: o, sizes: map[*column.Block]int64{}}
	names := column.Schema{}
	for i, list := range []column.Schema{o.Schema, o.Exprs} {
		for _, field := range list {
			names = append(names, field)
			w.order = append(w.order, len(w.cols))
			w.cols = append(w.cols, newColumnWriter(field, i == 0, !o.NoBitmaps, o.Whole, o.Paths))
		}
	}
	for i, k := range o.SortKey {
		w.keys = append(w.keys, names.Index(k))
		if i < o.PrimaryLen {
			w.primary = append(w.primary, column.New(o.typeOf(k), 0))
		}
	}
	for _, ix := range o.Indexes {
		w.skips = append(w.skips, skipState{def: ix, col: names.Index(ix.Column), build: newSkipBuilder(ix, o.typeOf(ix.Column))})
	}
	return w, nil
}

// Rows returns the number of rows appended.
func (w *Writer) Rows() int64 { return w.rows + int64(w.pendN) }

// Append adds rows: one vector per column of the schema, then one per expression. The vectors
// are kept until written and must not change.
func (w *Writer) Append(b *column.Block) error { return w.AppendRun(Run{Block: b, To: b.N}) }

// AppendRun is Append of some rows of a block: what a merge or a sort picks, without a copy of the block made for it.
func (w *Writer) AppendRun(r Run) error {
	if w.Rows()+int64(r.len()) > maxRows {
		return sqlerr.New(sqlerr.TooManyRows, "A segment holds at most %d rows", int64(maxRows))
	}
	for r.len() > 0 {
		perRow, err := w.sizeOf(r.Block)
		if err != nil {
			return err
		}
		part := r
		fits := max((w.opts.pageBytes-w.pendB)/max(perRow, 1), 1)
		part.To = r.From + int(min(int64(r.len()), int64(w.opts.pageRows()-w.pendN), fits))
		r.From = part.To
		w.pend, w.pendN, w.pendB = append(w.pend, part), w.pendN+part.len(), w.pendB+int64(part.len())*perRow
		if w.pendN == w.opts.pageRows() || w.pendB >= w.opts.pageBytes {
			if err := w.flushPage(); err != nil {
				return err
			}
		}
	}
	return nil
}

// sizeOf checks a block the first time that it comes, and returns the bytes of a row.
func (w *Writer) sizeOf(b *column.Block) (int64, error) {
	if n, ok := w.sizes[b]; ok {
		return n, nil
	}
	if len(b.Cols) != len(w.cols) {
		return 0, sqlerr.New(sqlerr.LogicalError, "A block of %d columns for a segment of %d", len(b.Cols), len(w.cols))
	}
	for i, v := range b.Cols {
		if t := w.cols[i].field.Type; v.Type().Phys() != t.WithoutLowCardinality().Phys() || v.Len() != b.N {
			return 0, sqlerr.New(sqlerr.LogicalError, "%d values of %s for column %s of %s in a block of %d rows", v.Len(), v.Type(), w.cols[i].field.Name, t, b.N)
		}
	}
	n := rowBytes(b)
	w.sizes[b] = n
	return n, nil
}

// flushPage writes the gathered rows as one page of every column.
func (w *Writer) flushPage() error {
	n := w.pendN
	if n == 0 {
		return nil
	}
	vecs, err := w.encode(n)
	if err != nil {
		return err
	}
	w.account()
	for _, c := range w.cols {
		if err := c.put(w.w); err != nil {
			return err
		}
	}
	if err := w.addKeys(vecs, n); err != nil {
		return err
	}
	err = inParallel(w.opts.Workers, len(w.skips), func(i int) error {
		w.addSkip(&w.skips[i], vecs[w.skips[i].col], n)
		return nil
	})
	w.rows += int64(n)
	w.ends = append(w.ends, uint32(w.rows))
	clear(w.pend)
	clear(w.sizes)
	w.pend, w.pendN, w.pendB = w.pend[:0], 0, 0
	return err
}

// account counts what the dictionaries have grown by in the budget. Where that is full, large ones end here.
func (w *Writer) account() {
	total := int64(0)
	for _, c := range w.cols {
		total += c.dict.bytes()
	}
	if total <= w.held {
		return
	}
	if w.fits(total) && w.opts.Budget.Reserve(total-w.held) == nil {
		w.held = total
		return
	}
	for _, c := range w.cols {
		if c.dictOpen && c.dict.bytes() > heapDictBytes {
			c.closeDict(c.dict.len())
		}
	}
}

// fits reports whether dictionaries of so many bytes leave enough of the budget to others.
func (w *Writer) fits(total int64) bool {
	if w.opts.Budget == nil {
		return true
	}
	limit := w.opts.Budget.Limit()
	return limit <= 0 || total <= limit/dictBudgetShare
}

// encode encodes the gathered rows of every column, those that were largest so far first: the last ones to be waited for are short.
func (w *Writer) encode(n int) ([]column.Vector, error) {
	slices.SortStableFunc(w.order, func(a, b int) int { return cmp.Compare(w.cols[b].rawBytes, w.cols[a].rawBytes) })
	vecs := make([]column.Vector, len(w.cols))
	return vecs, inParallel(w.opts.Workers, len(w.cols), func(i int) (err error) {
		col := w.order[i]
		c := w.cols[col]
		if vecs[col], err = c.page(w.pend, col, n, w.rows); err == nil {
			c.addBounds(vecs[col], n, w.rows, w.opts.Granularity)
		}
		return err
	})
}

// eachRun calls f for the parts of rows [base, base+n) between multiples of step, with whether a part ends at one.
func eachRun(base int64, n, step int, f func(from, to int, ends bool)) {
	for from := 0; from < n; {
		left := step - int((base+int64(from))%int64(step))
		to := min(from+left, n)
		f(from, to, to-from == left)
		from = to
	}
}

func (c *columnWriter) addBounds(v column.Vector, n int, base int64, granularity int) {
	if c.bounds == nil {
		return
	}
	nulls, inner := splitNulls(v)
	eachRun(base, n, granularity, func(from, to int, ends bool) {
		c.bounds.add(nulls, inner, from, to)
		if ends {
			c.bounds.end()
		}
	})
}

func (w *Writer) addSkip(s *skipState, v column.Vector, n int) {
	if s.build == nil {
		return
	}
	eachRun(w.rows, n, w.opts.Granularity*s.def.Granularity, func(from, to int, ends bool) {
		s.build.add(v.Slice(from, to))
		if s.open = !ends; ends {
			s.build.end()
		}
	})
}

// addKeys notes the key at the start of each granule and the last one, and that rows are in order.
func (w *Writer) addKeys(vecs []column.Vector, n int) error {
	if len(w.keys) == 0 {
		return nil
	}
	prev := w.last
	key := func(i int) []Value {
		k := make([]Value, len(w.keys))
		for j, c := range w.keys {
			k[j] = Value{one(vecs[c], i)}
		}
		return k
	}
	check := func(k []Value) error {
		if prev != nil && compareKeys(prev, k) > 0 {
			return sqlerr.New(sqlerr.LogicalError, "Rows of segment %s are not sorted: %s before %s", w.opts.ID, keyString(prev), keyString(k))
		}
		prev = k
		return nil
	}
	step := w.opts.Granularity
	if invariants.Enabled {
		step = 1
	}
	for i := 0; i < n; i++ {
		row := w.rows + int64(i)
		if row%int64(step) != 0 && i != n-1 {
			continue
		}
		k := key(i)
		if err := check(k); err != nil {
			return err
		}
		if row == 0 {
			w.first = k
		}
		if row%int64(w.opts.Granularity) == 0 {
			for j, b := range w.primary {
				b.AppendFrom(k[j].vec, 0)
			}
		}
	}
	w.last = prev
	return nil
}

// compareKeys compares two keys column by column.
func compareKeys(a, b []Value) int {
	for i := range a {
		if c := column.Compare(a[i].vec, 0, b[i].vec, 0); c != 0 {
			return c
		}
	}
	return 0
}

// Finish writes the rest, makes file and name durable, and returns the segment's description.
func (w *Writer) Finish(ctx context.Context) (*Meta, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := w.flushPage(); err != nil {
		return nil, err
	}
	m, err := w.finishFile()
	w.free()
	if err != nil {
		return nil, err
	}
	if err := w.f.Sync(); err != nil {
		return nil, fmt.Errorf("segment: syncing %s: %w", w.path, err)
	}
	f := w.f
	w.f = nil
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("segment: closing %s: %w", w.path, err)
	}
	if err := w.fs.SyncDir(path.Dir(w.path)); err != nil {
		return nil, fmt.Errorf("segment: syncing the directory of %s: %w", w.path, err)
	}
	return m, nil
}

func (w *Writer) finishFile() (*Meta, error) {
	ft := &footer{PageEnds: w.ends, SortKey: w.opts.SortKey, Meta: w.meta()}
	err := inParallel(w.opts.Workers, len(w.order), func(i int) error {
		c := w.cols[w.order[i]]
		if c.bounds != nil && w.rows%int64(w.opts.Granularity) != 0 {
			c.bounds.end()
		}
		return c.prepare()
	})
	if err != nil {
		return nil, err
	}
	for _, c := range w.cols {
		e, m, err := c.finish(w.w)
		if err != nil {
			return nil, err
		}
		if !c.stored {
			ft.Exprs = append(ft.Exprs, e)
			continue
		}
		ft.Columns = append(ft.Columns, e)
		ft.Meta.Columns = append(ft.Meta.Columns, m)
		ft.Meta.RawBytes += m.RawBytes
	}
	if err := w.finishPrimary(ft); err != nil {
		return nil, err
	}
	for i := range w.skips {
		if err := w.finishSkip(ft, &w.skips[i]); err != nil {
			return nil, err
		}
	}
	body, err := json.Marshal(ft)
	if err != nil {
		return nil, fmt.Errorf("segment: footer of %s: %w", w.path, err)
	}
	r, err := w.w.chunk(body)
	if err != nil {
		return nil, err
	}
	hash, err := w.w.trailer(r)
	if err != nil {
		return nil, err
	}
	m := ft.Meta
	m.Hash, m.Bytes = hashString(hash), w.w.off
	return &m, nil
}

func (w *Writer) meta() Meta {
	o := &w.opts
	return Meta{
		ID: o.ID, Version: o.version(), Rows: w.rows, Level: o.Level, Granularity: o.Granularity,
		Granules:    int((w.rows + int64(o.Granularity) - 1) / int64(o.Granularity)),
		PartitionID: o.PartitionID, Partition: o.Partition, MinKey: w.first, MaxKey: w.last,
		TTLMin: o.TTLMin, TTLMax: o.TTLMax, MinIndex: o.MinIndex, MaxIndex: o.MaxIndex,
	}
}

func (w *Writer) finishPrimary(ft *footer) error {
	if len(w.primary) == 0 || w.rows == 0 {
		return nil
	}
	dst := page.AppendU32(nil, uint32(w.primary[0].Len()+1))
	for j, b := range w.primary {
		b.AppendFrom(w.last[j].vec, 0)
		var err error
		if dst, err = page.AppendSizedVector(dst, b); err != nil {
			return err
		}
	}
	r, err := w.w.chunk(dst)
	ft.Primary, ft.PrimaryLen = &r, len(w.primary)
	return err
}

func (w *Writer) finishSkip(ft *footer, s *skipState) error {
	if s.build == nil {
		return nil
	}
	if s.open {
		s.build.end()
	}
	body, err := s.build.body()
	if err != nil {
		return err
	}
	r, err := w.w.chunk(body)
	ft.Indexes = append(ft.Indexes, indexEntry{Index: s.def, Data: r})
	return err
}

// free gives back what is outside the heap.
func (w *Writer) free() {
	for _, c := range w.cols {
		c.dict.free()
		c.dict = nil
	}
	w.opts.Budget.Release(w.held)
	w.held = 0
}

// Abort closes and removes the file. It may be called after Finish, when it does nothing.
func (w *Writer) Abort() error {
	w.free()
	if w.f == nil {
		return nil
	}
	err := w.f.Close()
	w.f = nil
	return errors.Join(err, w.fs.Remove(w.path))
}
