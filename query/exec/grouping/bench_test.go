package grouping

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// One page of strings of a dictionary of 100,000: the first dictionary, a second one, and as plain strings, by a new encoder each
// time or by one that knows all values.
func BenchmarkEncodeStrings(b *testing.B) {
	const n, entries = 65536, 100_000
	r := rand.New(rand.NewSource(1))
	values, all := column.NewStr(types.TString, entries), make([]uint32, entries)
	for i := range entries {
		values.AppendString(fmt.Sprintf("https://example.com/a/longer/page/%d", i))
		all[i] = uint32(i)
	}
	codes := make([]uint32, n)
	for i := range codes {
		codes[i] = uint32(r.Intn(entries))
	}
	first, second := uniqueDict(values, all, true), uniqueDict(values, all, true)
	for _, c := range []struct {
		name string
		v    column.Vector
	}{{"first", first.With(codes)}, {"second", second.With(codes)}, {"plain", column.Gather(values, codes)}} {
		for _, known := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/known=%v", c.name, known), func(b *testing.B) {
				e := NewEncoder([]*types.Type{types.TString}, false)
				for b.Loop() {
					if !known {
						e = NewEncoder([]*types.Type{types.TString}, false)
					}
					for _, v := range []column.Vector{first.With(codes[:n/8]), c.v} {
						if _, err := e.Encode([]column.Vector{v}, v.Len()); err != nil {
							b.Fatal(err)
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
			})
		}
	}
}
