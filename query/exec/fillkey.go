package exec

import (
	"math"
	"time"

	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// fillValue is a value of a key: f of a key of floats, else i.
type fillValue struct {
	null bool
	i    int64 // of UInt64 with the first bit flipped, so that the order is that of int64
	f    float64
}

// fillKey is the arithmetic of one key.
type fillKey struct {
	at            int
	t             *types.Type // without Nullable
	desc, float   bool
	from, to      fillValue
	by, staleness fillDistance
	stale         bool
	min, max      int64 // what the type holds
	scale         int64 // units a second, of times
	zone          *civil.Zone
}

// fillDistance is how far from one value another is: i units (months or days where those are not 0), or f.
type fillDistance struct {
	i, months, days int64
	f               float64
}

func (d fillDistance) calendar() bool { return d.months != 0 || d.days != 0 }

func newFillKey(k plan.FillKey, t *types.Type, zone *time.Location) *fillKey {
	f := &fillKey{at: k.Index, t: t, desc: k.Desc, float: t.IsFloat(), scale: 1}
	f.min, f.max = fillRange(t)
	if t.Kind == types.DateTime64 {
		for range t.Scale {
			f.scale *= 10
		}
	}
	if t.Zone != nil {
		zone = t.Zone
	}
	f.zone = civil.ZoneOf(zone)
	f.from, f.to = f.constant(k.From), f.constant(k.To)
	f.by = f.distance(k.Step, k.StepUnit)
	if f.stale = k.Staleness != nil; f.stale {
		f.staleness = f.distance(k.Staleness, k.StalenessUnit)
	}
	return f
}

// fillRange is what a type of whole numbers holds.
func fillRange(t *types.Type) (least, most int64) {
	switch t.Phys() {
	case types.PUInt8:
		return 0, math.MaxUint8
	case types.PUInt16:
		return 0, math.MaxUint16
	case types.PUInt32:
		return 0, math.MaxUint32
	case types.PInt8:
		return math.MinInt8, math.MaxInt8
	case types.PInt16:
		return math.MinInt16, math.MaxInt16
	case types.PInt32:
		return math.MinInt32, math.MaxInt32
	}
	return math.MinInt64, math.MaxInt64
}

func (k *fillKey) constant(v column.Vector) fillValue {
	if v == nil {
		return fillValue{null: true}
	}
	return k.read(v, 0)
}

func (k *fillKey) value(b *column.Block, row int) fillValue { return k.read(b.Cols[k.at], row) }

func (k *fillKey) read(v column.Vector, i int) fillValue {
	switch x := column.Value(v, i).(type) {
	case uint8:
		return fillValue{i: int64(x)}
	case uint16:
		return fillValue{i: int64(x)}
	case uint32:
		return fillValue{i: int64(x)}
	case uint64:
		return fillValue{i: int64(x ^ 1<<63)}
	case int8:
		return fillValue{i: int64(x)}
	case int16:
		return fillValue{i: int64(x)}
	case int32:
		return fillValue{i: int64(x)}
	case int64:
		return fillValue{i: x}
	case float32:
		return fillValue{f: float64(x)}
	case float64:
		return fillValue{f: x}
	}
	return fillValue{null: true}
}

// append appends a value to a builder of the key's type; the default of what is not known.
func (k *fillKey) append(b column.Builder, v fillValue) {
	if v.null {
		if n, ok := b.(*column.Nullable); ok { // the default of what is inside, as in ClickHouse
			n.AppendFrom(column.Flatten(column.NewDefaults(k.t, 1)), 0)
			return
		}
		b.AppendDefault()
		return
	}
	switch k.t.Phys() {
	case types.PUInt8:
		column.AppendValue(b, uint8(v.i))
	case types.PUInt16:
		column.AppendValue(b, uint16(v.i))
	case types.PUInt32:
		column.AppendValue(b, uint32(v.i))
	case types.PUInt64:
		column.AppendValue(b, uint64(v.i)^1<<63)
	case types.PInt8:
		column.AppendValue(b, int8(v.i))
	case types.PInt16:
		column.AppendValue(b, int16(v.i))
	case types.PInt32:
		column.AppendValue(b, int32(v.i))
	case types.PInt64:
		column.AppendValue(b, v.i)
	case types.PFloat32:
		column.AppendValue(b, float32(v.f))
	default:
		column.AppendValue(b, v.f)
	}
}

// distance reads STEP or STALENESS; without one a step is 1 in the key's direction.
func (k *fillKey) distance(v column.Vector, unit *types.Unit) fillDistance {
	d := fillDistance{i: 1, f: 1}
	if k.desc {
		d = fillDistance{i: -1, f: -1}
	}
	if v != nil {
		switch x := column.Value(v, 0).(type) {
		case int64:
			d = fillDistance{i: x, f: float64(x)}
		case float64:
			d = fillDistance{f: x}
		}
	}
	switch {
	case unit == nil:
		d.i *= k.scale
	case unit.Months() > 0:
		d = fillDistance{months: d.i * unit.Months()}
	case k.t.IsDate() && *unit == types.Week:
		d.i *= 7
	case k.t.IsDate():
	case *unit == types.Week:
		d = fillDistance{days: 7 * d.i}
	case *unit == types.Day:
		d = fillDistance{days: d.i}
	case k.t.Kind == types.DateTime:
		d.i = d.i * unit.Nanoseconds() / 1e9
	default:
		d.i = d.i * unit.Nanoseconds() / (1e9 / k.scale)
	}
	return d
}

func (k *fillKey) step(v fillValue) (fillValue, bool) { return k.add(v, k.by) }

// add moves a value; false where the type ends, or where nothing moves.
func (k *fillKey) add(v fillValue, d fillDistance) (fillValue, bool) {
	var out fillValue
	switch {
	case k.float:
		out.f = v.f + d.f
	case d.calendar() && k.t.IsDate():
		out.i = civil.AddMonths(v.i, d.months)
	case d.calendar():
		sec := civil.FloorDiv(v.i, k.scale)
		local := sec + k.zone.Offset(sec)
		day := civil.FloorDiv(local, civil.Day)
		moved := day + d.days
		if d.months != 0 {
			moved = civil.AddMonths(day, d.months)
		}
		out.i = k.zone.Unix(local+(moved-day)*civil.Day)*k.scale + v.i - sec*k.scale
	default:
		if out.i = v.i + d.i; (out.i > v.i) != (d.i > 0) { // beyond int64
			return v, false
		}
	}
	return out, out != v && out.i >= k.min && out.i <= k.max
}

// less orders by the key's direction.
func (k *fillKey) less(a, b fillValue) bool {
	if k.desc {
		a, b = b, a
	}
	if k.float {
		return a.f < b.f
	}
	return a.i < b.i
}

// bounded is the nearest of a row's value, TO, and how far STALENESS reaches from base.
func (k *fillKey) bounded(v, base fillValue) fillValue {
	if !k.to.null && (v.null || !k.less(v, k.to)) {
		v = k.to
	}
	if !k.stale || base.null {
		return v
	}
	end, ok := k.add(base, k.staleness)
	if !ok {
		end = k.last()
	}
	if v.null || k.less(end, v) {
		return end
	}
	return v
}

// last is the end of what the key's type can hold.
func (k *fillKey) last() fillValue {
	switch {
	case k.float && k.desc:
		return fillValue{f: math.Inf(-1)}
	case k.float:
		return fillValue{f: math.Inf(1)}
	case k.desc:
		return fillValue{i: k.min}
	}
	return fillValue{i: k.max}
}

// jump returns the last value of the grid from cur on that is not behind v.
func (k *fillKey) jump(cur, v fillValue) fillValue {
	switch {
	case cur.null || !k.less(cur, v):
		return cur
	case k.float:
		return fillValue{f: cur.f + math.Floor((v.f-cur.f)/k.by.f)*k.by.f}
	case k.by.calendar():
		for {
			next, ok := k.step(cur)
			if !ok || k.less(v, next) {
				return cur
			}
			cur = next
		}
	case k.desc:
		return fillValue{i: cur.i - int64(uint64(cur.i-v.i)/uint64(-k.by.i)*uint64(-k.by.i))}
	}
	return fillValue{i: cur.i + int64(uint64(v.i-cur.i)/uint64(k.by.i)*uint64(k.by.i))}
}
