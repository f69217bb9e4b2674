package eval

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/query/plan"
)

// isBranch reports whether a call computes some arguments only for some rows.
func isBranch(e *plan.Call) bool {
	switch e.Fn.Func.Name {
	case "if", "multiIf", "and", "or":
		return true
	}
	return false
}

// lazily computes node i for the rows of in, arguments of branches only for the rows that need them.
func (p *Program) lazily(i int, in *column.Block) (column.Vector, error) {
	if v, err := p.derived(i, in); v != nil || err != nil {
		return v, err
	}
	n := p.nodes[i]
	if n.kind == callNode && isBranch(n.call) {
		return p.branch(n, in)
	}
	args := make([]column.Vector, len(n.args))
	for k, a := range n.args {
		if a < 0 {
			continue
		}
		v, err := p.lazily(a, in)
		if err != nil {
			return nil, err
		}
		args[k] = v
	}
	return p.compute(n, args, in)
}

// branch computes the arguments in order, each for the rows that the earlier ones leave open; elsewhere
// it stands in as the default value, which the function does not look at.
func (p *Program) branch(n *node, in *column.Block) (column.Vector, error) {
	open := kernel.AppendSelected(nil, allOnes(in.N), 0) // rows not yet decided
	args := make([]column.Vector, len(n.args))
	name := n.call.Fn.Func.Name
	var chosen []uint32 // if, multiIf: rows whose condition holds
	for k, a := range n.args {
		rows := open
		isValue := (name == "if" || name == "multiIf") && k%2 == 1
		if isValue {
			rows = chosen
		}
		v, err := p.lazily(a, gatherBlock(in, rows))
		if err != nil {
			return nil, err
		}
		args[k] = spread(v, rows, in.N)
		if isValue || k == len(n.args)-1 {
			continue
		}
		mask := Truth(v, len(rows))
		switch name {
		case "or":
			_, open = split(open, mask)
		case "and":
			open = notFalse(open, v, mask)
		default:
			chosen, open = split(open, mask)
		}
	}
	return p.compute(n, args, in)
}

// split returns the rows whose mask is 1 and the others.
func split(rows []uint32, mask []uint8) (yes, no []uint32) {
	for i, r := range rows {
		if mask[i] != 0 {
			yes = append(yes, r)
		} else {
			no = append(no, r)
		}
	}
	return yes, no
}

// notFalse keeps the rows where v is true or NULL.
func notFalse(rows []uint32, v column.Vector, mask []uint8) []uint32 {
	var out []uint32
	for i, r := range rows {
		if mask[i] != 0 || column.IsNull(v, i) {
			out = append(out, r)
		}
	}
	return out
}

func allOnes(n int) []uint8 {
	out := make([]uint8, n)
	for i := range out {
		out[i] = 1
	}
	return out
}

// gatherBlock is Block.Gather for a block some of whose columns are nil.
func gatherBlock(in *column.Block, rows []uint32) *column.Block {
	out := &column.Block{Cols: make([]column.Vector, len(in.Cols)), N: len(rows)}
	for i, c := range in.Cols {
		if c != nil {
			out.Cols[i] = column.Gather(c, rows)
		}
	}
	return out
}

// spread puts value i of v at row rows[i] of n rows, the default elsewhere.
func spread(v column.Vector, rows []uint32, n int) column.Vector {
	if len(rows) == n {
		return v
	}
	at := make([]uint32, n)
	for i := range at {
		at[i] = uint32(len(rows))
	}
	for i, r := range rows {
		at[r] = uint32(i)
	}
	return column.Gather(column.Concat(column.Flatten(v), column.Flatten(column.NewDefaults(v.Type(), 1))), at)
}
