package server

import (
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/settings"
)

// nativeQuery is one query of a connection while it runs.
type nativeQuery struct {
	*nativeConn
	ctx     context.Context
	cancel  context.CancelCauseFunc
	unwatch func()
	wanted  bool                           // the client was asked for rows; under out
	more    bool                           // it may still send some
	blocks  int                            // asked for
	latest  atomic.Pointer[query.Progress] // heard from the engine
	told    query.Progress                 // to the client; under out
	sent    protocol.Profile
}

// query reads a query with what comes along, runs it and answers. What is wrong with the query is told to the client; the
// error ends the connection.
func (c *nativeConn) query() error {
	c.dropping = false
	p, err := c.r.ReadQuery(c.revision, oldSetting)
	if err != nil {
		return err
	}
	c.compressed = p.Compression
	tables, err := c.externals()
	if err != nil {
		return err
	}
	q := &nativeQuery{nativeConn: c}
	q.ctx, q.cancel = context.WithCancelCause(c.s.natives.ctx)
	defer q.cancel(nil)
	c.out.enc.Revision, c.out.enc.Compress, c.out.enc.Codec = c.revision, p.Compression, compress.LZ4
	q.unwatch = c.watch(q.cancel)
	err = q.run(p, tables)
	q.unwatch()
	if q.more {
		c.dropping = true
	}
	switch {
	case err == nil, errors.Is(err, errCancelled), errors.Is(context.Cause(q.ctx), errCancelled):
		return c.send(endOfStream) // the query is no longer in the list of running ones: its id may be used again
	case c.r.Err() != nil:
		return err // what follows cannot be told apart
	case c.gone(err):
		return err
	}
	return c.sendException(err)
}

func endOfStream(b []byte) []byte { return append(b, byte(protocol.ServerEndOfStream)) }

// oldSetting tells how clients of old revisions wrote a setting.
func oldSetting(name string) (protocol.OldKind, error) {
	s, err := settings.Lookup(name)
	if err != nil {
		return 0, err
	}
	switch s.Type {
	case "Bool", "UInt64", "Int64", "Seconds", "Milliseconds", "MaxThreads", "UInt64Auto", "BoolAuto", "NonZeroUInt64":
		return protocol.OldNumber, nil
	}
	return protocol.OldString, nil
}

// externals reads the tables behind a query, up to the empty block.
func (c *nativeConn) externals() ([]query.External, error) {
	blocks := map[string][]*column.Block{}
	schemas := map[string]column.Schema{}
	var names []string
	left := int64(maxExternal)
	for {
		kind := protocol.ClientPacket(c.r.Uvarint())
		if err := c.r.Err(); err != nil {
			return nil, err
		}
		if kind != protocol.ClientData && kind != protocol.ClientScalar {
			return nil, unexpectedPacket(kind)
		}
		d, err := c.r.ReadData(c.revision, c.compressed)
		if err != nil {
			return nil, err
		}
		if kind == protocol.ClientScalar {
			continue // of a server that shares a query: values that its text repeats
		}
		if d.Empty() {
			break
		}
		if left -= d.Block.Bytes(); left < 0 {
			return nil, tooLargeExternal()
		}
		if _, ok := schemas[d.Table]; !ok {
			names, schemas[d.Table] = append(names, d.Table), d.Schema
		}
		if !sameColumns(schemas[d.Table], d.Schema) {
			return nil, sqlerr.New(sqlerr.IncorrectData, "The blocks of external table %s have different columns", d.Table)
		}
		blocks[d.Table] = append(blocks[d.Table], d.Block)
	}
	var out []query.External
	for _, n := range names {
		out = append(out, query.TableOf(n, schemas[n], blocks[n]))
	}
	return out, nil
}

func sameColumns(a, b column.Schema) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || !a[i].Type.Equal(b[i].Type) {
			return false
		}
	}
	return true
}

// run executes. A panic anywhere below is a bug of ours: the client gets an error, the log the stack.
func (q *nativeQuery) run(p protocol.Query, tables []query.External) (err error) {
	defer func() {
		if r := recover(); r != nil {
			q.s.cfg.Logger.Error("panic while answering a query", "query_id", p.ID, "panic", r, "stack", string(debug.Stack()))
			err = sqlerr.New(sqlerr.LogicalError, "Internal error: %v", r)
		}
	}()
	if p.Stage != protocol.StageComplete && p.Stage < protocol.StageAfterAggregation {
		return sqlerr.New(sqlerr.NotImplemented, "Queries are processed whole, not up to stage %d of a distributed one", p.Stage)
	}
	in := query.Query{
		Text: p.Text, ID: p.ID, Settings: q.settings(p.Settings), Revision: q.revision,
		Tables: tables, Rows: q.rows, OwnOutput: true,
		Client:   &query.Client{Address: q.net.RemoteAddr().String(), Interface: "TCP", Name: p.Info.Name, Secure: q.secure()},
		Progress: func(p query.Progress) { q.latest.Store(&p) },
	}
	if in.Params, err = params(p.Parameters); err != nil {
		return err
	}
	defer q.pulse()()
	res, err := q.session.Execute(q.ctx, in)
	if err != nil {
		return err
	}
	defer res.Close()
	return q.answer(res)
}

