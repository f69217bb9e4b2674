package raftnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/clock"
)

// pair is two nodes with a group each; b's is answered by the test.
type pair struct {
	net  *rpc.Memory
	a, b *Transport
	node *rpc.MemoryNode // b's
}

// withPair runs a test in virtual time.
func withPair(t *testing.T, run func(t *testing.T, p *pair)) {
	synctest.Test(t, func(t *testing.T) {
		p := &pair{net: rpc.NewMemory(clock.Real(), 1)}
		p.net.SetLatency(rpc.Uniform(time.Millisecond, 2*time.Millisecond))
		na, nb := p.net.Node("a"), p.net.Node("b")
		p.node = nb
		ma, mb := New(na, clock.Real()), New(nb, clock.Real())
		p.a, p.b = ma.Group(1), mb.Group(1)
		defer func() {
			p.net.HealAll()
			must(t, errors.Join(p.a.Close(), p.b.Close()))
			ma.Close()
			mb.Close()
			must(t, errors.Join(na.Close(), nb.Close()))
		}()
		run(t, p)
	})
}

// answer lets b's group answer its requests until the test ends.
func (p *pair) answer(t *testing.T, handle func(raft.RPC) (any, error)) {
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	go func() {
		for {
			select {
			case r := <-p.b.Consumer():
				r.Respond(handle(r))
			case <-stop:
				return
			}
		}
	}()
}

func headerOf(name string) raft.RPCHeader {
	return raft.RPCHeader{ProtocolVersion: 3, ID: []byte(name), Addr: []byte(name)}
}

func entriesFrom(index uint64, sizes ...int) *raft.AppendEntriesRequest {
	a := &raft.AppendEntriesRequest{RPCHeader: headerOf("a"), Term: 1, PrevLogEntry: index - 1, PrevLogTerm: 1}
	for i, n := range sizes {
		a.Entries = append(a.Entries, &raft.Log{Index: index + uint64(i), Term: 1, Data: bytes.Repeat([]byte{byte(i + 1)}, n)})
	}
	return a
}

// TestControl: every kind of question, refusals, and requests in the name of another.
func TestControl(t *testing.T) {
	withPair(t, func(t *testing.T, p *pair) {
		p.answer(t, func(r raft.RPC) (any, error) {
			switch c := r.Command.(type) {
			case *raft.RequestVoteRequest:
				return &raft.RequestVoteResponse{RPCHeader: headerOf("b"), Term: c.Term, Granted: true}, nil
			case *raft.RequestPreVoteRequest:
				return &raft.RequestPreVoteResponse{RPCHeader: headerOf("b"), Term: c.Term, Granted: true}, nil
			case *raft.TimeoutNowRequest:
				return nil, errors.New("not now")
			}
			return nil, fmt.Errorf("what is a %T", r.Command)
		})
		var vote raft.RequestVoteResponse
		must(t, p.a.RequestVote("b", "ignored", &raft.RequestVoteRequest{RPCHeader: headerOf("a"), Term: 7}, &vote))
		var pre raft.RequestPreVoteResponse
		must(t, p.a.RequestPreVote("b", "", &raft.RequestPreVoteRequest{RPCHeader: headerOf("a"), Term: 8}, &pre))
		if vote.Term != 7 || !vote.Granted || pre.Term != 8 || !pre.Granted {
			t.Errorf("answers %+v and %+v", vote, pre)
		}
		if err := p.a.TimeoutNow("b", "", &raft.TimeoutNowRequest{RPCHeader: headerOf("a")}, &raft.TimeoutNowResponse{}); err == nil || err.Error() != "not now" {
			t.Errorf("a refusal came as %v", err)
		}
		if err := p.a.RequestVote("b", "", &raft.RequestVoteRequest{RPCHeader: headerOf("c"), Term: 9}, &vote); err == nil {
			t.Error("a vote was asked for in the name of another")
		}
		must(t, p.b.Close())
		if err := p.a.RequestVote("b", "", &raft.RequestVoteRequest{RPCHeader: headerOf("a"), Term: 9}, &vote); err == nil {
			t.Error("a closed group votes")
		}
	})
}

