package build

import (
	"slices"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// exchange builds the part of a fragment that runs here, and what is sent to where its others run.
func (b *builder) exchange(n *plan.Exchange, use needed, depth int) (exec.Operator, error) {
	if b.o.Remotes == nil {
		return nil, sqlerr.New(sqlerr.LogicalError, "An Exchange on a node that knows no others")
	}
	var local exec.Operator
	var err error
	mesh := &exec.Mesh{}
	b.enterShuffles(n.Input, mesh)
	late := b.lateOver(n)
	if b.o.Remotes.Local(n.Shards) {
		if local, err = b.node(n.Input, use, depth); err != nil {
			return nil, err
		}
	}
	joined := map[*plan.Broadcast]bool{}
	joinedIn(n.Input, joined)
	var sent []*exec.Broadcast
	for _, s := range plan.Broadcasts(n.Input) {
		rows, err := b.sharedRows(s, depth)
		if err != nil {
			return nil, err
		}
		sent = append(sent, exec.NewBroadcast(rows, joined[s]))
	}
	columns := make([]bool, len(n.Schema()))
	for i := range columns {
		columns[i] = use.has(i)
	}
	e := exec.NewExchange(b.o.Remotes, n, columns, local, sent, mesh)
	e.Late(late)
	if len(joined) > 0 {
		e.Otherwise(func(large []bool) (exec.Operator, []exec.SetSource, error) {
			known := len(b.sources)
			op, err := b.instead(n, large, use, depth)
			return op, b.sources[known:], err
		})
	}
	return e, nil
}

// minLateBytes is the size of a node's rows, beside their sort keys, from which they are fetched only when they are chosen: less travels in the time that asking
// takes.
const minLateBytes = 4 << 10

// lateOver returns what a fragment's nodes offer first, if it is a top-k of rows that are wide; else nil.
func (b *builder) lateOver(n *plan.Exchange) *exec.Late {
	s, ok := n.Input.(*plan.Sort)
	if !ok || len(n.Shards) == 1 || s.Limit == 0 || s.Limit > exec.MaxTopBound || len(s.Keys) == 0 {
		return nil
	}
	if scan, _ := scanBelow(s); scan == nil || !b.setting("query_plan_optimize_lazy_materialization") {
		return nil
	}
	width := 0
	for i, f := range s.Schema() {
		if slices.ContainsFunc(s.Keys, func(k plan.SortKey) bool { return k.Index == i }) {
			continue
		}
		if w := f.Type.Inner().Width(); w > 0 {
			width += w
		} else {
			width += textBytes
		}
	}
	if uint64(width)*s.Limit < minLateBytes {
		return nil
	}
	late := exec.NewLate(s)
	b.late[s] = late.Choice
	return late
}

// textBytes is what a value of no fixed length is taken to have.
const textBytes = 32

// joinedIn collects the Broadcasts that are the right side of a join of a fragment.
func joinedIn(n plan.Node, to map[*plan.Broadcast]bool) {
	if j, ok := n.(*plan.Join); ok {
		if s, ok := j.Right.(*plan.Broadcast); ok {
			to[s] = true
		}
	}
	for _, in := range n.Inputs() {
		if _, ok := in.(*plan.Broadcast); !ok {
			joinedIn(in, to)
		}
	}
}

// unsent is a fragment as it runs here over the rows of all shards: its joins with Broadcasts, and what is above them; fragments are what is below.
func unsent(n plan.Node, shards []uint64) plan.Node {
	if s, ok := n.(*plan.Shuffle); ok { // all its rows are here
		return unsent(s.Input, shards)
	}
	joined := map[*plan.Broadcast]bool{}
	if joinedIn(n, joined); len(joined) == 0 {
		return &plan.Exchange{Input: n, Shards: shards}
	}
	var in []plan.Node
	for _, x := range n.Inputs() {
		if _, ok := x.(*plan.Broadcast); !ok {
			x = unsent(x, shards)
		}
		in = append(in, x)
	}
	return plan.WithInputs(n, in)
}

func (b *builder) broadcast(n *plan.Broadcast, depth int) (exec.Operator, error) {
	rows, err := b.sharedRows(n, depth)
	if err != nil {
		return nil, err
	}
	return exec.NewBroadcast(rows, false), nil
}

// sharedRows is the rows of a Broadcast, the same for all that read it.
func (b *builder) sharedRows(n *plan.Broadcast, depth int) (*exec.SharedRows, error) {
	if s := b.shared[n]; s != nil {
		return s, nil
	}
	in, err := b.node(n.Input, nil, depth)
	if err != nil {
		return nil, err
	}
	if b.shared == nil {
		b.shared = map[*plan.Broadcast]*exec.SharedRows{}
	}
	b.shared[n] = exec.NewSharedRows(in)
	return b.shared[n], nil
}

// columnsIn is a list of flags as a set; nil stays.
func columnsIn(flags []bool) needed {
	if flags == nil {
		return nil
	}
	u := needed{}
	for i, read := range flags {
		if read {
			u[i] = true
		}
	}
	return u
}
