package fragment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// Client opens queries on a cluster. It is safe for concurrent use.
type Client struct {
	cluster  Cluster
	clock    clock.Clock
	shuffles *Shuffles
	hedges   hedges
}

// NewClient returns a client, whose fragments meet others in s. It starts nothing.
func NewClient(c Cluster, clk clock.Clock, s *Shuffles) *Client {
	return &Client{cluster: c, clock: clk, shuffles: s}
}

// Query is one query's view of the cluster: which node reads which shard for it, and the connections to these. It implements exec.Remotes and may be
// used by any goroutine.
type Query struct {
	cl      *Client
	t       Template
	ctx     context.Context // ends all its streams
	end     context.CancelFunc
	local   []Shard
	far     []Shard
	traffic Traffic
	layout  Layout // of the shards
	// asking is the goroutines that ask nodes to pin.
	asking sync.WaitGroup
	mu     struct {
		sync.Mutex
		links   []*link
		opening chan struct{}
		next    uint64
		missing []uint64 // shards left out
		parts   []*part  // of this node, of fragments with shuffles
	}
}

// Open begins a query, which lasts until Close, or the end of ctx. Nodes are asked when its first fragment starts.
func (c *Client) Open(ctx context.Context, t Template) *Query {
	q := &Query{cl: c, t: t}
	q.ctx, q.end = context.WithCancel(ctx)
	shards, layout := c.cluster.Shards()
	q.layout = layout
	for _, s := range shards {
		if slices.Contains(s.Nodes, c.cluster.Self()) {
			q.local = append(q.local, s)
		} else {
			q.far = append(q.far, s)
		}
	}
	return q
}

// Close ends what is left of the query on other nodes.
func (q *Query) Close() {
	q.end()
	q.asking.Wait()
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range q.mu.parts {
		q.cl.shuffles.leave(p)
	}
	q.mu.parts = nil
}

// Local implements exec.Remotes.
func (q *Query) Local(shards []uint64) bool { return len(among(q.local, shards)) > 0 }

// among are those of the shards with these numbers; nil numbers are all.
func among(all []Shard, numbers []uint64) []Shard {
	if numbers == nil {
		return all
	}
	var out []Shard
	for _, s := range all {
		if slices.Contains(numbers, s.ID) {
			out = append(out, s)
		}
	}
	return out
}

// Count is how many shards there are.
func (q *Query) Count() int { return len(q.local) + len(q.far) }

// LocalCount is how many of them are read here.
func (q *Query) LocalCount() int { return len(q.local) }

// SpreadOf is how a table's rows find their shards by their sharding key.
func (q *Query) SpreadOf(t *catalog.Table) catalog.Spread {
	if q.layout.Spread != nil {
		return q.layout.Spread(t.ID)
	}
	return catalog.Spread{q.Count()}
}

// Has reports whether the nodes of the cluster understand a feature.
func (q *Query) Has(f feature.Feature) bool { return q.layout.Level.Has(f) }

// Alone reports whether all shards are read here: then plans need not be cut.
func (q *Query) Alone() bool { return len(q.far) == 0 }

// Storage pins the rows of the shards that are read here; the caller closes it.
func (q *Query) Storage(ctx context.Context) (exec.Storage, error) {
	p, err := q.cl.cluster.Pin(ctx, q.pin(q.local))
	return p.Storage, err
}

// Pin pins the rows of all shards that are read elsewhere, which the query's first fragment would do else.
func (q *Query) Pin(ctx context.Context) error {
	if q.Alone() {
		return nil
	}
	_, _, err := q.connect(ctx, q.far, nil)
	return err
}

// Missing names the shards that were left out, for which the query was told that it may.
func (q *Query) Missing() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make([]string, len(q.mu.missing))
	for i, id := range slices.Sorted(slices.Values(q.mu.missing)) {
		out[i] = strconv.FormatUint(id, 10)
	}
	return out
}

