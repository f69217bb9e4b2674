package segment

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

// randomObjects returns objects of type t: of a few frequent paths, some rare ones and the declared ones, with values of several types.
func randomObjects(t testing.TB, r *rand.Rand, typ *types.Type, rows int) *column.Map {
	m := column.New(typ, rows).(*column.Map)
	keys, vals := m.Keys.(*column.Str), m.Vals.(*column.Variant)
	of := func(t *types.Type, v any) {
		k := vals.Alt(t)
		column.AppendValue(vals.Alts[k].(column.Builder), v)
		vals.EndValue(k)
	}
	array := types.NewArray(types.NewNullable(types.TInt64))
	for range rows {
		paths := []string{}
		for i := range 4 {
			if r.IntN(8) > i {
				paths = append(paths, fmt.Sprintf("p%d", i))
			}
		}
		for range r.IntN(3) {
			paths = append(paths, fmt.Sprintf("q.%c.%d", 'a'+r.IntN(3), r.IntN(9)))
		}
		for _, p := range typ.Object.Typed {
			paths = append(paths, p.Path)
		}
		slices.Sort(paths)
		for _, p := range slices.Compact(paths) {
			keys.AppendString(p)
			switch declared := typ.Object.TypedPath(p); {
			case declared != nil && declared.IsNullable() && r.IntN(3) == 0:
				vals.AppendNull()
			case declared != nil:
				of(declared.WithoutNullable(), randomValue(r, declared.WithoutNullable()))
			case r.IntN(9) == 0:
				of(array, []any{int64(3), nil, int64(r.IntN(5))})
			case r.IntN(3) == 0 && p != "p1":
				of(types.TString, fmt.Sprint("s", r.IntN(20)))
			default:
				of(types.TInt64, int64(r.IntN(100)))
			}
		}
		m.EndValue()
	}
	return m
}

var objectTypes = []string{"JSON", "JSON(max_dynamic_paths=2)", "JSON(max_dynamic_paths=0)", "JSON(a Int64, p2 Nullable(String), max_dynamic_paths=3)"}

func objectTable(t testing.TB, r *rand.Rand, typeNames []string, rows int) *table {
	tab := &table{block: &column.Block{N: rows}}
	id := column.New(types.TInt32, rows)
	for i := range rows {
		column.AppendValue(id, int32(i))
	}
	tab.schema, tab.block.Cols = column.Schema{{Name: "id", Type: types.TInt32}}, []column.Vector{id}
	for _, name := range typeNames {
		typ := mustType(t, name)
		tab.schema = append(tab.schema, column.Field{Name: name, Type: typ})
		tab.block.Cols = append(tab.block.Cols, randomObjects(t, r, typ, rows))
	}
	return tab
}

func smallObjects(t testing.TB, fs vfs.FS, path string) *table {
	r := rand.New(rand.NewPCG(5, 5))
	tab := objectTable(t, r, objectTypes[1:], 40)
	write(t, r, tab, Options{ID: "objects", Granularity: 8, Paths: true}, fs, path)
	return tab
}

var testPaths = []string{"p0", "p1", "p2", "p3", "q.a.1", "q.c.8", "a", "none", "q"}

// usePaths reads the columns of JSON path by path.
func usePaths(rd *Reader, n int) (out string, err error) {
	for col, f := range rd.Schema() {
		if f.Type.Kind != types.JSON {
			continue
		}
		for _, p := range testPaths {
			v, err := rd.ReadPath(ctx, col, p, 0, n, nil)
			if err != nil {
				return "", err
			}
			below, err := rd.ReadBelow(ctx, col, p, 0, n, nil)
			if err != nil {
				return "", err
			}
			m := below.Below(p, f.Type.SubJSON(p))
			for i := range n {
				out += fmt.Sprint(column.Value(v, i), column.Value(m, i), " ")
			}
		}
	}
	return out, nil
}

