package exec

import (
	"context"
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/plan"
)

// Sort orders all rows, or yields the first limit of them. Each worker keeps its rows, with a limit only those that
// can be among the first; then the rows are sorted together, in parallel runs that are merged.
type Sort struct {
	base
	keys   []plan.SortKey
	schema column.Schema
	limit  uint64
	bound  *TopBound // shared with the scan right below, or nil
	seq    *Sequence // likewise
}

// Bind tells a scan below, with nothing that drops rows between, to read no more than it takes: its column col
// is the first sort key. The limit must be small, see MaxTopBound.
func (s *Sort) Bind(scan *Scan, col int) {
	s.bound = &TopBound{Column: col, Order: s.keys[0].Order, Limit: int(s.limit), Single: len(s.keys) == 1}
	scan.Top = s.bound
}

// Follow has a scan below, with nothing between that changes the order of rows, read them by the table's sort key, of which the Sort's keys are
// a prefix; keys are those of them that the scan's filter leaves more than one value. What is read in order is merged, and no more of it read than that takes.
func (s *Sort) Follow(scan *Scan, seq *Sequence, keys []plan.SortKey) {
	s.seq, scan.Sequence, s.keys = seq, seq, keys
}

// MaxTopBound is the largest limit for Bind: beyond it little is left unread.
const MaxTopBound = 10_000

// rowsIn is how many rows there were to sort.
func (s *Sort) rowsIn() int64 {
	if s.bound != nil {
		return s.bound.passed.Load()
	}
	return s.inputs[0].Stats().Rows.Load()
}

// NewSort returns a Sort; limit 0 is none.
func NewSort(in Operator, keys []plan.SortKey, limit uint64, schema column.Schema) *Sort {
	return &Sort{base: base{inputs: []Operator{in}}, keys: keys, limit: limit, schema: schema}
}

// Describe implements Operator.
func (s *Sort) Describe() string {
	parts := make([]string, len(s.keys))
	for i, k := range s.keys {
		parts[i] = s.schema[k.Index].Name
		if k.Desc {
			parts[i] += " desc"
		}
	}
	text := "Sort " + strings.Join(parts, ", ")
	if s.limit > 0 {
		text = fmt.Sprintf("Top %d by %s", s.limit, strings.Join(parts, ", "))
	}
	if s.seq != nil {
		text += ", merged from rows" + s.seq.describe()
	}
	return text
}

func (s *Sort) streams(r *run) ([]Stream, error) {
	in, err := open(r, s.inputs[0])
	if err != nil {
		return nil, err
	}
	if s.seq != nil {
		return []Stream{s.follow(r, in)}, nil
	}
	return []Stream{&sortStream{s: s, r: r, in: in}}, nil
}

// sortStream sorts at the first Next.
type sortStream struct {
	s      *Sort
	r      *run
	in     []Stream
	sorted bool
	block  *column.Block
	items  []sortItem
	// merging yields the rows instead where they did not fit in memory.
	merging *merging
}

func (t *sortStream) stop() {
	for _, s := range t.in {
		stop(s)
	}
}

func (t *sortStream) Next(ctx context.Context) (*column.Block, error) {
	if !t.sorted {
		if err := t.sort(ctx); err != nil {
			return nil, err
		}
		t.sorted = true
	}
	if t.merging != nil {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return t.merging.next(ctx)
	}
	n := min(len(t.items), t.r.opts.MaxBlockSize)
	if n == 0 {
		return nil, nil
	}
	sel := make([]uint32, n)
	for i, it := range t.items[:n] {
		sel[i] = it.row
	}
	t.items = t.items[n:]
	return gatherBlock(t.block, sel), nil
}

