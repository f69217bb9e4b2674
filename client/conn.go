package client

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Times of a connection.
const (
	dialTimeout = 10 * time.Second
	// sideTimeout bounds the small queries beside the user's own: progress, KILL, names for completion.
	sideTimeout = 2 * time.Second
	// sessionSeconds is how long the server keeps what SET and USE changed while the user thinks: as long as it lets us.
	sessionSeconds = 3600
	// lockedTries times lockedWait is how long a query waits for a cancelled one to let go of the session.
	lockedTries = 40
	lockedWait  = 50 * time.Millisecond
)

// conn talks to one server as one user, in one session. One goroutine runs the queries of the session;
// side and kill may be called from others meanwhile.
type conn struct {
	http     *http.Client
	base     string
	user     string
	password string
	session  string // its id
	used     bool   // the server knows the session
	database string // current database, for the prompt; set it with USE
	options  map[string]string
}

func dial(o *options) *conn {
	scheme := "http"
	if o.secure {
		scheme = "https"
	}
	ip := net.ParseIP(o.host)
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: o.insecure},
		DisableCompression:  o.host == "localhost" || ip != nil && ip.IsLoopback(), // it would only cost time
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     time.Minute,
	}
	return &conn{
		http: &http.Client{Transport: transport}, base: scheme + "://" + o.address() + "/",
		user: o.user, password: o.password, session: randomID(), database: o.database, options: o.query(),
	}
}

// close ends the session and the connections. An unreachable server forgets the session by itself.
func (c *conn) close() {
	if c.used {
		ctx, cancel := context.WithTimeout(context.Background(), sideTimeout)
		defer cancel()
		if a, err := c.send(ctx, request{text: "SELECT 1 FORMAT Null", inSession: true, last: true}); err == nil {
			_ = a.close() // nothing depends on it
		}
	}
	c.http.CloseIdleConnections()
}

// randomID is a query's or session's name that no one else has.
func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, by its contract
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// request is one statement for the server.
type request struct {
	id        string
	text      string
	data      io.Reader // follows the text; nil: none
	format    string    // of the result unless the text says
	inSession bool
	last      bool // end the session
}

// url has everything but the text: that goes in the body, which has no limit.
func (c *conn) url(r request) string {
	v := url.Values{}
	add := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	if r.inSession {
		for name, value := range c.options {
			v.Set(name, value)
		}
		add("database", c.database)
		v.Set("session_id", c.session)
		v.Set("session_timeout", strconv.Itoa(sessionSeconds))
	}
	if r.last {
		v.Set("close_session", "1")
	}
	add("query_id", r.id)
	add("default_format", r.format)
	return c.base + "?" + v.Encode()
}

// answer is the server's to one request.
type answer struct {
	io.Reader // the rows; it ends in an error if they are not all there
	resp      *http.Response
}

func (a *answer) close() error { return a.resp.Body.Close() }

// send sends a request and waits for the head of the answer. While a cancelled query still holds the session, it tries again.
func (c *conn) send(ctx context.Context, r request) (*answer, error) {
	for try := 0; ; try++ {
		a, err := c.sendOnce(ctx, r)
		var e *exception
		if r.data != nil || try == lockedTries || !errors.As(err, &e) || e.code != int(sqlerr.SessionIsLocked) {
			return a, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(lockedWait):
		}
	}
}

func (c *conn) sendOnce(ctx context.Context, r request) (*answer, error) {
	body := io.Reader(strings.NewReader(r.text))
	if r.data != nil {
		body = io.MultiReader(body, r.data)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url(r), body)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.BadArguments, "Bad address %s", c.base)
	}
	if r.data == nil {
		req.ContentLength = int64(len(r.text))
	}
	req.Header.Set("X-ClickHouse-User", c.user)
	if c.password != "" {
		req.Header.Set("X-ClickHouse-Key", c.password)
	}
	req.Header.Set("User-Agent", "olapd-client")
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, networkError(err, req.URL.Host)
	}
	if r.inSession {
		c.used = true
	}
	if err := refusal(resp); err != nil {
		_ = resp.Body.Close() // it was read as far as it matters
		return nil, err
	}
	return &answer{Reader: newBodyReader(resp.Body, resp.Header.Get("X-ClickHouse-Exception-Tag")), resp: resp}, nil
}

// networkError says what went wrong without the request's address, which holds the settings.
func networkError(err error, host string) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var data *dataError
	if errors.As(err, &data) {
		return data.err
	}
	return sqlerr.Wrap(err, sqlerr.NetworkError, "Cannot talk to %s", host)
}

// refusal is the error of an answer that has no rows.
func refusal(resp *http.Response) error {
	code := resp.Header.Get("X-ClickHouse-Exception-Code")
	if resp.StatusCode == http.StatusOK && code == "" {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxExceptionText))
	if e := newException(code, string(text)); e.code != 0 && len(text) > 0 {
		return e
	}
	if err != nil {
		return sqlerr.Wrap(err, sqlerr.NetworkError, "HTTP status %s", resp.Status)
	}
	return sqlerr.New(sqlerr.NetworkError, "HTTP status %s: %s", resp.Status, strings.TrimSpace(string(text)))
}

// side runs a small query outside the session and returns its answer as text.
func (c *conn) side(ctx context.Context, text string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, sideTimeout)
	defer cancel()
	a, err := c.send(ctx, request{text: text, format: "TabSeparated"})
	if err != nil {
		return "", err
	}
	defer a.close()
	b, err := io.ReadAll(a)
	return string(b), err
}

// kill asks the server to stop a query.
func (c *conn) kill(ctx context.Context, id string) error {
	_, err := c.side(ctx, "KILL QUERY WHERE query_id = '"+id+"'")
	return err
}

// summary is the work of a query as the server counted it.
type summary struct {
	ReadRows, ReadBytes, WrittenRows, WrittenBytes, ResultRows, MemoryUsage uint64
	// Whole says that the counts are final; those of a long answer were sent before its end.
	Whole bool
}

// summary may be called when the body has been read.
func (a *answer) summary() summary {
	text, whole := a.resp.Trailer.Get("X-ClickHouse-Summary"), true
	if text == "" {
		short := a.resp.ContentLength >= 0 || a.resp.Uncompressed && len(a.resp.TransferEncoding) == 0
		text, whole = a.resp.Header.Get("X-ClickHouse-Summary"), short
	}
	var counts map[string]string
	if json.Unmarshal([]byte(text), &counts) != nil {
		return summary{}
	}
	get := func(name string) uint64 {
		n, _ := strconv.ParseUint(counts[name], 10, 64) // a count the server does not tell is 0
		return n
	}
	return summary{
		ReadRows: get("read_rows"), ReadBytes: get("read_bytes"), WrittenRows: get("written_rows"), WrittenBytes: get("written_bytes"),
		ResultRows: get("result_rows"), MemoryUsage: get("memory_usage"), Whole: whole,
	}
}

// forget drops a setting of the command line: SET has changed it in the session.
func (c *conn) forget(name string) {
	left := maps.Clone(c.options)
	delete(left, name)
	c.options = left
}
