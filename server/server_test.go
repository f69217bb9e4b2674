package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query"
	"github.com/olapd/olapd/query/exec"
)

// empty is a database without tables of its own: what these tests read comes from system tables and table functions.
type empty struct{ query.Store }

func (empty) Catalog() *catalog.Catalog { return catalog.New() }

func (empty) Change(_ context.Context, f func(*catalog.Catalog) (*catalog.Catalog, error)) (*catalog.Catalog, error) {
	return f(catalog.New())
}

func (empty) Insert(context.Context, *catalog.Table, func(context.Context) (*column.Block, error), query.InsertOptions) (query.InsertResult, error) {
	return query.InsertResult{}, sqlerr.New(sqlerr.UnknownTable, "There are no tables")
}

type noTables struct{}

func (noTables) Open(_ context.Context, r exec.ScanRequest) (exec.Scanner, error) {
	return nil, sqlerr.New(sqlerr.UnknownTable, "Table %s does not exist", r.Table.Name())
}
func (noTables) Close() {}

func (empty) Snapshot(context.Context) (exec.Storage, error) { return noTables{}, nil }

func start(t *testing.T, users ...*access.User) *httptest.Server {
	t.Helper()
	const version = "26.7.2.1"
	e, err := query.New(query.Deps{Catalog: empty{}, Store: empty{}, Writer: empty{}, Users: users, Server: function.Server{Version: version, DisplayName: "olapd"}})
	if err != nil {
		t.Fatal(err)
	}
	srv := New(Config{Engine: e, DisplayName: "olapd", Version: version})
	h := httptest.NewServer(srv)
	t.Cleanup(h.Close)
	return h
}

type answer struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

func do(t *testing.T, req *http.Request) answer {
	t.Helper()
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(b), err}
}

func newRequest(t *testing.T, method, u, body string, header ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, u, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return req
}

