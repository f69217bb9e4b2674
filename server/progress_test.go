package server

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/query"
)

// listen serves an engine without tables on a port of its own.
func listen(t *testing.T) (*query.Engine, string) {
	t.Helper()
	e, err := query.New(query.Deps{Catalog: empty{}, Store: empty{}, Writer: empty{}, Server: function.Server{Version: "26.7.2.1", DisplayName: "olapd"}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := New(Config{Engine: e, DisplayName: "olapd", Version: "26.7.2.1"})
	srv.Serve(l)
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return e, l.Addr().String()
}

// slow reads rows for a good while on one core.
const slow = "SELECT max(sipHash64(number) % 7) FROM numbers(10000000)"

// failing fails at its end.
const failing = "SELECT throwIf(max(sipHash64(number) % 7) = 6) FROM numbers(10000000)"

// head reads an answer's head from a raw connection: its lines, of which the lines of progress apart.
func head(t *testing.T, r *bufio.Reader) (status string, progress []string, header http.Header) {
	t.Helper()
	header = http.Header{}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		line = strings.TrimSuffix(line, "\r\n")
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "":
			return status, progress, header
		case status == "":
			status = line
		case name == "X-ClickHouse-Progress":
			progress = append(progress, value)
		default:
			header.Add(name, value)
		}
	}
}

func get(t *testing.T, c net.Conn, proto, sql string, params ...string) {
	t.Helper()
	v := url.Values{"query": {sql}, "max_threads": {"1"}}
	for i := 0; i < len(params); i += 2 {
		v.Set(params[i], params[i+1])
	}
	if _, err := fmt.Fprintf(c, "GET /?%s %s\r\nHost: x\r\n\r\n", v.Encode(), proto); err != nil {
		t.Fatal(err)
	}
}

// TestProgressHeaders: the head of an answer grows while the query runs, and all else is as without it: bodies, errors, the next
// request of the connection.
func TestProgressHeaders(t *testing.T) {
	_, addr := listen(t)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := bufio.NewReader(c)
	on := []string{"send_progress_in_http_headers", "1", "http_headers_progress_interval_ms", "20"}
	body := func(h http.Header) string {
		t.Helper()
		n := 0
		if _, err := fmt.Sscan(h.Get("Content-Length"), &n); err != nil {
			t.Fatal(h, err)
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(r, b); err != nil {
			t.Fatal(err)
		}
		return string(b)
	}

	began := time.Now()
	get(t, c, "HTTP/1.1", slow, on...)
	if _, err := r.Peek(40); err != nil { // the status line, and what stands behind it
		t.Fatal(err)
	}
	early := time.Since(began)
	status, progress, h := head(t, r)
	if late := time.Since(began); early > late/2 {
		t.Errorf("the head began after %v of %v", early, late)
	}
	if status != "HTTP/1.1 200 OK" || len(progress) < 3 || h.Get("X-ClickHouse-Summary") == "" || len(h.Values("Date")) != 1 {
		t.Errorf("%s, %d lines of progress, %v", status, len(progress), h)
	}
	last := 0
	for _, p := range progress {
		var counts map[string]string
		if err := json.Unmarshal([]byte(p), &counts); err != nil {
			t.Fatal(p, err)
		}
		rows := 0
		if _, err := fmt.Sscan(counts["read_rows"], &rows); err != nil || rows < last || counts["elapsed_ns"] == "" || counts["total_rows_to_read"] == "" {
			t.Errorf("%s after %d rows", p, last)
		}
		last = rows
	}
	if last == 0 {
		t.Error("no progress shows a row")
	}
	if b := body(h); b != "6\n" {
		t.Errorf("%q", b)
	}

	get(t, c, "HTTP/1.1", "SELECT 1", on...) // the same connection, too fast for progress
	status, progress, h = head(t, r)
	if b := body(h); status != "HTTP/1.1 200 OK" || len(progress) > 0 || b != "1\n" {
		t.Errorf("%s, %v, %q", status, progress, b)
	}

	get(t, c, "HTTP/1.1", failing, on...)
	status, progress, h = head(t, r)
	if b := body(h); status != "HTTP/1.1 200 OK" || len(progress) == 0 || h.Get("X-ClickHouse-Exception-Code") != "395" || !strings.HasPrefix(b, "Code: 395.") {
		t.Errorf("%s, %v, %v, %q", status, progress, h, b)
	}

	get(t, c, "HTTP/1.1", failing)
	status, progress, h = head(t, r)
	if b := body(h); status != "HTTP/1.1 500 Internal Server Error" || len(progress) > 0 || !strings.HasPrefix(b, "Code: 395.") {
		t.Errorf("%s, %v, %q", status, progress, b)
	}

	get(t, c, "HTTP/1.0", slow, on...) // of the last request of the connection
	status, progress, _ = head(t, r)
	if rest, err := io.ReadAll(r); status != "HTTP/1.0 200 OK" || len(progress) == 0 || err != nil || string(rest) != "6\n" {
		t.Errorf("%s, %v, %q, %v", status, progress, rest, err)
	}
}

// TestProgressOfInserts: bodies are read by net/http as ever, and a client that expects "100 Continue" gets that first.
func TestProgressOfInserts(t *testing.T) {
	_, addr := listen(t)
	for _, expect := range []bool{false, true} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		sql := url.QueryEscape("SELECT sum(a) FROM (SELECT a + sleepEachRow(0.01) AS a FROM x)")
		const text = "--b\r\nContent-Disposition: form-data; name=\"x\"; filename=\"x\"\r\n\r\n1\n2\n3\n\r\n--b--\r\n"
		header := ""
		if expect {
			header = "Expect: 100-continue\r\n"
		}
		fmt.Fprintf(c, "POST /?send_progress_in_http_headers=1&http_headers_progress_interval_ms=1&x_structure=a+Int64&query=%s HTTP/1.1\r\nHost: x\r\n%sContent-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n",
			sql, header, len(text))
		r := bufio.NewReader(c)
		if expect {
			if line, err := r.ReadString('\n'); line != "HTTP/1.1 100 Continue\r\n" || err != nil {
				t.Fatal(line, err)
			}
			if line, err := r.ReadString('\n'); line != "\r\n" || err != nil {
				t.Fatal(line, err)
			}
		}
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		status, progress, _ := head(t, r)
		if b, err := r.ReadString('\n'); status != "HTTP/1.1 200 OK" || expect && len(progress) > 0 || b != "6\n" || err != nil {
			t.Errorf("%s, %v, %q, %v", status, progress, b, err)
		}
	}
}

