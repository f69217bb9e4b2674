package function

import (
	"slices"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// loadable is an aggregate under a combinator, and the saved states of a few rows.
type loadable struct {
	name  string
	fn    Aggregate
	saved [][]byte
}

// loadables is every aggregate with every combinator over the first of some argument types that it takes.
func loadables(t testing.TB) []loadable {
	var names []string
	for n, f := range families {
		if n == f.Name {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	ns := ints(5, -3, 5, 7)
	us := column.NewNum(types.TUInt8, []uint8{1, 0, 1, 2})
	ss := column.NewStrings("a", "", "b", "a")
	arr := column.New(types.NewArray(types.TUInt8), 4)
	m := column.New(types.NewMap(types.TString, types.TUInt8), 4)
	for _, x := range [][]any{{uint8(1), uint8(2)}, {}, {uint8(3)}, {uint8(3)}} {
		column.AppendValue(arr, x)
		column.AppendValue(m, [][2]any{{"k", uint8(len(x))}})
	}
	half := []column.Vector{column.NewNum(types.TFloat64, []float64{0.5})}
	two := []column.Vector{column.NewNum(types.TUInt8, []uint8{2})}
	argLists := [][]column.Vector{{ns}, {us}, {ss}, {nullable([]uint8{0, 1, 0, 0}, ss)}, {us, us}, {ss, us}, {us, us, us}, {arr}, {arr, arr}, {m}, {nullable([]uint8{1, 0, 0, 1}, ns), us}, {}}
	var out []loadable
	for _, base := range names {
		for _, c := range []string{"", "If", "Array", "ForEach", "Distinct", "OrNull", "OrDefault", "Map", "ArrayIf", "State", "ArgMin"} {
			taken := 0
			for _, args := range argLists {
				for _, params := range [][]column.Vector{nil, half, two} {
					if l, ok := saved(t, base+c, params, args); ok && taken < 2 {
						out = append(out, l)
						taken++
						break
					}
				}
			}
		}
	}
	return out
}

func saved(t testing.TB, name string, params, args []column.Vector) (loadable, bool) {
	var ts []*types.Type
	for _, a := range args {
		ts = append(ts, a.Type())
	}
	fn, err := BindAggregate(nil, name, params, ts, false)
	if err != nil {
		return loadable{}, false
	}
	s := fn.New()
	s.Grow(2)
	if err := s.Add([]uint32{0, 0, 1, 0}, args, 4); err != nil {
		return loadable{}, false
	}
	bytes := column.NewStr(types.TString, 2)
	s.Save(bytes, 0, 2)
	return loadable{name: name, fn: fn, saved: [][]byte{bytes.At(0), bytes.At(1)}}, true
}

// hostile loads bytes that may be no state; what loads must finish.
func (l *loadable) hostile(t testing.TB, b []byte) {
	s := l.fn.New()
	s.Grow(1)
	v := column.NewStr(types.TString, 1)
	v.Append(b)
	if s.Load(nil, v) != nil {
		return
	}
	if out, err := s.Finish(0, 1); err == nil && out.Len() != 1 {
		t.Errorf("%s of %x: %d values", l.name, b, out.Len())
	}
}

// What was saved loads and saves as the same result; cut off or changed bytes are refused or harmless.
func TestLoad(t *testing.T) {
	all := loadables(t)
	if len(all) < 500 {
		t.Fatalf("only %d aggregates", len(all))
	}
	for _, l := range all {
		for _, b := range l.saved {
			s := l.fn.New()
			s.Grow(1)
			v := column.NewStr(types.TString, 1)
			v.Append(b)
			if err := s.Load(nil, v); err != nil {
				t.Errorf("%s %s: %v", l.name, l.fn.Result(), err)
			}
			for i := range min(len(b), 24) {
				l.hostile(t, b[:i])
				for _, x := range []byte{0x7f, 0xff, b[i] + 1} {
					changed := slices.Clone(b)
					changed[i] = x
					l.hostile(t, changed)
				}
			}
			l.hostile(t, append(slices.Clone(b), 0))
		}
	}
}

func FuzzLoad(f *testing.F) {
	all := loadables(f)
	for i, l := range all {
		f.Add(uint16(i), l.saved[0])
	}
	f.Fuzz(func(t *testing.T, i uint16, b []byte) { all[int(i)%len(all)].hostile(t, b) })
}
