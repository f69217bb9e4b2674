package query

import (
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
)

func (x *statement) createFunction(s *ast.CreateFunction) error {
	return x.change(func(c *catalog.Catalog) (*catalog.Catalog, error) {
		if s.IfNotExists && c.Function(s.Name) != nil {
			return nil, errNoChange
		}
		f, err := define.Function(s, c)
		if err != nil {
			return nil, err
		}
		return c.WithFunction(f), nil
	})
}

func (x *statement) dropFunctions(s *ast.Drop) error {
	return x.change(func(c *catalog.Catalog) (*catalog.Catalog, error) {
		old := c
		for _, n := range s.Names {
			name, err := x.name(n.Table)
			switch {
			case err != nil:
				return nil, err
			case c.Function(name) != nil:
				c = c.WithoutFunction(name)
			case !s.IfExists:
				return nil, sqlerr.At(n.Start, sqlerr.UnknownFunction, "User-defined object '%s' doesn't exist", name)
			}
		}
		if c == old {
			return nil, errNoChange
		}
		return c, nil
	})
}
