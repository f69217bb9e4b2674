package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/olapd/olapd/internal/sqlerr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testNetwork holds a network against what rpc.go promises. a and b are two nodes of it, stopB ends b as by kill -9.
func testNetwork(t *testing.T, connect func(t *testing.T) (a, b Network, stopB func())) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, a, b Network, stopB func())
	}{
		{"echo", testEcho}, {"from and self", testFrom}, {"order and end", testOrder}, {"errors of handlers", testHandlerErrors},
		{"unknown method", testUnknownMethod}, {"unknown node", testUnknownNode}, {"long messages", testLongMessages},
		{"a slow receiver", testSlowReceiver}, {"cancellation", testCancel}, {"deadline", testDeadline},
		{"a handler that stops listening", testEarlyReturn}, {"death", testDeath}, {"many at once", testMany},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b, stopB := connect(t)
			c.run(t, a, b, stopB)
		})
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, n Network, node, method string) Stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	s, err := n.Open(ctx, node, method)
	must(t, err)
	return s
}

// echo sends back what it receives.
func echo(_ context.Context, _ string, s Stream) error {
	for {
		m, err := s.Recv()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = s.Send(m)
		}
		if err != nil {
			return err
		}
	}
}

func recv(t testing.TB, s Stream, want string) {
	t.Helper()
	got, err := s.Recv()
	must(t, err)
	if string(got) != want {
		t.Fatalf("received %q, want %q", got, want)
	}
}

func recvEnd(t testing.TB, s Stream) {
	t.Helper()
	for range 2 {
		if m, err := s.Recv(); err != io.EOF {
			t.Fatalf("received %d bytes and %v, want the end", len(m), err)
		}
	}
}

func testEcho(t *testing.T, a, b Network, _ func()) {
	b.Handle("echo", echo)
	s := open(t, a, "b", "echo")
	for i := range 100 {
		text := strings.Repeat("x", i*i)
		must(t, s.Send([]byte(text)))
		recv(t, s, text)
	}
	must(t, s.CloseSend())
	recvEnd(t, s)
}

func testFrom(t *testing.T, a, b Network, _ func()) {
	name := func(_ context.Context, from string, s Stream) error { return s.Send([]byte(from)) }
	a.Handle("from", name)
	b.Handle("from", name)
	if a.Self() != "a" || b.Self() != "b" {
		t.Fatalf("names %q and %q", a.Self(), b.Self())
	}
	for _, c := range []struct {
		from Network
		to   string
	}{{a, "b"}, {b, "a"}, {a, "a"}, {b, "b"}} {
		s := open(t, c.from, c.to, "from")
		recv(t, s, c.from.Self())
		recvEnd(t, s)
	}
}

func testOrder(t *testing.T, a, b Network, _ func()) {
	const n = 2000
	b.Handle("count", func(_ context.Context, _ string, s Stream) error {
		for i := 0; ; i++ {
			m, err := s.Recv()
			if err == io.EOF && i == n {
				return s.Send([]byte("all"))
			}
			if err != nil || string(m) != fmt.Sprint(i) {
				return fmt.Errorf("message %d is %q, %w", i, m, err)
			}
		}
	})
	s := open(t, a, "b", "count")
	for i := range n {
		must(t, s.Send([]byte(fmt.Sprint(i))))
	}
	must(t, s.CloseSend())
	recv(t, s, "all")
	recvEnd(t, s)
}

func testHandlerErrors(t *testing.T, a, b Network, _ func()) {
	b.Handle("coded", func(_ context.Context, _ string, s Stream) error {
		if err := s.Send([]byte("something")); err != nil {
			return err
		}
		return fmt.Errorf("reading: %w", sqlerr.New(sqlerr.UnknownTable, "Table x does not exist"))
	})
	b.Handle("plain", func(context.Context, string, Stream) error { return errors.New("a bug") })
	s := open(t, a, "b", "coded")
	recv(t, s, "something")
	for range 2 {
		_, err := s.Recv()
		if !sqlerr.Is(err, sqlerr.UnknownTable) || !strings.Contains(err.Error(), "Table x does not exist") || errors.Is(err, ErrUnreachable) {
			t.Fatalf("got %v of code %d", err, sqlerr.CodeOf(err))
		}
	}
	if _, err := open(t, a, "b", "plain").Recv(); !sqlerr.Is(err, sqlerr.LogicalError) || !strings.Contains(err.Error(), "a bug") {
		t.Fatalf("got %v of code %d", err, sqlerr.CodeOf(err))
	}
}

func testUnknownMethod(t *testing.T, a, _ Network, _ func()) {
	s := open(t, a, "b", "nothing")
	if _, err := s.Recv(); !sqlerr.Is(err, sqlerr.UnsupportedMethod) {
		t.Fatalf("got %v", err)
	}
}

func testUnknownNode(t *testing.T, a, _ Network, _ func()) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := a.Open(ctx, "nobody", "echo")
	if err == nil {
		_, err = s.Recv()
	}
	if !errors.Is(err, ErrUnreachable) || !sqlerr.Is(err, sqlerr.NetworkError) {
		t.Fatalf("got %v", err)
	}
}

