package format

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

// protoOptions have the schemas of testdata.
func protoOptions(t testing.TB, schema string) Options {
	o := parquetOptions(1)
	o.Schema, o.Schemas = schema, &Schemas{FS: vfs.Disk(), Folder: "testdata"}
	return o
}

func testFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// protoCase is messages that ClickHouse wrote: their columns, the rows, and what it reads in them.
type protoCase struct {
	name, schema string
	columns      column.Schema
	rows         string
}

func protoCases(t testing.TB) []protoCase {
	all, rows := clickHouseTypes(t)
	typ, err := types.Parse("Tuple(" + string(testFile(t, "proto.txt")) + ")")
	if err != nil {
		t.Fatal(err)
	}
	var s column.Schema
	for i, e := range typ.Elems {
		s = append(s, column.Field{Name: typ.Names[i], Type: e})
	}
	return []protoCase{{"types", "", all, rows}, {"proto", "all:M", s, string(testFile(t, "proto.jsonl"))}}
}

// What ClickHouse writes is read as it reads it itself, and the same rows are written as the same bytes.
func TestProtobufOfClickHouse(t *testing.T) {
	for _, c := range protoCases(t) {
		o := protoOptions(t, c.schema)
		want := string(testFile(t, c.name+".protobuf.jsonl"))
		for _, name := range []string{"Protobuf", "ProtobufList"} {
			file := testFile(t, c.name+"."+strings.ToLower(name))
			got, err := readFile(t, name, file, c.columns, o, 2)
			if err != nil || got != want {
				t.Errorf("%s of %s: %v\n%s", name, c.name, err, firstDifference(got, want))
			}
			rows, err := readAll(t, "JSONEachRow", c.columns, strings.NewReader(c.rows), o)
			if err != nil {
				t.Fatal(err)
			}
			if got := write(t, name, c.columns, rows.Block(), o); !bytes.Equal(got, file) {
				t.Errorf("%s of %s: %s", name, c.name, firstDifference(string(got), string(file)))
			}
		}
	}
}

func TestProtobufColumns(t *testing.T) {
	for _, c := range []struct{ columns, message, want string }{
		{"n.a Array(UInt8), n.b Array(String), x.y UInt8", "\x0a\x0a\x0a\x02\x01\x02\x12\x01p\x12\x01q\x12\x02\x08\x07", `{"n.a":[1,2],"n.b":["p","q"],"x.y":7}`},
		{"a Array(Array(UInt8))", "\x0a\x04\x0a\x02\x01\x02\x0a\x00", `{"a":[[1,2],[]]}`},
		{"a UInt8, b String", "\x12\x01x", `{"a":0,"b":"x"}`},
		{"a Nullable(UInt8)", "", `{"a":null}`},
		{"a UInt8", "\x08\x01\x08\x02", `{"a":2}`},
		{"a DateTime64(3, 'UTC')", "\x08\x05", `{"a":"1970-01-01 00:00:05.000"}`},
	} {
		typ, err := types.Parse("Tuple(" + strings.NewReplacer("n.a", "`n.a`", "n.b", "`n.b`", "x.y", "`x.y`").Replace(c.columns) + ")")
		if err != nil {
			t.Fatal(err)
		}
		var s column.Schema
		for i, e := range typ.Elems {
			s = append(s, column.Field{Name: typ.Names[i], Type: e})
		}
		got, err := readFile(t, "ProtobufSingle", []byte(c.message), s, Defaults(), 10)
		if err != nil || got != c.want+"\n" {
			t.Errorf("%s: got %s (%v), want %s", c.columns, got, err, c.want)
		}
	}
	// the fields of a repeated message as Arrays, and those of another as columns of its name
	o := protoOptions(t, "all:M")
	s := schemaOf(t, "list_k", "Array(Int32)", "list_v", "Array(Array(String))", "inn_k", "UInt8")
	file := []byte("\x13\x2a\x05\x08\x04\x12\x01x\x2a\x05\x08\x05\x12\x01y\x22\x03\x08\x84\x01\x08"[:20])
	file[0] = 19
	want := `{"list_k":[4,5],"list_v":[["x"],["y"]],"inn_k":132}` + "\n"
	got, err := readFile(t, "Protobuf", file, s, o, 10)
	if err != nil || got != want {
		t.Fatalf("got %s (%v), want %s", got, err, want)
	}
	rows, err := readAll(t, "JSONEachRow", s, strings.NewReader(want), o)
	if err != nil {
		t.Fatal(err)
	}
	got, err = readFile(t, "Protobuf", write(t, "Protobuf", s, rows.Block(), o), s, o, 10)
	if err != nil || got != want {
		t.Errorf("written and read: %s (%v), want %s", got, err, want)
	}
}

