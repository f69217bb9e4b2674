package fragment

import (
	"maps"
	"slices"
	"time"
)

// Request asks a node to run a fragment.
type Request struct {
	linkKey
	// Catalog is the version of the catalog that the fragment was planned with.
	Catalog uint64
	// User, Database, Now and Zone are what functions may ask for; Settings those of the query that were changed.
	User, Database string
	Now            time.Time
	Zone           string
	Settings       map[string]string
	// Broadcasts is how many there are. Plan is the encoded fragment, Columns those of its schema that are read.
	Broadcasts int
	Columns    []bool
	Plan       []byte
	// Late lets the node offer the sort keys of its rows, and wait, before it yields any.
	Late bool
	// Meeting is where the rows of the fragment's Shuffles go; nil: it has none.
	Meeting *meeting
}

// meeting is the nodes that run one fragment together: by their parts, of which Own is that of the node that is asked. Session tells the fragments of a
// query apart.
type meeting struct {
	Session uint64
	Own     int
	Nodes   []string
}

// linkKey names a link of a node's query: its id, and which of its connections to the other node it is. What it reads is pinned once.
type linkKey struct {
	Query string
	Link  uint64
}

// pinMessage asks a node to pin what a link reads.
type pinMessage struct {
	linkKey
	PinRequest
}

func (p *pinMessage) encode() []byte {
	w := &writer{b: []byte{requestVersion}}
	w.text(p.Query)
	w.uv(p.Link)
	w.count(len(p.Shards))
	for i, s := range p.Shards {
		w.uv(s)
		w.uv(p.After[i])
	}
	w.flag(p.Strong)
	w.uv(p.Catalog)
	w.uv(p.Topology)
	return w.b
}

func decodePin(body []byte) (*pinMessage, error) {
	r := &reader{b: body}
	r.version()
	p := &pinMessage{linkKey: linkKey{r.text(), r.uv()}}
	n := r.count()
	if n > maxShards {
		return nil, corrupt("a pin of %d shards", n)
	}
	for range n {
		p.Shards, p.After = append(p.Shards, r.uv()), append(p.After, r.uv())
	}
	p.Strong, p.Catalog = r.flag(), r.uv()
	if r.err == nil && len(r.b) > 0 { // nodes of older versions do not say
		p.Topology = r.uv()
	}
	return p, r.err
}

func (r *reader) version() {
	if v := r.u8(); v != requestVersion {
		r.fail(corrupt("a request of version %d, this build reads %d", v, requestVersion))
	}
}

// requestVersion is the first byte of a request; laterVersion of one that says behind the plan whether it is late and where it meets, which older nodes
// refuse.
const (
	requestVersion = 1
	laterVersion   = 2
)

func (q *Request) encode() []byte {
	w := &writer{b: []byte{requestVersion}}
	if q.Meeting != nil || q.Late {
		w.b[0] = laterVersion
	}
	w.text(q.Query)
	w.uv(q.Link)
	w.uv(q.Catalog)
	w.text(q.User)
	w.text(q.Database)
	w.sv(q.Now.UnixNano())
	w.text(q.Zone)
	w.count(len(q.Settings))
	for _, k := range slices.Sorted(maps.Keys(q.Settings)) {
		w.text(k)
		w.text(q.Settings[k])
	}
	w.count(q.Broadcasts)
	w.count(len(q.Columns))
	for _, x := range q.Columns {
		w.flag(x)
	}
	w.text(string(q.Plan))
	if w.b[0] != laterVersion {
		return w.b
	}
	w.flag(q.Late)
	w.flag(q.Meeting != nil)
	if m := q.Meeting; m != nil {
		w.uv(m.Session)
		w.count(m.Own)
		w.count(len(m.Nodes))
		for _, n := range m.Nodes {
			w.text(n)
		}
	}
	return w.b
}

func decodeRequest(body []byte) (*Request, error) {
	r := &reader{b: body}
	later := len(body) > 0 && body[0] == laterVersion
	if later {
		r.u8()
	} else {
		r.version()
	}
	q := &Request{linkKey: linkKey{r.text(), r.uv()}, Catalog: r.uv()}
	q.User, q.Database, q.Now, q.Zone = r.text(), r.text(), time.Unix(0, r.sv()).UTC(), r.text()
	n := r.count()
	if n > maxSettings {
		return nil, corrupt("a request with %d settings", n)
	}
	q.Settings = make(map[string]string, n)
	for range n {
		k := r.text()
		q.Settings[k] = r.text()
	}
	q.Broadcasts = r.count()
	q.Columns = make([]bool, r.count())
	for i := range q.Columns {
		q.Columns[i] = r.flag()
	}
	if q.Plan = r.take(r.count()); len(q.Plan) > maxFragment {
		return nil, corrupt("a fragment of %d bytes", len(q.Plan))
	}
	q.Plan = slices.Clone(q.Plan)
	if later {
		q.Late = r.flag()
		if r.flag() {
			q.Meeting = r.meeting()
		}
	}
	return q, r.err
}

func (r *reader) meeting() *meeting {
	m := &meeting{Session: r.uv()}
	own := r.uv()
	n := r.count()
	for range n {
		m.Nodes = append(m.Nodes, r.text())
	}
	if own >= uint64(len(m.Nodes)) || len(m.Nodes) > maxShards {
		r.fail(corrupt("part %d of %d nodes", own, len(m.Nodes)))
		return m
	}
	m.Own = int(own)
	return m
}
