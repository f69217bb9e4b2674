package cluster

import (
	"context"
	"fmt"
	"io"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/blockcodec"
	"github.com/olapd/olapd/internal/sqlerr"
)

// codedBody is a body as it came from another node, looked through already.
type codedBody struct {
	k kind
	b []byte
}

func (b codedBody) kind() kind                        { return b.k }
func (b codedBody) append(dst []byte) ([]byte, error) { return append(dst, b.b...), nil }

// serveForward answers what another node asks the leader of a group.
func (n *Node) serveForward(ctx context.Context, _ string, s rpc.Stream) error {
	b, err := s.Recv()
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	q, err := decodeForward(b)
	if err != nil {
		return err
	}
	return s.Send(n.answerForward(ctx, q).append(nil))
}

func (n *Node) answerForward(ctx context.Context, q *forwardRequest) *forwardAnswer {
	if !n.serving.Load() {
		return &forwardAnswer{err: sqlerr.Wrap(ErrNotLeader, sqlerr.NotALeader, "Node %s is starting", n.cfg.Node)}
	}
	g, shard := n.groupOf(q.group)
	if g == nil {
		return &forwardAnswer{err: sqlerr.Wrap(ErrNotLeader, sqlerr.NotALeader, "Node %s has no group %d", n.cfg.Node, q.group)}
	}
	if !g.leadsHere() {
		return &forwardAnswer{err: notLeader(g), leader: g.leader()}
	}
	if q.what == askReadIndex {
		index, term, err := g.readIndex(ctx)
		return &forwardAnswer{term: term, index: index, err: err}
	}
	p := proposal{body: codedBody{q.kind, q.coded}, schema: q.schema, term: q.term}
	err := n.meta.admit(q)
	if shard != nil {
		p.rows, err = shard.admit(ctx, q)
	}
	if err != nil {
		return &forwardAnswer{err: err}
	}
	r, err := g.propose(ctx, p)
	if err == nil {
		err = r.err
	}
	a := &forwardAnswer{term: r.term, index: r.index, err: err, leader: g.leader()}
	a.result, _ = r.value.(Result)
	return a
}

// groupOf returns a group of this node and, if it is one, its shard.
func (n *Node) groupOf(id uint64) (*group, *Shard) {
	if id == metaGroup {
		return n.meta.g, nil
	}
	if s := n.Shard(id); s != nil {
		return s.g, s
	}
	return nil, nil
}

// admit refuses what only the leader of the meta group may propose, or no shard could apply.
func (m *Meta) admit(q *forwardRequest) error {
	switch b := q.body.(type) {
	case *catalogChange:
		c := m.Catalog()
		if b.delta.From != c.Version {
			return fmt.Errorf("%w: from version %d to %d", ErrConflict, b.delta.From, c.Version)
		}
		return m.check(c, b.delta)
	case *topologyChange:
		return b.to.check()
	case *accessChange: // the state machine holds its version against the present one
		return nil
	}
	return sqlerr.New(sqlerr.LogicalError, "%s cannot be forwarded to the meta group", q.kind)
}

// admit waits until the shard can take a commit from another node, and refuses what it never could. It returns the rows of the
// commit, which the state machine then need not decode again.
func (s *Shard) admit(ctx context.Context, q *forwardRequest) ([]TableRows, error) {
	var claims Claims
	var rows []TableRows
	switch b := q.body.(type) {
	case *appendRows:
		claims = Claims{Ranges: b.ranges, Tokens: b.tokens}
		var err error
		if rows, err = decodeRows(b); err != nil {
			return nil, err
		}
		if err := s.awaitRoom(ctx); err != nil {
			return nil, err
		}
	case *commitSegments:
		claims = Claims{Ranges: b.ranges, Tokens: b.tokens}
	case *moveStep:
		if b.act < actLeave || b.act == actKeep {
			return nil, sqlerr.New(sqlerr.LogicalError, "A move begins where its shard is led")
		}
	case *dropSegments, *dedupTrim, *moveSource, *handTokens:
	default:
		return nil, sqlerr.New(sqlerr.LogicalError, "%s cannot be forwarded to a shard", q.kind)
	}
	if err := claims.check(); err != nil {
		return nil, err
	}
	return rows, s.WaitSchema(ctx, q.schema)
}

func decodeRows(b *appendRows) ([]TableRows, error) {
	rows := make([]TableRows, len(b.coded))
	for i, c := range b.coded {
		rows[i].Table = c.table
		if len(c.block) > 0 {
			var err error
			if rows[i].Block, err = blockcodec.Decode(c.block); err != nil {
				return nil, err
			}
		}
	}
	return rows, nil
}
