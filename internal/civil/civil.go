// Package civil is calendar arithmetic: days since 1970-01-01 to year, month and day and
// back, and the offsets of time zones, without a time.Time per value.
//
// Days and seconds are signed and count from 1970-01-01 00:00:00 UTC. "Local seconds" are
// the seconds a wall clock shows, counted as if the zone were UTC: local = unix + offset.
package civil

// Seconds of a day and of an hour.
const (
	Day  = 86400
	Hour = 3600
)

// FromDays returns the civil date of a day number (proleptic Gregorian calendar).
func FromDays(days int64) (year int, month, day int) {
	if z := uint64(days + marchEpoch + eraDays*nearEras); z < nearDays {
		return fromNearDays(uint32(z))
	}
	return fromFarDays(days)
}

const (
	marchEpoch = 719468 // days from 1 March of the year 0 to 1970-01-01
	eraDays    = 146097 // of 400 years
	nearEras   = 82     // so many eras before the year 0, and as many years after it as 32 bits count days of, are near
	nearDays   = 1 << 30
)

// fromNearDays is FromDays by multiplications, after Neri and Schneider's Euclidean affine functions. z counts from 1 March of the first near year.
func fromNearDays(z uint32) (year int, month, day int) {
	n := 4*z + 3
	century := n / eraDays
	product := 2939745 * uint64(n%eraDays|3)
	dayOfYear := uint32(product) / 2939745 / 4 // from 1 March
	months := 2141*dayOfYear + 197913
	year = int(100*century) + int(product>>32) - 400*nearEras
	month, day = int(months>>16), int(months&0xffff/2141)+1
	if dayOfYear >= 306 {
		year++
		month -= 12
	}
	return year, month, day
}

func fromFarDays(days int64) (year int, month, day int) {
	z := days + marchEpoch
	era := FloorDiv(z, eraDays)
	doe := uint32(z - era*eraDays)
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d := int(doy-(153*mp+2)/5) + 1
	m := int(mp) + 3
	y := int64(yoe) + era*400
	if m > 12 {
		m -= 12
		y++
	}
	return int(y), m, d
}

// ToDays returns the day number of a civil date; a day beyond the month's end runs into the next month. month is 1..12.
func ToDays(year, month, day int) int64 {
	y := int64(year)
	if month <= 2 {
		y--
	}
	era := FloorDiv(y, 400)
	yoe := y - era*400
	mp := int64(month) - 3
	if month <= 2 {
		mp += 12
	}
	doy := (153*mp+2)/5 + int64(day) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

// IsLeap reports whether the year has 366 days.
func IsLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// MonthDays is the number of days of a month, 1..12.
func MonthDays(year, month int) int {
	switch month {
	case 2:
		if IsLeap(year) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// Weekday is 1 for Monday to 7 for Sunday.
func Weekday(days int64) int { return int(Mod(days+3, 7)) + 1 }

// YearDay is the day of the year from 1.
func YearDay(days int64) int {
	y, _, _ := FromDays(days)
	return int(days-ToDays(y, 1, 1)) + 1
}

// AddMonths adds n months to a day, keeping the day of the month where the target has it, else its last day.
func AddMonths(days, n int64) int64 {
	y, m, d := FromDays(days)
	months := int64(y)*12 + int64(m-1) + n
	y, m = int(FloorDiv(months, 12)), int(Mod(months, 12))+1
	return ToDays(y, m, min(d, MonthDays(y, m)))
}

// ISOWeek returns the ISO 8601 year and week of a day.
func ISOWeek(days int64) (year, week int) {
	thursday := days - int64(Weekday(days)) + 4
	year, _, _ = FromDays(thursday)
	return year, int(thursday-ToDays(year, 1, 1))/7 + 1
}

// FloorDiv is a/b rounded down; b > 0.
func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Mod is the non-negative remainder of a/b; b > 0.
func Mod(a, b int64) int64 {
	r := a % b
	if r < 0 {
		r += b
	}
	return r
}
