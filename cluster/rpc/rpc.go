// Package rpc carries messages between the nodes of a cluster: streams of byte messages, opened by a method's name. What the
// bytes mean is the business of those who open and handle streams. There are two networks: the real one over gRPC with mutual
// TLS, and one in memory, with latency, loss and partitions, for whole clusters in one process and in virtual time.
package rpc

import (
	"context"

	"github.com/olapd/olapd/internal/sqlerr"
)

// MaxMessage is the limit of a message's bytes; longer ones are refused by Send. Blocks and files travel in pieces.
const MaxMessage = 16 << 20

// ErrUnreachable is wrapped by errors of the network itself: the node could not be reached, or the stream broke before its
// end. Whether what was sent took effect is unknown. Errors of a handler come through as they are, as a *sqlerr.Error.
var ErrUnreachable = sqlerr.New(sqlerr.NetworkError, "The node cannot be reached")

// Network is what a node knows of the others. Its methods may be called from any goroutine.
type Network interface {
	// Self is this node's name.
	Self() string
	// Handle sets what answers streams of a method. Every method is handled before the first stream comes in: a stream of
	// an unknown one is refused.
	Handle(method string, h Handler)
	// Open starts a stream to a node, also to this one. The stream ends with ctx, whose deadline travels with it; its owner cancels ctx when
	// it has no more use for the stream.
	Open(ctx context.Context, node, method string) (Stream, error)
}

// Handler answers one stream: it returns when it is done, and its error, or nil, is the end of the stream for the one who opened
// it. ctx ends when the other side has gone. from is the name of the node that opened the stream, proven by its certificate.
type Handler func(ctx context.Context, from string, s Stream) error

// Stream is two sequences of messages. One goroutine may send while another receives. Send waits while the other side is slow
// to receive. A message belongs to the stream once it is sent, and to the receiver once it is received.
type Stream interface {
	// Send returns io.EOF when the handler has returned: Recv then says with what.
	Send(message []byte) error
	// Recv returns the next message, or io.EOF behind the last one: the other side has closed its direction, or the handler
	// has returned nil.
	Recv() ([]byte, error)
	// CloseSend says that no more messages will be sent.
	CloseSend() error
}
