package virtual

import (
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/segment"
)

// TestMayLie holds conditions on x against rows between 10 and 20.
func TestMayLie(t *testing.T) {
	num := func(values ...int64) column.Vector {
		b := column.New(types.TInt64, len(values))
		for _, v := range values {
			column.AppendValue(b, v)
		}
		return b
	}
	cmp := func(op kernel.Op, v int64) segment.Term { return segment.Cmp("x", op, num(v)) }
	nullable := segment.Cmp("x", kernel.Eq, column.NewNullable([]uint8{0}, num(21)))
	text := segment.Cmp("x", kernel.Eq, column.NewStrings("a"))
	other := segment.Cmp("y", kernel.Eq, num(21))
	for i, c := range []struct {
		terms []segment.Term
		want  bool
	}{
		{nil, true},
		{[]segment.Term{cmp(kernel.Eq, 9)}, false}, {[]segment.Term{cmp(kernel.Eq, 10)}, true}, {[]segment.Term{cmp(kernel.Eq, 20)}, true}, {[]segment.Term{cmp(kernel.Eq, 21)}, false},
		{[]segment.Term{cmp(kernel.Lt, 10)}, false}, {[]segment.Term{cmp(kernel.Lt, 11)}, true}, {[]segment.Term{cmp(kernel.Le, 10)}, true}, {[]segment.Term{cmp(kernel.Le, 9)}, false},
		{[]segment.Term{cmp(kernel.Gt, 20)}, false}, {[]segment.Term{cmp(kernel.Gt, 19)}, true}, {[]segment.Term{cmp(kernel.Ge, 20)}, true}, {[]segment.Term{cmp(kernel.Ge, 21)}, false},
		{[]segment.Term{cmp(kernel.Ne, 15)}, true}, {[]segment.Term{nullable}, false}, {[]segment.Term{text}, true}, {[]segment.Term{other}, true},
		{[]segment.Term{cmp(kernel.Gt, 5), cmp(kernel.Lt, 7)}, false},
		{[]segment.Term{{Kind: segment.In, Column: "x", Values: num(1, 30)}}, false}, {[]segment.Term{{Kind: segment.In, Column: "x", Values: num(1, 12)}}, true},
		{[]segment.Term{{Kind: segment.NotIn, Column: "x", Values: num(1, 12)}}, true},
		{[]segment.Term{{Kind: segment.AnyOf, Any: []segment.Condition{{Terms: []segment.Term{cmp(kernel.Lt, 3)}}, {Terms: []segment.Term{cmp(kernel.Gt, 30)}}}}}, false},
		{[]segment.Term{{Kind: segment.AnyOf, Any: []segment.Condition{{Terms: []segment.Term{cmp(kernel.Lt, 3)}}, {Terms: []segment.Term{other}}}}}, true},
	} {
		if got := mayLie(&segment.Condition{Terms: c.terms}, "x", num(10), num(20)); got != c.want {
			t.Errorf("%d: %v: %v", i, c.terms, got)
		}
	}
	if !mayLie(nil, "x", num(1), num(1)) {
		t.Error("no condition excludes rows")
	}
}
