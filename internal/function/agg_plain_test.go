package function

import (
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// Plain states give the results of saved ones, those of groups without rows too, and are of the type that PlainType says; other vectors are refused.
func TestPlain(t *testing.T) {
	plain := map[string]bool{}
	for _, l := range loadables(t) {
		typ := PlainType(l.fn)
		if typ == nil {
			continue
		}
		plain[strings.TrimSuffix(strings.TrimSuffix(l.name, "If"), "OrNull")] = true
		from, bytes := l.fn.New(), column.NewStr(types.TString, 3)
		for _, b := range l.saved {
			bytes.Append(b)
		}
		from.Grow(3) // the last is empty
		if err := from.Load([]uint32{0, 1}, bytes); err != nil {
			t.Fatalf("%s: %v", l.name, err)
		}
		want := finished(t, from)
		v := from.(Plain).SavePlain(0, 3)
		if !v.Type().Equal(typ) || v.Len() != 3 {
			t.Errorf("%s: %d states of %s, want 3 of %s", l.name, v.Len(), v.Type(), typ)
		}
		to := l.fn.New()
		to.Grow(3)
		if err := to.(Plain).LoadPlain([]uint32{0, 1, 2}, v); err != nil {
			t.Fatalf("%s: %v", l.name, err)
		}
		if got := finished(t, to); got != want {
			t.Errorf("%s %s: %s, want %s", l.name, typ, got, want)
		}
		for _, other := range []column.Vector{column.NewNum(types.TUInt16, []uint16{1}), pairOf(column.NewStrings("a"), column.NewStrings("b")),
			pairOf(column.NewNum(types.TDate32, []int32{1}), column.NewNum(types.TUInt8, []uint8{1}))} {
			if err := to.(Plain).LoadPlain([]uint32{0}, other); err == nil && !other.Type().Equal(typ) {
				t.Errorf("%s takes states of %s", l.name, other.Type())
			}
		}
	}
	for _, name := range []string{"count", "sum", "avg", "min", "max", "any", "anyLast"} {
		if !plain[name] {
			t.Errorf("%s has no plain states", name)
		}
	}
	if plain["uniq"] || plain["sumState"] {
		t.Error("uniq or sumState has plain states")
	}
}
