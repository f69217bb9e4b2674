package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/blockcodec"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
	"github.com/olapd/olapd/query"
)

// methodShard is a stream to the leader of a shard: a shardRequest as JSON, for an insert then its blocks (package blockcodec), for an adoption the files in
// pieces, none of which is of two, and back a shardAnswer as JSON.
const methodShard = "shard.do"

// The operations on a shard that only its leader does.
const (
	opInsert        = "insert"
	opTruncate      = "truncate"
	opDropPartition = "drop partition"
	opCopyPartition = "copy partition"
	opOptimize      = "optimize"
	opDeduplicate   = "deduplicate"
	opFlush         = "flush"
	opSetMerges     = "set merges"
	opCheck         = "check"
	opMutate        = "mutate"
	opCount         = "count"
	opRelease       = "release" // partitions of a Kafka source
	opFreeze        = "freeze"  // segments that are to move to another shard
	opArrive        = "arrive"  // of them
	opExtract       = "extract" // rows of frozen segments that are another shard's, or stay
	opKeep          = "keep"    // of what stays
	opDiscard       = "discard" // what was extracted, and has arrived
	opTokens        = "tokens"
	opCursors       = "cursors" // of a Kafka source
	opPartitions    = "partitions"
	opAdopt         = "adopt" // files of a backup
)

// shardRequest asks the leader of a shard for an operation.
type shardRequest struct {
	Shard     uint64              `json:"shard"`
	Op        string              `json:"op"`
	Table     catalog.TableID     `json:"table"`             // 0: all, where that makes sense
	Catalog   uint64              `json:"catalog,omitempty"` // version to be known before
	Partition string              `json:"partition,omitempty"`
	Final     bool                `json:"final,omitempty"`
	By        []string            `json:"by,omitempty"`
	Run       bool                `json:"run,omitempty"`
	Insert    query.InsertOptions `json:"insert,omitzero"`
	Mutation  *query.Mutation     `json:"mutation,omitempty"`
	Release   []releasing         `json:"release,omitempty"`
	Topology  uint64              `json:"topology,omitempty"` // version to be known before
	Move      *cluster.Move       `json:"move,omitempty"`
	Segments  []mergetree.Segment `json:"segments,omitempty"` // of the move, or to be adopted
	Spread    catalog.Spread      `json:"spread,omitempty"`   // by which rows are extracted
	Maker     string              `json:"maker,omitempty"`    // node that has the segments' files
	From      int                 `json:"from,omitempty"`     // first of the tokens
	To        catalog.TableID     `json:"to,omitempty"`       // table that rows are copied to
	Replace   bool                `json:"replace,omitempty"`  // rows of the partition there go
	Leave     bool                `json:"leave,omitempty"`    // they leave the table
}

// shardAnswer is what came of it; errors are the stream's own.
type shardAnswer struct {
	Insert   query.InsertResult  `json:"insert,omitzero"`
	Check    []query.CheckResult `json:"check,omitempty"`
	Released []released          `json:"released,omitempty"`
	Rows     uint64              `json:"rows,omitempty"` // of opCount

	Frozen     *cluster.Frozen `json:"frozen,omitempty"`
	Index      uint64          `json:"index,omitempty"` // of the log, of opArrive
	Partitions []partitionSize `json:"partitions,omitempty"`

	Segments []mergetree.Segment  `json:"segments,omitempty"` // extracted
	Maker    string               `json:"maker,omitempty"`    // node that has their files
	Tokens   []cluster.KnownToken `json:"tokens,omitempty"`
	Consumed []consumedTo         `json:"consumed,omitempty"`
	Adopted  bool                 `json:"adopted,omitempty"` // all files; else none
}

const (
	// moveAttempts is how often an operation follows a leadership that moves, movePause what it waits in between.
	moveAttempts = 20
	movePause    = 250 * time.Millisecond
	// maxBlockBytes is about the most that a message of an insert carries.
	maxBlockBytes = rpc.MaxMessage / 4
)

// do runs an operation where the shard is led. It follows the leadership as long as nothing has been done.
func (n *Node) do(ctx context.Context, q *shardRequest) (*shardAnswer, error) {
	for attempt := 1; ; attempt++ {
		a, err := n.doOnce(ctx, q)
		if !errors.Is(err, cluster.ErrNotLeader) && !sqlerr.Is(err, sqlerr.NotALeader) || errors.Is(err, cluster.ErrUnknown) || attempt == moveAttempts {
			return a, err
		}
		if err := n.cfg.Clock.Sleep(ctx, movePause); err != nil {
			return nil, err
		}
	}
}

