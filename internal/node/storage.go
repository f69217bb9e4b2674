package node

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/mergetree"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/segment"
)

// maxMorsel is the rows of a morsel: a page, so that each page is decoded once.
const maxMorsel = 65_536

// storage shows a query the tables of some shards, each as it was at one instant.
type storage struct{ snaps []*cluster.View }

// newStorage returns the rows of all the snapshots as one, and closes them.
func newStorage(snaps ...*cluster.View) *storage { return &storage{snaps} }

// Close implements exec.Storage.
func (s *storage) Close() {
	for _, p := range s.snaps {
		p.Close()
	}
}

// Open implements exec.Storage.
func (s *storage) Open(ctx context.Context, req exec.ScanRequest) (exec.Scanner, error) {
	entry := req.Table.Catalog()
	if entry == nil {
		return nil, sqlerr.New(sqlerr.LogicalError, "%s is no stored table", req.Table.Name())
	}
	if entry.BaseEngine() == "Null" {
		return &scanner{}, nil
	}
	views := make([]*mergetree.TableView, len(s.snaps))
	for i, p := range s.snaps {
		if err := p.Readable(entry.ID); err != nil {
			return nil, err
		}
		if views[i] = p.Table(entry.ID); views[i] == nil {
			return nil, sqlerr.New(sqlerr.UnknownTable, "Table %s does not exist", req.Table.Name())
		}
	}
	all := storedSchema(entry, req.Table.Schema())
	want := make(column.Schema, len(req.Columns))
	for i, c := range req.Columns {
		want[i] = all[c]
	}
	if req.Final && len(views) > 0 && merges(views[0].Spec().Mode) {
		return openFinal(ctx, views, want, req.Order)
	}
	sc := &scanner{order: req.Order}
	for _, v := range views {
		if err := sc.plan(ctx, v, want, &req); err != nil {
			return nil, errors.Join(err, sc.Close())
		}
	}
	return sc, nil
}

// merges reports whether FINAL makes a difference.
func merges(m mergetree.Mode) bool { return m != mergetree.Plain && m != mergetree.Memory }

// source is rows that columns can be read of: a segment or a memtable chunk.
type source struct {
	spec *mergetree.Spec
	want column.Schema
	// at[i] is the position of want[i] in have, -1 if these rows are older than the column.
	at     []int
	have   column.Schema
	reader *segment.Reader
	mem    *column.Block
	// part says that few of the reader's rows are read.
	part bool
}

// partShare is how many times more rows a segment has than a scan reads of it, for values of large dictionaries to be read one by one.
const partShare = 8

func newSource(spec *mergetree.Spec, want, have column.Schema) *source {
	s := &source{spec: spec, want: want, have: have, at: make([]int, len(want))}
	for i, f := range want {
		s.at[i] = have.Index(f.Name)
		if s.at[i] >= 0 && !mergetree.StoredAs(have[s.at[i]].Type, f.Type) {
			s.at[i] = -1
		}
	}
	return s
}

// read returns rows [from, to) of column i of want, or those at from+sel.
func (s *source) read(ctx context.Context, i, from, to int, sel []uint32) (column.Vector, error) {
	if s.at[i] < 0 {
		return s.compute(ctx, i, from, to, sel)
	}
	v, err := s.stored(ctx, s.at[i], from, to, sel)
	if err != nil {
		return nil, err
	}
	return column.WithType(v, s.want[i].Type), nil
}

func (s *source) stored(ctx context.Context, c, from, to int, sel []uint32) (column.Vector, error) {
	if s.mem != nil {
		v := s.mem.Cols[c].Slice(from, to)
		if sel == nil {
			return v, nil
		}
		return column.Gather(v, sel), nil
	}
	if s.part {
		return s.reader.ReadPart(ctx, c, from, to, sel)
	}
	if sel == nil {
		return s.reader.ReadColumn(ctx, c, from, to)
	}
	rows := kernel.Dirty[uint32](len(sel))
	defer kernel.Recycle(rows)
	for j, p := range sel {
		rows[j] = uint32(from) + p
	}
	return s.reader.ReadRows(ctx, c, rows)
}

