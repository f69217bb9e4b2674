package build

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// input builds what expressions read and returns it with the expressions over it. Strings of which a scan's readers want only the length, or to know
// whether they are empty, are not read: the scan yields their lengths.
func (b *builder) input(n plan.Node, exprs []plan.Expr, depth int) (exec.Operator, []plan.Expr, error) {
	scan, ok := n.(*plan.Scan)
	if !ok {
		in, err := b.node(n, usedBy(exprs...), depth)
		return in, exprs, err
	}
	scan, exprs = b.parts(scan, exprs)
	m := b.measure(scan, exprs)
	in, err := b.scan(scan, usedBy(exprs...), m)
	if err != nil {
		return nil, nil, err
	}
	out := make([]plan.Expr, len(exprs))
	for i, e := range exprs {
		out[i] = m.rewrite(e)
	}
	return in, out, nil
}

// measure is the columns of a scan that are read as lengths; nil: none.
type measure struct {
	b    *builder
	cols []bool
}

// measure returns the columns of strings that every one of exprs and of the scan's conditions only measures.
func (b *builder) measure(n *plan.Scan, exprs []plan.Expr) *measure {
	m := &measure{b: b, cols: make([]bool, len(n.Columns))}
	any := false
	for i, f := range n.Schema() {
		m.cols[i] = f.Type.Kind == types.String
		any = any || m.cols[i]
	}
	if !any || n.Final || !b.setting("optimize_functions_to_subcolumns") {
		return nil
	}
	seen := make([]bool, len(n.Columns))
	for _, e := range append(split(n.Filter, nil), exprs...) {
		plan.Walk(e, func(e plan.Expr) bool {
			if col, _ := measured(e); col != nil {
				seen[col.Index] = true
				return false
			}
			if col, ok := e.(*plan.Col); ok {
				m.cols[col.Index] = false
			}
			return true
		})
	}
	any = false
	for i := range m.cols {
		m.cols[i] = m.cols[i] && seen[i]
		any = any || m.cols[i]
	}
	if !any {
		return nil
	}
	return m
}

// lengths is Scan.Lengths.
func (m *measure) lengths() []bool {
	if m == nil {
		return nil
	}
	return m.cols
}

// measured returns the column whose length decides the value of e, and the comparison of the length with 0 that e stands for: empty for
// the length itself. It is nil if e is not of that kind.
func measured(e plan.Expr) (col *plan.Col, compare string) {
	call, ok := e.(*plan.Call)
	if !ok || len(call.Args) == 0 {
		return nil, ""
	}
	if col, ok = call.Args[0].(*plan.Col); !ok || col.T.Kind != types.String {
		return nil, ""
	}
	switch name := call.Fn.Func.Name; name {
	case "length":
		if call.Fn.Result.Equal(types.TUInt64) {
			return col, ""
		}
	case "empty":
		return col, "equals"
	case "notEmpty":
		return col, "notEquals"
	case "equals", "notEquals":
		if k, ok := call.Args[1].(*plan.Const); ok && k.T.Kind == types.String && !column.IsNull(k.Value, 0) {
			if s, ok := constString(k); ok && len(s) == 0 && call.Fn.Result.Equal(types.TUInt8) {
				return col, name
			}
		}
	}
	return nil, ""
}

// rewrite puts the lengths in place of the strings.
func (m *measure) rewrite(e plan.Expr) plan.Expr {
	if m == nil {
		return e
	}
	return plan.Rewrite(e, func(e plan.Expr) plan.Expr {
		col, compare := measured(e)
		if col == nil || !m.cols[col.Index] {
			return e
		}
		length := &plan.Col{Index: col.Index, Name: "length(" + col.Name + ")", T: types.TUInt64}
		if compare == "" {
			return length
		}
		zero := &plan.Const{Value: column.NewNum(types.TUInt8, []uint8{0}), T: types.TUInt8}
		fn, err := function.Bind(m.b.o.Env, compare, []function.Arg{{Type: types.TUInt64}, {Type: types.TUInt8, Const: zero.Value}})
		if err != nil {
			return e // there is always such a comparison
		}
		return &plan.Call{Fn: fn, Args: []plan.Expr{length, zero}}
	})
}
