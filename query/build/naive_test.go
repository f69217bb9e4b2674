package build

import (
	"fmt"
	"sort"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/plan"
)

// The naive engine: rows as Go values, one at a time, written to be obviously right.

type row []any

func naive(n plan.Node) []row {
	switch n := n.(type) {
	case *plan.Scan:
		return naiveScan(n)
	case *plan.Values:
		return rowsOf(n.Block)
	case *plan.Filter:
		return where(naive(n.Input), n.Cond)
	case *plan.Project:
		var out []row
		for _, r := range naive(n.Input) {
			out = append(out, evalAll(n.Exprs, r))
		}
		return out
	case *plan.Aggregate:
		return naiveAggregate(n)
	case *plan.Sort:
		out := append([]row(nil), naive(n.Input)...)
		sort.SliceStable(out, func(i, j int) bool { return compareRows(out[i], out[j], n.Keys) < 0 })
		if n.Limit > 0 && uint64(len(out)) > n.Limit {
			out = out[:n.Limit]
		}
		return out
	case *plan.Limit:
		return naiveLimit(n)
	case *plan.LimitBy:
		seen := map[string]uint64{}
		return keep(naive(n.Input), func(r row) bool {
			k := text(at(r, n.Keys))
			seen[k]++
			return seen[k] > n.Offset && seen[k] <= n.Offset+n.N
		})
	case *plan.Distinct:
		seen := map[string]bool{}
		return keep(naive(n.Input), func(r row) bool {
			k := text(at(r, n.Keys))
			fresh := !seen[k]
			seen[k] = true
			return fresh
		})
	case *plan.Union:
		var out []row
		for _, in := range n.All {
			out = append(out, naive(in)...)
		}
		return out
	case *plan.Join:
		return naiveJoin(n)
	case *plan.ArrayJoin:
		var out []row
		for _, r := range naive(n.Input) {
			for _, x := range r[n.Columns[0]].([]any) {
				c := append(row(nil), r...)
				c[n.Columns[0]] = x
				out = append(out, c)
			}
		}
		return out
	}
	panic(fmt.Sprintf("naive: %T", n))
}

func naiveScan(n *plan.Scan) []row {
	t := n.Table.(*fakeTable)
	b := &column.Block{N: t.block.N}
	for _, c := range n.Columns {
		b.Cols = append(b.Cols, t.block.Cols[c])
	}
	rows := rowsOf(b)
	if n.Filter != nil {
		rows = where(rows, n.Filter)
	}
	return rows
}

func rowsOf(b *column.Block) []row {
	out := make([]row, b.N)
	for i := range out {
		for _, c := range b.Cols {
			out[i] = append(out[i], column.Value(c, i))
		}
	}
	return out
}

func at(r row, cols []int) row {
	var out row
	for _, c := range cols {
		out = append(out, r[c])
	}
	return out
}

func keep(rows []row, f func(row) bool) []row {
	var out []row
	for _, r := range rows {
		if f(r) {
			out = append(out, r)
		}
	}
	return out
}

func where(rows []row, cond plan.Expr) []row {
	return keep(rows, func(r row) bool {
		x := evalRow(cond, r)
		return x != nil && fmt.Sprint(x) != "0"
	})
}

func evalAll(es []plan.Expr, r row) row {
	var out row
	for _, e := range es {
		out = append(out, evalRow(e, r))
	}
	return out
}

func evalRow(e plan.Expr, r row) any {
	switch e := e.(type) {
	case *plan.Col:
		return r[e.Index]
	case *plan.Const:
		return column.Value(e.Value, 0)
	case *plan.In:
		return naiveIn(e, r)
	case *plan.Call:
		return naiveCall(e.Fn.Func.Name, evalAll(e.Args, r))
	}
	panic(fmt.Sprintf("naive: %T", e))
}

func naiveIn(e *plan.In, r row) any {
	args := evalAll(e.Args, r)
	for _, a := range args {
		if a == nil {
			return nil
		}
	}
	var set []row
	if e.Set.Values != nil {
		set = rowsOf(e.Set.Values)
	} else {
		set = naive(e.Set.Input)
	}
	found := false
	for _, s := range set {
		found = found || text(s) == text(args)
	}
	if found != e.Not {
		return uint8(1)
	}
	return uint8(0)
}

// naiveCall computes on integers and strings; NULL gives NULL but in and, or.
func naiveCall(name string, a row) any {
	truth := func(b bool) any {
		if b {
			return uint8(1)
		}
		return uint8(0)
	}
	if name == "and" {
		for _, x := range a {
			if x != nil && fmt.Sprint(x) == "0" {
				return truth(false)
			}
		}
	}
	for _, x := range a {
		if x == nil {
			return nil
		}
	}
	switch name {
	case "and":
		return truth(true)
	case "equals":
		return truth(fmt.Sprint(a[0]) == fmt.Sprint(a[1]))
	case "less":
		return truth(number(a[0]) < number(a[1]))
	case "greater":
		return truth(number(a[0]) > number(a[1]))
	case "if":
		if fmt.Sprint(a[0]) != "0" {
			return a[1]
		}
		return a[2]
	}
	panic("naive: " + name)
}

func number(x any) float64 {
	var f float64
	fmt.Sscan(fmt.Sprint(x), &f)
	return f
}

