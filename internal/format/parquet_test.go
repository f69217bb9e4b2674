package format

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

// parquetOptions are those that a server sets.
func parquetOptions(threads int) Options {
	o := Defaults()
	env := &function.Env{Zone: time.UTC}
	o.Cast = func(v column.Vector, t *types.Type) (column.Vector, error) { return function.Cast(env, v, t) }
	o.Threads = threads
	return o
}

const wideTypes = "u8 UInt8, i8 Int8, u16 UInt16, i16 Int16, u32 UInt32, i32 Int32, u64 UInt64, i64 Int64, i128 Int128, u128 UInt128, f32 Float32, " +
	"f64 Float64, b Bool, s String, fs FixedString(3), d Date, d32 Date32, dt DateTime('UTC'), dt3 DateTime64(3, 'UTC'), dt9 DateTime64(9, 'UTC'), " +
	"dt1 DateTime64(1, 'UTC'), dc32 Decimal(9, 2), dc64 Decimal(18, 3), dc128 Decimal(38, 4), i256 Int256, u256 UInt256, dc256 Decimal(76, 5), uu UUID, ip4 IPv4, ip6 IPv6, e8 Enum8('a' = 1, '' = 0), " +
	"e16 Enum16('x' = -3, 'y' = 0), ni Nullable(Int32), ns Nullable(String), lc LowCardinality(String), lcn LowCardinality(Nullable(String)), " +
	"arr Array(UInt8), arr2 Array(Array(Nullable(String))), m Map(String, UInt64), mm Map(String, Array(Int8)), t Tuple(UInt8, String), " +
	"tn Tuple(x UInt8, y Array(Tuple(a String, b Nullable(Date))))"

func wideSchema(t testing.TB) column.Schema {
	typ, err := types.Parse("Tuple(" + wideTypes + ")")
	if err != nil {
		t.Fatal(err)
	}
	var s column.Schema
	for i, e := range typ.Elems {
		s = append(s, column.Field{Name: typ.Names[i], Type: e})
	}
	return s
}

// randomValues appends n values to b, many of them repeated, empty or NULL.
func randomValues(rnd *rand.Rand, b column.Builder, t *types.Type, n int) {
	for range n {
		switch v := b.(type) {
		case *column.Nullable:
			if rnd.IntN(3) == 0 {
				v.AppendNull()
				continue
			}
			randomValues(rnd, v.Inner.(column.Builder), t.WithoutLowCardinality().Elem(), 1)
			v.Nulls = append(v.Nulls, 0)
		case *column.Array:
			randomValues(rnd, v.Elem.(column.Builder), t.Elem(), rnd.IntN(4))
			v.EndValue()
		case *column.Map:
			k := rnd.IntN(3)
			randomValues(rnd, v.Keys.(column.Builder), t.Elems[0], k)
			randomValues(rnd, v.Vals.(column.Builder), t.Elems[1], k)
			v.EndValue()
		case *column.Tuple:
			for i, e := range v.Elems {
				randomValues(rnd, e.(column.Builder), t.Elems[i], 1)
			}
			v.N++
		default:
			text := fmt.Sprint(rnd.IntN(100))
			switch t = t.WithoutLowCardinality(); t.Kind {
			case types.Bool:
				text = fmt.Sprint(rnd.IntN(2))
			case types.FixedString:
				text = text[:1] + "\x00z"
			case types.Date, types.Date32, types.DateTime, types.DateTime64:
				text = fmt.Sprintf("20%02d-01-02", rnd.IntN(30))
			case types.UUID:
				text = fmt.Sprintf("61f0c404-5cb3-11e7-907b-a6006ad3db%02d", rnd.IntN(90))
			case types.IPv4:
				text = "1.2.3." + text
			case types.IPv6:
				text = "fe80::" + text
			case types.Enum8, types.Enum16:
				text = t.Enum[rnd.IntN(2)].Name
			}
			if err := parseText(b, t, []byte(text), &Options{}); err != nil {
				panic(err)
			}
		}
	}
}

