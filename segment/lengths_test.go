package segment

import (
	"math/rand/v2"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/vfs"
)

func TestLengths(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	for _, rows := range []int{1, 37, 66_000} {
		tab := randomTable(t, r, []string{"Int32", "String", "LowCardinality(String)", "FixedString(3)", "Nullable(String)"}, rows, "c0")
		fs := vfs.NewMem()
		write(t, r, tab, Options{ID: "s", SortKey: []string{"c0"}, Granularity: 1000}, fs, "/s")
		for _, cache := range []*Cache{nil, NewCache(1<<20, nil)} {
			rd := open(t, fs, "/s", cache)
			for col, f := range tab.schema {
				if want := f.Name != "c0" && f.Name != "c4"; rd.Measurable(col) != want {
					t.Fatalf("Measurable(%s) is %v", f.Type, !want)
				} else if !want {
					continue
				}
				for range 6 {
					from := r.IntN(rows)
					to := from + r.IntN(rows-from+1)
					checkLengths(t, rd, tab, col, from, to, nil)
					sel := []uint32{}
					for p := r.IntN(3); p < to-from; p += 1 + r.IntN(1+rows/20) {
						sel = append(sel, uint32(p))
					}
					checkLengths(t, rd, tab, col, from, to, sel)
				}
			}
		}
	}
}

func checkLengths(t *testing.T, rd *Reader, tab *table, col, from, to int, sel []uint32) {
	t.Helper()
	v, err := rd.ReadLengths(ctx, col, from, to, sel)
	if err != nil {
		t.Fatal(err)
	}
	want := column.Flatten(tab.block.Cols[col].Slice(from, to))
	if sel != nil {
		want = column.Gather(want, sel)
	}
	if v.Len() != want.Len() {
		t.Fatalf("%d lengths, want %d", v.Len(), want.Len())
	}
	for i := range v.Len() {
		if n := len(want.(*column.Str).At(i)); v.Data[i] != uint64(n) {
			t.Fatalf("row %d+%d: length %d, want %d", from, i, v.Data[i], n)
		}
	}
}
