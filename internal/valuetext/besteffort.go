package valuetext

import (
	"time"

	"github.com/olapd/olapd/internal/civil"
)

// BestEffort reads a date and time in any of the forms parseDateTimeBestEffort knows: unix
// timestamps of seconds or milliseconds, ISO 8601, YYYYMMDDhhmmss, 23/10/2018, 23 Oct 2018
// 12:12:57 PM +0300, Jan 1 and so on. Years left out are that of now. Errors are CannotParseDatetime.
func BestEffort(s []byte, z *civil.Zone, now time.Time) (unix int64, nanos int32, err error) {
	return bestEffortOf(bestEffort{s: trimSpace(s)}, s, z, now)
}

// BestEffortUS is BestEffort of texts with the month in front of the day where both are numbers, unless the month would be none.
func BestEffortUS(s []byte, z *civil.Zone, now time.Time) (unix int64, nanos int32, err error) {
	return bestEffortOf(bestEffort{s: trimSpace(s), monthFirst: true}, s, z, now)
}

func bestEffortOf(p bestEffort, s []byte, z *civil.Zone, now time.Time) (unix int64, nanos int32, err error) {
	if len(p.s) == 0 || !p.run() {
		return 0, 0, badDateTime(s)
	}
	if p.isUnix {
		return p.unix, p.nanos, nil
	}
	return p.finish(s, z, now)
}

// bestEffort is the state of one reading. Fields are 0 until read; hasX where 0 is a value.
type bestEffort struct {
	s                       []byte
	i                       int
	year, month, day        int
	hour, minute, second    int
	hasTime, hasYear, hasTZ bool
	monthFirst              bool
	isPM, isAM              bool
	offset                  int64
	nanos                   int32
	isUnix                  bool
	unix                    int64
}

var (
	monthNames = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
	dayNames   = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
)

