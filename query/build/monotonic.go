package build

import (
	"sort"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/segment"
)

// monotonicFunctions never decrease as their date or time grows.
var monotonicFunctions = map[string]bool{
	"toDate": true, "toDateTime": true, "toYear": true, "toYYYYMM": true, "toYYYYMMDD": true, "toYYYYMMDDhhmmss": true, "toUnixTimestamp": true,
	"toStartOfYear": true, "toStartOfQuarter": true, "toStartOfMonth": true, "toStartOfWeek": true, "toMonday": true, "toStartOfDay": true,
	"toStartOfHour": true, "toStartOfMinute": true, "toStartOfFiveMinutes": true, "toStartOfFiveMinute": true, "toStartOfTenMinutes": true,
	"toStartOfFifteenMinutes": true, "toStartOfSecond": true, "toStartOfInterval": true, "toRelativeDayNum": true, "toRelativeMonthNum": true,
}

// monotonic turns f(column) op constant into a range of the column, where f is made of monotonic functions:
// the column's domain is searched for where f passes the constant.
func (c *conditioner) monotonic(f *plan.Call, op kernel.Op, k *plan.Const) ([]segment.Term, bool) {
	col := monotonicColumn(f)
	if col == nil || !c.allowed(col) || op == kernel.Ne {
		return nil, false
	}
	dom, ok := domainOf(col.T.Inner())
	if !ok {
		return nil, false
	}
	reached, ok1 := c.bound(f, "greaterOrEquals", k, col, dom) // the first value where f ≥ k
	passed, ok2 := c.bound(f, "greater", k, col, dom)          // the first where f > k
	if !ok1 || !ok2 {
		return nil, false
	}
	switch op {
	case kernel.Lt:
		return dom.below(col, reached), true
	case kernel.Le:
		return dom.below(col, passed), true
	case kernel.Gt:
		return dom.from(col, passed)
	case kernel.Ge:
		return dom.from(col, reached)
	}
	lower, ok := dom.from(col, reached)
	if !ok {
		return nil, false
	}
	return append(lower, dom.below(col, passed)...), true
}

// monotonicColumn returns the column a chain of monotonic functions is of; their other arguments are constant.
func monotonicColumn(e plan.Expr) *plan.Col {
	for {
		switch x := e.(type) {
		case *plan.Col:
			return x
		case *plan.Call:
			if !monotonicFunctions[x.Fn.Func.Name] || len(x.Args) == 0 {
				return nil
			}
			for _, a := range x.Args[1:] {
				if _, ok := a.(*plan.Const); !ok {
					return nil
				}
			}
			e = x.Args[0]
		default:
			return nil
		}
	}
}

// domain is the values of a date or time type, as a count from the first.
type domain struct {
	size int64
	at   func(i int64) column.Vector
}

// margin keeps the search off the ends of a type, where toStartOfWeek and the like wrap: 32 days.
const margin = 32

func domainOf(t *types.Type) (domain, bool) {
	switch t.Kind {
	case types.Date:
		return domain{1<<16 - 2*margin, func(i int64) column.Vector { return column.NewNum(t, []uint16{uint16(i + margin)}) }}, true
	case types.DateTime:
		const m = margin * 86400
		return domain{1<<32 - 2*m, func(i int64) column.Vector { return column.NewNum(t, []uint32{uint32(i + m)}) }}, true
	}
	return domain{}, false
}

// bound returns the first i of the domain for which "f(value i) cmp k" holds.
func (c *conditioner) bound(f *plan.Call, cmp string, k *plan.Const, col *plan.Col, dom domain) (int64, bool) {
	env := c.b.o.Env
	fn, err := function.Bind(env, cmp, []function.Arg{{Type: f.Fn.Result}, {Type: k.T, Const: column.Flatten(k.Value)}})
	if err != nil {
		return 0, false
	}
	prog, err := eval.Compile(env, []plan.Expr{&plan.Call{Fn: fn, Args: []plan.Expr{f, k}}}, c.b.sets)
	if err != nil {
		return 0, false
	}
	in := &column.Block{Cols: make([]column.Vector, col.Index+1), N: 1}
	i := sort.Search(int(dom.size), func(i int) bool {
		in.Cols[col.Index] = dom.at(int64(i))
		v, e := prog.Run1(in)
		if e != nil {
			err = e
			return true
		}
		return eval.Truth(v, 1)[0] != 0
	})
	return int64(i), err == nil
}

// from is the term "column ≥ value i"; there is none at the domain's start.
func (d domain) from(col *plan.Col, i int64) ([]segment.Term, bool) {
	if i == 0 {
		return nil, false
	}
	return []segment.Term{segment.Cmp(col.Name, kernel.Ge, d.at(min(i, d.size-1)))}, true
}

// below is the term "column < value i"; beyond the domain's end nothing is excluded.
func (d domain) below(col *plan.Col, i int64) []segment.Term {
	if i >= d.size {
		return nil
	}
	return []segment.Term{segment.Cmp(col.Name, kernel.Lt, d.at(i))}
}