func (t *sortStream) sort(ctx context.Context) error {
	m := newSortMemory(t.r)
	keepers := make([]*keeper, len(t.in))
	err := t.r.parallel(ctx, len(t.in), func(ctx context.Context, i int) error {
		k := &keeper{s: t.s, m: m, share: m.limit / int64(len(t.in)), held: t.r.reservation()}
		keepers[i] = k
		return drain(ctx, t.in[i], func(b *column.Block) error { return k.add(ctx, b) })
	})
	if err != nil {
		return err
	}
	var blocks []*column.Block
	rows, bytes := m.mu.rows, m.mu.bytes
	for _, k := range keepers {
		blocks = append(blocks, k.blocks...)
		rows, bytes = rows+int64(k.rows), bytes+k.size
	}
	l := &t.r.opts.Limits
	if _, err := check(OverflowThrow, sqlerr.TooManyRowsOrBytes, "sort", rows, l.RowsToSort, bytes, l.BytesToSort); err != nil {
		return err
	}
	if m.spilled() {
		err := t.r.parallel(ctx, len(keepers), func(ctx context.Context, i int) error { return keepers[i].spill(ctx) })
		if err != nil {
			return err
		}
		return t.merge(ctx, m.mu.files, m.limit)
	}
	if rows > math.MaxUint32/2 {
		return sqlerr.New(sqlerr.TooManyRowsOrBytes, "Cannot sort %d rows at once", rows)
	}
	if len(blocks) == 0 {
		return nil
	}
	t.block = concatBlocks(blocks)
	return t.order(ctx)
}

// order sorts the items in one run a worker and merges the runs.
func (t *sortStream) order(ctx context.Context) error {
	ord, items := flatOrder(t.block, t.s.keys)
	parts := t.r.opts.Threads
	if len(items) < minParallelSort {
		parts = 1
	}
	runs := make([][]sortItem, parts)
	for i := range runs {
		runs[i] = items[len(items)*i/parts : len(items)*(i+1)/parts]
	}
	err := t.r.parallel(ctx, parts, func(_ context.Context, i int) error {
		sortItems(ord, runs[i])
		return nil
	})
	if err != nil {
		return err
	}
	for len(runs) > 1 && err == nil {
		runs, err = t.mergePairs(ctx, ord, runs)
	}
	t.items = t.first(runs[0])
	return err
}

// first cuts sorted rows down to the limit.
func (t *sortStream) first(items []sortItem) []sortItem {
	if n := t.s.limit; n > 0 && uint64(len(items)) > n {
		return items[:n]
	}
	return items
}

// mergePiece is a part of a merge of two runs: what is merged, and where to.
type mergePiece struct{ a, b, to []sortItem }

// mergePairs merges runs two by two, each pair in so many pieces that all workers have some.
func (t *sortStream) mergePairs(ctx context.Context, ord *rowOrder, runs [][]sortItem) ([][]sortItem, error) {
	var merged [][]sortItem
	var pieces []mergePiece
	each := max(t.r.opts.Threads/(len(runs)/2), 1)
	for ; len(runs) > 1; runs = runs[2:] {
		a, b := t.first(runs[0]), t.first(runs[1])
		to := make([]sortItem, len(a)+len(b))
		merged = append(merged, to)
		for i := range each {
			n := len(to)/each + 1
			k := splitRuns(ord, a, b, min(n, len(a)+len(b)))
			if i == each-1 {
				k, n = len(a), len(a)+len(b)
			}
			n = min(n, len(a)+len(b))
			pieces = append(pieces, mergePiece{a: a[:k], b: b[:n-k], to: to[:n]})
			a, b, to = a[k:], b[n-k:], to[n:]
		}
	}
	err := t.r.parallel(ctx, len(pieces), func(_ context.Context, i int) error {
		mergeRuns(ord, pieces[i])
		return nil
	})
	return append(merged, runs...), err
}

// splitRuns returns how many of the first n rows of a and b together are a's.
func splitRuns(ord *rowOrder, a, b []sortItem, n int) int {
	lo, hi := max(0, n-len(b)), min(n, len(a))
	return lo + sort.Search(hi-lo, func(k int) bool { return ord.compare(a[lo+k], b[n-lo-k-1]) > 0 })
}

