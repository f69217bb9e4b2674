package client

import (
	"context"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/sqlerr"
)

// cancelGrace is how long a cancelled query may take to say so before the connection is cut.
const cancelGrace = time.Second

// summary is the work of a query as the server counted it.
type summary struct {
	work
	resultRows uint64
}

// exchange is one statement on its way: what it sends, and what comes of it. One goroutine runs it.
type exchange struct {
	*app
	conn *conn
	stmt settled
	bar  *progress
	rows *rowSource // of an INSERT whose data the client has; nil: none
	// isInsert tells that no rows can be a result: what comes as such asks for some.
	isInsert bool
	print    *printer
	sum      summary

	columns string         // of the table of an INSERT
	blocks  <-chan inBlock // to be sent; nil: none now
	written chan error     // answers the write under way; nil: none is
	opened  bool           // the server takes rows, and waits for their end
	failed  error          // errCancelled, or of a write; the server's own answer is still waited for
	saying  sync.WaitGroup // Cancel is being sent
}

// run asks and takes the answer to its end.
func (x *exchange) run(q question) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel() // the rows' reader ends
	interrupts, deafen := x.interrupts()
	defer deafen()
	if err := x.conn.ask(q); err != nil {
		return err
	}
	err := x.loop(ctx, interrupts)
	x.saying.Wait() // else it would end the next query
	if x.written != nil {
		if writeErr := <-x.written; err == nil {
			err = writeErr
		}
	}
	if x.opened && err != nil { // the server waits for the end of what it has refused
		if endErr := x.endRows(); endErr != nil {
			x.conn.close()
		}
	}
	return err
}

// loop waits for whatever is next: a packet, a block to be sent, Ctrl-C.
func (x *exchange) loop(ctx context.Context, interrupts <-chan os.Signal) error {
	var grace <-chan time.Time // until the server has to have answered
	for {
		blocks := x.blocks
		if x.written != nil || x.failed != nil {
			blocks = nil
		}
		select {
		case p := <-x.conn.packets:
			done, err := x.packet(ctx, p)
			switch {
			case done && x.failed == errCancelled:
				return errCancelled
			case done:
				return err
			case err != nil:
				return x.abandon(x.print.fail(err))
			}
		case b, ok := <-blocks:
			if err := x.sendBlock(b, ok); err != nil {
				return x.abandon(err)
			}
		case err := <-x.written:
			if x.written = nil; err != nil && x.failed == nil { // the reason may have come before
				x.failed, x.opened, grace = err, false, time.After(cancelGrace)
			}
		case <-interrupts:
			if x.failed != nil {
				x.conn.close()
				return x.failed
			}
			x.failed, x.opened, grace = errCancelled, false, time.After(cancelGrace) // Cancel ends the rows, too
			x.sayCancel()
		case <-grace:
			x.conn.close()
			return x.failed
		}
	}
}

// errCancelled is the user's own wish.
var errCancelled error = sqlerr.New(sqlerr.QueryWasCancelled, "Query was cancelled")

// sayCancel sends Cancel behind the packet that is being written. If it cannot be sent, cutting the connection remains.
func (x *exchange) sayCancel() {
	x.saying.Go(func() { _ = x.conn.cancel() })
}

// abandon ends a query after a failure on this side, which it returns: rows that cannot be read, or not be written.
func (x *exchange) abandon(err error) error {
	x.opened = false
	x.sayCancel()
	grace := time.After(cancelGrace)
	for {
		select {
		case p := <-x.conn.packets:
			switch p.kind {
			case broken, protocol.ServerException, protocol.ServerEndOfStream:
				return err
			}
		case <-grace:
			x.conn.close()
			return err
		}
	}
}

// sendBlock sends rows in the background, or their end.
func (x *exchange) sendBlock(b inBlock, ok bool) error {
	switch {
	case !ok:
		x.blocks, x.opened = nil, false
		return x.endRows()
	case b.err != nil:
		return b.err
	}
	written := make(chan error, 1)
	x.written = written
	go func() {
		packet, err := x.conn.enc.AppendData(nil, uint64(protocol.ClientData), b.Data)
		if err == nil {
			err = x.conn.send(packet)
		}
		written <- err
	}()
	return nil
}

func (x *exchange) endRows() error {
	b, err := x.conn.enc.AppendData(nil, uint64(protocol.ClientData), protocol.EndOfData())
	if err != nil {
		return err
	}
	return x.conn.send(b)
}

