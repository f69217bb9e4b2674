package column

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/olapd/olapd/internal/types"
)

var samples = []struct {
	typ    string
	values []any
}{
	{"UInt8", []any{uint8(0), uint8(255), uint8(7)}}, {"Int64", []any{int64(-5), int64(0), int64(1 << 62)}}, {"Float64", []any{0.5, -1.0, 0.0}},
	{"String", []any{"a", "", "long text"}}, {"FixedString(2)", []any{"ab", "cd", "\x00\x00"}}, {"Nullable(Int32)", []any{nil, int32(4), nil}}, {"Nullable(String)", []any{"x", nil, ""}},
	{"Array(UInt16)", []any{[]any{uint16(1), uint16(2)}, []any{}, []any{uint16(9)}}}, {"Tuple(Int8, String)", []any{[]any{int8(1), "a"}, []any{int8(2), ""}, []any{int8(0), "z"}}},
	{"Map(String, UInt8)", []any{[][2]any{{"a", uint8(1)}}, [][2]any{}, [][2]any{{"b", uint8(2)}, {"c", uint8(3)}}}},
	{"Variant(Int64, String)", []any{Typed{types.TString, "a"}, nil, Typed{types.TInt64, int64(7)}}},
	{"Variant(Int64, String)", []any{Typed{types.TInt64, int64(7)}, Typed{types.TString, "a"}, Typed{types.TInt64, int64(8)}}},
	{"Dynamic", []any{Typed{types.TDate, uint16(3)}, nil, Typed{types.NewArray(types.TUInt8), []any{uint8(1)}}}},
	{"JSON", []any{[][2]any{{"a", Typed{types.TInt64, int64(1)}}}, [][2]any{}, [][2]any{{"a", Typed{types.TString, "x"}}, {"b.c", Typed{types.TInt64, int64(1)}}}}},
	{"Array(Array(Nullable(Int8)))", []any{[]any{[]any{nil, int8(1)}}, []any{}, []any{[]any{}, []any{int8(2)}}}},
}

func build(t *testing.T, typ string, values []any) Vector {
	t.Helper()
	p, err := types.Parse(typ)
	if err != nil {
		t.Fatal(err)
	}
	b := New(p, len(values))
	for _, v := range values {
		AppendValue(b, v)
	}
	return b
}

func all(v Vector) []any {
	out := []any{}
	for i := range v.Len() {
		out = append(out, Value(v, i))
	}
	return out
}

func TestBuildSliceGatherConcat(t *testing.T) {
	for _, s := range samples {
		v := build(t, s.typ, s.values)
		check := func(what string, got Vector, want []any) {
			t.Helper()
			if d := cmp.Diff(want, all(got)); d != "" {
				t.Errorf("%s: %s: %s", s.typ, what, d)
			}
		}
		check("values", v, s.values)
		check("slice", v.Slice(1, 3), s.values[1:])
		check("gather", Gather(v.Slice(1, 3), []uint32{1, 0, 1}), []any{s.values[2], s.values[1], s.values[2]})
		check("concat", Concat(v.Slice(1, 2), v), append([]any{s.values[1]}, s.values...))
		check("const", Flatten(&Const{Value: Flatten(v.Slice(2, 3)), N: 2}), []any{s.values[2], s.values[2]})
		b := New(v.Type(), 0)
		b.AppendRange(v, 0, 3)
		b.AppendDefault()
		b.Truncate(2)
		b.AppendFrom(v, 0)
		check("truncate and append", b, []any{s.values[0], s.values[1], s.values[0]})
	}
}

func TestHashAgreesWithCompare(t *testing.T) {
	for _, s := range samples {
		v := build(t, s.typ, s.values)
		w := Concat(v.Slice(2, 3), v.Slice(0, 2))
		a, b := make([]uint64, 3), make([]uint64, 3)
		Hash(v, a)
		Hash(w, b)
		for i := range 3 {
			for j := range 3 {
				if equal := Compare(v, i, w, j) == 0; equal && a[i] != b[j] || !equal && a[i] == b[j] {
					t.Errorf("%s: values %d and %d: equal %v, hashes %x and %x", s.typ, i, j, equal, a[i], b[j])
				}
			}
		}
	}
}

// TestManyTypes: a Dynamic of more types than are searched one by one finds each again, and takes over values of them one at a time and many at once.
func TestManyTypes(t *testing.T) {
	const n = 500
	v := NewVariant(types.TDynamic, 0)
	for i := range 2 * n {
		typ := types.NewFixedString(1 + i%n)
		k := v.Alt(typ)
		if k != i%n {
			t.Fatalf("type %d has number %d", i%n, k)
		}
		v.Alts[k].(Builder).AppendDefault()
		v.EndValue(k)
	}
	if len(v.Alts) != n {
		t.Fatalf("%d alternatives of %d types", len(v.Alts), n)
	}
	one, all, some := NewVariant(types.TDynamic, 0), NewVariant(types.TDynamic, 0), NewVariant(types.TDynamic, 0)
	for i := range v.Len() {
		one.AppendFrom(v, i)
	}
	all.AppendRange(v, 0, v.Len())
	for i := 0; i < v.Len(); i += 3 {
		some.AppendRange(v, i, min(i+3, v.Len()))
	}
	for i := range v.Len() {
		for _, o := range []*Variant{one, all, some} {
			if Compare(v, i, o, i) != 0 {
				t.Fatalf("value %d differs", i)
			}
		}
	}
}

// TestPathNumbers: the types at a path are numbered by the values there, not by those of other paths.
func TestPathNumbers(t *testing.T) {
	m := New(types.TJSON, 0).(*Map)
	AppendValue(m, [][2]any{{"a", Typed{types.TInt64, int64(1)}}, {"b", Typed{types.TString, "x"}}})
	AppendValue(m, [][2]any{{"b", Typed{types.TInt64, int64(2)}}})
	p := m.Path("b")
	if len(p.Alts) != 2 || p.Alts[0].Type() != types.TString || Value(p, 0) != (Typed{types.TString, "x"}) || Value(p, 1) != (Typed{types.TInt64, int64(2)}) {
		t.Errorf("%d types, first %s: %v %v", len(p.Alts), p.Alts[0].Type(), Value(p, 0), Value(p, 1))
	}
	if p := m.Path("a"); len(p.Alts) != 1 || Value(p, 1) != nil {
		t.Errorf("%d types, %v", len(p.Alts), Value(p, 1))
	}
}
