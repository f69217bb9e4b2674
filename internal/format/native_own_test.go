package format

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// Blocks that ClickHouse 26.7 wrote.
var ownBlocks = []struct {
	name, hex, values string
	form              NativeForm
}{
	{"variant", "010401761656617269616e7428496e7436342c20537472696e67290000000000000000000101ff010000000000000001610162", `[1,"a","b",null]`, NativeForm{}},
	{"one type", "010201761656617269616e7428496e7436342c20537472696e67290000000000000000000001000000000000000200000000000000", `[1,2]`, NativeForm{}},
	{"array of variants", "010101761d41727261792856617269616e7428496e7436342c20537472696e67292900000000000000000400000000000000000101ff010000000000000001610162", `[[1,"a","b",null]]`, NativeForm{}},
	{"dynamic", "010401640744796e616d69630100000000000000020205496e74363406537472696e6700000000000000000002ff00010000000000000002000000000000000161", `[1,"a",null,2]`, NativeForm{}},
	{"json", "0101016a044a534f4e00000000000000000202016101620100000000000000010105496e74363400000000000000000100000000000000010106537472696e6700000000000000000001000000000000000101780000000000000000", `[{"a":1,"b":"x"}]`, NativeForm{}},
	{"json with shared data", "0101016a224a534f4e286d61785f64796e616d69635f70617468733d312c206120496e743634290000000000000000010101620100000000000000010106537472696e670000000000000000010000000000000001017801000000000000000163151e300000100000000101017a0a0100000000000000", `[{"a":1,"b":"x","c":[{"z":1}]}]`, NativeForm{}},
	{"dynamic, flat", "010401640744796e616d696303000000000000000205496e74363406537472696e6700010200010000000000000002000000000000000161", `[1,"a",null,2]`, NativeForm{Flat: true}},
	{"json, flat", "0101016a224a534f4e286d61785f64796e616d69635f70617468733d312c206120496e743634290300000000000000020162016303000000000000000106537472696e67030000000000000001364172726179284a534f4e286d61785f64796e616d69635f74797065733d31362c206d61785f64796e616d69635f70617468733d302929030000000000000001017a03000000000000000105496e7436340100000000000000000178000100000000000000000100000000000000", `[{"a":1,"b":"x","c":[{"z":1}]}]`, NativeForm{Flat: true}},
	{"dynamic, flat, more than max_types", "010401641444796e616d6963286d61785f74797065733d312903000000000000000305496e74363406537472696e6707466c6f617436340001030201000000000000000161000000000000f83f", `[1,"a",null,1.5]`, NativeForm{Flat: true}},
	{"json as text", "0101016a044a534f4e01000000000000000f7b2261223a312c2262223a2278227d", `[{"a":1,"b":"x"}]`, NativeForm{JSONText: true}},
	{"simple aggregate of low cardinality", "010101613853696d706c6541676772656761746546756e6374696f6e28616e794c6173742c204c6f7743617264696e616c69747928537472696e672929010000000000000000060000000000000200000000000000000161010000000000000001", `["a"]`, NativeForm{}},
	{"simple aggregate of a tuple", "010101614353696d706c6541676772656761746546756e6374696f6e2873756d4d61702c205475706c6528417272617928496e743136292c2041727261792855496e743634292929020000000000000001000200020000000000000003000000000000000400000000000000", `[[[1,2],[3,4]]]`, NativeForm{}},
	{"dynamic with shared types", "010401641444796e616d6963286d61785f74797065733d31290100000000000000010105496e74363400000000000000000001ff01010000000000000003150161090e000000000000f83f", `[1,"a",null,1.5]`, NativeForm{}},
}

