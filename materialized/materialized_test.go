package materialized

import (
	"context"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/plan"
)

// fixture is a catalog of tables given as "name: column Type, …" and rollups given as "name: source target SELECT …".
func fixture(t *testing.T, tables, rollups []string) *catalog.Catalog {
	t.Helper()
	c := catalog.New()
	add := func(e *catalog.Table) {
		next, err := c.WithTables(e)
		if err != nil {
			t.Fatal(err)
		}
		c = next
	}
	for _, def := range tables {
		name, cols, _ := strings.Cut(def, ": ")
		e := &catalog.Table{Database: "default", Name: name, Kind: catalog.KindTable, Engine: "MergeTree"}
		if strings.HasPrefix(name, "null_") {
			e.Engine = "Null"
		}
		for _, col := range strings.Split(cols, "; ") {
			parts := strings.SplitN(col, " ", 3)
			cc := catalog.Column{Name: parts[0], Type: parts[1]}
			if len(parts) == 3 {
				cc.Default, cc.Expr = catalog.DefaultExpr, parts[2]
			}
			e.Columns = append(e.Columns, cc)
		}
		add(e)
	}
	for _, def := range rollups {
		name, rest, _ := strings.Cut(def, ": ")
		parts := strings.SplitN(rest, " ", 3)
		add(&catalog.Table{Database: "default", Name: name, Kind: catalog.KindRollup, Engine: "MaterializedView",
			Source: c.Table("default", parts[0]).ID, Target: c.Table("default", parts[1]).ID, Select: parts[2]})
	}
	return c
}

func derive(t *testing.T, c *catalog.Catalog, table, tsv string) (string, error) {
	t.Helper()
	entry := c.Table("default", table)
	pt, err := plan.NewTable(entry)
	if err != nil {
		t.Fatal(err)
	}
	f, err := format.Lookup("TSV")
	if err != nil {
		t.Fatal(err)
	}
	d, err := f.NewDecoder(pt.Schema(), format.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	rows := format.NewRows(pt.Schema())
	if err := d.Decode([]byte(tsv), rows); err != nil {
		t.Fatal(err)
	}
	out, err := New(Options{}).Derive(context.Background(), c, Rows{Table: entry, Schema: pt.Schema(), Block: rows.Block()})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, r := range out {
		b.WriteString(r.Table.Name + "\n")
		w, err := f.NewWriter(&b, r.Schema, format.Defaults())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(&column.Block{Cols: r.Block.Cols, N: r.Block.N}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(format.Stats{}); err != nil {
			t.Fatal(err)
		}
	}
	return b.String(), nil
}

func TestDerive(t *testing.T) {
	c := fixture(t,
		[]string{"src: k UInt8; v UInt32", "sums: k UInt8; n UInt64; doubled UInt64 n*2", "copy: v String; late UInt8", "null_x: k UInt8", "from_null: k UInt16"},
		[]string{
			"mv1: src sums SELECT k, sum(v) AS n FROM src GROUP BY k ORDER BY k",
			"mv2: src copy SELECT v FROM default.src WHERE v > 2",
			"mv3: sums null_x SELECT k FROM sums",
			"mv4: null_x from_null SELECT k FROM null_x WHERE k = 1",
		})
	got, err := derive(t, c, "src", "1\t1\n2\t2\n1\t3\n")
	want := "sums\n1\t4\t8\n2\t2\t4\nfrom_null\n1\ncopy\n3\t0\n"
	if err != nil || got != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
	if got, err := derive(t, c, "copy", "x\t1\n"); err != nil || got != "" {
		t.Errorf("a table without rollups: %q, %v", got, err)
	}
}

func TestDeriveErrors(t *testing.T) {
	c := fixture(t, []string{"src: k UInt8", "dst: k UInt8", "other: k UInt8"}, []string{
		"bad: src dst SELECT throwIf(k = 7) AS k FROM src",
	})
	if _, err := derive(t, c, "src", "7\n"); !sqlerr.Is(err, sqlerr.FunctionThrowIfValueIsNonZero) || !strings.Contains(err.Error(), "default.bad") {
		t.Errorf("%v", err)
	}
	c = fixture(t, []string{"src: k UInt8", "dst: k UInt8"}, []string{"m1: src dst SELECT k FROM src", "m2: dst src SELECT k FROM dst"})
	if _, err := derive(t, c, "src", "7\n"); !sqlerr.Is(err, sqlerr.TooDeepRecursion) {
		t.Errorf("a circle: %v", err)
	}
	c = fixture(t, []string{"src: k UInt8", "dst: k UInt8", "other: k UInt8"}, []string{"m: src dst SELECT k FROM src WHERE k IN (SELECT k FROM other)"})
	if _, err := derive(t, c, "src", "7\n"); !sqlerr.Is(err, sqlerr.NotImplemented) {
		t.Errorf("another table without a snapshot: %v", err)
	}
}

// A plan is kept, but not the moment it was made.
func TestPlansAreKept(t *testing.T) {
	c := fixture(t, []string{"src: k UInt8", "dst: k UInt8; t DateTime"}, []string{"m: src dst SELECT k FROM src", "n: src dst SELECT k, now() AS t FROM src"})
	d := New(Options{})
	entry := c.Table("default", "src")
	pt, err := plan.NewTable(entry)
	if err != nil {
		t.Fatal(err)
	}
	rows := Rows{Table: entry, Schema: pt.Schema(), Block: column.NewBlock(column.NewBools([]uint8{1}))}
	for range 2 {
		if _, err := d.Derive(context.Background(), c, rows); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.mu.plans) != 1 {
		t.Errorf("%d plans are kept", len(d.mu.plans))
	}
}
