package raftnet

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/cluster/rpc"
)

// pipeline sends entries without waiting for the answers to those before. Once something fails, it has failed as a whole.
type pipeline struct {
	t        *Transport
	stream   rpc.Stream
	ctx      context.Context // ends with the first failure, or with Close
	end      context.CancelCauseFunc
	last     uint64       // id; of the sender
	told     told         // of the sender
	open     atomic.Int64 // messages whose answers the consumer has not taken
	sent     chan *future // in order, not yet answered
	answers  chan message // as they come in
	consumer chan raft.AppendFuture
	closed   chan struct{}
	once     sync.Once
}

// AppendEntriesPipeline implements raft.Transport.
func (t *Transport) AppendEntriesPipeline(id raft.ServerID, _ raft.ServerAddress) (raft.AppendPipeline, error) {
	p := &pipeline{t: t, sent: make(chan *future, maxInflight), answers: make(chan message), consumer: make(chan raft.AppendFuture), closed: make(chan struct{})}
	p.ctx, p.end = context.WithCancelCause(t.ctx)
	var err error
	if p.stream, err = t.openPipeline(p.ctx, string(id)); err != nil {
		p.end(err)
		return nil, err
	}
	go func() { p.end(p.receive()) }()
	go p.settle()
	return p, nil
}

// openPipeline opens a stream that lives as long as ctx, within controlTimeout.
func (t *Transport) openPipeline(ctx context.Context, node string) (rpc.Stream, error) {
	type opened struct {
		s   rpc.Stream
		err error
	}
	done := make(chan opened, 1)
	go func() {
		s, err := t.mux.net.Open(ctx, node, methodAppend)
		done <- opened{s, err}
	}()
	timer := t.mux.clk.NewTimer(controlTimeout)
	defer timer.Stop()
	select {
	case o := <-done:
		return o.s, o.err
	case <-timer.C():
		return nil, context.DeadlineExceeded
	}
}

// told is what a follower knows once it has the message sent last, and when that was.
type told struct {
	prev, prevTerm, commit uint64
	doubts                 uint64 // of the transport, before it was sent
	at                     time.Time
}

// repeats reports whether a message without entries says nothing that the one before did not say, which has been answered. Raft makes such messages ten
// times a second for each follower. One that is left out has no answer, which raft does not miss: its heartbeats, which are not left out, tell it that
// the follower is there. Before the answer it may be that raft sends one after the other until that comes, and is to be held by maxInflight.
func (p *pipeline) repeats(args *raft.AppendEntriesRequest) bool {
	now := told{args.PrevLogEntry, args.PrevLogTerm, args.LeaderCommitIndex, p.t.doubts.Load(), p.told.at}
	if len(args.Entries) == 0 && now == p.told && p.open.Load() == 0 && p.t.mux.clk.Since(p.told.at) < repeatAfter {
		return true
	}
	if n := len(args.Entries); n > 0 {
		now.prev, now.prevTerm = args.Entries[n-1].Index, args.Entries[n-1].Term
	}
	now.at = p.t.mux.clk.Now()
	p.told = now
	return false
}

// AppendEntries implements raft.AppendPipeline. It waits while maxInflight messages are unanswered, or the network is slow, for
// appendTimeout at most: the pipeline fails when the answer to a message takes longer. The future, which raft takes from Consumer only, is nil if the
// message was left out.
func (p *pipeline) AppendEntries(args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) (raft.AppendFuture, error) {
	if err := context.Cause(p.ctx); err != nil {
		return nil, err
	}
	cutEntries(args)
	if p.repeats(args) {
		return nil, nil
	}
	p.last++
	f := &future{id: p.last, start: p.t.mux.clk.Now(), args: args, resp: resp, done: make(chan struct{})}
	b, err := appendMessage([]byte{frameWhole}, message{kind: kindAppendEntries, id: f.id, group: p.t.group, body: args})
	if err != nil {
		return nil, err
	}
	p.open.Add(1)
	select {
	case p.sent <- f:
	case <-p.ctx.Done():
		return nil, context.Cause(p.ctx)
	}
	if err := sendFramed(p.stream, b); err != nil {
		p.end(err)
		return nil, err
	}
	return f, nil
}

// Consumer implements raft.AppendPipeline.
func (p *pipeline) Consumer() <-chan raft.AppendFuture { return p.consumer }

// Close implements raft.AppendPipeline.
func (p *pipeline) Close() error {
	p.end(errClosed)
	p.once.Do(func() { close(p.closed) })
	return nil
}

// receive takes answers in until the stream ends.
func (p *pipeline) receive() error {
	for {
		m, err := recvFramed(p.stream)
		if err != nil {
			return fmt.Errorf("raftnet: the stream of entries has ended: %w", err)
		}
		select {
		case p.answers <- m:
		case <-p.ctx.Done():
			return context.Cause(p.ctx)
		}
	}
}

// settle matches answers with what was sent, and hands both to the consumer in their order, until Close. The list of what the
// consumer has not taken yet is what keeps the sender free; raft stops sending soon after its consumer has left.
func (p *pipeline) settle() {
	var ready []raft.AppendFuture
	var waiting *future // the oldest without an answer
	var overdue <-chan time.Time
	finish := func(f *future, err error) {
		f.finish(err)
		ready = append(ready, f)
		waiting, overdue = nil, nil
	}
	failed := p.ctx.Done()
	for {
		sent, answers := p.sent, p.answers
		if waiting != nil {
			sent = nil
		} else {
			answers = nil
		}
		var consumer chan<- raft.AppendFuture
		var next raft.AppendFuture
		if len(ready) > 0 {
			consumer, next = p.consumer, ready[0]
		}
		select {
		case f := <-sent:
			if err := context.Cause(p.ctx); err != nil {
				finish(f, err)
				continue
			}
			waiting, overdue = f, p.t.mux.clk.After(appendTimeout-p.t.mux.clk.Since(f.start))
		case m := <-answers:
			if m.id < waiting.id {
				continue // the answer to a message that arrived twice
			}
			err := settle(m, waiting.resp)
			if m.id > waiting.id {
				err = fmt.Errorf("raftnet: the answer to message %d came in place of %d", m.id, waiting.id)
			}
			finish(waiting, err)
			if err != nil {
				p.end(err)
			}
		case <-overdue:
			p.end(context.DeadlineExceeded)
		case <-failed:
			failed = nil
			if waiting != nil {
				finish(waiting, context.Cause(p.ctx))
			}
		case consumer <- next:
			ready = ready[1:]
			p.open.Add(-1)
		case <-p.closed:
			return
		}
	}
}

// future is a message of entries that was sent.
type future struct {
	id    uint64
	start time.Time
	args  *raft.AppendEntriesRequest
	resp  *raft.AppendEntriesResponse
	err   error
	done  chan struct{}
}

func (f *future) finish(err error) {
	if f.err = err; err != nil {
		*f.resp = raft.AppendEntriesResponse{} // raft looks at the answer alone: this one stops its pipeline
	}
	close(f.done)
}

// Error implements raft.Future.
func (f *future) Error() error {
	<-f.done
	return f.err
}

// Start implements raft.AppendFuture.
func (f *future) Start() time.Time { return f.start }

// Request implements raft.AppendFuture.
func (f *future) Request() *raft.AppendEntriesRequest { return f.args }

// Response implements raft.AppendFuture.
func (f *future) Response() *raft.AppendEntriesResponse { return f.resp }
