package exec

import (
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/plan"
)

// fillGrid walks over the values that keys WITH FILL should have: cur is where it is, to what must not be passed. As ClickHouse does it:
// the last key steps first; a key that reaches its TO begins anew while the key before it makes a step.
type fillGrid struct {
	keys []*fillKey
	cur  []fillValue
	to   []fillValue
	base []fillValue // the last input row, which STALENESS counts from
	// yielded says that the first value of the grid has been yielded already.
	yielded bool
}

func newFillGrid(keys []plan.FillKey, fields column.Schema, zone *time.Location) *fillGrid {
	g := &fillGrid{}
	for _, k := range keys {
		g.keys = append(g.keys, newFillKey(k, fields[k.Index].Type.Inner(), zone))
	}
	n := len(keys)
	g.cur, g.to, g.base = nullFill(n), nullFill(n), nullFill(n)
	return g
}

func nullFill(n int) []fillValue {
	out := make([]fillValue, n)
	for i := range out {
		out[i].null = true
	}
	return out
}

func (g *fillGrid) hasNull(b *column.Block, row int) bool {
	for _, k := range g.keys {
		if column.IsNull(b.Cols[k.at], row) {
			return true
		}
	}
	return false
}

// start begins a group with its first row; true: the grid begins before it and its first value is to be yielded.
func (g *fillGrid) start(b *column.Block, row int) bool {
	g.cur, g.to, g.base = nullFill(len(g.keys)), nullFill(len(g.keys)), nullFill(len(g.keys))
	g.yielded = false
	for i, k := range g.keys {
		v := k.value(b, row)
		if !k.from.null && k.from != v {
			g.defaults(i)
			g.yielded = k.less(k.from, v)
			return g.yielded
		}
		g.cur[i] = v
	}
	return false
}

// alone begins a grid without rows; true: its first value is to be yielded.
func (g *fillGrid) alone() bool {
	g.defaults(0)
	for i, k := range g.keys {
		g.to[i] = k.to
	}
	first := g.keys[0]
	return !first.from.null && !first.to.null && g.before(g.cur, g.to)
}

// reach makes an input row what must not be passed; true: the value at hand lies before it and has not been yielded.
func (g *fillGrid) reach(b *column.Block, row int) bool {
	first := g.before(g.to, g.cur) || g.untouched()
	for i, k := range g.keys {
		g.to[i] = k.bounded(k.value(b, row), g.base[i])
	}
	return g.take(first)
}

// finish lets the grid go on to TO, or as far as STALENESS reaches; true as for reach.
func (g *fillGrid) finish() bool {
	first := g.before(g.to, g.cur) || g.untouched()
	for i, k := range g.keys {
		g.to[i] = k.bounded(fillValue{null: true}, g.base[i])
	}
	return g.take(first)
}

func (g *fillGrid) take(first bool) bool {
	yield := first && !g.yielded && g.before(g.cur, g.to)
	g.yielded = false
	return yield
}

// untouched reports whether no row was reached yet.
func (g *fillGrid) untouched() bool {
	for _, v := range g.to {
		if !v.null {
			return false
		}
	}
	return true
}

// passed notes an input row that was yielded. STALENESS counts from it, and the grid goes on behind it.
func (g *fillGrid) passed(b *column.Block, row int) {
	for i, k := range g.keys {
		if !k.stale {
			continue
		}
		v := k.value(b, row)
		g.base[i], g.to[i] = v, v
		g.cur[i] = k.jump(g.cur[i], v)
	}
}

// next moves to the next value before to; false if there is none.
func (g *fillGrid) next() bool {
	pos := 0
	for pos < len(g.keys) && (g.cur[pos].null || g.to[pos].null || g.cur[pos] == g.to[pos]) {
		pos++
	}
	if pos == len(g.keys) {
		return false
	}
	k := g.keys[pos]
	if !k.to.null && k.less(k.to, g.cur[pos]) {
		return false
	}
	for i := len(g.keys) - 1; i > pos; i-- {
		inner := g.keys[i]
		if inner.to.null || g.cur[i].null {
			continue
		}
		v, ok := inner.step(g.cur[i])
		if !ok || !inner.less(v, inner.to) {
			continue
		}
		g.cur[i] = v
		g.defaults(i + 1)
		return true
	}
	v, ok := k.step(g.cur[pos])
	if !ok || k.less(g.to[pos], v) || v == k.to {
		return false
	}
	g.cur[pos] = v
	if v != g.to[pos] {
		g.defaults(pos + 1)
		return true
	}
	less := false
	for i := pos + 1; i < len(g.keys); i++ {
		inner := g.keys[i]
		if g.cur[i] = inner.from; inner.from.null {
			g.cur[i] = g.to[i]
		}
		less = less || !g.cur[i].null && !g.to[i].null && inner.less(g.cur[i], g.to[i])
	}
	return less
}

// defaults lets keys begin anew.
func (g *fillGrid) defaults(from int) {
	for i := from; i < len(g.keys); i++ {
		g.cur[i] = g.keys[i].from
	}
}

// before compares two rows of keys; what is not known does not count.
func (g *fillGrid) before(a, b []fillValue) bool {
	for i, k := range g.keys {
		if a[i].null || b[i].null || a[i] == b[i] {
			continue
		}
		return k.less(a[i], b[i])
	}
	return false
}

func (g *fillGrid) append(b column.Builder, i int) { g.keys[i].append(b, g.cur[i]) }
