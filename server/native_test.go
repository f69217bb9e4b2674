package server

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query"
)

// testClient is the other end of a connection.
type testClient struct {
	t        *testing.T
	conn     net.Conn
	r        *protocol.Reader
	revision int
	enc      protocol.Encoder
}

// serveNative listens, and returns the server with its address.
func serveNative(t *testing.T, users ...*access.User) (*Server, string) {
	t.Helper()
	const version = "26.7.2.1"
	e, err := query.New(query.Deps{Catalog: empty{}, Store: empty{}, Writer: empty{}, Users: users, Server: function.Server{Version: version, DisplayName: "olapd"}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := New(Config{Engine: e, DisplayName: "olapd", Version: version})
	srv.ServeNative(l)
	t.Cleanup(func() { _ = srv.Close() }) // tests of Close look at its error
	return srv, l.Addr().String()
}

// connect says hello; the second result is the server's exception, if that is the answer.
func connect(t *testing.T, addr string, revision int, user, password string) (*testClient, *protocol.Exception) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // closed twice by some
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	c := &testClient{t: t, conn: conn, r: protocol.NewReader(conn), revision: min(revision, protocol.Revision), enc: protocol.Encoder{Revision: revision}}
	c.write(protocol.AppendClient(nil, protocol.Client{Name: "test", Revision: revision, User: user, Password: password}))
	switch kind := protocol.ServerPacket(c.r.Uvarint()); kind {
	case protocol.ServerException:
		e, err := c.r.ReadException()
		c.must(err)
		return nil, e
	case protocol.ServerHello:
		s, err := c.r.ReadServer(revision)
		c.must(err)
		if s.Revision != protocol.Revision || s.Major != 26 || s.Name != "ClickHouse" {
			t.Errorf("%+v", s)
		}
	default:
		t.Fatalf("packet %d instead of hello: %v", kind, c.r.Err())
	}
	if protocol.HasAddendum(c.revision) {
		c.write([]byte{0})
	}
	return c, nil
}

func (c *testClient) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *testClient) write(b []byte) {
	c.t.Helper()
	_, err := c.conn.Write(b)
	c.must(err)
}

func (c *testClient) data(d protocol.Data) []byte {
	b, err := c.enc.AppendData(nil, uint64(protocol.ClientData), d)
	c.must(err)
	return b
}

// ask sends a query with the tables that come along.
func (c *testClient) ask(q protocol.Query, tables ...protocol.Data) {
	c.t.Helper()
	q.Stage, q.Compression = protocol.StageComplete, c.enc.Compress
	b := protocol.AppendQuery(nil, q, c.revision)
	for _, d := range tables {
		b = append(b, c.data(d)...)
	}
	c.write(append(b, c.data(protocol.EndOfData())...))
}

// reply is what came up to the end of a query.
type reply struct {
	kinds     []protocol.ServerPacket
	rows      []string // values of the first column
	progress  protocol.Progress
	profile   protocol.Profile
	exception *protocol.Exception
	events    map[string]int64
}

// next reads packets until until says to stop, or to the end of the query.
func (c *testClient) next(until func(protocol.ServerPacket, protocol.Data) bool) reply {
	c.t.Helper()
	out := reply{events: map[string]int64{}}
	for {
		kind := protocol.ServerPacket(c.r.Uvarint())
		c.must(c.r.Err())
		out.kinds = append(out.kinds, kind)
		var d protocol.Data
		var err error
		switch kind {
		case protocol.ServerException:
			out.exception, err = c.r.ReadException()
			c.must(err)
			return out
		case protocol.ServerEndOfStream:
			return out
		case protocol.ServerPong:
		case protocol.ServerProgress:
			var p protocol.Progress
			p, err = c.r.ReadProgress(c.revision)
			out.progress.ReadRows += p.ReadRows
			out.progress.WrittenRows += p.WrittenRows
		case protocol.ServerProfileInfo:
			out.profile, err = c.r.ReadProfile()
		case protocol.ServerTableColumns:
			c.r.Name()
			if text := c.r.Text(); !strings.HasPrefix(text, "columns format version: 1\n") {
				c.t.Errorf("%q", text)
			}
		case protocol.ServerProfileEvents, protocol.ServerLog:
			d, err = c.r.ReadData(c.revision, false)
			for i := 0; kind == protocol.ServerProfileEvents && i < d.Block.N; i++ {
				out.events[column.Value(d.Block.Cols[4], i).(string)] += column.Value(d.Block.Cols[5], i).(int64)
			}
		default:
			d, err = c.r.ReadData(c.revision, c.enc.Compress)
			for i := 0; err == nil && i < d.Block.N; i++ {
				out.rows = append(out.rows, valueText(column.Value(d.Block.Cols[0], i)))
			}
		}
		c.must(err)
		if until != nil && until(kind, d) {
			return out
		}
	}
}

func valueText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return strings.TrimSpace(strings.Trim(strings.ReplaceAll(sqlerr.New(0, "%v", v).Msg, "\n", " "), "[]"))
}

