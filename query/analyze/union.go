package analyze

import (
	"slices"
	"strings"

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

// unionItems associates to the left: neighbours of UNION ALL are one node, DISTINCT is on top of all before it.
func (a *analyzer) unionItems(u *ast.SelectUnion, parent *scope) (plan.Node, error) {
	var with []*ast.WithItem
	if first := u.Items[0].Select; first != nil {
		with = first.With
	}
	var all []plan.Node
	for i, it := range u.Items {
		distinct, err := a.setOp(it.Op)
		if err != nil {
			return nil, err
		}
		var n plan.Node
		if it.Select != nil {
			n, err = a.selectNode(it.Select, parent, with)
		} else {
			n, err = a.union(it.Nested, parent)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, n)
		if i == 0 || !distinct {
			continue
		}
		if n, err = a.concat(all); err != nil {
			return nil, err
		}
		all = []plan.Node{&plan.Distinct{Input: n, Keys: identity(len(n.Schema()))}}
	}
	return a.concat(all)
}

func (a *analyzer) setOp(op ast.SetOp) (distinct bool, err error) {
	switch op {
	case ast.SetNone, ast.SetUnionAll:
		return false, nil
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
	case ast.SetIntersect, ast.SetIntersectDistinct:
		return false, sqlerr.New(sqlerr.NotImplemented, "INTERSECT is not supported")
	}
	return false, sqlerr.New(sqlerr.NotImplemented, "EXCEPT is not supported")
}

// concat yields the rows of all nodes in the least common types of their columns, named as the first node's.
func (a *analyzer) concat(all []plan.Node) (plan.Node, error) {
	if len(all) == 1 {
		return all[0], nil
	}
	fields := slices.Clone(all[0].Schema())
	for i := range fields {
		ts := make([]*types.Type, len(all))
		for j, n := range all {
			s := n.Schema()
			if len(s) != len(fields) {
				return nil, sqlerr.New(sqlerr.UnionAllResultStructuresMismatch, "Different number of columns in UNION ALL elements: %d and %d", len(fields), len(s))
			}
			ts[j] = s[i].Type
		}
		t, err := types.Supertype(ts...)
		if err != nil {
			return nil, err
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
				return nil, err
			}
			changed = changed || x != e
			exprs[i] = x
		}
		if changed {
			all[j] = &plan.Project{Input: n, Exprs: exprs, Fields: fields}
		}
	}
	return &plan.Union{All: all, Fields: fields}, nil
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
