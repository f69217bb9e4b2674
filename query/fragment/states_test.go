package fragment

import (
	"testing"

	"github.com/olapd/olapd/internal/blockcodec"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// TestStatesOfOlderNodes: states are columns where they can be, and are taken as bytes too, of all calls at once; other types are refused.
func TestStatesOfOlderNodes(t *testing.T) {
	s := newSchema()
	if err := s.declare("t", "", "k UInt32\nv Int32\nn Nullable(Int64)"); err != nil {
		t.Fatal(err)
	}
	n, err := s.plan("SELECT k, count(), avg(v), max(n), uniq(v) FROM t GROUP BY k")
	if err != nil {
		t.Fatal(err)
	}
	below := fragments(s.cut(n))[0].(*plan.Aggregate)
	want := []string{"UInt32", "UInt64", "Tuple(Int64, UInt64)", "Tuple(Tuple(Int64, UInt8), UInt8)", "String"}
	for i, f := range below.Fields {
		if f.Type.String() != want[i] {
			t.Errorf("%s travels as %s, want %s", f.Name, f.Type, want[i])
		}
	}
	to, err := newSending(exec.RemoteFragment{Plan: below})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ts []*types.Type
		ok bool
	}{
		{[]*types.Type{types.TUInt32, below.Fields[1].Type, below.Fields[2].Type, below.Fields[3].Type, types.TString}, true},
		{[]*types.Type{types.TUInt32, types.TString, types.TString, types.TString, types.TString}, true},
		{[]*types.Type{types.TUInt32, types.TUInt64, types.TUInt64, types.TString, types.TString}, false},
		{[]*types.Type{types.TString, types.TString, types.TString, types.TString, types.TString}, false},
	} {
		b, body := &column.Block{N: 2}, []byte{1, 1, 1, 1, 1}
		for _, typ := range c.ts {
			b.Cols = append(b.Cols, column.Flatten(column.NewDefaults(typ, 2)))
		}
		if body, err = blockcodec.Append(body, b); err != nil {
			t.Fatal(err)
		}
		if got, err := to.decode(body); (err == nil) != c.ok || c.ok && got.N != 2 {
			t.Errorf("%v: %v", c.ts, err)
		}
	}
	below.Fields[2].Type = types.TUInt64 // no form of avg's states
	enc, err := Encode(nil, below)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(enc, s.source(0)); err == nil {
		t.Error("states of avg as UInt64 are decoded")
	}
}