func TestNativeOwnTypes(t *testing.T) {
	for _, c := range ownBlocks {
		want, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(c.name, err)
		}
		schema, b, rest, err := DecodeNativeBlock(want, 0, nil)
		if err != nil || len(rest) > 0 {
			t.Errorf("%s: %v, %d bytes left", c.name, err, len(rest))
			continue
		}
		all := &column.Array{Typ: types.NewArray(schema[0].Type), Off: []uint32{0, uint32(b.N)}, Elem: b.Cols[0]}
		if got := string(valuetext.AppendJSON(nil, all, 0, nil)); got != c.values {
			t.Errorf("%s: %s, want %s", c.name, got, c.values)
		}
		if got, err := AppendNativeBlock(nil, schema, b, 0, c.form); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v\n got %x\nwant %x", c.name, err, got, want)
		}
		for n := range want {
			if _, _, _, err := DecodeNativeBlock(want[:n], 0, nil); err == nil {
				t.Errorf("%s: %d of %d bytes are no error", c.name, n, len(want))
			}
		}
	}
}

// Values in RowBinary as ClickHouse 26.7 wrote them.
func TestRowBinaryOwnTypes(t *testing.T) {
	for _, c := range []struct{ typ, hex, value string }{
		{"Variant(Int64, String)", "000100000000000000", "1"}, {"Variant(Int64, String)", "010161", "a"}, {"Variant(Int64, String)", "ff", "NULL"},
		{"Dynamic", "0a0100000000000000", "1"}, {"Dynamic", "150161", "a"}, {"Dynamic", "00", "NULL"}, {"Dynamic", "1e0a010100000000000000", "[1]"},
		{"Dynamic", "0f5647", "2020-01-01"}, {"Dynamic", "140303555443" + "00e8665e6f010000", "2020-01-01 00:00:00.000"}, {"Dynamic", "1f02011501" + "0161", "(1,'a')"},
		{"Dynamic", "271501" + "01016101", "{'a':1}"}, {"Dynamic", "1a1202" + "6400000000000000", "1"}, {"Dynamic", "1e230a01000100000000000000", "[1]"}, {"Dynamic", "2d01", "true"},
		{"Dynamic", "170101780101", "x"}, {"Dynamic", "16026162", "ab"}, {"Dynamic", "1100e10b5e", "2020-01-01 00:00:00"}, {"Dynamic", "200101610101", "(1)"},
		{"JSON(a Int64, max_dynamic_paths=1)", "03016101000000000000000162150178" + "01631e3000001000000001" + "01017a0a0100000000000000", `{"a":1,"b":"x","c":[{"z":1}]}`},
	} {
		typ, err := types.Parse(c.typ)
		if err != nil {
			t.Fatal(c.typ, err)
		}
		want, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(c.hex, err)
		}
		b := column.New(typ, 1)
		s := binScan{data: want, eof: true}
		if err := s.value(b, 0); err != nil || s.pos != len(want) {
			t.Errorf("%s %s: %v, %d of %d bytes", c.typ, c.hex, err, s.pos, len(want))
			continue
		}
		if got := string(valuetext.AppendText(nil, b, 0, nil)); got != c.value {
			t.Errorf("%s %s: %s, want %s", c.typ, c.hex, got, c.value)
		}
		if got := appendBinary(nil, b, 0); !bytes.Equal(got, want) {
			t.Errorf("%s %s: written as %x", c.typ, c.hex, got)
		}
	}
}

// Whatever is read can be written and read again.
func FuzzNativeOwnTypes(f *testing.F) {
	for _, c := range ownBlocks {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		schema, b, _, err := DecodeNativeBlock(data, 0, nil)
		if err != nil || b.N == 0 || b.N > 1000 {
			return
		}
		for _, form := range []NativeForm{{}, {Flat: true}} {
			again, err := AppendNativeBlock(nil, schema, b, 0, form)
			if err != nil {
				continue // states cannot be written
			}
			if _, _, _, err := DecodeNativeBlock(again, 0, nil); err != nil {
				t.Errorf("%x read back: %v", again, err)
			}
		}
	})
}
