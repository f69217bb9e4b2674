package format

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func schemaOf(t testing.TB, pairs ...string) column.Schema {
	t.Helper()
	var s column.Schema
	for i := 0; i < len(pairs); i += 2 {
		typ, err := types.Parse(pairs[i+1])
		if err != nil {
			t.Fatal(err)
		}
		s = append(s, column.Field{Name: pairs[i], Type: typ})
	}
	return s
}

// sample is the result of the query in testdata/generate.py.
func sample(t testing.TB) (column.Schema, *column.Block) {
	s := schemaOf(t, "n", "UInt64", "s x", "String", "f", "Nullable(Float64)", "a", "Array(UInt64)", "m", "Map(String, UInt64)",
		"t", "Tuple(UInt8, String)", "d", "Date", "dt", "DateTime('UTC')", "b", "Bool", "z", "Float64", "e", "String",
		"lc", "LowCardinality(String)", "lcn", "LowCardinality(Nullable(String))", "dec", "Decimal(18, 2)", "u", "UUID")
	rows := [][]string{
		{"0", "0", "0", "[0,2]", "{'k':0}", "(1,'x')", "2020-01-02", "2020-01-02 03:04:05", "true", "nan", "a\\b'c\"<&", "lc", "", "1.5", "61f0c404-5cb3-11e7-907b-a6006ad3dba0"},
		{"1", "11", "", "[1,2]", "{'k':1}", "(1,'x')", "2020-01-02", "2020-01-02 03:04:05", "true", "nan", "a\\b'c\"<&", "lc", "q", "1.5", "61f0c404-5cb3-11e7-907b-a6006ad3dba0"},
	}
	b := &column.Block{N: 2}
	for c, f := range s {
		v := column.New(f.Type, 2)
		for _, r := range rows {
			if r[c] == "" {
				v.AppendDefault()
				continue
			}
			if err := valuetext.ParseInto(v, f.Type.WithoutLowCardinality(), []byte(r[c]), nil); err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
		}
		b.Cols = append(b.Cols, v)
	}
	return s, b
}