// compute makes a column that these rows lack.
func (s *source) compute(ctx context.Context, i, from, to int, sel []uint32) (column.Vector, error) {
	n := to - from
	if sel != nil {
		n = len(sel)
	}
	at := s.spec.Columns.Index(s.want[i].Name)
	if at < 0 || s.spec.Missing == nil {
		return column.NewDefaults(s.want[i].Type, n), nil
	}
	if declared := s.spec.Columns[at].Type; !mergetree.StoredAs(declared, s.want[i].Type) {
		return nil, changedSince(s.spec, s.want[i])
	}
	b := &column.Block{N: n, Cols: make([]column.Vector, len(s.have))}
	for c := range s.have {
		v, err := s.stored(ctx, c, from, to, sel)
		if err != nil {
			return nil, err
		}
		b.Cols[c] = v
	}
	out, err := s.spec.Missing([]int{at}, s.have, b)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// changedSince is the error of a query that began before a column was changed.
func changedSince(spec *mergetree.Spec, f column.Field) error {
	return sqlerr.New(sqlerr.NoSuchColumnInTable, "Column %s of type %s is not in table %s any more: it was changed while the query began", f.Name, f.Type, spec.Name)
}

// morsel is a run of rows of one source.
type morsel struct {
	src      *source
	from, to int
	// rows are those of the segment that bitmap indexes leave; nil: all.
	rows *segment.RowSet
	// outcome remembers what the request's filter passes; nil: nothing is to be remembered.
	outcome *segment.Outcome
}

// Rows implements exec.Morsel.
func (m *morsel) Rows() int { return m.to - m.from }

// Column implements exec.Morsel.
func (m *morsel) Column(ctx context.Context, i int, sel []uint32) (column.Vector, error) {
	return m.src.read(ctx, i, m.from, m.to, sel)
}

// Fresh implements exec.Lending.
func (m *morsel) Fresh(i int) bool { return m.src.reader != nil && m.src.at[i] >= 0 }

// Candidates implements exec.Narrowed.
func (m *morsel) Candidates(dst []uint32) ([]uint32, bool) {
	if m.rows == nil {
		return dst, false
	}
	return m.rows.AppendRange(dst, m.from, m.to), true
}

// Remember implements exec.Remembering.
func (m *morsel) Remember(passed []uint32) {
	if m.outcome == nil {
		return
	}
	n, k := m.src.reader.Meta().Granularity, 0
	for g := m.from / n; g*n < m.to; g++ {
		_, end := m.src.reader.GranuleRows(g)
		first := k
		for k < len(passed) && m.from+int(passed[k]) < end {
			k++
		}
		if k == first {
			m.outcome.Add(g)
		}
	}
}

// Lengths implements exec.Measured.
func (m *morsel) Lengths(ctx context.Context, i int, sel []uint32) (column.Vector, error) {
	s := m.src
	if s.reader != nil && s.at[i] >= 0 && s.reader.Measurable(s.at[i]) {
		return s.reader.ReadLengths(ctx, s.at[i], m.from, m.to, sel)
	}
	v, err := s.read(ctx, i, m.from, m.to, sel)
	if err != nil {
		return nil, err
	}
	return exec.Lengths(v), nil
}

// Part implements exec.Parted.
func (m *morsel) Part(ctx context.Context, i int, p *function.ObjectPart, sel []uint32) (column.Vector, error) {
	s := m.src
	if s.reader == nil || s.at[i] < 0 || !s.have[s.at[i]].Type.Equal(s.want[i].Type) {
		return nil, nil
	}
	if p.Below {
		v, err := s.reader.ReadBelow(ctx, s.at[i], p.Path, m.from, m.to, sel)
		if err != nil {
			return nil, err
		}
		return p.OfBelow(v), nil
	}
	v, err := s.reader.ReadPath(ctx, s.at[i], p.Path, m.from, m.to, sel)
	if err != nil {
		return nil, err
	}
	return p.OfPath(v)
}

// Match implements exec.Matcher.
func (m *morsel) Match(ctx context.Context, i int, op kernel.Op, x column.Vector, mask []uint8) (bool, error) {
	s := m.src
	if s.reader == nil || s.at[i] < 0 {
		return false, nil
	}
	return s.reader.Match(ctx, s.at[i], m.from, m.to, op, x, mask)
}

// Code implements exec.Coder.
func (m *morsel) Code(ctx context.Context, i int, x column.Vector) (code uint32, ok bool, err error) {
	s := m.src
	if s.reader == nil || s.at[i] < 0 || s.part { // a part of a dictionary has codes of its own
		return 0, false, nil
	}
	text, ok := x.(*column.Str)
	c := s.at[i]
	if !ok || s.have[c].Type.WithoutLowCardinality().Kind != types.String || s.reader.Entries(c) == 0 {
		return 0, false, nil
	}
	code, found, err := s.reader.FindCode(ctx, c, text.At(0))
	if !found {
		code = math.MaxUint32
	}
	return code, true, err
}

// Bounds implements exec.Bounded.
func (m *morsel) Bounds(i int) (*exec.Bounds, error) {
	s := m.src
	if s.reader == nil || s.at[i] < 0 {
		return nil, nil
	}
	all, err := s.reader.GranuleBounds(s.at[i])
	if err != nil || all == nil {
		return nil, err
	}
	n := s.reader.Meta().Granularity
	first, last := m.from/n, (m.to-1)/n
	b := &exec.Bounds{Mins: all.Mins().Slice(first, last+1), Maxs: all.Maxs().Slice(first, last+1)}
	for g := first; g <= last; g++ {
		_, end := s.reader.GranuleRows(g)
		b.Ends = append(b.Ends, uint32(min(end, m.to)-m.from))
		b.Special = append(b.Special, all.Nulls(g) > 0 || all.HasNaN(g))
		b.Empty = append(b.Empty, !all.HasValues(g))
	}
	return b, nil
}

// scanner hands out the morsels that pruning left.
type scanner struct {
	stats   exec.ScanStats
	readers []*segment.Reader
	sources []*source
	order   []string // of the request
	mu      struct {
		sync.Mutex
		morsels []morsel
		next    int
	}
}

// plan opens the segments, prunes them and cuts what is left into morsels; newest rows last.
func (sc *scanner) plan(ctx context.Context, view *mergetree.TableView, want column.Schema, req *exec.ScanRequest) error {
	for _, h := range view.Segments() {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := h.Open(ctx)
		if err != nil {
			return err
		}
		sc.readers = append(sc.readers, r)
		if err := sc.segment(ctx, view, want, r, req); err != nil {
			return err
		}
	}
	for _, c := range view.Memtable() {
		src := newSource(view.Spec(), want, c.Schema)
		src.mem = c.Rows
		sc.sources = append(sc.sources, src)
		sc.cut(src, 0, c.Rows.N, nil, nil)
		sc.stats.Rows += int64(c.Rows.N)
		sc.stats.TotalRows += int64(c.Rows.N)
	}
	return nil
}

func (sc *scanner) segment(ctx context.Context, view *mergetree.TableView, want column.Schema, r *segment.Reader, req *exec.ScanRequest) error {
	st := &sc.stats
	st.TotalSegments++
	st.TotalGranules += int64(r.Granules())
	st.TotalRows += int64(r.Rows())
	kept := segment.AllGranules(r.Granules())
	var rows *segment.RowSet
	if req.Cond != nil {
		cond := held(*req.Cond, req.Table, r.Schema())
		left, ps, err := r.Prune(ctx, cond, nil)
		if err != nil {
			return err
		}
		kept = left
		sc.count(ps)
		if rows, err = selective(ctx, r, cond, kept); err != nil {
			return err
		}
	}
	src := newSource(view.Spec(), want, r.Schema())
	src.reader = r
	sc.sources = append(sc.sources, src)
	outcome := sc.remembered(src, storedFilter(req), kept)
	if kept.Count() == 0 {
		return nil
	}
	st.Segments++
	st.Granules += int64(kept.Count())
	read := int64(0)
	for _, run := range r.Ranges(kept) {
		read += sc.cut(src, run.From, run.To, rows, outcome)
	}
	st.Rows += read
	src.part = read*partShare <= int64(r.Rows())
	return nil
}

// conditionCache names, among what is dropped, the granules in which a query with the same filter has found no row.
const conditionCache = "condition cache"

// remembered takes out the granules of which no row is known to pass the filter, and returns what remembers that; nil if nothing is to be, since a column of
// the request is not stored but computed by what may change.
func (sc *scanner) remembered(src *source, filter string, kept *segment.Granules) *segment.Outcome {
	if filter == "" || slices.Contains(src.at, -1) {
		return nil
	}
	o := src.reader.Outcome(filter)
	if granules, rows := o.Prune(src.reader, kept); granules > 0 {
		d := sc.drop(conditionCache)
		d.Granules, d.Rows = d.Granules+int64(granules), d.Rows+int64(rows)
		if kept.Count() == 0 {
			d.Segments++
		}
	}
	return o
}

// minNarrowing is how many times fewer rows bitmap indexes must leave for reading only those: fewer than that are
// read as fast with all the others.
const minNarrowing = 8

// selective returns the rows that bitmap indexes leave of the granules kept; nil where they do not leave few.
func selective(ctx context.Context, r *segment.Reader, cond segment.Condition, kept *segment.Granules) (*segment.RowSet, error) {
	if kept.Count() == 0 {
		return nil, nil
	}
	rows, _, err := r.MatchRows(ctx, cond)
	if err != nil || rows == nil || rows.Count() > kept.Count()*r.Meta().Granularity/minNarrowing {
		return nil, err
	}
	return rows, nil
}

// count adds what each index dropped of a segment.
func (sc *scanner) count(ps segment.PruneStats) {
	left := ps.Before
	for _, step := range ps.Steps {
		d := sc.drop(step.Index)
		d.Granules += int64(step.Dropped)
		d.Rows += int64(step.Rows)
		if left -= step.Dropped; left == 0 && step.Dropped > 0 {
			d.Segments++
		}
	}
}

// drop is the count of an index.
func (sc *scanner) drop(index string) *exec.Drop {
	for i := range sc.stats.Dropped {
		if sc.stats.Dropped[i].Index == index {
			return &sc.stats.Dropped[i]
		}
	}
	sc.stats.Dropped = append(sc.stats.Dropped, exec.Drop{Index: index})
	return &sc.stats.Dropped[len(sc.stats.Dropped)-1]
}

// cut adds rows [from, to), or those of them in a set, as morsels that do not cross pages, unless granules do. It returns how many rows those have.
func (sc *scanner) cut(src *source, from, to int, rows *segment.RowSet, outcome *segment.Outcome) int64 {
	unit, n := maxMorsel, int64(0)
	if src.reader != nil {
		g := max(src.reader.Meta().Granularity, 1)
		unit = max(maxMorsel/g*g, g)
	}
	for from < to {
		end := min(to, (from/unit+1)*unit)
		m := morsel{src: src, from: from, to: end, rows: rows, outcome: outcome}
		count := end - from
		if rows != nil {
			count = rows.CountRange(from, end)
			sc.drop(bitmapRows).Rows += int64(end - from - count)
		}
		if count > 0 {
			sc.mu.morsels = append(sc.mu.morsels, m)
		}
		n += int64(count)
		from = end
	}
	return n
}

// bitmapRows names, among what is dropped, the rows that bitmap indexes exclude inside of granules that are read.
const bitmapRows = "bitmap rows"

// Next implements exec.Scanner.
func (sc *scanner) Next(context.Context) (exec.Morsel, error) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if sc.mu.next >= len(sc.mu.morsels) {
		return nil, nil
	}
	m := &sc.mu.morsels[sc.mu.next]
	sc.mu.next++
	return m, nil
}

