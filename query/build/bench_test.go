package build

import (
	"context"
	"fmt"
	"math/rand"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// benchTable has n rows of integers with 100, 100,000 and n distinct values, a string of 10,000 and one of 1,000,
// all coded by one dictionary a column as segments have them.
func benchTable(n int) *fakeTable {
	r := rand.New(rand.NewSource(1))
	few, many, unique := make([]uint16, n), make([]uint32, n), make([]uint64, n)
	for i := range n {
		few[i], many[i], unique[i] = uint16(r.Intn(100)), uint32(r.Intn(100_000)), r.Uint64()
	}
	words := func(k int) column.Vector {
		values, codes := column.NewStrings(), make([]uint32, n)
		for i := range k {
			values.AppendString(fmt.Sprintf("https://example.com/page/%d", i))
		}
		for i := range codes {
			codes[i] = uint32(r.Intn(k))
		}
		return &column.Dict{Codes: codes, Values: values, Unique: true}
	}
	return &fakeTable{name: "b", schema: column.Schema{
		{Name: "few", Type: types.TUInt16}, {Name: "many", Type: types.TUInt32}, {Name: "unique", Type: types.TUInt64},
		{Name: "url", Type: types.TString}, {Name: "phrase", Type: types.TString},
	}, block: column.NewBlock(column.NewNum(types.TUInt16, few), column.NewNum(types.TUInt32, many), column.NewNum(types.TUInt64, unique),
		words(10_000), words(1000))}
}

func BenchmarkPlans(b *testing.B) {
	const rows = 1 << 20
	tab := benchTable(rows)
	scan := func() *plan.Scan { return scanOf(tab, 0, 1, 2, 3, 4) }
	key := func(cols ...int) []plan.Expr {
		var out []plan.Expr
		for _, c := range cols {
			out = append(out, col(scan(), c))
		}
		return out
	}
	u16 := func(x int) plan.Expr { return constant(types.TUInt16, uint16(x)) }
	for _, c := range []struct {
		name string
		n    plan.Node
	}{
		{"count where few<>0", aggregate(b, scan().With(call(b, "notEquals", col(scan(), 0), u16(0)), 0), nil, agg("count"))},

		{"count where like", aggregate(b, scan().With(call(b, "like", col(scan(), 3), constant(types.TString, "%99%")), 0), nil, agg("count"))},
		{"sum", aggregate(b, scan(), nil, agg("sum", col(scan(), 1)))},
		{"by few", aggregate(b, scan(), key(0), agg("count"), agg("sum", col(scan(), 1)))},
		{"by many", aggregate(b, scan(), key(1), agg("count"))},
		{"by unique", aggregate(b, scan(), key(2), agg("count"))},
		{"by phrase", aggregate(b, scan(), key(4), agg("count"))},
		{"by few, phrase", aggregate(b, scan(), key(0, 4), agg("count"))},
		{"by url, phrase", aggregate(b, scan(), key(3, 4), agg("count"))},
		{"top 10", &plan.Sort{Input: scan(), Keys: []plan.SortKey{desc(2)}, Limit: 10}},
		{"sort", &plan.Sort{Input: scanOf(tab, 2), Keys: []plan.SortKey{asc(0)}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				p, err := Build(context.Background(), c.n, Options{Storage: &wholeStorage{}, Env: testEnv(), Options: exec.Options{Threads: 2}})
				if err != nil {
					b.Fatal(err)
				}
				if err := p.Run(context.Background(), func(*column.Block) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}

// wholeStorage hands out morsels of 65,536 rows as they are.
type wholeStorage struct{ fakeStorage }

func (s *wholeStorage) Open(_ context.Context, req exec.ScanRequest) (exec.Scanner, error) {
	s.morsel = 65536
	return &wholeScanner{fakeScanner{s: &s.fakeStorage, req: req, t: req.Table.(*fakeTable)}}, nil
}

type wholeScanner struct{ fakeScanner }

func (s *wholeScanner) Close() error { return nil }

func (s *wholeScanner) Next(ctx context.Context) (exec.Morsel, error) {
	m, err := s.fakeScanner.Next(ctx)
	if m == nil || err != nil {
		return nil, err
	}
	return &wholeMorsel{m.(*fakeMorsel)}, nil
}

type wholeMorsel struct{ *fakeMorsel }

func (m *wholeMorsel) Column(_ context.Context, i int, sel []uint32) (column.Vector, error) {
	v := m.s.t.block.Cols[m.s.req.Columns[i]].Slice(m.from, m.to)
	if sel != nil {
		v = column.Gather(v, sel)
	}
	return v, nil
}
