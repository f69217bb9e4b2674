package remote

import (
	"slices"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/segment"
)

// TestAllows holds addresses against the config.
func TestAllows(t *testing.T) {
	r := &Reach{Hosts: []string{"db.example.com", "*.inner.example.com", "10.1.0.0/16", "192.0.2.7:9001", "fd00::/8"}, Own: func() []string { return []string{"0.0.0.0:9000", ""} }}
	for address, want := range map[string]bool{
		"db.example.com:9000": true, "DB.example.com:1": true, "a.db.example.com:9000": false, "xdb.example.com:9000": false,
		"a.inner.example.com:9000": true, "inner.example.com:9000": false, ".inner.example.com:9000": false,
		"10.1.2.3:9000": true, "[::ffff:10.1.2.3]:9000": true, "10.2.0.1:9000": false, "10.1.2.3.evil.com:9000": false,
		"192.0.2.7:9001": true, "192.0.2.7:9000": false, "[fd00::1]:9000": true,
		"127.0.0.1:9000": true, "localhost:9000": true, "[::1]:9000": true, "127.0.0.1:9001": false, "169.254.169.254:9000": false,
	} {
		if err := r.Allows(address); (err == nil) != want || err != nil && !sqlerr.Is(err, sqlerr.UnacceptableURL) {
			t.Errorf("%s: %v, want allowed: %v", address, err, want)
		}
	}
	if err := (*Reach)(nil).Allows("127.0.0.1:9000"); !sqlerr.Is(err, sqlerr.UnacceptableURL) {
		t.Errorf("without a config: %v", err)
	}
}

// TestServers takes addresses apart.
func TestServers(t *testing.T) {
	for _, c := range []struct {
		pattern string
		want    [][]string
	}{
		{"a", [][]string{{"a:9000"}}},
		{"a,b:1|c", [][]string{{"a:9000"}, {"b:1", "c:9000"}}},
		{"n{1..3}:77", [][]string{{"n1:77"}, {"n2:77"}, {"n3:77"}}},
		{"{a,b}|x, y", [][]string{{"a:9000", "x:9000"}, {"b:9000", "x:9000"}, {"y:9000"}}},
		{"[::1]:5,::2", [][]string{{"[::1]:5"}, {"[::2]:9000"}}},
		{"", nil}, {"a,", nil}, {"a|", nil}, {"a:x", nil}, {"a:0", nil}, {"a:70000", nil}, {"{a", nil}, {"{1..100000}", nil}, {"{1..999},{1..999}", nil},
	} {
		got, err := servers(c.pattern, false)
		if (err != nil) != (c.want == nil) || err == nil && !slices.EqualFunc(got, c.want, slices.Equal[[]string]) || err != nil && !sqlerr.Is(err, sqlerr.BadArguments) {
			t.Errorf("%q: got %v, %v, want %v", c.pattern, got, err, c.want)
		}
	}
}

// TestConditionText writes conditions in SQL, and leaves out what it cannot say.
func TestConditionText(t *testing.T) {
	schema := column.Schema{{Name: "k", Type: types.TUInt32}, {Name: "it's", Type: types.NewNullable(types.TString)}, {Name: "f", Type: types.TFloat64}}
	k := func(v ...uint32) column.Vector { return column.NewNum(types.TUInt32, v) }
	text := column.New(types.TString, 1)
	column.AppendValue(text, "a'b\\")
	eq := segment.Cmp("k", kernel.Eq, k(7))
	other := segment.Cmp("f", kernel.Eq, column.NewNum(types.TFloat64, []float64{1}))
	for _, c := range []struct {
		cond segment.Condition
		want string
	}{
		{segment.And(), ""},
		{segment.And(eq, other), "k = 7"},
		{segment.And(eq, segment.Cmp("it's", kernel.Ge, text)), "k = 7 AND `it's` >= 'a\\'b\\\\'"},
		{segment.And(segment.Term{Kind: segment.In, Column: "k", Values: k(1, 2)}), "k IN (1, 2)"},
		{segment.And(segment.Or(segment.And(eq), segment.And(segment.Cmp("k", kernel.Lt, k(3))))), "((k = 7) OR (k < 3))"},
		{segment.And(segment.Or(segment.And(eq), segment.And(other))), ""},
		{segment.And(segment.Cmp("gone", kernel.Eq, k(1))), ""},
	} {
		if got := conditionText(&c.cond, schema); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if conditionText(nil, schema) != "" {
		t.Error("no condition is one")
	}
}
