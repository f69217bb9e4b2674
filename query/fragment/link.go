package fragment

import (
	"context"
	"io"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/exec"
)

// link is a query's connection to a node that has pinned shards for it: a stream that keeps the pin, and one for each fragment.
type link struct {
	linkKey
	group
	indices []uint64
	end     context.CancelCauseFunc // of the stream that keeps the pin
	first   *fragmentStream         // of the fragment that the link was made for, which did not wait for the pin; nil if it was made for none
	mu      struct {
		sync.Mutex
		uses int  // fragments that were started
		used bool // rows of one were taken: another replica would have to pin the same instant
	}
}

// close ends the link.
func (l *link) close() {
	l.end(nil)
	if l.first != nil {
		l.first.end()
	}
}

// fragmentStream is a stream that a fragment was asked for on.
type fragmentStream struct {
	*conn
	end     context.CancelFunc
	traffic *Traffic
}

// link asks a node to pin shards and to run the first fragment on them, unless s is nil, and waits until it has pinned.
func (q *Query) link(ctx context.Context, g group, s *sending) (*link, error) {
	q.mu.Lock()
	q.mu.next++
	l := &link{linkKey: linkKey{q.t.Query, q.mu.next}, group: g}
	q.mu.Unlock()
	var pctx context.Context
	pctx, l.end = context.WithCancelCause(q.ctx)
	defer context.AfterFunc(ctx, func() { l.end(context.Cause(ctx)) })() // until it is there
	t := q.cl.clock.NewTimer(openTimeout)
	defer t.Stop()
	answered := make(chan struct{})
	defer close(answered)
	go func() {
		select {
		case <-t.C():
			l.end(errLate)
		case <-answered:
		}
	}()
	err := q.pinOn(pctx, l, func() (err error) {
		if s != nil {
			l.first, err = q.request(ctx, l, s, nil)
		}
		return err
	})
	if err != nil {
		if pctx.Err() != nil {
			err = context.Cause(pctx)
		}
		l.end(nil)
		if l.first != nil {
			l.first.end()
		}
		return nil, err
	}
	return l, nil
}

// pinOn opens the stream of a link's pin, calls then when that was asked for, and waits for the answer.
func (q *Query) pinOn(ctx context.Context, l *link, then func() error) error {
	st, err := q.cl.cluster.Open(ctx, l.node)
	if err != nil {
		return err
	}
	c := &conn{s: &counted{Stream: st, own: &Traffic{}, all: &q.traffic}}
	m := pinMessage{l.linkKey, q.pin(l.shards)}
	if err := c.ask(l.node, msgPin, m.encode()); err != nil {
		return err
	}
	if err := then(); err != nil {
		return err
	}
	k, body, err := c.recv()
	switch {
	case err == io.EOF:
		return unanswered(l.node)
	case err != nil:
		return err
	case k != msgPinned:
		return corrupt("node %s answers with a message of kind %d", l.node, k)
	}
	if l.indices, err = decodeIndices(body); err == nil && len(l.indices) != len(l.shards) {
		err = corrupt("node %s has pinned %d shards of %d", l.node, len(l.indices), len(l.shards))
	}
	return err
}

// ask sends the first message of a stream to a node. A node that has ended the stream by then has said why.
func (c *conn) ask(node string, k messageKind, body []byte) error {
	err := c.send(k, body)
	if err != io.EOF {
		return err
	}
	if _, _, err = c.recv(); err == nil || err == io.EOF {
		err = unanswered(node)
	}
	return err
}

// unanswered is the error of a node that is going: another may have what was asked of it.
func unanswered(node string) error {
	return sqlerr.New(sqlerr.NetworkError, "Node %s ended the stream before it answered", node)
}

// request opens a stream for a fragment; ctx ends it.
func (q *Query) request(ctx context.Context, l *link, s *sending, m *meeting) (*fragmentStream, error) {
	ctx, end := context.WithCancel(ctx)
	st, err := q.cl.cluster.Open(ctx, l.node)
	if err != nil {
		end()
		return nil, err
	}
	own := &Traffic{}
	f := &fragmentStream{conn: &conn{s: &counted{Stream: st, own: own, all: &q.traffic}}, end: end, traffic: own}
	if err := f.ask(l.node, msgRequest, q.t.request(l.linkKey, s, m).encode()); err != nil {
		end()
		return nil, err
	}
	return f, nil
}

