package client

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is also the client itself, for tests that need it as a process.
func TestMain(m *testing.M) {
	if args := os.Getenv("OLAPD_TEST_CLIENT"); args != "" {
		os.Exit(Main(strings.Fields(args), os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

// fake speaks enough of the protocol to play every turn it can take. Statements are answered by their first words.
type fake struct {
	*httptest.Server
	mu      sync.Mutex
	texts   []string     // of queries in a session
	params  []url.Values // theirs
	headers []http.Header
	killed  chan struct{}
	locked  int // answers "session is locked" so many times
}

const tag = "abcdefgh12345678"

func newFake(t *testing.T) *fake {
	f := &fake{killed: make(chan struct{}, 1)}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) fail(w http.ResponseWriter, status, code int, text string) {
	w.Header().Set("X-ClickHouse-Exception-Code", strconv.Itoa(code))
	w.WriteHeader(status)
	fmt.Fprintf(w, "Code: %d. DB::Exception: %s (version 25.8.1.1 (official build))\n", code, text)
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return // a client that broke off sent no statement
	}
	text := string(b)
	params := r.URL.Query()
	w.Header().Set("X-ClickHouse-Exception-Tag", tag)
	w.Header().Set("X-ClickHouse-Server-Display-Name", "fake")
	f.mu.Lock()
	locked := f.locked > 0 && params.Has("session_id")
	if locked {
		f.locked--
	} else if params.Has("session_id") && !params.Has("close_session") {
		f.texts, f.params, f.headers = append(f.texts, text), append(f.params, params), append(f.headers, r.Header)
	}
	f.mu.Unlock()
	switch {
	case locked:
		f.fail(w, 500, 373, "Session is locked. (SESSION_IS_LOCKED)")
	case r.Header.Get("X-ClickHouse-Key") == "wrong":
		f.fail(w, 403, 516, "default: Authentication failed. (AUTHENTICATION_FAILED)")
	case strings.HasPrefix(text, "KILL QUERY"):
		f.killed <- struct{}{}
	case strings.HasPrefix(text, "SELECT version()"):
		fmt.Fprint(w, "25.8.1.1\tdefault\n")
	case strings.HasPrefix(text, "SELECT read_rows"):
		fmt.Fprint(w, "500000\t8000000\t1000000\t0\t0\t1048576\n")
	case strings.HasPrefix(text, "SELECT name FROM system.databases"):
		fmt.Fprint(w, "default\nsystem\n")
	case strings.HasPrefix(text, "SELECT name, is_aggregate"):
		fmt.Fprint(w, "toStartOfHour\t0\ncount\t1\n")
	case strings.HasPrefix(text, "SELECT database, name"):
		fmt.Fprint(w, "default\tevents\nsystem\tone\n")
	case strings.HasPrefix(text, "SELECT database, table"):
		fmt.Fprint(w, "default\tevents\tuser_id\tUInt64\n")
	case strings.HasPrefix(text, "WAIT"), strings.HasPrefix(text, "SELECT sleep"):
		<-f.killed
		f.fail(w, 500, 394, "Query was cancelled. (QUERY_WAS_CANCELLED)")
	case strings.Contains(text, "missing"):
		f.fail(w, 404, 60, "Table default.missing does not exist. (UNKNOWN_TABLE)")
	case strings.Contains(text, "code512"):
		f.fail(w, 500, 512, "No such role. (SET_NON_GRANTED_ROLE)")
	case strings.Contains(text, "midway"):
		fmt.Fprint(w, "1\n2\n")
		w.(http.Flusher).Flush()
		message := "Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED) (version 25.8.1.1 (official build))\n"
		fmt.Fprintf(w, "3\n\r\n__exception__\r\n%s\r\n%s\n%d %s\r\n__exception__\r\n", tag, message, len(message)+1, tag)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	case strings.Contains(text, "cut"):
		fmt.Fprint(w, "1\n2\n")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	case strings.Contains(text, "streamed"):
		fmt.Fprint(w, "1\n")
		w.(http.Flusher).Flush()
		fmt.Fprint(w, "2\n")
		w.Header().Set(http.TrailerPrefix+"X-ClickHouse-Summary", `{"read_rows":"2000","read_bytes":"16000","result_rows":"2","memory_usage":"1048576"}`)
	case strings.Contains(text, "SELECT"), strings.HasPrefix(text, "SHOW"), strings.HasPrefix(text, "DESCRIBE"):
		w.Header().Set("X-ClickHouse-Summary", `{"read_rows":"1","read_bytes":"1","result_rows":"1"}`)
		fmt.Fprintf(w, "%s\n", params.Get("default_format"))
	default:
		w.Header().Set("X-ClickHouse-Summary", `{"written_rows":"0","result_rows":"0"}`)
	}
}

// client runs the client against the fake.
func (f *fake) client(stdin io.Reader, args ...string) (code int, stdout, stderr string) {
	host, port, _ := net.SplitHostPort(f.Listener.Addr().String())
	var out, errs bytes.Buffer
	code = Main(append([]string{"--host", host, "--port=" + port}, args...), stdin, &out, &errs)
	return code, out.String(), errs.String()
}