func naiveAggregate(n *plan.Aggregate) []row {
	sets := n.GroupingSets
	if sets == nil {
		all := []int{}
		for i := range n.Keys {
			all = append(all, i)
		}
		sets = [][]int{all}
	}
	var out []row
	for _, set := range sets {
		members := map[string][]row{}
		keys := map[string]row{}
		var order []string
		for _, r := range naive(n.Input) {
			k := evalAll(n.Keys, r)
			for i := range k {
				if !contains(set, i) {
					k[i] = column.Value(column.NewDefaults(n.Keys[i].Type(), 1), 0)
				}
			}
			id := text(k)
			if members[id] == nil {
				order, keys[id] = append(order, id), k
			}
			members[id] = append(members[id], r)
		}
		if len(n.Keys) == 0 && len(order) == 0 {
			order = []string{""}
		}
		for _, id := range order {
			r := append(row(nil), keys[id]...)
			for _, c := range n.Aggs {
				r = append(r, naiveFold(c, members[id]))
			}
			out = append(out, r)
		}
	}
	return out
}

func contains(set []int, i int) bool {
	for _, s := range set {
		if s == i {
			return true
		}
	}
	return false
}

func naiveFold(c plan.AggCall, rows []row) any {
	seen, sum, count := map[string]bool{}, 0.0, uint64(0)
	var least, greatest, first, last any
	for _, r := range rows {
		args := evalAll(c.Args, r)
		if len(args) > 0 && args[0] == nil {
			continue
		}
		count++
		if len(args) == 0 {
			continue
		}
		seen[text(args)] = true
		sum += number(args[0])
		if least == nil || number(args[0]) < number(least) {
			least = args[0]
		}
		if greatest == nil || number(args[0]) > number(greatest) {
			greatest = args[0]
		}
		if last = args[0]; first == nil {
			first = args[0]
		}
	}
	if len(c.Args) > 0 && c.Fn != nil && count == 0 && c.Fn.Result().IsNullable() {
		return nil
	}
	if len(c.Args) > 0 && count == 0 && (c.Func == "min" || c.Func == "max" || c.Func == "any" || c.Func == "anyLast") {
		return column.Value(column.NewDefaults(c.Args[0].Type(), 1), 0)
	}
	switch c.Func {
	case "max":
		return greatest
	case "any":
		return first
	case "anyLast":
		return last
	case "avg":
		return sum / float64(count)
	case "count":
		return count
	case "sum":
		return sum
	case "min":
		return least
	case "uniqExact":
		return uint64(len(seen))
	}
	panic("naive: " + c.Func)
}

func compareRows(a, b row, keys []plan.SortKey) int {
	for _, k := range keys {
		x, y := a[k.Index], b[k.Index]
		c := 0
		switch {
		case x == nil && y == nil:
		case x == nil || y == nil:
			c = 1
			if (x == nil) == k.NullsFirst {
				c = -1
			}
			return c
		default:
			if c = compareValues(x, y); k.Desc {
				c = -c
			}
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

func compareValues(x, y any) int {
	if s, ok := x.(string); ok {
		return strings.Compare(s, y.(string))
	}
	switch d := number(x) - number(y); {
	case d < 0:
		return -1
	case d > 0:
		return 1
	}
	return 0
}

func naiveLimit(n *plan.Limit) []row {
	rows := naive(n.Input)
	from := min(n.Offset, uint64(len(rows)))
	to := from + min(n.N, uint64(len(rows))-from)
	for len(n.WithTies) > 0 && to > from && to < uint64(len(rows)) && compareRows(rows[to-1], rows[to], n.WithTies) == 0 {
		to++
	}
	return rows[from:to]
}

func naiveJoin(n *plan.Join) []row {
	left, right := naive(n.Left), naive(n.Right)
	lw, rw := len(n.Left.Schema()), len(n.Right.Schema())
	usedL, usedR := make([]bool, len(left)), make([]bool, len(right))
	var out []row
	for i, l := range left {
		for j, r := range right {
			both := append(append(row(nil), l...), r...)
			if !naiveKeys(n, l, r) || n.Cond != nil && len(where([]row{both}, n.Cond)) == 0 {
				continue
			}
			firstL, firstR := !usedL[i], !usedR[j]
			usedL[i], usedR[j] = true, true
			anyLeft := n.Strictness == plan.Any && n.Kind == plan.Left
			switch {
			case n.Kind == plan.Anti, n.Kind == plan.RightAnti, n.Kind == plan.Semi && !firstL, n.Kind == plan.RightSemi && !firstR, anyLeft && !firstL:
				continue
			}
			out = append(out, both)
		}
	}
	for i, l := range left {
		if !usedL[i] && (n.Kind == plan.Left || n.Kind == plan.Full || n.Kind == plan.Anti) {
			out = append(out, append(append(row(nil), l...), defaults(n, lw, lw+rw)...))
		}
	}
	for j, r := range right {
		if !usedR[j] && (n.Kind == plan.Right || n.Kind == plan.Full || n.Kind == plan.RightAnti) {
			out = append(out, append(defaults(n, 0, lw), r...))
		}
	}
	return out
}

func naiveKeys(n *plan.Join, l, r row) bool {
	for i := range n.LeftKeys {
		a, b := evalRow(n.LeftKeys[i], l), evalRow(n.RightKeys[i], r)
		if a == nil || b == nil || fmt.Sprint(a) != fmt.Sprint(b) {
			return false
		}
	}
	return true
}

func defaults(n *plan.Join, from, to int) row {
	var out row
	for _, f := range n.Fields[from:to] {
		out = append(out, column.Value(column.NewDefaults(f.Type, 1), 0))
	}
	return out
}

// text prints a row so that different rows differ, numbers by value.
func text(r row) string {
	var b strings.Builder
	for _, x := range r {
		if s, ok := x.(string); ok {
			fmt.Fprintf(&b, "%q|", s)
			continue
		}
		fmt.Fprintf(&b, "%v|", x)
	}
	return b.String()
}
