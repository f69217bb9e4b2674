package define

import (
	"context"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

var defaultKinds = map[ast.DefaultKind]catalog.DefaultKind{
	ast.DefaultNone: catalog.DefaultNone, ast.DefaultValue: catalog.DefaultExpr, ast.DefaultMaterialized: catalog.Materialized,
	ast.DefaultAlias: catalog.Alias, ast.DefaultEphemeral: catalog.Ephemeral,
}

// codecs are the names CODEC may hold. Which encoding a page gets is chosen by its values; the names are kept and shown.
var codecs = []string{"NONE", "LZ4", "LZ4HC", "ZSTD", "DELTA", "DOUBLEDELTA", "GORILLA", "T64", "FPC", "GCD", "DEFAULT", "ALP",
	"DEFLATE_QPL", "ZSTD_QAT", "AES_128_GCM_SIV", "AES_256_GCM_SIV"}

// columnOf is a column's entry; its type stays empty if the definition leaves it to the default.
func (o *Options) columnOf(d *ast.ColumnDef) (catalog.Column, error) {
	c := catalog.Column{Name: d.Name, Default: defaultKinds[d.DefaultKind]}
	if d.Name == "" {
		return c, sqlerr.At(d.Start, sqlerr.BadArguments, "A column's name must not be empty")
	}
	if d.Type != nil {
		t, err := types.Parse(d.Type.Text)
		if err != nil {
			return c, positioned(err, d.Type)
		}
		if a, b := t.Similar(); a != nil && !o.allowed("allow_suspicious_variant_types") {
			return c, sqlerr.At(d.Start, sqlerr.IllegalColumn, "Cannot create column with type '%s' because variants '%s' and '%s' have similar types and working with values of these types may lead to ambiguity. Consider using common single variant instead of these 2 variants or set setting allow_suspicious_variant_types = 1", t, a, b)
		}
		if d.Null == ast.Null && !t.IsNullable() {
			if !t.CanBeNullable() {
				return c, sqlerr.At(d.Start, sqlerr.IllegalTypeOfArgument, "Nested type %s cannot be inside Nullable type", t)
			}
			t = types.NewNullable(t)
		}
		c.Type = t.String()
	}
	if d.Default != nil {
		c.Expr = ast.Format(NamedDictionaries(d.Default, o.Analyze.Database, o.catalog()))
	}
	if d.Comment != nil {
		c.Comment = d.Comment.Str
	}
	if d.TTL != nil {
		c.TTL = ast.Format(d.TTL)
	}
	codec, err := codecText(d.Codecs)
	c.Codec = codec
	return c, err
}

// allowed reports whether a setting is on.
func (o *Options) allowed(name string) bool {
	if o.Analyze.Env == nil || o.Analyze.Env.Setting == nil {
		return false
	}
	v, _ := o.Analyze.Env.Setting(name)
	return v == "1"
}

func codecText(list []*ast.FuncCall) (string, error) {
	var parts []string
	for _, f := range list {
		if !slices.Contains(codecs, strings.ToUpper(f.Name)) {
			return "", sqlerr.At(f.Start, sqlerr.UnknownCodec, "Unknown codec family: %s", f.Name)
		}
		text := f.Name
		if len(f.Args) > 0 {
			text = ast.Format(f)
		}
		parts = append(parts, text)
	}
	if parts == nil {
		return "", nil
	}
	return "CODEC(" + strings.Join(parts, ", ") + ")", nil
}

// positioned gives an error the place of a node if it has none.
func positioned(err error, n ast.Node) error {
	if e, ok := err.(*sqlerr.Error); ok && e.Pos < 0 {
		c := *e
		c.Pos = n.Span().Start
		return &c
	}
	return err
}

// columns makes the columns of definitions.
func (o *Options) columns(ctx context.Context, defs []*ast.ColumnDef) ([]catalog.Column, error) {
	defs, err := o.flattened(defs)
	if err != nil {
		return nil, err
	}
	var out []catalog.Column
	seen := map[string]bool{}
	for _, d := range defs {
		c, err := o.columnOf(d)
		if err != nil {
			return nil, err
		}
		if seen[c.Name] {
			return nil, sqlerr.At(d.Start, sqlerr.IllegalColumn, "Cannot add column %s: column with this name already exists", c.Name)
		}
		seen[c.Name] = true
		out = append(out, c)
	}
	return out, o.checkDefaults(ctx, out, defs)
}

// checkDefaults resolves every default, gives columns without a type theirs, and refuses defaults that do not convert.
func (o *Options) checkDefaults(ctx context.Context, cols []catalog.Column, defs []*ast.ColumnDef) error {
	for again := true; again; {
		again = false
		for i := range cols {
			if cols[i].Type != "" {
				continue
			}
			if cols[i].Expr == "" {
				return sqlerr.New(sqlerr.IncorrectQuery, "Empty type of column %s", cols[i].Name)
			}
			schema, err := typed(cols)
			if err != nil {
				return err
			}
			x, err := o.expr(ctx, defs[i].Default, schema)
			if err != nil {
				if reads(defs[i].Default, cols) {
					continue // until the columns it reads have types
				}
				return err
			}
			cols[i].Type, again = x.Type().String(), true
		}
	}
	schema, err := typed(cols)
	if err != nil {
		return err
	}
	for i := range cols {
		if cols[i].Type == "" {
			_, err := o.expr(ctx, defs[i].Default, schema)
			return err
		}
		if i < len(defs) && defs[i].Default != nil {
			if err := o.checkDefault(ctx, cols[i], defs[i].Default, schema); err != nil {
				return err
			}
		}
	}
	return cycles(cols, defs)
}

// reads reports whether e names a column whose type is not known yet.
func reads(e ast.Expr, cols []catalog.Column) bool {
	found := false
	ast.Walk(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			for _, c := range cols {
				found = found || c.Type == "" && c.Name == id.Last()
			}
		}
		return !found
	})
	return found
}