func TestProtobufErrors(t *testing.T) {
	for _, c := range []struct {
		schema, message, source, typ, data string
		code                               sqlerr.Code
	}{
		{schema: "all:Nope", typ: "UInt8", code: sqlerr.BadArguments},
		{schema: "all", typ: "UInt8", code: sqlerr.BadArguments},
		{schema: "nope:M", typ: "UInt8", code: sqlerr.CannotParseProtobufSchema},
		{schema: "../testdata/all:M", typ: "UInt8", code: sqlerr.CannotParseProtobufSchema},
		{schema: "/etc/passwd:M", typ: "UInt8", code: sqlerr.CannotParseProtobufSchema},
		{schema: "message {", message: "M", source: "string", typ: "UInt8", code: sqlerr.CannotParseProtobufSchema},
		{schema: `syntax = "proto3"; import "nope.proto"; message M { int32 n = 1; }`, message: "M", source: "string", typ: "UInt8", code: sqlerr.CannotParseProtobufSchema},
		{schema: `syntax = "proto3"; message M { int32 k = 1; }`, message: "M", source: "string", typ: "UInt8", code: sqlerr.NoColumnsSerializedToProtobufFields},
		{schema: "all:M", typ: "Array(UInt8)", code: sqlerr.ProtobufFieldNotRepeated},
		{schema: "all:M", typ: "Tuple(UInt8)", code: sqlerr.DataTypeIncompatibleWithProtobufField},
		{schema: "all:M", typ: "UInt8", data: "\x03\x08\xac\x02", code: sqlerr.ProtobufBadCast},
		{schema: "all:M", typ: "UInt8", data: "\x03\x08\xac", code: sqlerr.CannotReadAllData},
		{schema: "all:M", typ: "UInt8", data: "\x02\x0a\x05", code: sqlerr.IncorrectData},
		{schema: "", typ: "IntervalDay", code: sqlerr.BadArguments},
	} {
		o := protoOptions(t, c.schema)
		o.SchemaMessage = c.message
		if c.source != "" {
			o.SchemaSource = c.source
		}
		_, err := readFile(t, "Protobuf", []byte(c.data), schemaOf(t, "n", c.typ), o, 10)
		if sqlerr.CodeOf(err) != c.code {
			t.Errorf("%s, %s %q: got %v, want code %d", c.schema, c.typ, c.data, err, c.code)
		}
	}
}

// FuzzProtobuf: whatever the bytes, the readers do not panic, and a row that is refused leaves nothing behind.
func FuzzProtobuf(f *testing.F) {
	cases := protoCases(f)
	for _, c := range cases {
		for _, name := range []string{"protobuf", "protobuflist"} {
			data := testFile(f, c.name+"."+name)
			f.Add(data)
			for i := 0; i < len(data); i += 97 {
				broken := bytes.Clone(data)
				broken[i] ^= 0x15
				f.Add(broken)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, c := range cases {
			for _, name := range []string{"Protobuf", "ProtobufSingle", "ProtobufList"} {
				form, _ := Lookup(name)
				d, err := form.NewDecoder(c.columns, protoOptions(t, c.schema))
				if err != nil {
					t.Fatal(err)
				}
				rows := NewRows(c.columns)
				if err := d.Decode(data, rows); err != nil && rows.N != 0 {
					t.Fatalf("%d rows of a message that was refused", rows.N)
				}
				for i, v := range rows.Cols {
					if v.Len() != rows.N {
						t.Fatalf("column %d has %d of %d values", i, v.Len(), rows.N)
					}
				}
			}
		}
	})
}
