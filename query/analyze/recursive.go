package analyze

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// maxRecursiveTypes bounds how often the types of a recursive CTE may grow: x + 1 is wider than x until it is UInt64.
const maxRecursiveTypes = 16

// cteQuery analyzes a CTE's query, which may be recursive: a UNION ALL of which all but the first reads the CTE itself.
func (a *analyzer) cteQuery(c *cte, name string) (plan.Node, error) {
	if !c.recursive || len(c.query.Items) < 2 || !slices.ContainsFunc(c.query.Items[1:], func(it ast.UnionItem) bool { return reads(it, name) }) {
		return a.union(c.query, c.scope)
	}
	for _, it := range c.query.Items[1:] {
		if it.Op != ast.SetUnionAll && it.Op != ast.SetUnion {
			return nil, sqlerr.New(sqlerr.UnsupportedMethod, "Recursive CTE subquery %s with a set operation other than UNION ALL is unsupported", name)
		}
	}
	if c.query.Items[1].Op == ast.SetUnion {
		if distinct, err := a.unionDistinct(ast.SetUnion); err != nil || distinct {
			return nil, firstError(err, sqlerr.New(sqlerr.UnsupportedMethod, "Recursive CTE subquery %s with UNION DISTINCT is unsupported, only UNION ALL union mode is supported", name))
		}
	}
	anchor, err := a.itemOf(c, 0)
	if err != nil {
		return nil, err
	}
	return a.recursion(c, name, anchor)
}

// itemOf analyzes one operand of a CTE's UNION.
func (a *analyzer) itemOf(c *cte, i int) (plan.Node, error) {
	it := c.query.Items[i]
	it.Op = ast.SetNone
	return a.union(&ast.SelectUnion{Range: c.query.Range, Items: []ast.UnionItem{it}, Output: ast.Output{Settings: c.query.Settings}}, c.scope)
}

// recursion plans anchor and steps. The types of the columns are the least that hold for both: the steps are analyzed until they grow no more.
func (a *analyzer) recursion(c *cte, name string, anchor plan.Node) (plan.Node, error) {
	fields, err := namedFields(anchor.Schema(), c.columns)
	if err != nil {
		return nil, err
	}
	work := &plan.Work{}
	defer func() { c.self = nil }()
	for range maxRecursiveTypes {
		c.self = &plan.Working{Work: work, Name: name, Fields: fields}
		all := []plan.Node{anchor}
		for i := range c.query.Items[1:] {
			n, err := a.itemOf(c, i+1)
			if err != nil {
				return nil, err
			}
			if len(n.Schema()) != len(fields) {
				return nil, sqlerr.New(sqlerr.SizesOfColumnsDoesntMatch, "Recursive CTE subquery %s. Expected projection columns to have same size in recursive and non recursive subquery", name)
			}
			all = append(all, n)
		}
		all, next, err := a.unify(all, sqlerr.SizesOfColumnsDoesntMatch, "recursive CTE")
		if err != nil {
			return nil, err
		}
		same := true
		for i := range next {
			next[i].Name = fields[i].Name
			same = same && next[i].Type.Equal(fields[i].Type)
		}
		if same {
			step, err := a.concat(all[1:])
			depth := a.number("max_recursive_cte_evaluation_depth", maxRecursion)
			return &plan.Recursive{Anchor: all[0], Step: step, Work: work, Name: name, Depth: depth, Fields: fields}, err
		}
		fields = next
	}
	return nil, sqlerr.New(sqlerr.TypeMismatch, "The types of the columns of recursive CTE %s grow with each step; cast them", name)
}

// namedFields replaces the names of a schema by those of a list, if there is one.
func namedFields(schema column.Schema, names []string) (column.Schema, error) {
	f, err := renamed(&plan.Values{Fields: schema, Block: &column.Block{}}, "", names)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(schema)
	for i, c := range f.sources[0].columns {
		out[i].Name = c.name
	}
	return out, nil
}

// reads reports whether a part of a query names a table without a database.
func reads(it ast.UnionItem, name string) bool {
	found := false
	visit := func(n ast.Node) bool {
		if t, ok := n.(*ast.TableRef); ok && t.Name.Database.IsZero() && t.Name.Table.Text == name {
			found = true
		}
		return !found
	}
	if it.Select != nil {
		ast.Walk(it.Select, visit)
	} else {
		ast.Walk(it.Nested, visit)
	}
	return found
}
