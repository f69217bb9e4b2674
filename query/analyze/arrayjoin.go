package analyze

import (
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// arrayJoin analyzes ARRAY JOIN: the arrays are computed behind the input's columns and unfolded together. An alias
// names the elements beside the array; without one the elements take the column's name.
func (s *scope) arrayJoin(t *ast.ArrayJoin) (*frame, error) {
	f, err := s.table(t.Input)
	if err != nil {
		return nil, err
	}
	outer := s.from
	s.from = f
	defer func() { s.from = outer }()
	in := f.node.Schema()
	exprs, fields := columnsOf(in), slices.Clone(in)
	var names []string
	for _, e := range t.Exprs {
		arrays, err := s.arrays(e)
		if err != nil {
			return nil, at(err, e)
		}
		for _, a := range arrays {
			x, err := s.asArray(a.e)
			if err != nil {
				return nil, at(err, e)
			}
			exprs = append(exprs, x)
			fields = append(fields, column.Field{Name: a.name, Type: x.Type()})
			names = append(names, a.name)
		}
	}
	n := &plan.ArrayJoin{Input: projectAs(f.node, exprs, fields), Left: t.Left, Fields: slices.Clone(fields)}
	out := *f
	out.joined = slices.Clone(f.joined)
	for i, name := range names {
		pos := len(in) + i
		elem := exprs[pos].Type().Elem()
		n.Columns = append(n.Columns, pos)
		n.Fields[pos].Type = elem
		out.joined = append(out.joined, &joined{name: name, e: &plan.Col{Index: pos, Name: name, T: elem}})
	}
	out.node = n
	return &out, nil
}

// arrays are the arrays one item stands for: itself, or the columns name.x, name.y … of a Nested.
func (s *scope) arrays(e ast.Expr) ([]item, error) {
	inner, name := ast.Unalias(e)
	id, isIdent := inner.(*ast.Ident)
	aliased := name != ""
	if isIdent {
		prefix := id.Last()
		if name == "" {
			name = prefix
		}
		if nested := s.nested(prefix, name); nested != nil {
			return nested, nil
		}
	}
	x, err := s.resolve(inner)
	if err != nil {
		return nil, err
	}
	if c, ok := x.(*plan.Col); ok && isIdent && !aliased && strings.HasSuffix(c.Name, "."+name) {
		name = c.Name // one array of a Nested
	}
	if name == "" {
		name = s.columnName(inner)
	}
	return []item{{x, name}}, nil
}

func (s *scope) nested(prefix, name string) []item {
	var out []item
	for _, src := range s.from.sources {
		if src.byName[prefix] != nil {
			return nil
		}
		for _, c := range src.columns {
			if rest, ok := strings.CutPrefix(c.name, prefix+"."); ok && c.alias == "" && c.t.Kind == types.Array {
				out = append(out, item{c.col(), name + "." + rest})
			}
		}
	}
	return out
}

// applyUnfolds computes arrayJoin(…) inside of es on top of n, innermost first, each different one on its own, and
// returns es over what that yields.
func (s *scope) applyUnfolds(n plan.Node, es []plan.Expr, found []plan.Expr) (plan.Node, []plan.Expr, error) {
	for len(found) > 0 {
		i := slices.IndexFunc(found, func(e plan.Expr) bool { return !contains(e.(*unfoldExpr).array, isUnfold) })
		u := found[i].(*unfoldExpr)
		in := n.Schema()
		pos := len(in)
		fields := append(slices.Clone(in), column.Field{Name: u.String()})
		p := projectAs(n, append(columnsOf(in), u.array), fields)
		fields = slices.Clone(p.Schema())
		fields[pos].Type = u.t
		n = &plan.ArrayJoin{Input: p, Columns: []int{pos}, Fields: fields}
		key := u.String()
		rw := s.rewriter(func(e plan.Expr) (plan.Expr, error) {
			if isUnfold(e) && e.String() == key {
				return &plan.Col{Index: pos, Name: key, T: u.t}, nil
			}
			return nil, nil
		})
		var err error
		if es, err = rw.all(es); err != nil {
			return nil, nil, err
		}
		rest := slices.Delete(found, i, i+1)
		if found, err = rw.all(rest); err != nil {
			return nil, nil, err
		}
		found = collect(found, isUnfold)
	}
	return n, es, nil
}