// TestHeartbeat: heartbeats do not wait for the group, whatever it is doing.
func TestHeartbeat(t *testing.T) {
	withPair(t, func(t *testing.T, p *pair) {
		p.b.SetHeartbeatHandler(func(r raft.RPC) {
			r.Respond(&raft.AppendEntriesResponse{RPCHeader: headerOf("b"), Term: 1, Success: true}, nil)
		})
		var resp raft.AppendEntriesResponse
		start := time.Now()
		must(t, p.a.AppendEntries("b", "", &raft.AppendEntriesRequest{RPCHeader: headerOf("a"), Term: 1}, &resp))
		if !resp.Success || time.Since(start) > beatHold+10*time.Millisecond {
			t.Errorf("%+v after %s", resp, time.Since(start))
		}
		// Votes of a group that does not answer end in time, and hold nobody else.
		start = time.Now()
		if err := p.a.RequestVote("b", "", &raft.RequestVoteRequest{RPCHeader: headerOf("a")}, &raft.RequestVoteResponse{}); err == nil {
			t.Error("nobody voted")
		}
		if took := time.Since(start); took > controlTimeout {
			t.Errorf("gave up after %s", took)
		}
		must(t, p.a.AppendEntries("b", "", &raft.AppendEntriesRequest{RPCHeader: headerOf("a"), Term: 1}, &resp))
		// The stream is made anew after it broke, and an unreachable node is given up in time.
		p.net.BreakStreams("a", "b")
		synctest.Wait()
		must(t, p.a.AppendEntries("b", "", &raft.AppendEntriesRequest{RPCHeader: headerOf("a"), Term: 1}, &resp))
		p.net.Cut("b", "a")
		start = time.Now()
		if err := p.a.AppendEntries("b", "", &raft.AppendEntriesRequest{RPCHeader: headerOf("a"), Term: 1}, &resp); err == nil || time.Since(start) != controlTimeout {
			t.Errorf("an unreachable node: %v after %s", err, time.Since(start))
		}
	})
}

// accept answers entries as a follower that takes them all.
func accept(r raft.RPC) (any, error) {
	a, ok := r.Command.(*raft.AppendEntriesRequest)
	if !ok {
		return nil, fmt.Errorf("what is a %T", r.Command)
	}
	last := a.PrevLogEntry
	for _, e := range a.Entries {
		if e.Index != last+1 {
			return nil, fmt.Errorf("entry %d behind %d", e.Index, last)
		}
		last = e.Index
	}
	return &raft.AppendEntriesResponse{RPCHeader: headerOf("b"), Term: a.Term, LastLog: last, Success: true}, nil
}

// TestAppend: entries arrive as they were, as many as a message has room for, and the largest entry too.
func TestAppend(t *testing.T) {
	withPair(t, func(t *testing.T, p *pair) {
		var got []*raft.Log
		p.answer(t, func(r raft.RPC) (any, error) {
			got = r.Command.(*raft.AppendEntriesRequest).Entries
			return accept(r)
		})
		for _, c := range []struct {
			sizes []int
			sent  int
		}{{[]int{1, 2, 3}, 3}, {nil, 0}, {[]int{maxAppendBytes / 2, maxAppendBytes / 2, 1}, 2}, {[]int{rpc.MaxMessage + 1000, 1}, 1}, {[]int{0}, 1}} {
			req := entriesFrom(2, c.sizes...)
			all := req.Entries
			var resp raft.AppendEntriesResponse
			must(t, p.a.AppendEntries("b", "", req, &resp))
			if len(req.Entries) != c.sent || len(got) != c.sent || resp.LastLog != uint64(1+c.sent) {
				t.Fatalf("%v: %d of the entries are left, %d arrived, the answer is %+v", c.sizes, len(req.Entries), len(got), resp)
			}
			for i, e := range got {
				if e.Index != all[i].Index || !bytes.Equal(e.Data, all[i].Data) {
					t.Fatalf("%v: entry %d differs", c.sizes, i)
				}
			}
		}
	})
}

