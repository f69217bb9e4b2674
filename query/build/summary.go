package build

import (
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// summarized puts before an aggregation of all rows of a table the attempt to answer it from what the storage knows of them: count(), and min and
// max of columns whose bounds are exact. Filters, and row policies are filters, FINAL and samples need the rows.
func (b *builder) summarized(n *plan.Aggregate, op exec.Operator) exec.Operator {
	scan, ok := n.Input.(*plan.Scan)
	if !ok || len(n.Keys) > 0 || n.GroupingSets != nil || n.Totals || n.Partial || n.Merge || len(n.Aggs) == 0 ||
		scan.Filter != nil || scan.Final || scan.Sample != 0 || scan.Limit > 0 || scan.Table.Catalog() == nil {
		return op
	}
	in, ok := op.Inputs()[0].(*exec.Scan)
	if !ok {
		return op
	}
	calls := make([]exec.SummaryCall, len(n.Aggs))
	for i, a := range n.Aggs {
		call, ok := b.summaryCall(a)
		if !ok {
			return op
		}
		calls[i] = call
	}
	return exec.NewSummarize(op, in, calls)
}

func (b *builder) summaryCall(a plan.AggCall) (exec.SummaryCall, bool) {
	call := exec.SummaryCall{Name: a.String()}
	switch {
	case a.Func == "count" && len(a.Args) == 0:
		return call, b.setting("optimize_trivial_count_query")
	case a.Func == "min" && len(a.Args) == 1:
		call.Kind = exec.SummaryMin
	case a.Func == "max" && len(a.Args) == 1:
		call.Kind = exec.SummaryMax
	default:
		return call, false
	}
	col, ok := a.Args[0].(*plan.Col)
	if !ok {
		return call, false
	}
	call.Column = col.Index
	bounded := col.T.IsInteger() || col.T.IsDateOrTime()
	return call, bounded && a.Fn.Result().Equal(col.T) && b.setting("optimize_use_implicit_projections")
}

// enabled reads a boolean setting that is off by default.
func (b *builder) enabled(name string) bool {
	if b.o.Env.Setting == nil {
		return false
	}
	v, _ := b.o.Env.Setting(name)
	return v == "1" || v == "true"
}

// setting reads a boolean setting that is on by default.
func (b *builder) setting(name string) bool {
	if b.o.Env.Setting == nil {
		return true
	}
	v, ok := b.o.Env.Setting(name)
	return !ok || v != "0" && v != "false"
}