// TestObjects reads objects back whole, by path and below paths, from files that store them path by path and whole.
func TestObjects(t *testing.T) {
	const rows, granularity = 700, 16
	for _, paths := range []bool{true, false} {
		for _, name := range objectTypes {
			t.Run(fmt.Sprint(name, " ", paths), func(t *testing.T) {
				r, fs := rand.New(rand.NewPCG(6, 6)), vfs.NewMem()
				tab := objectTable(t, r, []string{name}, rows)
				m := write(t, r, tab, Options{Granularity: granularity, Paths: paths, pageBytes: 20_000}, fs, "/s")
				if want := map[bool]int{true: 3, false: 2}[paths]; m.Version != want {
					t.Errorf("a file of version %d, want %d", m.Version, want)
				}
				rd := open(t, fs, "/s", NewCache(1<<20, nil))
				if rd.Pages() < 3 {
					t.Fatalf("%d pages", rd.Pages())
				}
				all := tab.block.Cols[1].(*column.Map)
				whole, err := rd.ReadColumn(ctx, 1, 0, rows)
				if err != nil {
					t.Fatal(err)
				}
				checkColumn(t, all, 0, rows, whole)
				for range 30 {
					from := r.IntN(rows)
					to := from + r.IntN(rows-from+1)
					part, err := rd.ReadColumn(ctx, 1, from, to)
					if err != nil {
						t.Fatal(err)
					}
					checkColumn(t, all, from, to, part)
					checkPaths(t, r, rd, all, from, to)
				}
				mergeObjects(t, fs, rd, all)
			})
		}
	}
}

func checkPaths(t *testing.T, r *rand.Rand, rd *Reader, all *column.Map, from, to int) {
	var sel []uint32
	if r.IntN(2) == 0 {
		sel = []uint32{}
		for i := range to - from {
			if r.IntN(5) == 0 {
				sel = append(sel, uint32(i))
			}
		}
	}
	want := all.Slice(from, to)
	if sel != nil {
		want = column.Gather(want, sel)
	}
	for _, p := range testPaths {
		v, err := rd.ReadPath(ctx, 1, p, from, to, sel)
		if err != nil {
			t.Fatal(err)
		}
		objects := column.Flatten(want).(*column.Map)
		checkColumn(t, objects.Path(p), 0, want.Len(), v)
		below, err := rd.ReadBelow(ctx, 1, p, from, to, sel)
		if err != nil {
			t.Fatal(err)
		}
		sub := all.Typ.SubJSON(p)
		checkColumn(t, objects.Below(p, sub), 0, want.Len(), below.Below(p, sub))
	}
}