// TestAppendWaits: entries for a node that is not there yet are tried again, until it is.
func TestAppendWaits(t *testing.T) {
	withPair(t, func(t *testing.T, p *pair) {
		must(t, p.b.Close())
		time.AfterFunc(3*time.Second, func() {
			p.b = p.b.mux.Group(1)
			p.answer(t, accept)
		})
		start := time.Now()
		var resp raft.AppendEntriesResponse
		must(t, p.a.AppendEntries("b", "", entriesFrom(2, 1), &resp))
		if took := time.Since(start); !resp.Success || took > 3*time.Second+2*lastPause {
			t.Errorf("%+v after %s", resp, took)
		}
		p.net.Kill("b")
		start = time.Now()
		if err := p.a.AppendEntries("b", "", entriesFrom(2, 1), &resp); !errors.Is(err, rpc.ErrUnreachable) {
			t.Errorf("a dead node: %v", err)
		}
		if took := time.Since(start); took != appendTimeout {
			t.Errorf("given up after %s", took)
		}
		// The transport's end does not wait for that.
		start = time.Now()
		time.AfterFunc(time.Second, func() { must(t, p.a.Close()) })
		if err := p.a.AppendEntries("b", "", entriesFrom(2, 1), &resp); err == nil || time.Since(start) != time.Second {
			t.Errorf("after the end: %v in %s", err, time.Since(start))
		}
	})
}

// TestPipeline: answers come in order, also when messages and answers arrive twice.
func TestPipeline(t *testing.T) {
	withPair(t, func(t *testing.T, p *pair) {
		p.answer(t, accept)
		p.net.SetDuplicateRate(methodAppend, 0.3)
		line, err := p.a.AppendEntriesPipeline("b", "")
		must(t, err)
		defer line.Close()
		const n = 500
		go func() {
			for i := range uint64(n) {
				if _, err := line.AppendEntries(entriesFrom(2+i, 100), &raft.AppendEntriesResponse{}); err != nil {
					t.Error(err)
				}
			}
		}()
		for i := range uint64(n) {
			f := <-line.Consumer()
			if must(t, f.Error()); !f.Response().Success || f.Response().LastLog != 2+i || f.Request().Entries[0].Index != 2+i {
				t.Fatalf("answer %d is %+v", i, f.Response())
			}
		}
	})
}

// TestPipelineWithoutConsumer: a consumer that has left does not hold the sender, which raft needs to notice that.
func TestPipelineWithoutConsumer(t *testing.T) {
	withPair(t, func(t *testing.T, p *pair) {
		p.answer(t, accept)
		line, err := p.a.AppendEntriesPipeline("b", "")
		must(t, err)
		defer line.Close()
		for i := range uint64(20 * maxInflight) {
			_, err := line.AppendEntries(entriesFrom(2+i, 1), &raft.AppendEntriesResponse{})
			must(t, err)
		}
	})
}

