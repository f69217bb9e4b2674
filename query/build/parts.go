package build

import (
	"slices"

	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// parts has a scan read of columns of JSON the sub-columns that its filter and exprs, which are all that reads it, ask for, and returns the scan and the
// expressions over it. A column that exprs want whole is read whole for them; the filter, which may leave few rows, reads its parts all the same.
func (b *builder) parts(n *plan.Scan, exprs []plan.Expr) (*plan.Scan, []plan.Expr) {
	if n.Final || n.Table.Catalog() == nil || !b.setting("optimize_functions_to_subcolumns") ||
		!slices.ContainsFunc(n.Columns, func(c int) bool { return n.Table.Schema()[c].Type.Kind == types.JSON }) {
		return n, exprs
	}
	p := &partReader{scan: n, whole: map[int]bool{}}
	for _, e := range exprs {
		plan.Walk(e, func(e plan.Expr) bool {
			if c, ok := e.(*plan.Col); ok {
				p.whole[c.Index] = true
			}
			return p.part(e) == nil
		})
	}
	out := make([]plan.Expr, len(exprs))
	for i, e := range exprs {
		out[i] = plan.Rewrite(e, func(e plan.Expr) plan.Expr { return p.read(e, p.whole) })
	}
	filter := n.Filter
	if filter != nil {
		filter = plan.Rewrite(filter, func(e plan.Expr) plan.Expr { return p.read(e, nil) })
	}
	if len(p.parts) == 0 {
		return n, exprs
	}
	return n.WithParts(p.parts).With(filter, n.Limit), out
}

// partReader gathers the sub-columns that expressions read.
type partReader struct {
	scan  *plan.Scan
	whole map[int]bool // columns that exprs want whole
	parts []plan.Part
}

// part returns what e reads if it is a sub-column of a column of JSON; else nil.
func (p *partReader) part(e plan.Expr) *plan.Part {
	call, ok := e.(*plan.Call)
	if !ok || call.Fn.Func.Name != "getSubcolumn" {
		return nil
	}
	col, ok := call.Args[0].(*plan.Col)
	k, ok2 := call.Args[1].(*plan.Const)
	if !ok || !ok2 || col.T.Kind != types.JSON {
		return nil
	}
	name, ok := constString(k)
	if !ok {
		return nil
	}
	part := function.NewObjectPart(nil, col.T, string(name))
	if part == nil || !part.Type.Equal(call.Type()) {
		return nil
	}
	return &plan.Part{Column: col.Index, Name: string(name), Type: part.Type}
}

// read puts a column of the scan in place of e if that is a sub-column of a column which is not kept whole.
func (p *partReader) read(e plan.Expr, whole map[int]bool) plan.Expr {
	part := p.part(e)
	if part == nil || whole[part.Column] {
		return e
	}
	k := slices.IndexFunc(p.parts, func(o plan.Part) bool { return o.Column == part.Column && o.Name == part.Name })
	if k < 0 {
		k = len(p.parts)
		p.parts = append(p.parts, *part)
	}
	return &plan.Col{Index: len(p.scan.Columns) + k, Name: part.String(p.scan.Schema()[part.Column].Name), T: part.Type}
}
