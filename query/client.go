package query

import (
	"context"
	"fmt"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/insert"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/query/virtual"
)

// External is a table that a client sends along with its statement, which alone sees it, by its bare name.
type External struct {
	Name   string
	Schema column.Schema
	Block  *column.Block
}

// Wanted is what an INSERT whose rows the client has waits for.
type Wanted struct {
	// Schema is the columns the statement names, in order.
	Schema column.Schema
	// Columns is the table's columns with their defaults, in the text form of ClickHouse's packets.
	Columns string
}

// Rows yields a client's blocks with their columns, nil at the end. Columns are found by name and converted.
type Rows func(context.Context) (column.Schema, *column.Block, error)

// external finds a table that came with the statement.
func (x *statement) external(db, name string) plan.Table {
	if db != x.db {
		return nil
	}
	for _, t := range x.in.Tables {
		if t.Name == name {
			return virtual.Constant(t.Name, t.Schema, t.Block)
		}
	}
	return nil
}

// holdTables counts the tables that came along in the query's memory.
func (x *statement) holdTables() error {
	var bytes int64
	for _, t := range x.in.Tables {
		bytes += t.Block.Bytes()
	}
	if bytes == 0 {
		return nil
	}
	if err := x.q.budget.Reserve(bytes); err != nil {
		return err
	}
	x.stops = append(x.stops, func() { x.q.budget.Release(bytes) })
	return nil
}

// hasData reports whether an INSERT's text has rows in it.
func (x *statement) hasData() bool { return x.data.rest != nil || x.data.head != "" }

// clientRows asks the client for rows and makes its blocks into those of the table.
func (x *statement) clientRows(target *insert.Target) (nextBlock, error) {
	rows, err := x.in.Rows(Wanted{Schema: target.Input, Columns: columnsText(target.Table)})
	return func(ctx context.Context) (*column.Block, error) {
		for {
			schema, b, err := rows(ctx)
			if err != nil || b == nil {
				return nil, err
			}
			if b.N == 0 {
				continue
			}
			x.countRead(b)
			if b, err = inOrder(target.Input, schema, b); err != nil {
				return nil, err
			}
			b, omitted, err := target.Convert(b)
			if err != nil {
				return nil, err
			}
			return target.Block(b, omitted)
		}
	}, err
}

// inOrder picks the columns of a block by their names.
func inOrder(want, have column.Schema, b *column.Block) (*column.Block, error) {
	out := &column.Block{N: b.N, Cols: make([]column.Vector, len(want))}
	for i, f := range want {
		at := have.Index(f.Name)
		if at < 0 {
			return nil, sqlerr.New(sqlerr.ThereIsNoColumn, "Cannot find column `%s` in the block that was sent", f.Name)
		}
		out.Cols[i] = b.Cols[at]
	}
	return out, nil
}

// columnsText writes a table's columns as ClickHouse tells them to clients that fill in defaults.
func columnsText(t *catalog.Table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "columns format version: 1\n%d columns:\n", len(t.Columns))
	for _, c := range t.Columns {
		b.WriteString("`" + nameEscaper.Replace(c.Name) + "` " + c.Type)
		if c.Default != catalog.DefaultNone && c.Expr != "" {
			b.WriteString("\t" + string(c.Default) + "\t" + tabEscaper.Replace(c.Expr))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

var (
	nameEscaper = strings.NewReplacer("\\", "\\\\", "`", "\\`")
	tabEscaper  = strings.NewReplacer("\\", "\\\\", "\t", "\\t", "\n", "\\n", "'", "\\'")
)

// TableOf collects a client's blocks, which have one schema, as an external table.
func TableOf(name string, schema column.Schema, blocks []*column.Block) External {
	t := External{Name: name, Schema: schema, Block: &column.Block{}}
	for i, f := range schema {
		c := column.New(f.Type, 0)
		for _, b := range blocks {
			c.AppendRange(b.Cols[i], 0, b.N)
		}
		t.Block.Cols = append(t.Block.Cols, c)
	}
	for _, b := range blocks {
		t.Block.N += b.N
	}
	return t
}

// HasTable reports whether there is a table, stored or of the system.
func (e *Engine) HasTable(db, name string) bool {
	cat := e.deps.Catalog.Catalog()
	return cat.Table(db, name) != nil || virtual.Lookup(&virtual.Source{Providers: e.deps.Providers, Catalog: cat}, db, name) != nil
}
