package segment

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

// naive evaluates a condition on a row by its definition.
func naive(c Condition, tab *table, row int) bool {
	for _, t := range c.Terms {
		if !naiveTerm(t, tab, row) {
			return false
		}
	}
	return true
}

func naiveTerm(t Term, tab *table, row int) bool {
	if t.Kind == AnyOf {
		for _, c := range t.Any {
			if naive(c, tab, row) {
				return true
			}
		}
		return false
	}
	if t.Kind == KeyRange {
		return naiveRange(t, tab, row)
	}
	v := tab.block.Cols[tab.schema.Index(t.Column)]
	null := column.IsNull(v, row)
	switch t.Kind {
	case IsNull:
		return null
	case IsNotNull:
		return !null
	}
	if null {
		return false
	}
	x := column.Value(v, row)
	equals := func(i int) bool {
		return !column.IsNull(t.Values, i) && fmt.Sprint(x) == fmt.Sprint(column.Value(t.Values, i)) && fmt.Sprint(x) != "NaN" || isZero(x) && isZero(column.Value(t.Values, i))
	}
	switch t.Kind {
	case Compare:
		if column.IsNull(t.Values, 0) {
			return false
		}
		if fmt.Sprint(x) == "NaN" {
			return t.Op == kernel.Ne
		}
		return t.Op.Holds(column.Compare(v, row, t.Values, 0))
	case In, NotIn:
		in := false
		for i := range t.Values.Len() {
			in = in || equals(i)
		}
		return in == (t.Kind == In)
	case Prefix:
		return strings.HasPrefix(x.(string), column.Value(t.Values, 0).(string))
	case Contains:
		return strings.Contains(x.(string), column.Value(t.Values, 0).(string))
	case HasToken:
		for _, tok := range strings.FieldsFunc(x.(string), func(r rune) bool { return r == ' ' }) {
			if tok == column.Value(t.Values, 0).(string) {
				return true
			}
		}
		return false
	case HasElem:
		for _, e := range x.([]any) {
			if fmt.Sprint(e) == fmt.Sprint(column.Value(t.Values, 0)) {
				return true
			}
		}
		return false
	}
	panic("unknown kind")
}

func isZero(x any) bool { return fmt.Sprint(x) == "0" || fmt.Sprint(x) == "-0" }

func naiveRange(t Term, tab *table, row int) bool {
	cmp := func(bound []Value) int {
		for i, b := range bound {
			if c := column.Compare(tab.block.Cols[tab.schema.Index(t.Keys[i])], row, b.vec, 0); c != 0 {
				return c
			}
		}
		return 0
	}
	for _, k := range t.Keys {
		if column.IsNull(tab.block.Cols[tab.schema.Index(k)], row) {
			return false
		}
	}
	if lo := cmp(t.Lo); len(t.Lo) > 0 && (lo < 0 || lo == 0 && t.LoOpen) {
		return false
	}
	hi := cmp(t.Hi)
	return len(t.Hi) == 0 || hi < 0 || hi == 0 && !t.HiOpen
}

// constants returns n values of the column's inner type (of the elements for arrays).
func constants(r *rand.Rand, t *types.Type, n int) column.Vector {
	t = t.Inner()
	if t.Kind == types.Array {
		t = t.Elem().Inner()
	}
	b := column.New(t, n)
	for range n {
		column.AppendValue(b, randomValue(r, t))
	}
	return b
}

func randomTerm(r *rand.Rand, tab *table, key []string, depth int) Term {
	if depth > 0 && r.IntN(5) == 0 {
		t := Term{Kind: AnyOf}
		for range 1 + r.IntN(3) {
			t.Any = append(t.Any, randomCondition(r, tab, key, depth-1))
		}
		return t
	}
	if len(key) > 0 && r.IntN(6) == 0 {
		return randomRange(r, tab, key)
	}
	f := tab.schema[r.IntN(len(tab.schema))]
	t := Term{Column: f.Name}
	switch {
	case f.Type.Kind == types.Array:
		t.Kind, t.Values = HasElem, constants(r, f.Type, 1)
	case f.Type.IsNullable() && r.IntN(4) == 0:
		t.Kind = []TermKind{IsNull, IsNotNull}[r.IntN(2)]
	case f.Type.Inner().Kind == types.String && r.IntN(2) == 0:
		t.Kind = []TermKind{Prefix, Contains, HasToken}[r.IntN(3)]
		word := []string{"a", "ab", "quick", "fox", "xx", "\xff", "zebra", "e q", "the quick", "none"}[r.IntN(10)]
		if t.Kind == HasToken {
			word = strings.Fields(word)[0]
		}
		t.Values = column.NewStrings(word)
	case r.IntN(3) == 0:
		t.Kind, t.Values = []TermKind{In, In, NotIn}[r.IntN(3)], constants(r, f.Type, r.IntN(5))
	default:
		t.Op, t.Values = kernel.Op(r.IntN(6)), constants(r, f.Type, 1)
	}
	return t
}

