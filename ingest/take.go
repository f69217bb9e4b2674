package ingest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// memoryPause is how often a session that waits for memory looks again.
const memoryPause = 20 * time.Millisecond

// take decodes what a poll returned and flushes if the batch is full.
func (s *session) take(f kgo.Fetches) error {
	work := map[*partition][]*kgo.Record{}
	for _, fetch := range f {
		for _, t := range fetch.Topics {
			for i := range t.Partitions {
				if err := s.sort(&t, &t.Partitions[i], work); err != nil {
					return err
				}
			}
		}
	}
	if limit := int(s.c.limit.Load()); limit > 0 {
		return s.takeFew(work, limit)
	}
	return s.takeAll(work)
}

// sort adds the records of a fetched partition to work, or takes the partition out of the session.
func (s *session) sort(t *kgo.FetchTopic, fp *kgo.FetchPartition, work map[*partition][]*kgo.Record) error {
	p := s.byName[t.Topic][fp.Partition]
	var loss *kgo.ErrDataLoss
	switch {
	case p == nil && (fp.Err == nil || s.ctx.Err() != nil || t.Topic != ""):
		// Dropped before, or the client's last words.
	case p != nil && p.next >= p.stop:
		// All that is to be consumed for now has been.
	case p == nil:
		return fmt.Errorf("fetch: %w", fp.Err)
	case errors.As(fp.Err, &loss):
		s.drop(p, HaltedTruncated, loss.Error())
	case fp.Err != nil:
		s.drop(p, Unavailable, fp.Err.Error())
	case TopicID(t.TopicID) != p.id && t.TopicID != [16]byte{}:
		s.drop(p, Unavailable, "the topic was created again")
	default:
		work[p] = append(work[p], fp.Records...)
		s.c.board.part(p.TopicPartition, func(st *PartitionStatus) { st.End = max(st.End, fp.HighWatermark) })
	}
	return nil
}

// drop stops fetching a partition, what it has pending stays; the watcher soon has it planned again.
func (s *session) drop(p *partition, state PartitionState, why string) {
	s.client.RemoveConsumePartitions(map[string][]int32{p.Topic: {p.Partition}})
	delete(s.byName[p.Topic], p.Partition)
	if state == HaltedTruncated {
		s.c.truncated[logName{p.TopicPartition, p.id}] = why
	}
	s.c.board.exception(p.String() + ": " + why)
	s.c.board.part(p.TopicPartition, func(st *PartitionStatus) { st.State, st.Reason = state, why })
	select {
	case s.broken <- struct{}{}:
	default:
	}
}

// takeAll decodes the partitions side by side.
func (s *session) takeAll(work map[*partition][]*kgo.Record) error {
	records := 0
	bytes := int64(0)
	for _, list := range work {
		records += len(list)
		for _, r := range list {
			bytes += recordBytes(r)
		}
	}
	if records == 0 {
		return nil
	}
	if err := s.reserve(bytes * costPerByte); err != nil {
		return err
	}
	if s.messages == 0 {
		s.timer.Reset(s.c.o.Config.FlushInterval)
	}
	s.messages += records
	s.bytes += bytes
	if err := s.decode(work); err != nil {
		return err
	}
	if s.pendingRows() >= s.c.o.Config.BlockRows || s.bytes >= maxBatchBytes || s.atStops() {
		return s.flush()
	}
	return nil
}

// atStops reports whether a partition has got to where it ends for now: others wait for that.
func (s *session) atStops() bool {
	return slices.ContainsFunc(s.parts, func(p *partition) bool { return p.next >= p.stop && !p.pend.empty() })
}

// pendingRows is the rows or messages that wait, whichever are more.
func (s *session) pendingRows() int {
	n := 0
	for _, p := range s.parts {
		if p.pend.rows != nil {
			n += p.pend.rows.N
		}
	}
	return max(n, s.messages)
}

func (s *session) decode(work map[*partition][]*kgo.Record) error {
	if len(work) == 1 || s.c.workers == 1 {
		for p, list := range work {
			if err := s.reader.take(s.ctx, p, list); err != nil {
				return err
			}
		}
		return nil
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, s.c.workers)
	errs := make(chan error, len(work))
	for p, list := range work {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			errs <- s.reader.take(s.ctx, p, list)
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// takeFew commits at most limit messages at a time, to find the one that cannot be committed.
func (s *session) takeFew(work map[*partition][]*kgo.Record, limit int) error {
	for p, list := range work {
		for len(list) > 0 {
			n := min(limit, len(list))
			if err := s.takeAll(map[*partition][]*kgo.Record{p: list[:n]}); err != nil {
				return err
			}
			if err := s.flush(); err != nil {
				return err
			}
			list = list[n:]
		}
	}
	return nil
}

// reserve accounts for n bytes, waiting for commits to give some back. What is larger than the whole budget waits until
// it is alone.
func (s *session) reserve(n int64) error {
	n = min(n, s.c.budget.Limit())
	for {
		err := s.c.budget.Reserve(n)
		if err == nil {
			s.held.Add(n)
			s.reserved += n
			s.c.board.setState(Running)
			return nil
		}
		s.c.board.setState(WaitingForMemory)
		if err := s.flush(); err != nil {
			return err
		}
		if err := s.c.o.Clock.Sleep(s.ctx, memoryPause); err != nil {
			return err
		}
	}
}

func (s *session) release(n int64) {
	s.held.Add(-n)
	s.c.budget.Release(n)
}
