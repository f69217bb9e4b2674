package function

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// run aggregates args, n rows, into one group.
func run(t *testing.T, name string, params []column.Vector, distinct bool, args ...column.Vector) (string, any) {
	t.Helper()
	var ts []*types.Type
	n := 0
	for _, a := range args {
		ts = append(ts, a.Type())
		n = a.Len()
	}
	fn, err := BindAggregate(nil, name, params, ts, distinct)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	s := fn.New()
	s.Grow(1)
	if err := s.Add(nil, args, n); err != nil {
		t.Fatal(err)
	}
	v, err := s.Finish(0, 1)
	if err != nil {
		t.Fatal(err)
	}
	return fn.Result().String(), column.Value(v, 0)
}

func ints(xs ...int64) column.Vector { return column.NewNum(types.TInt64, xs) }

func nullable(nulls []uint8, v column.Vector) column.Vector { return column.NewNullable(nulls, v) }

func numbers(n int) column.Vector {
	d := make([]uint64, n)
	for i := range d {
		d[i] = uint64(i)
	}
	return column.NewNum(types.TUInt64, d)
}

func strs(n int) column.Vector {
	v := column.NewStr(types.TString, n)
	for i := range n {
		v.AppendString(fmt.Sprint(i))
	}
	return v
}

func TestAggregates(t *testing.T) {
	nulls := nullable([]uint8{0, 1, 0}, ints(1, 2, 3))
	half := []column.Vector{column.NewNum(types.TFloat64, []float64{0.5})}
	for _, c := range []struct {
		name     string
		params   []column.Vector
		distinct bool
		args     []column.Vector
		typ      string
		want     string
	}{
		{"count", nil, false, nil, "UInt64", "0"},
		{"count", nil, false, []column.Vector{nulls}, "UInt64", "2"},
		{"sum", nil, false, []column.Vector{ints(1, 2, 3)}, "Int64", "6"},
		{"sum", nil, false, []column.Vector{nulls}, "Nullable(Int64)", "4"},
		{"sum", nil, false, []column.Vector{column.NewNulls(2)}, "Nullable(Nothing)", "<nil>"},
		{"avg", nil, false, []column.Vector{ints(1, 2)}, "Float64", "1.5"},
		{"min", nil, false, []column.Vector{column.NewStrings("b", "a")}, "String", "a"},
		{"max", nil, false, []column.Vector{ints()}, "Int64", "0"},
		{"argMax", nil, false, []column.Vector{column.NewStrings("x", "y"), ints(5, 2)}, "String", "x"},
		{"any", nil, false, []column.Vector{nulls}, "Nullable(Int64)", "1"},
		{"count", nil, true, []column.Vector{ints(1, 1, 2)}, "UInt64", "2"},
		{"sum", nil, true, []column.Vector{ints(1, 1, 2)}, "Int64", "3"},
		{"sumIf", nil, false, []column.Vector{ints(1, 2, 3), column.NewBools([]uint8{1, 0, 1})}, "Int64", "4"},
		{"countIf", nil, false, []column.Vector{column.NewBools([]uint8{1, 0, 1})}, "UInt64", "2"},
		{"sumOrNull", nil, false, []column.Vector{ints()}, "Nullable(Int64)", "<nil>"},
		{"quantile", half, false, []column.Vector{ints(1, 2)}, "Float64", "1.5"},
		{"quantileExact", half, false, []column.Vector{ints(1, 2, 3)}, "Int64", "2"},
		{"groupArray", nil, false, []column.Vector{nulls}, "Array(Int64)", "[1 3]"},
		{"groupUniqArray", nil, false, []column.Vector{ints(3, 3, 1)}, "Array(Int64)", "[3 1]"},
		{"topK", nil, false, []column.Vector{ints(3, 3, 1)}, "Array(Int64)", "[3 1]"},
		{"groupBitAnd", nil, false, []column.Vector{ints(7, 3)}, "Int64", "3"},
		{"varPop", nil, false, []column.Vector{ints(1, 3)}, "Float64", "1"},
		{"uniqExact", nil, false, []column.Vector{numbers(1000)}, "UInt64", "1000"},
	} {
		typ, got := run(t, c.name, c.params, c.distinct, c.args...)
		if typ != c.typ || fmt.Sprint(got) != c.want {
			t.Errorf("%s: %s %v, want %s %s", c.name, typ, got, c.typ, c.want)
		}
	}
}

