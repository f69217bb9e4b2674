package query

import (
	"context"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/optimize"
	"github.com/olapd/olapd/query/parse"
)

// convertible refuses an ALTER that would convert stored values which cannot be: it tries all of them. Without that, reads of such a
// table would fail. Values that are inserted between this and the change are not seen; they have to be converted or deleted by hand.
func (x *statement) convertible(old *catalog.Table, s *ast.Alter, o define.Options) error {
	changed, err := define.Alter(x.ctx, s, o)
	if err != nil {
		return err
	}
	for _, next := range changed {
		if next.ID != old.ID || old.Engine == "Null" {
			continue
		}
		if list := define.Converted(old, next); len(list) > 0 {
			if err := x.tryAll(old, list); err != nil {
				return sqlerr.Wrap(err, sqlerr.CodeOf(err), "Stored values of table %s cannot be converted; nothing was changed", old.FullName())
			}
		}
	}
	return nil
}

// tryAll evaluates expressions on all rows of a table, whoever may see them.
func (x *statement) tryAll(t *catalog.Table, exprs []string) error {
	var b strings.Builder
	b.WriteString("SELECT count()")
	for _, e := range exprs {
		b.WriteString(", max(length(toString(" + e + ")))")
	}
	b.WriteString(" FROM " + ast.QuoteIdent(t.Database) + "." + ast.QuoteIdent(t.Name))
	stmt, err := parse.One(b.String(), parse.Limits{QuerySize: b.Len() + 1, Elements: b.Len() + 1})
	if err != nil {
		return err
	}
	o, err := x.analyzeOptions()
	if err != nil {
		return err
	}
	o.Filters, o.Reads, o.Policies = nil, nil, nil
	o.Setting = func(string) (string, bool) { return "", false } // such as final, which hides rows
	n, err := analyze.Query(x.ctx, stmt.(*ast.SelectUnion), o)
	if err != nil {
		return err
	}
	p, err := x.pipeline(optimize.Run(n), false)
	if err != nil {
		return err
	}
	return p.Run(x.ctx, func(*column.Block) error { return context.Cause(x.ctx) })
}
