package mergetree

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/segment"
)

var benchColumns = column.Schema{
	{Name: "user", Type: types.TUInt64}, {Name: "time", Type: types.TDateTime}, {Name: "url", Type: types.TString},
	{Name: "country", Type: types.TString}, {Name: "latency", Type: types.TUInt32}, {Name: "revenue", Type: types.TFloat64},
}

func benchBlock(r *rand.Rand, n int) *column.Block {
	b := &column.Block{N: n}
	for _, f := range benchColumns {
		b.Cols = append(b.Cols, column.New(f.Type, n))
	}
	for i := range n {
		for c, x := range []any{r.Uint64N(100000), uint32(1_700_000_000 + i), fmt.Sprint("https://example.com/page/", r.IntN(5000)),
			fmt.Sprint("country-", r.IntN(50)), r.Uint32N(1000), r.Float64()} {
			column.AppendValue(b.Cols[c].(column.Builder), x)
		}
	}
	return b
}

func benchMachine(b *testing.B) *machine {
	o := Options{FS: vfs.NewMem(), Dir: "data", Clock: clock.Real(), Cache: segment.NewCache(256<<20, nil)}
	m := newMachine(b, o)
	must(b, m.append(entry{create: &Spec{ID: 1, Name: "bench", Columns: benchColumns, SortKey: []string{"user", "time"}, KeyColumns: []string{"user", "time"}}}))
	b.Cleanup(func() { must(b, m.s.Close()) })
	return m
}

// BenchmarkApply is one commit of so many rows with its publication.
func BenchmarkApply(b *testing.B) {
	for _, n := range []int{1, 100, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m, blk := benchMachine(b), benchBlock(rand.New(rand.NewPCG(1, 1)), n)
			index := uint64(2)
			for b.Loop() {
				must(b, m.s.ApplyRows(index, 1, blk))
				m.s.Publish(index)
				if index++; index%uint64(1+1000000/n) == 0 {
					must(b, m.s.ApplyTruncate(index, 1))
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkFlush sorts and writes 256 Ki rows.
func BenchmarkFlush(b *testing.B) {
	const n = 1 << 18
	m, blk := benchMachine(b), benchBlock(rand.New(rand.NewPCG(1, 1)), n)
	for b.Loop() {
		must(b, m.append(entry{table: 1, rows: blk}))
		must(b, m.s.Flush(context.Background(), m, 1))
		must(b, m.append(entry{table: 1, trunc: true}))
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkMerge merges eight segments of 64 Ki rows with interleaved keys.
func BenchmarkMerge(b *testing.B) {
	const n, k = 1 << 16, 8
	m, r := benchMachine(b), rand.New(rand.NewPCG(1, 1))
	for range k {
		must(b, m.append(entry{table: 1, rows: benchBlock(r, n)}))
		must(b, m.s.Flush(context.Background(), m, 1))
	}
	snap := m.s.Snapshot()
	defer snap.Close()
	v := snap.Table(1)
	p := MergePlan{Partition: allPartition, Inputs: v.refs(), Cause: CauseMerge}
	for b.Loop() {
		seg, err := m.s.writeMerged(context.Background(), v, p, 1)
		must(b, err)
		m.s.Discard([]Segment{*seg})
	}
	b.ReportMetric(n*k*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkSortRows sorts rows of a few texts and a range of times, as events by country and time.
func BenchmarkSortRows(b *testing.B) {
	const n = 1 << 20
	r := rand.New(rand.NewPCG(1, 2))
	country, at := column.New(types.TString, n), column.New(types.TUInt32, n)
	for i := range n {
		column.AppendValue(country, []string{"DE", "FR", "US", "GB", "IN", "BR", "JP", "NL", "PL", "SE"}[r.IntN(10)])
		column.AppendValue(at, uint32(1_700_000_000+i/1000))
	}
	for b.Loop() {
		if sortRows([]column.Vector{country, at}, n) == nil {
			b.Fatal("in order")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
}
