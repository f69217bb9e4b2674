package civil

import (
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// The years whose changes of offset a Zone knows; outside, the nearest offset holds. It is
// the range of Date32 and DateTime64.
const (
	firstYear = 1900
	lastYear  = 2300
)

// Zone is the table of a time zone's offsets. It is immutable and shared.
type Zone struct {
	Location *time.Location
	from     []int64 // unix second from which off holds; from[0] is the least int64
	off      []int64 // seconds east of UTC
}

var (
	zones    sync.Map // *time.Location → *Zone
	lastZone atomic.Pointer[Zone]
)

// ZoneOf returns the table of a location, built once and cached; nil is UTC.
func ZoneOf(loc *time.Location) *Zone {
	if loc == nil {
		loc = time.UTC
	}
	if z := lastZone.Load(); z != nil && z.Location == loc {
		return z
	}
	v, ok := zones.Load(loc)
	if !ok {
		v, _ = zones.LoadOrStore(loc, newZone(loc))
	}
	z := v.(*Zone)
	lastZone.Store(z)
	return z
}

func newZone(loc *time.Location) *Zone {
	z := &Zone{Location: loc}
	end := time.Date(lastYear, 1, 1, 0, 0, 0, 0, time.UTC)
	t := time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC).In(loc)
	for {
		_, off := t.Zone()
		from := int64(-1 << 63)
		start, next := t.ZoneBounds()
		if len(z.from) > 0 {
			from = start.Unix()
		}
		if n := len(z.off); n == 0 || z.off[n-1] != int64(off) {
			z.from, z.off = append(z.from, from), append(z.off, int64(off))
		}
		if next.IsZero() || next.After(end) {
			return z
		}
		if !next.After(t) { // the time package's bounds of rule-made years may be empty at new year
			next = t.Add(Day * time.Second)
		}
		t = next
	}
}

// Fixed returns the zone's only offset, if it has one.
func (z *Zone) Fixed() (offset int64, ok bool) { return z.off[0], len(z.off) == 1 }

func (z *Zone) index(unix int64) int {
	return sort.Search(len(z.from), func(i int) bool { return z.from[i] > unix }) - 1
}

// Offset returns the seconds east of UTC at a unix second.
func (z *Zone) Offset(unix int64) int64 {
	if len(z.off) == 1 {
		return z.off[0]
	}
	return z.off[z.index(unix)]
}

// Unix returns the unix second at which a wall clock shows local. Of a time that occurs twice it
// is the first; a time that is skipped counts on with the offset before the gap.
func (z *Zone) Unix(local int64) int64 {
	if len(z.off) == 1 {
		return local - z.off[0]
	}
	// Offsets are under a day, so the wanted one is that of a day earlier, or a later one.
	i := max(z.index(local-Day), 0)
	for i+1 < len(z.from) && local-z.off[i] >= z.from[i+1] {
		i++
		if u := local - z.off[i]; u < z.from[i] { // in a gap
			return local - z.off[i-1]
		}
	}
	return local - z.off[i]
}

// Cursor answers Offset for runs of neighbouring times quickly. Not safe for concurrent use.
type Cursor struct {
	Zone     *Zone
	from, to int64 // off holds in [from, to)
	off      int64
}

// NewCursor returns a cursor over the location's zone; nil is UTC.
func NewCursor(loc *time.Location) Cursor {
	c := Cursor{Zone: ZoneOf(loc)}
	if off, ok := c.Zone.Fixed(); ok {
		c.from, c.to, c.off = -1<<63, 1<<63-1, off
	}
	return c
}

// Offset returns the seconds east of UTC at a unix second.
func (c *Cursor) Offset(unix int64) int64 {
	if unix >= c.from && unix < c.to {
		return c.off
	}
	return c.seek(unix)
}

// Holds reports whether the offset that was asked for last is also that at a unix second.
func (c *Cursor) Holds(unix int64) bool { return unix >= c.from && unix < c.to }

func (c *Cursor) seek(unix int64) int64 {
	i := c.Zone.index(unix)
	c.from, c.to, c.off = c.Zone.from[i], 1<<63-1, c.Zone.off[i]
	if i+1 < len(c.Zone.from) {
		c.to = c.Zone.from[i+1]
	}
	return c.off
}

// Local returns the wall clock's seconds at a unix second.
func (c *Cursor) Local(unix int64) int64 { return unix + c.Offset(unix) }

// Unix returns the unix second at which the wall clock shows local; see Zone.Unix.
func (c *Cursor) Unix(local int64) int64 {
	if u := local - c.off; u >= c.from+Day && u < c.to-Day && c.from < c.to {
		return u
	}
	return c.Zone.Unix(local)
}
