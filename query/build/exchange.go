package build

import (
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
	if b.o.Remotes.Local(n.Shards) {
		if local, err = b.node(n.Input, use, depth); err != nil {
			return nil, err
		}
	}
	var sent []*exec.Broadcast
	for _, s := range plan.Broadcasts(n.Input) {
		rows, err := b.sharedRows(s, depth)
		if err != nil {
			return nil, err
		}
		sent = append(sent, exec.NewBroadcast(rows))
	}
	columns := make([]bool, len(n.Schema()))
	for i := range columns {
		columns[i] = use.has(i)
	}
	return exec.NewExchange(b.o.Remotes, n, columns, local, sent), nil
}

func (b *builder) broadcast(n *plan.Broadcast, depth int) (exec.Operator, error) {
	rows, err := b.sharedRows(n, depth)
	if err != nil {
		return nil, err
	}
	return exec.NewBroadcast(rows), nil
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
