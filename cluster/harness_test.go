package cluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/mergetree"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testSpecs compiles tables whose columns have plain types, sorted by their first column. A table called broken cannot be
// compiled.
func testSpecs(t *catalog.Table) (*mergetree.Spec, error) {
	if t.Engine == "Null" {
		return nil, nil
	}
	if t.Comment == "broken" {
		return nil, fmt.Errorf("table %s is broken", t.Name)
	}
	s := &mergetree.Spec{ID: t.ID, Name: t.FullName(), Settings: mergetree.Settings{FlushRows: 1 << 30, FlushAge: 1 << 60}}
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

func testTable(name string) *catalog.Table {
	return &catalog.Table{UUID: "uuid-" + name, Database: "default", Name: name, Kind: catalog.KindTable, Engine: "MergeTree",
		Columns: []catalog.Column{{Name: "k", Type: "UInt64"}, {Name: "v", Type: "String"}}, SortKey: []string{"k"}}
}

// testBlock has a row for each key.
func testBlock(keys ...uint64) *column.Block {
	v := column.NewStrings()
	for _, k := range keys {
		v.AppendString(fmt.Sprint("v", k))
	}
	return column.NewBlock(column.NewNum(types.TUInt64, keys), v)
}

func testConfig(fsys vfs.FS) Config {
	return Config{FS: fsys, Dir: "data", Specs: testSpecs, LogSegment: 64 << 10, NoBackground: true}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustOpen(t testing.TB, cfg Config) *Node {
	t.Helper()
	n, err := Open(context.Background(), cfg)
	must(t, err)
	return n
}

// testNode opens a node that the test's end closes.
func testNode(t testing.TB, cfg Config) *Node {
	n := mustOpen(t, cfg)
	t.Cleanup(func() { must(t, n.Close()) })
	return n
}

func create(t testing.TB, n *Node, tables ...*catalog.Table) (*catalog.Catalog, []catalog.TableID) {
	t.Helper()
	c, err := n.Change(context.Background(), func(c *catalog.Catalog) (*catalog.Catalog, error) {
		var fresh []*catalog.Table
		for _, t := range tables {
			again := *t
			fresh = append(fresh, &again)
		}
		return c.WithTables(fresh...)
	})
	must(t, err)
	var ids []catalog.TableID
	for _, table := range tables {
		ids = append(ids, c.Table(table.Database, table.Name).ID)
	}
	return c, ids
}

func keyColumn(b *column.Block) []uint64 {
	return column.Flatten(b.Cols[0]).(*column.Num[uint64]).Data
}

func requireKeys(t testing.TB, s *Shard, id catalog.TableID, want ...uint64) {
	t.Helper()
	slices.SortFunc(want, cmp.Compare)
	got, err := tableKeys(s.Store(), id)
	must(t, err)
	if !slices.Equal(got, want) {
		t.Fatalf("keys %v, want %v", got, want)
	}
}
