package segment

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

// wideObjects are rows of 50 paths: integers, floats and short strings.
func wideObjects(rows int) *column.Map {
	r, m := rand.New(rand.NewPCG(1, 1)), column.New(types.TJSON, rows).(*column.Map)
	vals := m.Vals.(*column.Variant)
	for range rows {
		for p := range 50 {
			m.Keys.(*column.Str).AppendString(fmt.Sprintf("path%02d", p))
			t := []*types.Type{types.TInt64, types.TString, types.TFloat64}[p%3]
			k := vals.Alt(t)
			column.AppendValue(vals.Alts[k].(column.Builder), []any{r.Int64N(1e6), fmt.Sprint("v", r.IntN(1000)), float64(r.IntN(1e5)) / 100}[p%3])
			vals.EndValue(k)
		}
		m.EndValue()
	}
	return m
}

// BenchmarkObjects writes, and reads whole and by path, a page of wide objects.
func BenchmarkObjects(b *testing.B) {
	const rows = 32768
	fs, m := vfs.NewMem(), wideObjects(rows)
	write := func() {
		w, err := NewWriter(fs, "/s", Options{Schema: column.Schema{{Name: "j", Type: types.TJSON}}, Paths: true})
		if err != nil {
			b.Fatal(err)
		}
		if err := w.Append(column.NewBlock(m)); err != nil {
			b.Fatal(err)
		}
		if _, err := w.Finish(ctx); err != nil {
			b.Fatal(err)
		}
	}
	write()
	rd := open(b, fs, "/s", nil)
	for name, f := range map[string]func(){
		"write": write,
		"whole": func() { _, _ = rd.ReadColumn(ctx, 0, 0, rows) },
		"path":  func() { _, _ = rd.ReadPath(ctx, 0, "path07", 0, rows, nil) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}