// Start implements exec.Remotes.
func (q *Query) Start(ctx context.Context, f exec.RemoteFragment) ([]exec.RemoteRows, exec.Peers, error) {
	want := among(q.far, f.Shards)
	shuffles := len(plan.Shuffles(f.Plan))
	switch {
	case shuffles > maxShuffles:
		return nil, nil, sqlerr.New(sqlerr.NotImplemented, "%d shuffles in a fragment are not implemented, %d are", shuffles, maxShuffles)
	case len(want) == 0 && shuffles == 0:
		return nil, nil, nil
	}
	s, err := newSending(f)
	if err != nil {
		return nil, nil, err
	}
	if shuffles > 0 {
		return q.startTogether(ctx, want, s)
	}
	old, fresh, err := q.connect(ctx, want, s)
	if err != nil {
		return nil, nil, err
	}
	out := make([]exec.RemoteRows, 0, len(old)+len(fresh))
	for i, l := range slices.Concat(old, fresh) {
		r, err := q.rows(ctx, l, i >= len(old), s, nil)
		if err != nil {
			closeAll(out)
			return nil, nil, err
		}
		out = append(out, r)
	}
	return out, nil, nil
}

// startTogether starts a fragment whose nodes send each other rows. All of them are there before any begins: none can be replaced later.
func (q *Query) startTogether(ctx context.Context, want []Shard, s *sending) ([]exec.RemoteRows, exec.Peers, error) {
	old, fresh, err := q.connect(ctx, want, nil)
	if err != nil {
		return nil, nil, err
	}
	links := slices.Concat(old, fresh)
	q.mu.Lock()
	q.mu.next++
	m := meeting{Session: q.mu.next}
	q.mu.Unlock()
	local := q.Local(s.Shards)
	if local {
		m.Nodes = append(m.Nodes, q.cl.cluster.Self())
	}
	first := len(m.Nodes)
	for _, l := range links {
		m.Nodes = append(m.Nodes, l.node)
	}
	var peers exec.Peers
	if local {
		p, err := q.cl.shuffles.enter(q.cl.cluster.Self(), q.t.Query, m, &q.traffic)
		if err != nil {
			return nil, nil, err
		}
		q.mu.Lock()
		q.mu.parts = append(q.mu.parts, p)
		q.mu.Unlock()
		peers = p
	}
	out := make([]exec.RemoteRows, 0, len(links))
	for i, l := range links {
		own := m
		own.Own = first + i
		r, err := q.rows(ctx, l, false, s, &own)
		if err != nil {
			closeAll(out)
			return nil, nil, err
		}
		out = append(out, r)
	}
	return out, peers, nil
}

func closeAll(list []exec.RemoteRows) {
	for _, r := range list {
		r.Close()
	}
}

// connect returns the links to the nodes that read shards: those there are, and those that are made now, on which the fragment has begun. One at
// a time makes links, the others wait for it.
func (q *Query) connect(ctx context.Context, want []Shard, s *sending) (old, fresh []*link, err error) {
	for {
		q.mu.Lock()
		old, missing := q.linked(want)
		wait := q.mu.opening
		if len(missing) == 0 || wait == nil && ctx.Err() == nil {
			if len(missing) > 0 {
				q.mu.opening = make(chan struct{})
			}
			q.mu.Unlock()
			if len(missing) > 0 {
				fresh, err = q.establish(ctx, missing, nil, s)
				q.opened(fresh)
			}
			return old, fresh, err
		}
		q.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
}

// linked returns the links that read some of the shards, and those of the shards that no link reads and that were not left out. REQUIRES: q.mu.
func (q *Query) linked(want []Shard) (old []*link, missing []Shard) {
	for _, s := range want {
		has := func(l *link) bool { return slices.ContainsFunc(l.shards, func(x Shard) bool { return x.ID == s.ID }) }
		switch i := slices.IndexFunc(q.mu.links, has); {
		case i >= 0:
			if l := q.mu.links[i]; !slices.Contains(old, l) {
				old = append(old, l)
			}
		case !slices.Contains(q.mu.missing, s.ID):
			missing = append(missing, s)
		}
	}
	return old, missing
}

// opened adds links and lets others make theirs.
func (q *Query) opened(links []*link) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.mu.links = append(q.mu.links, links...)
	close(q.mu.opening)
	q.mu.opening = nil
}

