package virtual

import (
	"context"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// Empty returns a table of the catalog that never has rows: engine Null.
func Empty(t *catalog.Table) (plan.Table, error) {
	pt, err := plan.NewTable(t)
	if err != nil {
		return nil, err
	}
	return constTable(t.FullName(), pt.Schema(), emptyBlock(pt.Schema())), nil
}

// Constant returns a table of the rows of a block.
func Constant(name string, schema column.Schema, b *column.Block) plan.Table {
	return constTable(name, schema, b)
}

// Scanned returns a table whose rows scan yields, when it is opened.
func Scanned(name string, schema column.Schema, scan func(ctx context.Context, req exec.ScanRequest) (exec.Scanner, error)) plan.Table {
	return &Table{name: name, schema: schema, scan: scan}
}
