package define

import (
	"context"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
)

// externals are the engines of tables without rows of their own, each with the table function that reads and writes them.
var externals = map[string]string{"S3": "s3", "URL": "url"}

// IsExternal reports whether a table's rows are those of a table function, each time it is read: engines S3 and URL. Its Kind is that of a
// view, and its Select calls the function.
func IsExternal(t *catalog.Table) bool {
	return t.Kind == catalog.KindView && externals[t.Engine] != ""
}

// external defines a table of engine S3 or URL. Where no columns are given they are those of the data.
func (o *Options) external(ctx context.Context, t *catalog.Table, s *ast.CreateTable) error {
	e := s.Engine
	switch {
	case s.AsSelect != nil || s.AsTable != nil || s.AsFunction != nil:
		return sqlerr.At(s.Start, sqlerr.NotImplemented, "CREATE TABLE … AS with engine %s is not implemented: INSERT INTO FUNCTION %s writes rows", e.Name, externals[e.Name])
	case s.PartitionBy != nil || s.OrderBy != nil || s.PrimaryKey != nil || s.SampleBy != nil || len(s.TTL) > 0 || len(s.Settings) > 0 || len(s.Indexes) > 0 || len(s.Constraints) > 0:
		return sqlerr.At(e.Start, sqlerr.NotImplemented, "A table of engine %s with keys, indexes, constraints, TTL or settings is not implemented", e.Name)
	case len(e.Args) == 0:
		return sqlerr.At(e.Start, sqlerr.NumberOfArgumentsDoesntMatch, "Storage %s requires an address", e.Name)
	}
	var err error
	if s.Columns != nil {
		if t.Columns, err = o.columns(ctx, s.Columns); err != nil {
			return err
		}
		for _, c := range t.Columns {
			if c.Default != catalog.DefaultNone || c.TTL != "" || c.Codec != "" {
				return sqlerr.At(s.Start, sqlerr.NotImplemented, "Column %s of a table of engine %s has more than a type, which is not implemented", c.Name, e.Name)
			}
		}
	}
	n, err := analyze.Table(ctx, &ast.TableFunction{Range: e.Range, Call: externalCall(e, t.Columns)}, o.Analyze)
	if err != nil {
		return err
	}
	if t.Columns == nil {
		t.Columns = columnsOf(n.Schema())
	}
	t.Kind, t.Engine, t.EngineArgs = catalog.KindView, e.Name, formatAll(e.Args)
	t.Select = "SELECT * FROM " + ast.Format(externalCall(e, t.Columns))
	return nil
}

// externalCall is the call of the table function of an engine, whose arguments are those of the engine with the columns among them.
func externalCall(e *ast.Engine, columns []catalog.Column) *ast.FuncCall {
	var structure []string
	for _, c := range columns {
		structure = append(structure, backtick(c.Name)+" "+c.Type)
	}
	call := &ast.FuncCall{Range: e.Range, Name: externals[e.Name], Args: slices.Clone(e.Args)}
	text := func(s string) ast.Expr { return &ast.Literal{Range: e.Range, Kind: ast.LiteralString, Str: s} }
	if e.Name == "S3" {
		if structure != nil {
			name := &ast.Ident{Range: e.Range, Parts: []ast.Name{{Text: "structure"}}}
			call.Args = append(call.Args, &ast.FuncCall{Range: e.Range, Name: "equals", Args: []ast.Expr{name, text(strings.Join(structure, ", "))}})
		}
		return call
	}
	var headers []ast.Expr
	call.Args = nil
	for _, a := range e.Args {
		if f, ok := a.(*ast.FuncCall); ok && f.Name == "headers" {
			headers = append(headers, a)
			continue
		}
		call.Args = append(call.Args, a)
		if len(call.Args) == 2 {
			call.Args = append(call.Args, text(strings.Join(structure, ", ")))
		}
	}
	if len(call.Args) == 1 {
		call.Args = append(call.Args, text("auto"), text(strings.Join(structure, ", ")))
	}
	call.Args = append(call.Args, headers...)
	return call
}