func TestRules(t *testing.T) {
	eve := access.Administrator("eve")
	eve.Auth = []access.Auth{{Type: access.Plaintext, Hash: "secret"}}
	h := start(t, access.Administrator("default"), eve)
	for _, c := range []struct {
		name, method, target, body string
		header                     []string
		status                     int
		want                       string // the body, or what it contains after a *
	}{
		{"landing", "GET", "/", "", nil, 200, "Ok.\n"},
		{"ping", "GET", "/ping", "", nil, 200, "Ok.\n"},
		{"healthz", "GET", "/healthz", "", nil, 200, "Ok.\n"},
		{"replicas", "GET", "/replicas_status", "", nil, 200, "Ok.\n"},
		{"elsewhere", "GET", "/nowhere", "", nil, 404, "*There is no handle /nowhere"},
		{"play", "GET", "/play", "", nil, 200, "*<title>olapd play</title>"},
		{"metrics", "GET", "/metrics", "", nil, 200, "*go_goroutines"},
		{"query in the URL", "GET", "/?query=SELECT+1", "", nil, 200, "1\n"},
		{"query in the body", "POST", "/", "SELECT 1", nil, 200, "1\n"},
		{"query in both", "POST", "/?query=SELECT", "1", nil, 200, "1\n"},
		{"format in SQL", "POST", "/?default_format=CSV", "SELECT 'a' FORMAT JSONEachRow", nil, 200, "{\"'a'\":\"a\"}\n"},
		{"default format", "POST", "/?default_format=CSV", "SELECT 'a'", nil, 200, "\"a\"\n"},
		{"format header", "POST", "/?default_format=CSV", "SELECT 'a' AS x", []string{"X-ClickHouse-Format", "JSONEachRow"}, 200, "{\"x\":\"a\"}\n"},
		{"parameter", "POST", "/?param_x=4%2B", "SELECT {x:String}", nil, 200, "4+\n"},
		{"missing parameter", "POST", "/", "SELECT {x:String}", nil, 500, "*UNKNOWN_QUERY_PARAMETER"},
		{"setting", "POST", "/?max_threads=1", "SELECT getSetting('max_threads')", nil, 200, "1\n"},
		{"unknown setting", "POST", "/?nonsense=1", "SELECT 1", nil, 404, "*Code: 115. DB::Exception: "},
		{"syntax error", "POST", "/", "SELEC 1", nil, 400, "*(SYNTAX_ERROR) (version 26.7.2.1 (official build))\n"},
		{"unknown table", "POST", "/", "SELECT * FROM nosuch", nil, 404, "*Code: 60. DB::Exception: "},
		{"unknown format", "POST", "/", "SELECT 1 FORMAT Nosuch", nil, 404, "*UNKNOWN_FORMAT"},
		{"several statements", "POST", "/", "SELECT 1; SELECT 2", nil, 400, "*SYNTAX_ERROR"},
		{"GET does not write", "GET", "/?query=CREATE+DATABASE+x", "", nil, 500, "*READONLY"},
		{"options", "OPTIONS", "/", "", nil, 204, ""},
		{"user header", "POST", "/", "SELECT currentUser()", []string{"X-ClickHouse-User", "eve", "X-ClickHouse-Key", "secret"}, 200, "eve\n"},
		{"basic auth", "POST", "/", "SELECT currentUser()", []string{"Authorization", "Basic ZXZlOnNlY3JldA=="}, 200, "eve\n"},
		{"user parameter", "POST", "/?user=eve&password=secret", "SELECT currentUser()", nil, 200, "eve\n"},
		{"wrong password", "POST", "/?user=eve&password=x", "SELECT 1", nil, 403, "*Authentication failed: password is incorrect, or there is no user with such name."},
		{"no password", "POST", "/?user=eve", "SELECT 1", nil, 401, "*REQUIRED_PASSWORD"},
		{"no such user", "POST", "/?user=bob", "SELECT 1", nil, 403, "*AUTHENTICATION_FAILED"},
		{"two forms", "POST", "/?user=eve&password=secret", "SELECT 1", []string{"X-ClickHouse-User", "eve"}, 403, "*AUTHENTICATION_FAILED"},
		{"empty session", "POST", "/?session_id=", "SELECT 1", nil, 500, "*INVALID_SESSION_TIMEOUT"},
		{"no such session", "POST", "/?session_id=zz&session_check=1", "SELECT 1", nil, 500, "*SESSION_NOT_FOUND"},
		{"bad timeout", "POST", "/?session_id=zz&session_timeout=99999", "SELECT 1", nil, 500, "*INVALID_SESSION_TIMEOUT"},
		{"unknown coding", "POST", "/", "SELECT 1", []string{"Content-Encoding", "rot13"}, 501, "*NOT_IMPLEMENTED"},
		{"empty query", "POST", "/", "", nil, 400, "*Code: 62"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := do(t, newRequest(t, c.method, h.URL+c.target, c.body, c.header...))
			part, contains := strings.CutPrefix(c.want, "*")
			if a.status != c.status || contains && !strings.Contains(a.body, part) || !contains && a.body != c.want {
				t.Errorf("%d %q, want %d %q", a.status, a.body, c.status, c.want)
			}
			if a.status >= 400 && c.name != "elsewhere" && a.header.Get("X-ClickHouse-Exception-Code") == "" {
				t.Error("no X-ClickHouse-Exception-Code")
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	h := start(t)
	a := do(t, newRequest(t, "POST", h.URL+"/?query_id=q1", "SELECT number FROM numbers(10) FORMAT CSVWithNames"))
	for name, want := range map[string]string{
		"Content-Type": "text/csv; charset=UTF-8; header=present", "X-ClickHouse-Query-Id": "q1", "X-ClickHouse-Format": "CSVWithNames",
		"X-ClickHouse-Timezone": "UTC", "X-ClickHouse-Server-Display-Name": "olapd",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	var summary map[string]string
	if err := json.Unmarshal([]byte(a.header.Get("X-ClickHouse-Summary")), &summary); err != nil || summary["result_rows"] != "10" || summary["total_rows_to_read"] != "10" {
		t.Errorf("summary %v, %v", summary, err)
	}
	if tag := a.header.Get("X-ClickHouse-Exception-Tag"); len(tag) != 16 {
		t.Errorf("tag %q", tag)
	}
}

func TestPlayFiles(t *testing.T) {
	h := start(t)
	for _, c := range []struct {
		method, path, coding string
		status               int
		kind                 string
	}{
		{"GET", "/play", "", 200, "text/html; charset=UTF-8"},
		{"HEAD", "/play", "", 200, "text/html; charset=UTF-8"},
		{"GET", "/play/app.js", "", 200, "text/javascript; charset=UTF-8"},
		{"GET", "/play/app.js", "gzip", 200, "text/javascript; charset=UTF-8"},
		{"GET", "/play/style.css", "zstd", 200, "text/css; charset=UTF-8"},
		{"GET", "/play/", "", 301, ""},
		{"GET", "/play/nosuch.js", "", 404, ""},
		{"GET", "/play/play/index.html", "", 404, ""},
		{"POST", "/play", "", 405, ""},
	} {
		a := do(t, newRequest(t, c.method, h.URL+c.path, "", "Accept-Encoding", c.coding))
		if a.status != c.status || c.kind != "" && a.header.Get("Content-Type") != c.kind {
			t.Errorf("%s %s: %d %s", c.method, c.path, a.status, a.header.Get("Content-Type"))
		}
		if c.status != 200 {
			continue
		}
		if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", c.path, policy)
		}
		if got := a.header.Get("Content-Encoding"); got != c.coding {
			t.Errorf("%s: encoded as %q, not %q", c.path, got, c.coding)
		}
		again := do(t, newRequest(t, c.method, h.URL+c.path, "", "Accept-Encoding", c.coding, "If-None-Match", a.header.Get("ETag")))
		if again.status != 304 || again.body != "" {
			t.Errorf("%s again: %d, %d bytes", c.path, again.status, len(again.body))
		}
	}
}

func TestSessions(t *testing.T) {
	h := start(t)
	u := h.URL + "/?session_id=s1"
	if a := do(t, newRequest(t, "POST", u, "SET max_threads = 3")); a.status != 200 || a.body != "" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := do(t, newRequest(t, "POST", u, "SELECT getSetting('max_threads')")); a.body != "3\n" {
		t.Errorf("the session forgot its setting: %s", a.body)
	}
	if a := do(t, newRequest(t, "POST", u+"&close_session=1", "SELECT 1")); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := do(t, newRequest(t, "POST", u+"&session_check=1", "SELECT 1")); !strings.Contains(a.body, "SESSION_NOT_FOUND") {
		t.Errorf("the session outlived its end: %s", a.body)
	}
}

func TestCompression(t *testing.T) {
	h := start(t)
	const sql, want = "SELECT toString(number) FROM numbers(1000)", 3890
	for _, c := range compress.Codings {
		a := do(t, newRequest(t, "POST", h.URL, sql, "Accept-Encoding", "br;q=1, "+string(c)))
		if a.header.Get("Content-Encoding") != string(c) {
			t.Errorf("%s: Content-Encoding %q", c, a.header.Get("Content-Encoding"))
			continue
		}
		r, err := compress.NewReader(strings.NewReader(a.body), c)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r); err != nil || len(b) != want {
			t.Errorf("%s: %d bytes, %v", c, len(b), err)
		}
		var buf bytes.Buffer
		w, err := compress.NewWriter(&buf, c)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, "SELECT 2")
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if a := do(t, newRequest(t, "POST", h.URL, buf.String(), "Content-Encoding", string(c), "Accept-Encoding", "identity")); a.body != "2\n" {
			t.Errorf("%s request: %s", c, a.body)
		}
	}
	a := do(t, newRequest(t, "POST", h.URL+"/?compress=1", sql, "Accept-Encoding", "identity"))
	if b, err := io.ReadAll(compress.NewFrameReader(strings.NewReader(a.body))); err != nil || len(b) != want {
		t.Errorf("frames: %d bytes, %v", len(b), err)
	}
	frame, err := compress.AppendFrame(nil, compress.LZ4, []byte("SELECT 3"))
	if err != nil {
		t.Fatal(err)
	}
	if a := do(t, newRequest(t, "POST", h.URL+"/?decompress=1", string(frame))); a.body != "3\n" {
		t.Errorf("framed request: %s", a.body)
	}
	frame[3] ^= 1
	if a := do(t, newRequest(t, "POST", h.URL+"/?decompress=1", string(frame))); !strings.Contains(a.body, "CHECKSUM_DOESNT_MATCH") {
		t.Errorf("a damaged frame: %d %s", a.status, a.body)
	}
}

// An error behind the first rows is told with the tag of the answer, and the connection is cut.
func TestExceptionBehindRows(t *testing.T) {
	h := start(t)
	a := do(t, newRequest(t, "POST", h.URL, "SELECT throwIf(number = 3000000), toString(number) FROM numbers(4000000) SETTINGS max_block_size = 10000, max_threads = 1", "Accept-Encoding", "identity"))
	tag := a.header.Get("X-ClickHouse-Exception-Tag")
	if a.status != 200 || a.err == nil {
		t.Fatalf("status %d, error %v, %d bytes", a.status, a.err, len(a.body))
	}
	at := strings.Index(a.body, "\r\n__exception__\r\n"+tag+"\r\nCode: 395. ")
	if at < 0 || !strings.HasSuffix(a.body, " "+tag+"\r\n__exception__\r\n") {
		t.Errorf("the answer ends %q", a.body[max(0, len(a.body)-400):])
	}
	if a := do(t, newRequest(t, "POST", h.URL+"/?wait_end_of_query=1", "SELECT throwIf(number = 3000000) FROM numbers(4000000)")); a.status != 500 || !strings.HasPrefix(a.body, "Code: 395. ") {
		t.Errorf("with wait_end_of_query: %d %.100s", a.status, a.body)
	}
}

func TestMultipart(t *testing.T) {
	h := start(t)
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	_ = m.WriteField("query", "SELECT {x:UInt8} + 1")
	_ = m.WriteField("param_x", "4")
	m.Close()
	if a := do(t, newRequest(t, "POST", h.URL, body.String(), "Content-Type", m.FormDataContentType())); a.body != "5\n" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestLengthRequired(t *testing.T) {
	h := start(t)
	u, _ := url.Parse(h.URL)
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "POST / HTTP/1.0\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusLengthRequired && res.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", res.StatusCode)
	}
}

