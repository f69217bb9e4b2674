package function

import (
	"math"
	"math/bits"
	"time"

	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// DateTime in 32 bits. Where a zone has one offset over all instants of a vector, which is nearly always so, parts and starts are a
// multiplication by a reciprocal or two; days index a table of what a function says of each.

// plainTimes is a DateTime vector over whose instants, and two days before, the zone's offset is one.
type plainTimes struct {
	unix []uint32
	off  uint32 // modulo 2³²: the sum with an instant does not leave the range
}

// plainTimesOf returns v as plain times; ok is false if it is none.
func plainTimesOf(v column.Vector, t *types.Type, zone *time.Location) (p plainTimes, ok bool) {
	n, is := v.(*column.Num[uint32])
	if !is || t.Kind != types.DateTime || len(n.Data) == 0 {
		return p, false
	}
	lo, hi := kernel.MinMaxInt(n.Data)
	const margin = 2 * civil.Day
	z := civil.ZoneOf(zone)
	off, ok := z.Fixed()
	if !ok {
		cur := civil.NewCursor(zone)
		if off = cur.Offset(int64(hi)); !cur.Holds(int64(lo) - margin) {
			return p, false
		}
	}
	if int64(lo) < margin || int64(hi)+off > math.MaxUint32 {
		return p, false
	}
	return plainTimes{n.Data, uint32(off)}, true
}

// reciprocal divides 32-bit numbers by a constant of at least 2: q = ⌊x·⌈2⁶⁴/d⌉ / 2⁶⁴⌋, exact for all x.
type reciprocal uint64

func reciprocalOf(d uint32) reciprocal { return reciprocal(math.MaxUint64/uint64(d) + 1) }

func (r reciprocal) div(x uint32) uint32 {
	q, _ := bits.Mul64(uint64(r), uint64(x))
	return uint32(q)
}

// parts returns the local seconds modulo mod, divided by div.
func (p plainTimes) parts(mod, div uint32) []uint8 {
	out := make([]uint8, len(p.unix))
	m, off := reciprocalOf(mod), p.off
	if div == 1 {
		for i, x := range p.unix {
			x += off
			out[i] = uint8(x - m.div(x)*mod)
		}
		return out
	}
	d := reciprocalOf(div)
	for i, x := range p.unix {
		x += off
		out[i] = uint8(d.div(x - m.div(x)*mod))
	}
	return out
}

// starts rounds down to multiples of cell seconds of local time.
func (p plainTimes) starts(cell uint32) []uint32 {
	out := make([]uint32, len(p.unix))
	r, off := reciprocalOf(cell), p.off
	for i, x := range p.unix {
		local := x + off
		out[i] = x - (local - r.div(local)*cell)
	}
	return out
}

// hourStarts rounds down to cells of n seconds that begin at each midnight.
func (p plainTimes) hourStarts(cell uint32) []uint32 {
	out := make([]uint32, len(p.unix))
	r, day, off := reciprocalOf(cell), reciprocalOf(civil.Day), p.off
	for i, x := range p.unix {
		s := x + off
		s -= day.div(s) * civil.Day
		out[i] = x - (s - r.div(s)*cell)
	}
	return out
}

// days returns the local days since the epoch.
func (p plainTimes) days() []uint16 {
	out := make([]uint16, len(p.unix))
	day, off := reciprocalOf(civil.Day), p.off
	for i, x := range p.unix {
		out[i] = uint16(day.div(x + off))
	}
	return out
}

// plainDays returns the days of dates, or of plain times.
func plainDays(v column.Vector, t *types.Type, zone *time.Location) ([]uint16, bool) {
	if n, ok := v.(*column.Num[uint16]); ok && t.Kind == types.Date && len(n.Data) > 0 {
		return n.Data, true
	}
	p, ok := plainTimesOf(v, t, zone)
	if !ok {
		return nil, false
	}
	return p.days(), true
}

// ofDays applies f to each day as a number of type t: once for each day of the range they lie in, if that is no larger than they are many.
func ofDays(t *types.Type, days []uint16, f func(int64) int64) column.Vector {
	switch t.Phys() {
	case types.PUInt8:
		return newNum(t, tableOfDays[uint8](days, f))
	case types.PUInt16:
		return newNum(t, tableOfDays[uint16](days, f))
	case types.PUInt32:
		return newNum(t, tableOfDays[uint32](days, f))
	}
	out := make([]int64, len(days))
	for i, d := range days {
		out[i] = f(int64(d))
	}
	return narrow(t, out)
}

func tableOfDays[T uint8 | uint16 | uint32](days []uint16, f func(int64) int64) []T {
	out := make([]T, len(days))
	lo, hi := kernel.MinMaxInt(days)
	if int(hi-lo) >= len(days) {
		for i, d := range days {
			out[i] = T(f(int64(d)))
		}
		return out
	}
	table := make([]T, int(hi-lo)+1)
	for i := range table {
		table[i] = T(f(int64(lo) + int64(i)))
	}
	for i, d := range days {
		out[i] = table[d-lo]
	}
	return out
}

// plainStarts is roundDown of plain times and dates; ok is false if they are not, or the grid is not for them.
func (g grid) plainStarts(c *Call, zone *time.Location) (column.Vector, bool) {
	v, t := c.Args[0], c.Types[0]
	if g.unit >= types.Week && c.Result.Kind == types.Date {
		days, ok := plainDays(v, t, zone)
		if !ok {
			return nil, false
		}
		return ofDays(c.Result, days, func(d int64) int64 { return min(max(g.startDay(d), 0), math.MaxUint16) }), true
	}
	p, ok := plainTimesOf(v, t, zone)
	if !ok || c.Result.Kind != types.DateTime || g.n <= 0 || g.n > maxGrid {
		return nil, false
	}
	cell := uint32(g.n * g.unit.Nanoseconds() / 1e9)
	switch {
	case g.unit == types.Second:
		p.off = 0
		if cell == 1 {
			return newNum(c.Result, p.unix), true
		}
	case g.unit == types.Minute, g.unit == types.Hour && g.n == 1, g.unit == types.Day && g.n == 1:
	case g.unit == types.Hour && g.n <= 24:
		return newNum(c.Result, p.hourStarts(cell)), true
	default:
		return nil, false
	}
	return newNum(c.Result, p.starts(cell)), true
}
