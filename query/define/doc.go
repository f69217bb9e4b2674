// Package define turns statements that change schemas into changes of a catalog: what a table's columns, keys, TTL and
// settings are, which errors a bad definition has, and how SHOW CREATE TABLE prints it.
//
// Everything here is pure: the catalog goes in, table entries come out, and nothing is committed. Expressions are kept in the
// entry as SQL (ast.Format) after they have been resolved and typed once.
package define

import (
	"context"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// Options is what a definition is made against.
type Options struct {
	// Analyze resolves expressions and SELECTs; its Catalog is the one that is changed.
	Analyze analyze.Options
	// Name resolves an identifier that may be a parameter.
	Name func(ast.Name) (string, error)
	// Text is the statement's text, which the spans of the tree refer to.
	Text string
	// UUID is that of the new object, and InnerUUID of its inner table.
	UUID, InnerUUID string
	// Now is the time of creation in Unix nanoseconds.
	Now int64
	// session says that names of the session's tables stay as they are.
	session bool
}

func (o *Options) catalog() *catalog.Catalog { return o.Analyze.Catalog }

// table resolves a table's name.
func (o *Options) table(n ast.TableName) (db, name string, err error) {
	if name, err = o.Name(n.Table); err != nil {
		return "", "", err
	}
	if db, err = o.Name(n.Database); err == nil && db == "" {
		db = o.Analyze.Database
	}
	return db, name, err
}

// Schema returns names and types of a table's columns of the kinds given.
func Schema(t *catalog.Table, keep func(catalog.DefaultKind) bool) (column.Schema, error) {
	var out column.Schema
	for _, c := range t.Columns {
		if !keep(c.Default) {
			continue
		}
		typ, err := types.Parse(c.Type)
		if err != nil {
			return nil, err
		}
		out = append(out, column.Field{Name: c.Name, Type: typ})
	}
	return out, nil
}

// IsStored reports whether a column of the kind has values in storage.
func IsStored(k catalog.DefaultKind) bool { return k != catalog.Alias && k != catalog.Ephemeral }

// Stored returns the stored columns of a table in order.
func Stored(t *catalog.Table) (column.Schema, error) { return Schema(t, IsStored) }

// expr resolves an expression over a table's columns.
func (o *Options) expr(ctx context.Context, e ast.Expr, schema column.Schema) (plan.Expr, error) {
	return analyze.Expr(ctx, e, schema, o.Analyze)
}