// TestPipelineFails: what is under way when the stream breaks, or an answer does not come, reaches the consumer as a failure, and the sender
// gets an error.
func TestPipelineFails(t *testing.T) {
	for name, c := range map[string]struct {
		fault func(p *pair)
		limit time.Duration
	}{
		"the stream breaks":    {func(p *pair) { p.net.BreakStreams("a", "b") }, 0},
		"no answer":            {func(*pair) {}, appendTimeout},
		"the group closes":     {func(p *pair) { p.b.Close() }, 10 * time.Millisecond},
		"the transport closes": {func(p *pair) { p.a.Close() }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			withPair(t, func(t *testing.T, p *pair) {
				line, err := p.a.AppendEntriesPipeline("b", "")
				must(t, err)
				defer line.Close()
				for i := range uint64(3) {
					_, err := line.AppendEntries(entriesFrom(2+i, 1), &raft.AppendEntriesResponse{})
					must(t, err)
				}
				start := time.Now()
				time.Sleep(5 * time.Millisecond)
				c.fault(p)
				for range 3 {
					f := <-line.Consumer()
					if f.Response().Success || f.Error() == nil {
						t.Fatal("an answer out of nothing")
					}
				}
				if took := time.Since(start); took > 5*time.Millisecond+c.limit {
					t.Errorf("failed after %s", took)
				}
				if _, err := line.AppendEntries(entriesFrom(5, 1), &raft.AppendEntriesResponse{}); err == nil {
					t.Error("a failed pipeline sends")
				}
			})
		})
	}
}

func TestSnapshotTransfer(t *testing.T) {
	install := func(p *pair, size int64, data io.Reader) (*raft.InstallSnapshotResponse, error) {
		resp := &raft.InstallSnapshotResponse{}
		conf := raft.EncodeConfiguration(raft.Configuration{Servers: []raft.Server{{ID: "a", Address: "a"}}})
		return resp, p.a.InstallSnapshot("b", "", &raft.InstallSnapshotRequest{RPCHeader: headerOf("a"), SnapshotVersion: 1, Term: 3, Configuration: conf, Size: size}, resp, data)
	}
	read := func(into *[]byte) func(raft.RPC) (any, error) {
		return func(r raft.RPC) (any, error) {
			b, err := io.ReadAll(r.Reader)
			*into = b
			return &raft.InstallSnapshotResponse{RPCHeader: headerOf("b"), Term: 3, Success: err == nil}, err
		}
	}
	t.Run("arrives", func(t *testing.T) {
		withPair(t, func(t *testing.T, p *pair) {
			var got []byte
			p.answer(t, read(&got))
			for _, n := range []int{0, 1, snapshotChunk, 10*snapshotChunk + 17} {
				want := bytes.Repeat([]byte("x"), n)
				resp, err := install(p, int64(n), bytes.NewReader(want))
				if must(t, err); !resp.Success || !bytes.Equal(got, want) {
					t.Fatalf("%d bytes of %d, %+v", len(got), n, resp)
				}
			}
		})
	})
	t.Run("the leader dies", func(t *testing.T) {
		withPair(t, func(t *testing.T, p *pair) {
			failed := make(chan error, 1)
			p.answer(t, func(r raft.RPC) (any, error) {
				_, err := io.ReadAll(r.Reader)
				failed <- err
				return nil, err
			})
			time.AfterFunc(time.Second, func() { p.net.Kill("a") })
			if _, err := install(p, 1<<30, &slowReader{pause: 10 * time.Millisecond}); err == nil {
				t.Error("installed")
			}
			if err := <-failed; err == nil {
				t.Error("the follower got everything")
			}
		})
	})
	t.Run("stalls", func(t *testing.T) {
		withPair(t, func(t *testing.T, p *pair) {
			var got []byte
			p.answer(t, read(&got))
			time.AfterFunc(time.Second, func() { p.net.Cut("a", "b") })
			start := time.Now()
			if _, err := install(p, 1<<40, &slowReader{pause: time.Millisecond}); err == nil {
				t.Error("installed")
			}
			if took := time.Since(start); took > time.Second+2*snapshotStall {
				t.Errorf("given up after %s", took)
			}
		})
	})
}

// slowReader has no end.
type slowReader struct{ pause time.Duration }

func (r *slowReader) Read(p []byte) (int, error) {
	time.Sleep(r.pause)
	return len(p), nil
}

