package exec

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// No row with a key is dropped, by bounds, bitmaps or Bloom filters, whatever form the keys and the values have; and of others few pass.
func TestRuntimeKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	forms := map[string]func(n uint64) column.Vector{
		"UInt8":   func(n uint64) column.Vector { return column.NewNum(types.TUInt8, []uint8{uint8(n)}) },
		"Int16":   func(n uint64) column.Vector { return column.NewNum(types.TInt16, []int16{int16(n)}) },
		"UInt64":  func(n uint64) column.Vector { return column.NewNum(types.TUInt64, []uint64{n*n*n + 1<<62}) },
		"Int64":   func(n uint64) column.Vector { return column.NewNum(types.TInt64, []int64{int64(n) - 500}) },
		"Float64": func(n uint64) column.Vector { return column.NewNum(types.TFloat64, []float64{float64(n) / 3}) },
		"String": func(n uint64) column.Vector {
			s := column.NewStr(types.TString, 1)
			s.AppendString(fmt.Sprint("common prefix ", n))
			return s
		},
	}
	for name, value := range forms {
		for range 30 {
			isKey := map[uint64]bool{}
			var keys, values []column.Vector
			var numbers []uint64
			n := r.IntN(200)
			for range n {
				x := r.Uint64N(1000)
				isKey[x] = true
				keys = append(keys, value(x))
			}
			for range 300 {
				x := r.Uint64N(1000)
				numbers = append(numbers, x)
				values = append(values, value(x))
			}
			f := &RuntimeFilter{}
			f.Set(column.Concat(append(keys, value(0).Slice(0, 0))...))
			k := f.keys.Load()
			all := column.Concat(values...)
			var state filterState
			wrong := 0
			for i, pass := range state.within(k, all) {
				same := isKey[numbers[i]] || name == "UInt8" && slices.ContainsFunc(keys, func(x column.Vector) bool { return column.Compare(x, 0, all, i) == 0 })
				if same && pass == 0 {
					t.Fatalf("%s: %d is a key", name, numbers[i])
				}
				if !same && pass != 0 {
					wrong++
				}
				items := make([]sortItem, 1)
				setPrefixes(items, values[i], column.Order{})
				if same && !k.keeps(items[0].prefix, items[0].prefix) {
					t.Fatalf("%s: %d is not within bounds", name, numbers[i])
				}
			}
			if wrong > 60 {
				t.Errorf("%s: %d of 300 pass without being one of %d keys", name, wrong, n)
			}
		}
	}
}

// filteredMorsel is rows in runs of ten, whose bounds are known.
type filteredMorsel struct{ data []int32 }

func (m filteredMorsel) Rows() int { return len(m.data) }

func (m filteredMorsel) Column(_ context.Context, _ int, sel []uint32) (column.Vector, error) {
	v := column.NewNum(types.TInt32, m.data)
	if sel == nil {
		return v, nil
	}
	return column.Gather(v, sel), nil
}

func (m filteredMorsel) Bounds(int) (*Bounds, error) {
	b := &Bounds{}
	var mins, maxs []int32
	for from := 0; from < len(m.data); from += 10 {
		to := min(from+10, len(m.data))
		b.Ends = append(b.Ends, uint32(to))
		mins, maxs = append(mins, slices.Min(m.data[from:to])), append(maxs, slices.Max(m.data[from:to]))
		b.Special, b.Empty = append(b.Special, false), append(b.Empty, false)
	}
	b.Mins, b.Maxs = column.NewNum(types.TInt32, mins), column.NewNum(types.TInt32, maxs)
	return b, nil
}

// filteredScan is a storage of one table, and its scanner.
type filteredScan struct {
	morsels []Morsel
	next    int
	rows    int64
}

func (s *filteredScan) Open(context.Context, ScanRequest) (Scanner, error) {
	return filteredScanner{s}, nil
}
func (s *filteredScan) Close() {}

type filteredScanner struct{ *filteredScan }

func (s filteredScanner) Next(context.Context) (Morsel, error) {
	if s.next == len(s.morsels) {
		return nil, nil
	}
	s.filteredScan.next++
	return s.morsels[s.filteredScan.next-1], nil
}

func (s filteredScanner) Stats() ScanStats { return ScanStats{Rows: s.rows, TotalRows: s.rows} }
func (s filteredScanner) Close() error     { return nil }

// A scan yields the rows with keys and, where a bitmap tells them, no others; what it read and what it dropped is what it was to read.
func TestScanRuntimeFilter(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for range 100 {
		storage, keys, want := &filteredScan{}, []int32{}, []int32{}
		for range r.IntN(5) {
			keys = append(keys, r.Int32N(3000))
		}
		for range 1 + r.IntN(20) {
			m := filteredMorsel{}
			for range 1 + r.IntN(100) {
				x := r.Int32N(100) + 30*int32(len(storage.morsels))
				m.data = append(m.data, x)
				if slices.Contains(keys, x) {
					want = append(want, x)
				}
			}
			storage.morsels, storage.rows = append(storage.morsels, m), storage.rows+int64(len(m.data))
		}
		s := &Scan{Storage: storage, Request: func() ScanRequest { return ScanRequest{Columns: []int{0}} }, Output: []bool{true}}
		s.filterBy(0).Set(column.NewNum(types.TInt32, keys))
		var got []int32
		p := NewPipeline(s, column.Schema{{Name: "x", Type: types.TInt32}}, nil, Options{})
		if err := p.Run(t.Context(), func(b *column.Block) error {
			got = append(got, b.Cols[0].(*column.Num[int32]).Data...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v for keys %v", got, want, keys)
		}
		if n := s.actual.rows.Load() + s.actual.joinRows.Load(); n != storage.rows {
			t.Fatalf("read and dropped %d of %d rows", n, storage.rows)
		}
	}
}
