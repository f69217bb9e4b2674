package raftnet

import (
	"context"
	"fmt"
	"io"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/cluster/rpc"
)

// cutEntries leaves out what a message has no room for, but never the first entry. Raft takes the entries of the request that it
// gets back for those that were sent, and sends the rest next.
func cutEntries(args *raft.AppendEntriesRequest) {
	bytes := 0
	for i, e := range args.Entries {
		bytes += len(e.Data) + len(e.Extensions)
		if bytes > maxAppendBytes && i > 0 {
			args.Entries = args.Entries[:i]
			return
		}
	}
}

// Bytes in front of the messages of raft.append.
const (
	frameWhole = iota
	framePiece
	frameLast
)

// sendFramed sends a message whose first byte is free for the frame.
func sendFramed(s rpc.Stream, b []byte) error {
	for len(b) > rpc.MaxMessage {
		piece := append([]byte{framePiece}, b[1:rpc.MaxMessage]...)
		if err := s.Send(piece); err != nil {
			return err
		}
		b = b[rpc.MaxMessage-1:]
		b[0] = frameLast
	}
	return s.Send(b)
}

// recvFramed receives a message, put together.
func recvFramed(s rpc.Stream) (message, error) {
	var all []byte
	for {
		b, err := s.Recv()
		if err != nil {
			return message{}, err
		}
		if len(b) == 0 || b[0] > frameLast || len(all)+len(b) > maxAppendMessage {
			return message{}, fmt.Errorf("raftnet: a bad frame of %d bytes behind %d", len(b), len(all))
		}
		if all == nil && b[0] != framePiece {
			return decodeMessage(b[1:])
		}
		all = append(all, b[1:]...)
		if b[0] != framePiece {
			return decodeMessage(all)
		}
	}
}

// appendOnce sends entries and waits for the answer. A node that cannot be reached, or has not opened the group yet, is tried again
// for a while.
func (t *Transport) appendOnce(node string, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	ctx, cancel := t.mux.within(t.ctx, appendTimeout)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := t.tryAppend(ctx, node, args, resp)
		if err == nil || t.mux.clk.Sleep(ctx, pause) != nil {
			return err
		}
	}
}

func (t *Transport) tryAppend(ctx context.Context, node string, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := t.mux.net.Open(ctx, node, methodAppend)
	if err != nil {
		return err
	}
	cutEntries(args)
	b, err := appendMessage([]byte{frameWhole}, message{kind: kindAppendEntries, group: t.group, body: args})
	if err != nil {
		return err
	}
	if err := sendFramed(s, b); err != nil && err != io.EOF {
		return err
	}
	got, err := recvFramed(s)
	if err != nil {
		return err
	}
	return settle(got, resp)
}

// serveAppend answers the entries that a leader sends, in their order.
func (m *Mux) serveAppend(ctx context.Context, from string, s rpc.Stream) error {
	for {
		req, err := recvFramed(s)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		b, err := answer(req, m.handle(ctx, from, req))
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err == nil {
			err = s.Send(append([]byte{frameWhole}, b...))
		}
		if err != nil {
			return err
		}
	}
}
