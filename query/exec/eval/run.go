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

// frame is the scratch of one Run.
type frame struct {
	vals []column.Vector // by node; nil: not computed yet
	args []column.Vector
}

func (p *Program) frame() *frame {
	if f, ok := p.frames.Get().(*frame); ok {
		return f
	}
	return &frame{vals: make([]column.Vector, len(p.nodes)), args: make([]column.Vector, p.args)}
}

func (p *Program) release(f *frame) {
	clear(f.vals)
	clear(f.args)
	p.frames.Put(f)
}

// eager computes the roots, every node for all rows.
func (p *Program) eager(in *column.Block) ([]column.Vector, error) {
	f := p.frame()
	defer p.release(f)
	out := make([]column.Vector, len(p.roots))
	for i, r := range p.roots {
		v, err := p.value(f, r, in)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// value computes node i, once per frame.
func (p *Program) value(f *frame, i int, in *column.Block) (column.Vector, error) {
	if f.vals[i] != nil {
		return f.vals[i], nil
	}
	n := p.nodes[i]
	v, err := p.derived(i, in)
	if v == nil && err == nil {
		args := f.args[n.at : n.at+len(n.args) : n.at+len(n.args)]
		for k, a := range n.args {
			if a < 0 {
				continue
			}
			if args[k], err = p.value(f, a, in); err != nil {
				return nil, err
			}
		}
		v, err = p.compute(n, args, in)
	}
	f.vals[i] = v
	return v, err
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
	if n.choice != nil {
		if v, err := n.choice.coded(p.env, args, in.N); v != nil || err != nil {
			return v, err
		}
	}
	var lambda func([]column.Vector, []uint32) (column.Vector, error)
	if n.lambda != nil {
		lambda = func(params []column.Vector, rows []uint32) (column.Vector, error) {
			return n.lambda.run(in, params, rows)
		}
	}
	return n.call.Fn.Call(p.env, args, lambda, in.N)
}
