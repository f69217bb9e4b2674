package exec

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/exec/grouping"
	"github.com/olapd/olapd/query/plan"
)

// joinTable is the right side of a join, all in memory: its rows, by key.
type joinTable struct {
	rows   *column.Block
	keys   *joinKeys // nil: every row is a partner
	keyed  int       // rows without a NULL in their key: those that keys numbers
	unique bool      // every key is one row's: order[k] of key k, or row k itself if order is nil; Missing of numbers that no key has
	starts []uint32  // else, by key number: the rows of key k are order[starts[k]:starts[k+1]]
	order  []uint32
	asof   column.Vector   // the inequality's column, by which order is sorted within a key
	used   []atomic.Uint32 // by row, where the kind needs to know
}

// build drains the side that is kept in memory, by default the right one, and indexes it.
func (g *joining) build(ctx context.Context) (*joinTable, error) {
	j, held := g.j, g.reservation()
	blocks, err := g.collect(ctx, held)
	if err != nil {
		return nil, err
	}
	if g.grace != nil {
		return nil, g.partStreamed(ctx)
	}
	rows := int64(0)
	for _, b := range blocks {
		rows += int64(b.N)
	}
	if err := held.add(held.held + indexBytes*rows); err != nil { // the blocks joined, and what orders the rows
		return nil, err
	}
	t := &joinTable{rows: &column.Block{Cols: make([]column.Vector, j.builtWidth(g.swapped))}}
	if len(blocks) > 0 {
		t.rows = concatBlocks(blocks)
	}
	if t.rows.N > math.MaxUint32/2 {
		return nil, sqlerr.New(sqlerr.SetSizeLimitExceeded, "The right side of a join has %d rows", t.rows.N)
	}
	if j.needsUsed() {
		t.used = make([]atomic.Uint32, t.rows.N)
	}
	eq := j.equalities()
	if eq == 0 && j.Strictness != plan.Asof {
		return t, nil
	}
	if err := t.index(ctx, g, eq); err != nil {
		return nil, err
	}
	return t, held.set(t.bytes())
}

// bytes is the memory held beside the table of keys.
func (t *joinTable) bytes() int64 {
	return blockBytes(t.rows) + 4*int64(len(t.starts)+len(t.order)+len(t.used))
}

// reservation is memory held until the run ends or, of a part of a join, until that is joined.
func (g *joining) reservation() *reservation {
	h := g.r.reservation()
	g.held = append(g.held, h)
	return h
}

// collect drains the side to be kept in memory within the limits; or, where it takes too much, into files: see grace.
func (g *joining) collect(ctx context.Context, held *reservation) ([]*column.Block, error) {
	var mu sync.Mutex
	var blocks []*column.Block
	rows, bytes, l, parts := int64(0), int64(0), &g.r.opts.Limits, g.mayPart()
	err := g.r.parallel(ctx, len(g.right), func(ctx context.Context, i int) error {
		return drain(ctx, g.right[i], func(b *column.Block) error {
			mu.Lock()
			defer mu.Unlock()
			rows, bytes = rows+int64(b.N), bytes+blockBytes(b)
			end, err := check(l.JoinMode, sqlerr.SetSizeLimitExceeded, "JOIN", rows, l.RowsInJoin, bytes, l.BytesInJoin)
			if err != nil {
				return err
			}
			if g.grace != nil {
				err = g.grace.built.add(b)
			} else if blocks = append(blocks, b); parts && joinNeed(rows, bytes) > g.most {
				err = g.part(blocks)
				blocks = nil
				if err == nil {
					err = held.set(0)
				}
			} else {
				err = held.set(bytes)
			}
			if err == nil && end {
				err = errEnd
			}
			return err
		})
	})
	return blocks, err
}