func testLongMessages(t *testing.T, a, b Network, _ func()) {
	b.Handle("echo", echo)
	s := open(t, a, "b", "echo")
	long := bytes.Repeat([]byte("0123456789abcdef"), MaxMessage/16)
	if err := s.Send(append(long, 'x')); !sqlerr.Is(err, sqlerr.TooLargeSizeCompressed) {
		t.Fatalf("a message too long: %v", err)
	}
	must(t, s.Send(bytes.Clone(long)))
	got, err := s.Recv()
	must(t, err)
	if !bytes.Equal(got, long) {
		t.Fatalf("%d bytes came back, of %d", len(got), len(long))
	}
	must(t, s.Send(nil))
	recv(t, s, "")
}

func testSlowReceiver(t *testing.T, a, b Network, _ func()) {
	start := make(chan struct{})
	b.Handle("slow", func(ctx context.Context, _ string, s Stream) error {
		select {
		case <-start:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		n := 0
		for {
			if _, err := s.Recv(); err == io.EOF {
				return s.Send([]byte(fmt.Sprint(n)))
			} else if err != nil {
				return err
			}
			n++
		}
	})
	s := open(t, a, "b", "slow")
	const messages = 512 // of 128 KiB
	sent := make(chan int, messages)
	go func() {
		defer close(sent)
		for i := range messages {
			if s.Send(make([]byte, 128<<10)) != nil {
				return
			}
			sent <- i
		}
		if err := s.CloseSend(); err != nil {
			t.Error(err)
		}
	}()
	time.Sleep(200 * time.Millisecond)
	if n := len(sent); n == messages {
		t.Error("nothing held the sender")
	}
	close(start)
	recv(t, s, fmt.Sprint(messages))
	for range sent {
	}
	// A sender that waits is released by its context.
	b.Handle("stuck", func(ctx context.Context, _ string, _ Stream) error { <-ctx.Done(); return nil })
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	s, err := a.Open(ctx, "b", "stuck")
	must(t, err)
	for err == nil {
		err = s.Send(make([]byte, 128<<10))
	}
}

func testCancel(t *testing.T, a, b Network, _ func()) {
	ended := make(chan error, 1)
	b.Handle("wait", func(ctx context.Context, _ string, s Stream) error {
		if err := s.Send([]byte("here")); err != nil {
			return err
		}
		<-ctx.Done()
		_, err := s.Recv()
		ended <- err
		return nil
	})
	ctx, cancel := context.WithCancelCause(context.Background())
	s, err := a.Open(ctx, "b", "wait")
	must(t, err)
	recv(t, s, "here")
	why := errors.New("why")
	cancel(why)
	if _, err := s.Recv(); !errors.Is(err, why) {
		t.Errorf("the one who cancelled received %v", err)
	}
	if err := s.Send([]byte("more")); err == nil {
		t.Error("Send works on a cancelled stream")
	}
	if err := <-ended; err == nil || err == io.EOF {
		t.Errorf("the handler received %v", err)
	}
	if _, err := a.Open(ctx, "b", "wait"); err == nil {
		t.Error("Open works with a cancelled context")
	}
}

func testDeadline(t *testing.T, a, b Network, _ func()) {
	b.Handle("deadline", func(ctx context.Context, _ string, s Stream) error {
		at, ok := ctx.Deadline()
		return s.Send([]byte(fmt.Sprint(ok, time.Until(at).Round(time.Minute))))
	})
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	s, err := a.Open(ctx, "b", "deadline")
	must(t, err)
	recv(t, s, "true 1h0m0s")
	recvEnd(t, s)
}

func testEarlyReturn(t *testing.T, a, b Network, _ func()) {
	b.Handle("one", func(_ context.Context, _ string, s Stream) error {
		m, err := s.Recv()
		if err != nil {
			return err
		}
		return s.Send(m)
	})
	s := open(t, a, "b", "one")
	var err error
	for err == nil {
		err = s.Send([]byte("one"))
	}
	if err != io.EOF {
		t.Errorf("sending to a handler that has returned: %v", err)
	}
	recv(t, s, "one")
	recvEnd(t, s)
}

func testDeath(t *testing.T, a, b Network, stopB func()) {
	ended := make(chan struct{})
	b.Handle("wait", func(ctx context.Context, _ string, s Stream) error {
		defer close(ended)
		if err := s.Send([]byte("here")); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	})
	s := open(t, a, "b", "wait")
	recv(t, s, "here")
	stopB()
	if _, err := s.Recv(); !errors.Is(err, ErrUnreachable) || !sqlerr.Is(err, sqlerr.NetworkError) {
		t.Errorf("after its death: %v of code %d", err, sqlerr.CodeOf(err))
	}
	<-ended
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := a.Open(ctx, "b", "wait")
	if err == nil {
		_, err = s.Recv()
	}
	if !errors.Is(err, ErrUnreachable) {
		t.Errorf("a stream to the dead: %v", err)
	}
}

func testMany(t *testing.T, a, b Network, _ func()) {
	a.Handle("echo", echo)
	b.Handle("echo", echo)
	var work sync.WaitGroup
	for i := range 50 {
		work.Go(func() {
			from, to := a, "b"
			if i%2 == 0 {
				from, to = b, "a"
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			s, err := from.Open(ctx, to, "echo")
			for j := 0; err == nil && j < 20; j++ {
				text := fmt.Sprint(i, j)
				var m []byte
				if err = s.Send([]byte(text)); err == nil {
					if m, err = s.Recv(); string(m) != text {
						t.Errorf("got %q, want %q", m, text)
					}
				}
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
}
