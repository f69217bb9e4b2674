package exec

import (
	"context"
	"errors"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/exec/spill"
)

// inboxBytes is how much of what comes from other nodes waits in memory for the operators here; more goes to a temporary file. Who sends does never wait for them: they
// may wait for a third node, and that for the sender.
const inboxBytes = 32 << 20

// inbox is rows that come from several sides, in any order. It is safe for concurrent use.
type inbox struct {
	r  *run
	mu struct {
		sync.Mutex
		blocks []*column.Block
		held   *reservation // of the blocks
		out    *spill.Writer
		in     *fileStream // a file of which rows were read already, or nil
		open   int         // sides that have not ended
		err    error
		closed bool          // nobody reads any more
		wake   chan struct{} // closed when something has changed
	}
}

// newInbox returns an inbox for rows of n sides.
func newInbox(r *run, n int) *inbox {
	b := &inbox{r: r}
	b.mu.held, b.mu.open, b.mu.wake = r.reservation(), n, make(chan struct{})
	r.atEnd(b.close)
	return b
}

// put takes rows in; what comes when nobody reads any more is dropped.
func (b *inbox) put(x *column.Block) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mu.closed || x.N == 0 {
		return nil
	}
	err := b.keepLocked(x)
	b.changedLocked(err)
	return err
}

func (b *inbox) keepLocked(x *column.Block) error {
	n := blockBytes(x)
	temp := b.r.opts.Temp
	if temp == nil || len(b.mu.blocks) == 0 || b.mu.held.held+n <= inboxBytes {
		if err := b.mu.held.add(n); err != nil {
			return err
		}
		b.mu.blocks = append(b.mu.blocks, x)
		return nil
	}
	if b.mu.out == nil {
		var err error
		if b.mu.out, err = temp.Create(); err != nil {
			return err
		}
	}
	return b.mu.out.Write(x)
}

// changedLocked wakes who waits; an error stays.
func (b *inbox) changedLocked(err error) {
	if b.mu.err == nil {
		b.mu.err = err
	}
	close(b.mu.wake)
	b.mu.wake = make(chan struct{})
}

// end tells that one side has sent all its rows, or with an error that it has not.
func (b *inbox) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.open--
	b.changedLocked(err)
}

// next returns the next rows, or nil when all sides have ended.
func (b *inbox) next(ctx context.Context) (*column.Block, error) {
	for {
		x, wait, err := b.tryNext(ctx)
		if x != nil || err != nil || wait == nil {
			return x, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// tryNext returns rows, or what to wait for before there may be more; neither at the end.
func (b *inbox) tryNext(ctx context.Context) (*column.Block, <-chan struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		switch {
		case b.mu.err != nil:
			return nil, nil, b.mu.err
		case len(b.mu.blocks) > 0:
			x := b.mu.blocks[0]
			b.mu.blocks[0] = nil
			b.mu.blocks = b.mu.blocks[1:]
			return x, nil, b.mu.held.add(-blockBytes(x))
		case b.mu.in != nil:
			x, err := b.mu.in.Next(ctx)
			if x != nil || err != nil {
				return x, nil, err
			}
			if err := b.dropFileLocked(); err != nil {
				return nil, nil, err
			}
		case b.mu.out != nil:
			w := b.mu.out
			b.mu.out = nil
			f, err := w.Finish()
			if err != nil {
				return nil, nil, err
			}
			b.mu.in = &fileStream{file: f}
		case b.mu.open > 0:
			return nil, b.mu.wake, nil
		default:
			return nil, nil, nil
		}
	}
}

// dropFileLocked removes the file that was read.
func (b *inbox) dropFileLocked() error {
	in := b.mu.in
	b.mu.in = nil
	return errors.Join(in.close(), in.file.Remove())
}

// close gives back what is left: nobody reads any more.
func (b *inbox) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.closed, b.mu.blocks = true, nil
	var errs []error
	if b.mu.out != nil {
		errs = append(errs, b.mu.out.Abort())
		b.mu.out = nil
	}
	if b.mu.in != nil {
		errs = append(errs, b.dropFileLocked())
	}
	return errors.Join(errs...)
}

// inboxStream yields the rows of an inbox to one of those who share it.
type inboxStream struct{ box *inbox }

func (s *inboxStream) Next(ctx context.Context) (*column.Block, error) { return s.box.next(ctx) }
