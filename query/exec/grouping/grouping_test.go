package grouping

import (
	"encoding/binary"
	"fmt"
	"math/rand"
	"strings"
	"sync"
	"testing"

	"github.com/zeebo/xxh3"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// randomVector builds n values of t from a small domain, in a random physical form.
func randomVector(r *rand.Rand, t *types.Type, n int) column.Vector {
	b := column.New(t, 8)
	for i := 0; i < 8; i++ {
		column.AppendValue(b, randomValue(r, t, i))
	}
	codes := make([]uint32, n)
	for i := range codes {
		codes[i] = uint32(r.Intn(8))
	}
	switch form := r.Intn(4); {
	case form == 0:
		return &column.Const{Value: b.Slice(0, 1), N: n}
	case form == 1 && (t.Phys() == types.PBytes):
		return &column.Dict{Codes: codes, Values: b}
	case form == 2 && t == types.TString:
		return uniqueDict(b.(*column.Str), codes, r.Intn(2) == 0)
	}
	return column.Gather(b, codes)
}

func randomValue(r *rand.Rand, t *types.Type, i int) any {
	switch t.Kind {
	case types.UInt8:
		return uint8(i % 3)
	case types.Int16:
		return int16(i - 4)
	case types.UInt64:
		return uint64(i)<<60 + 5
	case types.Float64:
		return float64(i) / 2
	case types.UUID:
		return types.U128{Lo: uint64(i % 2), Hi: uint64(i / 4)}
	case types.UInt256:
		return types.U256{uint64(i % 2), 5, 0, uint64(i / 3)}
	case types.String:
		return []string{"", "a", "b", "abcdefghijklmnop", "a", "zz", "\x00", "b"}[i]
	case types.Nullable:
		if r.Intn(3) == 0 {
			return nil
		}
		return randomValue(r, t.Elem(), i)
	case types.Array:
		return []any{randomValue(r, t.Elem(), i), randomValue(r, t.Elem(), (i+1)%8)}[:i%3]
	}
	panic(t.String())
}

func TestTableAgainstGoMap(t *testing.T) {
	u8, str, null := types.TUInt8, types.TString, types.NewNullable
	for _, ts := range [][]*types.Type{
		{u8}, {types.TUInt64}, {str}, {null(str)}, {types.TUUID}, {types.TFloat64, types.TInt16}, {u8, str},
		{str, str}, {null(types.TUInt64), str, u8}, {types.TUUID, types.TUUID}, {types.TUUID, types.TUInt64},
		{types.TUUID, types.TUUID, types.TUInt64}, {types.TUInt256}, {u8, null(types.TUInt256), types.TUUID}, {types.NewArray(str)}, {types.NewArray(null(str)), null(u8)},
	} {
		for _, collide := range []bool{false, true} {
			t.Run(fmt.Sprint(ts, collide), func(t *testing.T) { againstMap(t, ts, collide) })
		}
	}
}

func againstMap(t *testing.T, ts []*types.Type, collide bool) {
	r := rand.New(rand.NewSource(3))
	tab := New(ts, collide)
	enc2 := tab.enc.Fork()
	model := map[string]uint32{}
	encoded := map[string]string{}
	for round := 0; round < 20; round++ {
		n := r.Intn(30)
		cols := make([]column.Vector, len(ts))
		for i := range ts {
			cols[i] = randomVector(r, ts[i], n)
		}
		ids, found := make([]uint32, n), make([]uint32, n)
		if err := tab.Finder().Find(cols, found); err != nil {
			t.Fatal(err)
		}
		if err := tab.Insert(cols, ids); err != nil {
			t.Fatal(err)
		}
		words, err := enc2.Encode(cols, n)
		if err != nil {
			t.Fatal(err)
		}
		text := func(i int) string { return fmt.Sprint(words[i*enc2.stride : (i+1)*enc2.stride]) }
		before := uint32(len(model))
		for i := 0; i < n; i++ {
			key := rowText(cols, i)
			if _, ok := model[key]; !ok {
				model[key] = uint32(len(model))
				encoded[key] = text(i)
			}
			want := model[key]
			if ids[i] != want {
				t.Fatalf("row %s has number %d, want %d", key, ids[i], want)
			}
			if want >= before {
				want = Missing
			}
			if found[i] != want {
				t.Fatalf("row %s found as %d, want %d", key, found[i], want)
			}
			if encoded[key] != text(i) {
				t.Fatalf("row %s encoded as %s and %s", key, encoded[key], text(i))
			}
		}
	}
	if tab.Len() != len(model) {
		t.Fatalf("%d keys, want %d", tab.Len(), len(model))
	}
	keys := make([]column.Vector, len(ts))
	for i := range ts {
		keys[i] = tab.Key(i, 0, tab.Len())
	}
	for i := 0; i < tab.Len(); i++ {
		if id := model[rowText(keys, i)]; id != uint32(i) {
			t.Fatalf("key %d reads back as %s, which has number %d", i, rowText(keys, i), id)
		}
	}
}

func rowText(cols []column.Vector, i int) string {
	s := ""
	for _, c := range cols {
		s += fmt.Sprintf("%#v|", column.Value(c, i))
	}
	return s
}

// uniqueDict is the vector as storage gives it: distinct values, perhaps with their hashes.
func uniqueDict(v *column.Str, codes []uint32, hashed bool) *column.Dict {
	d := &column.Dict{Values: column.NewStr(v.Typ, 0), Unique: true, Codes: make([]uint32, len(codes))}
	values := d.Values.(*column.Str)
	seen := map[string]uint32{}
	for i, c := range codes {
		s := string(v.At(int(c)))
		if _, ok := seen[s]; !ok {
			seen[s] = uint32(values.Len())
			values.AppendString(s)
			if hashed {
				d.Hashes = append(d.Hashes, xxh3.HashString(s))
			}
		}
		d.Codes[i] = seen[s]
	}
	return d
}

// Workers that meet the same values in several dictionaries and as plain strings give them the same words.
func TestForksAgree(t *testing.T) {
	ts := []*types.Type{types.TString}
	for _, dense := range []bool{true, false} {
		enc := NewEncoder(ts, false)
		numbers := make([]map[string]uint64, 4)
		var wg sync.WaitGroup
		for w := range numbers {
			numbers[w] = map[string]uint64{}
			e := enc.Fork()
			wg.Add(1)
			go func() {
				defer wg.Done()
				r := rand.New(rand.NewSource(int64(w)))
				for round := range 50 {
					v := column.NewStr(types.TString, 0)
					codes := make([]uint32, 200)
					for i := range codes {
						v.AppendString(fmt.Sprint("value ", r.Intn(3000)))
						codes[i] = uint32(i)
					}
					var col column.Vector = uniqueDict(v, codes, round%2 == 0)
					if round%5 == 4 || !dense && round == 0 {
						col = v
					}
					words, err := e.Encode([]column.Vector{col}, 200)
					if err != nil {
						t.Error(err)
						return
					}
					for i, x := range words {
						s := string(v.At(i))
						if old, ok := numbers[w][s]; ok && old != x || int(x) >= e.Limit() {
							t.Errorf("%s is %d and %d, limit %d", s, old, x, e.Limit())
						}
						numbers[w][s] = x
					}
				}
			}()
		}
		wg.Wait()
		texts := map[uint64]string{}
		for _, m := range numbers {
			for s, x := range m {
				if old, ok := texts[x]; ok && old != s {
					t.Fatalf("%d is %s and %s", x, old, s)
				}
				texts[x] = s
				if got := column.Value(enc.Decode(0, []uint64{x}), 0); got != s {
					t.Fatalf("%d decodes to %v, want %s", x, got, s)
				}
			}
		}
		if len(texts) != len(distinctOf(numbers)) {
			t.Fatalf("%d numbers for %d values", len(texts), len(distinctOf(numbers)))
		}
	}
}

func distinctOf(ms []map[string]uint64) map[string]bool {
	all := map[string]bool{}
	for _, m := range ms {
		for s := range m {
			all[s] = true
		}
	}
	return all
}

// Values of every length around what lies in a span, in many chunks of spans, are found again and told apart, at the end of their vector too.
func TestManyStrings(t *testing.T) {
	const n = 20 * shortBytes * chunkSpans / 16
	e := NewEncoder([]*types.Type{types.TString}, false)
	r := rand.New(rand.NewSource(1))
	value := func(i int) string {
		return strings.Repeat("x", i%(2*shortBytes)) + string(binary.LittleEndian.AppendUint32(nil, uint32(i)))[:1+i%4] + strings.Repeat("\x00", i%3)
	}
	words := map[string]uint64{}
	for range 3 {
		for _, size := range []int{1, 3000, n} {
			v := column.NewStr(types.TString, size)
			for range size {
				v.AppendString(value(r.Intn(n)))
			}
			got, err := e.Encode([]column.Vector{v}, size)
			if err != nil {
				t.Fatal(err)
			}
			back := e.Decode(0, got).(*column.Str)
			for i, w := range got {
				s := string(v.At(i))
				if old, ok := words[s]; ok && old != w {
					t.Fatalf("%q is %d and %d", s, old, w)
				}
				words[s] = w
				if string(back.At(i)) != s {
					t.Fatalf("%d decodes to %q, want %q", w, back.At(i), s)
				}
			}
		}
	}
	if numbers := distinct(words); numbers != len(words) {
		t.Fatalf("%d numbers for %d values", numbers, len(words))
	}
	v := column.NewStr(types.TString, 2)
	v.AppendString(value(7))
	v.AppendString("not there")
	found, err := e.Reader().Encode([]column.Vector{v}, 2)
	if err != nil || found[0] != words[value(7)] || found[1] < uint64(e.Limit()) {
		t.Fatalf("a reader finds %v, %v; %d is known, numbers end at %d", found, err, words[value(7)], e.Limit())
	}
}

func distinct(words map[string]uint64) int {
	seen := map[uint64]bool{}
	for _, w := range words {
		seen[w] = true
	}
	return len(seen)
}
