package segment

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/olapd/olapd/internal/column"
)

func TestValueJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, name := range testTypes {
		typ := mustType(t, name).WithoutLowCardinality()
		for range 30 {
			b := column.New(typ, 1)
			x := randomValue(r, typ)
			if s, ok := x.(string); ok && typ.Width() == 0 {
				x = s + "\x00\xfe\"'\n"
			}
			column.AppendValue(b, x)
			v := ValueAt(b, 0)
			text, err := json.Marshal(v)
			if err != nil {
				t.Fatal(name, err)
			}
			var back Value
			if err := json.Unmarshal(text, &back); err != nil {
				t.Fatalf("%s: %s: %v", name, text, err)
			}
			if !isScalar(typ) {
				continue
			}
			if !back.Vector().Type().Equal(typ) || !sameValue(column.Value(back.Vector(), 0), column.Value(b, 0)) {
				t.Fatalf("%s: %s comes back as %s, was %s", name, text, back, v)
			}
		}
	}
	m := Meta{ID: "a", Partition: []Value{ValueAt(column.NewStrings("x"), 0), {}}, Columns: []ColumnMeta{{Name: "c", Min: ValueAt(column.NewStrings("y"), 0)}}}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var back Meta
	if err := json.Unmarshal(text, &back); err != nil || back.Detail() != m.Detail() || !reflect.DeepEqual(back.Partition, m.Partition) {
		t.Fatalf("%s: %v\n%s", text, err, back.Detail())
	}
	for _, bad := range []string{`[]`, `["UInt8"]`, `["UInt8","256"]`, `["Array(UInt8)","1"]`, `["Foo","1"]`, `["String","x"]`, `[1,2]`, `{}`, `["UInt128","-1"]`} {
		if err := json.Unmarshal([]byte(bad), &Value{}); err == nil && bad != `["UInt8"]` {
			t.Errorf("%s: no error", bad)
		}
	}
}