// Morsels implements exec.Planned.
func (sc *scanner) Morsels() []exec.Morsel {
	out := make([]exec.Morsel, len(sc.mu.morsels))
	for i := range sc.mu.morsels {
		out[i] = &sc.mu.morsels[i]
	}
	return out
}

// Stats implements exec.Scanner.
func (sc *scanner) Stats() exec.ScanStats { return sc.stats }

// Close implements exec.Scanner.
func (sc *scanner) Close() error {
	var errs []error
	for _, r := range sc.readers {
		errs = append(errs, r.Release())
	}
	sc.readers = nil
	return errors.Join(errs...)
}

// finalScanner reads rows merged by the table's mode, shard by shard, one block after the other.
type finalScanner struct {
	stats exec.ScanStats
	mu    struct {
		sync.Mutex
		rows []*mergedRows // of shards that are not at their end
	}
}

// mergedRows hands out the rows of one shard as morsels. For one goroutine at a time.
type mergedRows struct {
	rows *mergetree.MergedRows
	rest *column.Block
}

// next returns the next morsel, nil at the end.
func (m *mergedRows) next(ctx context.Context) (exec.Morsel, error) {
	for m.rest == nil || m.rest.N == 0 {
		b, err := m.rows.Next(ctx)
		if err != nil || b == nil {
			return nil, err
		}
		m.rest = b
	}
	b := m.rest
	if b.N > maxMorsel {
		m.rest = b.Slice(maxMorsel, b.N)
		b = b.Slice(0, maxMorsel)
	} else {
		m.rest = nil
	}
	return blockMorsel{b}, nil
}

