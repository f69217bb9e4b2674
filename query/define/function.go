package define

import (
	"slices"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
)

// Function defines CREATE FUNCTION. The body is resolved where the function is called.
func Function(s *ast.CreateFunction, c *catalog.Catalog) (*catalog.Function, error) {
	l, ok := s.Lambda.(*ast.Lambda)
	if !ok {
		return nil, sqlerr.At(s.Start, sqlerr.BadArguments, "Expected function, got: %s", ast.Shown(s.Lambda))
	}
	for i, p := range l.Params {
		if slices.Contains(l.Params[:i], p) {
			return nil, sqlerr.At(l.Start, sqlerr.BadArguments, "Identifier %s already used as function parameter", p)
		}
	}
	switch {
	case function.Lookup(s.Name) != nil, function.IsAggregate(s.Name):
		return nil, sqlerr.At(s.Start, sqlerr.FunctionAlreadyExists, "The function '%s' already exists", s.Name)
	case c.Function(s.Name) != nil && !s.OrReplace:
		return nil, sqlerr.At(s.Start, sqlerr.FunctionAlreadyExists, "User-defined object '%s' already exists", s.Name)
	}
	return &catalog.Function{Name: s.Name, Lambda: ast.Format(l)}, nil
}

// FunctionSQL is the statement that defines a function.
func FunctionSQL(f *catalog.Function) string {
	return "CREATE FUNCTION " + ast.QuoteIdent(f.Name) + " AS " + f.Lambda
}
