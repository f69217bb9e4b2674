package types

import "strings"

// Unit is the unit of an INTERVAL.
type Unit uint8

// The units, from small to large.
const (
	Nanosecond Unit = iota
	Microsecond
	Millisecond
	Second
	Minute
	Hour
	Day
	Week
	Month
	Quarter
	Year
)

var unitNames = [...]string{
	"Nanosecond", "Microsecond", "Millisecond", "Second", "Minute", "Hour", "Day", "Week", "Month", "Quarter", "Year",
}

// String returns the unit as it stands in a type name, such as Day.
func (u Unit) String() string { return unitNames[u] }

// Nanoseconds returns the length of a unit of fixed length, and 0 for Month, Quarter and Year.
func (u Unit) Nanoseconds() int64 {
	return [...]int64{1, 1e3, 1e6, 1e9, 60e9, 3600e9, 86400e9, 7 * 86400e9, 0, 0, 0}[u]
}

// Months returns the length in months of Month, Quarter and Year, and 0 for the others.
func (u Unit) Months() int64 {
	return [...]int64{0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 12}[u]
}

// ParseUnit knows a unit by its SQL names (day, days, dd, SQL_TSI_DAY …), in any case.
func ParseUnit(s string) (Unit, bool) {
	l := strings.TrimPrefix(strings.ToLower(s), "sql_tsi_")
	switch l {
	case "ns":
		return Nanosecond, true
	case "us":
		return Microsecond, true
	case "ms":
		return Millisecond, true
	case "s", "ss":
		return Second, true
	case "m", "mi", "n":
		return Minute, true
	case "h", "hh":
		return Hour, true
	case "d", "dd":
		return Day, true
	case "w", "wk", "ww":
		return Week, true
	case "mm":
		return Month, true
	case "q", "qq":
		return Quarter, true
	case "yy", "yyyy":
		return Year, true
	}
	l = strings.TrimSuffix(l, "s")
	for i, n := range unitNames {
		if l == strings.ToLower(n) {
			return Unit(i), true
		}
	}
	return 0, false
}
