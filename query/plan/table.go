package plan

import (
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// catalogTable is a stored table as its catalog entry declares it.
type catalogTable struct {
	entry  *catalog.Table
	schema column.Schema
}

// NewTable returns a table of the catalog for reading: its stored columns, no ALIAS or EPHEMERAL ones, and
// behind them the virtual columns given.
func NewTable(t *catalog.Table, virtual ...column.Field) (Table, error) {
	c := &catalogTable{entry: t, schema: make(column.Schema, 0, len(t.Columns)+len(virtual))}
	parsed := map[string]*types.Type{} // a wide table has few types
	for _, col := range t.Columns {
		if col.Default == catalog.Alias || col.Default == catalog.Ephemeral {
			continue
		}
		typ := parsed[col.Type]
		if typ == nil {
			var err error
			if typ, err = types.Parse(col.Type); err != nil {
				return nil, err
			}
			parsed[col.Type] = typ
		}
		c.schema = append(c.schema, column.Field{Name: col.Name, Type: typ})
	}
	c.schema = append(c.schema, virtual...)
	return c, nil
}

// Name implements Table.
func (t *catalogTable) Name() string { return t.entry.FullName() }

// Schema implements Table.
func (t *catalogTable) Schema() column.Schema { return t.schema }

// Catalog implements Table.
func (t *catalogTable) Catalog() *catalog.Table { return t.entry }
