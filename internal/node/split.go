package node

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query"
	"github.com/olapd/olapd/query/plan"
)

// heldPatience is how long an INSERT waits for its table to take rows again, which are about to be read on other shards. It is more than holdPatience and
// what it takes to undo.
const heldPatience = time.Minute

// errPlaced is the end of a commit of which nothing was written: its rows were found to be a shard's by a spread that does not count any more.
var errPlaced = errors.New("the table has come to lie on other shards")

// placedBy refuses rows that were not placed by the present spread of their table.
func placedBy(now *catalog.Table, o query.InsertOptions) error {
	if !now.Held && slices.Equal(now.Spread, o.Spread) {
		return nil
	}
	return sqlerr.Wrap(errPlaced, sqlerr.Aborted, "Table %s came to lie on other shards during the insert; nothing was written, try again", now.FullName())
}

// spreadOf returns how commits find the shards of a table's rows, once it takes some; given is what the commits are to be told of it.
func (w *writer) spreadOf(ctx context.Context, t *catalog.Table) (spread, given catalog.Spread, err error) {
	meta := w.node.cluster.Meta()
	late := w.node.cfg.Clock.NewTimer(heldPatience)
	defer late.Stop()
	for {
		changed := meta.Changed()
		now := meta.Catalog().ByID(t.ID)
		switch {
		case now == nil:
			return nil, nil, sqlerr.New(sqlerr.UnknownTable, "Table %s does not exist", t.FullName())
		case !now.Held && now.Spread != nil:
			return now.Spread, now.Spread, nil
		case !now.Held:
			return w.node.shards.of(t), nil, nil
		}
		select {
		case <-changed:
		case <-late.C():
			return nil, nil, sqlerr.New(sqlerr.Aborted, "Table %s has taken no rows for %s, as these are about to be read on other shards; try again", t.FullName(), heldPatience)
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
}

// splitting is an INSERT into a table with a sharding key: each row is committed on the shard that its key says, one commit a shard; with a token one for each
// way that rows have gone to a shard. When one fails, others may have been made: a repeat with the same token writes the missing ones only.
type splitting struct {
	w      *writer
	t      *catalog.Table
	schema column.Schema
	o      query.InsertOptions
	spread catalog.Spread // by which rows are parted; what commits are told of it is in o
	cancel context.CancelCauseFunc

	parts map[string]chan *column.Block // by shard and token
	work  sync.WaitGroup
	mu    struct {
		sync.Mutex
		total query.InsertResult
		again bool // something was a repeat
		fresh bool // something was not
		errs  []error
	}
}

// split commits rows by shard.
func (w *writer) split(ctx context.Context, t *catalog.Table, next func(context.Context) (*column.Block, error), o query.InsertOptions) (query.InsertResult, error) {
	pt, err := plan.NewTable(t)
	if err != nil {
		return query.InsertResult{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	x := &splitting{w: w, t: t, schema: pt.Schema(), o: o, cancel: cancel, parts: map[string]chan *column.Block{}}
	if x.spread, x.o.Spread, err = w.spreadOf(ctx, t); err != nil {
		return query.InsertResult{}, err
	}
	feedErr := x.distribute(ctx, next)
	if feedErr != nil {
		cancel(feedErr)
	}
	for _, p := range x.parts {
		close(p)
	}
	x.work.Wait()
	err = errors.Join(x.mu.errs...)
	if feedErr != nil && !errors.Is(err, feedErr) {
		err = feedErr
	}
	total := x.mu.total
	total.Duplicate = x.mu.again && !x.mu.fresh
	if err != nil && total.Rows > 0 {
		err = sqlerr.Wrap(err, sqlerr.CodeOf(err), "%d rows were written on other shards; repeat the insert with the same insert_deduplication_token to write the rest only", total.Rows)
	}
	return total, err
}

// piece is rows of a block that are committed together.
type piece struct {
	shard uint64
	token string // what the INSERT's is called there
	rows  *column.Block
}

// pieces parts a block.
func (x *splitting) pieces(spread catalog.Spread, b *column.Block) ([]piece, error) {
	hashes, err := x.w.node.shards.hashes(x.t, x.schema, b)
	if err != nil {
		return nil, err
	}
	var out []piece
	if x.o.Token == "" {
		for i, rows := range byShard(hashes, spread) {
			if len(rows) > 0 {
				out = append(out, piece{shard: uint64(i) + 1, rows: gathered(b, rows)})
			}
		}
		return out, nil
	}
	ways, rows := spread.Ways(hashes)
	for i, way := range ways {
		out = append(out, piece{shard: way.Shard(), token: cluster.TokenOn(x.o.Token, way), rows: gathered(b, rows[i])})
	}
	return out, nil
}

// gathered is some rows of a block: the block itself, if they are all.
func gathered(b *column.Block, rows []uint32) *column.Block {
	if len(rows) == b.N {
		return b
	}
	return b.Gather(rows)
}

// distribute hands each block's rows to their shards.
func (x *splitting) distribute(ctx context.Context, next func(context.Context) (*column.Block, error)) error {
	for {
		b, err := next(ctx)
		if err != nil || b == nil {
			return err
		}
		if b.N == 0 {
			continue
		}
		pieces, err := x.pieces(x.spread, b)
		if err != nil {
			return err
		}
		for _, p := range pieces {
			select {
			case x.part(ctx, p) <- p.rows:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// part is where the rows of a piece go; it is begun with the first.
func (x *splitting) part(ctx context.Context, p piece) chan *column.Block {
	name := strconv.FormatUint(p.shard, 10) + " " + p.token
	if c := x.parts[name]; c != nil {
		return c
	}
	c := make(chan *column.Block)
	x.parts[name] = c
	x.work.Go(func() {
		err := sqlerr.Guard(func() error { return x.commit(ctx, p, c) })
		if err == nil {
			return
		}
		x.cancel(err)
		x.mu.Lock()
		defer x.mu.Unlock()
		x.mu.errs = append(x.mu.errs, sqlerr.Wrap(err, sqlerr.CodeOf(err), "Shard %d", p.shard))
	})
	return c
}

// commit commits the rows of one part. If they have come to lie on other shards, and are few enough to have gone through the log, they are parted anew.
func (x *splitting) commit(ctx context.Context, p piece, rows <-chan *column.Block) error {
	head := &headBlocks{next: func(ctx context.Context) (*column.Block, error) { return receive(ctx, rows) }}
	whole, err := head.gather(ctx, x.held())
	if err != nil || whole && len(head.blocks) == 0 {
		return err
	}
	err = x.one(ctx, p, head, whole, x.o.Spread)
	for whole && errors.Is(err, errPlaced) {
		var spread, given catalog.Spread
		if spread, given, err = x.w.spreadOf(ctx, x.t); err != nil {
			return err
		}
		err = x.anew(ctx, head, spread, given)
	}
	return err
}

// held is how many bytes of rows of a part are held to see whether they are all: of the parts that lead to one shard together, as many as of a commit.
func (x *splitting) held() int64 {
	if x.o.Token == "" {
		return x.w.node.cfg.logRows
	}
	return x.w.node.cfg.logRows / int64(x.spread.Count())
}

// anew commits held rows by another spread than they were parted by, and leaves in head those that were not committed as that does not count any more either.
func (x *splitting) anew(ctx context.Context, head *headBlocks, spread, given catalog.Spread) error {
	pieces, err := x.pieces(spread, joined(head.blocks))
	if err != nil {
		return err
	}
	head.blocks = nil
	var placed error
	for _, p := range pieces {
		err := x.one(ctx, p, &headBlocks{blocks: []*column.Block{p.rows}}, true, given)
		if errors.Is(err, errPlaced) {
			head.blocks, placed = append(head.blocks, p.rows), err
		} else if err != nil {
			return err
		}
	}
	return placed
}

// one commits a piece and counts it.
func (x *splitting) one(ctx context.Context, p piece, head *headBlocks, whole bool, given catalog.Spread) error {
	o := x.o
	o.Token, o.Spread = p.token, given
	res, err := x.w.one(ctx, p.shard, x.t, head, whole, o)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mu.total.Rows, x.mu.total.Bytes = x.mu.total.Rows+res.Rows, x.mu.total.Bytes+res.Bytes
	x.mu.again, x.mu.fresh = x.mu.again || res.Duplicate, x.mu.fresh || res.Rows > 0 && !res.Duplicate
	return err
}

// receive returns the next block of a channel, nil when that is closed.
func receive(ctx context.Context, c <-chan *column.Block) (*column.Block, error) {
	select {
	case b := <-c:
		return b, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
