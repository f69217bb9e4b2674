package dictionary

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func field(name string, t *types.Type) column.Field { return column.Field{Name: name, Type: t} }

func attribute(name, def string) Attribute {
	return Attribute{Name: name, Type: types.TString, Default: column.NewStrings(def)}
}

// built makes a dictionary of blocks and checks that it holds in its budget what it says, and nothing once that is released.
func built(t *testing.T, s *Shape, blocks ...*column.Block) *Data {
	t.Helper()
	budget := mem.NewBudget("test", mem.NoLimit)
	b := NewBuilder(s, budget)
	for _, x := range blocks {
		if err := b.Add(x); err != nil {
			t.Fatal(err)
		}
	}
	d, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if budget.Used() != d.Bytes() {
		t.Errorf("%d bytes are reserved for a dictionary of %d", budget.Used(), d.Bytes())
	}
	return d
}

func lookup(t *testing.T, d *Data, at column.Vector, keys ...column.Vector) []string {
	t.Helper()
	found, rows, err := d.Lookup(context.Background(), keys, at, keys[0].Len())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	v := found.Gather(0, rows)
	for i := range v.Len() {
		out = append(out, column.Value(v, i).(string))
	}
	return out
}

// TestFind compares lookups with a map, for keys that come once and several times.
func TestFind(t *testing.T) {
	for _, layout := range []Layout{Flat, Hashed} {
		for _, span := range []uint64{10, 1000, 100_000} {
			r := rand.New(rand.NewPCG(1, span))
			s := &Shape{Name: "d", Layout: layout, Simple: true, Key: column.Schema{field("k", types.TUInt64)}, Attributes: []Attribute{attribute("a", "none")}, Parent: -1, MaxArray: 1 << 20}
			want := map[uint64]string{}
			var blocks []*column.Block
			for range 3 {
				var keys []uint64
				values := column.NewStrings()
				for i := range 500 {
					k, v := r.Uint64N(span), fmt.Sprint("v", len(blocks), "-", i)
					keys = append(keys, k)
					values.AppendString(v)
					if _, there := want[k]; !there || layout == Flat { // the first row of a key is kept, of a flat layout the last
						want[k] = v
					}
				}
				blocks = append(blocks, column.NewBlock(column.NewNum(types.TUInt64, keys), values))
			}
			d := built(t, s, blocks...)
			if d.Rows() != len(want) || d.Block().N != len(want) {
				t.Errorf("layout %d: %d rows for %d keys", layout, d.Rows(), len(want))
			}
			var keys []uint64
			for k := range span + 10 {
				keys = append(keys, k)
			}
			for i, got := range lookup(t, d, nil, column.NewNum(types.TUInt64, keys)) {
				expected, ok := want[uint64(i)]
				if !ok {
					expected = "none"
				}
				if got != expected {
					t.Fatalf("layout %d, key %d: %s, want %s", layout, i, got, expected)
				}
			}
		}
	}
}

func TestFindComplex(t *testing.T) {
	s := &Shape{Name: "d", Layout: Hashed, Key: column.Schema{field("a", types.TString), field("b", types.TInt32)}, Attributes: []Attribute{attribute("v", "-")}, Parent: -1}
	d := built(t, s, column.NewBlock(column.NewStrings("x", "x", "y", "x"), column.NewNum(types.TInt32, []int32{1, 2, 1, 1}), column.NewStrings("x1", "x2", "y1", "again")))
	got := lookup(t, d, nil, column.NewStrings("x", "x", "y", "y", ""), column.NewNum(types.TInt32, []int32{1, 2, 1, 2, 0}))
	if fmt.Sprint(got) != "[x1 x2 y1 - -]" || d.Rows() != 3 {
		t.Errorf("%v of %d rows", got, d.Rows())
	}
}