// settings are those that the client sets, but for unknown ones that it does not insist on.
func (q *nativeQuery) settings(list []protocol.Setting) map[string]string {
	out := map[string]string{}
	for _, s := range list {
		if _, err := settings.Lookup(s.Name); err != nil && !s.Important && !s.Custom {
			continue
		}
		if out[s.Name] = s.Value; s.Custom {
			if v, err := literal(s.Value); err == nil {
				out[s.Name] = v
			}
		}
	}
	return out
}

// params are the values of {name:Type}, which travel as SQL literals.
func params(list []protocol.Setting) (map[string]string, error) {
	out := map[string]string{}
	for _, p := range list {
		v, err := literal(p.Value)
		if err != nil {
			return nil, sqlerr.Wrap(err, sqlerr.BadArguments, "Value of parameter %s", p.Name)
		}
		out[p.Name] = v
	}
	return out, nil
}

// literal is the value of a string literal; anything else stands for itself.
func literal(text string) (string, error) {
	if !strings.HasPrefix(text, "'") {
		return text, nil
	}
	e, err := parse.Expr(text, parse.Limits{QuerySize: len(text) + 1})
	if err != nil {
		return "", err
	}
	lit, ok := e.(*ast.Literal)
	if !ok || lit.Kind != ast.LiteralString {
		return "", sqlerr.New(sqlerr.BadArguments, "%s is no string", text)
	}
	return lit.Str, nil
}

// rows asks the client for the rows of an INSERT.
func (q *nativeQuery) rows(w query.Wanted) (query.Rows, error) {
	q.unwatch()
	q.more = true
	err := q.append(func(b []byte) ([]byte, error) {
		q.wanted = true
		if protocol.HasColumnDefaults(q.revision) {
			b = protocol.AppendTableColumns(b, "", w.Columns)
		}
		return q.out.enc.AppendData(b, uint64(protocol.ServerData), protocol.Data{Schema: w.Schema, Block: &column.Block{}})
	}, true)
	return q.received, err
}

// taken tells the client that its last block was taken: some send the next one only then.
func (q *nativeQuery) taken() error {
	if q.blocks++; q.blocks == 1 || !protocol.HasProfileEvents(q.revision, true) {
		return nil
	}
	return q.append(func(b []byte) ([]byte, error) {
		var p query.Progress
		if l := q.latest.Load(); l != nil {
			p = *l
		}
		return q.appendEvents(b, "Insert", p)
	}, true)
}

// received waits for the next block of an INSERT.
func (q *nativeQuery) received(ctx context.Context) (column.Schema, *column.Block, error) {
	if !q.more {
		return nil, nil, nil
	}
	if err := q.taken(); err != nil {
		return nil, nil, err
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		q.in.interrupt()
		close(interrupted)
	})
	defer func() {
		if !stop() {
			<-interrupted
			q.in.resume()
		}
	}()
	if err := q.r.Wait(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, nil, err
	}
	switch kind := protocol.ClientPacket(q.r.Uvarint()); {
	case q.r.Err() != nil:
		return nil, nil, q.r.Err()
	case kind == protocol.ClientCancel:
		q.more = false
		q.cancel(errCancelled)
		return nil, nil, errCancelled
	case kind != protocol.ClientData:
		return nil, nil, unexpectedPacket(kind)
	}
	d, err := q.r.ReadData(q.revision, q.compressed)
	if err != nil {
		return nil, nil, err
	}
	if d.Empty() {
		q.more = false
		return nil, nil, nil
	}
	return d.Schema, d.Block, nil
}

// append appends a packet; what has gathered is sent if there is much of it, or if flush is set.
func (q *nativeQuery) append(f func([]byte) ([]byte, error), flush bool) error {
	q.out.Lock()
	defer q.out.Unlock()
	n := len(q.out.buf)
	b, err := f(q.out.buf)
	if err != nil {
		q.out.buf = q.out.buf[:n]
		return err
	}
	if q.out.buf = b; flush || len(b) >= flushOut {
		return q.flushLocked()
	}
	return nil
}