// What is written is read again, whatever the size of blocks and the number of threads.
func TestParquetRoundTrip(t *testing.T) {
	s := wideSchema(t)
	o := parquetOptions(1)
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 7, 20_000} {
		b := &column.Block{N: n}
		for _, f := range s {
			v := column.New(f.Type, n)
			randomValues(rnd, v, f.Type, n)
			b.Cols = append(b.Cols, v)
		}
		file := write(t, "Parquet", s, b, o)
		want := ""
		if n > 0 {
			want = string(write(t, "JSONEachRow", s, b, o))
		}
		for _, maxRows := range []int{1 << 20, 4099, 3} {
			if n > 100 && maxRows < 100 {
				continue
			}
			got, err := readFile(t, "Parquet", file, s, parquetOptions(1+maxRows%2), maxRows)
			if err != nil || got != want {
				t.Fatalf("%d rows in blocks of %d: %v\n%s", n, maxRows, err, firstDifference(got, want))
			}
		}
	}
}

func firstDifference(got, want string) string {
	for i := 0; i < min(len(got), len(want)); i++ {
		if got[i] != want[i] {
			return fmt.Sprintf("at %d: got %.200q want %.200q", i, got[max(i-100, 0):], want[max(i-100, 0):])
		}
	}
	return fmt.Sprintf("%d bytes, want %d", len(got), len(want))
}

// Files of ClickHouse and DuckDB, into the types of the text, are what ClickHouse makes of them.
func TestParquetOfOthers(t *testing.T) {
	for _, c := range []struct{ file, types, want string }{
		{"clickhouse", "uu UUID, ip4 IPv4, ip6 IPv6, e8 Enum8('a' = 1), i128 Int128, d Date, d32 Date32, dt DateTime('UTC')",
			`{"uu":"61f0c404-5cb3-11e7-907b-a6006ad3dba0","ip4":"1.2.3.4","ip6":"::1","e8":"a","i128":5,"d":"2024-01-02","d32":"1950-01-02","dt":"2024-01-02 03:04:05"}`},
		{"clickhouse", "dt9 DateTime64(9, 'UTC'), dc32 Decimal(9, 2), dc128 Decimal(38, 4), ni Int64, ns Nullable(String), lcn LowCardinality(Nullable(String)), f32 Float64, b UInt8",
			`{"dt9":"2024-01-02 03:04:05.678000000","dc32":1.23,"dc128":1.23,"ni":1,"ns":null,"lcn":null,"f32":1.5,"b":1}`},
		{"clickhouse", "arr Array(UInt64), arr2 Array(Array(Int32)), arrn Array(Nullable(String)), m Map(String, UInt64), t Tuple(UInt8, String), tn Tuple(y String, x UInt8)",
			`{"arr":[1,2],"arr2":[[1],[2,3]],"arrn":[null,"a"],"m":{"a":1},"t":[1,"a"],"tn":{"y":"a","x":1}}`},
		{"duckdb", "t DateTime64(6, 'UTC'), ts DateTime('UTC'), tz Date, dc Decimal(10, 4), h Float64, l Array(Int32), u UUID, nope Int32",
			`{"t":"1970-01-01 01:02:03.500000","ts":"2024-01-02 03:04:05","tz":"2024-01-02","dc":1.5,"h":1.7014118346046923e38,"l":[1,0,3],"u":"f481c4f7-bd22-443b-bb48-b84bacfd8e59","nope":0}`},
		{"duckdb", "l Array(Nullable(Int64)), st Tuple(a Int32, b Int32), m Map(String, Int64), bl FixedString(1), ls Array(Tuple(a Nullable(Int32))), n Int32, u8 String",
			`{"l":[1,null,3],"st":{"a":1,"b":0},"m":{"k":1},"bl":"x","ls":[{"a":1},{"a":null}],"n":0,"u8":"1"}`},
	} {
		typ, err := types.Parse("Tuple(" + c.types + ")")
		if err != nil {
			t.Fatal(err)
		}
		var s column.Schema
		for i, e := range typ.Elems {
			s = append(s, column.Field{Name: typ.Names[i], Type: e})
		}
		data, err := os.ReadFile("testdata/" + c.file + ".parquet")
		if err != nil {
			t.Fatal(err)
		}
		got, err := readFile(t, "Parquet", data, s, parquetOptions(2), 100)
		if err != nil || got != c.want+"\n" {
			t.Errorf("%s as %s:\n%v\ngot  %swant %s", c.file, c.types, err, got, c.want)
		}
	}
}

