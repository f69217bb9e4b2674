package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/olapd/olapd/internal/sqlerr"
)

// A handler's error is a status with the code Aborted and its text, and its own code in a trailer: only it has one.
const (
	codeTrailer = "olapd-code"
	// maxErrorText bounds the text of an error, which travels in a header.
	maxErrorText = 8 << 10
)

// rawCodec passes messages as they are, as *[]byte.
type rawCodec struct{}

var _ encoding.CodecV2 = rawCodec{}

// Name implements encoding.CodecV2.
func (rawCodec) Name() string { return "olapd" }

// Marshal implements encoding.CodecV2. The message is gRPC's from then on.
func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("rpc: a message of type %T", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(*b)}, nil
}

// Unmarshal implements encoding.CodecV2.
func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("rpc: a message for a %T", v)
	}
	*b = data.Materialize()
	return nil
}

// clientStream is a stream that this node has opened.
type clientStream struct {
	ctx  context.Context
	node string
	s    grpc.ClientStream
	over error // of Recv, which then returns it again
}

// Send implements Stream.
func (c *clientStream) Send(message []byte) error {
	if len(message) > MaxMessage {
		return tooLong(len(message))
	}
	err := c.s.SendMsg(&message)
	if err == nil || err == io.EOF && c.ctx.Err() == nil {
		return err
	}
	return clientError(c.ctx, c.node, err, nil)
}

// Recv implements Stream.
func (c *clientStream) Recv() ([]byte, error) {
	if c.over != nil {
		return nil, c.over
	}
	var b []byte
	err := c.s.RecvMsg(&b)
	if err == nil {
		return b, nil
	}
	if c.over = err; err != io.EOF {
		c.over = clientError(c.ctx, c.node, err, c.s.Trailer())
	}
	return nil, c.over
}

// CloseSend implements Stream.
func (c *clientStream) CloseSend() error { return c.s.CloseSend() }

// serverStream is a stream of another node, as its handler sees it.
type serverStream struct {
	ctx  context.Context
	node string
	s    grpc.ServerStream
}

// Send implements Stream.
func (s *serverStream) Send(message []byte) error {
	if len(message) > MaxMessage {
		return tooLong(len(message))
	}
	return s.translate(s.s.SendMsg(&message))
}

// Recv implements Stream.
func (s *serverStream) Recv() ([]byte, error) {
	var b []byte
	if err := s.s.RecvMsg(&b); err != nil {
		return nil, s.translate(err)
	}
	return b, nil
}

// CloseSend implements Stream: the end of the handler does.
func (s *serverStream) CloseSend() error { return nil }

func (s *serverStream) translate(err error) error {
	switch {
	case err == nil, err == io.EOF:
		return err
	case s.ctx.Err() != nil:
		return context.Cause(s.ctx)
	}
	return unreachable(s.node, err)
}

// handlerError gives gRPC the error of a handler.
func handlerError(s grpc.ServerStream, err error) error {
	if err == nil {
		return nil
	}
	s.SetTrailer(metadata.Pairs(codeTrailer, strconv.Itoa(int(sqlerr.CodeOf(err)))))
	text := err.Error()
	return status.Error(codes.Aborted, text[:min(len(text), maxErrorText)])
}

// clientError tells a handler's error, the end of the stream's context and the network's own errors apart.
func clientError(ctx context.Context, node string, err error, trailer metadata.MD) error {
	st := status.Convert(err)
	if code := trailer.Get(codeTrailer); len(code) == 1 && st.Code() == codes.Aborted {
		if n, err := strconv.ParseInt(code[0], 10, 32); err == nil {
			return &sqlerr.Error{Code: sqlerr.Code(n), Msg: st.Message(), Pos: -1}
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if st.Code() == codes.DeadlineExceeded { // the other side's clock was first
		return context.DeadlineExceeded
	}
	return unreachable(node, errors.New(st.Message()))
}
