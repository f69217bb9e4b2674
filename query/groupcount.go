package query

import (
	"math"

	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// othersPass is the share of rows, as one over it, that pass a condition of which nothing is known.
const othersPass = 3

// groupsOf is about how many groups an aggregate has, of all shards: as many as rows drawn from all combinations of values of its keys would have. It is known
// of keys that are columns of one table with a replica here, by the statistics of its largest segment; a key that is computed, as toStartOfHour(t), may have few
// values and counts as one.
func (x *statement) groupsOf(n *plan.Aggregate) (int64, bool) {
	return x.combinations(n.Input, columnsAmong(n.Keys))
}

// columnsAmong are the columns that are expressions on their own.
func columnsAmong(es []plan.Expr) map[int]bool {
	out := map[int]bool{}
	for _, e := range es {
		if c, ok := e.(*plan.Col); ok {
			out[c.Index] = true
		}
	}
	return out
}

// combinations is about how many combinations of values some columns of a node have.
func (x *statement) combinations(n plan.Node, columns map[int]bool) (int64, bool) {
	switch n := n.(type) {
	case *plan.Project:
		var es []plan.Expr
		for c := range columns {
			es = append(es, n.Exprs[c])
		}
		return x.combinations(n.Input, columnsAmong(es))
	case *plan.Filter:
		return x.combinations(n.Input, columns)
	case *plan.Scan:
		return x.combinationsOf(n, columns)
	}
	return 0, false
}

func (x *statement) combinationsOf(n *plan.Scan, columns map[int]bool) (int64, bool) {
	t, distinct := n.Table.Catalog(), x.src.Providers.Distinct
	if t == nil || distinct == nil || x.spread == nil || x.spread.LocalCount() == 0 || len(columns) == 0 {
		return 0, false
	}
	names := make([]string, len(n.Schema()))
	for i, f := range n.Schema() {
		names[i] = f.Name
	}
	d, ok := distinct(x.ctx, t.ID, names)
	if !ok {
		return 0, false
	}
	rows := float64(d.Rows) * float64(x.spread.Count()) / float64(x.spread.LocalCount())
	values := make([]float64, len(names)) // of all rows
	for c, inSegment := range d.Values {
		if inSegment > 0 {
			values[c] = exec.DistinctOf(int(d.SegmentRows), int(inSegment), rows)
		}
	}
	most := 1.0
	for c := range columns {
		if d.Values[c] == 0 {
			return 0, false
		}
		most *= values[c]
	}
	if n.Filter != nil {
		rows *= passing(n.Filter, values)
	}
	return int64(min(-most*math.Expm1(-rows/most), math.MaxInt64/2)), true
}

// passing is the share of rows that pass a filter over columns of which each has so many values; 0: unknown.
func passing(filter plan.Expr, values []float64) float64 {
	share := 1.0
	for _, e := range conjuncts(filter, nil) {
		one := 1.0 / othersPass
		for c, n := range values {
			if v := comparedWith(e, c); v != nil && n > 0 {
				one = min(float64(v.Len())/n, 1)
			}
		}
		share *= one
	}
	return share
}
