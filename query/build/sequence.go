package build

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// following is how a Sort goes by the sort key of the table below.
type following struct {
	seq  *exec.Sequence
	keys []int // of the Sort's keys those by which rows differ
}

// apply has the Sort s of keys do so. Rows that a filter has to find are best looked for under the bound of a top-k, too: with the first of them found, less of
// each run is looked at.
func (f *following) apply(s *exec.Sort, scan *exec.Scan, keys []plan.SortKey) {
	var by []plan.SortKey
	for _, i := range f.keys {
		by = append(by, keys[i])
	}
	s.Follow(scan, f.seq, by)
	if f.seq.Column >= 0 && f.seq.Each > 0 && f.seq.Each <= exec.MaxTopBound && len(scan.Preds) > 0 {
		s.Bind(scan, f.seq.Column)
	}
}

// sequenceBelow returns how n can go by the sort key of a table, from which only projections and filters part it; nil if it cannot.
func (b *builder) sequenceBelow(n *plan.Sort) *following {
	keys := make([]plan.Expr, len(n.Keys))
	for i, k := range n.Keys {
		f := n.Schema()[k.Index]
		keys[i] = &plan.Col{Index: k.Index, Name: f.Name, T: f.Type}
	}
	filtered := false
	for in := n.Input; ; {
		switch x := in.(type) {
		case *plan.Scan:
			f := b.sequence(n, x, keys)
			if f != nil && filtered {
				f.seq.Each = 0
			}
			return f
		case *plan.Filter:
			if volatile(x.Cond) {
				return nil
			}
			filtered, in = true, x.Input
		case *plan.Project:
			if slices.ContainsFunc(x.Exprs, volatile) {
				return nil
			}
			for i, k := range keys {
				c, ok := k.(*plan.Col)
				if !ok {
					return nil
				}
				keys[i] = x.Exprs[c.Index]
			}
			in = x.Input
		default:
			return nil
		}
	}
}

// scanUnder is the scan at the end of a chain of projections and filters.
func scanUnder(op exec.Operator) *exec.Scan {
	for {
		if s, ok := op.(*exec.Scan); ok {
			return s
		}
		op = op.Inputs()[0]
	}
}

// sequence returns how n, whose keys are those over the scan, can go by the sort key of its table: they must be the sort key's first elements, all of them ascending or all
// descending, where on both sides those are left out that the filter allows one value. It returns nil if it cannot.
func (b *builder) sequence(n *plan.Sort, scan *plan.Scan, keys []plan.Expr) *following {
	t := scan.Table.Catalog()
	if t == nil || len(t.SortKey) == 0 || scan.Limit > 0 || !b.setting("optimize_read_in_order") {
		return nil
	}
	fixed := fixedColumns(scan)
	f := &following{seq: &exec.Sequence{Column: -1, Each: n.Limit}}
	at := 0 // in the sort key
	for i, e := range keys {
		if fixed[e.String()] {
			continue
		}
		for at < len(t.SortKey) && fixed[t.SortKey[at]] && t.SortKey[at] != e.String() {
			at++
		}
		if at == len(t.SortKey) || !b.isKey(scan, e, t.SortKey[at]) || !asStored(e.Type(), n.Keys[i].Order) {
			return nil
		}
		if len(f.keys) == 0 {
			f.seq.Desc, f.seq.Order = n.Keys[i].Desc, n.Keys[i].Order
			if c, ok := e.(*plan.Col); ok {
				f.seq.Column = c.Index
			}
		}
		if n.Keys[i].Desc != f.seq.Desc {
			return nil
		}
		f.keys = append(f.keys, i)
		at++
	}
	if len(f.keys) == 0 || scan.Final && f.seq.Desc { // merged rows come in ascending order
		return nil
	}
	f.seq.Key = t.SortKey[:at]
	return f
}

// isKey reports whether e, over the scan, is the element of the sort key whose SQL is given.
func (b *builder) isKey(scan *plan.Scan, e plan.Expr, sql string) bool {
	if e.String() != sql {
		return false
	}
	if _, ok := e.(*plan.Col); !ok {
		// A session with another time zone than the server computes other values than those that the rows are sorted by.
		if b.o.Env.Setting == nil {
			return false
		}
		if zone, _ := b.o.Env.Setting("session_timezone"); zone != "" {
			return false
		}
	}
	stored, named := scan.Table.Schema(), true
	plan.Walk(e, func(e plan.Expr) bool {
		if c, ok := e.(*plan.Col); ok {
			named = named && stored[scan.Columns[c.Index]].Name == c.Name
		}
		return named
	})
	return named
}

// asStored reports whether segments have values of a type in an order, read from one end or the other: NULL and NaN are at their ends.
func asStored(t *types.Type, o column.Order) bool {
	in := t.WithoutLowCardinality()
	switch {
	case in.IsFloat() || in.IsNullable():
		return o.NullsFirst == o.Desc
	case in.Kind == types.Array || in.Kind == types.Tuple || in.Kind == types.Map:
		return false
	}
	return true
}

// fixedColumns are the columns that a scan's filter allows one value, by name.
func fixedColumns(scan *plan.Scan) map[string]bool {
	fixed := map[string]bool{}
	for _, e := range split(scan.Filter, nil) {
		c, ok := e.(*plan.Call)
		if !ok || c.Fn.Func.Name != "equals" {
			continue
		}
		for i, a := range c.Args {
			col, ok := a.(*plan.Col)
			if k, isConst := c.Args[1-i].(*plan.Const); ok && isConst && scan.Part(col.Index) == nil && !column.IsNull(k.Value, 0) {
				fixed[scan.Table.Schema()[scan.Columns[col.Index]].Name] = true
			}
		}
	}
	return fixed
}