func (n *Node) doOnce(ctx context.Context, q *shardRequest) (*shardAnswer, error) {
	if r := n.shards.led(q.Shard); r != nil {
		return n.perform(ctx, r, q, nil)
	}
	return n.elsewhere(ctx, q, nil)
}

// elsewhere asks the shard's leader; send, unless nil, sends what follows the request.
func (n *Node) elsewhere(ctx context.Context, q *shardRequest, send func(rpc.Stream) error) (*shardAnswer, error) {
	leader, err := n.shards.leaderOf(ctx, q.Shard)
	if err != nil {
		return nil, err
	}
	if leader == n.cluster.Name() || n.cfg.Network == nil {
		return nil, sqlerr.Wrap(cluster.ErrNotLeader, sqlerr.NotALeader, "Node %s does not lead shard %d yet", n.cluster.Name(), q.Shard)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := n.cfg.Network.Open(ctx, leader, methodShard)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	if err = s.Send(text); err == nil && send != nil {
		err = send(s)
	}
	if err == nil {
		err = s.CloseSend()
	}
	if err != nil && !errors.Is(err, io.EOF) { // the end of the stream says why: it is read below
		return nil, err
	}
	b, err := s.Recv()
	if errors.Is(err, io.EOF) {
		err = sqlerr.New(sqlerr.NetworkError, "Node %s ended %s of shard %d without an answer", leader, q.Op, q.Shard)
	}
	if err != nil {
		return nil, err
	}
	a := &shardAnswer{}
	return a, json.Unmarshal(b, a)
}

// serveShard answers methodShard.
func (n *Node) serveShard(ctx context.Context, _ string, s rpc.Stream) error {
	text, err := s.Recv()
	if err != nil {
		return err
	}
	q := &shardRequest{}
	if err := json.Unmarshal(text, q); err != nil {
		return sqlerr.Wrap(err, sqlerr.CorruptedData, "A request to a shard")
	}
	r, err := n.shards.mustLead(q.Shard)
	if err != nil {
		return err
	}
	if err := r.WaitSchema(ctx, q.Catalog); err != nil {
		return err
	}
	if q.Op == opAdopt {
		return n.serveAdopt(ctx, r, q, s)
	}
	a, err := n.perform(ctx, r, q, func(context.Context) (*column.Block, error) {
		b, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return blockcodec.Decode(b)
	})
	if err != nil {
		return err
	}
	if text, err = json.Marshal(a); err != nil {
		return err
	}
	return s.Send(text)
}

// perform does an operation on a shard that this node leads.
func (n *Node) perform(ctx context.Context, r *cluster.Shard, q *shardRequest, next func(context.Context) (*column.Block, error)) (*shardAnswer, error) {
	a := &shardAnswer{}
	var err error
	switch st := r.Store(); q.Op {
	case opInsert:
		t := n.cluster.Meta().Catalog().ByID(q.Table)
		if t == nil {
			return nil, sqlerr.New(sqlerr.UnknownTable, "Table %d does not exist any more", q.Table)
		}
		a.Insert, err = n.writer.into(ctx, r, t, next, q.Insert)
	case opTruncate:
		err = n.onShard(ctx, q, func() error {
			_, err := r.Truncate(ctx, q.Table)
			return err
		})
	case opDropPartition:
		err = n.onShard(ctx, q, func() error { return st.DropPartition(ctx, r, q.Table, q.Partition) })
	case opCopyPartition:
		err = n.onShard(ctx, q, func() error { return n.copyPartition(ctx, r, q) })
	case opOptimize:
		err = st.Optimize(ctx, r, q.Table, mergetree.OptimizeOptions{Partition: q.Partition, Final: q.Final})
	case opDeduplicate:
		err = n.onShard(ctx, q, func() error {
			return st.Optimize(ctx, r, q.Table, mergetree.OptimizeOptions{Partition: q.Partition, Distinct: q.By})
		})
	case opFlush:
		err = flushTables(ctx, r, q.Table)
	case opSetMerges:
		if q.Run {
			st.StartMerges(q.Table)
		} else {
			st.StopMerges(q.Table)
		}
	case opCheck:
		a.Check, err = checkTable(ctx, r, q.Table)
	case opMutate:
		err = n.onShard(ctx, q, func() error { return n.mutateShard(ctx, r, q) })
	case opCount:
		a.Rows, err = countRows(ctx, r, q)
	case opRelease:
		a.Released, err = n.sources.release(ctx, r, q)
	case opFreeze, opArrive, opExtract, opKeep:
		err = n.moveShard(ctx, r, q, a)
	case opDiscard:
		st.Discard(q.Segments)
	case opTokens:
		if err = r.WaitSchema(ctx, q.Catalog); err == nil {
			a.Tokens = r.Tokens(q.Table, q.From)
		}
	case opCursors:
		a.Consumed, err = consumedOn(ctx, r, q)
	case opPartitions:
		a.Partitions, err = n.partitionSizes(ctx, r)
	default:
		err = sqlerr.New(sqlerr.LogicalError, "No operation %q of shards is known here: the nodes run different versions", q.Op)
	}
	return a, err
}

// moveShard does a shard's part of a move, once what changes all rows of the table has ended here.
func (n *Node) moveShard(ctx context.Context, r *cluster.Shard, q *shardRequest, a *shardAnswer) (err error) {
	if q.Move == nil {
		return sqlerr.New(sqlerr.CorruptedData, "A request to move nothing")
	}
	if err := n.paused(ctx, pauseRequest{Table: q.Table, Topology: q.Topology}); err != nil {
		return err
	}
	if err := r.WaitSchema(ctx, q.Catalog); err != nil {
		return err
	}
	switch q.Op {
	case opFreeze:
		a.Frozen, err = r.Freeze(ctx, q.Move)
	case opExtract:
		a.Segments, err = n.extract(ctx, r, q)
		a.Maker = n.cluster.Name()
	case opKeep:
		a.Index, err = r.Keep(ctx, q.Move, q.Segments)
	default:
		a.Index, err = n.cluster.Arrive(ctx, r, q.Move, q.Segments, q.Maker)
	}
	return err
}

func flushTables(ctx context.Context, r *cluster.Shard, table catalog.TableID) error {
	if table != 0 {
		return r.Store().Flush(ctx, r, table)
	}
	snap := r.Store().Snapshot()
	ids := snap.Tables()
	snap.Close()
	var errs []error
	for _, id := range ids {
		errs = append(errs, r.Store().Flush(ctx, r, id))
	}
	return errors.Join(errs...)
}

// countRows counts all rows acknowledged before the call, before any FINAL.
func countRows(ctx context.Context, r *cluster.Shard, q *shardRequest) (uint64, error) {
	if err := errors.Join(r.WaitSchema(ctx, q.Catalog), r.Barrier(ctx)); err != nil {
		return 0, err
	}
	snap, err := r.View(ctx, q.Topology)
	if err != nil {
		return 0, err
	}
	defer snap.Close()
	if v := snap.Table(q.Table); v != nil {
		return v.Rows(), snap.Readable(q.Table)
	}
	return 0, nil
}

func checkTable(ctx context.Context, r *cluster.Shard, table catalog.TableID) ([]query.CheckResult, error) {
	snap := r.Store().Snapshot()
	defer snap.Close()
	view := snap.Table(table)
	if view == nil {
		return nil, nil
	}
	var out []query.CheckResult
	for _, h := range view.Segments() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		res := query.CheckResult{Segment: h.ID, OK: true}
		if err := verify(ctx, h); err != nil {
			res.OK, res.Message = false, err.Error()
		}
		out = append(out, res)
	}
	return out, nil
}

// sendBlocks sends the rows of an insert in messages of a bounded size.
func sendBlocks(ctx context.Context, s rpc.Stream, next func(context.Context) (*column.Block, error)) error {
	for {
		b, err := next(ctx)
		if err != nil || b == nil {
			return err
		}
		if err := sendBlock(s, b); err != nil {
			return err
		}
	}
}

func sendBlock(s rpc.Stream, b *column.Block) error {
	if b.N > 1 && b.Bytes() > maxBlockBytes {
		half := b.N / 2
		if err := sendBlock(s, b.Slice(0, half)); err != nil {
			return err
		}
		return sendBlock(s, b.Slice(half, b.N))
	}
	coded, err := blockcodec.Append(nil, b)
	if err != nil {
		return err
	}
	if len(coded) > rpc.MaxMessage {
		return sqlerr.New(sqlerr.TooLargeSizeCompressed, "A row of %d bytes cannot be sent to another node: the limit is %d", len(coded), rpc.MaxMessage)
	}
	if err := s.Send(coded); err != nil {
		return fmt.Errorf("sending rows: %w", err)
	}
	return nil
}