// rows starts a fragment on a link, or goes on with the one that the link was made for.
func (q *Query) rows(ctx context.Context, l *link, fresh bool, s *sending, m *meeting) (*rows, error) {
	r := &rows{q: q, l: l, s: s, ctx: ctx, f: l.first, meets: m != nil}
	if !fresh {
		var err error
		if r.f, err = q.request(ctx, l, s, m); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	l.mu.uses++
	l.mu.Unlock()
	r.sent.Go(r.send)
	return r, nil
}

// rows is what a fragment yields on one node.
type rows struct {
	q    *Query
	l    *link
	s    *sending
	ctx  context.Context // of the fragment
	f    *fragmentStream
	sent sync.WaitGroup // the goroutine that sends the Broadcasts

	instead []exec.RemoteRows // of nodes that took this one's place
	report  *exec.RemoteReport
	closed  bool
	meets   bool // other nodes count on this one
	offered *column.Block
	early   *column.Block // rows that came where an offer may have
}

// send sends the rows of the Broadcasts and the start. Errors show in what the node answers, or does not.
func (r *rows) send() {
	for i, blocks := range r.s.Broadcasts {
		for _, b := range blocks {
			if r.ctx.Err() != nil || r.f.sendRows(i, b) != nil {
				return
			}
		}
	}
	_ = r.f.send(msgStart, nil)
}

// Next implements exec.RemoteRows.
func (r *rows) Next(ctx context.Context) (*column.Block, error) {
	for {
		switch {
		case r.early != nil:
			b := r.early
			r.early = nil
			return b, nil
		case r.closed, r.report != nil:
			return nil, nil
		case len(r.instead) > 0:
			return r.nextInstead(ctx)
		}
		b, err := r.receive(ctx)
		if err != nil {
			if err = r.replace(ctx, err); err != nil {
				return nil, err
			}
			continue
		}
		if b != nil || r.report != nil {
			return b, nil
		}
	}
}

// Offers implements exec.RemoteRows.
func (r *rows) Offers(ctx context.Context) ([]exec.Offer, error) {
	for {
		switch {
		case r.closed, r.report != nil, r.early != nil:
			return nil, nil
		case len(r.instead) > 0:
			var out []exec.Offer
			for _, x := range r.instead {
				some, err := x.Offers(ctx)
				if err != nil {
					return nil, err
				}
				out = append(out, some...)
			}
			return out, nil
		}
		b, err := r.receive(ctx)
		if err != nil {
			if err = r.replace(ctx, err); err != nil {
				return nil, err
			}
			continue
		}
		if r.early = b; r.offered != nil {
			return []exec.Offer{{Keys: r.offered, Take: func(at []uint32) error { return r.f.send(msgChosen, encodeChosen(at)) }}}, nil
		}
	}
}

func (r *rows) nextInstead(ctx context.Context) (*column.Block, error) {
	for _, x := range r.instead {
		if b, err := x.Next(ctx); b != nil || err != nil {
			return b, err
		}
	}
	return nil, nil
}

// receive takes one message; it returns a block if it is one.
func (r *rows) receive(ctx context.Context) (*column.Block, error) {
	defer context.AfterFunc(ctx, r.f.end)()
	k, body, err := r.f.recv()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err == io.EOF:
		return nil, sqlerr.New(sqlerr.NetworkError, "Node %s ended the stream before the fragment had ended", r.l.node)
	case err != nil:
		return nil, err
	}
	switch k {
	case msgProgress:
		return nil, r.progress(body)
	case msgBlock:
		r.taken()
		return r.s.decode(body)
	case msgOffer:
		if r.s.Late == nil || r.offered != nil {
			return nil, corrupt("node %s offers what it was not asked for", r.l.node)
		}
		r.taken()
		r.offered, err = decodeBlock(body, r.s.Late.Keys)
		return nil, err
	case msgReport:
		r.taken()
		rep, err := decodeReport(body)
		rep.Node, rep.Sent, rep.Received = r.l.node, r.f.traffic.Sent.Load(), r.f.traffic.Received.Load()
		r.q.traffic.Sent.Add(rep.Sideways)
		r.report = &rep
		r.f.end()
		return nil, err
	}
	return nil, corrupt("node %s sends a message of kind %d", r.l.node, k)
}

func (r *rows) progress(body []byte) error {
	p, err := decodeProgress(body)
	if err != nil {
		return err
	}
	if r.s.Planned != nil && p.planned > 0 {
		r.s.Planned(int64(p.planned))
	}
	if p.rows == 0 && p.bytes == 0 {
		return nil
	}
	return r.s.Read(int64(p.rows), int64(p.bytes))
}

// taken remembers that rows at the link's instant were seen.
func (r *rows) taken() {
	r.l.mu.Lock()
	r.l.mu.used = true
	r.l.mu.Unlock()
}

// replace starts the fragment on other replicas, if this one failed before any of the query's rows from it were taken; else it returns the error.
func (r *rows) replace(ctx context.Context, err error) error {
	r.l.mu.Lock()
	can := !r.l.mu.used && r.l.mu.uses == 1 && !r.meets
	r.l.mu.Unlock()
	if !can || !elsewhere(err) || ctx.Err() != nil || r.q.ctx.Err() != nil {
		return err
	}
	r.l.close()
	r.sent.Wait()
	links, err := r.q.establish(r.ctx, r.l.shards, map[string]error{r.l.node: err}, r.s)
	if err != nil {
		return err
	}
	r.q.exchangeLink(r.l, links)
	for _, l := range links {
		x, err := r.q.rows(r.ctx, l, true, r.s, nil)
		if err != nil {
			return err
		}
		r.instead = append(r.instead, x)
	}
	r.closed = len(r.instead) == 0 // its shards are left out
	return nil
}

// exchangeLink puts links in the place of one.
func (q *Query) exchangeLink(old *link, links []*link) {
	q.mu.Lock()
	defer q.mu.Unlock()
	kept := make([]*link, 0, len(q.mu.links)+len(links))
	for _, l := range q.mu.links {
		if l != old {
			kept = append(kept, l)
		}
	}
	q.mu.links = append(kept, links...)
}

// Close implements exec.RemoteRows.
func (r *rows) Close() {
	r.f.end()
	for _, x := range r.instead {
		x.Close()
	}
	r.closed = true
	r.sent.Wait()
}

// Reports implements exec.RemoteRows.
func (r *rows) Reports() []exec.RemoteReport {
	var out []exec.RemoteReport
	if r.report != nil {
		out = append(out, *r.report)
	}
	for _, x := range r.instead {
		out = append(out, x.Reports()...)
	}
	return out
}
