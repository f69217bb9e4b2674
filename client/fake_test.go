package client

import (
	"bytes"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/types"
)

// TestMain is also the client itself, for tests that need it as a process.
func TestMain(m *testing.M) {
	if args := os.Getenv("OLAPD_TEST_CLIENT"); args != "" {
		os.Exit(Main(strings.Fields(args), os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

// fake speaks enough of the protocol to play every turn it can take. Statements are answered by their words.
type fake struct {
	t        *testing.T
	l        net.Listener
	revision int
	deaf     bool // to Cancel
	columns  string
	header   column.Schema // of INSERTs
	serving  sync.WaitGroup

	mu      sync.Mutex
	hellos  []protocol.Client
	queries []protocol.Query
	rows    []string // of INSERTs, the values of each between tabs
	tables  []string // that came along
	open    []net.Conn
}

func newFake(t *testing.T) *fake {
	f := &fake{t: t, revision: protocol.Revision, header: column.Schema{{Name: "a", Type: types.TString}}, columns: "columns format version: 1\n1 columns:\n`a` String\n"}
	var err error
	if f.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	f.serving.Go(func() {
		for {
			c, err := f.l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.open = append(f.open, c)
			f.mu.Unlock()
			f.serving.Go(func() {
				defer c.Close()
				f.serve(&fakeConn{fake: f, conn: c, r: protocol.NewReader(c)})
			})
		}
	})
	t.Cleanup(f.close)
	return f
}

func (f *fake) close() {
	f.l.Close()
	f.mu.Lock()
	for _, c := range f.open {
		c.Close()
	}
	f.mu.Unlock()
	f.serving.Wait()
}

func (f *fake) texts() (out []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, q := range f.queries {
		out = append(out, q.Text)
	}
	return out
}

type fakeConn struct {
	*fake
	conn     net.Conn
	r        *protocol.Reader
	revision int
	enc      protocol.Encoder
}

func (c *fakeConn) write(b []byte) { _, _ = c.conn.Write(b) } // a client that has gone is noticed by reading

func (c *fakeConn) data(d protocol.Data) {
	b, err := c.enc.AppendData(nil, uint64(protocol.ServerData), d)
	if err != nil {
		c.t.Error(err)
	}
	c.write(b)
}

func (c *fakeConn) strings(values ...string) {
	schema := column.Schema{{Name: "x", Type: types.TString}}
	c.data(protocol.Data{Schema: schema, Block: &column.Block{Cols: []column.Vector{column.NewStrings()}}})
	c.data(protocol.Data{Schema: schema, Block: &column.Block{N: len(values), Cols: []column.Vector{column.NewStrings(values...)}}})
}

func (c *fakeConn) fail(code int32, text string) {
	c.write(protocol.AppendException(nil, &protocol.Exception{Code: code, Name: "DB::Exception", Text: "DB::Exception: " + text}))
}

func (c *fakeConn) progress(p protocol.Progress) {
	c.write(protocol.AppendProgress(nil, p, c.revision))
}

func (c *fakeConn) end() { c.write([]byte{byte(protocol.ServerEndOfStream)}) }

func (f *fake) serve(c *fakeConn) {
	hello, err := c.r.ReadClient()
	if err != nil {
		return
	}
	c.revision = min(hello.Revision, f.revision)
	f.mu.Lock()
	f.hellos = append(f.hellos, hello)
	f.mu.Unlock()
	if hello.Password == "wrong" {
		c.fail(516, "default: Authentication failed")
		return
	}
	c.write(protocol.AppendServer(nil, protocol.Server{Name: "ClickHouse", Major: 25, Minor: 8, Revision: f.revision, Zone: "UTC", DisplayName: "fake"}, c.revision))
	if protocol.HasAddendum(c.revision) {
		c.r.Name()
	}
	for {
		if err := c.r.Wait(); err != nil {
			return
		}
		switch protocol.ClientPacket(c.r.Uvarint()) {
		case protocol.ClientQuery:
			if !c.query() {
				return
			}
		case protocol.ClientCancel: // of a query that has ended
		default:
			c.t.Errorf("an unexpected packet: %v", c.r.Err())
			return
		}
	}
}

func (c *fakeConn) query() bool {
	q, err := c.r.ReadQuery(c.revision, func(string) (protocol.OldKind, error) { return 0, io.ErrUnexpectedEOF })
	if err != nil {
		c.t.Error(err)
		return false
	}
	c.enc = protocol.Encoder{Revision: c.revision, Compress: q.Compression, Codec: compress.ZSTD}
	for {
		if kind := protocol.ClientPacket(c.r.Uvarint()); kind != protocol.ClientData {
			c.t.Errorf("packet %d behind a query: %v", kind, c.r.Err())
			return false
		}
		d, err := c.r.ReadData(c.revision, q.Compression)
		if err != nil {
			c.t.Error(err)
			return false
		}
		if d.Empty() {
			break
		}
		c.mu.Lock()
		c.fake.tables = append(c.fake.tables, append([]string{d.Table + ":"}, lines(d)...)...)
		c.mu.Unlock()
	}
	c.mu.Lock()
	c.queries = append(c.queries, q)
	c.mu.Unlock()
	return c.answer(q.Text)
}

func lines(d protocol.Data) (out []string) {
	for i := range d.Block.N {
		var fields []string
		for _, v := range d.Block.Cols {
			s, _ := column.Value(v, i).(string)
			fields = append(fields, s)
		}
		out = append(out, strings.Join(fields, "\t"))
	}
	return out
}

func (c *fakeConn) answer(text string) bool {
	switch {
	case strings.Contains(text, "missing"):
		c.fail(60, "Table default.missing does not exist.")
		return true
	case strings.Contains(text, "code512"):
		c.fail(512, "No such role")
		return true
	case strings.Contains(text, "midway"):
		c.strings("1", "2")
		c.fail(241, "Memory limit exceeded")
		return true
	case strings.Contains(text, "cut"):
		c.strings("1", "2")
		return false
	case strings.Contains(text, "changed"):
		c.strings("1")
		two := column.Schema{{Name: "x", Type: types.TString}, {Name: "y", Type: types.TString}}
		c.data(protocol.Data{Schema: two, Block: &column.Block{N: 1, Cols: []column.Vector{column.NewStrings("a"), column.NewStrings("b")}}})
	case strings.Contains(text, "packet99"):
		c.write([]byte{99})
		return true
	case strings.Contains(text, "sleep"):
		c.progress(protocol.Progress{ReadRows: 500_000, ReadBytes: 8_000_000, TotalRows: 1_000_000})
		for protocol.ClientPacket(c.r.Uvarint()) == protocol.ClientCancel && c.deaf {
		}
		if c.r.Err() != nil {
			return false
		}
	case strings.HasPrefix(strings.ToUpper(text), "INSERT"):
		return c.insert(text)
	case strings.HasPrefix(text, "SELECT version()"):
		schema := column.Schema{{Name: "v", Type: types.TString}, {Name: "d", Type: types.TString}}
		c.data(protocol.Data{Schema: schema, Block: &column.Block{N: 1, Cols: []column.Vector{column.NewStrings("25.8.1.1"), column.NewStrings("default")}}})
	case strings.HasPrefix(text, "SELECT name FROM system.databases"):
		c.strings("default", "system")
	case strings.HasPrefix(text, "SELECT streamed"):
		c.progress(protocol.Progress{ReadRows: 1500, ReadBytes: 12000})
		c.strings("1", "2")
		c.progress(protocol.Progress{ReadRows: 500, ReadBytes: 4000})
	case strings.Contains(text, "SELECT"), strings.HasPrefix(text, "SHOW"), strings.HasPrefix(text, "DESCRIBE"):
		c.strings("row")
	}
	c.end()
	return true
}

func (c *fakeConn) insert(text string) bool {
	if protocol.HasColumnDefaults(c.revision) {
		c.write(protocol.AppendTableColumns(nil, "", c.columns))
	}
	header := &column.Block{}
	for _, f := range c.header {
		header.Cols = append(header.Cols, column.New(f.Type, 0))
	}
	c.data(protocol.Data{Schema: c.header, Block: header})
	refused := strings.Contains(text, "refused")
	for {
		switch kind := protocol.ClientPacket(c.r.Uvarint()); kind {
		case protocol.ClientCancel:
			c.end()
			return true
		case protocol.ClientData:
		default:
			c.t.Errorf("packet %d of an INSERT: %v", kind, c.r.Err())
			return false
		}
		d, err := c.r.ReadData(c.revision, c.enc.Compress)
		switch {
		case err != nil:
			c.t.Error(err)
			return false
		case d.Empty() && refused:
			return true
		case d.Empty():
			c.end()
			return true
		case refused:
			c.fail(469, "Constraint is violated")
			continue
		}
		c.mu.Lock()
		c.rows = append(c.rows, lines(d)...)
		c.mu.Unlock()
	}
}

// client runs the client against the fake.
func (f *fake) client(stdin io.Reader, args ...string) (code int, stdout, stderr string) {
	host, port, _ := net.SplitHostPort(f.l.Addr().String())
	var out, errs bytes.Buffer
	code = Main(append([]string{"--host", host, "--port=" + port}, args...), stdin, &out, &errs)
	return code, out.String(), errs.String()
}
