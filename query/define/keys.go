package define

import (
	"context"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// elements are the parts of a key: those of a tuple, or the one expression. tuple() has none.
func elements(e ast.Expr) []ast.Expr {
	if e == nil {
		return nil
	}
	if c, ok := e.(*ast.FuncCall); ok && strings.EqualFold(c.Name, "tuple") {
		return c.Args
	}
	return []ast.Expr{e}
}

func formatAll(es []ast.Expr) []string {
	var out []string
	for _, e := range es {
		out = append(out, ast.Format(e))
	}
	return out
}

// keys sets partition, sort and primary key, and checks them.
func (o *Options) keys(ctx context.Context, t *catalog.Table, s *ast.Storage, inline []string) error {
	schema, err := Stored(t)
	if err != nil {
		return err
	}
	if slices.Contains(s.OrderDesc, true) {
		return sqlerr.New(sqlerr.NotImplemented, "ORDER BY … DESC of a table is not implemented")
	}
	primary := formatAll(elements(s.PrimaryKey))
	if len(inline) > 0 {
		if s.PrimaryKey != nil {
			return sqlerr.New(sqlerr.BadArguments, "Multiple primary keys are not allowed")
		}
		primary = inline
	}
	t.SortKey = formatAll(elements(s.OrderBy))
	if s.OrderBy == nil {
		t.SortKey = primary
	}
	t.PrimaryKey = nil
	if len(primary) > 0 {
		t.PrimaryKey = primary
	}
	for i, p := range primary {
		if i >= len(t.SortKey) || t.SortKey[i] != p {
			return sqlerr.New(sqlerr.BadArguments, "Primary key must be a prefix of the sorting key, but the column in the position %d is not %s", i, p)
		}
	}
	if len(primary) == len(t.SortKey) && s.PrimaryKey == nil && len(inline) == 0 {
		t.PrimaryKey = nil
	}
	for _, e := range elements(s.OrderBy) {
		if err := o.key(ctx, e, schema, "Sorting key", t.Settings["allow_nullable_key"] == "1"); err != nil {
			return err
		}
	}
	if s.OrderBy == nil {
		for _, e := range elements(s.PrimaryKey) {
			if err := o.key(ctx, e, schema, "Primary key", t.Settings["allow_nullable_key"] == "1"); err != nil {
				return err
			}
		}
	}
	if parts := elements(s.PartitionBy); len(parts) > 0 {
		t.PartitionBy = ast.Format(s.PartitionBy)
		for _, e := range parts {
			if err := o.key(ctx, e, schema, "Partition key", true); err != nil {
				return err
			}
		}
	}
	return o.sampling(ctx, t, s, schema)
}

func (o *Options) sampling(ctx context.Context, t *catalog.Table, s *ast.Storage, schema column.Schema) error {
	if s.SampleBy == nil {
		return nil
	}
	t.SampleBy = ast.Format(s.SampleBy)
	keys := t.PrimaryKey
	if len(keys) == 0 {
		keys = t.SortKey
	}
	if !slices.Contains(keys, t.SampleBy) {
		return sqlerr.New(sqlerr.BadArguments, "Sampling expression must be present in the primary key")
	}
	if err := o.key(ctx, s.SampleBy, schema, "Sampling key", false); err != nil {
		return err
	}
	x, err := o.expr(ctx, s.SampleBy, schema)
	if err != nil {
		return err
	}
	if typ := x.Type(); !typ.IsUnsigned() || typ.Width() > 8 {
		return sqlerr.New(sqlerr.IllegalTypeOfColumnForFilter, "Invalid sampling column type in storage parameters: %s. Must be one unsigned integer type", typ)
	}
	return nil
}

// key checks one element of a key.
func (o *Options) key(ctx context.Context, e ast.Expr, schema column.Schema, what string, nullable bool) error {
	x, err := o.expr(ctx, e, schema)
	if err != nil {
		return err
	}
	if name := volatile(x); name != "" {
		return sqlerr.At(e.Span().Start, sqlerr.BadArguments, "Expression must be deterministic but it contains non-deterministic part `%s`: for %s", name, what)
	}
	if _, ok := x.(*plan.Const); ok {
		return sqlerr.At(e.Span().Start, sqlerr.IllegalColumn, "%s cannot contain constants", what)
	}
	t := x.Type()
	switch {
	case t.HasUnion() || t.Inner().Kind == types.JSON:
		return sqlerr.At(e.Span().Start, sqlerr.DataTypeCannotBeUsedInKey, "Column with type Variant/Dynamic/JSON is not allowed in key expression. "+
			"Consider using a subcolumn with a specific data type instead (for example 'column.Int64' or 'json.some.path.:Int64' if its a JSON path subcolumn) or casting this column to a specific data type")
	case t.Inner().Kind == types.AggregateFunction || !t.Inner().IsOrdered():
		return sqlerr.At(e.Span().Start, sqlerr.BadArguments, "Column %s with type %s is not allowed in key expression, it's not comparable", ast.Shown(e), t)
	case t.WithoutLowCardinality().IsNullable() && !nullable:
		return sqlerr.At(e.Span().Start, sqlerr.IllegalColumn, "%s contains nullable columns, but merge tree setting `allow_nullable_key` is disabled", what)
	}
	return nil
}

// volatile returns a call in x that does not depend on its arguments alone, or "".
func volatile(x plan.Expr) string {
	name := ""
	plan.Walk(x, func(e plan.Expr) bool {
		if c, ok := e.(*plan.Call); ok && (c.Fn.Func.Volatile || c.Fn.Func.Changing) {
			name = c.String()
		}
		return name == ""
	})
	return name
}

// ttls sets the rules by which rows expire.
func (o *Options) ttls(ctx context.Context, t *catalog.Table, items []*ast.TTLItem) error {
	schema, err := Stored(t)
	if err != nil {
		return err
	}
	t.TTLs = nil
	for _, it := range items {
		if it.Action != ast.TTLDelete {
			return sqlerr.At(it.Start, sqlerr.NotImplemented, "TTL … TO, RECOMPRESS and GROUP BY are not implemented")
		}
		if err := o.ttlExpr(ctx, it.Expr, schema); err != nil {
			return err
		}
		rule := catalog.TTL{Expr: ast.Format(it.Expr)}
		if it.Where != nil {
			if _, err := o.expr(ctx, it.Where, schema); err != nil {
				return err
			}
			rule.Where = ast.Format(it.Where)
		}
		t.TTLs = append(t.TTLs, rule)
	}
	return nil
}

func (o *Options) ttlExpr(ctx context.Context, e ast.Expr, schema column.Schema) error {
	x, err := o.expr(ctx, e, schema)
	if err != nil {
		return err
	}
	if !x.Type().Inner().IsDateOrTime() {
		return sqlerr.At(e.Span().Start, sqlerr.BadTTLExpression,
			"TTL expression result column should have Date, Date32, DateTime or DateTime64 type, but has %s", x.Type())
	}
	return nil
}

var indexTypes = []string{"minmax", "set", "bloom_filter", "tokenbf_v1", "ngrambf_v1"}

// indexes checks and returns skip indexes.
func (o *Options) index(ctx context.Context, d *ast.IndexDef, schema column.Schema) (catalog.Index, error) {
	if !slices.Contains(indexTypes, d.Type.Name) {
		for _, n := range []string{"text", "vector_similarity", "sparse_grams", "hypothesis", "inverted", "full_text"} {
			if n == d.Type.Name {
				return catalog.Index{}, sqlerr.At(d.Type.Start, sqlerr.NotImplemented, "Indexes of type %s are not implemented", n)
			}
		}
		return catalog.Index{}, sqlerr.At(d.Type.Start, sqlerr.IncorrectQuery, "Unknown Index type '%s'. Available index types: %s", d.Type.Name, strings.Join(indexTypes, ", "))
	}
	for _, e := range elements(d.Expr) {
		if _, err := o.expr(ctx, e, schema); err != nil {
			return catalog.Index{}, err
		}
	}
	typ := d.Type.Name
	if len(d.Type.Args) > 0 {
		typ = ast.Format(d.Type)
	}
	return catalog.Index{Name: d.Name, Expr: ast.Format(d.Expr), Type: typ, Granularity: max(int(d.Granularity), 1)}, nil
}

// constraint checks and returns a constraint.
func (o *Options) constraint(ctx context.Context, d *ast.ConstraintDef, schema column.Schema) (catalog.Constraint, error) {
	_, err := o.expr(ctx, d.Expr, schema)
	return catalog.Constraint{Name: d.Name, Expr: ast.Format(d.Expr), Assume: d.Assume}, err
}