func openFinal(ctx context.Context, views []*mergetree.TableView, want column.Schema, order []string) (exec.Scanner, error) {
	f, ordered := &finalScanner{}, len(order) > 0
	for _, v := range views {
		cols := make([]int, len(want))
		for i, w := range want {
			spec := v.Spec()
			if cols[i] = spec.Columns.Index(w.Name); cols[i] < 0 || !mergetree.StoredAs(spec.Columns[cols[i]].Type, w.Type) {
				return nil, errors.Join(changedSince(spec, w), f.Close())
			}
		}
		rows, err := v.MergedBlocks(ctx, cols)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		f.mu.rows = append(f.mu.rows, &mergedRows{rows: rows})
		f.stats.Rows += int64(v.Rows())
		f.stats.TotalRows += int64(v.Rows())
		f.stats.Segments += int64(len(v.Segments()))
		f.stats.TotalSegments += int64(len(v.Segments()))
		key := v.Spec().SortKey
		ordered = ordered && len(order) <= len(key) && slices.Equal(key[:len(order)], order)
	}
	if ordered {
		return finalRuns{f}, nil
	}
	return f, nil
}

// Next implements exec.Scanner.
func (f *finalScanner) Next(ctx context.Context) (exec.Morsel, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.mu.rows) > 0 {
		m, err := f.mu.rows[0].next(ctx)
		if err != nil || m != nil {
			return m, err
		}
		done := f.mu.rows[0]
		f.mu.rows = f.mu.rows[1:]
		if err := done.rows.Close(); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// Stats implements exec.Scanner.
func (f *finalScanner) Stats() exec.ScanStats { return f.stats }

// Close implements exec.Scanner.
func (f *finalScanner) Close() error {
	var errs []error
	for _, r := range f.mu.rows {
		errs = append(errs, r.rows.Close())
	}
	f.mu.rows = nil
	return errors.Join(errs...)
}

// blockMorsel is a block in memory.
type blockMorsel struct{ b *column.Block }

// Rows implements exec.Morsel.
func (m blockMorsel) Rows() int { return m.b.N }

// Column implements exec.Morsel.
func (m blockMorsel) Column(_ context.Context, i int, sel []uint32) (column.Vector, error) {
	if sel == nil {
		return m.b.Cols[i], nil
	}
	return column.Gather(m.b.Cols[i], sel), nil
}
