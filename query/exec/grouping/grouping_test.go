package grouping

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// randomVector builds n values of t from a small domain, in a random physical form.
func randomVector(r *rand.Rand, t *types.Type, n int) column.Vector {
	b := column.New(t, 8)
	for i := 0; i < 8; i++ {
		column.AppendValue(b, randomValue(r, t, i))
	}
	codes := make([]uint32, n)
	for i := range codes {
		codes[i] = uint32(r.Intn(8))
	}
	switch form := r.Intn(4); {
	case form == 0:
		return &column.Const{Value: b.Slice(0, 1), N: n}
	case form == 1 && (t.Phys() == types.PBytes):
		return &column.Dict{Codes: codes, Values: b}
	}
	return column.Gather(b, codes)
}

func randomValue(r *rand.Rand, t *types.Type, i int) any {
	switch t.Kind {
	case types.UInt8:
		return uint8(i % 3)
	case types.Int16:
		return int16(i - 4)
	case types.UInt64:
		return uint64(i)<<60 + 5
	case types.Float64:
		return float64(i) / 2
	case types.UUID:
		return types.U128{Lo: uint64(i % 2), Hi: uint64(i / 4)}
	case types.String:
		return []string{"", "a", "b", "abcdefghijklmnop", "a", "zz", "\x00", "b"}[i]
	case types.Nullable:
		if r.Intn(3) == 0 {
			return nil
		}
		return randomValue(r, t.Elem(), i)
	case types.Array:
		return []any{randomValue(r, t.Elem(), i), randomValue(r, t.Elem(), (i+1)%8)}[:i%3]
	}
	panic(t.String())
}

func TestTableAgainstGoMap(t *testing.T) {
	u8, str, null := types.TUInt8, types.TString, types.NewNullable
	for _, ts := range [][]*types.Type{
		{u8}, {types.TUInt64}, {str}, {null(str)}, {types.TUUID}, {types.TFloat64, types.TInt16}, {u8, str},
		{str, str}, {null(types.TUInt64), str, u8}, {types.TUUID, types.TUUID}, {types.TUUID, types.TUInt64},
		{types.TUUID, types.TUUID, types.TUInt64}, {types.NewArray(str)}, {types.NewArray(null(str)), null(u8)},
	} {
		for _, collide := range []bool{false, true} {
			t.Run(fmt.Sprint(ts, collide), func(t *testing.T) { againstMap(t, ts, collide) })
		}
	}
}

func againstMap(t *testing.T, ts []*types.Type, collide bool) {
	r := rand.New(rand.NewSource(3))
	tab := New(ts, collide)
	enc2 := NewEncoder(ts, false)
	model := map[string]uint32{}
	parts := map[string]uint8{}
	for round := 0; round < 20; round++ {
		n := r.Intn(30)
		cols := make([]column.Vector, len(ts))
		for i := range ts {
			cols[i] = randomVector(r, ts[i], n)
		}
		ids, found, part := make([]uint32, n), make([]uint32, n), make([]uint8, n)
		if err := tab.Finder().Find(cols, found); err != nil {
			t.Fatal(err)
		}
		if err := tab.Insert(cols, ids); err != nil {
			t.Fatal(err)
		}
		words, err := enc2.Encode(cols, n)
		if err != nil {
			t.Fatal(err)
		}
		enc2.Partition(words, 16, part)
		before := uint32(len(model))
		for i := 0; i < n; i++ {
			key := rowText(cols, i)
			if _, ok := model[key]; !ok {
				model[key] = uint32(len(model))
				parts[key] = part[i]
			}
			want := model[key]
			if ids[i] != want {
				t.Fatalf("row %s has number %d, want %d", key, ids[i], want)
			}
			if want >= before {
				want = Missing
			}
			if found[i] != want {
				t.Fatalf("row %s found as %d, want %d", key, found[i], want)
			}
			if parts[key] != part[i] {
				t.Fatalf("row %s in partitions %d and %d", key, parts[key], part[i])
			}
		}
	}
	if tab.Len() != len(model) {
		t.Fatalf("%d keys, want %d", tab.Len(), len(model))
	}
	keys := make([]column.Vector, len(ts))
	for i := range ts {
		keys[i] = tab.Key(i, 0, tab.Len())
	}
	defer partitionAgainst(t, tab, keys)
	for i := 0; i < tab.Len(); i++ {
		if id := model[rowText(keys, i)]; id != uint32(i) {
			t.Fatalf("key %d reads back as %s, which has number %d", i, rowText(keys, i), id)
		}
	}
}

func rowText(cols []column.Vector, i int) string {
	s := ""
	for _, c := range cols {
		s += fmt.Sprintf("%#v|", column.Value(c, i))
	}
	return s
}

// partitionAgainst splits the table and looks every key up where it went.
func partitionAgainst(t *testing.T, tab *Table, keys []column.Vector) {
	n := tab.Len()
	p, part, ids, err := tab.Partition(8)
	if err != nil || p.Total() != n {
		t.Fatalf("%d of %d keys in partitions, error %v", p.Total(), n, err)
	}
	for i := 0; i < n; i++ {
		got := make([]column.Vector, len(keys))
		for c := range keys {
			got[c] = p.Key(int(part[i]), c, int(ids[i]), int(ids[i])+1)
		}
		if rowText(got, 0) != rowText(keys, i) {
			t.Fatalf("key %d is %s in its partition, want %s", i, rowText(got, 0), rowText(keys, i))
		}
	}
	shares, err := p.Insert(keys, n)
	if err != nil || p.Total() != n {
		t.Fatalf("%d keys after inserting all %d again, error %v", p.Total(), n, err)
	}
	for k, s := range shares {
		for i, r := range s.Rows {
			if int(part[r]) != k || ids[r] != s.IDs[i] {
				t.Fatalf("key %d moved", r)
			}
		}
	}
}
