package node

import (
	"context"
	"errors"
	"sync"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// bulkQueue is how many blocks wait for a table's builder: one to work on, one to come.
const bulkQueue = 1

// bulk builds segments of several tables from one stream of rows.
type bulk struct {
	store  *mergetree.Store
	ctx    context.Context
	cancel context.CancelCauseFunc
	tables map[catalog.TableID]*bulkTable
	order  []catalog.TableID
	wait   sync.WaitGroup
}

// bulkTable is one table's builder: a goroutine that takes blocks from the channel until it is closed.
type bulkTable struct {
	blocks chan *column.Block
	segs   []mergetree.Segment
	err    error
}

func newBulk(ctx context.Context, store *mergetree.Store) *bulk {
	b := &bulk{store: store, tables: map[catalog.TableID]*bulkTable{}}
	b.ctx, b.cancel = context.WithCancelCause(ctx)
	return b
}

// add hands rows to their table's builder, starting it if need be.
func (b *bulk) add(r cluster.TableRows) error {
	t := b.tables[r.Table]
	if t == nil {
		t = &bulkTable{blocks: make(chan *column.Block, bulkQueue)}
		b.tables[r.Table] = t
		b.order = append(b.order, r.Table)
		b.wait.Add(1)
		go func() {
			defer b.wait.Done()
			t.err = sqlerr.Guard(func() (err error) {
				t.segs, err = b.store.BuildSegments(b.ctx, r.Table, t.next)
				return err
			})
			if t.err != nil {
				b.cancel(t.err)
			}
		}()
	}
	select {
	case t.blocks <- r.Block:
		return nil
	case <-b.ctx.Done():
		return context.Cause(b.ctx)
	}
}

func (t *bulkTable) next(ctx context.Context) (*column.Block, error) {
	select {
	case block := <-t.blocks:
		return block, nil // nil when closed: the end
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// finish ends the builders, early if failed is not nil, and returns one edit a table. Of an error nothing is left behind but the edits returned.
func (b *bulk) finish(failed error) ([]mergetree.Edit, error) {
	if failed != nil {
		b.cancel(failed)
	}
	for _, t := range b.tables {
		close(t.blocks)
	}
	b.wait.Wait()
	b.cancel(nil)
	var edits []mergetree.Edit
	var errs []error
	for _, id := range b.order {
		t := b.tables[id]
		errs = append(errs, t.err)
		if len(t.segs) > 0 {
			edits = append(edits, mergetree.Edit{Table: id, Cause: mergetree.CauseInsert, Add: t.segs})
		}
	}
	return edits, errors.Join(errs...)
}

// abandon gives up the segments of edits whose commit failed, or was a repeat (nil). Where the outcome is unknown, the store finds out.
func (b *bulk) abandon(edits []mergetree.Edit, failed error) {
	if !errors.Is(failed, cluster.ErrUnknown) {
		b.discard(edits)
		return
	}
	for _, e := range edits {
		b.store.Release(e.Add)
	}
}

// discard deletes the segments of edits that were not committed.
func (b *bulk) discard(edits []mergetree.Edit) {
	for _, e := range edits {
		b.store.Discard(e.Add)
	}
}
