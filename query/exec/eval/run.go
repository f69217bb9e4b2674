package eval

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

// Run computes all expressions over the block, each a vector of in.N values. Columns the program does not
// use may be nil.
func (p *Program) Run(in *column.Block) ([]column.Vector, error) {
	if !p.lazy.Load() {
		out, err := p.eager(in)
		if err == nil || !p.branches || isFinal(err) {
			return out, err
		}
		p.lazy.Store(true)
	}
	out := make([]column.Vector, len(p.roots))
	for i, r := range p.roots {
		v, err := p.lazily(r, in)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// Run1 is Run for a program of one expression.
func (p *Program) Run1(in *column.Block) (column.Vector, error) {
	out, err := p.Run(in)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// isFinal reports whether computing for fewer rows cannot help.
func isFinal(err error) bool {
	switch sqlerr.CodeOf(err) {
	case sqlerr.MemoryLimitExceeded, sqlerr.QueryWasCancelled, sqlerr.TimeoutExceeded:
		return true
	}
	return false
}

// eager computes every node for all rows.
func (p *Program) eager(in *column.Block) ([]column.Vector, error) {
	vals := make([]column.Vector, len(p.nodes))
	for i := range p.nodes {
		n := &p.nodes[i]
		args := make([]column.Vector, len(n.args))
		for k, a := range n.args {
			if a >= 0 {
				args[k] = vals[a]
			}
		}
		v, err := p.compute(n, args, in)
		if err != nil {
			return nil, err
		}
		vals[i] = v
	}
	out := make([]column.Vector, len(p.roots))
	for i, r := range p.roots {
		out[i] = vals[r]
	}
	return out, nil
}

// compute evaluates one node whose arguments are known.
func (p *Program) compute(n *node, args []column.Vector, in *column.Block) (column.Vector, error) {
	switch n.kind {
	case columnNode:
		return in.Cols[n.column], nil
	case constNode:
		return &column.Const{Value: n.value, N: in.N}, nil
	case inNode:
		return p.contains(n, args, in.N)
	}
	var lambda func([]column.Vector, []uint32) (column.Vector, error)
	if n.lambda != nil {
		lambda = func(params []column.Vector, rows []uint32) (column.Vector, error) {
			return n.lambda.run(in, params, rows)
		}
	}
	return n.call.Fn.Call(p.env, args, lambda, in.N)
}
