package exec

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/plan"
)

// Sort orders all rows, or yields the first limit of them. Each worker keeps its rows, with a limit only those that
// can be among the first; then the rows are sorted together, in parallel.
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
	out := gatherBlock(t.block, rowsOf(t.items[:n]))
	t.items = t.items[n:]
	return out, nil
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

// order sorts the items, as far as the limit goes, in groups that the workers take one after the other.
func (t *sortStream) order(ctx context.Context) (err error) {
	t.items, err = sortRows(ctx, t.r, t.block, t.s.keys, t.s.limit)
	return err
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
	items := sortedItems(b, k.s.keys)
	items = items[:n]
	kept := gatherBlock(b, rowsOf(items))
	k.kept, items = newRowOrder(kept, k.s.keys)
	k.worst = items[n-1]
	k.blocks, k.rows, k.size = []*column.Block{kept}, n, blockBytes(kept)
}