// TestServeGarbage: what is no message ends the stream.
func TestServeGarbage(t *testing.T) {
	withPair(t, func(t *testing.T, p *pair) {
		for _, method := range []string{ControlMethod, methodAppend, methodSnapshot} {
			for _, b := range [][]byte{nil, {9}, []byte("\x01\x01garbage"), bytes.Repeat([]byte{1}, 100)} {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				s, err := p.a.mux.net.Open(ctx, "b", method)
				must(t, err)
				must(t, s.Send(b))
				must(t, s.CloseSend())
				if _, err := s.Recv(); err == nil || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s answers %q: %v", method, b, err)
				}
				cancel()
			}
		}
	})
}

// TestHeartbeatsTogether: heartbeats of several groups to a node wait for each other, but not while someone waits for them.
func TestHeartbeatsTogether(t *testing.T) {
	withPair(t, func(t *testing.T, p *pair) {
		groups := []*Transport{p.a}
		for id := range uint64(7) {
			groups = append(groups, p.a.mux.Group(id+2))
		}
		var arrived []time.Time
		var mu sync.Mutex
		for i, a := range groups {
			b := p.b
			if i > 0 {
				b = p.b.mux.Group(a.group)
			}
			b.SetHeartbeatHandler(func(r raft.RPC) {
				mu.Lock()
				arrived = append(arrived, time.Now())
				mu.Unlock()
				r.Respond(&raft.AppendEntriesResponse{RPCHeader: headerOf("b"), Term: 1, Success: true}, nil)
			})
		}
		p.net.SetLatency(rpc.Uniform(time.Millisecond, time.Millisecond))
		beat := func(g *Transport) {
			var resp raft.AppendEntriesResponse
			must(t, g.AppendEntries("b", "", &raft.AppendEntriesRequest{RPCHeader: headerOf("a"), Term: 1}, &resp))
		}
		beat(groups[0]) // opens the stream
		arrived = nil
		start := time.Now()
		var work sync.WaitGroup
		for i, g := range groups {
			work.Go(func() {
				time.Sleep(time.Duration(i) * beatHold / 10)
				beat(g)
			})
		}
		work.Wait()
		for _, at := range arrived {
			if len(arrived) != len(groups) || at.Sub(start) != beatHold+time.Millisecond {
				t.Fatalf("%d heartbeats came; one %s after the first was sent", len(arrived), at.Sub(start))
			}
		}
		// One that is held goes when someone hurries, and others do not begin to wait until all are calm.
		start = time.Now()
		work.Go(func() { beat(groups[1]) })
		time.Sleep(beatHold / 5)
		calm, calmer := groups[0].Hurry(), groups[0].Hurry()
		work.Wait()
		if took := time.Since(start); took != beatHold/5+2*time.Millisecond {
			t.Errorf("a held heartbeat was answered after %s", took)
		}
		for _, c := range []struct {
			end  func()
			want time.Duration
		}{{func() {}, 0}, {calm, 0}, {calmer, beatHold}} {
			c.end()
			start = time.Now()
			if beat(groups[0]); time.Since(start) != c.want+2*time.Millisecond {
				t.Errorf("a heartbeat was answered after %s, want a journey and %s", time.Since(start), c.want)
			}
		}
	})
}

// TestOpeningGroupHoldsNobody: heartbeats of a group that raft has not opened yet take no other group's places, however long that lasts.
func TestOpeningGroupHoldsNobody(t *testing.T) {
	withPair(t, func(t *testing.T, p *pair) {
		opening, _ := p.a.mux.Group(2), p.b.mux.Group(2) // of which nobody takes messages
		var work sync.WaitGroup
		for range maxControl {
			work.Go(func() {
				if err := opening.AppendEntries("b", "", &raft.AppendEntriesRequest{RPCHeader: headerOf("a"), Term: 1}, &raft.AppendEntriesResponse{}); err == nil {
					t.Error("a heartbeat was answered")
				}
			})
		}
		work.Wait()
		time.Sleep(controlTimeout)
		p.b.SetHeartbeatHandler(func(r raft.RPC) {
			r.Respond(&raft.AppendEntriesResponse{RPCHeader: headerOf("b"), Term: 1, Success: true}, nil)
		})
		must(t, p.a.AppendEntries("b", "", &raft.AppendEntriesRequest{RPCHeader: headerOf("a"), Term: 1}, &raft.AppendEntriesResponse{}))
	})
}

