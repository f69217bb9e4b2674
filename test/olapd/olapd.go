// Package olapd starts an olapd server as a child process, for tests and benchmarks, and
// talks to it over HTTP as ClickHouse's clients do.
package olapd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// startTimeout bounds how long a server may take until it answers /ping.
const startTimeout = 15 * time.Second

// Server is an olapd to talk to over HTTP: a child process, or one that runs already.
type Server struct {
	URL    string
	Native string    // host:port of the native protocol, if it is known
	cmd    *exec.Cmd // nil if it is not ours
	ended  chan struct{}
	log    *lockedBuffer
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

// Start connects to target if it is a URL, else starts it as the olapd binary with an
// empty directory and free ports.
// environment is added to the child's.
func Start(target, dir string, environment ...string) (*Server, error) {
	if strings.Contains(target, "://") {
		s := At(target)
		return s, s.Wait()
	}
	httpAddr, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	nativeAddr, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	s, err := Launch(target, dir, httpAddr, []string{"--native", nativeAddr}, environment...)
	if err != nil {
		return nil, err
	}
	s.Native = nativeAddr
	if err := s.Wait(); err != nil {
		s.Stop()
		return nil, fmt.Errorf("%w; its log:\n%s", err, s.log)
	}
	return s, nil
}

// At is the server at a URL, whether it runs or not.
func At(url string) *Server { return &Server{URL: strings.TrimSuffix(url, "/"), log: &lockedBuffer{}} }

// Launch starts the olapd binary on a directory and an HTTP address, with more arguments, and does not wait until it answers. environment
// is added to the child's.
func Launch(binary, dir, httpAddr string, args []string, environment ...string) (*Server, error) {
	s := At("http://" + httpAddr)
	s.cmd = exec.Command(binary, append([]string{"server", "--data", dir, "--http", httpAddr}, args...)...)
	s.cmd.Env = append(os.Environ(), environment...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("olapd: start %s: %w", binary, err)
	}
	s.ended = make(chan struct{})
	go func() {
		defer close(s.ended)
		_ = s.cmd.Wait() // how it ended is in ProcessState
	}()
	return s, nil
}

// Ended is closed when the child process has ended; nil if there is none.
func (s *Server) Ended() <-chan struct{} { return s.ended }

// Exit tells how the child ended: its exit code, -1 if a signal ended it. REQUIRES: Ended is closed.
func (s *Server) Exit() int { return s.cmd.ProcessState.ExitCode() }

// Signal sends a signal to the child.
func (s *Server) Signal(sig os.Signal) error { return s.cmd.Process.Signal(sig) }

// PID is the process ID of the child.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Log returns what the child has printed.
func (s *Server) Log() string { return s.log.String() }

// FreeAddress returns a loopback address with a port that was free a moment ago.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("olapd: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// Wait returns when the server answers /ping, or with an error when it has ended or takes too long.
func (s *Server) Wait() error {
	deadline := time.Now().Add(startTimeout)
	for {
		resp, err := http.Get(s.URL + "/ping")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("status %s", resp.Status)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("olapd: %s does not answer /ping: %w", s.URL, err)
		}
		select {
		case <-s.ended:
			return fmt.Errorf("olapd: the server ended with code %d", s.Exit())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop kills the child process, if there is one.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // fails only if it has ended already
	<-s.ended
}

// quitTimeout is how long a server may take to end by itself.
const quitTimeout = 15 * time.Second

// Quit asks the child process, if there is one, to end, and kills it if it does not.
func (s *Server) Quit() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended already
	select {
	case <-s.ended:
	case <-time.After(quitTimeout):
		s.Stop()
	}
}

// Session is one HTTP session with a server, or none if ID is empty. It is safe for concurrent use unless ID is set: a
// session runs one statement at a time.
type Session struct {
	Server   *Server
	ID       string
	Database string // "" until the session has one
	Settings map[string]string
}

var codeInBody = regexp.MustCompile(`Code: (\d+)`)

// Answer is what the server made of a statement: data, or an error code and its message.
type Answer struct {
	Data    string
	Code    int // ClickHouse's error code; 0 if there was no error, -1 for an answer without a code
	Message string
}

// Run executes a statement; format "" is TSVWithNamesAndTypes. An error means that the server
// could not be asked.
func (s *Session) Run(ctx context.Context, sql, format string) (Answer, error) {
	if format == "" {
		format = "TSVWithNamesAndTypes"
	}
	return s.post(ctx, url.Values{"default_format": {format}, "wait_end_of_query": {"1"}}, strings.NewReader(sql))
}

// Insert sends rows, in the format that the INSERT statement names.
func (s *Session) Insert(ctx context.Context, sql string, rows io.Reader) (Answer, error) {
	return s.post(ctx, url.Values{"query": {sql}}, rows)
}

func (s *Session) post(ctx context.Context, q url.Values, body io.Reader) (Answer, error) {
	if s.ID != "" {
		q.Set("session_id", s.ID)
	}
	if s.Database != "" {
		q.Set("database", s.Database)
	}
	for name, value := range s.Settings {
		q.Set(name, value)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Server.URL+"/?"+q.Encode(), body)
	if err != nil {
		return Answer{}, fmt.Errorf("olapd: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return Answer{}, fmt.Errorf("olapd: %w; the server's log ends:\n%s", err, tail(s.Server.log.String()))
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("olapd: read answer: %w", err)
	}
	return interpret(resp, data), nil
}

// interpret finds the error code in an answer, in its header or else in its text.
func interpret(resp *http.Response, body []byte) Answer {
	code := resp.Header.Get("X-ClickHouse-Exception-Code")
	if code == "" && resp.StatusCode != http.StatusOK {
		if m := codeInBody.FindSubmatch(body); m != nil {
			code = string(m[1])
		}
	}
	if n, err := strconv.Atoi(code); err == nil && n != 0 {
		return Answer{Code: n, Message: string(body)}
	}
	if resp.StatusCode != http.StatusOK {
		return Answer{Code: -1, Message: resp.Status + ": " + string(body)}
	}
	return Answer{Data: string(body)}
}

// CPU is the processor time that the process has taken, 0 where the system does not tell.
func (s *Server) CPU() time.Duration {
	if s.cmd == nil {
		return 0
	}
	return CPU(s.cmd.Process.Pid)
}

// CPU is the processor time that a process has taken, 0 where the system does not tell.
func CPU(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	const user, system, perSecond = 11, 12, 100 // fields behind the name, in hundredths
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) <= system {
		return 0
	}
	u, err := strconv.ParseInt(fields[user], 10, 64)
	k, err2 := strconv.ParseInt(fields[system], 10, 64)
	if err != nil || err2 != nil {
		return 0
	}
	return time.Duration(u+k) * time.Second / perSecond
}

// Peak returns the largest resident size of the child so far, in bytes; 0 if unknown.
func (s *Server) Peak() int64 {
	if s.cmd == nil {
		return 0
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(after)
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}

// tail returns the last part of a log.
func tail(log string) string {
	const shown = 2000
	return log[max(0, len(log)-shown):]
}
