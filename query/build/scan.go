package build

import (
	"cmp"
	"slices"

	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// scan builds a scan whose reader uses the columns in use, some of them as m measures them.
func (b *builder) scan(n *plan.Scan, use needed, m *measure) (*exec.Scan, error) {
	if n.Sample != 0 {
		return nil, sqlerr.New(sqlerr.NotImplemented, "SAMPLE is not implemented")
	}
	s := &exec.Scan{Storage: b.o.Storage, Limit: n.Limit, Output: make([]bool, len(n.Columns)), Lengths: m.lengths()}
	for i := range s.Output {
		s.Output[i] = use.has(i)
	}
	if len(n.Parts) > 0 {
		s.Parts = make([]*function.ObjectPart, len(n.Columns))
		for i := range s.Parts {
			if p := n.Part(i); p != nil {
				s.Parts[i] = b.objectPart(n, p)
				s.PartNames = append(s.PartNames, n.Schema()[i].Name)
			}
		}
	}
	conjuncts := orderConjuncts(split(n.Filter, nil))
	for _, e := range conjuncts {
		test := m.rewrite(e)
		p, err := b.program(test)
		if err != nil {
			return nil, err
		}
		c, safe := cost(test)
		pred := &exec.Predicate{Program: p, Text: test.String(), Safe: safe, Cost: c, Pass: passing(e), Compare: b.comparison(test)}
		if pred.Compare != nil && n.Part(pred.Compare.Column) != nil { // pages know bounds of whole columns
			pred.Compare = nil
		}
		s.Preds = append(s.Preds, pred)
	}
	filter := b.filterKey(conjuncts)
	s.Request = func() exec.ScanRequest {
		return exec.ScanRequest{Table: n.Table, Columns: n.Columns, Cond: b.condition(n, conjuncts), Final: n.Final, Filter: filter}
	}
	return s, nil
}

// objectPart is what a scan's part is of the column.
func (b *builder) objectPart(n *plan.Scan, p *plan.Part) *function.ObjectPart {
	return function.NewObjectPart(b.o.Env, n.Schema()[p.Column].Type, p.Name)
}

// split appends the conjuncts of e.
func split(e plan.Expr, to []plan.Expr) []plan.Expr {
	if e == nil {
		return to
	}
	if c, ok := e.(*plan.Call); ok && c.Fn.Func.Name == "and" {
		for _, a := range c.Args {
			to = split(a, to)
		}
		return to
	}
	return append(to, e)
}

// orderConjuncts puts those that cannot fail first, cheapest first, and leaves the others behind them in
// the order written: what a conjunct guards against stays guarded.
func orderConjuncts(es []plan.Expr) []plan.Expr {
	slices.SortStableFunc(es, func(x, y plan.Expr) int {
		cx, sx := cost(x)
		cy, sy := cost(y)
		switch {
		case sx != sy:
			if sx {
				return -1
			}
			return 1
		case sx:
			return cmp.Compare(cx, cy)
		}
		return 0
	})
	return es
}

// passing guesses which part of the rows a condition is true for, until the scan has measured it.
func passing(e plan.Expr) float64 {
	switch e := e.(type) {
	case *plan.In:
		if e.Not {
			return 0.9
		}
		return 0.2
	case *plan.Call:
		if p, ok := callPasses[e.Fn.Func.Name]; ok {
			return p
		}
	}
	return 0.5
}

var callPasses = map[string]float64{
	"equals": 0.1, "notEquals": 0.9, "less": 0.3, "lessOrEquals": 0.3, "greater": 0.3, "greaterOrEquals": 0.3,
	"like": 0.1, "ilike": 0.1, "notLike": 0.9, "notILike": 0.9, "match": 0.1, "isNull": 0.1, "isNotNull": 0.9, "empty": 0.3, "notEmpty": 0.7,
}

// Costs of a function call in bytes read per row, roughly; what is not listed may fail.
var callCosts = map[string]int{
	"equals": 1, "notEquals": 1, "less": 1, "greater": 1, "lessOrEquals": 1, "greaterOrEquals": 1,
	"and": 1, "or": 1, "not": 1, "isNull": 1, "isNotNull": 1, "empty": 1, "notEmpty": 1, "plus": 1, "minus": 1, "multiply": 1,
	"toDate": 2, "toYYYYMM": 4, "toStartOfHour": 2, "toStartOfDay": 4, "toStartOfMonth": 4, "length": 2, "startsWith": 4, "endsWith": 4,
	"lower": 20, "upper": 20, "like": 40, "notLike": 40, "ilike": 60, "notILike": 60, "position": 40, "match": 200,
}

// cost estimates what evaluating e costs and whether it can never fail.
func cost(e plan.Expr) (n int, safe bool) {
	safe = true
	seen := map[int]bool{}
	plan.Walk(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Col:
			if !seen[e.Index] {
				seen[e.Index] = true
				n += columnCost(e.T)
			}
		case *plan.In:
			n += 8
		case *plan.Call:
			c, ok := callCosts[e.Fn.Func.Name]
			n += c
			safe = safe && ok && !e.Fn.Func.Volatile
		}
		return true
	})
	return n, safe
}

// columnCost is the bytes of one value, strings by a usual length.
func columnCost(t *types.Type) int {
	if t.Kind == types.LowCardinality {
		return 2
	}
	const stringCost = 32
	if in := t.Inner(); in.Phys() < types.PBytes {
		return in.Width()
	}
	return stringCost
}
