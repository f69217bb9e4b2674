package optimize

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// regrouped is an Aggregate being rewritten: other keys and calls, from whose results expressions make the
// columns that the old one had. Equal calls become one.
type regrouped struct {
	old  *plan.Aggregate
	keys []plan.Expr
	aggs []plan.AggCall
	at   map[string]int // call → position in aggs
}

// regroupable reports whether the results of an aggregate may be made from other results: rows of totals and of
// several grouping sets hold defaults in the place of keys, and states are no values.
func regroupable(a *plan.Aggregate) bool {
	return !a.Totals && a.GroupingSets == nil && !a.Partial && !a.Merge
}

func regroup(a *plan.Aggregate, keys []plan.Expr) *regrouped {
	return &regrouped{old: a, keys: keys, at: map[string]int{}}
}

// key is the column of key i above the new aggregate.
func (r *regrouped) key(i int) plan.Expr {
	return &plan.Col{Index: i, Name: r.keys[i].String(), T: r.keys[i].Type()}
}

// call is the column of an aggregate above the new one, to which it is added unless it is there.
func (r *regrouped) call(c plan.AggCall) plan.Expr {
	text := c.String()
	key := text + " " + c.Fn.Result().String()
	i, ok := r.at[key]
	if !ok {
		i = len(r.aggs)
		r.at[key] = i
		r.aggs = append(r.aggs, c)
	}
	return &plan.Col{Index: len(r.keys) + i, Name: text, T: c.Fn.Result()}
}

// finish returns the new aggregate under a projection to the old one's schema; the old aggregate if nothing would change.
func (r *regrouped) finish(exprs []plan.Expr) plan.Node {
	if len(r.keys) == len(r.old.Keys) && len(r.aggs) == len(r.old.Aggs) && allColumns(exprs) {
		return r.old
	}
	n := &plan.Aggregate{Input: r.old.Input, Keys: r.keys, Aggs: r.aggs, Totals: r.old.Totals}
	for i := range r.keys {
		n.Fields = append(n.Fields, column.Field{Name: r.keys[i].String(), Type: r.keys[i].Type()})
	}
	for _, c := range r.aggs {
		n.Fields = append(n.Fields, column.Field{Name: c.String(), Type: c.Fn.Result()})
	}
	return &plan.Project{Input: n, Exprs: exprs, Fields: r.old.Fields}
}

func allColumns(es []plan.Expr) bool {
	for _, e := range es {
		if _, ok := e.(*plan.Col); !ok {
			return false
		}
	}
	return true
}

// isInt reports whether t holds plain integers of at most 64 bits, whose arithmetic is exact modulo 2⁶⁴.
func isInt(t *types.Type) bool {
	t = t.Inner()
	return t.IsInteger() && t.Width() <= 8 && t.Kind != types.Bool && !t.IsEnum()
}
