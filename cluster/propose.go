package cluster

import (
	"context"
	"fmt"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/internal/sqlerr"
)

// proposal is what is asked of the log.
type proposal struct {
	body   body
	schema uint64
	term   uint64      // only under this one; 0: any
	rows   []TableRows // handed over to the state machine
	token  bool        // it takes effect once, however often it is made
}

// propose commits an entry and waits until it has been applied here. A refusal by the state machine is in the
// response; an error says that there is none, as errors.go explains.
func (g *group) propose(ctx context.Context, p proposal) (response, error) {
	term, err := g.awaitTerm(ctx, p.term)
	if err != nil {
		return response{}, err
	}
	release := func() {}
	if g.prepare != nil {
		if release, err = g.prepare(ctx, term, p.body); err != nil {
			return response{}, err
		}
	}
	if g.pause != nil {
		g.pause()
	}
	request := g.requests.Add(1)
	data, err := g.encode(request, term, p.schema, p.body)
	if err != nil {
		release()
		return response{}, err
	}
	done := release
	if p.rows != nil {
		g.rows.put(term, request, p.rows)
		done = func() {
			g.rows.take(term, request)
			release()
		}
	}
	r, err := g.submit(ctx, data, done)
	r.term = term
	return r, err
}

func (g *group) encode(request, term, schema uint64, b body) ([]byte, error) {
	h := header{kind: b.kind(), group: g.id, term: term, schema: schema, time: g.clk.Now().UnixNano(), request: request}
	data, err := b.append(appendHeader(make([]byte, 0, 256), h))
	if err == nil && len(data) > MaxEntryBytes {
		err = tooLargeEntry(len(data))
	}
	return data, err
}

func tooLargeEntry(n int) error {
	return sqlerr.New(sqlerr.TooLargeSizeCompressed, "A log entry of %d bytes: the limit is %d", n, MaxEntryBytes)
}

// awaitTerm waits until this node's term has begun: for a moment after its start or its election. Where another node may lead it does
// not wait for an election.
func (g *group) awaitTerm(ctx context.Context, want uint64) (uint64, error) {
	timer := g.clk.NewTimer(leaderWait)
	defer timer.Stop()
	for {
		term, changed := g.leading()
		if err := g.refusal(); err != nil {
			return 0, err
		}
		if term != 0 {
			if want != 0 && want != term {
				return 0, fmt.Errorf("%w: term %d has ended", notLeader(g), want)
			}
			return term, nil
		}
		select {
		case <-changed:
		case <-g.clk.After(leaderPoll):
			if !g.leadsHere() {
				return 0, notLeader(g)
			}
		case <-timer.C():
			return 0, notLeader(g)
		case <-g.closing:
			return 0, closed()
		case <-g.machine.failed:
		case <-ctx.Done():
			return 0, ctxErr(ctx)
		}
	}
}

// awaitFirstTerm waits until the group has caught up with its log, however long that takes.
func (g *group) awaitFirstTerm(ctx context.Context) error {
	for {
		_, err := g.awaitTerm(ctx, 0)
		if err == nil || !retryable(err) {
			return err
		}
	}
}

// refusal returns why the group takes no proposals, or nil.
func (g *group) refusal() error {
	select {
	case <-g.closing:
		return closed()
	default:
	}
	if err := g.machine.err(); err != nil {
		return stopped(g.id, err)
	}
	if g.full() {
		return full()
	}
	return nil
}

// submit hands an entry to raft and waits for what it comes to: the future, ctx or the end of raft. done is called when raft
// has no more use for the entry, perhaps after submit has returned.
func (g *group) submit(ctx context.Context, data []byte, done func()) (response, error) {
	n := int64(len(data))
	if err := g.window.enter(ctx, g.closing, n); err != nil {
		done()
		return response{}, err
	}
	if err := g.refusal(); err != nil {
		done()
		g.window.leave(n)
		return response{}, err
	}
	type ending struct {
		r   response
		err error
	}
	end := make(chan ending, 1)
	f := g.raft.Apply(data, enqueueTimeout)
	go func() {
		r, err := g.await(f)
		done()
		end <- ending{r, err}
		g.window.leave(n)
	}()
	select {
	case e := <-end:
		return e.r, e.err
	case <-ctx.Done():
		return response{}, unknown(ctxErr(ctx))
	case <-g.store.stalled():
		return response{}, unknown(full())
	case <-g.down:
		return response{}, unknown(closed())
	}
}

func (g *group) await(f raft.ApplyFuture) (response, error) {
	if err := f.Error(); err != nil {
		return response{}, g.outcome(err)
	}
	r, ok := f.Response().(response)
	if !ok {
		return r, unknown(fmt.Errorf("raft answered %T", f.Response()))
	}
	r.index = f.Index()
	return r, nil
}

// handovers are the rows of proposals under way, for the state machine of this process: so it need not decode what was
// encoded here.
type handovers struct {
	mu   sync.Mutex
	rows map[[2]uint64][]TableRows // by term and request
}

func (h *handovers) put(term, request uint64, rows []TableRows) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rows == nil {
		h.rows = map[[2]uint64][]TableRows{}
	}
	h.rows[[2]uint64{term, request}] = rows
}

// take returns rows, once; nil if there are none.
func (h *handovers) take(term, request uint64) []TableRows {
	h.mu.Lock()
	defer h.mu.Unlock()
	rows := h.rows[[2]uint64{term, request}]
	delete(h.rows, [2]uint64{term, request})
	return rows
}
