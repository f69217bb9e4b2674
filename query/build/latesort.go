package build

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// lateSort builds a top-k over a scan that reads of each row only the sort keys, carries a reference to the row through the sort, and fetches
// the other columns of the rows that come out; expressions over them are computed last. It returns nil where it does not apply: without a small limit, where
// expressions are volatile, where the storage's rows cannot be read again, and where the keys are all there is.
func (b *builder) lateSort(n *plan.Sort, depth int) (exec.Operator, error) {
	scan, exprs := scanBelow(n)
	if scan == nil || n.Limit == 0 || n.Limit > exec.MaxTopBound || len(n.Keys) == 0 || scan.Limit > 0 || scan.Final || scan.Table.Catalog() == nil ||
		!b.setting("query_plan_optimize_lazy_materialization") {
		return nil, nil
	}
	scan, exprs = b.parts(scan, exprs)
	keys := make([]plan.Expr, len(n.Keys))
	for i, k := range n.Keys {
		keys[i] = exprs[k.Index]
	}
	wanted, sorted := usedBy(exprs...), usedBy(keys...)
	if slices.ContainsFunc(exprs, volatile) || !exceeds(wanted, sorted) {
		return nil, nil
	}
	in, err := b.scan(scan, sorted, nil)
	if err != nil {
		return nil, err
	}
	in.Refs = true
	sort, err := b.sortRefs(n, scan, in, keys)
	if err != nil {
		return nil, err
	}
	var cols []int
	for c := range scan.Columns {
		if wanted[c] {
			cols = append(cols, c)
		}
	}
	var rows exec.Operator = sort
	if b.late[n] != nil {
		rows = exec.NewPick(sort, len(keys), b.late[n])
	}
	fetch := exec.NewFetch(rows, in, len(keys), cols)
	if _, ok := n.Input.(*plan.Project); !ok {
		return fetch, nil
	}
	prog, err := b.program(exprs...)
	if err != nil {
		return nil, err
	}
	return exec.NewProject(fetch, prog, exprList(exprs)), nil
}

// sortRefs sorts the keys with the references beside them, which are behind the columns of the scan.
func (b *builder) sortRefs(n *plan.Sort, scan *plan.Scan, in *exec.Scan, keys []plan.Expr) (*exec.Sort, error) {
	ref := len(scan.Columns)
	fields, by := column.Schema{}, slices.Clone(n.Keys)
	for i, k := range keys {
		fields = append(fields, column.Field{Name: n.Schema()[n.Keys[i].Index].Name, Type: k.Type()})
		by[i].Index = i
	}
	exprs := append(slices.Clone(keys), &plan.Col{Index: ref, Name: "row", T: types.TUInt64})
	prog, err := b.program(exprs...)
	if err != nil {
		return nil, err
	}
	s := exec.NewSort(exec.NewProject(in, prog, exprList(exprs)), by, n.Limit, append(fields, column.Field{Name: "row", Type: types.TUInt64}))
	if b.exactCount() {
		return s, nil
	}
	if f := b.sequence(n, scan, keys); f != nil {
		f.apply(s, in, by)
	} else if c, ok := keys[0].(*plan.Col); ok {
		s.Bind(in, c.Index)
	}
	return s, nil
}

// scanBelow returns the scan whose rows n sorts, all of them, and what it sorts as expressions over the scan; nil if it is not so.
func scanBelow(n *plan.Sort) (*plan.Scan, []plan.Expr) {
	if p, ok := n.Input.(*plan.Project); ok {
		scan, _ := p.Input.(*plan.Scan)
		return scan, p.Exprs
	}
	scan, ok := n.Input.(*plan.Scan)
	if !ok {
		return nil, nil
	}
	exprs := make([]plan.Expr, len(scan.Columns))
	for i, f := range scan.Schema() {
		exprs[i] = &plan.Col{Index: i, Name: f.Name, T: f.Type}
	}
	return scan, exprs
}

// volatile reports whether e may give another value each time it is evaluated.
func volatile(e plan.Expr) bool {
	found := false
	plan.Walk(e, func(e plan.Expr) bool {
		c, ok := e.(*plan.Call)
		found = found || ok && c.Fn.Func.Volatile
		return !found
	})
	return found
}

// exactCount reports whether the rows before LIMIT are to be counted, so that none may be skipped.
func (b *builder) exactCount() bool { return b.enabled("exact_rows_before_limit") }

// exceeds reports whether a has a column that b has not.
func exceeds(a, b needed) bool {
	for c := range a {
		if !b[c] {
			return true
		}
	}
	return false
}

// sortedScan returns the scan whose rows n sorts, all of them, and its column that is the first sort key; nil if it is not so.
func sortedScan(n *plan.Sort, in exec.Operator) (*exec.Scan, int) {
	if n.Limit == 0 || n.Limit > exec.MaxTopBound || len(n.Keys) == 0 {
		return nil, 0
	}
	col := n.Keys[0].Index
	if p, ok := n.Input.(*plan.Project); ok {
		c, ok := p.Exprs[col].(*plan.Col)
		if !ok {
			return nil, 0
		}
		col, in = c.Index, in.Inputs()[0]
	}
	scan, ok := in.(*exec.Scan)
	if !ok || scan.Limit > 0 {
		return nil, 0
	}
	return scan, col
}