// minParallelSort is the number of rows from which sorting in two goroutines pays.
const minParallelSort = 4096

func mergeRuns(ord *rowOrder, p mergePiece) {
	a, b, to := p.a, p.b, p.to
	for len(a) > 0 && len(b) > 0 {
		if ord.compare(a[0], b[0]) <= 0 {
			to[0], a = a[0], a[1:]
		} else {
			to[0], b = b[0], b[1:]
		}
		to = to[1:]
	}
	copy(to[copy(to, a):], b)
}

// flatOrder is newRowOrder for rows that are compared with no other block's. The keys are made flat: comparing dictionaries code by code
// does not pay; but of a first key with few entries the prefix becomes the entry's rank, which is exact.
func flatOrder(b *column.Block, keys []plan.SortKey) (*rowOrder, []sortItem) {
	ord, items := newRowOrder(b, keys)
	if len(keys) > 0 && !ord.exact {
		if d, ok := ord.cols[0].(*column.Dict); ok && d.Values.Len() <= b.N/minPerEntry {
			rankPrefixes(items, d, keys[0].Order)
			ord.exact = true
		}
	}
	for i, k := range keys {
		b.Cols[k.Index] = column.Flatten(b.Cols[k.Index])
		ord.cols[i] = b.Cols[k.Index]
	}
	return ord, items
}

// sortedItems returns the rows of b in order.
func sortedItems(b *column.Block, keys []plan.SortKey) []sortItem {
	ord, items := flatOrder(b, keys)
	sortItems(ord, items)
	return items
}

// keeper holds one worker's rows. With a limit it cuts them down to the first limit rows whenever
// it holds several times as many, and then turns away rows that sort behind the last kept. Where they take more memory than
// its share it writes them to a sorted file.
type keeper struct {
	s      *Sort
	m      *sortMemory
	share  int64
	held   *reservation
	blocks []*column.Block
	rows   int
	kept   *rowOrder // of the rows that were kept when they were last cut down
	worst  sortItem  // the last of these
	size   int64     // bytes of the blocks
}

// topSlack is how many rows beyond the limit a worker gathers before it cuts down: enough that
// cutting costs little a row.
const topSlack = 8192

func (k *keeper) add(ctx context.Context, b *column.Block) error {
	if k.kept != nil {
		if b = k.contenders(b); b.N == 0 {
			return nil
		}
	}
	k.blocks = append(k.blocks, b)
	k.rows += b.N
	k.size += blockBytes(b)
	if n := k.s.limit; n > 0 && uint64(k.rows) > 2*n+topSlack {
		k.cut(int(n))
	}
	n := need(k.rows, k.size)
	if err := k.held.set(n); err != nil {
		return err
	}
	if k.share > 0 && n > k.share {
		return k.spill(ctx)
	}
	return nil
}

// contenders drops the rows that sort behind the worst kept row. By the later keys, too: of groups most have the same small count.
func (k *keeper) contenders(b *column.Block) *column.Block {
	ord, items := newRowOrder(b, k.s.keys)
	sel := make([]uint32, 0, len(items))
	for i, it := range items {
		if ord.compareTo(it, k.kept, k.worst) <= 0 {
			sel = append(sel, uint32(i))
		}
	}
	if len(sel) == b.N {
		return b
	}
	return gatherBlock(b, sel)
}

// cut keeps the first n rows, in their order.
func (k *keeper) cut(n int) {
	b := concatBlocks(k.blocks)
	ord, items := newRowOrder(b, k.s.keys)
	sortItems(ord, items)
	items = items[:n]
	sel := make([]uint32, n)
	for i, it := range items {
		sel[i] = it.row
	}
	kept := gatherBlock(b, sel)
	k.kept, items = newRowOrder(kept, k.s.keys)
	k.worst = items[n-1]
	k.blocks, k.rows, k.size = []*column.Block{kept}, n, blockBytes(kept)
}