func TestCheckExposed(t *testing.T) {
	for addr, bad := range map[string]bool{"127.0.0.1:8123": false, "localhost:1": false, "[::1]:1": false, "0.0.0.0:1": true, ":8123": true, "10.0.0.1:1": true} {
		if err := CheckExposed(addr, []*access.User{access.Administrator("default")}); (err != nil) != bad {
			t.Errorf("%s: %v", addr, err)
		}
	}
	closed := access.Administrator("default")
	closed.Auth = []access.Auth{{Type: access.Plaintext, Hash: "x"}}
	if err := CheckExposed("0.0.0.0:1", []*access.User{closed}); err != nil {
		t.Error(err)
	}
}

func FuzzParams(f *testing.F) {
	f.Add("query=SELECT 1&param_x=1&session_id=a&compress=1", "multipart/form-data; boundary=x", "--x\r\n\r\n")
	f.Fuzz(func(t *testing.T, raw, kind, body string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.URL.RawQuery = raw
		r.Header.Set("Content-Type", kind)
		if q, err := parseRequest(r); err == nil && q.Params == nil {
			t.Error("no parameters")
		}
	})
}

// TestEveryRouteAsks requests every route from another machine without a password, and looks for what only users may know.
func TestEveryRouteAsks(t *testing.T) {
	locked := access.Administrator("default")
	locked.Auth = []access.Auth{{Type: access.Plaintext, Hash: "secret"}}
	e, err := query.New(query.Deps{Catalog: empty{}, Store: empty{}, Writer: empty{}, Users: []*access.User{locked}})
	if err != nil {
		t.Fatal(err)
	}
	late := func() []Lag { return []Lag{{Database: "veiled_db", Table: "veiled_table", Late: true}} }
	srv := New(Config{Engine: e, Replicas: late, Metrics: func() []Metric {
		return []Metric{{Name: "m", Help: "h", Labels: []Label{{Name: "table", Value: "veiled_table"}}}}
	}})
	open := map[string]bool{"/ping": true, "/healthz": true, "/play": true, "/play/": true, "/replicas_status": true} // they answer anyone, and tell nothing
	for pattern := range srv.handlers() {
		for _, target := range []string{pattern, pattern + "?verbose=1", pattern + "?query=SELECT+%27veiled%27", pattern + "?query=SELECT+1&user=default&password=x"} {
			for _, method := range []string{"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"} {
				checkRoute(t, srv, pattern, method, target, open[pattern])
			}
		}
	}
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.RemoteAddr = "10.1.2.3:4"
	r.SetBasicAuth("default", "secret")
	w := httptest.NewRecorder()
	srv.ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), "veiled_table") {
		t.Errorf("/metrics does not answer a user: %d", w.Code)
	}
}

// checkRoute requests one route from another machine, without a password.
func checkRoute(t *testing.T, srv *Server, pattern, method, target string, open bool) {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr = "10.1.2.3:4"
	w := httptest.NewRecorder()
	srv.ServeHTTP(w, r)
	if strings.Contains(w.Body.String(), "veiled") {
		t.Errorf("%s %s tells %.200q", method, target, w.Body.String())
	}
	denied := w.Code == http.StatusUnauthorized || w.Code == http.StatusForbidden
	asks := !open && (method != "OPTIONS" || pattern != "/") && (pattern != "/" || strings.Contains(target, "query="))
	if asks && !denied {
		t.Errorf("%s %s answers %d", method, target, w.Code)
	}
}
