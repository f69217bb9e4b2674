package build

import (
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

func (b *builder) window(n *plan.Window, depth int) (exec.Operator, error) {
	in, err := b.node(n.Input, nil, depth)
	if err != nil {
		return nil, err
	}
	if n.Unordered {
		return exec.NewCopyNumbers(in, n.Calls[0].PartitionBy, n.Input.Schema(), plan.Describe(n)), nil
	}
	var args []plan.Expr
	var calls []exec.WindowCall
	for i, c := range n.Calls {
		call := exec.WindowCall{Func: c.Func, Fn: c.Fn, PartitionBy: c.PartitionBy, OrderBy: c.OrderBy, Frame: c.Frame,
			Result: n.Fields[len(n.Input.Schema())+i].Type.WithoutLowCardinality()}
		for _, a := range c.Args {
			call.Args = append(call.Args, len(args))
			args = append(args, a)
		}
		calls = append(calls, call)
	}
	prog, err := b.program(args...)
	if err != nil {
		return nil, err
	}
	return exec.NewWindow(in, prog, calls, n.Input.Schema(), plan.Describe(n)), nil
}
