package analyze

import (
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// INTERSECT and EXCEPT are those of bags unless DISTINCT is written: a row that stands twice on the left and once on the
// right stays once in both. The copies of a row are numbered, row_number() OVER (PARTITION BY all columns), and a
// copy is kept if the right side has, or has not, a row of that number: a filter by IN. NULL equals NULL here, so
// a Nullable column is compared as a pair, whether it is NULL and its value.

// operand is one side of a list of set operations, with the operation that joins it to what stands before.
type operand struct {
	op   ast.SetOp
	node plan.Node
}

// intersections joins the operands of INTERSECT, which binds tighter than UNION and EXCEPT.
func (a *analyzer) intersections(list []operand) ([]operand, error) {
	var out []operand
	for _, x := range list {
		if x.op != ast.SetIntersect && x.op != ast.SetIntersectDistinct {
			out = append(out, x)
			continue
		}
		last := &out[len(out)-1]
		n, err := a.setOperation(last.node, x.node, x.op)
		if err != nil {
			return nil, err
		}
		last.node = n
	}
	return out, nil
}

// setOperation plans left INTERSECT right or left EXCEPT right.
func (a *analyzer) setOperation(left, right plan.Node, op ast.SetOp) (plan.Node, error) {
	switch {
	case op == ast.SetIntersect && strings.EqualFold(a.setting("intersect_default_mode"), "DISTINCT"):
		op = ast.SetIntersectDistinct
	case op == ast.SetExcept && strings.EqualFold(a.setting("except_default_mode"), "DISTINCT"):
		op = ast.SetExceptDistinct
	}
	sides, fields, err := a.unify([]plan.Node{left, right}, sqlerr.IntersectOrExceptResultStructuresMismatch, "INTERSECT or EXCEPT")
	if err != nil {
		return nil, err
	}
	distinct := op == ast.SetIntersectDistinct || op == ast.SetExceptDistinct
	for i, n := range sides {
		if distinct {
			sides[i] = &plan.Distinct{Input: n, Keys: identity(len(fields))}
			continue
		}
		sides[i] = numberCopies(n, fields)
	}
	s := a.scope(nil)
	args, err := s.nullSafe(sides[0])
	if err != nil {
		return nil, err
	}
	keys, err := s.nullSafe(sides[1])
	if err != nil {
		return nil, err
	}
	a.sets++
	p := &plan.Project{Input: sides[1], Exprs: keys}
	set := &plan.Set{Input: p, ID: a.sets}
	for i, k := range keys {
		p.Fields = append(p.Fields, column.Field{Name: "key" + strconv.Itoa(i+1), Type: k.Type()})
		set.Types = append(set.Types, k.Type().WithoutLowCardinality())
	}
	not := op == ast.SetExcept || op == ast.SetExceptDistinct
	kept := &plan.Filter{Input: sides[0], Cond: &plan.In{Args: args, Set: set, Not: not, T: types.TUInt8}}
	return &plan.Project{Input: kept, Exprs: columnsOf(fields), Fields: fields}, nil
}

// numberCopies adds a column that counts the rows equal to each other.
func numberCopies(n plan.Node, fields column.Schema) plan.Node {
	call := plan.WindowCall{AggCall: plan.AggCall{Name: "row_number", Func: "row_number"}, PartitionBy: identity(len(fields))}
	return &plan.Window{Input: n, Calls: []plan.WindowCall{call}, Unordered: true, Fields: append(slices.Clone(fields), column.Field{Name: "copy", Type: types.TUInt64})}
}

// nullSafe are a node's columns as expressions that are never NULL and equal where the columns are, NULL included.
func (s *scope) nullSafe(n plan.Node) ([]plan.Expr, error) {
	var out []plan.Expr
	for _, c := range columnsOf(n.Schema()) {
		t := c.Type()
		if !t.IsNullable() {
			out = append(out, c)
			continue
		}
		null, err := s.call("isNull", c)
		if err != nil {
			return nil, err
		}
		out = append(out, null)
		in := t.Inner()
		if in.Kind == types.Nothing {
			continue
		}
		value, err := s.call("ifNull", c, &plan.Const{Value: column.Flatten(column.NewDefaults(in, 1)), T: in})
		if err != nil {
			return nil, err
		}
		out = append(out, value)
	}
	return out, nil
}
