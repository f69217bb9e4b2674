package format

import (
	"encoding/binary"
	"strconv"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/sqlerr"
)

func inferred(name, text string) string {
	f, err := Lookup(name)
	if err != nil {
		return err.Error()
	}
	schema, err := f.Infer(strings.NewReader(text), Defaults())
	if err != nil {
		return sqlerr.CodeOf(err).Name()
	}
	var parts []string
	for _, c := range schema {
		parts = append(parts, c.Name+" "+c.Type.String())
	}
	return strings.Join(parts, ", ")
}

// TestInfer holds inference to what ClickHouse 26.7 answers to DESCRIBE TABLE format(name, text).
func TestInfer(t *testing.T) {
	for _, c := range []struct{ format, text, want string }{
		{"CSV", "1,a\n2,b\n", "c1 Nullable(Int64), c2 Nullable(String)"},
		{"CSV", "x,y\na,b\n", "c1 Nullable(String), c2 Nullable(String)"},
		{"CSV", "x,y\na,1\n", "x Nullable(String), y Nullable(Int64)"},
		{"CSV", "1,true\n18446744073709551615,false\n", "c1 Nullable(UInt64), c2 Nullable(Bool)"},
		{"CSV", "1\n1.5\n", "c1 Nullable(Float64)"},
		{"CSV", "1\nx\n", "c1 Nullable(String)"},
		{"CSV", "\\N,\n1,2024-01-01\n", "c1 Nullable(Int64), c2 Nullable(Date)"},
		{"CSVWithNames", "a,b\n1,\"2\"\n", "a Nullable(Int64), b Nullable(String)"},
		{"CSVWithNamesAndTypes", "a,b\nUInt8,String\n", "a UInt8, b String"},
		{"CSV", "1,2\n3\n", "CANNOT_EXTRACT_TABLE_STRUCTURE"},
		{"TSV", "a\tb\n1\t2024-01-01 00:00:00\n", "a Nullable(Int64), b Nullable(DateTime)"},
		{"JSONEachRow", `{"a":[[1],[null]],"b":{"c":[]}}`, "a Array(Array(Nullable(Int64))), b Tuple(c Array(Nullable(String)))"},
		{"JSONEachRow", `[{"a":1},{"a":true,"b":"x"}]`, "a Nullable(Int64), b Nullable(String)"},
		{"JSONEachRow", `{"a":1}{"a":"x"}`, "a Nullable(String)"},
		{"JSONEachRow", `{"a":1,`, "CANNOT_EXTRACT_TABLE_STRUCTURE"},
		{"JSONEachRow", `{"a":1,"a":2}`, "a Nullable(Int64)"},
		{"JSONCompactEachRow", `[1,"x",[1]]`, "c1 Nullable(Int64), c2 Nullable(String), c3 Array(Nullable(Int64))"},
		{"JSON", `{"meta":[{"name":"a","type":"Array(UInt8)"}],"data":[]}`, "a Array(UInt8)"},
		{"JSON", `{"data":[]}`, "data Array(Nullable(String))"}, // no member meta in front: rows, as in JSONEachRow
		{"JSON", "{\"a\":1}\n{\"a\":2}", "a Nullable(Int64)"},
		{"JSON", `[{"a":1},{"b":2}]`, "a Nullable(Int64), b Nullable(Int64)"},
		{"JSONCompact", `{"data":[]}`, "CANNOT_EXTRACT_TABLE_STRUCTURE"},
		{"LineAsString", "", "line String"},
		{"CSV", "", "CANNOT_EXTRACT_TABLE_STRUCTURE"},
		{"Values", "(1)", "CANNOT_EXTRACT_TABLE_STRUCTURE"},
	} {
		if got := inferred(c.format, c.text); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.format, c.text, got, c.want)
		}
	}
}

// FuzzInfer looks for inputs that make inference panic, or read on for ever.
func FuzzInfer(f *testing.F) {
	for _, seed := range []string{"1,a\n2,b\n", "a\tb\n", `{"a":[1,{"b":null}]}`, `[1,"x"]`, `{"meta":[{"name":"a","type":"UInt8"}]}`, "\x01\x01\x01a\x05UInt8\x01", `{"a":{}}`, "PAR1"} {
		for i := range names {
			f.Add(i, seed)
		}
	}
	f.Fuzz(func(t *testing.T, i int, text string) {
		if i >= 0 && i < len(names) {
			inferred(names[i], text)
		}
	})
}

var names = []string{"CSV", "TabSeparated", "JSONEachRow", "JSONCompactEachRow", "JSON", "Native", "Parquet"}

// TestInferAvro: the columns of a file that ClickHouse wrote are what it reads them as.
func TestInferAvro(t *testing.T) {
	const want = "a1 Int32, a2 Int64, a3 Float32, a4 Float64, a5 Bool, a6 String, a7 FixedString(2), a8 Enum8('a' = 0), a9 Array(Int32), a10 Map(String, Int32), " +
		"a11 Tuple(`1` Int32, `2` String), a12 Date32, a13 DateTime64(3), a14 DateTime64(6), a15 UUID, a16 Decimal(18, 2), a17 Nullable(Int32), a18 Nullable(String), " +
		"a19 Int32, a20 Array(Nullable(Int32)), a21 Tuple(p Int32, q String), a22 Int32, a23 Int32"
	file := string(testFile(t, "types.avro"))
	if got := inferred("Avro", file); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := inferred("Avro", file[:40]); got != "CANNOT_EXTRACT_TABLE_STRUCTURE" {
		t.Error(got)
	}
	record := func(name, fields string) string {
		return `{"type":"record","name":"` + name + `","fields":[` + fields + `]}`
	}
	double := `{"name":"a","type":"int"}`
	for i := range 60 { // each is twice in the next
		name := "r" + strconv.Itoa(i)
		double = `{"name":"a","type":` + record(name, double) + `},{"name":"b","type":"` + name + `"}`
	}
	for schema, want := range map[string]string{
		record("r", `{"name":"n","type":["null",{"type":"array","items":"int"}]},{"name":"v","type":["string","long"]},{"name":"z","type":"null"}`): "CANNOT_EXTRACT_TABLE_STRUCTURE",
		record("r", `{"name":"n","type":["null",{"type":"array","items":"int"}]},{"name":"v","type":["string","long"]}`):                            "n Array(Int32), v Variant(Int64, String)",
		record("r", `{"name":"n","type":["null","r"]}`): "CANNOT_EXTRACT_TABLE_STRUCTURE",
		record("r", double):                             "CANNOT_EXTRACT_TABLE_STRUCTURE",
		`"int"`:                                         "CANNOT_EXTRACT_TABLE_STRUCTURE",
	} {
		head := "Obj\x01\x02" + string(binary.AppendVarint(nil, 11)) + "avro.schema" + string(binary.AppendVarint(nil, int64(len(schema)))) + schema + "\x000123456789abcdef"
		if got := inferred("Avro", head); got != want {
			t.Errorf("%.100s: %s, want %s", schema, got, want)
		}
	}
}