// TestRepeatsAreLeftOut: of messages without entries, those that say something new are sent.
func TestRepeatsAreLeftOut(t *testing.T) {
	withPair(t, func(t *testing.T, p *pair) {
		var got []*raft.AppendEntriesRequest
		p.answer(t, func(r raft.RPC) (any, error) {
			got = append(got, r.Command.(*raft.AppendEntriesRequest))
			return accept(r)
		})
		refuse := false
		p.b.SetHeartbeatHandler(func(r raft.RPC) {
			r.Respond(&raft.AppendEntriesResponse{RPCHeader: headerOf("b"), Term: 2, Success: !refuse}, nil)
		})
		line, err := p.a.AppendEntriesPipeline("b", "")
		must(t, err)
		defer line.Close()
		send := func(index, commit uint64, sizes ...int) int {
			got = nil
			a := entriesFrom(index, sizes...)
			a.LeaderCommitIndex = commit
			f, err := line.AppendEntries(a, &raft.AppendEntriesResponse{})
			must(t, err)
			if f != nil {
				<-line.Consumer()
			}
			time.Sleep(10 * time.Millisecond)
			if (f != nil) != (len(got) == 1) {
				t.Fatalf("%d messages came; one was sent: %t", len(got), f != nil)
			}
			return len(got)
		}
		beat := func() {
			must(t, p.a.AppendEntries("b", "", &raft.AppendEntriesRequest{RPCHeader: headerOf("a"), Term: 1}, &raft.AppendEntriesResponse{}))
		}
		for i, c := range []struct {
			what   string
			before func()
			sizes  []int
			index  uint64
			commit uint64
			want   int
		}{
			{"the first", nil, nil, 5, 4, 1},
			{"a repeat", nil, nil, 5, 4, 0},
			{"entries", nil, []int{1, 1}, 5, 4, 1},
			{"behind the entries", nil, nil, 7, 4, 0},
			{"a commit", nil, nil, 7, 6, 1},
			{"a repeat", nil, nil, 7, 6, 0},
			{"an earlier place", nil, nil, 6, 6, 1},
			{"a heartbeat was taken", beat, nil, 6, 6, 0},
			{"a heartbeat was refused", func() { refuse = true; beat() }, nil, 6, 6, 1},
			{"a repeat", nil, nil, 6, 6, 0},
			{"after a while", func() { time.Sleep(repeatAfter) }, nil, 6, 6, 1},
		} {
			if c.before != nil {
				c.before()
			}
			if n := send(c.index, c.commit, c.sizes...); n != c.want {
				t.Errorf("%d, %s: %d messages came, want %d", i, c.what, n, c.want)
			}
		}
		// Before the answer nothing is left out, so that who sends until it comes is held.
		asked := make(chan int)
		go func() {
			n := 0
			for ; n < 3*maxInflight; n++ {
				a := entriesFrom(9)
				a.LeaderCommitIndex = 8
				if f, err := line.AppendEntries(a, &raft.AppendEntriesResponse{}); f == nil || err != nil {
					t.Error(f, err)
					break
				}
			}
			asked <- n
		}()
		time.Sleep(time.Second)
		for range 3 * maxInflight {
			<-line.Consumer()
		}
		if n := <-asked; n != 3*maxInflight {
			t.Errorf("%d of the messages were sent", n)
		}
		time.Sleep(10 * time.Millisecond)
		// A pipeline that has failed says so, whatever it is asked to send.
		p.net.BreakStreams("a", "b")
		synctest.Wait()
		if _, err := line.AppendEntries(entriesFrom(6), &raft.AppendEntriesResponse{}); err == nil {
			t.Error("a broken pipeline took a message")
		}
	})
}