func randomRange(r *rand.Rand, tab *table, key []string) Term {
	t := Term{Kind: KeyRange, Keys: key[:1+r.IntN(len(key))], LoOpen: r.IntN(2) == 0, HiOpen: r.IntN(2) == 0}
	bound := func() []Value {
		var out []Value
		for _, k := range t.Keys[:r.IntN(len(t.Keys)+1)] {
			out = append(out, ValueAt(constants(r, tab.schema[tab.schema.Index(k)].Type, 1), 0))
		}
		return out
	}
	t.Lo, t.Hi = bound(), bound()
	return t
}

func randomCondition(r *rand.Rand, tab *table, key []string, depth int) Condition {
	c := Condition{}
	for range 1 + r.IntN(3) {
		c.Terms = append(c.Terms, randomTerm(r, tab, key, depth))
	}
	return c
}

// TestPruneNeverLosesRows compares Prune and MatchRows with the definition, on random tables, keys, indexes and conditions.
func TestPruneNeverLosesRows(t *testing.T) {
	pool := []string{"UInt8", "Int32", "Int64", "Float64", "String", "Nullable(Int32)", "Nullable(String)", "LowCardinality(String)", "FixedString(3)", "Date",
		"Decimal(38, 10)", "UUID", "Array(String)", "Nullable(Float64)", "Enum8('a' = 1, 'b' = 2)", "Array(Int16)", "IPv6"}
	fs := vfs.NewMem()
	steps := map[string]int{}
	conditions, possible, kept, needed := 0, 0, 0, 0
	for seed := range 60 {
		r := rand.New(rand.NewPCG(uint64(seed), 9))
		names := []string{}
		for range 2 + r.IntN(5) {
			names = append(names, pool[r.IntN(len(pool))])
		}
		var key []string
		for i, n := range names {
			if typ := mustType(t, n); isScalar(typ) && len(key) < r.IntN(4) {
				key = append(key, fmt.Sprintf("c%d", i))
			}
		}
		tab := randomTable(t, r, names, 1+r.IntN(400), key...)
		o := Options{SortKey: key, Granularity: 1 + r.IntN(30), PrimaryLen: r.IntN(3), Indexes: randomIndexes(r, tab)}
		path := fmt.Sprint("/", seed)
		write(t, r, tab, o, fs, path)
		rd := open(t, fs, path, NewCache(1<<20, nil))
		for range 60 {
			c := randomCondition(r, tab, key, 2)
			set, st, err := rd.Prune(ctx, c, nil)
			if err != nil {
				t.Fatal(err)
			}
			rows, exact, err := rd.MatchRows(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			hit := NoGranules(rd.Granules())
			for row := range tab.block.N {
				match := naive(c, tab, row)
				if match {
					hit.Add(row / o.Granularity)
				}
				if match && !set.Has(row/o.Granularity) {
					t.Fatalf("seed %d, types %v, key %v: %s loses row %d: %s", seed, names, key, c, row, st)
				}
				if rows != nil && (match && !rows.Has(row) || exact && !match && rows.Has(row)) {
					t.Fatalf("seed %d: %s: bitmap rows differ from the definition at row %d (exact %v)", seed, c, row, exact)
				}
			}
			conditions, possible, kept, needed = conditions+1, possible+set.Len(), kept+set.Count(), needed+hit.Count()
			for _, s := range st.Steps {
				steps[s.Type] += s.Dropped
			}
		}
	}
	t.Logf("%d conditions over %d granules: %d needed, %d kept; dropped by %v", conditions, possible, needed, kept, steps)
	for _, typ := range []string{"primary", IndexMinMax, IndexSet, IndexBloom, IndexTokens, IndexNgrams, "bitmap"} {
		if steps[typ] == 0 {
			t.Errorf("%s never dropped a granule", typ)
		}
	}
}

func randomIndexes(r *rand.Rand, tab *table) []Index {
	var out []Index
	for _, f := range tab.schema {
		for _, ix := range []Index{
			{Type: IndexSet, Params: []float64{float64(r.IntN(9))}}, {Type: IndexBloom, Params: []float64{0.01}}, {Type: IndexTokens, Params: []float64{128, 2, 0}},
			{Type: IndexNgrams, Params: []float64{2, 256, 2, 0}}, {Type: IndexMinMax},
		} {
			ix.Name, ix.Column, ix.Granularity = fmt.Sprintf("%s_%s", ix.Type, f.Name), f.Name, 1+r.IntN(3)
			if r.IntN(2) == 0 && ix.check(f.Type) == nil {
				out = append(out, ix)
			}
		}
	}
	return out
}

// TestPruneExact checks what each index drops where the answer is known.
func TestPruneExact(t *testing.T) {
	const rows = 100
	a, b := make([]uint32, rows), make([]int64, rows)
	s := column.NewStr(types.TString, rows)
	day := make([]uint16, rows)
	for i := range rows {
		a[i], b[i], day[i] = uint32(i/20), int64(i%20), uint16(i/50)
		s.AppendString(fmt.Sprintf("user%d clicked", i%7))
	}
	tab := &table{schema: column.Schema{{Name: "a", Type: types.TUInt32}, {Name: "b", Type: types.TInt64}, {Name: "s", Type: types.TString}},
		block: column.NewBlock(column.NewNum(types.TUInt32, a), column.NewNum(types.TInt64, b), s)}
	fs, path := vfs.NewMem(), "/s"
	w, err := NewWriter(fs, path, Options{Schema: tab.schema, Exprs: column.Schema{{Name: "toDate(x)", Type: types.TDate}}, SortKey: []string{"a", "b"}, Granularity: 10})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Append(column.NewBlock(append(tab.block.Cols, column.NewNum(types.TDate, day))...)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	rd := open(t, fs, path, nil)
	u := func(x uint32) column.Vector { return column.NewNum(types.TUInt32, []uint32{x}) }
	i := func(x ...int64) column.Vector { return column.NewNum(types.TInt64, x) }
	key := func(x uint32, y int64) []Value { return []Value{ValueAt(u(x), 0), ValueAt(i(y), 0)} }
	for _, tc := range []struct {
		c    Condition
		want string
	}{
		{And(), "10 of 10: 0-9"},
		{And(Cmp("a", kernel.Eq, u(2))), "2 of 10: 4-5"},
		{And(Cmp("a", kernel.Eq, u(2)), Cmp("b", kernel.Lt, i(5))), "1 of 10: 4"},
		{And(Cmp("b", kernel.Ge, i(10))), "5 of 10: 1 3 5 7 9"},
		{And(Term{Kind: In, Column: "b", Values: i(3, 100, -1)}), "5 of 10: 0 2 4 6 8"},
		{And(Cmp("toDate(x)", kernel.Gt, column.NewNum(types.TDate, []uint16{0}))), "5 of 10: 5-9"},
		{And(Term{Kind: KeyRange, Keys: []string{"a", "b"}, Lo: key(1, 12), Hi: key(2, 9)}), "2 of 10: 3-4"},
		{And(Term{Kind: KeyRange, Keys: []string{"a", "b"}, Lo: key(4, 19), LoOpen: true}), "0 of 10:"},
		{And(Or(And(Cmp("a", kernel.Eq, u(0))), And(Cmp("a", kernel.Eq, u(4)), Cmp("b", kernel.Eq, i(15))))), "3 of 10: 0-1 9"},
		{And(Cmp("s", kernel.Eq, column.NewStrings("user9 clicked"))), "0 of 10:"},
		{And(Cmp("missing", kernel.Eq, u(1))), "10 of 10: 0-9"},
		{And(Cmp("a", kernel.Eq, i(2))), "10 of 10: 0-9"}, // a constant of another type prunes nothing
	} {
		set, st, err := rd.Prune(ctx, tc.c, nil)
		if err != nil {
			t.Fatal(err)
		}
		if set.String() != tc.want {
			t.Errorf("%s: %s, want %s; %s", tc.c, set, tc.want, st)
		}
	}
	rows2, exact, err := rd.MatchRows(ctx, And(Cmp("s", kernel.Eq, column.NewStrings("user3 clicked"))))
	if err != nil || !exact || rows2.Count() != 14 || fmt.Sprint(rows2.AppendRange(nil, 10, 40)) != "[0 7 14 21 28]" {
		t.Errorf("bitmap rows: %v %v %v", rows2, exact, err)
	}
	for _, at := range [][2]int{{0, 100}, {10, 40}, {3, 3}, {50, 100}} {
		mask := make([]uint8, at[1]-at[0])
		for i := range mask {
			mask[i] = 7 // whatever stood there
		}
		rows2.Mask(mask, at[0])
		n := 0
		for i, m := range mask {
			if want := rows2.Has(at[0] + i); want != (m == 1) {
				t.Errorf("row %d of %v: %d", at[0]+i, at, m)
			}
			n += int(m)
		}
		if got := rows2.CountRange(at[0], at[1]); got != n {
			t.Errorf("%d rows in %v, counted %d", n, at, got)
		}
	}
	lo, hi, nulls, err := rd.PageBounds(1, 0)
	if err != nil || lo.String() != "0" || hi.String() != "19" || nulls != 0 {
		t.Errorf("page bounds %s %s %d %v", lo, hi, nulls, err)
	}
	if r := rd.Ranges(&Granules{n: 10, bits: []uint64{0b1000000111}}); fmt.Sprint(r) != "[{0 30} {90 100}]" {
		t.Errorf("ranges %v", r)
	}
}

func TestSuccessor(t *testing.T) {
	for in, want := range map[string]string{"a": "b", "a\xff": "b", "ab\xff\xff": "ac"} {
		if got := successor([]byte(in)); string(got) != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	if successor(bytes.Repeat([]byte{0xff}, 3)) != nil || successor(nil) != nil {
		t.Error("no successor expected")
	}
}
