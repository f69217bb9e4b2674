package analyze

import (
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// union analyzes a list of selects.
func (a *analyzer) union(u *ast.SelectUnion, parent *scope) (n plan.Node, err error) {
	leave, err := a.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	err = a.withSettings(u.Settings, func() error {
		n, err = a.unionItems(u, parent)
		return err
	})
	return n, err
}

// unionItems plans INTERSECT first; UNION and EXCEPT associate to the left: neighbours of UNION ALL are one node, DISTINCT
// is on top of all before it.
func (a *analyzer) unionItems(u *ast.SelectUnion, parent *scope) (plan.Node, error) {
	var with []*ast.WithItem
	if first := u.Items[0].Select; first != nil {
		with = first.With
	}
	var list []operand
	for _, it := range u.Items {
		var n plan.Node
		var err error
		if it.Select != nil {
			n, err = a.selectNode(it.Select, parent, with)
		} else {
			n, err = a.union(it.Nested, parent)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, operand{op: it.Op, node: n})
	}
	list, err := a.intersections(list)
	if err != nil {
		return nil, err
	}
	return a.join(list)
}

// join plans UNION and EXCEPT from the left.
func (a *analyzer) join(list []operand) (plan.Node, error) {
	all := []plan.Node{list[0].node}
	for _, x := range list[1:] {
		if x.op == ast.SetExcept || x.op == ast.SetExceptDistinct {
			n, err := a.concat(all)
			if err == nil {
				n, err = a.setOperation(n, x.node, x.op)
			}
			if err != nil {
				return nil, err
			}
			all = []plan.Node{n}
			continue
		}
		distinct, err := a.unionDistinct(x.op)
		if err != nil {
			return nil, err
		}
		all = append(all, x.node)
		if !distinct {
			continue
		}
		n, err := a.concat(all)
		if err != nil {
			return nil, err
		}
		all = []plan.Node{&plan.Distinct{Input: n, Keys: identity(len(n.Schema()))}}
	}
	return a.concat(all)
}

// unionDistinct reports whether a UNION drops equal rows.
func (a *analyzer) unionDistinct(op ast.SetOp) (distinct bool, err error) {
	switch op {
	case ast.SetUnionDistinct:
		return true, nil
	case ast.SetUnion:
		switch strings.ToUpper(a.setting("union_default_mode")) {
		case "ALL":
			return false, nil
		case "DISTINCT":
			return true, nil
		}
		return false, sqlerr.New(sqlerr.ExpectedAllOrDistinct, "Expected ALL or DISTINCT in UNION; write it or set union_default_mode")
	}
	return false, nil
}

// concat yields the rows of all nodes in the least common types of their columns, named as the first node's.
func (a *analyzer) concat(all []plan.Node) (plan.Node, error) {
	if len(all) == 1 {
		return all[0], nil
	}
	all, fields, err := a.unify(all, sqlerr.UnionAllResultStructuresMismatch, "UNION ALL")
	if err != nil {
		return nil, err
	}
	return &plan.Union{All: all, Fields: fields}, nil
}

// unify casts the columns of all nodes to their least common types, named as the first node's.
func (a *analyzer) unify(all []plan.Node, mismatch sqlerr.Code, operation string) ([]plan.Node, column.Schema, error) {
	fields := slices.Clone(all[0].Schema())
	for i := range fields {
		ts := make([]*types.Type, len(all))
		for j, n := range all {
			s := n.Schema()
			if len(s) != len(fields) {
				return nil, nil, sqlerr.New(mismatch, "Different number of columns in %s elements: %d and %d", operation, len(fields), len(s))
			}
			ts[j] = s[i].Type
		}
		t, err := types.SupertypeOrVariant(ts...)
		if err != nil {
			return nil, nil, err
		}
		fields[i].Type = t
	}
	s := a.scope(nil)
	for j, n := range all {
		exprs := columnsOf(n.Schema())
		changed := false
		for i, e := range exprs {
			x, err := s.cast(e, fields[i].Type)
			if err != nil {
				return nil, nil, err
			}
			changed = changed || x != e
			exprs[i] = x
		}
		if changed {
			all[j] = &plan.Project{Input: n, Exprs: exprs, Fields: fields}
		}
	}
	return all, fields, nil
}

// resultLimit applies the settings limit and offset to the statement's result.
func (a *analyzer) resultLimit(n plan.Node) (plan.Node, error) {
	limit, offset := a.number("limit", 0), a.number("offset", 0)
	if limit == 0 && offset == 0 {
		return n, nil
	}
	if limit == 0 {
		limit = plan.NoLimit
	}
	return &plan.Limit{Input: n, N: limit, Offset: offset}, nil
}