// TestRanges compares searches among intervals with a scan of all of them.
func TestRanges(t *testing.T) {
	for _, latest := range []bool{false, true} {
		r := rand.New(rand.NewPCG(2, 0))
		const n, span = 400, 60
		keys, from, to, names := make([]uint64, n), make([]int32, n), make([]int32, n), column.NewStrings()
		for i := range n {
			keys[i] = r.Uint64N(12)
			from[i] = r.Int32N(span) - span/2
			to[i] = from[i] + r.Int32N(span/4) - 2
			names.AppendString(fmt.Sprint(from[i], " ", to[i]))
		}
		s := &Shape{Name: "d", Layout: RangeHashed, Simple: true, Key: column.Schema{field("k", types.TUInt64)}, Range: column.Schema{field("f", types.TInt32), field("t", types.TInt32)},
			Point: types.TInt32, Latest: latest, Attributes: []Attribute{attribute("v", "none")}, Parent: -1}
		d := built(t, s, column.NewBlock(column.NewNum(types.TUInt64, keys), column.NewNum(types.TInt32, from), column.NewNum(types.TInt32, to), names))
		for k := range uint64(14) {
			for p := int32(-span); p < span; p++ {
				want, best := "none", -1
				for i := range n {
					if keys[i] != k || from[i] > p || to[i] < p {
						continue
					}
					if best >= 0 {
						before := from[i] < from[best] || from[i] == from[best] && to[i] < to[best]
						if latest == before {
							continue
						}
					}
					best, want = i, string(names.At(i))
				}
				if got := lookup(t, d, column.NewNum(types.TInt32, []int32{p}), column.NewNum(types.TUInt64, []uint64{k})); got[0] != want {
					t.Fatalf("latest %v, key %d, point %d: %s, want %s", latest, k, p, got[0], want)
				}
			}
		}
	}
}