// packet takes one packet; true: it was the last.
func (x *exchange) packet(ctx context.Context, p packet) (bool, error) {
	switch p.kind {
	case broken, protocol.ServerException:
		if p.kind == broken {
			x.conn.close()
		}
		return true, x.print.fail(p.err)
	case protocol.ServerEndOfStream:
		return true, x.print.end(x.sum.work)
	case protocol.ServerTableColumns:
		x.columns = p.text
	case protocol.ServerData:
		return false, x.dataPacket(ctx, p.data)
	case protocol.ServerTotals, protocol.ServerExtremes:
		return false, x.print.extra(p.kind, p.data)
	case protocol.ServerProgress:
		x.sum.add(p.progress)
		x.bar.tell(x.sum.work)
	case protocol.ServerProfileInfo:
		x.print.profile = p.profile
	case protocol.ServerProfileEvents:
		x.sum.memory = max(x.sum.memory, peakMemory(p.data))
	case protocol.ServerLog:
		x.bar.pause(func() { printLogs(x.stderr, p.data) })
	}
	return false, nil
}

// dataPacket takes rows of the result, or what rows an INSERT is to send.
func (x *exchange) dataPacket(ctx context.Context, d protocol.Data) error {
	switch {
	case x.rows == nil && x.isInsert:
		return sqlerr.New(sqlerr.NotImplemented, "The server asks for rows for an INSERT … SELECT without input()")
	case x.rows == nil:
		return x.print.rows(d, len(x.conn.packets) == 0)
	}
	if x.opened || x.blocks != nil || x.failed != nil {
		return nil
	}
	x.opened = true
	var err error
	x.blocks, err = x.rows.start(ctx, d.Schema, x.columns, x.stmt)
	return err
}

// add counts what was done since the last time.
func (w *work) add(p protocol.Progress) {
	w.readRows += p.ReadRows
	w.readBytes += p.ReadBytes
	w.totalRows += p.TotalRows
	w.writtenRows += p.WrittenRows
	w.writtenBytes += p.WrittenBytes
}

// peakMemory finds the memory of a query among its events.
func peakMemory(d protocol.Data) (peak uint64) {
	name, value := d.Schema.Index("name"), d.Schema.Index("value")
	if name < 0 || value < 0 {
		return 0
	}
	for i := range d.Block.N {
		if s, _ := column.Value(d.Block.Cols[name], i).(string); s != "MemoryTrackerPeakUsage" {
			continue
		}
		if v, ok := column.Value(d.Block.Cols[value], i).(int64); ok && v > 0 {
			peak = max(peak, uint64(v))
		}
	}
	return peak
}

// printer writes a result in its format.
type printer struct {
	out     io.Writer
	format  *format.Format
	options format.Options
	started time.Time
	first   func() // called before the first byte is written
	profile protocol.Profile
	schema  column.Schema
	writer  format.Writer
	count   uint64
}

// rows writes rows; the first packet has the columns, which may be all of it. flush says that nothing more is there yet.
func (p *printer) rows(d protocol.Data, flush bool) error {
	if len(d.Schema) == 0 {
		return nil
	}
	if p.writer == nil {
		w, err := p.format.NewWriter(p, d.Schema, p.options)
		if err != nil {
			return err
		}
		p.writer, p.schema = w, d.Schema
	}
	if d.Block.N == 0 {
		return nil
	}
	if err := p.check(d); err != nil {
		return err
	}
	p.count += uint64(d.Block.N)
	if err := p.writer.Write(d.Block); err != nil || !flush {
		return err
	}
	return p.writer.Flush()
}

// check refuses a block of other columns than the first.
func (p *printer) check(d protocol.Data) error {
	same := func(a, b column.Field) bool { return a.Type == b.Type || a.Type.String() == b.Type.String() }
	if !slices.EqualFunc(p.schema, d.Schema, same) {
		return sqlerr.New(sqlerr.IncorrectData, "The server has sent a block of %d columns behind one of %d, or of other types", len(d.Schema), len(p.schema))
	}
	return nil
}

// extra writes the rows behind the others: totals and extremes.
func (p *printer) extra(kind protocol.ServerPacket, d protocol.Data) error {
	if p.writer == nil || d.Block.N == 0 {
		return nil
	}
	if err := p.check(d); err != nil {
		return err
	}
	if kind == protocol.ServerTotals {
		return p.writer.Totals(d.Block)
	}
	return p.writer.Extremes(d.Block)
}

// Write implements io.Writer for the format.
func (p *printer) Write(b []byte) (int, error) {
	p.first()
	n, err := p.out.Write(b)
	return n, sqlerr.Wrap(err, sqlerr.CannotOpenFile, "Cannot write the result")
}

// fail writes the rows that came before an error, which it returns.
func (p *printer) fail(err error) error {
	if p.writer != nil {
		_ = p.writer.Flush() // the first error counts
	}
	return err
}

// end writes what stands behind the rows.
func (p *printer) end(w work) error {
	if p.writer == nil {
		return nil
	}
	return p.writer.Close(format.Stats{
		Elapsed: time.Since(p.started), ReadRows: w.readRows, ReadBytes: w.readBytes, BeforeLimit: p.profile.BeforeLimit, HasLimit: p.profile.AppliedLimit,
	})
}