// TestProgressToNobody: a query ends when the client goes, though its answer has begun.
func TestProgressToNobody(t *testing.T) {
	e, addr := listen(t)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	get(t, c, "HTTP/1.1", strings.Replace(slow, "numbers(", "numbers(100", 1), "send_progress_in_http_headers", "1", "http_headers_progress_interval_ms", "20")
	if _, err := bufio.NewReader(c).Peek(200); err != nil {
		t.Fatal(err)
	}
	if e.Running() != 1 {
		t.Fatal("the query does not run")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if e.Running() == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("the query goes on without its client")
}

// TestProgressLines: the formats with progress between the rows send it, and rows, as they come, whatever the encoding.
func TestProgressLines(t *testing.T) {
	_, addr := listen(t)
	sql := url.QueryEscape("SELECT number, sleepEachRow(0.05) FROM numbers(10) SETTINGS max_block_size = 1 FORMAT JSONCompactEachRowWithProgress")
	for _, coding := range []string{"", "gzip"} {
		req := newRequest(t, "POST", "http://"+addr+"/?query="+sql, "")
		if coding == "" {
			req.Header.Set("Accept-Encoding", "identity")
		} // else net/http asks for gzip, and decodes it
		began := time.Now()
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		s := bufio.NewScanner(res.Body)
		kinds, first := map[string]int{}, time.Duration(0)
		for s.Scan() {
			var line map[string]json.RawMessage
			if err := json.Unmarshal(s.Bytes(), &line); err != nil || len(line) != 1 {
				t.Fatalf("%s: %v", s.Bytes(), err)
			}
			for k := range line {
				kinds[k]++
			}
			if first == 0 {
				first = time.Since(began)
			}
		}
		if all := time.Since(began); s.Err() != nil || kinds["meta"] != 1 || kinds["row"] != 10 || kinds["progress"] < 2 || first > all/2 {
			t.Errorf("%q: %v, the first after %v of %v: %v", coding, kinds, first, all, s.Err())
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestProgressOverTLS: the same of encrypted connections, which count as such.
func TestProgressOverTLS(t *testing.T) {
	cert, key := selfSigned(t, 1)
	s := serveTLS(t, cert, key)
	c, err := tls.Dial("tcp", s.http, trusting(cert))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	get(t, c, "HTTP/1.1", slow, "send_progress_in_http_headers", "1", "http_headers_progress_interval_ms", "20")
	r := bufio.NewReader(c)
	status, progress, _ := head(t, r)
	if b, err := r.ReadString('\n'); status != "HTTP/1.1 200 OK" || len(progress) == 0 || b != "6\n" || err != nil {
		t.Errorf("%s, %v, %q, %v", status, progress, b, err)
	}
}
