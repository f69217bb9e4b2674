package cluster

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/mergetree"
)

// testSpecs compiles tables whose columns have plain types, sorted by their first column.
func testSpecs(t *catalog.Table) (*mergetree.Spec, error) {
	if t.Engine == "Null" {
		return nil, nil
	}
	s := &mergetree.Spec{ID: t.ID, Name: t.FullName()}
	for _, c := range t.Columns {
		typ, err := types.Parse(c.Type)
		if err != nil {
			return nil, err
		}
		s.Columns = append(s.Columns, column.Field{Name: c.Name, Type: typ})
	}
	s.SortKey = []string{t.Columns[0].Name}
	s.KeyColumns = s.SortKey
	return s, nil
}

func newTable(name string) *catalog.Table {
	return &catalog.Table{UUID: "uuid-" + name, Database: "default", Name: name, Kind: catalog.KindTable, Engine: "MergeTree",
		Columns: []catalog.Column{{Name: "k", Type: "UInt64"}, {Name: "v", Type: "String"}}, SortKey: []string{"k"}}
}

func rowsOf(keys ...uint64) *column.Block {
	v := column.NewStrings()
	for _, k := range keys {
		v.AppendString(fmt.Sprint("v", k))
	}
	return column.NewBlock(column.NewNum(types.TUInt64, keys), v)
}

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	fsys := vfs.NewMem()
	cfg := Config{FS: fsys, Dir: "data", Specs: testSpecs}
	start := time.Now()
	n, err := Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("start", time.Since(start))
	c, err := n.Change(ctx, func(c *catalog.Catalog) (*catalog.Catalog, error) { return c.WithTables(newTable("t")) })
	if err != nil {
		t.Fatal(err)
	}
	id := c.Table("default", "t").ID
	s := n.Shards()[0]
	r, err := s.Append(ctx, Batch{Claims: Claims{Schema: c.Version, Tokens: []Token{{Table: id, ID: "a"}}}, Rows: []TableRows{{id, rowsOf(1, 2, 3)}}})
	t.Log(r, err)
	r, err = s.Append(ctx, Batch{Claims: Claims{Schema: c.Version, Tokens: []Token{{Table: id, ID: "a"}}}, Rows: []TableRows{{id, rowsOf(1, 2, 3)}}})
	t.Log(r, err)
	snap := s.Store().Snapshot()
	t.Log(snap.Table(id).Rows())
	snap.Close()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	start = time.Now()
	n, err = Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("restart", time.Since(start))
	snap = n.Shards()[0].Store().Snapshot()
	t.Log(snap.Table(id).Rows())
	snap.Close()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
}
