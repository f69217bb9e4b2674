package segment

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

// TestEntries reads codes and single entries of a large dictionary, some of its values longer than a block, and holds them against the column.
func TestEntries(t *testing.T) {
	const rows = 2*PageRows + 100
	fs, path, r := vfs.NewMem(), "/s", rand.New(rand.NewPCG(6, 6))
	typ := types.NewNullable(types.TString)
	v := column.New(typ, rows)
	for i := range rows {
		switch k := r.IntN(20_000); {
		case i > PageRows && k < 50:
			column.AppendValue(v, nil)
		case k == 100:
			column.AppendValue(v, fmt.Sprintf("%0150000d", i))
		default:
			column.AppendValue(v, fmt.Sprint("value ", k))
		}
	}
	tab := &table{schema: column.Schema{{Name: "s", Type: typ}}, block: column.NewBlock(v)}
	write(t, r, tab, Options{}, fs, path)
	rd := open(t, fs, path, NewCache(1<<30, nil))
	codes, nulls, coded, err := rd.ReadCodes(ctx, 0, 0, rows)
	if err != nil || !coded || len(codes) != rows || len(nulls) != rows {
		t.Fatal(len(codes), len(nulls), coded, err)
	}
	sel := []uint32{3, 4, 70_000, 70_007, rows - 1}
	few, err := rd.ReadRows(ctx, 0, sel)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := few.(*column.Nullable).Inner.(*column.Str); !ok {
		t.Errorf("a few rows loaded the dictionary: %T", few.(*column.Nullable).Inner)
	}
	for i, row := range sel {
		if got, want := column.Value(few, i), column.Value(v, int(row)); got != want {
			t.Errorf("row %d is %v, not %v", row, got, want)
		}
	}
	inner := v.(*column.Nullable).Inner.(*column.Str)
	for range 3 * scanFinds { // from the hashes, then from their index
		row := r.IntN(rows)
		if nulls[row] != v.(*column.Nullable).Nulls[row] {
			t.Fatalf("null flag of row %d", row)
		}
		if nulls[row] != 0 {
			continue
		}
		code, ok, err := rd.FindCode(ctx, 0, inner.At(row))
		if err != nil || !ok || code != codes[row] {
			t.Fatalf("row %d has code %d, found %d, %v, %v", row, codes[row], code, ok, err)
		}
		if _, ok, err := rd.FindCode(ctx, 0, []byte(fmt.Sprint("no value ", row))); ok || err != nil {
			t.Fatalf("found what is not there: %v", err)
		}
	}
	d, err := rd.Dictionary(ctx, 0)
	if err != nil || d.Values.Len() != rd.Entries(0) {
		t.Fatal(err)
	}
	checkColumn(t, v, 0, rows, column.NewNullable(nulls, &column.Dict{Codes: codes, Values: d.Values}))
	all, err := rd.ReadEntries(ctx, 0, codes[:100])
	if err != nil {
		t.Fatal(err)
	}
	checkColumn(t, inner, 0, 100, all)
	if _, err := rd.ReadEntries(ctx, 0, []uint32{uint32(rd.Entries(0))}); err == nil {
		t.Error("an entry that is not there was read")
	}
}