func (c *testClient) query(text string, settings ...protocol.Setting) reply {
	c.t.Helper()
	c.ask(protocol.Query{Text: text, Settings: settings})
	return c.next(nil)
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := valueText(got), valueText(want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

func TestNativeSelect(t *testing.T) {
	_, addr := serveNative(t)
	for _, revision := range []int{51554, 54412, 54429, 54450, protocol.Revision, 54475} {
		for _, compressed := range []bool{false, true} {
			c, e := connect(t, addr, revision, "", "")
			if e != nil {
				t.Fatal(e.Text)
			}
			c.enc.Compress, c.enc.Codec, c.enc.Revision = compressed, compress.ZSTD, c.revision
			got := c.query("SELECT number FROM numbers(3)")
			if got.exception != nil {
				t.Fatal(got.exception.Text)
			}
			equal(t, "rows", got.rows, "0 1 2")
			equal(t, "profile", got.profile.Rows, 3)
			equal(t, "progress", got.progress.ReadRows, 3)
			if first, last := got.kinds[0], got.kinds[len(got.kinds)-2]; first != protocol.ServerData || last != protocol.ServerData {
				t.Errorf("%d: packets %v: a header comes first and an empty block last", revision, got.kinds)
			}
			if _, known := got.events["SelectedRows"]; known != protocol.HasProfileEvents(c.revision, false) {
				t.Errorf("%d: events %v", revision, got.events)
			}
			if got := c.query("SELECT nope"); got.exception == nil || got.exception.Code != int32(sqlerr.UnknownIdentifier) {
				t.Errorf("%+v", got)
			}
			equal(t, "behind an exception", c.query("SELECT 'x'").rows, "x")
			c.write([]byte{byte(protocol.ClientPing)})
			c.next(func(k protocol.ServerPacket, _ protocol.Data) bool { return k == protocol.ServerPong })
			_ = c.conn.Close() // the server notices
		}
	}
}

func TestNativeSession(t *testing.T) {
	_, addr := serveNative(t)
	c, _ := connect(t, addr, protocol.Revision, "default", "")
	c.query("SET max_block_size = 7")
	equal(t, "SET", c.query("SELECT getSetting('max_block_size')").rows, "7")
	c.query("USE system")
	equal(t, "USE", c.query("SELECT currentDatabase()").rows, "system")
	important := protocol.Setting{Name: "max_block_size", Value: "9", Important: true}
	equal(t, "settings of a query", c.query("SELECT getSetting('max_block_size')", important).rows, "9")
	equal(t, "unknown setting", c.query("SELECT 1", protocol.Setting{Name: "nope", Value: "1"}).rows, "1")
	if got := c.query("SELECT 1", protocol.Setting{Name: "nope", Value: "1", Important: true}); got.exception == nil || got.exception.Code != int32(sqlerr.UnknownSetting) {
		t.Errorf("%+v", got)
	}
	c.ask(protocol.Query{Text: "SELECT {x:String}", Parameters: []protocol.Setting{{Name: "x", Value: `'it\'s'`, Custom: true}}})
	equal(t, "parameter", c.next(nil).rows, "it's")
	ext := protocol.Data{Table: "ext", Schema: column.Schema{{Name: "a", Type: types.TUInt8}}, Block: column.NewBlock(column.NewNum(types.TUInt8, []uint8{5, 6}))}
	c.ask(protocol.Query{Text: "SELECT sum(a) FROM ext"}, ext, ext)
	equal(t, "external table", c.next(nil).rows, "22")
	got := c.query("SELECT number % 2 AS k, count() FROM numbers(10) GROUP BY k WITH TOTALS ORDER BY k LIMIT 1 SETTINGS extremes = 1, send_logs_level = 'debug'")
	for _, want := range []protocol.ServerPacket{protocol.ServerTotals, protocol.ServerExtremes, protocol.ServerLog} {
		found := false
		for _, k := range got.kinds {
			found = found || k == want
		}
		if !found {
			t.Errorf("no packet %d: %v", want, got.kinds)
		}
	}
	equal(t, "rows before LIMIT", got.profile.BeforeLimit, 2)
}

func TestNativeInsert(t *testing.T) {
	_, addr := serveNative(t)
	c, _ := connect(t, addr, protocol.Revision, "default", "")
	rows := protocol.Data{Schema: column.Schema{{Name: "x", Type: types.TUInt8}}, Block: column.NewBlock(column.NewNum(types.TUInt8, []uint8{1, 2}))}
	header := func(k protocol.ServerPacket, d protocol.Data) bool {
		return k == protocol.ServerData && len(d.Schema) == 1 && d.Schema[0].Type.Equal(types.TUInt64)
	}
	c.ask(protocol.Query{Text: "INSERT INTO FUNCTION null('x UInt64') VALUES"})
	c.next(header)
	c.write(append(c.data(rows), c.data(protocol.EndOfData())...))
	if got := c.next(nil); got.exception != nil || got.kinds[len(got.kinds)-1] != protocol.ServerEndOfStream {
		t.Errorf("%+v", got)
	}
	// A bad block: the exception comes, what the client still sends is dropped, the connection stays good.
	c.ask(protocol.Query{Text: "INSERT INTO FUNCTION null('x UInt64') FORMAT Native"})
	c.next(header)
	bad := protocol.Data{Schema: column.Schema{{Name: "y", Type: types.TUInt8}}, Block: rows.Block}
	c.write(append(append(c.data(bad), c.data(rows)...), c.data(protocol.EndOfData())...))
	if got := c.next(nil); got.exception == nil || got.exception.Code != int32(sqlerr.ThereIsNoColumn) {
		t.Errorf("%+v", got)
	}
	equal(t, "behind a failed INSERT", c.query("SELECT 1").rows, "1")
	// The client changes its mind.
	c.ask(protocol.Query{Text: "INSERT INTO FUNCTION null('x UInt64') FORMAT Native"})
	c.next(header)
	c.write([]byte{byte(protocol.ClientCancel)})
	if got := c.next(nil); got.exception != nil {
		t.Errorf("%+v", got.exception)
	}
	equal(t, "behind Cancel", c.query("SELECT 2").rows, "2")
	// Rows in the text need none of the client.
	if got := c.query("INSERT INTO FUNCTION null('x UInt64') VALUES (1), (2)"); got.exception != nil {
		t.Errorf("%+v", got.exception)
	}
}

// waitIdle waits until no query runs.
func waitIdle(t *testing.T, s *Server, want int) {
	t.Helper()
	for range 500 {
		if s.cfg.Engine.Running() == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%d queries run, want %d", s.cfg.Engine.Running(), want)
}

const endless = "SELECT max(cityHash64(number)) FROM system.numbers"

func TestNativeCancel(t *testing.T) {
	srv, addr := serveNative(t)
	c, _ := connect(t, addr, protocol.Revision, "default", "")
	c.ask(protocol.Query{Text: endless})
	c.next(func(k protocol.ServerPacket, _ protocol.Data) bool { return k == protocol.ServerProgress }) // it comes while the query runs
	c.write([]byte{byte(protocol.ClientCancel)})
	if got := c.next(nil); got.exception != nil {
		t.Error(got.exception.Text)
	}
	waitIdle(t, srv, 0)
	equal(t, "behind Cancel", c.query("SELECT 1").rows, "1")
	c.ask(protocol.Query{Text: endless, ID: "victim"})
	waitIdle(t, srv, 1)
	srv.cfg.Engine.Kill("victim")
	if got := c.next(nil); got.exception == nil || got.exception.Code != int32(sqlerr.QueryWasCancelled) {
		t.Errorf("%+v", got)
	}
	c.ask(protocol.Query{Text: endless})
	waitIdle(t, srv, 1)
	_ = c.conn.Close() // the client goes away
	waitIdle(t, srv, 0)
}

func TestNativeClose(t *testing.T) {
	srv, addr := serveNative(t)
	idle, _ := connect(t, addr, protocol.Revision, "default", "")
	busy, _ := connect(t, addr, protocol.Revision, "default", "")
	busy.ask(protocol.Query{Text: "SELECT sleep(0.5)"})
	waitIdle(t, srv, 1)
	closed := make(chan error)
	go func() { closed <- srv.Close() }()
	if got := busy.next(nil); got.exception != nil || len(got.rows) != 1 {
		t.Errorf("a query that ran was not let end: %+v", got)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := idle.r.Wait(); err == nil {
		t.Error("an idle connection stayed open")
	}
}

func TestNativeRefuses(t *testing.T) {
	secret := access.Administrator("secret")
	secret.Auth = []access.Auth{{Type: access.Plaintext, Hash: "x"}}
	_, addr := serveNative(t, access.Administrator("default"), secret)
	if c, e := connect(t, addr, protocol.Revision, "secret", "x"); e != nil {
		t.Error(e.Text)
	} else {
		equal(t, "user", c.query("SELECT currentUser()").rows, "secret")
	}
	for password, code := range map[string]sqlerr.Code{"y": sqlerr.AuthenticationFailed, "": sqlerr.RequiredPassword} {
		if _, e := connect(t, addr, protocol.Revision, "secret", password); e == nil || e.Code != int32(code) {
			t.Errorf("%q: %+v", password, e)
		}
	}
	for name, bytes := range map[string]string{"HTTP": "GET / HTTP/1.1\r\n\r\n", "no hello": "\x04"} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = conn.Write([]byte(bytes)) // the answer tells
		r := protocol.NewReader(conn)
		if kind := r.Uvarint(); kind != uint64(protocol.ServerException) {
			t.Errorf("%s: packet %d, %v", name, kind, r.Err())
		}
	}
	c, _ := connect(t, addr, protocol.Revision, "default", "")
	c.write([]byte{100})
	if got := c.next(nil); got.exception == nil || got.exception.Code != int32(sqlerr.UnknownPacketFromClient) {
		t.Errorf("%+v", got)
	}
}
