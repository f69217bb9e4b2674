package format

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

// readText reads an input to its end and returns it as TSV.
func readText(t testing.TB, name string, s column.Schema, src io.Reader, threads, maxRows int) (string, error) {
	t.Helper()
	f, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	o := Defaults()
	o.Threads = threads
	rd, err := f.NewReader(src, s, o)
	if err != nil {
		t.Fatal(err)
	}
	defer rd.Close()
	var out strings.Builder
	for {
		rows, err := rd.Read(context.Background(), maxRows, 32<<20)
		if err == io.EOF {
			return out.String(), nil
		}
		if err != nil {
			return out.String(), err
		}
		if rows.N > maxRows {
			t.Fatalf("%d rows where %d were asked for", rows.N, maxRows)
		}
		out.Write(write(t, "TSV", s, rows.Block(), o))
	}
}

// manyRows are rows of more than two chunks, with line ends, quotes and braces where they hurt.
func manyRows(t testing.TB) (column.Schema, *column.Block) {
	s := schemaOf(t, "n", "UInt32", "s", "String", "x", "Nullable(Int8)", "d", "DateTime('UTC')")
	rnd := rand.New(rand.NewPCG(5, 6))
	pieces := []string{"plain ", "\n", "\"", "'", ",", "}\n{", "\\", "\t", "{\"n\":1}\n", strings.Repeat("long ", 50)}
	b := &column.Block{}
	cols := make([]column.Builder, len(s))
	for i, f := range s {
		cols[i] = column.New(f.Type, 0)
	}
	for size := 0; size < 2*chunkBytes+chunkBytes/2; b.N++ {
		text := ""
		for range rnd.IntN(12) {
			text += pieces[rnd.IntN(len(pieces))]
		}
		cols[0].(*column.Num[uint32]).Data = append(cols[0].(*column.Num[uint32]).Data, uint32(b.N))
		cols[1].(*column.Str).AppendString(text)
		randomValues(rnd, cols[2], s[2].Type, 1)
		randomValues(rnd, cols[3], s[3].Type, 1)
		size += len(text) + 30
	}
	for _, c := range cols {
		b.Cols = append(b.Cols, c)
	}
	return s, b
}

// Rows that are parsed side by side are the rows of the input, in order.
func TestParallelRows(t *testing.T) {
	s, b := manyRows(t)
	want := string(write(t, "TSV", s, b, Defaults()))
	for _, name := range []string{"TSV", "TSVWithNamesAndTypes", "CSV", "CSVWithNames", "JSONEachRow"} {
		data := write(t, name, s, b, Defaults())
		for _, threads := range []int{1, 2, 4} {
			got, err := readText(t, name, s, bytes.NewReader(data), threads, 10_000*threads)
			if err != nil || got != want {
				t.Fatalf("%s with %d threads: %v: %s", name, threads, err, firstDifference(got, want))
			}
		}
	}
}

// Pretty-printed rows, an array around them, and rows that only look like several are read alike.
func TestParallelOddRows(t *testing.T) {
	s := schemaOf(t, "n", "UInt32", "s", "String")
	var pretty, array, raw, csv strings.Builder
	array.WriteString("[\n")
	want := [4]strings.Builder{}
	filler := strings.Repeat("x", 1000)
	for i := range 2 * chunkBytes / 1000 {
		fmt.Fprintf(&pretty, "{\n  \"n\": %d,\n  \"s\": \"%s\"\n}\n", i, filler)
		fmt.Fprintf(&array, "{\"n\":%d,\"s\":\"%s\"},\n", i, filler)
		fmt.Fprintf(&raw, "{\"n\":%d,\"s\":\"%s}\n{\"}\n", i, filler)
		fmt.Fprintf(&csv, "%d,a\" %s\n", i, filler)
		fmt.Fprintf(&want[0], "%d\t%s\n", i, filler)
		fmt.Fprintf(&want[2], "%d\t%s}\\n{\n", i, filler)
		fmt.Fprintf(&want[3], "%d\ta\" %s\n", i, filler)
	}
	array.WriteString("]\n")
	for _, c := range []struct{ name, in, want string }{
		{"JSONEachRow", pretty.String(), want[0].String()}, {"JSONEachRow", array.String(), want[0].String()},
		{"JSONEachRow", raw.String(), want[2].String()}, {"CSV", csv.String(), want[3].String()},
	} {
		got, err := readText(t, c.name, s, strings.NewReader(c.in), 2, 1<<20)
		if err != nil || got != c.want {
			t.Errorf("%s %.20q: %v: %s", c.name, c.in, err, firstDifference(got, c.want))
		}
	}
}

// An error in a later chunk is that of the row, with its number; one of the input comes through.
func TestParallelErrors(t *testing.T) {
	s := schemaOf(t, "n", "UInt32", "s", "String")
	row := "1\t" + strings.Repeat("x", 1000) + "\n"
	good := strings.Repeat(row, 2*chunkBytes/len(row))
	rows := strings.Count(good, "\n")
	_, err := readText(t, "TSV", s, strings.NewReader(good+"bad\tx\n"+good), 2, 1<<20)
	if sqlerr.CodeOf(err) == sqlerr.LogicalError || err == nil || !strings.Contains(err.Error(), fmt.Sprintf("at row %d", rows+1)) {
		t.Errorf("got %.200v, want row %d", err, rows+1)
	}
	broken := errors.New("line cut")
	_, err = readText(t, "TSV", s, io.MultiReader(strings.NewReader(good), iotest.ErrReader(broken)), 2, 1<<20)
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	long := "1\t" + strings.Repeat("x", chunkBytes+10) + "\n"
	got, err := readText(t, "TSV", s, strings.NewReader(row+long+row), 2, 1<<20)
	if err != nil || got != row+long+row {
		t.Errorf("a row of more than a chunk: %v", err)
	}
}
