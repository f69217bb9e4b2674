package node

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/blockcodec"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/materialized"
	"github.com/olapd/olapd/mergetree"
	"github.com/olapd/olapd/query"
	"github.com/olapd/olapd/query/plan"
	"github.com/zeebo/xxh3"
)

const (
	// maxSchemaRetries bounds how often an insert is derived anew because a table changed under it.
	maxSchemaRetries = 16
	// newerPatience is how long each waits for this node to learn of the change, of which a shard's leader may have heard first: some times what that
	// takes on a busy machine.
	newerPatience = time.Second
)

// awaitNewer waits until this node knows a newer catalog than a version that a shard has refused, for newerPatience at most.
func (n *Node) awaitNewer(ctx context.Context, version uint64) error {
	t := n.cfg.Clock.NewTimer(newerPatience)
	defer t.Stop()
	for {
		changed := n.cluster.Meta().Changed()
		if n.cluster.Meta().Catalog().Version > version {
			return nil
		}
		select {
		case <-changed:
		case <-t.C():
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// writer commits rows with what the rollups derive of them, on the shards they belong to.
type writer struct {
	node    *Node
	deriver *materialized.Deriver
}

// shardWriter is a shard as a commit sees it: its leader may be here or elsewhere.
type shardWriter interface {
	Append(ctx context.Context, b cluster.Batch) (cluster.Result, error)
}

// Insert implements query.Writer: rows up to about LogRowsBytes go into the log as one entry; more become segments first. Rows
// of a table with a sharding key are committed by shard.
func (w *writer) Insert(ctx context.Context, t *catalog.Table, next func(context.Context) (*column.Block, error), o query.InsertOptions) (query.InsertResult, error) {
	if w.node.shards.count() > 1 && t.ShardingKey() != "" {
		return w.split(ctx, t, next, o)
	}
	head := &headBlocks{next: next}
	whole, err := head.gather(ctx, w.node.cfg.logRows)
	if err != nil {
		return query.InsertResult{}, err
	}
	var first []byte
	if o.Dedup && o.Token == "" && len(head.blocks) > 0 && w.node.shards.count() > 1 {
		if first, err = blockcodec.Append(nil, head.blocks[0]); err != nil {
			return query.InsertResult{}, err
		}
	}
	return w.one(ctx, w.node.shards.choose(t, o.Token, o.Dedup, first), t, head, whole, o)
}

// one commits rows on one shard.
func (w *writer) one(ctx context.Context, id uint64, t *catalog.Table, head *headBlocks, whole bool, o query.InsertOptions) (query.InsertResult, error) {
	if whole {
		return w.small(ctx, w.node.cluster.Writer(id), t, head.blocks, o)
	}
	if r := w.node.shards.led(id); r != nil {
		return w.large(ctx, r, t, head, o)
	}
	q := &shardRequest{Shard: id, Op: opInsert, Table: t.ID, Catalog: w.node.cluster.Meta().Catalog().Version, Insert: o}
	a, err := w.node.elsewhere(ctx, q, func(s rpc.Stream) error { return sendBlocks(ctx, s, head.pull) })
	if err != nil {
		return query.InsertResult{}, err
	}
	return a.Insert, nil
}

// into commits rows that another node has sent on a shard that this node leads.
func (w *writer) into(ctx context.Context, r *cluster.Shard, t *catalog.Table, next func(context.Context) (*column.Block, error), o query.InsertOptions) (query.InsertResult, error) {
	head := &headBlocks{next: next}
	whole, err := head.gather(ctx, w.node.cfg.logRows)
	if err != nil {
		return query.InsertResult{}, err
	}
	if whole {
		return w.small(ctx, r, t, head.blocks, o)
	}
	return w.large(ctx, r, t, head, o)
}

// headBlocks is the first blocks of an insert, held to see whether they are all.
type headBlocks struct {
	next   func(context.Context) (*column.Block, error)
	blocks []*column.Block
}

// gather reads blocks until they take more than limit bytes; whole says that there are no more.
func (h *headBlocks) gather(ctx context.Context, limit int64) (whole bool, err error) {
	size := int64(0)
	for size <= limit {
		b, err := h.next(ctx)
		if err != nil {
			return false, err
		}
		if b == nil {
			return true, nil
		}
		if b.N > 0 {
			h.blocks = append(h.blocks, b)
			size += b.Bytes()
		}
	}
	return false, nil
}

// pull yields the blocks held, then the rest.
func (h *headBlocks) pull(ctx context.Context) (*column.Block, error) {
	if len(h.blocks) > 0 {
		b := h.blocks[0]
		h.blocks = h.blocks[1:]
		return b, nil
	}
	return h.next(ctx)
}

// current returns the newest catalog and the table in it, if it still has the columns that the rows were made for.
func (w *writer) current(t *catalog.Table) (*catalog.Catalog, *catalog.Table, error) {
	c := w.node.cluster.Meta().Catalog()
	now := c.ByID(t.ID)
	if now == nil {
		return nil, nil, sqlerr.New(sqlerr.UnknownTable, "Table %s does not exist", t.FullName())
	}
	if now.Version == t.Version {
		return c, now, nil
	}
	before, err := plan.NewTable(t)
	if err != nil {
		return nil, nil, err
	}
	after, err := plan.NewTable(now)
	if err != nil {
		return nil, nil, err
	}
	a, b := before.Schema(), after.Schema()
	same := len(a) == len(b)
	for i := 0; same && i < len(a); i++ {
		same = a[i].Name == b[i].Name && a[i].Type.Equal(b[i].Type)
	}
	if !same {
		return nil, nil, sqlerr.New(sqlerr.Aborted, "The columns of table %s changed during the insert; nothing was written, try again", t.FullName())
	}
	return c, now, nil
}

// isStored reports whether a table has rows of its own.
func isStored(t *catalog.Table) bool { return t.Kind == catalog.KindTable && t.BaseEngine() != "Null" }

func (w *writer) small(ctx context.Context, to shardWriter, t *catalog.Table, blocks []*column.Block, o query.InsertOptions) (query.InsertResult, error) {
	b := joined(blocks)
	if b == nil {
		return query.InsertResult{}, nil
	}
	done := query.InsertResult{Rows: uint64(b.N), Bytes: uint64(b.Bytes())}
	var hash xxh3.Hasher
	tokens, err := insertTokens(t, o, &hash, b)
	if err != nil {
		return query.InsertResult{}, err
	}
	for try := 0; ; try++ {
		c, now, err := w.current(t)
		if err != nil {
			return query.InsertResult{}, err
		}
		if err := placedBy(now, o); err != nil {
			return query.InsertResult{}, err
		}
		rows, err := w.derived(ctx, c, now, b, o.Direct)
		if err != nil {
			return query.InsertResult{}, err
		}
		if len(rows) == 0 {
			return done, nil
		}
		res, err := to.Append(ctx, cluster.Batch{Claims: cluster.Claims{Schema: c.Version, Tokens: claimed(tokens, rows)}, Rows: rows})
		if errors.Is(err, cluster.ErrSchemaChanged) && try < maxSchemaRetries {
			if err := w.node.awaitNewer(ctx, c.Version); err != nil {
				return query.InsertResult{}, err
			}
			continue
		}
		if err != nil {
			return query.InsertResult{}, err
		}
		if res.Duplicate {
			return query.InsertResult{Duplicate: true}, nil
		}
		return done, nil
	}
}

// joined is the blocks as one; nil if there are no rows.
func joined(blocks []*column.Block) *column.Block {
	switch len(blocks) {
	case 0:
		return nil
	case 1:
		return blocks[0].Flatten()
	}
	out := &column.Block{Cols: make([]column.Vector, len(blocks[0].Cols))}
	for c := range out.Cols {
		parts := make([]column.Vector, len(blocks))
		for i, b := range blocks {
			parts[i] = b.Cols[c]
		}
		out.Cols[c] = column.Flatten(column.Concat(parts...))
	}
	for _, b := range blocks {
		out.N += b.N
	}
	return out
}

// derived is the rows of a commit: the table's own and those of its rollups.
func (w *writer) derived(ctx context.Context, c *catalog.Catalog, t *catalog.Table, b *column.Block, direct bool) ([]cluster.TableRows, error) {
	var out []cluster.TableRows
	if isStored(t) {
		out = append(out, cluster.TableRows{Table: t.ID, Block: b})
	}
	if direct || len(c.RollupsOf(t.ID)) == 0 {
		return out, nil
	}
	pt, err := plan.NewTable(t)
	if err != nil {
		return nil, err
	}
	more, err := w.deriver.Derive(ctx, c, materialized.Rows{Table: t, Schema: pt.Schema(), Block: b})
	if err != nil {
		return nil, err
	}
	for _, r := range more {
		out = append(out, cluster.TableRows{Table: r.Table.ID, Block: r.Block})
	}
	return out, nil
}

// insertTokens is what makes a repeat of the insert take effect once: the user's token, or the hash of the rows. hash takes the rows in.
func insertTokens(t *catalog.Table, o query.InsertOptions, hash *xxh3.Hasher, b *column.Block) ([]cluster.Token, error) {
	if o.Token == "" && !o.Dedup {
		return nil, nil
	}
	bytes, err := blockcodec.Append(nil, b)
	if err != nil {
		return nil, err
	}
	_, _ = hash.Write(bytes) // a hash takes everything
	return []cluster.Token{tokenOf(t, o, hash)}, nil
}

func tokenOf(t *catalog.Table, o query.InsertOptions, hash *xxh3.Hasher) cluster.Token {
	sum := hash.Sum128().Bytes()
	id := o.Token
	if id == "" {
		id = "rows:" + string(sum[:])
	}
	return cluster.Token{Table: t.ID, ID: id, Hash: sum}
}

// claimed puts the tokens of a table without rows of its own (Null) on the first table that the commit changes.
func claimed(tokens []cluster.Token, rows []cluster.TableRows) []cluster.Token {
	for _, r := range rows {
		if len(tokens) == 0 || r.Table == tokens[0].Table {
			return tokens
		}
	}
	out := append([]cluster.Token(nil), tokens...)
	for i := range out {
		out[i].Table = rows[0].Table
	}
	return out
}

// large builds segments of the table and of its rollups' targets side by side, then commits them all in one entry.
func (w *writer) large(ctx context.Context, to *cluster.Shard, t *catalog.Table, head *headBlocks, o query.InsertOptions) (query.InsertResult, error) {
	c, now, err := w.current(t)
	if err == nil {
		err = placedBy(now, o)
	}
	if err != nil {
		return query.InsertResult{}, err
	}
	if w.inMemory(c, now) {
		return w.pieces(ctx, to, t, head, o)
	}
	b := newBulk(ctx, to.Store())
	res, tokens, err := w.feed(ctx, c, now, head, o, b)
	edits, buildErr := b.finish(err)
	if err == nil {
		err = buildErr
	}
	if err != nil || len(edits) == 0 {
		b.discard(edits)
		return query.InsertResult{}, err
	}
	done, err := to.CommitSegments(ctx, cluster.EditBatch{Claims: cluster.Claims{Schema: c.Version, Tokens: claimedByEdits(tokens, edits)}, Edits: edits})
	if err != nil || done.Duplicate {
		b.abandon(edits, err)
		if errors.Is(err, cluster.ErrSchemaChanged) {
			err = sqlerr.New(sqlerr.Aborted, "Table %s or one of its materialized views changed during the insert; nothing was written, try again", t.FullName())
		}
		return query.InsertResult{Duplicate: err == nil}, err
	}
	return res, nil
}

func claimedByEdits(tokens []cluster.Token, edits []mergetree.Edit) []cluster.Token {
	rows := make([]cluster.TableRows, len(edits))
	for i, e := range edits {
		rows[i].Table = e.Table
	}
	return claimed(tokens, rows)
}

// feed streams the blocks and their derived rows into the builders.
func (w *writer) feed(ctx context.Context, c *catalog.Catalog, t *catalog.Table, head *headBlocks, o query.InsertOptions, to *bulk) (query.InsertResult, []cluster.Token, error) {
	var res query.InsertResult
	var hash xxh3.Hasher
	for {
		b, err := head.pull(ctx)
		if err != nil {
			return res, nil, err
		}
		if b == nil {
			break
		}
		res.Rows += uint64(b.N)
		res.Bytes += uint64(b.Bytes())
		if _, err := insertTokens(t, o, &hash, b); err != nil {
			return res, nil, err
		}
		rows, err := w.derived(ctx, c, t, b, o.Direct)
		if err != nil {
			return res, nil, err
		}
		for _, r := range rows {
			if err := to.add(r); err != nil {
				return res, nil, err
			}
		}
	}
	if o.Token == "" && !o.Dedup {
		return res, nil, nil
	}
	return res, []cluster.Token{tokenOf(t, o, &hash)}, nil
}

// inMemory reports whether the insert reaches a table of engine Memory, which has no segments.
func (w *writer) inMemory(c *catalog.Catalog, t *catalog.Table) bool {
	if t.BaseEngine() == "Memory" {
		return true
	}
	for _, r := range c.RollupsOf(t.ID) {
		if target := c.ByID(r.Target); target != nil && target.ID != t.ID && w.inMemory(c, target) {
			return true
		}
	}
	return false
}

// pieces commits a large insert into Memory tables piece by piece, each atomic with its rollups' rows.
func (w *writer) pieces(ctx context.Context, to shardWriter, t *catalog.Table, head *headBlocks, o query.InsertOptions) (query.InsertResult, error) {
	var total query.InsertResult
	total.Duplicate = true
	for n := 0; ; n++ {
		b, err := head.pull(ctx)
		if err != nil || b == nil {
			return total, err
		}
		piece := o
		if o.Token != "" {
			piece.Token = o.Token + ":" + strconv.Itoa(n)
		}
		res, err := w.small(ctx, to, t, []*column.Block{b}, piece)
		if err != nil {
			return total, err
		}
		total.Rows += res.Rows
		total.Bytes += res.Bytes
		total.Duplicate = total.Duplicate && res.Duplicate
	}
}
