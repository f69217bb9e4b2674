package segment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

var ctx = context.Background()

func mustType(t testing.TB, name string) *types.Type {
	t.Helper()
	typ, err := types.Parse(name)
	if err != nil {
		t.Fatal(name, err)
	}
	return typ
}

// randomValue returns a value of t in the form of column.Value, of few distinct ones.
func randomValue(r *rand.Rand, t *types.Type) any {
	t = t.WithoutLowCardinality()
	switch t.Phys() {
	case types.PNullable:
		if r.IntN(4) == 0 {
			return nil
		}
		return randomValue(r, t.Elem())
	case types.PArray:
		out := []any{}
		for range r.IntN(4) {
			out = append(out, randomValue(r, t.Elem()))
		}
		return out
	case types.PMap:
		out := [][2]any{}
		for range r.IntN(3) {
			out = append(out, [2]any{randomValue(r, t.Elems[0]), randomValue(r, t.Elems[1])})
		}
		return out
	case types.PTuple:
		out := []any{}
		for _, e := range t.Elems {
			out = append(out, randomValue(r, e))
		}
		return out
	case types.PBytes:
		if n := t.Width(); n > 0 {
			return string(bytes.Repeat([]byte{byte('a' + r.IntN(4))}, n))
		}
		words := []string{"", "a", "b", "abc", "abd", "the quick", "quick fox", "fox", "\xff\xff", "zebra crossing", string(bytes.Repeat([]byte("x"), 200)), string(bytes.Repeat([]byte{0xff}, 150))}
		if r.IntN(3) == 0 {
			return words[r.IntN(len(words))] + " " + words[r.IntN(len(words))]
		}
		return words[r.IntN(len(words))]
	}
	b := column.New(t, 1)
	b.AppendDefault()
	v := reflect.New(reflect.TypeOf(column.Value(b, 0))).Elem()
	x := r.IntN(40)
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		v.SetFloat([]float64{0, math.Copysign(0, -1), 1.5, math.Inf(1), -3, float64(x), math.NaN()}[r.IntN(7)])
	case reflect.Struct:
		if v.Type() == reflect.TypeOf(types.U128{}) {
			return types.U128{Lo: uint64(x), Hi: uint64(r.IntN(3))}
		}
		return types.I128From(int64(x - 20))
	case reflect.Array:
		return reflect.ValueOf([4]uint64(types.I256From(int64(x - 20)))).Convert(v.Type()).Interface()
	default:
		if v.CanInt() {
			v.SetInt(int64(x - 20))
		} else {
			v.SetUint(uint64(x))
		}
	}
	return v.Interface()
}

var testTypes = []string{
	"UInt8", "Bool", "UInt64", "UInt128", "Int8", "Int16", "Int32", "Int64", "Int128", "UInt256", "Int256", "Float32", "Float64",
	"Decimal(9, 2)", "Decimal(38, 10)", "String", "FixedString(3)", "Date", "Date32", "DateTime", "DateTime64(3)", "UUID", "IPv4", "IPv6",
	"Enum8('a' = 1, 'b' = 2)", "Nullable(Int32)", "Nullable(String)", "LowCardinality(String)", "LowCardinality(Nullable(String))", "Nullable(Float64)",
	"Array(UInt16)", "Array(Nullable(String))", "Tuple(a UInt8, b String)", "Map(LowCardinality(String), UInt64)",
	"AggregateFunction(uniq, UInt64)", "SimpleAggregateFunction(sum, UInt64)",
}

// table is random rows of all types, sorted by the columns of key.
type table struct {
	schema column.Schema
	block  *column.Block
}

func randomTable(t testing.TB, r *rand.Rand, typeNames []string, rows int, key ...string) *table {
	tab := &table{}
	cols := make([]column.Vector, len(typeNames))
	for i, name := range typeNames {
		typ := mustType(t, name)
		tab.schema = append(tab.schema, column.Field{Name: fmt.Sprintf("c%d", i), Type: typ})
		b := column.New(typ, rows)
		for range rows {
			column.AppendValue(b, randomValue(r, typ))
		}
		cols[i] = b
	}
	tab.block = column.NewBlock(cols...)
	tab.block.N = rows
	return tab.sorted(key...)
}

func (tab *table) sorted(key ...string) *table {
	order := make([]uint32, tab.block.N)
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortStableFunc(order, func(a, b uint32) int {
		for _, k := range key {
			v := tab.block.Cols[tab.schema.Index(k)]
			if c := column.Compare(v, int(a), v, int(b)); c != 0 {
				return c
			}
		}
		return 0
	})
	return &table{schema: tab.schema, block: tab.block.Gather(order)}
}

