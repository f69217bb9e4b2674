package function

import (
	"fmt"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// One vector of 2,048 rows into one group, into 1,000, or into 8 one behind the other.
func BenchmarkAdd(b *testing.B) {
	const n, dictSize = 2048, 500
	codes, groups, runs, xs, small := make([]uint32, n), make([]uint32, n), make([]uint32, n), make([]int64, n), make([]uint8, n)
	values := column.NewStr(types.TString, dictSize)
	for i := range dictSize {
		values.AppendString(fmt.Sprintf("https://example.com/page/%d", i))
	}
	plain := column.NewStr(types.TString, n)
	for i := range n {
		x := uint32(i) * 2654435761
		codes[i], groups[i], runs[i], xs[i], small[i] = x%dictSize, x%1000, uint32(i/256), int64(x), uint8(x)
		plain.Append(values.At(int(codes[i])))
	}
	dict := &column.Dict{Codes: codes, Values: values, Unique: true}
	for _, c := range []struct {
		name string
		arg  column.Vector
	}{
		{"count", nil}, {"sum", column.NewNum(types.TUInt8, small)}, {"sum", column.NewNum(types.TInt64, xs)}, {"avg", column.NewNum(types.TInt64, xs)},
		{"min", column.NewNum(types.TInt64, xs)}, {"sum", column.NewConst(types.TUInt8, uint8(1), n)}, {"min", plain}, {"min", dict},
		{"uniqExact", column.NewNum(types.TInt64, xs)}, {"uniqExact", plain}, {"uniqExact", dict}, {"uniq", plain}, {"uniq", dict},
		{"quantile", column.NewNum(types.TInt64, xs)}, {"argMax", column.NewNum(types.TInt64, xs)},
	} {
		var args []column.Vector
		var ts []*types.Type
		shape := ""
		if c.arg != nil {
			args, ts, shape = []column.Vector{c.arg}, []*types.Type{c.arg.Type()}, fmt.Sprintf("%T", c.arg)
		}
		if c.name == "argMax" {
			args, ts = append(args, c.arg), append(ts, c.arg.Type())
		}
		fn, err := BindAggregate(nil, c.name, nil, ts, false)
		if err != nil {
			b.Fatal(err)
		}
		for i, to := range [][]uint32{nil, groups, runs} {
			b.Run(fmt.Sprintf("%s/%s/groups=%s", c.name, shape, []string{"1", "1000", "runs"}[i]), func(b *testing.B) {
				s := fn.New()
				s.Grow(1000)
				b.ReportAllocs()
				for b.Loop() {
					if err := s.Add(to, args, n); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
			})
		}
	}
}