// flushOut is how many bytes are sent at once at least, unless they are the last or a while has passed.
const flushOut = 64 << 10

// answer sends a result, packet by packet in the order that clients know.
func (q *nativeQuery) answer(res *query.Result) error {
	q.out.enc.Codec, q.out.enc.Native = codec(res), res.FormatOptions().Native
	if res.Schema == nil {
		return q.end(res)
	}
	if err := q.data(protocol.ServerData, res.Schema, &column.Block{}); err != nil {
		return err
	}
	if err := res.Run(func(b *column.Block) error { return q.block(res.Schema, b) }); err != nil {
		return err
	}
	if t := res.Totals(); t != nil {
		if err := q.data(protocol.ServerTotals, res.Schema, t); err != nil {
			return err
		}
	}
	if x := res.Extremes(); x != nil {
		if err := q.data(protocol.ServerExtremes, res.Schema, x); err != nil {
			return err
		}
	}
	st := res.Stats()
	q.sent.AppliedLimit, q.sent.HasBeforeLimit, q.sent.BeforeLimit = st.HasLimit, true, q.sent.Rows // old clients crash where it is not known
	if st.HasLimit {
		q.sent.BeforeLimit = st.BeforeLimit
	}
	err := q.append(func(b []byte) ([]byte, error) { return protocol.AppendProfile(b, q.sent), nil }, false)
	if err != nil {
		return err
	}
	return q.end(res)
}

// codec is how the answer's frames are compressed.
func codec(res *query.Result) compress.Codec {
	name, _ := res.Settings.Get("network_compression_method")
	switch strings.ToUpper(name) {
	case "ZSTD":
		return compress.ZSTD
	case "NONE":
		return compress.None
	}
	return compress.LZ4
}

func (q *nativeQuery) block(schema column.Schema, b *column.Block) error {
	if b.N == 0 {
		return nil
	}
	q.sent.Rows += uint64(b.N)
	q.sent.Blocks++
	q.sent.Bytes += uint64(b.Bytes())
	return q.data(protocol.ServerData, schema, b)
}

func (q *nativeQuery) data(kind protocol.ServerPacket, schema column.Schema, b *column.Block) error {
	return q.append(func(out []byte) ([]byte, error) {
		return q.out.enc.AppendData(out, uint64(kind), protocol.Data{Schema: schema, Block: b})
	}, false)
}

// end appends what stands behind the rows of any statement, but for the end of the stream.
func (q *nativeQuery) end(res *query.Result) error {
	final := res.Progress()
	return q.append(func(b []byte) ([]byte, error) {
		var err error
		if protocol.HasServerLogs(q.revision) {
			if b, err = q.appendLogs(b, res, final); err != nil {
				return nil, err
			}
		}
		if protocol.HasProfileEvents(q.revision, q.wanted) {
			if b, err = q.appendEvents(b, res.Kind, final); err != nil {
				return nil, err
			}
		}
		if !q.wanted || protocol.HasProgressOfInsert(q.revision) {
			b = q.appendProgress(b, final)
		}
		if res.Schema != nil {
			return q.out.enc.AppendData(b, uint64(protocol.ServerData), protocol.EndOfData())
		}
		return b, nil
	}, false)
}

// appendProgress appends what was done since the last time. REQUIRES: q.out.
func (q *nativeQuery) appendProgress(b []byte, p query.Progress) []byte {
	last := q.told
	q.told = p
	return protocol.AppendProgress(b, protocol.Progress{
		ReadRows: p.ReadRows - last.ReadRows, ReadBytes: p.ReadBytes - last.ReadBytes, TotalRows: p.TotalRows - last.TotalRows,
		WrittenRows: p.WrittenRows - last.WrittenRows, WrittenBytes: p.WrittenBytes - last.WrittenBytes,
		ElapsedNanos: p.ElapsedNanos - last.ElapsedNanos,
	}, q.revision)
}

// pulseEvery is how often a client hears of a query that runs (interactive_delay).
const pulseEvery = 100 * time.Millisecond

// pulse sends progress, and rows that wait for more, every now and then, until the returned function is called.
func (q *nativeQuery) pulse() func() {
	return q.s.every(pulseEvery, func() error {
		p := q.latest.Swap(nil)
		err := q.append(func(b []byte) ([]byte, error) {
			if p != nil && (!q.wanted || protocol.HasProgressOfInsert(q.revision)) && p.ElapsedNanos > q.told.ElapsedNanos {
				b = q.appendProgress(b, *p)
			}
			return b, nil
		}, true)
		if err != nil {
			q.cancel(err) // the client has gone
		}
		return err
	})
}