// mergeObjects writes a segment's rows anew, path by path, from a stream.
func mergeObjects(t *testing.T, fs vfs.FS, rd *Reader, all *column.Map) {
	w, err := NewWriter(fs, "/merged", Options{Schema: rd.Schema(), Whole: true, Paths: true})
	if err != nil {
		t.Fatal(err)
	}
	s := rd.NewStream(make([]bool, len(rd.Schema())))
	for from := 0; from < rd.Rows(); from += 100 {
		b := &column.Block{N: min(100, rd.Rows()-from)}
		for c := range rd.Schema() {
			v, err := s.ReadColumn(ctx, c, from, from+b.N)
			if err != nil {
				t.Fatal(err)
			}
			b.Cols = append(b.Cols, v)
		}
		if err := w.Append(b); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	merged := open(t, fs, "/merged", nil)
	v, err := merged.ReadColumn(ctx, 1, 0, merged.Rows())
	if err != nil {
		t.Fatal(err)
	}
	checkColumn(t, all, 0, merged.Rows(), v)
}

// TestPathBytes: of a wide column one path is read with a small part of the column's bytes.
func TestPathBytes(t *testing.T) {
	r, fs := rand.New(rand.NewPCG(7, 7)), vfs.NewMem()
	typ := mustType(t, "JSON")
	m := column.New(typ, 0).(*column.Map)
	vals := m.Vals.(*column.Variant)
	for range 5000 {
		for p := range 50 {
			m.Keys.(*column.Str).AppendString(fmt.Sprintf("p%02d", p))
			k := vals.Alt(types.TInt64)
			column.AppendValue(vals.Alts[k].(column.Builder), r.Int64())
			vals.EndValue(k)
		}
		m.EndValue()
	}
	tab := &table{schema: column.Schema{{Name: "j", Type: typ}}, block: column.NewBlock(m)}
	write(t, r, tab, Options{Paths: true}, fs, "/s")
	counted := &countingFS{FS: fs}
	rd := open(t, counted, "/s", nil)
	counted.bytes = 0
	if _, err := rd.ReadPath(ctx, 0, "p07", 0, 5000, nil); err != nil {
		t.Fatal(err)
	}
	if most := rd.Meta().Columns[0].Bytes / 40; counted.bytes > most {
		t.Errorf("%d bytes read of %d: more than %d", counted.bytes, rd.Meta().Columns[0].Bytes, most)
	}
}

// countingFS counts the bytes that are read.
type countingFS struct {
	vfs.FS
	bytes int64
}

func (f *countingFS) Open(name string) (vfs.File, error) {
	file, err := f.FS.Open(name)
	return &countingFile{file, f}, err
}

type countingFile struct {
	vfs.File
	fs *countingFS
}

func (f *countingFile) ReadAt(b []byte, off int64) (int, error) {
	f.fs.bytes += int64(len(b))
	return f.File.ReadAt(b, off)
}

// TestPathPruning: no granule with a row that satisfies a term at a path is pruned, and pages without one are.
func TestPathPruning(t *testing.T) {
	const rows = 900
	for _, name := range objectTypes {
		r, fs := rand.New(rand.NewPCG(9, 9)), vfs.NewMem()
		tab := objectTable(t, r, []string{name}, rows)
		write(t, r, tab, Options{Granularity: 16, Paths: true, pageBytes: 10_000}, fs, "/s")
		rd, all := open(t, fs, "/s", nil), tab.block.Cols[1].(*column.Map)
		pruned, at := 0, map[string]*column.Variant{}
		for _, p := range testPaths {
			at[p] = all.Path(p)
		}
		for range 400 {
			term := randomPathTerm(r, name)
			cond := And(term)
			if r.IntN(4) == 0 {
				cond = And(Or(cond, And(randomPathTerm(r, name))))
			}
			kept, _, err := rd.Prune(ctx, cond, nil)
			if err != nil {
				t.Fatal(err)
			}
			pruned += rd.Granules() - kept.Count()
			for i := range rows {
				if !kept.Has(i/16) && condHolds(cond, at, i) {
					t.Fatalf("%s: row %d is pruned by %s: %v", name, i, cond, column.Value(all, i))
				}
			}
		}
		if pruned < rd.Granules() {
			t.Errorf("%s: %d granules pruned", name, pruned)
		}
	}
}

func randomPathTerm(r *rand.Rand, column string) Term {
	path := testPaths[r.IntN(len(testPaths))]
	return Term{Kind: AtPath, Column: column, Path: path, Others: r.IntN(3) == 0, Types: []Term{
		Cmp("", kernel.Op(r.IntN(6)), int64s(int64(r.IntN(130)-15))), {Kind: In, Values: strs(fmt.Sprint("s", r.IntN(30)), "t")},
	}[r.IntN(2):]}
}

func int64s(x ...int64) column.Vector { return column.NewNum(types.TInt64, x) }
func strs(s ...string) column.Vector  { return column.NewStrings(s...) }

// condHolds is what a condition of terms at paths means.
func condHolds(c Condition, at map[string]*column.Variant, row int) bool {
	for _, t := range c.Terms {
		if t.Kind == AnyOf {
			if !slices.ContainsFunc(t.Any, func(c Condition) bool { return condHolds(c, at, row) }) {
				return false
			}
			continue
		}
		v, i := at[t.Path].Value(row)
		if v == nil {
			return false
		}
		k := slices.IndexFunc(t.Types, func(o Term) bool { return o.Values.Type().Equal(v.Type()) })
		switch {
		case k < 0 && !t.Others:
			return false
		case k < 0:
		case t.Types[k].Kind == Compare && !t.Types[k].Op.Holds(column.Compare(v, i, t.Types[k].Values, 0)):
			return false
		case t.Types[k].Kind == In && column.Compare(v, i, t.Types[k].Values, 0) != 0 && column.Compare(v, i, t.Types[k].Values, 1) != 0:
			return false
		}
	}
	return true
}

// TestWholePage: objects with more entries than a directory may have are stored whole, beside pages that are not.
func TestWholePage(t *testing.T) {
	r, fs := rand.New(rand.NewPCG(3, 3)), vfs.NewMem()
	tab := objectTable(t, r, []string{"JSON"}, 64)
	w, err := NewWriter(fs, "/s", Options{Schema: tab.schema, Granularity: 16, Paths: true})
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < 64; from += 32 {
		if from > 0 {
			w.cols[1].objects.most = 10
		}
		if err := w.Append(tab.block.Slice(from, from+32)); err != nil {
			t.Fatal(err)
		}
		if err := w.flushPage(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	rd := open(t, fs, "/s", nil)
	ix, err := rd.index(&rd.cols[1])
	if err != nil {
		t.Fatal(err)
	}
	for p, paths := range []bool{true, false} {
		if d, err := rd.pathDir(&rd.cols[1], ix, p); err != nil || (d != nil) != paths {
			t.Fatalf("page %d has a directory: %v, %v", p, d != nil, err)
		}
	}
	v, err := rd.ReadColumn(ctx, 1, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	checkColumn(t, tab.block.Cols[1], 0, 64, v)
	checkPaths(t, r, rd, tab.block.Cols[1].(*column.Map), 3, 61)
}