// establish links to nodes that read shards and are not among those that failed; where one cannot be reached, the next is asked.
func (q *Query) establish(ctx context.Context, shards []Shard, failed map[string]error, s *sending) ([]*link, error) {
	groups, none := assign(shards, failed)
	if len(none) > 0 {
		if !q.t.SkipUnavailable {
			return nil, unavailable(none, failed)
		}
		q.leaveOut(none)
	}
	found := make([][]*link, len(groups))
	errs := make([]error, len(groups))
	var wg sync.WaitGroup
	for i, g := range groups {
		wg.Go(func() {
			l, err := q.hedged(ctx, g, failed, s)
			if err == nil {
				found[i] = []*link{l}
				return
			}
			if errs[i] = err; !elsewhere(err) || ctx.Err() != nil {
				return
			}
			found[i], errs[i] = q.establish(ctx, g.shards, with(failed, g.node, err), s)
		})
	}
	wg.Wait()
	links := slices.Concat(found...)
	if err := firstError(errs); err != nil {
		for _, l := range links {
			l.close()
		}
		return nil, err
	}
	return links, nil
}

// firstError is the error that says most: not one that only follows from another's cancellation.
func firstError(errs []error) error {
	var first error
	for _, err := range errs {
		if err != nil && (first == nil || errors.Is(first, context.Canceled)) {
			first = err
		}
	}
	return first
}

// elsewhere reports whether another replica may do what failed: the node was not reached, or it has not the rows.
func elsewhere(err error) bool {
	return sqlerr.Is(err, sqlerr.NetworkError) || sqlerr.Is(err, sqlerr.AllConnectionTriesFailed)
}

// group is shards that one node reads.
type group struct {
	node   string
	shards []Shard
}

// assign deals shards out to the first of their nodes that has not failed. It returns those without one, too.
func assign(shards []Shard, failed map[string]error) (groups []group, none []Shard) {
	at := map[string]int{}
	for _, s := range shards {
		k := slices.IndexFunc(s.Nodes, func(n string) bool { return failed[n] == nil })
		if k < 0 {
			none = append(none, s)
			continue
		}
		node := s.Nodes[k]
		i, ok := at[node]
		if !ok {
			i = len(groups)
			at[node], groups = i, append(groups, group{node: node})
		}
		groups[i].shards = append(groups[i].shards, s)
	}
	return groups, none
}

func with(failed map[string]error, node string, err error) map[string]error {
	out := map[string]error{node: err}
	for n, e := range failed {
		out[n] = e
	}
	return out
}

// unavailable is the error of shards that no node can be asked for.
func unavailable(shards []Shard, failed map[string]error) error {
	parts := make([]string, len(shards))
	for i, s := range shards {
		why := make([]string, len(s.Nodes))
		for k, n := range s.Nodes {
			why[k] = n
			if err := failed[n]; err != nil {
				why[k] += " (" + err.Error() + ")"
			}
		}
		parts[i] = fmt.Sprintf("shard %d on %s", s.ID, strings.Join(why, ", "))
	}
	return sqlerr.New(sqlerr.AllConnectionTriesFailed, "All replicas are unavailable of %s", strings.Join(parts, "; "))
}

func (q *Query) leaveOut(shards []Shard) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range shards {
		if !slices.Contains(q.mu.missing, s.ID) {
			q.mu.missing = append(q.mu.missing, s.ID)
		}
	}
}

// sending is a fragment as it is sent: encoded once for all nodes.
type sending struct {
	exec.RemoteFragment
	plan   []byte
	fields column.Schema
	// older is the fields as nodes of older versions yield them, with all states as bytes; nil if there are no others.
	older column.Schema
}

func newSending(f exec.RemoteFragment) (*sending, error) {
	enc, err := Encode(nil, f.Plan)
	if err != nil {
		return nil, err
	}
	return &sending{RemoteFragment: f, plan: enc, fields: f.Plan.Schema(), older: statesAsBytes(f.Plan)}, nil
}

// statesAsBytes is the schema of a fragment that ends in a partial aggregate, with states as nodes yield them that know of no others; nil if it is the same.
func statesAsBytes(n plan.Node) column.Schema {
	a, ok := n.(*plan.Aggregate)
	if !ok || !a.Partial {
		return nil
	}
	out, same := slices.Clone(a.Fields), true
	for i := range a.Aggs {
		same = same && a.StateType(i).Kind == types.String
		out[len(a.Keys)+i].Type = types.TString
	}
	if same {
		return nil
	}
	return out
}

// decode returns the rows of a block message.
func (s *sending) decode(body []byte) (*column.Block, error) {
	b, err := decodeBlock(body, s.fields)
	if err != nil && s.older != nil {
		if b, err := decodeBlock(body, s.older); err == nil {
			return b, nil
		}
	}
	return b, err
}
