package query

import (
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/parse"
)

// partitionID is the ID of a partition that a statement names by ID or by value.
func (x *statement) partitionID(t *catalog.Table, p *ast.Partition) (string, error) {
	switch {
	case p == nil || p.All:
		return "", nil
	case p.ID != "":
		return p.ID, nil
	case p.Expr == nil:
		return "", sqlerr.At(p.Start, sqlerr.NotImplemented, "PART is not implemented")
	}
	o, err := x.analyzeOptions()
	if err != nil {
		return "", err
	}
	if t.PartitionBy == "" {
		return define.PartitionID(nil, 0), nil
	}
	schema, err := define.Stored(t)
	if err != nil {
		return "", err
	}
	e, err := parse.Expr(t.PartitionBy, parse.Limits{})
	if err != nil {
		return "", err
	}
	keys, values := define.Elements(e), define.Elements(p.Expr)
	if len(keys) != len(values) {
		return "", sqlerr.At(p.Start, sqlerr.InvalidPartitionValue, "Wrong number of fields in the partition expression: %d, must be: %d", len(values), len(keys))
	}
	typed, err := analyze.Exprs(x.ctx, keys, schema, o)
	if err != nil {
		return "", err
	}
	var vs []column.Vector
	for i, v := range values {
		c, err := analyze.Const(x.ctx, v, o)
		if err != nil {
			return "", err
		}
		cast, err := function.Cast(x.env, c.Value, typed[i].Type())
		if err != nil {
			return "", sqlerr.At(p.Start, sqlerr.InvalidPartitionValue, "Cannot parse partition value: %s", err)
		}
		vs = append(vs, column.Flatten(cast))
	}
	return define.PartitionID(vs, 0), nil
}
