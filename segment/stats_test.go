package segment

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

// TestColumnStats holds what the footer says of columns against their values.
func TestColumnStats(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for round := range 20 {
		fs, path := vfs.NewMem(), "/s"
		tab := randomTable(t, r, []string{"Int32", "String", "Nullable(String)", "Float64", "Nullable(Float32)", "UUID", "FixedString(3)", "Array(Int8)", "LowCardinality(String)"}, r.IntN(300))
		write(t, r, tab, Options{Granularity: 1 + r.IntN(50)}, fs, path)
		rd := open(t, fs, path, nil)
		for col, f := range tab.schema {
			s := rd.ColumnStats(col)
			v := tab.block.Cols[col]
			distinct, nulls, defaults := map[string]bool{}, int64(0), int64(0)
			var lo, hi column.Vector
			for i := range v.Len() {
				if column.IsNull(v, i) {
					nulls++
					continue
				}
				if !isScalar(f.Type) {
					continue
				}
				x := one(scalars(v.Slice(i, i+1)), 0)
				distinct[fmt.Sprint(column.Value(x, 0))] = true
				if z := countDefaults(x); z > 0 {
					defaults++
				}
				if isNaN(x, 0) {
					if !s.NaN {
						t.Fatalf("round %d, %s: NaN in row %d", round, f.Name, i)
					}
					continue
				}
				if lo == nil || column.Compare(x, 0, lo, 0) < 0 {
					lo = x
				}
				if hi == nil || column.Compare(x, 0, hi, 0) > 0 {
					hi = x
				}
			}
			if !isScalar(f.Type) {
				continue
			}
			if s.Nulls != nulls || s.Defaults >= 0 && s.Defaults != defaults || s.Defaults < 0 && !strings.Contains("UUID FixedString(3)", f.Type.String()) {
				t.Errorf("round %d, %s %s: %d nulls, %d defaults, not %d, %d", round, f.Name, f.Type, s.Nulls, s.Defaults, nulls, defaults)
			}
			if s.DistinctExact && s.Distinct != uint64(len(distinct)) {
				t.Errorf("round %d, %s: %d distinct, not %d", round, f.Name, s.Distinct, len(distinct))
			}
			if lo == nil {
				if s.Tight {
					t.Errorf("round %d, %s: bounds of nothing are tight", round, f.Name)
				}
				continue
			}
			low, high := column.Compare(s.Min.vec, 0, lo, 0), column.Compare(s.Max.vec, 0, hi, 0)
			if low > 0 || high < 0 || s.Tight != (low == 0 && high == 0) {
				t.Errorf("round %d, %s: %s to %s, tight %v", round, f.Name, s.Min, s.Max, s.Tight)
			}
		}
	}
}

// TestLongBounds has bounds that are cut.
func TestLongBounds(t *testing.T) {
	fs, path := vfs.NewMem(), "/s"
	v := column.NewStrings(strings.Repeat("a", 300), strings.Repeat("b", 127)+"\xff\xff")
	write(t, rand.New(rand.NewPCG(1, 1)), &table{schema: column.Schema{{Name: "s", Type: types.TString}}, block: column.NewBlock(v)}, Options{}, fs, path)
	if s := open(t, fs, path, nil).ColumnStats(0); s.Tight || s.Min.String() >= s.Max.String() {
		t.Errorf("%+v", s)
	}
}
