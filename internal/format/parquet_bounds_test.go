package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/olapd/olapd/internal/column"
)

// TestParquetKeep reads a file of three row groups, of which some are left out by the bounds of a column.
func TestParquetKeep(t *testing.T) {
	type row struct {
		I int32   `parquet:"i"`
		N *int64  `parquet:"n,optional"`
		U uint64  `parquet:"u"`
		B uint8   `parquet:"b"`
		S string  `parquet:"s"`
		F float64 `parquet:"f"`
		D int64   `parquet:"d,decimal(2:18)"`
		L []int32 `parquet:"l"`
	}
	var file bytes.Buffer
	w := parquet.NewGenericWriter[row](&file, parquet.DataPageStatistics(true))
	for g := range 3 {
		for i := range 10 {
			v := g*10 + i
			n := int64(v - 15)
			r := row{I: int32(v - 5), U: 1<<63 + uint64(v), B: uint8(200 + v), S: fmt.Sprintf("s%02d", v), F: float64(v), D: int64(v), L: []int32{int32(v)}}
			if i > 0 {
				r.N = &n
			}
			if _, err := w.Write([]row{r}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := Lookup("Parquet")
	if err != nil {
		t.Fatal(err)
	}
	o := Defaults()
	schema, err := f.Infer(bytes.NewReader(file.Bytes()), o)
	if err != nil {
		t.Fatal(err)
	}
	read := func(keep func(name string, lo, hi column.Vector) bool) int {
		o.Keep = keep
		r, err := f.NewReader(bytes.NewReader(file.Bytes()), schema, o)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		n := 0
		for {
			rows, err := r.Read(t.Context(), 1000, 1<<20)
			if errors.Is(err, io.EOF) {
				return n
			}
			if err != nil {
				t.Fatal(err)
			}
			n += rows.N
		}
	}
	var seen []string
	if n := read(func(name string, lo, hi column.Vector) bool {
		seen = append(seen, fmt.Sprint(name, " ", column.Value(lo, 0), " ", column.Value(hi, 0)))
		return true
	}); n != 30 {
		t.Errorf("%d rows", n)
	}
	want := "i -5 4, n -14 -6, u 9223372036854775808 9223372036854775817, b 200 209, s s00 s09"
	if got := strings.Join(seen, ", "); !strings.HasPrefix(got, want+", d ") || strings.Contains(got, ", f ") || strings.Contains(got, ", l ") {
		t.Errorf("bounds %s, want %s", got, want)
	}
	for name, limit := range map[string]any{"i": int32(4), "n": int64(4), "s": "s19", "u": uint64(1<<63 + 19), "b": uint8(219)} {
		n := read(func(c string, _, hi column.Vector) bool {
			return c != name || fmt.Sprint(column.Value(hi, 0)) != fmt.Sprint(limit)
		})
		want := 20
		if n != want {
			t.Errorf("by %s: %d rows", name, n)
		}
	}
	if n := read(func(string, column.Vector, column.Vector) bool { return false }); n != 0 {
		t.Errorf("%d rows of groups that nobody wants", n)
	}
}