// encoded returns the block with strings dictionary-coded and a column constant here and there, as operators hand them on.
func encoded(r *rand.Rand, b *column.Block) *column.Block {
	out := &column.Block{N: b.N}
	for _, v := range b.Cols {
		s, ok := v.(*column.Str)
		if ok && s.Len() > 0 && r.IntN(2) == 0 {
			d := &column.Dict{Values: column.NewStr(s.Typ, 0), Unique: true}
			at := map[string]uint32{}
			for i := range s.Len() {
				c, ok := at[string(s.At(i))]
				if !ok {
					c = uint32(d.Values.Len())
					at[string(s.At(i))] = c
					d.Values.(*column.Str).Append(s.At(i))
				}
				d.Codes = append(d.Codes, c)
			}
			v = d
		}
		out.Cols = append(out.Cols, v)
	}
	return out
}

// write writes the table in blocks of random lengths.
func write(t testing.TB, r *rand.Rand, tab *table, o Options, fs vfs.FS, path string) *Meta {
	t.Helper()
	o.Schema = tab.schema
	w, err := NewWriter(fs, path, o)
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < tab.block.N; {
		to := min(tab.block.N, from+1+r.IntN(tab.block.N/2+1))
		if err := w.Append(encoded(r, tab.block.Slice(from, to))); err != nil {
			t.Fatal(err)
		}
		from = to
	}
	m, err := w.Finish(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func open(t testing.TB, fs vfs.FS, path string, c *Cache) *Reader {
	t.Helper()
	rd, err := Open(fs, path, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rd.Release() })
	return rd
}

func sameValue(a, b any) bool {
	return reflect.DeepEqual(a, b) || fmt.Sprint(a) == fmt.Sprint(b) && fmt.Sprint(a) == "NaN"
}

func checkColumn(t testing.TB, want column.Vector, from, to int, got column.Vector) {
	t.Helper()
	if got.Len() != to-from {
		t.Fatalf("%d values, want %d", got.Len(), to-from)
	}
	for i := range got.Len() {
		if a, b := column.Value(want, from+i), column.Value(got, i); !sameValue(a, b) {
			t.Fatalf("%s, row %d: %v, want %v", want.Type(), from+i, b, a)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for seed, tc := range []struct{ rows, granularity int }{{0, 0}, {1, 1}, {37, 4}, {500, 7}, {700, 8192}, {66_000, 1000}} {
		t.Run(fmt.Sprintf("%d rows", tc.rows), func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(seed), 1))
			names := testTypes
			if tc.rows > 10_000 {
				names = []string{"Int32", "String", "LowCardinality(Nullable(String))", "Array(UInt16)", "Nullable(Float64)"}
			}
			tab := randomTable(t, r, names, tc.rows, "c0", "c1")
			fs, path := vfs.NewMem(), "/s"
			m := write(t, r, tab, Options{ID: "s", SortKey: []string{"c0", "c1"}, Granularity: tc.granularity}, fs, path)
			budget := mem.NewBudget("total", 0)
			rd := open(t, fs, path, NewCache(1<<20, budget))
			if !reflect.DeepEqual(rd.Meta().Detail(), m.Detail()) || rd.Meta().Hash != m.Hash {
				t.Fatalf("meta:\n%s\nwritten:\n%s", rd.Meta().Detail(), m.Detail())
			}
			if err := rd.Verify(ctx); err != nil {
				t.Fatal(err)
			}
			for col := range tab.schema {
				for k := range 6 {
					from := r.IntN(tc.rows + 1)
					to := from + r.IntN(tc.rows-from+1)
					if k == 0 {
						from, to = 0, tc.rows
					}
					v, err := rd.ReadColumn(ctx, col, from, to)
					if err != nil {
						t.Fatal(err)
					}
					checkColumn(t, tab.block.Cols[col], from, to, v)
				}
				var sel []uint32
				for row := 0; row < tc.rows; row += 1 + r.IntN(1+tc.rows/20) {
					sel = append(sel, uint32(row))
				}
				v, err := rd.ReadRows(ctx, col, sel)
				if err != nil {
					t.Fatal(err)
				}
				checkColumn(t, column.Gather(tab.block.Cols[col], sel), 0, len(sel), v)
			}
		})
	}
}

