package grouping

import (
	"fmt"
	"math/rand"
	"runtime"
	"testing"

	"github.com/zeebo/xxh3"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/types"
)

// lastingDict is a dictionary of values drawn from 0 to most, as a segment gives it, with one row for each.
func lastingDict(r *rand.Rand, entries, most int) *column.Dict {
	d := &column.Dict{Unique: true, Lasting: true}
	text := column.NewStr(types.TString, entries)
	for i, x := range r.Perm(most)[:entries] {
		s := fmt.Sprint("value ", x, "of a column of strings"[:x%22])
		text.AppendString(s)
		d.Hashes = append(d.Hashes, xxh3.HashString(s))
		d.Codes = append(d.Codes, uint32(i))
	}
	d.Values = text
	return d
}

// numberAll encodes the vectors and checks that equal values have equal words and others not, and that words decode to their values.
func numberAll(t *testing.T, e *Encoder, vs ...column.Vector) {
	t.Helper()
	words := map[string]uint64{}
	for _, v := range vs {
		got, err := e.Encode([]column.Vector{v}, v.Len())
		if err != nil {
			t.Fatal(err)
		}
		back := e.Decode(0, got)
		for i, w := range got {
			s := column.Value(v, i).(string)
			if old, ok := words[s]; ok && old != w || int(w) >= e.Limit() {
				t.Fatalf("%q is %d and %d, numbers end at %d", s, old, w, e.Limit())
			}
			words[s] = w
			if column.Value(back, i) != s {
				t.Fatalf("%d decodes to %v, want %q", w, column.Value(back, i), s)
			}
		}
	}
	if n := distinct(words); n != len(words) {
		t.Fatalf("%d numbers for %d values", n, len(words))
	}
}

func sharing(x *Unions, collide bool) *Encoder {
	e := NewEncoder([]*types.Type{types.TString}, collide)
	e.Share(x)
	return e
}

// Dictionaries in any order, larger than one goroutine works through alone, beside plain strings and dictionaries that do not last, number each
// other's values; the next query looks nothing up.
func TestUnions(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	const most = 3 * manyValues
	a, b, c := lastingDict(r, 2*manyValues, most), lastingDict(r, manyValues+1, most), lastingDict(r, 100, most)
	short := lastingDict(r, 500, most)
	short.Lasting = false
	plain := column.Flatten(lastingDict(r, 1000, 2*most))
	empty := lastingDict(r, 0, most)
	budget := mem.NewBudget("test", 0)
	x := NewUnions(1<<20, budget)
	few := c.With(c.Codes[:1])
	for _, vs := range [][]column.Vector{
		{a, b}, {b, a, c, b}, {c, a, plain, b}, {short, a, b}, {a, short, c}, {plain, a, b}, {a, plain, b, c}, {few, few, few, b}, {empty, c}, {c, empty, a}, {b, few, a, c},
	} {
		numberAll(t, sharing(x, false), vs...)
		if x.Bytes() != budget.Used() || x.Bytes() > 1<<20 {
			t.Fatalf("%d bytes are kept and %d reserved", x.Bytes(), budget.Used())
		}
	}
	e := sharing(x, false)
	numberAll(t, e, c, b, a)
	if n := e.cols[0].intern.indexed.Load(); n != 0 || e.Bytes() != 0 {
		t.Fatalf("values of %d dictionaries were put into tables for dictionaries known before; %d bytes", n, e.Bytes())
	}
	collided := sharing(nil, true)
	numberAll(t, collided, c, short, c.With(c.Codes[5:9]), short)
	runtime.KeepAlive([]*column.Dict{a, b, c})
}

// What is kept stays within its limit and that of the memory, without that anyone notices, and does not outlive the dictionaries.
func TestUnionsAreBounded(t *testing.T) {
	r := rand.New(rand.NewSource(4))
	budget := mem.NewBudget("test", 40_000)
	x := NewUnions(20_000, budget)
	var all []column.Vector
	for range 8 { // each pair takes some 6,000 bytes
		a, b := lastingDict(r, 800, 2000), lastingDict(r, 800, 2000)
		all = append(all, a, b)
		numberAll(t, sharing(x, false), a, b)
		if x.Bytes() > 20_000 || x.Bytes() != budget.Used() {
			t.Fatalf("%d bytes are kept, %d reserved", x.Bytes(), budget.Used())
		}
	}
	if x.Bytes() < 10_000 {
		t.Fatalf("only %d bytes are kept", x.Bytes())
	}
	if x.find(all[14].(*column.Dict).Values.(*column.Str)) == nil || x.find(all[0].(*column.Dict).Values.(*column.Str)) != nil {
		t.Fatal("not the least recently used went")
	}
	e := sharing(x, false)
	numberAll(t, e, all...) // too large to be kept
	if e.Bytes() < 8*16*800/2 {
		t.Fatalf("a union that is not kept counts as %d bytes of the query", e.Bytes())
	}
	if err := budget.Reserve(40_000 - budget.Used() - 10); err != nil {
		t.Fatal(err)
	}
	numberAll(t, sharing(x, false), all[3], all[8])
	runtime.KeepAlive(all)
	all, e = nil, nil
	for range 3 {
		runtime.GC()
	}
	a, b := lastingDict(r, 1, 2), lastingDict(r, 2, 2)
	numberAll(t, sharing(x, false), a, b)
	if n := x.mu.order.Len(); n > 1 {
		t.Fatalf("%d unions are kept, one of them over dictionaries that are there", n)
	}
	runtime.KeepAlive([]*column.Dict{a, b})
}

// A key that is one of many numbers is looked up like any other where few rows come at once.
func TestSparseNumbers(t *testing.T) {
	r := rand.New(rand.NewSource(5))
	d := lastingDict(r, 2*minDirectNumbers, 2*minDirectNumbers)
	x := NewUnions(1<<30, nil)
	other := lastingDict(r, 10, 2*minDirectNumbers)
	numberAll(t, sharing(x, false), d, other)
	tab := New([]*types.Type{types.TString}, false).Share(x)
	ids := make([]uint32, 3)
	for round := range 3 {
		if err := tab.Insert([]column.Vector{d.With([]uint32{7, 70_000, 7})}, ids); err != nil || ids[0] != 0 || ids[1] != 1 || ids[2] != 0 {
			t.Fatalf("round %d: %v, %v", round, ids, err)
		}
	}
	if n := tab.index.Bytes(); !tab.index.Hashed() || n > 8*minDirectNumbers {
		t.Fatalf("an index of 2 keys of %d bytes", n)
	}
	if err := tab.Finder().Find([]column.Vector{d.With([]uint32{70_000, 8, 7})}, ids); err != nil || ids[0] != 1 || ids[1] != Missing || ids[2] != 0 {
		t.Fatalf("found %v, %v", ids, err)
	}
	if k := tab.Key(0, 1, 2); column.Value(k, 0) != column.Value(d, 70_000) {
		t.Fatalf("key 1 is %v", column.Value(k, 0))
	}
	runtime.KeepAlive([]*column.Dict{d, other})
}
