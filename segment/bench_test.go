package segment

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

// benchTable is web-analytics rows: time, user, small ints, skewed strings, unique strings, prices.
func benchTable(rows int) *table {
	r := rand.New(rand.NewPCG(1, 1))
	z := rand.NewZipf(r, 1.2, 10, 20_000)
	ts, user, region := make([]uint32, rows), make([]uint64, rows), make([]uint16, rows)
	flag, price := make([]uint8, rows), make([]float64, rows)
	phrase, url := column.NewStr(types.TString, rows), column.NewStr(types.TString, rows)
	at := uint32(1_700_000_000)
	for i := range rows {
		at += uint32(r.IntN(2))
		ts[i], user[i], region[i] = at, kernel.Mix(z.Uint64()), uint16(r.IntN(5000))
		if r.IntN(30) == 0 {
			flag[i] = uint8(r.IntN(60))
			phrase.AppendString(fmt.Sprint("phrase ", z.Uint64()))
		} else {
			phrase.AppendString("")
		}
		price[i] = float64(r.IntN(100_000)) / 100
		url.AppendString(fmt.Sprintf("http://example.com/section%d/page%d", z.Uint64()%50, z.Uint64()))
	}
	return &table{
		schema: column.Schema{{Name: "ts", Type: types.TDateTime}, {Name: "user", Type: types.TUInt64}, {Name: "region", Type: types.TUInt16},
			{Name: "flag", Type: types.TUInt8}, {Name: "price", Type: types.TFloat64}, {Name: "phrase", Type: types.TString}, {Name: "url", Type: types.TString}},
		block: column.NewBlock(column.NewNum(types.TDateTime, ts), column.NewNum(types.TUInt64, user), column.NewNum(types.TUInt16, region),
			column.NewNum(types.TUInt8, flag), column.NewNum(types.TFloat64, price), phrase, url),
	}
}

func BenchmarkSegment(b *testing.B) {
	const rows = 1 << 20
	tab, fs := benchTable(rows), vfs.Disk()
	path := b.TempDir() + "/s"
	var m *Meta
	perRow := func(b *testing.B) { b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row") }
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			w, err := NewWriter(fs, path, Options{Schema: tab.schema, SortKey: []string{"ts"}})
			if err != nil {
				b.Fatal(err)
			}
			for at := 0; at < rows; at += 8192 {
				if err := w.Append(tab.block.Slice(at, at+8192)); err != nil {
					b.Fatal(err)
				}
			}
			if m, err = w.Finish(ctx); err != nil {
				b.Fatal(err)
			}
		}
		perRow(b)
	})
	b.Log(m.Detail())
	rd := open(b, fs, path, NewCache(256<<20, nil))
	for col, f := range tab.schema {
		b.Run("read/"+f.Name, func(b *testing.B) {
			for b.Loop() {
				for p := range rd.Pages() {
					if _, err := rd.ReadPage(ctx, col, p); err != nil {
						b.Fatal(err)
					}
				}
			}
			perRow(b)
		})
	}
	b.Run("prune", func(b *testing.B) {
		c := And(Cmp("ts", kernel.Ge, column.NewNum(types.TDateTime, []uint32{1_700_400_000})), Cmp("region", kernel.Eq, column.NewNum(types.TUInt16, []uint16{7})))
		for b.Loop() {
			if _, _, err := rd.Prune(ctx, c, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
