package segment

import (
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

// goldenRows are the rows of the files that are not patched.
func goldenRows() (column.Schema, *column.Block) {
	opt := types.NewNullable(types.TString)
	tags := types.NewArray(types.TString)
	nullable, arrays := column.New(opt, 0), column.New(tags, 0)
	for i, x := range []any{"de", nil, "de", "fr", nil, "de"} {
		column.AppendValue(nullable, x)
		column.AppendValue(arrays, []any{[]any{}, []any{"a"}, []any{"b", "c"}, []any{}, []any{"a"}, []any{}}[i])
	}
	return column.Schema{{Name: "id", Type: types.TUInt32}, {Name: "country", Type: opt}, {Name: "price", Type: types.TFloat64}, {Name: "tags", Type: tags}},
		column.NewBlock(column.NewNum(types.TUInt32, []uint32{1, 2, 3, 5, 8, 13}), nullable,
			column.NewNum(types.TFloat64, []float64{0, 0, 1.5, 0, 0, 0}), arrays)
}

// objectRows are rows of JSON with a declared path, some that get a body of their own, and others.
func objectRows(t *testing.T) (column.Schema, *column.Block) {
	typ := mustType(t, "JSON(a Nullable(Int64), max_dynamic_paths=2)")
	m := column.New(typ, 0).(*column.Map)
	vals := m.Vals.(*column.Variant)
	for i, paths := range [][]string{{"a", "b.c", "d"}, {"a", "b.c"}, {"a", "d", "e", "f"}, {"a"}, {"a", "b.c", "d"}} {
		for _, p := range paths {
			m.Keys.(*column.Str).AppendString(p)
			switch {
			case p == "a" && i == 1:
				vals.AppendNull()
				continue
			case p == "d":
				column.AppendValue(vals.Alts[vals.Alt(types.TString)].(column.Builder), "text")
				vals.EndValue(vals.Alt(types.TString))
				continue
			}
			column.AppendValue(vals.Alts[vals.Alt(types.TInt64)].(column.Builder), int64(i))
			vals.EndValue(vals.Alt(types.TInt64))
		}
		m.EndValue()
	}
	return column.Schema{{Name: "j", Type: typ}}, column.NewBlock(m)
}

func writeGolden(t *testing.T, fs vfs.FS, name string) {
	schema, block := goldenRows()
	o := Options{ID: "golden", Schema: schema, SortKey: []string{"id"}, Granularity: 4, PartitionID: "all",
		Indexes: []Index{{Name: "price_set", Column: "price", Type: IndexSet, Params: []float64{4}, Granularity: 1}, {Name: "tags_bf", Column: "tags", Type: IndexBloom, Params: []float64{0.1}, Granularity: 2}}}
	switch name {
	case "v2-patched":
		schema, block = seriesRows()
		o = Options{ID: "golden", Schema: schema, SortKey: []string{"series", "time"}, Granularity: 512, PartitionID: "all"}
	case "v3-paths":
		schema, block = objectRows(t)
		o = Options{ID: "golden", Schema: schema, Granularity: 4, PartitionID: "all", Paths: true}
	}
	w, err := NewWriter(fs, "/golden", o)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Append(block); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Finish(ctx); err != nil {
		t.Fatal(err)
	}
}

// chunks lists every chunk of a segment with its name.
func chunks(t *testing.T, rd *Reader) map[int64]string {
	out := map[int64]string{}
	for i := range rd.cols {
		c := &rd.cols[i]
		name := c.entry.Name
		out[c.entry.Index.off] = fmt.Sprintf("column index of %s|%d", name, c.entry.Index.len)
		ix, err := rd.index(c)
		if err != nil {
			t.Fatal(err)
		}
		for p, r := range ix.pages {
			out[r.off] = fmt.Sprintf("page %d of %s|%d", p, name, r.len)
			nameBodies(t, rd, i, p, out)
		}
		if d := c.entry.Dict; d != nil {
			out[d.Header.off] = fmt.Sprintf("dictionary header of %s|%d", name, d.Header.len)
			out[d.Hashes.off] = fmt.Sprintf("dictionary hashes of %s|%d", name, d.Hashes.len)
			h, err := rd.dictHeader(c)
			if err != nil {
				t.Fatal(err)
			}
			for k, r := range h.blocks {
				out[r.off] = fmt.Sprintf("dictionary block %d of %s|%d", k, name, r.len)
			}
		}
		if b := c.entry.Bitmap; b != nil {
			out[b.off] = fmt.Sprintf("bitmap index of %s|%d", name, b.len)
		}
	}
	if p := rd.ft.Primary; p != nil {
		out[p.off] = fmt.Sprintf("primary index|%d", p.len)
	}
	for _, ix := range rd.ft.Indexes {
		out[ix.Data.off] = fmt.Sprintf("skip index %s|%d", ix.Name, ix.Data.len)
	}
	return out
}

// nameBodies names the bodies of paths of a page of objects.
func nameBodies(t *testing.T, rd *Reader, col, p int, out map[int64]string) {
	c := &rd.cols[col]
	if c.entry.typ.Kind != types.JSON {
		return
	}
	ix, err := rd.index(c)
	if err != nil {
		t.Fatal(err)
	}
	d, err := rd.pathDir(c, ix, p)
	if err != nil || d == nil {
		t.Fatal("no page of paths", err)
	}
	for i, b := range d.bodies {
		path := "other paths"
		if i < len(d.ends) {
			path = "path " + string(d.name(i))
		}
		out[b.off] = fmt.Sprintf("body of %s of page %d of %s|%d", path, p, c.entry.Name, b.len)
	}
}

// dump prints a segment byte by byte, each run named.
func dump(t *testing.T, fs vfs.FS, path string) string {
	b, err := vfs.ReadFile(fs, path)
	if err != nil {
		t.Fatal(err)
	}
	rd := open(t, fs, path, nil)
	var out strings.Builder
	line := func(name string, from, to int) {
		fmt.Fprintf(&out, "# %s: %d bytes at %d\n", name, to-from, from)
		for at := from; at < to; at += 32 {
			fmt.Fprintf(&out, "%s\n", hex.EncodeToString(b[at:min(at+32, to)]))
		}
	}
	line("magic, version", 0, 8)
	all := chunks(t, rd)
	offs := []int64{}
	for off := range all {
		offs = append(offs, off)
	}
	slices.Sort(offs)
	at := 8
	for _, off := range offs {
		name, length, _ := strings.Cut(all[off], "|")
		n := 0
		fmt.Sscan(length, &n)
		if int(off) != at {
			t.Fatalf("%s begins at %d, the chunk before ends at %d", name, off, at)
		}
		line(name, at, at+n)
		line("its checksum", at+n, at+n+sumSize)
		at += n + sumSize
	}
	tail := len(b) - trailerSize
	fmt.Fprintf(&out, "# footer: %s\n", b[at:tail-sumSize])
	line("footer", at, tail-sumSize)
	line("its checksum", tail-sumSize, tail)
	line("trailer: offset of the footer", tail, tail+8)
	line("trailer: length of the footer, zero", tail+8, tail+16)
	line("trailer: hash of the file", tail+16, tail+32)
	line("trailer: checksum", tail+32, tail+40)
	line("trailer: magic, version", tail+40, len(b))
	return out.String()
}

// seriesRows are rows whose integers are patched: two series of instants ten seconds apart.
func seriesRows() (column.Schema, *column.Block) {
	series, times := make([]uint8, 1200), make([]uint32, 1200)
	for i := range times {
		series[i], times[i] = uint8(i/600), 1_700_000_000+uint32(i%600)*10
	}
	return column.Schema{{Name: "series", Type: types.TUInt8}, {Name: "time", Type: types.TUInt32}}, column.NewBlock(column.NewNum(types.TUInt8, series), column.NewNum(types.TUInt32, times))
}

// goldenFiles are by argument: v3-paths, v2 and v2-patched are what Writer writes; v1 is the file as it was when version 1 was fixed, v1-noted has the statistics that the footer holds since.
var goldenFiles = []string{"v3-paths", "v2", "v2-patched", "v1-noted", "v1"}

// TestGolden compares the bytes that Writer writes with those of the files of its version, and reads the rows from the bytes in them and in older ones.
// A new version adds files and keeps these readable.
func TestGolden(t *testing.T) {
	datadriven.RunTest(t, "testdata/golden", func(t *testing.T, d *datadriven.TestData) string {
		fs := vfs.NewMem()
		name := goldenFiles[slices.IndexFunc(goldenFiles, d.HasArg)]
		file := "testdata/" + name + ".hex"
		stored, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		switch d.Cmd {
		case "write":
			writeGolden(t, fs, name)
			got := dump(t, fs, "/golden")
			if d.Rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(stored) {
				return "the bytes are others:\n" + got
			}
			return "the bytes of " + name + ".hex"
		case "read":
			var b []byte
			for _, l := range strings.Split(string(stored), "\n") {
				if !strings.HasPrefix(l, "#") {
					part, err := hex.DecodeString(l)
					if err != nil {
						t.Fatal(err)
					}
					b = append(b, part...)
				}
			}
			put(t, fs, "/golden", b)
			rd := open(t, fs, "/golden", nil)
			if err := rd.Verify(ctx); err != nil {
				t.Fatal(err)
			}
			out := rd.Meta().Detail()
			for col := range rd.Schema() {
				v, err := rd.ReadColumn(ctx, col, 0, rd.Rows())
				if err != nil {
					t.Fatal(err)
				}
				out += "\n" + rd.Schema()[col].Name + ":"
				for i := 0; i < v.Len(); i += max(1, v.Len()/12) {
					out += fmt.Sprintf(" %v", column.Value(v, i))
				}
			}
			return out
		}
		t.Fatalf("unknown command %s", d.Cmd)
		return ""
	})
}