// ClickHouse's own results, for the sampled counts and quantiles.
func TestSampledAsClickHouse(t *testing.T) {
	for _, c := range []struct {
		name string
		arg  column.Vector
		want string
	}{
		{"uniq", numbers(1000), "1000"},
		{"uniq", numbers(100000), "100315"},
		{"uniq", numbers(1000000), "1001943"},
		{"uniq", strs(100000), "100401"},
		{"quantile", numbers(100000), "50501.5"},
	} {
		_, got := run(t, c.name, nil, false, c.arg)
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s of %d: %v, want %s", c.name, c.arg.Len(), got, c.want)
		}
	}
	_, got := run(t, "uniqCombined", nil, false, numbers(1000000))
	if x := float64(got.(uint64)); math.Abs(x-1e6) > 2e4 {
		t.Errorf("uniqCombined of 1e6: %v", x)
	}
}

// Rows split over several states and merged, also through saved bytes, equal one pass.
func TestMergeEqualsOnePass(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	const n, groups = 3000, 7
	xs, cond := make([]int64, n), make([]uint8, n)
	nulls, to := make([]uint8, n), make([]uint32, n)
	arr := column.New(types.NewArray(types.TInt64), n).(*column.Array)
	m := column.New(types.NewMap(types.TString, types.TInt64), n).(*column.Map)
	for i := range xs {
		xs[i], cond[i], nulls[i], to[i] = rng.Int63n(50), uint8(rng.Intn(2)), uint8(rng.Intn(5)/4), uint32(rng.Intn(groups))
		column.AppendValue(arr, []any{xs[i], xs[i] + 1}[:rng.Intn(3)])
		column.AppendValue(m, [][2]any{{fmt.Sprint(xs[i] % 3), xs[i]}})
	}
	x := ints(xs...)
	nx := nullable(nulls, x)
	sx := column.New(types.TString, n).(*column.Str)
	for _, v := range xs {
		sx.AppendString(fmt.Sprint(v))
	}
	b := column.NewBools(cond)
	for _, c := range []struct {
		name string
		args []column.Vector
	}{
		{"count", nil}, {"count", []column.Vector{nx}}, {"sum", []column.Vector{nx}}, {"avg", []column.Vector{x}},
		{"min", []column.Vector{sx}}, {"max", []column.Vector{nx}}, {"argMin", []column.Vector{sx, x}}, {"uniq", []column.Vector{x}},
		{"uniqExact", []column.Vector{x, sx}}, {"uniqExact", []column.Vector{x}}, {"uniqCombined", []column.Vector{sx}}, {"quantileExact", []column.Vector{x}},
		{"quantile", []column.Vector{nx}}, {"quantileTiming", []column.Vector{x}}, {"groupUniqArray", []column.Vector{x}},
		{"groupArrayIf", []column.Vector{x, b}}, {"sumIf", []column.Vector{x, b}}, {"sumOrNull", []column.Vector{nx}}, {"sumDistinct", []column.Vector{x}},
		{"sumArray", []column.Vector{arr}}, {"sumForEach", []column.Vector{arr}}, {"sumMap", []column.Vector{m}}, {"maxMap", []column.Vector{m}},
		{"topK", []column.Vector{x}}, {"groupBitXor", []column.Vector{x}}, {"anyLast", []column.Vector{arr}},
	} {
		var ts []*types.Type
		for _, a := range c.args {
			ts = append(ts, a.Type())
		}
		fn, err := BindAggregate(nil, c.name, nil, ts, false)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		pass := func(from, until int) States {
			s := fn.New()
			s.Grow(groups)
			part := make([]column.Vector, len(c.args))
			for i, a := range c.args {
				part[i] = a.Slice(from, until)
			}
			if err := s.Add(to[from:until], part, until-from); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			return s
		}
		ids := []uint32{0, 1, 2, 3, 4, 5, 6}
		merged, saved, plain := pass(0, 1000), fn.New(), fn.New()
		saved.Grow(groups)
		plain.Grow(groups)
		for i, s := range []States{pass(0, 1000), pass(1000, 1500), pass(1500, n)} {
			bytes := column.NewStr(types.TString, groups)
			s.Save(bytes, 0, groups)
			if err := saved.Load(ids, bytes); err != nil {
				t.Fatalf("%s: load: %v", c.name, err)
			}
			if PlainType(fn) != nil {
				if err := plain.(Plain).LoadPlain(ids, s.(Plain).SavePlain(0, groups)); err != nil {
					t.Fatalf("%s: load plain: %v", c.name, err)
				}
			}
			if i > 0 {
				for _, some := range [][]uint32{{0, 2, 4, 6}, {1, 3, 5}} {
					if err := merged.Merge(some, s, some); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		want := finished(t, pass(0, n))
		ways := map[string]States{"merged": merged, "saved": saved}
		if PlainType(fn) != nil {
			ways["plain"] = plain
		}
		for how, s := range ways {
			if got := finished(t, s); got != want {
				t.Errorf("%s %s: %s, want %s", c.name, how, got, want)
			}
		}
	}
}

func finished(t *testing.T, s States) string {
	t.Helper()
	v, err := s.Finish(0, s.Len())
	if err != nil {
		t.Fatal(err)
	}
	out := ""
	for i := 0; i < v.Len(); i++ {
		out += fmt.Sprintln(column.Value(v, i))
	}
	return out
}

func TestAggregateErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		args []*types.Type
		code sqlerr.Code
	}{
		{"nosuch", nil, sqlerr.UnknownAggregateFunction},
		{"sum", nil, sqlerr.NumberOfArgumentsDoesntMatch},
		{"sum", []*types.Type{types.TString}, sqlerr.IllegalTypeOfArgument},
		{"sumIf", []*types.Type{types.TInt64, types.TString}, sqlerr.IllegalTypeOfArgument},
		{"sumMerge", []*types.Type{types.TInt64}, sqlerr.IllegalTypeOfArgument},
		{"sumArray", []*types.Type{types.TInt64}, sqlerr.IllegalTypeOfArgument},
	} {
		if _, err := BindAggregate(nil, c.name, nil, c.args, false); !sqlerr.Is(err, c.code) {
			t.Errorf("%s: %v, want %s", c.name, err, c.code.Name())
		}
	}
}

// Bytes follows what states hold: over many values it is at least their size, after a merge too.
func TestBytes(t *testing.T) {
	const n = 20000
	for _, c := range []struct {
		name  string
		arg   column.Vector
		least int64
	}{
		{"uniqExact", numbers(n), 8 * n}, {"uniqExact", strs(n), 16 * n}, {"groupArray", numbers(n), 8 * n}, {"groupArray", strs(n), 8 * n},
		{"groupUniqArray", numbers(n), 24 * n}, {"quantileExact", numbers(n), 8 * n}, {"uniqCombined", numbers(n), 1 << 17}, {"entropy", strs(n), 32 * n},
		{"groupConcat", strs(n), 8 * n}, {"topK", strs(n), 0}, {"sumDistinct", numbers(n), 24 * n}, {"quantile", numbers(n), 8 * 8192},
	} {
		fn, err := BindAggregate(nil, c.name, nil, []*types.Type{c.arg.Type()}, false)
		if err != nil {
			t.Fatal(err)
		}
		s, m := fn.New(), fn.New()
		s.Grow(1)
		m.Grow(1)
		if err := s.Add(nil, []column.Vector{c.arg}, n); err != nil {
			t.Fatal(err)
		}
		held := s.Bytes()
		if held < c.least {
			t.Errorf("%s: %d bytes, at least %d are held", c.name, held, c.least)
		}
		if err := m.Merge(nil, s, nil); err != nil {
			t.Fatal(err)
		}
		if m.Bytes() < c.least {
			t.Errorf("%s: %d bytes after a merge, at least %d are held", c.name, m.Bytes(), c.least)
		}
	}
}