// typed is the schema of the columns whose types are known.
func typed(cols []catalog.Column) (column.Schema, error) {
	var out column.Schema
	for _, c := range cols {
		if c.Type == "" {
			continue
		}
		t, err := types.Parse(c.Type)
		if err != nil {
			return nil, err
		}
		out = append(out, column.Field{Name: c.Name, Type: t})
	}
	return out, nil
}

func (o *Options) checkDefault(ctx context.Context, c catalog.Column, e ast.Expr, schema column.Schema) error {
	x, err := o.expr(ctx, e, schema)
	if err != nil {
		return err
	}
	t, err := types.Parse(c.Type)
	if err != nil {
		return err
	}
	v := column.NewDefaults(x.Type(), 1) // whether the types convert at all
	if k, ok := x.(*plan.Const); ok {
		v = &column.Const{Value: k.Value, N: 1}
	} else if x.Type().Inner().IsString() || t.Inner().IsEnum() {
		return nil // depends on the text
	}
	_, err = function.Cast(o.Analyze.Env, v, t)
	return positioned(err, e)
}

// cycles refuses defaults that need each other.
func cycles(cols []catalog.Column, defs []*ast.ColumnDef) error {
	at := map[string]int{}
	for i, c := range cols {
		at[c.Name] = i
	}
	state := make([]uint8, len(cols)) // 1: being visited, 2: done
	var visit func(i int) error
	visit = func(i int) error {
		switch {
		case state[i] == 1:
			return sqlerr.New(sqlerr.CyclicAliases, "Cyclic aliases: the default of column %s reads itself", cols[i].Name)
		case state[i] == 2 || i >= len(defs) || defs[i].Default == nil:
			return nil
		}
		state[i] = 1
		var err error
		ast.Walk(defs[i].Default, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && err == nil {
				if j, ok := at[id.Last()]; ok {
					err = visit(j)
				}
			}
			return err == nil
		})
		state[i] = 2
		return err
	}
	for i := range cols {
		if err := visit(i); err != nil {
			return err
		}
	}
	return nil
}
