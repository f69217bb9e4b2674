package diff

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// startTimeout bounds how long a server may take until it answers /ping.
const startTimeout = 15 * time.Second

// server is an olapd to talk to over HTTP: a child process, or one that runs already.
type server struct {
	url string
	cmd *exec.Cmd // nil if it is not ours
	log *lockedBuffer
}

// lockedBuffer gathers a child's output while the test may read it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// startServer connects to target if it is a URL, else starts it as the olapd binary with an
// empty directory and free ports.
func startServer(target, dir string) (*server, error) {
	if strings.Contains(target, "://") {
		s := &server{url: strings.TrimSuffix(target, "/"), log: &lockedBuffer{}}
		return s, s.wait()
	}
	httpAddr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	nativeAddr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &server{url: "http://" + httpAddr, log: &lockedBuffer{}}
	s.cmd = exec.Command(target, "server", "--data", dir, "--http", httpAddr, "--native", nativeAddr)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("diff: start %s: %w", target, err)
	}
	if err := s.wait(); err != nil {
		s.stop()
		return nil, fmt.Errorf("%w; its log:\n%s", err, s.log)
	}
	return s, nil
}

// freeAddress returns a loopback address with a port that was free a moment ago.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("diff: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (s *server) wait() error {
	deadline := time.Now().Add(startTimeout)
	for {
		resp, err := http.Get(s.url + "/ping")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("status %s", resp.Status)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("diff: %s does not answer /ping: %w", s.url, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (s *server) stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // killed: its exit status says nothing
}

// session is one HTTP session with a server, as an engine.
type session struct {
	server   *server
	id       string
	database string // "" until the session has one
}

func (s *session) name() string { return "olapd" }

var codeInBody = regexp.MustCompile(`Code: (\d+)`)

func (s *session) run(ctx context.Context, sql, format string) (outcome, error) {
	if format == "" {
		format = "TSVWithNamesAndTypes"
	}
	q := url.Values{"default_format": {format}, "session_id": {s.id}, "wait_end_of_query": {"1"}}
	if s.database != "" {
		q.Set("database", s.database)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.server.url+"/?"+q.Encode(), strings.NewReader(sql))
	if err != nil {
		return outcome{}, fmt.Errorf("diff: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return outcome{}, fmt.Errorf("diff: %q: %w; the server's log ends:\n%s", sql, err, tail(s.server.log.String()))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return outcome{}, fmt.Errorf("diff: %q: read answer: %w", sql, err)
	}
	code := resp.Header.Get("X-ClickHouse-Exception-Code")
	if code == "" && resp.StatusCode != http.StatusOK {
		if m := codeInBody.FindSubmatch(body); m != nil {
			code = string(m[1])
		}
	}
	switch n, err := strconv.Atoi(code); {
	case err == nil && n != 0:
		return outcome{code: n, message: string(body)}, nil
	case resp.StatusCode != http.StatusOK:
		return outcome{code: -1, message: resp.Status + ": " + string(body)}, nil
	}
	return outcome{data: string(body)}, nil
}

// tail returns the last part of a log.
func tail(log string) string {
	const shown = 2000
	return log[max(0, len(log)-shown):]
}
