package build

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// comparison returns e as a comparison of a column with a constant of its type, if it is one: of numbers, dates and times, or
// of strings for equality.
func (b *builder) comparison(e plan.Expr) *exec.Compare {
	call, ok := e.(*plan.Call)
	if !ok || len(call.Args) != 2 {
		return nil
	}
	op, ok := comparisons[call.Fn.Func.Name]
	if !ok {
		return nil
	}
	left, right := call.Args[0], call.Args[1]
	if _, ok := left.(*plan.Const); ok {
		left, right, op = right, left, op.Flip()
	}
	col, ok := left.(*plan.Col)
	k, ok2 := right.(*plan.Const)
	if !ok || !ok2 || column.IsNull(k.Value, 0) {
		return nil
	}
	t := col.T.WithoutLowCardinality()
	text := t.Kind == types.String && (op == kernel.Eq || op == kernel.Ne)
	if t.IsNullable() || !(text || t.IsNumeric() || t.IsDateOrTime()) {
		return nil
	}
	v, ok := (&conditioner{b: b}).constant(k.Value, k.T, t)
	if !ok {
		return nil
	}
	return &exec.Compare{Column: col.Index, Op: op, Value: column.Flatten(v)}
}
