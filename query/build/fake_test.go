package build

import (
	"context"
	"math/rand"
	"sync/atomic"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// fakeTable is rows in memory.
type fakeTable struct {
	name   string
	schema column.Schema
	block  *column.Block
}

func (t *fakeTable) Name() string            { return t.name }
func (t *fakeTable) Schema() column.Schema   { return t.schema }
func (t *fakeTable) Catalog() *catalog.Table { return nil }

// fakeStorage hands out morsels of a few rows, strings dictionary-coded in every other one, and counts.
type fakeStorage struct {
	morsel  int
	open    atomic.Int64 // scanners open
	columns atomic.Int64 // columns read
	values  atomic.Int64 // values read
	rows    atomic.Int64 // rows of morsels handed out
	last    atomic.Pointer[exec.ScanRequest]
}

func (s *fakeStorage) Open(_ context.Context, req exec.ScanRequest) (exec.Scanner, error) {
	s.open.Add(1)
	s.last.Store(&req)
	return &fakeScanner{s: s, req: req, t: req.Table.(*fakeTable)}, nil
}

func (s *fakeStorage) Close() {}

type fakeScanner struct {
	s    *fakeStorage
	req  exec.ScanRequest
	t    *fakeTable
	next atomic.Int64
}

func (s *fakeScanner) Next(ctx context.Context) (exec.Morsel, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	to := int(s.next.Add(int64(s.s.morsel)))
	from := to - s.s.morsel
	if from >= s.t.block.N {
		return nil, nil
	}
	to = min(to, s.t.block.N)
	s.s.rows.Add(int64(to - from))
	return &fakeMorsel{s, from, to}, nil
}

func (s *fakeScanner) Stats() exec.ScanStats {
	n := int64(s.t.block.N)
	return exec.ScanStats{Segments: 1, TotalSegments: 1, Rows: n, TotalRows: n}
}

func (s *fakeScanner) Close() error {
	s.s.open.Add(-1)
	return nil
}

type fakeMorsel struct {
	s        *fakeScanner
	from, to int
}

func (m *fakeMorsel) Rows() int { return m.to - m.from }

func (m *fakeMorsel) Column(_ context.Context, i int, sel []uint32) (column.Vector, error) {
	m.s.s.columns.Add(1)
	v := m.s.t.block.Cols[m.s.req.Columns[i]].Slice(m.from, m.to)
	if (m.from/m.s.s.morsel)%2 == 0 {
		v = dictionary(v)
	}
	if sel != nil {
		v = column.Gather(v, sel)
	}
	m.s.s.values.Add(int64(v.Len()))
	return v, nil
}

// dictionary codes strings, also inside Nullable, with an entry that no row uses.
func dictionary(v column.Vector) column.Vector {
	switch v := v.(type) {
	case *column.Nullable:
		if s, ok := v.Inner.(*column.Str); ok {
			return column.NewNullable(v.Nulls, dictionary(s))
		}
	case *column.Str:
		values := column.NewStrings("never used")
		codes := make([]uint32, v.Len())
		seen := map[string]uint32{}
		for i := range codes {
			s := string(v.At(i))
			if _, ok := seen[s]; !ok {
				seen[s] = uint32(values.Len())
				values.AppendString(s)
			}
			codes[i] = seen[s]
		}
		return &column.Dict{Codes: codes, Values: values, Unique: true}
	}
	return v
}

// The columns of the test table.
const (
	colID = iota
	colG
	colS
	colN
	colF
	colA
	colNS
)

// newFake returns a table of n random rows, deterministic by seed.
func newFake(name string, n int, seed int64) *fakeTable {
	t := &fakeTable{name: name, schema: column.Schema{
		{Name: "id", Type: types.TUInt64}, {Name: "g", Type: types.TUInt8}, {Name: "s", Type: types.TString},
		{Name: "n", Type: types.NewNullable(types.TInt32)}, {Name: "f", Type: types.TFloat64},
		{Name: "a", Type: types.NewArray(types.TUInt8)}, {Name: "ns", Type: types.NewNullable(types.TString)},
	}}
	r := rand.New(rand.NewSource(seed))
	words := []string{"", "apple", "pear", "plum", "a longer name of a fruit", "\x00"}
	cols := make([]column.Builder, len(t.schema))
	for i, f := range t.schema {
		cols[i] = column.New(f.Type, n)
	}
	for i := range n {
		row := []any{uint64(i * 7 % max(n, 1)), uint8(r.Intn(5)), words[r.Intn(6)], any(int32(r.Intn(20) - 10)), float64(r.Intn(100)) / 4,
			make([]any, r.Intn(3)), any(words[r.Intn(6)])}
		if r.Intn(4) == 0 {
			row[colN] = nil
		}
		if r.Intn(4) == 0 {
			row[colNS] = nil
		}
		for k := range row[colA].([]any) {
			row[colA].([]any)[k] = uint8(r.Intn(4))
		}
		for c, x := range row {
			column.AppendValue(cols[c], x)
		}
	}
	t.block = &column.Block{N: n}
	for _, c := range cols {
		t.block.Cols = append(t.block.Cols, c)
	}
	return t
}

// scanOf scans columns of t.
func scanOf(t *fakeTable, cols ...int) *plan.Scan { return plan.NewScan(t, cols) }

// col refers to column i of n.
func col(n plan.Node, i int) *plan.Col {
	f := n.Schema()[i]
	return &plan.Col{Index: i, Name: f.Name, T: f.Type}
}
