package cluster

import (
	"context"
	"errors"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// What a proposal can end with, beside mergetree.ErrEditRejected. All but ErrUnknown say that it had and will have no effect.
var (
	// ErrUnknown: it may or may not have been committed, or be yet. Code UnknownStatusOfInsert. A retry is safe
	// with the same token, or the same source ranges.
	ErrUnknown = errors.New("cluster: outcome unknown")
	// ErrNotLeader: this node does not lead the group, or its term has ended. Code NotALeader. Retry.
	ErrNotLeader = errors.New("cluster: not the leader")
	// ErrCursorMoved: a source range does not begin at the stored cursor. Read the cursors again.
	ErrCursorMoved = errors.New("cluster: the cursor is elsewhere")
	// ErrSchemaChanged: the rows were derived under another schema of their tables. Derive them again.
	ErrSchemaChanged = errors.New("cluster: the schema has changed")
	// ErrStopped: the replica stopped after a failure of its storage; reads go on. Code TableIsReadOnly.
	ErrStopped = errors.New("cluster: the replica has stopped")
	// ErrClosed: the node is shutting down. Code Aborted.
	ErrClosed = errors.New("cluster: closed")
	// ErrConflict: the catalog has changed meanwhile.
	ErrConflict = errors.New("cluster: the catalog has changed meanwhile")
)

func unknown(cause error) error {
	return sqlerr.Wrap(errors.Join(ErrUnknown, cause), sqlerr.UnknownStatusOfInsert, "Unknown status of the write: it may have been committed")
}

func notLeader(g *group) error {
	return sqlerr.Wrap(ErrNotLeader, sqlerr.NotALeader, "Node %s does not lead group %d", g.node, g.id)
}

func stopped(g uint64, cause error) error {
	code := sqlerr.TableIsReadOnly
	if vfs.IsNoSpace(cause) {
		code = sqlerr.NotEnoughSpace
	}
	return sqlerr.Wrap(errors.Join(ErrStopped, cause), code, "Group %d takes no writes until a restart", g)
}

func full() error {
	return sqlerr.New(sqlerr.NotEnoughSpace, "The disk is full: writes go on when there is space")
}

func closed() error { return sqlerr.Wrap(ErrClosed, sqlerr.Aborted, "The node is shutting down") }

// outcome translates what raft says about a proposal that was handed to it.
func (g *group) outcome(err error) error {
	switch {
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress), errors.Is(err, raft.ErrEnqueueTimeout):
		return notLeader(g)
	}
	return unknown(err)
}

// retryable reports whether the same proposal may succeed when it is made again, and has had no effect.
func retryable(err error) bool { return errors.Is(err, ErrNotLeader) || errors.Is(err, ErrConflict) }

func ctxErr(ctx context.Context) error { return context.Cause(ctx) }
