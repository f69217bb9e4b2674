package mergetree

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

// coded is a vector of n strings, prefix and row number modulo so many, over a dictionary of its own.
func coded(prefix string, n, distinct int) *column.Dict {
	values := column.NewStr(types.TString, distinct)
	for i := range distinct {
		values.Append(fmt.Appendf(nil, "%s%d", prefix, i))
	}
	d := &column.Dict{Values: values}
	for i := range n {
		d.Codes = append(d.Codes, uint32(i%distinct))
	}
	return d
}

// Parts over several dictionaries are joined coded if these repeat their values, and mean the same.
func TestJoinCoded(t *testing.T) {
	a, b := coded("a", 100, 7), coded("a", 60, 9)
	for name, c := range map[string]struct {
		parts []column.Vector
		coded bool
	}{
		"one dictionary":    {[]column.Vector{a, a.With(a.Codes[:50])}, true},
		"several":           {[]column.Vector{a, b, a.With(a.Codes[3:5])}, true},
		"of few repetition": {[]column.Vector{a, coded("b", 60, 50)}, false},
		"one that is plain": {[]column.Vector{a, column.Flatten(b)}, false},
	} {
		got := joinCoded(c.parts)
		if (got != nil) != c.coded {
			t.Fatalf("%s: %T", name, got)
		}
		if got == nil {
			continue
		}
		flat := make([]column.Vector, len(c.parts))
		for i, p := range c.parts {
			flat[i] = column.Flatten(p)
		}
		want := column.Concat(flat...)
		if got.Len() != want.Len() {
			t.Fatalf("%s: %d rows, want %d", name, got.Len(), want.Len())
		}
		got = column.Flatten(got)
		for i := range want.Len() {
			if column.Compare(got, i, want, i) != 0 {
				t.Fatalf("%s: row %d differs", name, i)
			}
		}
	}
}

// TestBulkOfTexts: the runs of a table without partitions join long strings in codes, those of others do not; the rows are the same.
func TestBulkOfTexts(t *testing.T) {
	rows := randomRows(rand.New(rand.NewPCG(5, 5)), 400)
	for i := range rows {
		rows[i].text = fmt.Sprintf("%030d", i*i%17)
	}
	for _, partitioned := range []bool{false, true} {
		m := newMachine(t, testOptions(vfs.NewMem()))
		spec := testSpec(1, Plain)
		if !partitioned {
			spec.Partition, spec.PartitionID = nil, nil
		}
		must(t, m.append(entry{create: spec}))
		must(t, m.bulk(t, rows))
		snap := m.s.Snapshot()
		got, want := finalRows(t, snap.Table(1)), slices.Clone(rows)
		slices.SortFunc(got, compareTestRows)
		slices.SortFunc(want, compareTestRows)
		if !slices.Equal(got, want) {
			t.Errorf("partitioned %v: %d rows differ from the %d inserted", partitioned, len(got), len(want))
		}
		snap.Close()
		must(t, m.s.Close())

		_, coded := joinRun([]*column.Block{testBlock(rows[:100]), testBlock(rows[100:150])}, !partitioned).Cols[testColumns.Index("text")].(*column.Dict)
		if coded == partitioned {
			t.Errorf("partitioned %v: in codes %v", partitioned, coded)
		}
	}
}