func TestOrdinals(t *testing.T) {
	inc := []column.Vector{
		column.NewNum(types.TFloat64, []float64{-1e300, -1, -1e-300, 0, 1e-300, 1, 1e300}), column.NewNum(types.TFloat32, []float32{-2, -1, 0, 1, 2}),
		column.NewNum(types.TInt8, []int8{-128, -1, 0, 1, 127}), column.NewNum(types.TUInt16, []uint16{0, 1, 65535}), column.NewNum(types.TInt64, []int64{-1 << 63, -1, 0, 1}),
	}
	for _, v := range inc {
		o, err := ordinals(v, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i := range o[1:] {
			if o[i] >= o[i+1] {
				t.Errorf("%s: value %d is not before the next", v.Type(), i)
			}
		}
	}
}

// TestTrie compares the longest prefix with a scan of all of them.
func TestTrie(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 0))
	prefixes := column.NewStrings("0.0.0.0/0", "10.0.0.0/8", "10.0.0.1", "::/0")
	for range 200 {
		a := netip.AddrFrom4([4]byte{10, byte(r.IntN(4)), byte(r.IntN(4)), byte(r.IntN(256))})
		prefixes.AppendString(netip.PrefixFrom(a, 8+r.IntN(25)).String())
	}
	names := column.NewStrings()
	var all []netip.Prefix
	for i := range prefixes.Len() {
		p, err := parsePrefix(string(prefixes.At(i)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
		names.AppendString(p.String())
	}
	s := &Shape{Name: "d", Layout: IPTrie, Key: column.Schema{field("p", types.TString)}, Attributes: []Attribute{attribute("v", "none")}, Parent: -1}
	d := built(t, s, column.NewBlock(prefixes, names))
	for range 5000 {
		v4 := [4]byte{byte(9 + r.IntN(3)), byte(r.IntN(4)), byte(r.IntN(4)), byte(r.IntN(256))}
		a := netip.AddrFrom16(netip.AddrFrom4(v4).As16())
		want := netip.Prefix{}
		for _, p := range all {
			if p.Contains(a) && (!want.IsValid() || p.Bits() > want.Bits()) {
				want = p
			}
		}
		n := uint32(v4[0])<<24 | uint32(v4[1])<<16 | uint32(v4[2])<<8 | uint32(v4[3])
		if got := lookup(t, d, nil, column.NewNum(types.TIPv4, []uint32{n})); got[0] != want.String() {
			t.Fatalf("%s: %s, want %s", a, got[0], want)
		}
	}
	for _, bad := range []string{"", "x", "10.0.0.0/33", "10.0.0.0/", "::1%eth0", "10.0.0"} {
		if _, err := parsePrefix(bad); !sqlerr.Is(err, sqlerr.CannotParseIPv6) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestLimits(t *testing.T) {
	s := &Shape{Name: "d", Layout: Flat, Simple: true, Key: column.Schema{field("k", types.TUInt64)}, Attributes: []Attribute{attribute("a", "")}, Parent: -1, MaxArray: 10}
	budget := mem.NewBudget("test", 1000)
	b := NewBuilder(s, budget)
	if err := b.Add(column.NewBlock(column.NewNum(types.TUInt64, []uint64{10}), column.NewStrings("x"))); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Finish(); !sqlerr.Is(err, sqlerr.ArgumentOutOfBound) {
		t.Errorf("a key beyond the array: %v", err)
	}
	b = NewBuilder(s, budget)
	big := column.NewBlock(column.NewNum(types.TUInt64, make([]uint64, 1000)), column.Flatten(column.NewDefaults(types.TString, 1000)))
	if err := b.Add(big); !sqlerr.Is(err, sqlerr.MemoryLimitExceeded) {
		t.Errorf("beyond the budget: %v", err)
	}
	b.Discard()
	if budget.Used() != 0 {
		t.Errorf("%d bytes are held after errors", budget.Used())
	}
	sparse := *s
	sparse.MaxArray = 1 << 32
	b = NewBuilder(&sparse, budget)
	if err := b.Add(column.NewBlock(column.NewNum(types.TUInt64, []uint64{1 << 31}), column.NewStrings("x"))); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Finish(); !sqlerr.Is(err, sqlerr.MemoryLimitExceeded) || budget.Used() != 0 {
		t.Errorf("an array beyond the budget: %v, %d bytes are held", err, budget.Used())
	}
	if err := b.Add(column.NewBlock(column.NewStrings("x"))); !sqlerr.Is(err, sqlerr.NumberOfColumnsDoesntMatch) {
		t.Errorf("one column of two: %v", err)
	}
}

func TestNullsAreDefaults(t *testing.T) {
	s := &Shape{Name: "d", Layout: Hashed, Simple: true, Key: column.Schema{field("k", types.TUInt64)}, Attributes: []Attribute{attribute("a", "none")}, Parent: -1}
	d := built(t, s, column.NewBlock(column.NewNum(types.TUInt64, []uint64{1, 2, 3}), column.NewNullable([]uint8{0, 1, 0}, column.NewStrings("x", "", "z"))))
	if got := lookup(t, d, nil, column.NewNum(types.TUInt64, []uint64{1, 2, 3, 4})); fmt.Sprint(got) != "[x none z none]" {
		t.Error(got)
	}
}

// TestHierarchy has a tree, a circle with a branch, and a key whose parent is not there.
func TestHierarchy(t *testing.T) {
	s := &Shape{Name: "d", Layout: Hashed, Simple: true, Key: column.Schema{field("k", types.TUInt64)},
		Attributes: []Attribute{{Name: "p", Type: types.TUInt64, Default: column.NewNum(types.TUInt64, []uint64{0})}}, Parent: 0}
	d := built(t, s, column.NewBlock(column.NewNum(types.TUInt64, []uint64{1, 2, 3, 10, 11, 12, 20, 30}), column.NewNum(types.TUInt64, []uint64{0, 1, 1, 11, 10, 11, 99, 30})))
	text := func(v column.Vector, err error) string {
		if err != nil {
			return err.Error()
		}
		out := ""
		for i := range v.Len() {
			out += fmt.Sprint(column.Value(v, i))
		}
		return out
	}
	keys := []uint64{1, 2, 10, 12, 20, 30, 77}
	if got := text(d.Ancestors(keys)); got != "[1][2 1][10 11][12 11 10][20 99][30][]" {
		t.Error("ancestors", got)
	}
	if got := text(d.Descendants(context.Background(), []uint64{0, 1, 10, 11, 99, 30, 77}, 0)); got != "[1 2 3][2 3][11 10 12][10 11 12][20][30][]" {
		t.Error("descendants", got)
	}
	if got := text(d.Descendants(context.Background(), []uint64{0, 1, 10}, 2)); got != "[2 3][][10 12]" {
		t.Error("descendants of level 2", got)
	}
	in, err := d.IsIn([]uint64{2, 2, 12, 1, 77}, []uint64{1, 3, 10, 1, 77})
	if err != nil || fmt.Sprint(in) != "[1 0 1 1 0]" {
		t.Error("is in", in, err)
	}
}
