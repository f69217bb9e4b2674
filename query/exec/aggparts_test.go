package exec

import (
	"math"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/grouping"
)

// Of keys equally frequent, the groups of the first rows tell how many there will be.
func TestDistinctOf(t *testing.T) {
	const total = 10e6
	for _, keys := range []float64{20e3, 200e3, 1.7e6, 5e6} {
		among := func(rows float64) float64 { return -keys * math.Expm1(-rows/keys) }
		got, want := DistinctOf(65536, int(among(65536)), total), among(total)
		if got < want*0.95 || got > want*1.05 {
			t.Errorf("%v keys: %v groups expected, there are %v", keys, got, want)
		}
	}
	if got := DistinctOf(65536, 65536, total); got != total {
		t.Errorf("keys that never repeat: %v groups expected", got)
	}
	if got := DistinctOf(1, 1, 1); got != 1 {
		t.Errorf("one row: %v groups expected", got)
	}
}

// Whatever law keys come by, the groups after the first visit tell better how many there will be than those of the first rows.
func TestFurther(t *testing.T) {
	const total = 50e6
	for name, groups := range map[string]func(rows float64) float64{
		"always new ones":             func(rows float64) float64 { return rows },
		"half of the rows":            func(rows float64) float64 { return rows / 2 },
		"a power":                     func(rows float64) float64 { return 20 * math.Pow(rows, 0.7) },
		"a million, equally frequent": func(rows float64) float64 { return -1e6 * math.Expm1(-rows/1e6) },
		"all there":                   func(float64) float64 { return 40_000 },
	} {
		first, now := sample{65536, int(groups(65536))}, sample{6_000_000, int(groups(6e6))}
		want := groups(total)
		if got := float64(first.further(now, total)); got < want*0.9 || got > want*3 {
			t.Errorf("%s: %v groups expected, there are %v", name, got, want)
		}
	}
	if got := (sample{100, 50}).further(sample{1000, 70}, 10); got != 70 {
		t.Errorf("no rows left: %v groups expected of 70", got)
	}
}

// TestRunsOfTwoForms: states that came as bytes and such that came as numbers are not joined in one run, and follow each other.
func TestRunsOfTwoForms(t *testing.T) {
	numbers, bytes := column.NewNum(types.TUInt64, []uint64{1, 2, 3}), column.NewStrings("a", "b")
	r := &aggRun{cols: make([]runColumn, 1)}
	for _, v := range []column.Vector{numbers, bytes, numbers} {
		other := column.Vector(bytes)
		if v == other {
			other = numbers
		}
		r.cols[0].add(v, 0, v.Len(), true)
		r.n = v.Len()
		if !r.fits(&aggBlock{vals: []column.Vector{v}}) || r.fits(&aggBlock{vals: []column.Vector{other}}) {
			t.Errorf("a run of %s takes %s, or not its own", v.Type(), other.Type())
		}
		if got := r.vectors()[0]; got.Len() != v.Len() || !got.Type().Equal(v.Type()) {
			t.Errorf("%d values of %s, want %d of %s", got.Len(), got.Type(), v.Len(), v.Type())
		}
		r.reset()
	}
}

// Rows are gathered for one visit of the partitions as long as their groups would take a quarter as much, whatever the number of rows; never beyond the
// limit from which partitions are written, and without such a limit only where the groups take more.
func TestRoomGrowsWithGroups(t *testing.T) {
	const million = 1 << 20
	for _, c := range []struct {
		name                string
		rows, groups, limit int64
		all                 bool
	}{
		{"few groups", 100 * million, 100 * million / 100, 8 << 30, false},
		{"many groups", 50 * million, 50 * million / 8, 8 << 30, true},
		{"ten times as many", 500 * million, 500 * million / 8, 80 << 30, true},
		{"a limit below the rows", 50 * million, 50 * million / 8, 100 << 20, false},
		{"no limit", 50 * million, 50 * million / 16, 0, false},
		{"no limit, as many groups as rows", 50 * million, 50 * million, 0, true},
	} {
		s := &aggSet{a: &Aggregate{}, r: &run{opts: Options{Threads: 2}}, enc: grouping.NewEncoder([]*types.Type{types.TUInt64}, false)}
		s.r.read.rows.Store(c.rows)
		s.groupSize, s.spill.limit = s.bytesOfGroup(), c.limit
		s.expected.Store(c.groups)
		b := &aggBuffer{t: &aggTable{set: s, enc: s.enc, rows: int(c.rows / 2)}, arena: mem.NewArena(nil)}
		rows := 8 * c.rows / 2
		if room := b.room(); room >= rows != c.all || c.limit > 0 && room > c.limit {
			t.Errorf("%s: room for %d bytes of %d", c.name, room, rows)
		}
	}
}