func TestParquetErrors(t *testing.T) {
	duck, err := os.ReadFile("testdata/duckdb.parquet")
	if err != nil {
		t.Fatal(err)
	}
	strict := parquetOptions(1)
	strict.NullAsDefault = false
	for _, c := range []struct {
		data []byte
		typ  string
		o    Options
		code sqlerr.Code
	}{
		{[]byte("hello"), "Int32", strict, sqlerr.IncorrectData},
		{nil, "Int32", strict, sqlerr.IncorrectData},
		{[]byte("PAR1xxxxxxxxPAR1"), "Int32", strict, sqlerr.IncorrectData},
		{duck[:len(duck)-9], "Int32", strict, sqlerr.IncorrectData},
		{duck, "Array(Int32)", strict, sqlerr.TypeMismatch},
		{duck, "UInt8", strict, sqlerr.CannotInsertNullInOrdinaryColumn},
	} {
		_, err := readFile(t, "Parquet", c.data, schemaOf(t, "n", c.typ), c.o, 10)
		if sqlerr.CodeOf(err) != c.code {
			t.Errorf("%.10q as %s: got %v, want code %d", c.data, c.typ, err, c.code)
		}
	}
}

// A large input goes through a file, which is closed with the reader.
func TestParquetSpool(t *testing.T) {
	s := schemaOf(t, "s", "String")
	b := &column.Block{N: 40_000}
	v := column.NewStr(types.TString, b.N)
	rnd := rand.NewChaCha8([32]byte{})
	buf := make([]byte, 1000)
	for range b.N {
		rnd.Read(buf)
		v.Append(buf)
	}
	b.Cols = []column.Vector{v}
	file := write(t, "Parquet", s, b, Defaults())
	if len(file) <= maxParquetMemory {
		t.Fatalf("a file of %d bytes is no test", len(file))
	}
	fsys := vfs.NewMem()
	o := Defaults()
	o.Spool = func() (vfs.File, error) { return fsys.Create("spool") }
	f, _ := Lookup("Parquet")
	rd, err := f.NewReader(bytes.NewReader(file), s, o)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; ; {
		rows, err := rd.Read(context.Background(), 7000, 1<<30)
		if err == io.EOF && at == b.N {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got := column.Flatten(rows.Block().Cols[0]).(*column.Str)
		for i := range rows.N {
			if !bytes.Equal(got.At(i), v.At(at+i)) {
				t.Fatalf("row %d differs", at+i)
			}
		}
		at += rows.N
	}
	if err := rd.Close(); err != nil {
		t.Fatal(err)
	}
	o.Spool = nil
	rd, _ = f.NewReader(bytes.NewReader(file), s, o)
	if _, err := rd.Read(context.Background(), 1, 1); sqlerr.CodeOf(err) != sqlerr.NotImplemented {
		t.Fatalf("without a place for files: %v", err)
	}
}

// FuzzParquet: whatever the bytes, the reader neither panics nor takes memory that they do not account for.
func FuzzParquet(f *testing.F) {
	for _, name := range []string{"clickhouse", "duckdb"} {
		data, err := os.ReadFile("testdata/" + name + ".parquet")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		for i := 4; i < len(data); i += 97 {
			broken := bytes.Clone(data)
			broken[i] ^= 0x55
			f.Add(broken)
		}
	}
	s := append(wideSchema(f), schemaOf(f, "l", "Array(Int32)", "st", "Tuple(a Int32)", "bl", "String", "ls", "Array(Tuple(a Int32))", "n", "Int32", "h", "Float64")...)
	o := parquetOptions(2)
	f.Fuzz(func(t *testing.T, data []byte) {
		fmt, _ := Lookup("Parquet")
		rd, err := fmt.NewReader(bytes.NewReader(data), s, o)
		if err != nil {
			t.Fatal(err)
		}
		defer rd.Close()
		for range 10 {
			rows, err := rd.Read(context.Background(), 1000, 1<<20)
			if err != nil {
				return
			}
			for c, v := range rows.Block().Cols {
				if v.Len() != rows.N {
					t.Fatalf("column %d has %d of %d values", c, v.Len(), rows.N)
				}
			}
		}
	})
}
