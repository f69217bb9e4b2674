package format

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

// readFile reads an input of a format in blocks of up to maxRows rows and returns it as JSONEachRow.
func readFile(t testing.TB, name string, data []byte, s column.Schema, o Options, maxRows int) (string, error) {
	t.Helper()
	f, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	rd, err := f.NewReader(bytes.NewReader(data), s, o)
	if err != nil {
		t.Fatal(err)
	}
	defer rd.Close()
	out := ""
	for {
		rows, err := rd.Read(context.Background(), maxRows, 1<<20)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out += string(write(t, "JSONEachRow", s, rows.Block(), o))
	}
}

// randomBlock has n random values in each column.
func randomBlock(rnd *rand.Rand, s column.Schema, n int) *column.Block {
	b := &column.Block{N: n}
	for _, f := range s {
		v := column.New(f.Type, n)
		randomValues(rnd, v, f.Type, n)
		b.Cols = append(b.Cols, v)
	}
	return b
}

// What is written is read again, in several batches, whatever the compression, with dictionaries and without.
func TestArrowRoundTrip(t *testing.T) {
	s := append(wideSchema(t), schemaOf(t, "tm", "Time", "tm6", "Time64(6)", "iv", "IntervalSecond", "nn", "Nullable(Nothing)")...)
	for _, name := range []string{"Arrow", "ArrowStream"} {
		for i, compression := range []string{"none", "lz4_frame", "zstd"} {
			o := parquetOptions(1)
			o.ArrowCompression, o.ArrowDictionaries = compression, i != 1
			rnd := rand.New(rand.NewPCG(1, uint64(i)))
			f, _ := Lookup(name)
			var file bytes.Buffer
			w, err := f.NewWriter(&file, s, o)
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			for _, n := range []int{1, 0, 3000, 7} {
				b := randomBlock(rnd, s[:len(s)-1], n)
				b.Cols = append(b.Cols, column.NewNulls(n))
				if err := w.Write(b); err != nil {
					t.Fatal(err)
				}
				if n > 0 {
					want += string(write(t, "JSONEachRow", s, b, o))
				}
			}
			if err := w.Close(Stats{}); err != nil {
				t.Fatal(err)
			}
			for _, maxRows := range []int{1 << 20, 999} {
				got, err := readFile(t, name, file.Bytes(), s, o, maxRows)
				if err != nil || got != want {
					t.Fatalf("%s, %s, blocks of %d: %v\n%s", name, compression, maxRows, err, firstDifference(got, want))
				}
			}
		}
	}
}

func TestArrowErrors(t *testing.T) {
	stream, err := os.ReadFile("testdata/clickhouse.arrows")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		data []byte
		typ  string
		code sqlerr.Code
	}{
		{"Arrow", []byte("hello"), "Int32", sqlerr.IncorrectData},
		{"Arrow", stream, "Int32", sqlerr.IncorrectData},
		{"ArrowStream", nil, "Int32", sqlerr.IncorrectData},
		{"ArrowStream", stream[:len(stream)/2], "Int32", sqlerr.CannotReadAllData},
		{"ArrowStream", stream, "Array(Int32)", sqlerr.TypeMismatch},
	} {
		_, err := readFile(t, c.name, c.data, schemaOf(t, "u8", c.typ), parquetOptions(1), 10)
		if sqlerr.CodeOf(err) != c.code {
			t.Errorf("%.10q as %s: got %v, want code %d", c.data, c.typ, err, c.code)
		}
	}
}

// Halves of Arrow's float16 are exact; sub-normal and infinite ones too.
func TestHalfFloat(t *testing.T) {
	for h, want := range map[uint16]string{0x3c00: "1", 0xc000: "-2", 0x0001: "5.9604645e-08", 0x7c00: "+Inf", 0x3555: "0.33325195", 0x7e00: "NaN"} {
		if got := fmt.Sprint(halfFloat(h)); got != want {
			t.Errorf("%#x: got %s, want %s", h, got, want)
		}
	}
}

// FuzzArrow: whatever the bytes, the reader neither panics nor takes memory that they do not account for.
func FuzzArrow(f *testing.F) {
	for _, name := range []string{"clickhouse.arrow", "clickhouse.arrows", "clickhouse_dict.arrows"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		for i := 4; i < len(data); i += 499 {
			broken := bytes.Clone(data)
			broken[i] ^= 0x55
			f.Add(broken)
		}
	}
	s, _ := clickHouseTypes(f)
	o := parquetOptions(1)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"Arrow", "ArrowStream"} {
			fmt, _ := Lookup(name)
			if schema, err := fmt.Infer(bytes.NewReader(data), o); err == nil && len(schema) == 0 {
				t.Fatal("a schema without columns")
			}
			rd, err := fmt.NewReader(bytes.NewReader(data), s, o)
			if err != nil {
				t.Fatal(err)
			}
			for range 10 {
				rows, err := rd.Read(context.Background(), 1000, 1<<20)
				if err != nil {
					break
				}
				for c, v := range rows.Block().Cols {
					if v.Len() != rows.N {
						t.Fatalf("column %d has %d of %d values", c, v.Len(), rows.N)
					}
				}
			}
		}
	})
}
