package build

import (
	"maps"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/plan"
)

func (b *builder) join(n *plan.Join, use needed, depth int) (exec.Operator, error) {
	if n.Strictness == plan.Any && n.Kind == plan.Full {
		return nil, sqlerr.New(sqlerr.NotImplemented, "ANY FULL JOIN is not implemented")
	}
	if n.Strictness == plan.Asof && n.Kind != plan.Inner && n.Kind != plan.Left {
		return nil, sqlerr.New(sqlerr.NotImplemented, "ASOF JOIN other than INNER and LEFT is not implemented")
	}
	width := len(n.Left.Schema())
	leftUse, rightUse := sideColumns(n, use, width)
	left, err := b.node(n.Left, leftUse, depth)
	if err != nil {
		return nil, err
	}
	right, err := b.node(n.Right, rightUse, depth)
	if err != nil {
		return nil, err
	}
	spec := exec.JoinSpec{Kind: n.Kind, Strictness: n.Strictness, AsofOp: n.AsofOp, LeftWidth: width, Fields: n.Fields, Used: usedFields(n, use), Text: plan.Describe(n)}
	if spec.KeyTypes, err = keyTypes(n); err != nil {
		return nil, err
	}
	if len(n.LeftKeys) > 0 {
		if spec.LeftKeys, err = b.program(n.LeftKeys...); err != nil {
			return nil, err
		}
		if spec.RightKeys, err = b.program(n.RightKeys...); err != nil {
			return nil, err
		}
	}
	if spec.Cond, err = b.optional(n.Cond); err != nil {
		return nil, err
	}
	return exec.NewJoin(left, right, spec), nil
}

func (b *builder) optional(e plan.Expr) (*eval.Program, error) {
	if e == nil {
		return nil, nil
	}
	return b.program(e)
}

// usedFields are the columns of a join that its reader uses or its condition.
func usedFields(n *plan.Join, use needed) []bool {
	if use != nil && n.Cond != nil {
		use = maps.Clone(use)
		plan.Columns(n.Cond, use)
	}
	out := make([]bool, len(n.Fields))
	for i := range out {
		out[i] = use.has(i)
	}
	return out
}

// sideColumns splits the columns in use by side, adding those of the condition and the keys.
func sideColumns(n *plan.Join, use needed, width int) (left, right needed) {
	if use == nil {
		return nil, nil
	}
	use = maps.Clone(use)
	if n.Cond != nil {
		plan.Columns(n.Cond, use)
	}
	left, right = usedBy(n.LeftKeys...), usedBy(n.RightKeys...)
	for c := range use {
		if c < width {
			left[c] = true
		} else {
			right[c-width] = true
		}
	}
	return left, right
}

// keyTypes are the types in which the key pairs are compared: the analyzer made them one.
func keyTypes(n *plan.Join) ([]*types.Type, error) {
	out := make([]*types.Type, len(n.LeftKeys))
	for i := range out {
		l, r := n.LeftKeys[i].Type().Inner(), n.RightKeys[i].Type().Inner()
		if l.Phys() != r.Phys() && l.Kind != types.Nothing && r.Kind != types.Nothing {
			return nil, sqlerr.New(sqlerr.TypeMismatch, "Keys of a join have the types %s and %s", l, r)
		}
		if out[i] = l; l.Kind == types.Nothing {
			out[i] = r
		}
	}
	return out, nil
}
