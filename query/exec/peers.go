package exec

import (
	"context"

	"github.com/olapd/olapd/internal/column"
)

// Peers is the nodes that run one fragment together and send each other rows. Each has a part of the rows of every shuffle. It is safe for concurrent
// use.
type Peers interface {
	// Parts is how many parts there are, and own which of them is this node's.
	Parts() (n, own int)
	// Send begins to send rows of a shuffle to another part. The sender ends with ctx.
	Send(ctx context.Context, shuffle, part int, fields column.Schema) (RowSender, error)
	// Receive has put called with the rows that the other parts send here, from any goroutine, and end once for each of them: with nil
	// when they are all there. It is called once for a shuffle. put neither waits nor keeps a sender from others; an error of it goes to the sender.
	Receive(shuffle int, fields column.Schema, put func(*column.Block) error, end func(error))
}

// RowSender sends rows to one part. It belongs to one goroutine at a time.
type RowSender interface {
	Send(*column.Block) error
	// Close tells that the rows were all, or with an error that they are not and why, and waits until that is known there.
	Close(error) error
}

// Mesh is the Peers that the Shuffles of one fragment have in common.
type Mesh struct {
	// Peers are there before the Shuffles are opened.
	Peers Peers
	// Finish says that a run ends only when all its rows were sent, though its own result may be complete earlier: what others make of them is not.
	Finish bool
}
