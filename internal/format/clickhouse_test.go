package format

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/test/oracle"
)

// filesOf are the files in testdata that ClickHouse wrote of all its types, by format.
var filesOf = map[string][]string{"Arrow": {"clickhouse.arrow"}, "ArrowStream": {"clickhouse.arrows", "clickhouse_dict.arrows"}, "Avro": {"clickhouse.avro"},
	"MsgPack": {"clickhouse.msgpack"}}

// What ClickHouse writes of all its types is what it says it wrote.
func TestFilesOfClickHouse(t *testing.T) {
	schema, want := clickHouseTypes(t)
	for name, files := range filesOf {
		for _, file := range files {
			data, err := os.ReadFile("testdata/" + file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := readFile(t, name, data, schema, parquetOptions(1), 10)
			if err != nil || got != want {
				t.Errorf("%s: %v\n%s", file, err, firstDifference(got, want))
			}
		}
	}
}

// What is written of all types is read again; maps of Avro come back in the order of their keys.
func TestFilesRoundTrip(t *testing.T) {
	s, _ := clickHouseTypes(t)
	o := parquetOptions(1)
	for name := range filesOf {
		s := s
		if name == "Avro" {
			s = slices.DeleteFunc(slices.Clone(s), func(f column.Field) bool { return f.Type.Kind == types.Map })
		}
		b := randomBlock(rand.New(rand.NewPCG(5, 6)), s, 2000)
		want := string(write(t, "JSONEachRow", s, b, o))
		got, err := readFile(t, name, write(t, name, s, b, o), s, o, 700)
		if err != nil || got != want {
			t.Errorf("%s: %v\n%s", name, err, firstDifference(got, want))
		}
	}
}

// Avro's blocks are read whatever they are compressed with.
func TestAvroCodecs(t *testing.T) {
	s := schemaOf(t, "s", "String")
	b := &column.Block{N: 3000, Cols: []column.Vector{column.Flatten(column.NewConst(types.TString, "ab", 3000))}}
	o := Defaults()
	want := string(write(t, "JSONEachRow", s, b, o))
	for _, o.AvroCodec = range []string{"null", "deflate", "snappy", "zstd"} {
		got, err := readFile(t, "Avro", write(t, "Avro", s, b, o), s, o, 5000)
		if err != nil || got != want {
			t.Errorf("%s: %v\n%s", o.AvroCodec, err, firstDifference(got, want))
		}
	}
}

// clickHouseTypes are the columns and the rows of the files testdata/clickhouse.*, as testdata/generate.py made them.
func clickHouseTypes(t testing.TB) (column.Schema, string) {
	t.Helper()
	raw, err := os.ReadFile("testdata/types.txt")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/types.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var pairs []string
	for line := range strings.Lines(string(raw)) {
		name, typ, _ := strings.Cut(strings.TrimSpace(line), "\t")
		pairs = append(pairs, name, typ)
	}
	return schemaOf(t, pairs...), string(want)
}

// ClickHouse reads what is written here of all types as the values that they were. It says so only where it is installed.
func TestClickHouseReadsOurs(t *testing.T) {
	ch := oracle.Start(t, oracle.ClickHouse)
	if ch == nil {
		return
	}
	all, _ := clickHouseTypes(t)
	for _, c := range []struct {
		format  string
		without []types.Kind // what ClickHouse cannot read of the format
	}{{"Arrow", nil}, {"ArrowStream", nil}, {"Parquet", nil}, {"Avro", nil}, {"MsgPack", nil}} {
		var s column.Schema
		var structure []string
		for _, f := range all {
			if !mentions(f.Type, c.without) {
				s = append(s, f)
				structure = append(structure, f.Name+" "+f.Type.String())
			}
		}
		for _, dictionaries := range []bool{false, true} {
			o := parquetOptions(1)
			o.ArrowDictionaries = dictionaries
			b := randomBlock(rand.New(rand.NewPCG(3, 4)), s, 300)
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, write(t, c.format, s, b, o), 0o644); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			r, err := ch.Query(ctx, fmt.Sprintf("SELECT * FROM file('%s', %s, '%s')", path, c.format, strings.ReplaceAll(strings.Join(structure, ", "), "'", `\'`)), "JSONEachRow")
			cancel()
			if err != nil {
				t.Errorf("%s: %v", c.format, err)
				continue
			}
			if want := string(write(t, "JSONEachRow", s, b, o)); string(r.Data) != want {
				t.Errorf("%s: %s", c.format, firstDifference(string(r.Data), want))
			}
		}
	}
}

// mentions reports whether a type is of one of the kinds, or has one inside.
func mentions(t *types.Type, kinds []types.Kind) bool {
	for _, k := range kinds {
		if t.Kind == k {
			return true
		}
	}
	for _, e := range t.Elems {
		if mentions(e, kinds) {
			return true
		}
	}
	return false
}

// A row that breaks off is taken back whole, also where it breaks off inside an Array, a Map, a Tuple or a Nullable: what was appended of it must
// not come back with the next row.
func TestPartsAreTakenBack(t *testing.T) {
	s, _ := clickHouseTypes(t)
	o := parquetOptions(1)
	b := randomBlock(rand.New(rand.NewPCG(5, 6)), s, 100)
	want := string(write(t, "JSONEachRow", s, b, o))
	for _, name := range []string{"RowBinary", "MsgPack", "JSONEachRow", "TabSeparated", "Values", "Native"} {
		rows, err := readAll(t, name, s, iotest.OneByteReader(bytes.NewReader(write(t, name, s, b, o))), o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := string(write(t, "JSONEachRow", s, rows.Block(), o)); got != want {
			t.Errorf("%s: %s", name, firstDifference(got, want))
		}
	}
	f, err := Lookup("RowBinary")
	if err != nil {
		t.Fatal(err)
	}
	s = s[len(s)-4:]
	b = &column.Block{N: 1, Cols: b.Cols[len(b.Cols)-4:]}
	for i, v := range b.Cols {
		b.Cols[i] = v.Slice(3, 4)
	}
	message := write(t, "RowBinary", s, b, o)
	d, err := f.NewDecoder(s, o)
	if err != nil {
		t.Fatal(err)
	}
	rows := NewRows(s)
	for n := range message[1:] {
		if err := d.Decode(message[:n+1], rows); err == nil {
			t.Fatalf("a message of %d bytes of %d was read", n+1, len(message))
		}
	}
	if err := d.Decode(message, rows); err != nil {
		t.Fatal(err)
	}
	if got, want := string(write(t, "JSONEachRow", s, rows.Block(), o)), string(write(t, "JSONEachRow", s, b, o)); got != want {
		t.Errorf("messages: %s", firstDifference(got, want))
	}
}
