package format

import (
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