func write(t testing.TB, name string, s column.Schema, b *column.Block, o Options) []byte {
	t.Helper()
	f, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	w, err := f.NewWriter(&buf, s, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(Stats{ReadRows: 2, ReadBytes: 16}); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// The bytes of every format are ClickHouse's.
func TestOutputAsClickHouse(t *testing.T) {
	s, b := sample(t)
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".golden")
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := write(t, name, s, b, Defaults()); !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func readAll(t testing.TB, name string, s column.Schema, src io.Reader, o Options) (*Rows, error) {
	t.Helper()
	f, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.NewReader(src, s, o)
	if err != nil {
		t.Fatal(err)
	}
	all := NewRows(s)
	for {
		rows, err := r.Read(context.Background(), 3, 1<<20)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		for c := range all.Cols {
			all.Cols[c].AppendRange(rows.Block().Cols[c], 0, rows.N)
			all.Omitted[c] = append(all.Omitted[c], rows.Omitted[c]...)
		}
		all.N += rows.N
	}
}

// What a format writes it reads again, also when the input comes byte by byte.
func TestRoundTrip(t *testing.T) {
	s, b := sample(t)
	want := write(t, "TSV", s, b, Defaults())
	for _, f := range All() {
		if !f.Input() || !f.Output() || f.Name == "LineAsString" || f.Name == "RawBLOB" || strings.Contains(f.Name, "Raw") ||
			strings.Contains(f.Name, "Strings") || strings.HasPrefix(f.Name, "CSV") || strings.HasPrefix(f.Name, "Protobuf") { // lossy by nature, or without tuples
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			o := parquetOptions(1)
			o.QuoteDenormals = true
			s := slices.Clone(s)
			if f.Name == "Avro" { // which has rules for names
				s[1].Name = "s_x"
			}
			for c := range s { // of Template: all columns
				o.Template.RowFormat += "${" + strconv.Itoa(c) + ":Quoted};"
			}
			data := write(t, f.Name, s, b, o)
			for how, src := range map[string]io.Reader{"whole": bytes.NewReader(data), "bytes": iotest.OneByteReader(bytes.NewReader(data))} {
				rows, err := readAll(t, f.Name, s, src, o)
				if err != nil {
					t.Fatalf("%s: %v\n%s", how, err, data)
				}
				if got := write(t, "TSV", s, rows.Block(), Defaults()); !bytes.Equal(got, want) {
					t.Errorf("%s: got\n%s\nwant\n%s", how, got, want)
				}
			}
		})
	}
}

func TestInput(t *testing.T) {
	s := schemaOf(t, "a", "UInt8", "b", "String", "c", "Nullable(Int32)", "d", "DateTime('UTC')")
	for _, c := range []struct {
		name, format, in string
		want             string // TSV, or the error's code
	}{
		{"order and unknown", "JSONEachRow", `{"b":"x","zz":[{"q":1}],"a":1,"c":null,"d":5} {"a":"2"}`, "1\tx\t\\N\t1970-01-01 00:00:05\n2\t\t\\N\t1970-01-01 00:00:00\n"},
		{"escapes", "JSONEachRow", `{"b":"\u00e9\ud83d\ude00\n\"","d":"2020-01-02T03:04:05Z"}`, "0\té😀\\n\"\t\\N\t2020-01-02 03:04:05\n"},
		{"array of rows", "JSONEachRow", `[{"a":1},{"a":2}]`, "1\t\t\\N\t1970-01-01 00:00:00\n2\t\t\\N\t1970-01-01 00:00:00\n"},
		{"null as default", "JSONEachRow", `{"a":null,"b":null}`, "0\t\t\\N\t1970-01-01 00:00:00\n"},
		{"object as text", "JSONEachRow", `{"b":{"x":[1, 2]}}`, "0\t{\"x\":[1, 2]}\t\\N\t1970-01-01 00:00:00\n"},
		{"cut off", "JSONEachRow", `{"a":1,"b":"x`, "CANNOT_PARSE_QUOTED_STRING"},
		{"duplicate", "JSONEachRow", `{"a":1,"a":2}`, "INCORRECT_DATA"},
		{"wrong type", "JSONEachRow", `{"a":[1]}`, "CANNOT_PARSE_INPUT_ASSERTION_FAILED"},
		{"no object", "JSONEachRow", `1`, "CANNOT_PARSE_INPUT_ASSERTION_FAILED"},
		{"escapes", "TSV", "1\ta\\tb\\\\\t\\N\t2020-01-02 03:04:05\n", "1\ta\\tb\\\\\t\\N\t2020-01-02 03:04:05\n"},
		{"too few", "TSV", "1\ta\n", "CANNOT_PARSE_INPUT_ASSERTION_FAILED"},
		{"too many", "TSV", "1\ta\t1\t1\t1\n", "CANNOT_PARSE_INPUT_ASSERTION_FAILED"},
		{"names", "TSVWithNames", "b\tzz\ta\nx\t9\t1\n", "1\tx\t\\N\t1970-01-01 00:00:00\n"},
		{"quotes", "CSV", "1,\"a\"\"b\nc\",,\"2020-01-02 03:04:05\"\r\n2,x,5,7\n", "1\ta\"b\\nc\t\\N\t2020-01-02 03:04:05\n2\tx\t5\t1970-01-01 00:00:07\n"},
		{"open quote", "CSV", "1,\"a", "CANNOT_PARSE_QUOTED_STRING"},
		{"literals", "Values", "(1, 'it''s \\'', NULL, '2020-01-02 03:04:05'), (2,'x',3,5)", "1\tit\\'s \\'\t\\N\t2020-01-02 03:04:05\n2\tx\t3\t1970-01-01 00:00:05\n"},
		{"cut off", "Values", "(1, 'x'", "SYNTAX_ERROR"},
		{"fewer", "Values", "(1, 'x')", "SYNTAX_ERROR"},
		{"compact", "JSONCompactEachRow", `[1,"x",2,5]`, "1\tx\t2\t1970-01-01 00:00:05\n"},
		{"cut off", "RowBinary", "\x01\x05ab", "CANNOT_READ_ALL_DATA"},
		{"nonsense", "Native", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "INCORRECT_DATA"},
	} {
		t.Run(c.format+" "+c.name, func(t *testing.T) {
			rows, err := readAll(t, c.format, s, strings.NewReader(c.in), Defaults())
			if err != nil {
				if got := sqlerr.CodeOf(err).Name(); got != c.want {
					t.Errorf("%s: %v, want %s", got, err, c.want)
				}
				return
			}
			if got := string(write(t, "TSV", s, rows.Block(), Defaults())); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Rows longer than any buffer are read whole.
func TestLongRows(t *testing.T) {
	s := schemaOf(t, "a", "String", "b", "UInt8")
	long := strings.Repeat("x", 3*maxRead+17)
	in := "short\t1\n" + long + "\t2\n" + strings.Repeat("y", firstRead-3) + "\t3\n"
	rows, err := readAll(t, "TSV", s, strings.NewReader(in), Defaults())
	if err != nil || string(write(t, "TSV", s, rows.Block(), Defaults())) != in {
		t.Errorf("%v", err)
	}
}

func TestAllowErrors(t *testing.T) {
	s := schemaOf(t, "a", "UInt8")
	o := Defaults()
	o.AllowErrorsNum = 1
	rows, err := readAll(t, "TSV", s, strings.NewReader("1\nx\n3\n"), o)
	if err != nil || rows.N != 2 {
		t.Errorf("%v rows, %v", rows, err)
	}
	if _, err := readAll(t, "TSV", s, strings.NewReader("1\nx\ny\n"), o); err == nil {
		t.Error("two bad rows were accepted")
	}
	for name, in := range map[string]string{
		"JSONEachRow": "{\"a\":1}\n{\"a\":\"x\"}\n{\"a\":3}", "JSONCompactEachRow": "[1]\n[\"x\"]\n[3]\n", "CSV": "1\nx\n3\n",
	} {
		rows, err := readAll(t, name, s, strings.NewReader(in), o)
		if err != nil || rows.N != 2 {
			t.Errorf("%s: %v rows, %v", name, rows, err)
		}
	}
}

func TestDecoderIsAllOrNothing(t *testing.T) {
	s := schemaOf(t, "a", "UInt8")
	f, _ := Lookup("JSONEachRow")
	d, err := f.NewDecoder(s, Defaults())
	if err != nil {
		t.Fatal(err)
	}
	rows := NewRows(s)
	if err := d.Decode([]byte(`{"a":1}{"a":2}`), rows); err != nil || rows.N != 2 {
		t.Fatalf("%d rows, %v", rows.N, err)
	}
	if err := d.Decode([]byte(`{"a":3}{"a":`), rows); err == nil || rows.N != 2 || rows.Cols[0].Len() != 2 {
		t.Fatalf("%d rows, %d values, %v", rows.N, rows.Cols[0].Len(), err)
	}
}

func FuzzInput(f *testing.F) {
	for _, seed := range []string{`{"a":1,"b":"\u0041"}`, "1\tx\t\\N\t5\n", "1,\"x\",,3\n", "(1,'x',NULL,now())", "\x01\x01a\x00", `[1,"x",null,4]`} {
		for i := range len(listed) {
			f.Add(uint8(i), []byte(seed))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		fm := listed[int(which)%len(listed)]
		if !fm.Input() {
			return
		}
		s := schemaOf(t, "a", "UInt8", "b", "String", "c", "Nullable(Int32)", "d", "Array(Tuple(x Int8, y String))")
		r, err := fm.NewReader(bytes.NewReader(data), s, Defaults())
		if err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			rows, err := r.Read(context.Background(), 100, 1<<20)
			if err != nil {
				return
			}
			for c, v := range rows.Cols {
				if v.Len() != rows.N {
					t.Fatalf("%s: column %d has %d values in %d rows", fm.Name, c, v.Len(), rows.N)
				}
			}
		}
	})
}

func BenchmarkJSONEachRow(b *testing.B) {
	s := schemaOf(b, "time", "DateTime", "user", "UInt64", "session", "UInt64", "url", "String", "referer", "String", "country", "LowCardinality(String)",
		"device", "LowCardinality(String)", "latency", "Float64", "revenue", "Float64", "status", "UInt16")
	line := `{"time":"2026-01-02 03:04:05","user":123456789,"session":987654321,"url":"https://example.com/shop/item/12345?ref=home","referer":"https://example.com/","country":"DE","device":"mobile","latency":12.5,"revenue":0.99,"status":200}` + "\n"
	const n = 1000
	data := []byte(strings.Repeat(line, n))
	f, _ := Lookup("JSONEachRow")
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		r, _ := f.NewReader(bytes.NewReader(data), s, Defaults())
		rows, err := r.Read(context.Background(), n, 1<<30)
		if err != nil || rows.N != n {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "rows/s")
}
