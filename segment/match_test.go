package segment

import (
	"math/rand/v2"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

func TestMatch(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	for _, rows := range []int{1, 50, 66_000} {
		tab := randomTable(t, r, []string{"UInt8", "Int8", "UInt32", "Int64", "Date", "DateTime64(3)", "String", "LowCardinality(String)", "Nullable(Int32)", "Float64", "FixedString(3)"}, rows, "c0")
		fs := vfs.NewMem()
		write(t, r, tab, Options{ID: "s", SortKey: []string{"c0"}, Granularity: 1000}, fs, "/s")
		rd := open(t, fs, "/s", NewCache(1<<20, nil))
		for col, f := range tab.schema {
			all := column.Flatten(tab.block.Cols[col])
			for op := kernel.Eq; op <= kernel.Ge; op++ {
				x := column.New(f.Type.Inner(), 1)
				if k := r.IntN(rows); r.IntN(4) > 0 && !column.IsNull(all, k) {
					x.AppendFrom(scalars(all.Slice(k, k+1)), 0)
				} else {
					x.AppendDefault()
				}
				from := r.IntN(rows)
				to := from + r.IntN(rows-from+1)
				mask := make([]uint8, to-from)
				ok, err := rd.Match(ctx, col, from, to, op, x, mask)
				if err != nil {
					t.Fatal(err)
				}
				textual := f.Type.Inner().Kind == types.String
				if want := !f.Type.IsNullable() && f.Type.Phys() != types.PBytes && f.Type.Kind != types.Float64; !textual && ok != want {
					t.Fatalf("Match of %s is %v", f.Type, ok)
				} else if textual && ok && op != kernel.Eq && op != kernel.Ne {
					t.Fatalf("Match of %s %s", f.Type, op)
				}
				for i := range mask {
					if want := op.Holds(column.Compare(all, from+i, x, 0)); ok && want != (mask[i] == 1) {
						t.Fatalf("%s, row %d of %d: %d", f.Type, from+i, rows, mask[i])
					}
				}
			}
		}
	}
}