func TestDictionary(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	fs, path := vfs.NewMem(), "/s"
	const rows = 3 * PageRows
	few, late := column.NewStr(types.TString, rows), column.NewStr(types.TString, rows)
	unique := column.NewStr(types.TString, rows)
	for i := range rows {
		few.AppendString(fmt.Sprintf("value %d", r.IntN(300)))
		unique.AppendString(fmt.Sprintf("unique %d", i))
		if i < PageRows {
			late.AppendString(fmt.Sprint(i % 10))
		} else {
			late.AppendString(fmt.Sprint("late ", i))
		}
	}
	tab := &table{schema: column.Schema{{Name: "few", Type: types.TString}, {Name: "late", Type: types.TString}, {Name: "unique", Type: types.TString}},
		block: column.NewBlock(few, late, unique)}
	m := write(t, r, tab, Options{}, fs, path)
	if m.Columns[0].Dict != 300 || m.Columns[1].Dict != 10 && m.Columns[1].Dict == 0 || m.Columns[2].Dict != 0 {
		t.Fatal(m.Detail())
	}
	if d := float64(m.Columns[2].Distinct); math.Abs(d-rows)/rows > 0.06 {
		t.Errorf("distinct estimate %v of %d", d, rows)
	}
	for _, cache := range []*Cache{nil, NewCache(1<<30, nil)} {
		rd := open(t, fs, path, cache)
		a, err := rd.ReadColumn(ctx, 0, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		b, err := rd.ReadColumn(ctx, 0, PageRows-5, 2*PageRows+5)
		if err != nil {
			t.Fatal(err)
		}
		if a.(*column.Dict).Values != b.(*column.Dict).Values {
			t.Error("two dictionaries of one column")
		}
		d, err := rd.Dictionary(ctx, 0)
		if err != nil || column.Vector(d.Values) != a.(*column.Dict).Values {
			t.Errorf("Dictionary gives another: %v", err)
		}
		if code, ok := d.Find([]byte("value 17")); !ok || string(d.Values.At(int(code))) != "value 17" {
			t.Error("Find")
		}
		for col := range 3 {
			v, err := rd.ReadColumn(ctx, col, 1000, rows-1000)
			if err != nil {
				t.Fatal(err)
			}
			checkColumn(t, tab.block.Cols[col], 1000, rows-1000, v)
		}
	}
}

// TestFullBudget writes with memory for less than the dictionary: it ends, and the rows are all there.
func TestFullBudget(t *testing.T) {
	const rows = 5 * PageRows
	fs, path, budget := vfs.NewMem(), "/s", mem.NewBudget("test", 2*heapDictBytes*dictBudgetShare)
	v := column.NewStr(types.TString, rows)
	for i := range rows {
		v.AppendString(fmt.Sprintf("%050d", i/2))
	}
	tab := &table{schema: column.Schema{{Name: "s", Type: types.TString}}, block: column.NewBlock(v)}
	m := write(t, rand.New(rand.NewPCG(1, 1)), tab, Options{Budget: budget}, fs, path)
	if m.Columns[0].Dict == 0 || m.Columns[0].Noted.Coded {
		t.Errorf("dictionary of %d, all coded %v", m.Columns[0].Dict, m.Columns[0].Noted.Coded)
	}
	if budget.Used() != 0 {
		t.Errorf("%d bytes still counted", budget.Used())
	}
	got, err := open(t, fs, path, nil).ReadColumn(ctx, 0, 0, rows)
	if err != nil {
		t.Fatal(err)
	}
	checkColumn(t, v, 0, rows, got)
}

// small is a segment of every kind of chunk.
func small(t testing.TB, fs vfs.FS, path string) *table {
	r := rand.New(rand.NewPCG(4, 4))
	tab := randomTable(t, r, []string{"Int32", "String", "LowCardinality(Nullable(String))", "Array(UInt16)", "Nullable(Float64)", "UUID"}, 60, "c0", "c1")
	write(t, r, tab, smallOptions(), fs, path)
	return tab
}

// smallFiles are files of every version that a Writer writes.
var smallFiles = map[string]func(testing.TB, vfs.FS, string) *table{"whole": small, "paths": smallObjects}

func smallOptions() Options {
	return Options{ID: "small", SortKey: []string{"c0", "c1"}, Granularity: 8, Level: 2, PartitionID: "202401", MinIndex: 5, MaxIndex: 9,
		Indexes: []Index{
			{Name: "b", Column: "c1", Type: IndexBloom, Granularity: 2}, {Name: "s", Column: "c4", Type: IndexSet, Params: []float64{5}, Granularity: 1},
			{Name: "t", Column: "c2", Type: IndexTokens, Params: []float64{32, 2, 0}, Granularity: 3},
			{Name: "n", Column: "c1", Type: IndexNgrams, Params: []float64{3, 64, 2, 0}, Granularity: 1},
			{Name: "a", Column: "c3", Type: IndexBloom, Params: []float64{0.1}, Granularity: 1},
		}}
}

// useAll reads everything there is to read and returns it as text, or an error.
func useAll(fs vfs.FS, path string, n int) (string, error) {
	rd, err := Open(fs, path, nil)
	if err != nil {
		return "", err
	}
	defer rd.Release()
	out := rd.Meta().Detail() + "\n"
	for col := range rd.Schema() {
		v, err := rd.ReadColumn(ctx, col, 0, n)
		if err != nil {
			return "", err
		}
		for i := range v.Len() {
			out += fmt.Sprint(column.Value(v, i), " ")
		}
	}
	str := column.NewStrings("abc")
	u := column.NewNum(types.TUInt16, []uint16{7})
	f := column.NewNum(types.TFloat64, []float64{1.5})
	for _, c := range []Condition{
		And(Cmp("c0", 2, column.NewNum(types.TInt32, []int32{3}))), And(Cmp("c1", 0, str)), And(Cmp("c2", 0, str)),
		And(Cmp("c4", 0, f)), And(Term{Kind: HasElem, Column: "c3", Values: u}), And(Term{Kind: Contains, Column: "c1", Values: column.NewStrings("quick")}),
		And(Term{Kind: HasToken, Column: "c2", Values: column.NewStrings("fox")}), And(Term{Kind: IsNull, Column: "c2"}), And(Term{Kind: IsNull, Column: "c4"}),
	} {
		g, st, err := rd.Prune(ctx, c, nil)
		if err != nil {
			return "", err
		}
		out += fmt.Sprintf("\n%s: %s %s", c, g, st)
		set, exact, err := rd.MatchRows(ctx, c)
		if err != nil {
			return "", err
		}
		if mask := make([]uint8, n); set != nil {
			set.Mask(mask, 0)
			out += fmt.Sprint(mask, exact, set.CountRange(0, n))
		}
	}
	parts, err := useParts(rd, n)
	if err != nil {
		return "", err
	}
	paths, err := usePaths(rd, n)
	return out + parts + paths, err
}

// useParts reads what can be read of dictionaries without the rest.
func useParts(rd *Reader, n int) (out string, err error) {
	layout, err := rd.Layout()
	if err != nil {
		return "", err
	}
	out = fmt.Sprint(layout)
	for col := range rd.Schema() {
		out += fmt.Sprintf("%+v", rd.ColumnStats(col))
		if rd.Measurable(col) {
			lengths, err := rd.ReadLengths(ctx, col, 0, n, nil)
			if err != nil {
				return "", err
			}
			out += fmt.Sprint(lengths.Data)
		}
		codes, nulls, coded, err := rd.ReadCodes(ctx, col, 0, n)
		if err != nil {
			return "", err
		}
		if !coded {
			continue
		}
		vals, err := rd.ReadEntries(ctx, col, codes)
		if err != nil {
			return "", err
		}
		code, ok, err := rd.FindCode(ctx, col, vals.At(n/2))
		if err != nil {
			return "", err
		}
		out += fmt.Sprint(codes, nulls, vals.Data, code, ok)
	}
	return out, nil
}

// put makes b the content of a file.
func put(t testing.TB, fs vfs.FS, path string, b []byte) {
	t.Helper()
	f, err := fs.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestFlips changes every byte of a segment in turn: an error or the same answers, never others and never a panic.
func TestFlips(t *testing.T) {
	for name, make := range smallFiles {
		t.Run(name, func(t *testing.T) { testFlips(t, make) })
	}
}

func testFlips(t *testing.T, make func(testing.TB, vfs.FS, string) *table) {
	fs, path := vfs.NewMem(), "/s"
	tab := make(t, fs, path)
	want, err := useAll(fs, path, tab.block.N)
	if err != nil {
		t.Fatal(err)
	}
	good, err := vfs.ReadFile(fs, path)
	if err != nil {
		t.Fatal(err)
	}
	undetected := 0
	t.Logf("%d bytes", len(good))
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		put(t, fs, path, bad)
		got, err := useAll(fs, path, tab.block.N)
		if err == nil && got != want {
			t.Fatalf("byte %d of %d flipped: another answer\n%s\n%s", i, len(good), got, want)
		}
		if err == nil {
			undetected++
			rd := open(t, fs, path, nil)
			if rd.Verify(ctx) == nil {
				t.Fatalf("byte %d: Verify sees nothing", i)
			}
		} else if c := sqlerr.CodeOf(err); c != sqlerr.ChecksumDoesntMatch && c != sqlerr.CorruptedData {
			t.Fatalf("byte %d: code %d: %v", i, c, err)
		}
	}
	if undetected > len(good)/2 {
		t.Errorf("%d of %d flips were in bytes that nothing read", undetected, len(good))
	}
	for n := 0; n < len(good); n += 7 {
		put(t, fs, path, good[:n])
		if _, err := useAll(fs, path, tab.block.N); err == nil {
			t.Fatalf("cut at %d of %d: no error", n, len(good))
		}
	}
}

func TestConcurrentReads(t *testing.T) {
	fs, path := vfs.NewMem(), "/s"
	tab := small(t, fs, path)
	budget := mem.NewBudget("total", 4000)
	rd, err := Open(fs, path, NewCache(3000, budget))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			h := rd.Retain()
			defer h.Release()
			r := rand.New(rand.NewPCG(uint64(g), 0))
			for range 50 {
				col, from := r.IntN(len(tab.schema)), r.IntN(60)
				v, err := h.ReadColumn(ctx, col, from, 60)
				if err != nil {
					t.Error(err)
					return
				}
				for i := range v.Len() {
					if !sameValue(column.Value(v, i), column.Value(tab.block.Cols[col], from+i)) {
						t.Error("wrong value")
						return
					}
				}
				if _, _, err := h.Prune(ctx, And(Cmp("c1", 0, column.NewStrings("abc"))), nil); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Wait()
	freed := false
	rd.OnFree(func() { freed = true })
	if err := rd.Release(); err != nil || !freed {
		t.Errorf("release: %v, freed %v", err, freed)
	}
	if budget.Used() != 0 {
		t.Errorf("%d bytes are still reserved", budget.Used())
	}
}

func TestCancelAndErrors(t *testing.T) {
	fs, path := vfs.NewMem(), "/s"
	small(t, fs, path)
	rd := open(t, fs, path, nil)
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := rd.ReadColumn(stopped, 0, 0, 10); !errors.Is(err, context.Canceled) {
		t.Errorf("read with a cancelled context: %v", err)
	}
	if _, _, err := rd.Prune(stopped, And(Cmp("c1", 0, column.NewStrings("abc"))), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("prune with a cancelled context: %v", err)
	}
	if _, err := rd.ReadColumn(ctx, 0, 0, 61); !sqlerr.Is(err, sqlerr.LogicalError) {
		t.Errorf("rows beyond the end: %v", err)
	}
	w, err := NewWriter(fs, path+"2", Options{Schema: column.Schema{{Name: "a", Type: types.TUInt8}}, SortKey: []string{"a"}, Granularity: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Append(column.NewBlock(column.NewNum(types.TUInt8, []uint8{2, 1}))); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Finish(ctx); !sqlerr.Is(err, sqlerr.LogicalError) {
		t.Errorf("unsorted rows: %v", err)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	if _, err := fs.Stat(path + "2"); !vfs.IsNotExist(err) {
		t.Errorf("aborted file: %v", err)
	}
	for _, bad := range []Options{
		{Schema: column.Schema{{Name: "a", Type: types.TUInt8}, {Name: "a", Type: types.TUInt8}}},
		{Schema: column.Schema{{Name: "a", Type: types.TUInt8}}, SortKey: []string{"b"}},
		{Schema: column.Schema{{Name: "a", Type: types.TUInt8}}, Indexes: []Index{{Column: "a", Type: "vector_similarity"}}},
		{Schema: column.Schema{{Name: "a", Type: types.TUInt8}}, Indexes: []Index{{Column: "a", Type: IndexTokens, Params: []float64{100, 1, 1}}}},
	} {
		if _, err := NewWriter(fs, path+"3", bad); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}

func TestParseIndexType(t *testing.T) {
	for s, want := range map[string]string{
		"minmax": "minmax []", "set(100)": "set [100]", " bloom_filter( 0.01 ) ": "bloom_filter [0.01]", "bloom_filter": "bloom_filter []",
		"tokenbf_v1(1024, 3, 0)": "tokenbf_v1 [1024 3 0]", "ngrambf_v1(4,1024,3,0)": "ngrambf_v1 [4 1024 3 0]",
	} {
		if typ, params, err := ParseIndexType(s); err != nil || fmt.Sprint(typ, " ", params) != want {
			t.Errorf("%q: %s %v %v", s, typ, params, err)
		}
	}
	for _, s := range []string{"set", "set(1", "bloom_filter(2)", "tokenbf_v1(1)", "hypothesis", "set(x)", "set(-1)"} {
		if _, _, err := ParseIndexType(s); err == nil {
			t.Errorf("%q: no error", s)
		}
	}
}
