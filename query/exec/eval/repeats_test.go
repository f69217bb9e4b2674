package eval

import (
	"sync"
	"testing"

	"github.com/zeebo/xxh3"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// compiled is a program of one expression that counts what it keeps.
func compiled(t *testing.T, e plan.Expr, kept *Kept) *Program {
	t.Helper()
	sets := NewSets(testEnv, false)
	sets.Keep(kept)
	p, err := Compile(testEnv, []plan.Expr{e}, sets)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRepeatsAreKeptOnce maps dictionaries to few strings, by several workers.
func TestRepeatsAreKeptOnce(t *testing.T) {
	for name, c := range map[string]int{"plain": 0, "nullable": 1} {
		arg := col(c, types.TString)
		if c == 1 {
			arg = col(c, types.NewNullable(types.TString))
		}
		e := callOf(t, "substring", arg, number(1), number(7))
		p, in := compiled(t, e, nil), block(20_000, 30_000, 29_999)
		results := make([]column.Vector, 4)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() { results[i], _ = p.Run1(in) })
		}
		wg.Wait()
		flat := *in
		flat.Cols = []column.Vector{column.Flatten(in.Cols[0]), column.Flatten(in.Cols[1]), in.Cols[2]}
		want, err := compiled(t, e, nil).Run1(&flat)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			same(t, name, r, want)
			d, _ := dictOf(r)
			if d == nil || !d.Unique || d.Values.Len() > 12 || len(d.Hashes) != d.Values.Len() {
				t.Fatalf("%s: %T of %d distinct strings", name, r, d.Values.Len())
			}
			for i, h := range d.Hashes {
				if h != xxh3.Hash(d.Values.(*column.Str).At(i)) {
					t.Errorf("%s: hash of %q", name, d.Values.(*column.Str).At(i))
				}
			}
		}
	}
}

// TestRepeatsInSomeChunks has entries of which the later ones do not repeat any more.
func TestRepeatsInSomeChunks(t *testing.T) {
	values := dictionary(40_000)
	few := column.NewStr(types.TString, values.Len())
	for i := range values.Len() {
		if s := values.At(i); i < 20_000 {
			few.Append(append([]byte("x"), byte(i%100)))
		} else {
			few.Append(s)
		}
	}
	in := column.NewBlock(&column.Dict{Codes: codesOver(10_000, few.Len()), Values: few})
	e := callOf(t, "lower", col(0, types.TString))
	got, err := compiled(t, e, nil).Run1(in)
	if err != nil {
		t.Fatal(err)
	}
	want, err := compiled(t, e, nil).Run1(column.NewBlock(column.Flatten(in.Cols[0])))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "lower", got, want)
}

// TestMask evaluates conditions over entries.
func TestMask(t *testing.T) {
	in := block(100, 20_000, 19_999)
	for c, arg := range []plan.Expr{col(0, types.TString), col(1, types.NewNullable(types.TString))} {
		p := compiled(t, callOf(t, "less", callOf(t, "length", callOf(t, "ifNull", arg, text(""))), number(7)), nil)
		if _, known, err := p.Mask(in.Cols[c], c, false); known || err != nil {
			t.Fatalf("known before it was evaluated: %v, %v", known, err)
		}
		mask, known, err := p.Mask(in.Cols[c], c, true)
		if !known || err != nil || len(mask) != 20_000+c {
			t.Fatalf("%d of 20000 entries, %v, %v", len(mask), known, err)
		}
		if mask[0] != 0 || mask[19_999] != 1 || c == 1 && mask[20_000] != 1 {
			t.Errorf("entry 0: %d, the empty one: %d", mask[0], mask[19_999])
		}
		if again, known, _ := p.Mask(in.Cols[c], c, false); !known || &again[0] != &mask[0] {
			t.Error("evaluated again")
		}
	}
	p := compiled(t, callOf(t, "equals", callOf(t, "intDiv", number(1), callOf(t, "length", col(0, types.TString))), number(1)), nil)
	if mask, known, err := p.Mask(in.Cols[0], 0, true); mask != nil || !known || err != nil {
		t.Errorf("an entry fails: %d entries, %v, %v", len(mask), known, err)
	}
}

// TestKept counts what is kept, and computes rows where there is no room for it.
func TestKept(t *testing.T) {
	in := block(20_000, 30_000, 29_999)
	e := callOf(t, "upper", col(0, types.TString))
	want, _ := compiled(t, e, nil).Run1(in)
	for _, limit := range []int64{0, 100_000, 1000} {
		budget := mem.NewBudget("test", limit)
		kept := NewKept(budget)
		got, err := compiled(t, e, kept).Run1(in)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "upper", got, want)
		_, coded := got.(*column.Dict)
		if coded != (limit == 0) || coded != (budget.Used() > 0) {
			t.Errorf("limit %d: %T, %d bytes are kept", limit, got, budget.Used())
		}
		kept.Close()
		if budget.Used() != 0 {
			t.Errorf("%d bytes are left", budget.Used())
		}
	}
}
