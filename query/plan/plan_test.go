package plan

import (
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// TestTextsTellApart checks what rules and operators rely on: different constants and sets print differently.
func TestTextsTellApart(t *testing.T) {
	set := func(n int) *Set {
		v := column.New(types.TUInt8, n).(*column.Num[uint8])
		for i := range n {
			v.Data = append(v.Data, uint8(i))
		}
		v.Data[n-1] = 200
		return &Set{Types: []*types.Type{types.TUInt8}, Values: column.NewBlock(v)}
	}
	one := func(typ *types.Type, x any) *Const { return &Const{Value: column.NewConst(typ, x, 1).Value, T: typ} }
	long, other := set(50), set(50)
	other.Values.Cols[0].(*column.Num[uint8]).Data[40] = 9
	texts := []string{
		one(types.TUInt8, uint8(1)).String(), one(types.TUInt16, uint16(1)).String(), one(types.TBool, uint8(1)).String(),
		one(types.TString, "1").String(), one(types.NewFixedString(1), "1").String(), one(types.NewNullable(types.TUInt8), uint8(1)).String(),
		set(3).String(), set(4).String(), long.String(), other.String(),
		(&Set{ID: 1}).String(), (&Set{ID: 2}).String(),
	}
	seen := map[string]bool{}
	for _, s := range texts {
		if seen[s] {
			t.Errorf("%s stands for two things", s)
		}
		seen[s] = true
	}
	if s := long.String(); len(s) > 100 {
		t.Errorf("a long list is printed whole: %s", s)
	}
}

func TestPrintedTree(t *testing.T) {
	values := &Values{Block: column.NewBlock(column.NewBools([]uint8{1})), Fields: column.Schema{{Name: "x", Type: types.TUInt8}}}
	x := &Col{Index: 0, Name: "x", T: types.TUInt8}
	sub := &Set{Types: []*types.Type{types.TUInt8}, Input: values, ID: 1}
	n := &Limit{N: 3, Offset: 1, Input: &Sort{Keys: []SortKey{{Order: column.Order{Desc: true}}}, Input: &Filter{
		Input: values, Cond: &In{Args: []Expr{x}, Set: sub, T: types.TUInt8}}}}
	want := `Limit 3 offset 1
  Sort x desc
    Filter in(x, subquery 1)
      Values 1 rows (x)
      Set 1
        Values 1 rows (x)
`
	if got := String(n); got != want {
		t.Errorf("got\n%swant\n%s", got, strings.TrimLeft(want, "\n"))
	}
	if same := Transform(n, func(n Node) Node { return n }); same != Node(n) {
		t.Error("a transformation that changes nothing makes a new tree")
	}
}
