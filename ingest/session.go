package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/olapd/olapd/internal/clock"
	"github.com/twmb/franz-go/pkg/kgo"
)

// errReplan ends a session whose plan no longer fits; it is not a failure.
var errReplan = errors.New("ingest: partitions changed")

// replanDelay is how soon a partition whose fetch failed is planned anew.
const replanDelay = time.Second

// session consumes from one read of the cursors until something ends it.
type session struct {
	c      *Consumer
	ctx    context.Context
	cancel context.CancelCauseFunc
	term   uint64
	plan   []found // what the session was planned over
	client *kgo.Client
	reader reader
	parts  []*partition
	byName map[string]map[int32]*partition

	commits chan sealed
	fetched chan kgo.Fetches
	changed chan struct{} // closed by the watcher
	broken  chan struct{} // has room for one: a partition's fetch failed

	messages int // records taken since the last flush, and their bytes
	bytes    int64
	reserved int64 // of the budget, for what is pending
	held     atomic.Int64
	timer    clock.Timer
	wg       sync.WaitGroup
}

// session runs one; the error is never nil.
func (c *Consumer) session(parent context.Context) error {
	c.board.setState(Starting)
	pos, err := c.o.Committer.Cursors(parent, c.o.SourceID)
	if err != nil {
		return fmt.Errorf("cannot read the cursors: %w", err)
	}
	parts, err := c.lookUp(parent)
	if err != nil {
		return err
	}
	moved, err := c.claim(parent, pos, parts)
	if err != nil {
		return fmt.Errorf("cannot take over partitions: %w", err)
	}
	if moved {
		return errReplan // the cursors are others now
	}
	as, first := plan(pos, parts, &c.o)
	c.halt(as)
	c.forget(pos)
	c.board.assigned(as)
	s := &session{c: c, term: pos.Term, plan: parts, byName: map[string]map[int32]*partition{},
		commits: make(chan sealed, commitQueue), fetched: make(chan kgo.Fetches), changed: make(chan struct{}), broken: make(chan struct{}, 1),
		reader: reader{database: c.o.Database, table: c.o.Table, cfg: &c.o.Config, schema: c.o.Schema, virtual: c.virtual, refused: c.refused}}
	s.ctx, s.cancel = context.WithCancelCause(parent)
	defer s.end()
	if err := s.assign(as); err != nil {
		return err
	}
	if len(first) > 0 {
		b := s.reader.seal(nil)
		b.Ranges = first
		if err := s.commit(b); err != nil {
			return err
		}
	}
	return s.run()
}

// halt keeps truncated partitions halted, also when the log has grown past the cursor again.
func (c *Consumer) halt(as []assignment) {
	for i := range as {
		a := &as[i]
		if why, ok := c.truncated[logName{a.TopicPartition, a.id}]; ok && a.state != Unavailable {
			a.state, a.reason = HaltedTruncated, why
		} else if a.state == HaltedTruncated {
			c.truncated[logName{a.TopicPartition, a.id}] = a.reason
		}
		if a.reason != "" && a.state != Unavailable {
			c.board.exception(a.reason)
		}
	}
}

// forget drops refused messages that are behind the cursors.
func (c *Consumer) forget(pos Position) {
	for tp, offsets := range c.refused {
		for o := range offsets {
			if o < pos.Cursors[tp].Next {
				delete(offsets, o)
			}
		}
	}
}

// assign makes the partitions that are consumed and the client that fetches them.
func (s *session) assign(as []assignment) error {
	offsets := map[string]map[int32]kgo.Offset{}
	for _, a := range as {
		if a.state != Consuming {
			continue
		}
		d, err := newMessageDecoder(&s.c.o.Config, s.c.o.Schema, s.c.reg)
		if err != nil {
			return err
		}
		p := &partition{TopicPartition: a.TopicPartition, id: a.id, next: a.next, stop: a.stop, decoder: d}
		s.parts = append(s.parts, p)
		if offsets[a.Topic] == nil {
			offsets[a.Topic], s.byName[a.Topic] = map[int32]kgo.Offset{}, map[int32]*partition{}
		}
		offsets[a.Topic][a.Partition] = kgo.NoResetOffset().At(a.next)
		s.byName[a.Topic][a.Partition] = p
	}
	if len(s.parts) == 0 {
		return nil
	}
	var err error
	s.client, err = s.c.fetchClient(offsets)
	return err
}

