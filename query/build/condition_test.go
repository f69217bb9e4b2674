package build

import (
	"testing"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/segment"
)

func TestConditions(t *testing.T) {
	tab := &fakeTable{name: "t", schema: column.Schema{
		{Name: "i", Type: types.TInt32}, {Name: "s", Type: types.NewLowCardinality(types.TString)}, {Name: "n", Type: types.NewNullable(types.TUInt64)},
		{Name: "d", Type: types.TDate}, {Name: "ts", Type: types.NewDateTime(time.UTC)}, {Name: "b", Type: types.TBool}, {Name: "f", Type: types.TFloat32},
		{Name: "a", Type: types.NewArray(types.TString)},
	}}
	scan := scanOf(tab, 0, 1, 2, 3, 4, 5, 6, 7)
	c := func(name string) plan.Expr { return col(scan, tab.schema.Index(name)) }
	u8 := func(x int) plan.Expr { return constant(types.TUInt8, uint8(x)) }
	str := func(s string) plan.Expr { return constant(types.TString, s) }
	f := func(name string, args ...plan.Expr) plan.Expr { return call(t, name, args...) }
	for _, x := range []struct {
		e    plan.Expr
		want string
	}{
		{f("equals", c("i"), u8(5)), "i = 5"},
		{f("less", u8(5), c("i")), "i > 5"},
		{f("equals", c("i"), constant(types.TUInt64, uint64(1<<40))), ""}, // no value of the column
		{f("less", c("f"), constant(types.TFloat64, 0.5)), "f < 0.5"},
		{f("less", c("f"), constant(types.TFloat64, 0.1)), ""}, // not exact in the column's type
		{f("equals", c("s"), str("x")), `s = "x"`},
		{f("not", f("equals", c("s"), str("x"))), `s != "x"`},
		{f("and", f("greater", c("n"), u8(1)), f("notEquals", c("i"), c("i"))), "n > 1"},
		{f("or", f("equals", c("i"), u8(1)), f("equals", c("s"), str("y"))), `(i = 1 or s = "y")`},
		{f("or", f("equals", c("i"), u8(1)), f("equals", c("i"), c("i"))), ""},
		{f("isNull", c("n")), "n is null"},
		{f("isNotNull", c("n")), "n is not null"},
		{in(false, values(types.TInt32, int32(1), int32(2)), c("i")), "i in (1, 2)"},
		{in(true, values(types.TInt32, int32(1)), c("i")), "i not in 1"},
		{c("b"), "b != 0"},
		{f("greaterOrEquals", c("d"), str("2020-01-02")), "d >= 18263"},
		{f("equals", f("toDate", c("ts")), str("1971-01-01")), "ts >= 31536000 and ts < 31622400"},
		{f("lessOrEquals", f("toYYYYMM", c("d")), constant(types.TUInt32, uint32(202001))), "d < 18293"},
		{f("greater", f("toStartOfMonth", c("ts")), str("2020-01-01")), "ts >= 1580515200"},
	} {
		b := &builder{o: Options{Env: testEnv()}, sets: eval.NewSets(testEnv(), false), queued: map[*plan.Set]bool{}}
		got := ""
		if cond := b.condition(scan, split(x.e, nil)); cond != nil {
			got = cond.String()
		}
		if got != x.want {
			t.Errorf("%s gives the condition %q, want %q", x.e, got, x.want)
		}
	}
}

func TestLikeTerms(t *testing.T) {
	for _, x := range []struct {
		pattern string
		kind    segment.TermKind
		text    string
		ok      bool
	}{
		{"abc", segment.Compare, "abc", true},
		{"abc%", segment.Prefix, "abc", true},
		{"%abc%", segment.Contains, "abc", true},
		{"%a%bcd%", segment.Contains, "bcd", true},
		{"a_c", segment.Prefix, "a", true},
		{"%", segment.Contains, "", false},
		{`a\%b`, segment.Compare, "a%b", true},
		{`a\\%`, segment.Prefix, `a\`, true},
		{`\d%`, segment.Prefix, `\d`, true},
		{"", segment.Compare, "", true},
		{`%a\`, segment.Contains, `a\`, true},
	} {
		kind, s, ok := likeTerm([]byte(x.pattern))
		if kind != x.kind || string(s) != x.text || ok != x.ok {
			t.Errorf("%q: %v %q %v, want %v %q %v", x.pattern, kind, s, ok, x.kind, x.text, x.ok)
		}
	}
}
