package catalog

import (
	"encoding/json"
	"testing"

	"github.com/olapd/olapd/internal/sqlerr"
)

// same compares catalogs by their stored form.
func same(t *testing.T, a, b *Catalog) bool {
	t.Helper()
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(x) == string(y)
}

// history is a catalog after each of some changes.
func history(t *testing.T) []*Catalog {
	t.Helper()
	out := []*Catalog{New()}
	add := func(c *Catalog, err error) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	last := func() *Catalog { return out[len(out)-1] }
	add(last().WithTables(&Table{Database: "default", Name: "a", Kind: KindTable}, &Table{Database: "default", Name: "b", Kind: KindTable}))
	add(last().WithTables(&Table{Database: "default", Name: "v", Kind: KindRollup, Source: 1, Target: 2}))
	add(last().WithFunction(&Function{Name: "f", Lambda: "x -> x + 1"}), nil)
	add(last().WithFunction(&Function{Name: "f", Lambda: "x -> x + 2"}), nil)
	d := *last().Table("default", "v")
	d.Detached = true
	add(last().WithChanged(&d))
	add(last().WithRenamedDatabase("default", "other", func(x *Table) *Table { m := *x; m.Database = "other"; return &m }))
	add(last().WithoutFunction("f"), nil)
	return out
}

// TestDeltas checks that each change travels as a delta, and that a stored catalog is the same again.
func TestDeltas(t *testing.T) {
	all := history(t)
	for i, to := range all[1:] {
		body, err := json.Marshal(Diff(all[i], to))
		if err != nil {
			t.Fatal(err)
		}
		var d Delta
		if err := json.Unmarshal(body, &d); err != nil {
			t.Fatal(err)
		}
		got, err := all[i].Apply(d)
		if err != nil || !same(t, got, to) {
			t.Errorf("change %d: %v: %s", i+1, err, body)
		}
		stored, err := json.Marshal(to)
		if err != nil {
			t.Fatal(err)
		}
		read := &Catalog{}
		if err := json.Unmarshal(stored, read); err != nil || !same(t, read, to) {
			t.Errorf("catalog %d is another when it is read: %v", i+1, err)
		}
	}
}

func TestDetached(t *testing.T) {
	all := history(t)
	before, detached := all[4], all[5]
	if before.Table("default", "v") == nil || len(before.RollupsOf(1)) != 1 {
		t.Fatal("the rollup is not there")
	}
	v := detached.Detached("default", "v")
	switch {
	case detached.Table("default", "v") != nil, len(detached.Tables("")) != 2, len(detached.RollupsOf(1)) != 0:
		t.Error("a detached rollup shows")
	case v == nil, detached.ByID(v.ID) != v:
		t.Error("a detached rollup is lost")
	}
	if _, err := detached.WithTables(&Table{Database: "default", Name: "v"}); !sqlerr.Is(err, sqlerr.TableAlreadyExists) {
		t.Errorf("a table took a detached one's place: %v", err)
	}
	if all[6].Detached("other", "v") == nil || all[6].Database("default") != nil {
		t.Error("a renamed database lost a detached table")
	}
}

func TestFunctions(t *testing.T) {
	all := history(t)
	if f := all[4].Function("f"); f == nil || f.Lambda != "x -> x + 2" || len(all[4].Functions()) != 1 {
		t.Errorf("the function is %v", f)
	}
	if all[7].Function("f") != nil || all[2].Function("f") != nil {
		t.Error("a function is where it should not be")
	}
}

// TestOver checks that a session's tables stand beside the stored ones and are in no delta.
func TestOver(t *testing.T) {
	c := history(t)[2]
	over := c.Over([]*Table{{ID: 1 << 62, Name: "a"}})
	if over.Table("", "a") == nil || over.Table("default", "a") == nil || c.Table("", "a") != nil || over.Version != c.Version {
		t.Error("a session's table does not stand beside the stored one")
	}
}