func (p *bestEffort) run() bool {
	for p.i < len(p.s) {
		c := p.s[p.i]
		switch {
		case c-'0' < 10:
			if !p.number() {
				return false
			}
		case isSpace(c) || c == ',' || c == ';':
			p.i++
		case c == '-' && p.i == 0:
			if !p.negativeUnix() {
				return false
			}
		case c == '+' || c == '-':
			if !p.zoneOffset() {
				return false
			}
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			if !p.word() {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func (p *bestEffort) negativeUnix() bool {
	mag, _, over, n := scanInt(p.s)
	if over || n < 6 || mag > 1<<40 {
		return false
	}
	p.isUnix, p.unix = true, -int64(mag)
	p.i = n
	return p.i == len(p.s)
}

func (p *bestEffort) next() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

// number reads a run of digits and decides by its length and what follows.
func (p *bestEffort) number() bool {
	start := p.i
	v := int64(0)
	for p.i < len(p.s) && p.s[p.i]-'0' < 10 && p.i-start < 19 {
		v = v*10 + int64(p.s[p.i]-'0')
		p.i++
	}
	dated := p.year != 0 || p.month != 0 || p.day != 0
	switch n := p.i - start; {
	case n == 19 || n == 16 || n == 13:
		unit := pow10[n-10]
		p.isUnix, p.unix, p.nanos = true, v/unit, int32(v%unit*(1e9/unit))
	case n == 10 || n == 9:
		p.isUnix, p.unix = true, v
		f, k := scanFraction(p.s[p.i:])
		p.nanos = f
		p.i += k
	case n == 14:
		p.setDate(int(v/1e10), int(v/1e8%100), int(v/1e6%100))
		p.setTime(int(v/1e4%100), int(v/100%100), int(v%100))
		p.fraction()
	case n == 8 && !dated:
		p.setDate(int(v/1e4), int(v/100%100), int(v%100))
	case n == 6 && !dated:
		p.setDate(int(v/100), int(v%100), 1)
		if p.next() == 0 {
			return true
		}
	case n == 6:
		p.setTime(int(v/1e4), int(v/100%100), int(v%100))
		p.fraction()
	case n == 4 && !p.hasYear:
		return p.fromYear(int(v))
	case n == 4 && !p.hasTime:
		p.setTime(int(v/100), int(v%100), 0)
	case n <= 2:
		return p.short(int(v))
	default:
		return false
	}
	return true
}

func (p *bestEffort) setDate(y, m, d int) {
	p.year, p.month, p.day, p.hasYear = y, m, d, true
}

func (p *bestEffort) setTime(h, m, s int) { p.hour, p.minute, p.second, p.hasTime = h, m, s, true }

// fromYear goes on behind a four-digit year: YYYY-MM-DD, YYYY/MM, YYYY.
func (p *bestEffort) fromYear(y int) bool {
	p.year, p.hasYear = y, true
	sep := p.next()
	if sep != '-' && sep != '/' && sep != '.' || p.month != 0 {
		return true
	}
	m, n := digitsAt(p.s, p.i+1, 2)
	if n == 0 {
		return sep != '.' && p.i+1 < len(p.s) && p.monthAfter(sep)
	}
	p.i += 1 + n
	p.month = m
	if p.next() != sep {
		return true
	}
	d, n := digitsAt(p.s, p.i+1, 2)
	p.i += 1 + n
	p.day = d
	if p.next() == 'T' || p.next() == 't' {
		p.i++
	}
	return n > 0
}

// monthAfter reads -Oct- between the parts of a date.
func (p *bestEffort) monthAfter(sep byte) bool {
	p.i++
	if !p.word() || p.month == 0 {
		return false
	}
	if p.next() == sep {
		p.i++
	}
	return true
}

// short goes on behind one or two digits: a time, a date that begins with its day, or a day.
func (p *bestEffort) short(v int) bool {
	switch c := p.next(); {
	case c == ':':
		return p.clock(v)
	case (c == '/' || c == '-' || c == '.') && p.day == 0:
		return p.dayFirst(v, c)
	case p.day == 0 && !(p.hasYear && p.month == 0):
		p.day = v
	case p.hasYear && p.month == 0:
		p.month = v
	case !p.hasTime && (c|0x20 == 'a' || c|0x20 == 'p' || c == ' ' || c == 0 || c == '+' || c == '-' || c == 'Z'):
		p.setTime(v, 0, 0)
	case !p.hasYear:
		p.year, p.hasYear = twoDigitYear(v), true
	default:
		return false
	}
	return true
}

func twoDigitYear(v int) int {
	if v < 70 {
		return 2000 + v
	}
	return 1900 + v
}

// clock reads :mm and :mm:ss.fff behind the hour.
func (p *bestEffort) clock(h int) bool {
	m, n := digitsAt(p.s, p.i+1, 2)
	if n == 0 {
		return false
	}
	p.i += 1 + n
	s := 0
	if p.next() == ':' {
		if s, n = digitsAt(p.s, p.i+1, 2); n == 0 {
			return false
		}
		p.i += 1 + n
		p.fraction()
	}
	p.setTime(h, m, s)
	return true
}

func (p *bestEffort) fraction() {
	f, n := scanFraction(p.s[p.i:])
	if n > 1 {
		p.nanos = f
		p.i += n
	}
}

// dayFirst reads DD/MM/YYYY and DD-MM-YY behind the day.
func (p *bestEffort) dayFirst(d int, sep byte) bool {
	p.day = d
	if p.i+1 < len(p.s) && p.s[p.i+1]|0x20 >= 'a' {
		return p.monthAfter(sep)
	}
	m, n := digitsAt(p.s, p.i+1, 2)
	if n == 0 {
		return false
	}
	p.month = m
	if p.monthFirst && d <= 12 {
		p.month, p.day = d, m
	}
	p.i += 1 + n
	if p.next() != sep {
		return true
	}
	y, n := digitsAt(p.s, p.i+1, 4)
	p.i += 1 + n
	switch n {
	case 4:
	case 2:
		y = twoDigitYear(y)
	default:
		return false
	}
	p.year, p.hasYear = y, true
	return true
}

// word reads a month, a weekday, AM or PM, T, Z or a zone's name.
func (p *bestEffort) word() bool {
	start := p.i
	for p.i < len(p.s) && p.s[p.i]|0x20 >= 'a' && p.s[p.i]|0x20 <= 'z' {
		p.i++
	}
	w := p.s[start:p.i]
	switch {
	case equalFold(w, "t"):
		return true
	case equalFold(w, "z"), equalFold(w, "utc"), equalFold(w, "gmt"):
		p.hasTZ = true
		return true
	case equalFold(w, "msk"):
		p.hasTZ, p.offset = true, 3*civil.Hour
		return true
	case equalFold(w, "am"):
		p.isAM = true
		return p.hasTime
	case equalFold(w, "pm"):
		p.isPM = true
		return p.hasTime
	case len(w) < 3:
		return false
	}
	for k, name := range monthNames {
		if equalFold(w[:3], name) && p.month == 0 {
			p.month = k + 1
			if p.next() == '.' {
				p.i++
			}
			return true
		}
	}
	for _, name := range dayNames {
		if equalFold(w[:3], name) {
			return true
		}
	}
	return false
}

// zoneOffset reads +hh, +hhmm and +hh:mm.
func (p *bestEffort) zoneOffset() bool {
	neg := p.s[p.i] == '-'
	h, n := digitsAt(p.s, p.i+1, 2)
	if n == 0 || p.hasTZ && p.offset != 0 {
		return false
	}
	p.i += 1 + n
	if p.next() == ':' {
		p.i++
	}
	m, n := digitsAt(p.s, p.i, 2)
	p.i += n
	p.offset = int64(h)*civil.Hour + int64(m)*60
	if neg {
		p.offset = -p.offset
	}
	p.hasTZ = true
	return true
}

func (p *bestEffort) finish(s []byte, z *civil.Zone, now time.Time) (int64, int32, error) {
	if !p.hasYear && p.day == 0 && p.month == 0 || p.year == 0 && p.hasYear {
		return 0, 0, badDateTime(s)
	}
	if p.day == 0 {
		p.day = 1
	}
	if p.month == 0 {
		p.month = 1
	}
	if p.month > 12 && p.day <= 12 { // 12/23/2018
		p.month, p.day = p.day, p.month
	}
	switch {
	case p.isPM && p.hour < 12:
		p.hour += 12
	case p.isAM && p.hour == 12:
		p.hour = 0
	}
	if p.month > 12 || p.hour > 23 || p.minute > 59 || p.second > 59 {
		return 0, 0, badDateTime(s)
	}
	if !p.hasYear {
		p.guessYear(z, now)
	}
	if p.day > civil.MonthDays(p.year, p.month) {
		return 0, 0, badDateTime(s)
	}
	local := civil.ToDays(p.year, p.month, p.day)*civil.Day + int64(p.hour)*3600 + int64(p.minute)*60 + int64(p.second)
	if p.hasTZ {
		return local - p.offset, p.nanos, nil
	}
	return z.Unix(local), p.nanos, nil
}

// guessYear takes the year that puts the date last before now.
func (p *bestEffort) guessYear(z *civil.Zone, now time.Time) {
	p.year = 2000
	if now.IsZero() {
		return
	}
	unix := now.Unix()
	today := civil.FloorDiv(unix+z.Offset(unix), civil.Day)
	y, m, d := civil.FromDays(today)
	p.year = y
	if p.month > m || p.month == m && p.day > d {
		p.year--
	}
}
