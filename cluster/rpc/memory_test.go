package rpc

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/olapd/olapd/internal/clock"
)

// memoryPair returns a network and two nodes of it, closed by the test's end.
func memoryPair(t *testing.T) (m *Memory, a, b *MemoryNode) {
	m = NewMemory(clock.Real(), 1)
	a, b = m.Node("a"), m.Node("b")
	t.Cleanup(func() {
		must(t, a.Close())
		must(t, b.Close())
		m.HealAll()
	})
	return m, a, b
}

func TestMemory(t *testing.T) {
	for name, latency := range map[string]Latency{"at once": Uniform(0, 0), "with latency": Uniform(0, 2*time.Millisecond)} {
		t.Run(name, func(t *testing.T) {
			testNetwork(t, func(t *testing.T) (Network, Network, func()) {
				m, a, b := memoryPair(t)
				m.SetLatency(latency)
				return a, b, func() { m.Kill("b") }
			})
		})
	}
}

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, run func(t *testing.T, m *Memory, a, b *MemoryNode)) {
	synctest.Test(t, func(t *testing.T) {
		m, a, b := memoryPair(t)
		b.Handle("echo", echo)
		run(t, m, a, b)
	})
}

func TestMemoryLatency(t *testing.T) {
	inBubble(t, func(t *testing.T, m *Memory, a, _ *MemoryNode) {
		m.SetLatency(Uniform(5*time.Millisecond, 5*time.Millisecond))
		start := time.Now()
		s := open(t, a, "b", "echo")
		must(t, s.Send([]byte("x")))
		recv(t, s, "x")
		if took := time.Since(start); took != 10*time.Millisecond {
			t.Errorf("there and back took %s", took)
		}
	})
}

// TestMemoryCut: what is sent over a cut link comes when it is healed, in either direction.
func TestMemoryCut(t *testing.T) {
	for _, l := range []link{{"a", "b"}, {"b", "a"}} {
		inBubble(t, func(t *testing.T, m *Memory, a, _ *MemoryNode) {
			s := open(t, a, "b", "echo")
			must(t, s.Send([]byte("x")))
			recv(t, s, "x")
			m.Cut(l.from, l.to)
			start := time.Now()
			must(t, s.Send([]byte("y")))
			time.AfterFunc(BreakAfter/2, func() { m.Heal(l.from, l.to) })
			recv(t, s, "y")
			if took := time.Since(start); took != BreakAfter/2 {
				t.Errorf("came after %s", took)
			}
		})
	}
}

// TestMemoryCutBreaks: streams over a link that stays cut break on both sides, also those opened meanwhile, and those whose end is
// under way.
func TestMemoryCutBreaks(t *testing.T) {
	inBubble(t, func(t *testing.T, m *Memory, a, b *MemoryNode) {
		ended := make(chan error, 1)
		b.Handle("wait", func(_ context.Context, _ string, s Stream) error {
			_, err := s.Recv()
			ended <- err
			return err
		})
		b.Handle("done", func(context.Context, string, Stream) error { return nil })
		s := open(t, a, "b", "wait")
		time.Sleep(time.Second)
		m.Isolate("b")
		over := open(t, a, "b", "done")
		start := time.Now()
		if _, err := s.Recv(); !errors.Is(err, ErrUnreachable) {
			t.Errorf("got %v", err)
		}
		if err := <-ended; !errors.Is(err, ErrUnreachable) {
			t.Errorf("the handler got %v", err)
		}
		if took := time.Since(start); took != BreakAfter {
			t.Errorf("broke after %s", took)
		}
		if _, err := over.Recv(); !errors.Is(err, ErrUnreachable) {
			t.Errorf("a stream opened since got %v", err)
		}
		m.HealAll()
		recvEnd(t, open(t, a, "b", "done"))
	})
}

// TestMemoryCutCancel: a cancellation does not cross a cut link either.
func TestMemoryCutCancel(t *testing.T) {
	inBubble(t, func(t *testing.T, m *Memory, a, b *MemoryNode) {
		ended := make(chan struct{})
		b.Handle("wait", func(ctx context.Context, _ string, _ Stream) error {
			<-ctx.Done()
			close(ended)
			return nil
		})
		ctx, cancel := context.WithCancel(context.Background())
		_, err := a.Open(ctx, "b", "wait")
		must(t, err)
		synctest.Wait()
		m.Cut("a", "b")
		cancel()
		time.Sleep(time.Second)
		select {
		case <-ended:
			t.Error("the handler knows")
		default:
		}
		m.Heal("a", "b")
		<-ended
	})
}

func TestMemoryBreaks(t *testing.T) {
	inBubble(t, func(t *testing.T, m *Memory, a, _ *MemoryNode) {
		m.SetBreakRate(0.1)
		broken := 0
		for range 200 {
			s := open(t, a, "b", "echo")
			err := s.Send([]byte("x"))
			if err == nil {
				_, err = s.Recv()
			}
			if err != nil && !errors.Is(err, ErrUnreachable) {
				t.Fatal(err)
			}
			if err != nil {
				broken++
			}
		}
		if broken < 10 || broken > 100 {
			t.Errorf("%d of 200 broke", broken)
		}
	})
}

func TestMemoryDuplicates(t *testing.T) {
	inBubble(t, func(t *testing.T, m *Memory, a, _ *MemoryNode) {
		m.SetDuplicateRate("echo", 1)
		s := open(t, a, "b", "echo")
		must(t, s.Send([]byte("x")))
		must(t, s.CloseSend())
		n := 0
		for {
			if _, err := s.Recv(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 4 {
			t.Errorf("%d messages came back", n)
		}
	})
}

// TestMemoryRestart: a killed node is not reached until it is made anew, with handlers of its own.
func TestMemoryRestart(t *testing.T) {
	inBubble(t, func(t *testing.T, m *Memory, a, b *MemoryNode) {
		m.Kill("b")
		if _, err := a.Open(t.Context(), "b", "echo"); !errors.Is(err, ErrUnreachable) {
			t.Fatalf("a stream to the dead: %v", err)
		}
		if _, err := b.Open(t.Context(), "a", "echo"); !errors.Is(err, ErrUnreachable) {
			t.Fatalf("a stream of the dead: %v", err)
		}
		again := m.Node("b")
		if again == b {
			t.Fatal("the dead node came back")
		}
		defer again.Close()
		again.Handle("echo", echo)
		s := open(t, a, "b", "echo")
		must(t, s.Send([]byte("x")))
		recv(t, s, "x")
	})
}
