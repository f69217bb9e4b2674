package materialized

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/build"
	"github.com/olapd/olapd/query/exec"
)

// maxMorsel is the most rows a morsel may have.
const maxMorsel = 65_536

// blockStorage shows a rollup's SELECT the block in the source's place, and other tables as they are.
type blockStorage struct {
	block *column.Block
	open  func(ctx context.Context) (exec.Storage, error)
	rest  exec.Storage // opened at the first read of another table
}

// Open implements exec.Storage. The pipelines of derivation open their scans from one goroutine.
func (s *blockStorage) Open(ctx context.Context, req exec.ScanRequest) (exec.Scanner, error) {
	if _, ok := req.Table.(*blockTable); ok {
		cols := make([]column.Vector, len(req.Columns))
		for i, c := range req.Columns {
			cols[i] = s.block.Cols[c]
		}
		return &blockScanner{block: &column.Block{Cols: cols, N: s.block.N}}, nil
	}
	if s.rest == nil {
		if s.open == nil {
			return nil, sqlerr.New(sqlerr.NotImplemented, "A materialized view that reads %s beside its source is not supported here", req.Table.Name())
		}
		rest, err := s.open(ctx)
		if err != nil {
			return nil, err
		}
		s.rest = rest
	}
	return s.rest.Open(ctx, req)
}

// Close implements exec.Storage.
func (s *blockStorage) Close() {
	if s.rest != nil {
		s.rest.Close()
	}
}

// blockScanner hands out a block as morsels.
type blockScanner struct {
	block *column.Block
	next  atomic.Int64
}

// Next implements exec.Scanner.
func (s *blockScanner) Next(context.Context) (exec.Morsel, error) {
	from := int(s.next.Add(maxMorsel)) - maxMorsel
	if from >= s.block.N {
		return nil, nil
	}
	return blockMorsel{s.block.Slice(from, min(from+maxMorsel, s.block.N))}, nil
}

// Stats implements exec.Scanner.
func (s *blockScanner) Stats() exec.ScanStats {
	return exec.ScanStats{Rows: int64(s.block.N), TotalRows: int64(s.block.N)}
}

// Close implements exec.Scanner.
func (s *blockScanner) Close() error { return nil }

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

// run computes a rollup's rows of one block; nil if there are none.
func (d *Deriver) run(ctx context.Context, env *function.Env, p *compiled, block *column.Block) (*column.Block, error) {
	st := &blockStorage{block: block, open: d.o.Snapshot}
	defer st.Close()
	pl, err := build.Build(ctx, p.node, build.Options{Storage: st, Env: env, Options: exec.Options{Threads: max(1, d.o.Threads), Budget: d.o.Budget}})
	if err != nil {
		return nil, err
	}
	var out []*column.Block
	if err := pl.Run(ctx, func(b *column.Block) error {
		if b.N > 0 {
			out = append(out, b)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return concat(out), nil
}

// concat joins blocks into one, flat.
func concat(blocks []*column.Block) *column.Block {
	if len(blocks) == 0 {
		return nil
	}
	joined := &column.Block{Cols: make([]column.Vector, len(blocks[0].Cols))}
	for c := range joined.Cols {
		parts := make([]column.Vector, len(blocks))
		for i, b := range blocks {
			parts[i] = b.Cols[c]
		}
		joined.Cols[c] = column.Flatten(column.Concat(parts...))
	}
	for _, b := range blocks {
		joined.N += b.N
	}
	return joined
}

func sameField(a, b column.Field) bool { return a.Name == b.Name && a.Type.Equal(b.Type) }

// plan returns the rollup's plan, compiled anew if the catalog has changed or the plan holds for one moment only.
func (d *Deriver) plan(ctx context.Context, c *catalog.Catalog, env *function.Env, rollup *catalog.Table, in Rows) (*compiled, error) {
	d.mu.Lock()
	p := d.mu.plans[rollup.ID]
	d.mu.Unlock()
	if p != nil && p.version == c.Version && slices.EqualFunc(p.in, in.Schema, sameField) {
		return p, nil
	}
	p, err := d.compile(ctx, c, env, rollup, in)
	if err != nil || !p.fixed {
		return p, err
	}
	d.mu.Lock()
	d.mu.plans[rollup.ID] = p
	d.mu.Unlock()
	return p, nil
}