// end stops all goroutines and gives back the memory of what was not committed.
func (s *session) end() {
	s.cancel(errReplan)
	if s.client != nil {
		s.client.Close()
	}
	s.wg.Wait()
	s.c.budget.Release(s.held.Load())
}

func (s *session) run() error {
	s.timer = s.c.o.Clock.NewTimer(s.c.o.Config.FlushInterval)
	defer s.timer.Stop()
	committed := make(chan struct{})
	s.wg.Go(func() {
		defer close(committed)
		s.commitAll()
	})
	if s.client != nil {
		s.wg.Go(s.poll)
	}
	s.wg.Go(s.watch)
	s.c.board.setState(Running)
	for {
		var err error
		select {
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		case <-s.changed:
			err = errReplan
		case f := <-s.fetched:
			err = s.take(f)
		case <-s.timer.C():
			err = s.flush()
		}
		if err != nil {
			return s.finish(err, committed)
		}
	}
}

// finish commits what is pending, so that a session makes headway whatever ends it, and returns why it ends.
func (s *session) finish(why error, committed <-chan struct{}) error {
	if s.ctx.Err() == nil && s.flush() == nil {
		close(s.commits)
		select {
		case <-committed:
		case <-s.ctx.Done():
		}
	}
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return why
}

// poll hands fetches on, one at a time: while the session is busy nothing is fetched beyond the client's own buffer.
func (s *session) poll() {
	for s.ctx.Err() == nil {
		f := s.client.PollRecords(s.ctx, min(s.c.o.Config.PollRecords, s.c.o.Config.BlockRows))
		s.c.board.polled(s.held.Load())
		select {
		case s.fetched <- f:
		case <-s.ctx.Done():
		}
	}
}

// watch looks the topics up and ends the session when they changed.
func (s *session) watch() {
	t := s.c.o.Clock.NewTicker(s.c.o.Discover)
	defer t.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.broken:
			if s.c.o.Clock.Sleep(s.ctx, replanDelay) == nil {
				close(s.changed)
			}
			return
		case <-t.C():
		}
		now, err := s.c.lookUp(s.ctx)
		switch {
		case s.ctx.Err() != nil:
			return
		case err != nil:
			s.c.board.exception(err.Error())
			s.c.board.setState(Retrying)
			continue
		case !sameTopology(s.plan, now):
			close(s.changed)
			return
		}
		s.c.board.setState(Running)
		for _, p := range now {
			s.c.board.part(p.TopicPartition, func(st *PartitionStatus) { st.End = max(st.End, p.end) })
		}
	}
}

// flush hands what is pending to the committer.
func (s *session) flush() error {
	s.messages, s.bytes = 0, 0
	b := s.reader.seal(s.parts)
	b.reserved, s.reserved = s.reserved, 0
	if len(b.Ranges) == 0 {
		s.release(b.reserved)
		return nil
	}
	select {
	case s.commits <- b:
		return nil
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}

// commitAll commits batches in order until there are no more or one fails.
func (s *session) commitAll() {
	for {
		select {
		case b, ok := <-s.commits:
			if !ok {
				return
			}
			if err := s.commit(b); err != nil {
				s.cancel(err)
				return
			}
		case <-s.ctx.Done():
			return
		}
	}
}

func (s *session) commit(b sealed) error {
	b.SourceID, b.Term = s.c.o.SourceID, s.term
	if err := s.c.o.Committer.Commit(s.ctx, b.Batch); err != nil {
		return &commitFailed{err: err, batch: b}
	}
	s.c.board.committed(&b, b.reserved/costPerByte)
	s.c.group.put(b.Ranges)
	s.release(b.reserved)
	s.relax()
	return nil
}

// relax lets batches grow again after a message that could not be committed was found.
func (s *session) relax() {
	if l := s.c.limit.Load(); l > 0 {
		if l *= 2; l >= int64(s.c.o.Config.BlockRows) {
			l = 0
		}
		s.c.limit.Store(l)
	}
}