// index numbers the rows' keys and groups the rows by them. Rows with NULL in a key have no partner.
func (t *joinTable) index(ctx context.Context, g *joining, eq int) error {
	j := g.j
	ts := make([]*types.Type, eq)
	for i := range ts {
		ts[i] = j.keyTypes[i]
	}
	t.keys = newJoinKeys(ts, g.r.opts.CollideHashes)
	if t.rows.N == 0 {
		t.starts = []uint32{0}
		empty := make([]column.Vector, eq)
		for i, k := range ts {
			empty[i] = column.New(k, 0)
		}
		g.tell(empty)
		return nil
	}
	keys, nulls, err := j.keys(j.builtKeys(g.swapped), t.rows)
	if err != nil {
		return err
	}
	if j.Strictness == plan.Asof {
		t.asof = column.Flatten(keys[eq])
	}
	var valid []uint32 // nil: all
	own := keys[:eq]
	if t.keyed = t.rows.N; slices.Contains(nulls, 1) {
		valid = withoutNull(nulls)
		own, t.keyed = gatherAll(own, valid), len(valid)
	}
	ids := make([]uint32, t.keyed)
	g.tell(own)
	held := g.reservation()
	if err := t.keys.number(ctx, g.r, own, ids, held); err != nil {
		return err
	}
	if table := t.keys.table; table != nil && t.asof == nil && table.Len() == len(ids) {
		t.unique, t.order = true, valid // a table numbers keys in the order they come
		return nil
	}
	if err := held.add(2 * 4 * int64(t.keys.limit())); err != nil { // of keys interned there may be fewer than numbers
		return err
	}
	if valid == nil {
		valid = countUp(t.keyed)
	}
	t.group(ids, valid, t.asof == nil)
	if t.asof != nil {
		for k := 0; k+1 < len(t.starts); k++ {
			slices.SortStableFunc(t.order[t.starts[k]:t.starts[k+1]], func(a, b uint32) int {
				return column.Compare(t.asof, int(a), t.asof, int(b))
			})
		}
	}
	return nil
}

// withoutNull returns the rows where nulls is 0.
func withoutNull(nulls []uint8) []uint32 {
	rows := make([]uint32, 0, len(nulls))
	for i, isNull := range nulls {
		if isNull == 0 {
			rows = append(rows, uint32(i))
		}
	}
	return rows
}

// filters are runtime filters by the keys of a side that streams past, op, where its rows without a partner are dropped; nil where none can be.
func (j *Join) filters(op Operator, program *eval.Program) []*RuntimeFilter {
	switch j.Kind {
	case plan.Inner, plan.Semi, plan.Right, plan.RightSemi, plan.RightAnti:
	default:
		return nil
	}
	out := make([]*RuntimeFilter, j.equalities())
	for i := range out {
		out[i] = NewRuntimeFilter(op, program, i)
	}
	return out
}

// filterGain is how many rows there must be to filter for each key in memory: below, telling the keys costs what it spares.
const filterGain = 2

// tell tells the scans of the side that streams past which keys there are.
func (g *joining) tell(keys []column.Vector) {
	for i, f := range g.filters {
		if f != nil && int64(keys[i].Len()) <= g.probe/filterGain {
			f.Set(keys[i])
		}
	}
}

// indexBytes are a row's numbers while the rows are grouped by key.
const indexBytes = 3 * 4

// group lays the rows out by key number, in the order they came; of unique keys each number's one row.
func (t *joinTable) group(ids, rows []uint32, unique bool) {
	n := t.keys.limit()
	t.starts = make([]uint32, n+1)
	for _, id := range ids {
		t.starts[id+1]++
	}
	if t.unique = unique && !slices.ContainsFunc(t.starts, func(count uint32) bool { return count > 1 }); t.unique {
		t.order = t.starts[:n]
		for i := range t.order {
			t.order[i] = grouping.Missing
		}
		t.starts = nil
		kernel.Scatter(t.order, rows, ids)
		return
	}
	for k := range n {
		t.starts[k+1] += t.starts[k]
	}
	t.order = make([]uint32, len(rows))
	at := slices.Clone(t.starts)
	for i, id := range ids {
		t.order[at[id]] = rows[i]
		at[id]++
	}
}
