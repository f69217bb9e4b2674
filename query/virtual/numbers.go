package virtual

import (
	"context"
	"math"
	"strings"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/exec"
)

func init() {
	endless := func(zeros, parallel bool) func(*Source) func(context.Context, []int) (exec.Scanner, error) {
		return func(*Source) func(context.Context, []int) (exec.Scanner, error) {
			return openSeries(series{step: 1, count: math.MaxUint64, zeros: zeros, parallel: parallel})
		}
	}
	openers["numbers"], openers["numbers_mt"] = endless(false, false), endless(false, true)
	openers["zeros"], openers["zeros_mt"] = endless(true, false), endless(true, true)
	fill("one", func(_ context.Context, _ *Source, add func(row)) error {
		add(row{})
		return nil
	})
}

// series is the numbers start, start + step, … (wrapping around); or as many zeros.
type series struct {
	start, step, count uint64
	zeros              bool
	parallel           bool // numbers_mt: read by many workers, in any order
}

func openSeries(s series) func(context.Context, []int) (exec.Scanner, error) {
	return func(context.Context, []int) (exec.Scanner, error) { return &seriesScanner{series: s}, nil }
}

type seriesScanner struct {
	series
	next atomic.Uint64 // the morsel to hand out next
}

func (s *seriesScanner) Next(ctx context.Context) (exec.Morsel, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	i := s.next.Add(1) - 1
	if i > math.MaxUint64/morselRows || i*morselRows >= s.count {
		return nil, nil
	}
	n := min(s.count-i*morselRows, morselRows)
	return &seriesMorsel{s: &s.series, first: s.start + i*morselRows*s.step, n: int(n)}, nil
}

func (s *seriesScanner) Stats() exec.ScanStats {
	if s.count > math.MaxInt64 {
		return exec.ScanStats{}
	}
	return exec.ScanStats{Rows: int64(s.count), TotalRows: int64(s.count)}
}

func (s *seriesScanner) Close() error { return nil }

// Ordered implements exec.Ordered.
func (s *seriesScanner) Ordered() bool { return !s.parallel }

type seriesMorsel struct {
	s     *series
	first uint64
	n     int
}

func (m *seriesMorsel) Rows() int { return m.n }

func (m *seriesMorsel) Column(_ context.Context, _ int, sel []uint32) (column.Vector, error) {
	n := m.n
	if sel != nil {
		n = len(sel)
	}
	if m.s.zeros {
		return column.NewNum(types.TUInt8, make([]uint8, n)), nil
	}
	data := make([]uint64, n)
	if sel == nil {
		for i := range data {
			data[i] = m.first + uint64(i)*m.s.step
		}
	} else {
		for i, p := range sel {
			data[i] = m.first + uint64(p)*m.s.step
		}
	}
	return column.NewNum(types.TUInt64, data), nil
}

// numbersTable is numbers([offset,] count [, step]) and zeros(count).
func numbersTable(call analyze.TableCall, zeros bool) (*Table, error) {
	args := make([]uint64, len(call.Args))
	for i, a := range call.Args {
		n, ok := countArg(a)
		if !ok {
			return nil, sqlerr.New(sqlerr.BadArguments, "Table function %s takes constant numbers", call.Name)
		}
		args[i] = n
	}
	s := series{step: 1, count: math.MaxUint64, zeros: zeros, parallel: strings.HasSuffix(call.Name, "_mt")}
	switch {
	case len(args) == 0:
	case len(args) == 1:
		s.count = args[0]
	case zeros || len(args) > 3:
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Table function '%s' requires up to %d arguments", call.Name, map[bool]int{true: 1, false: 3}[zeros])
	default:
		s.start, s.count = args[0], args[1]
		if len(args) == 3 {
			if args[2] == 0 {
				return nil, sqlerr.New(sqlerr.BadArguments, "Table function %s requires step to be a positive number", call.Name)
			}
			s.step = args[2]
			s.count = (s.count + s.step - 1) / s.step
		}
	}
	t := &Table{name: call.Name, open: openSeries(s), schema: column.Schema{{Name: "number", Type: types.TUInt64}}}
	if zeros {
		t.schema = column.Schema{{Name: "zero", Type: types.TUInt8}}
	}
	return t, nil
}

// countArg reads a constant that is a number ≥ 0 (or a float of that value).
func countArg(a analyze.TableArg) (uint64, bool) {
	if a.Value == nil {
		return 0, false
	}
	switch v := column.Value(a.Value, 0).(type) {
	case uint8:
		return uint64(v), true
	case uint16:
		return uint64(v), true
	case uint32:
		return uint64(v), true
	case uint64:
		return v, true
	case int8:
		return uint64(v), v >= 0
	case int16:
		return uint64(v), v >= 0
	case int32:
		return uint64(v), v >= 0
	case int64:
		return uint64(v), v >= 0
	case float64:
		return uint64(v), v >= 0 && v < 1<<63
	}
	return 0, false
}
