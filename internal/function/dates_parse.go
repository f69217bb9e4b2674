package function

import (
	"strings"
	"time"

	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	parser := func(name, alias, doc, example string, or orElse) {
		register(&Scalar{Name: name, Aliases: strings.Fields(alias), CaseInsensitive: true, MinArgs: 1, MaxArgs: 3, ConstArgs: []int{1}, Resolve: resolveParseDateTime(name, or), Eval: evalParseDateTime(or), Family: "dates", Doc: doc, Example: example})
	}
	parser("parseDateTime", "TO_UNIXTIME", "Reads a time in MySQL's format.", "parseDateTime('2021-01-04 23:12:34', '%Y-%m-%d %H:%i:%s', 'UTC') → 2021-01-04 23:12:34", orFail)
	parser("parseDateTimeOrNull", "str_to_date", "Reads a time in MySQL's format; NULL if it is none.", "parseDateTimeOrNull('x', '%Y', 'UTC') → NULL", orNull)
	parser("parseDateTimeOrZero", "", "Reads a time in MySQL's format; the first moment if it is none.", "parseDateTimeOrZero('x', '%Y', 'UTC') → 1970-01-01 00:00:00", orZero)
}

// orElse is what stands for a text that cannot be read.
type orElse uint8

const (
	orFail orElse = iota
	orNull
	orZero
)

// defaultTimeFormat is MySQL's usual one.
const defaultTimeFormat = "%Y-%m-%d %H:%i:%s"

func resolveParseDateTime(name string, or orElse) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if err := checkTypes(name, args, isText); err != nil {
			return nil, err
		}
		zone, err := zoneArg(args, 2)
		if err != nil {
			return nil, err
		}
		t := types.NewDateTime(zone)
		if or == orNull {
			return types.NewNullable(t), nil
		}
		return t, nil
	}
}

func evalParseDateTime(or orElse) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		format := defaultTimeFormat
		if len(c.Args) > 1 {
			format, _ = stringConst(c.Args[1])
		}
		s, out := stringsOf(c.Args[0]), make([]uint32, c.Rows)
		zone := civil.NewCursor(c.Env.zoneOf(c.Result.WithoutNullable()))
		nulls := make([]uint8, c.Rows)
		for i := range out {
			p := timeParser{text: string(s.row(i)), day: 1, month: 1, year: 1970, weekday: 1}
			unix, err := p.parse(format, &zone)
			switch {
			case err == nil:
				out[i] = uint32(unix)
			case or == orFail || sqlerr.CodeOf(err) != sqlerr.CannotParseDatetime:
				return nil, err
			default:
				nulls[i] = 1
			}
		}
		v := newNum(c.Result.WithoutNullable(), out)
		if or == orNull {
			return column.NewNullable(nulls, v), nil
		}
		return v, nil
	}
}

// timeParser reads the parts of a time one after the other.
type timeParser struct {
	text                string
	year, month, day    int
	yearDay             int // 0: not given
	isoYear, week       int
	weekday             int // from Monday, 1
	byWeek              bool
	hour, minute, sec   int
	twelve, pm, hasZone bool
	zoneOffset          int64
}

func (p *timeParser) malformed() error {
	return sqlerr.New(sqlerr.CannotParseDatetime, "Invalid format input is malformed at %.50q", p.text)
}

// parse reads the text by the format and returns the Unix time.
func (p *timeParser) parse(format string, zone *civil.Cursor) (int64, error) {
	for i := 0; i < len(format); i++ {
		var err error
		if format[i] != '%' {
			err = p.literal(format[i : i+1])
		} else if i++; i == len(format) {
			return 0, sqlerr.New(sqlerr.BadArguments, "Trailing %% in the format of parseDateTime")
		} else {
			err = p.part(format[i])
		}
		if err != nil {
			return 0, err
		}
	}
	if p.text != "" {
		return 0, p.malformed()
	}
	return p.unix(zone)
}

func (p *timeParser) literal(want string) error {
	rest, ok := strings.CutPrefix(p.text, want)
	if !ok {
		return p.malformed()
	}
	p.text = rest
	return nil
}

// number reads from least to most digits as a number within bounds.
func (p *timeParser) number(least, most, from, to int) (int, error) {
	n, x := 0, 0
	for n < most && n < len(p.text) && p.text[n]-'0' < 10 {
		x = 10*x + int(p.text[n]-'0')
		n++
	}
	if n < least || x < from || x > to {
		return 0, p.malformed()
	}
	p.text = p.text[n:]
	return x, nil
}

// word reads one of a list of names, whole or its first three letters, in any case, and returns its number from 1.
func (p *timeParser) word(short bool, name func(i int) string, n int) (int, error) {
	for i := 1; i <= n; i++ {
		want := name(i)
		if short {
			want = want[:3]
		}
		if len(p.text) >= len(want) && strings.EqualFold(p.text[:len(want)], want) {
			p.text = p.text[len(want):]
			return i, nil
		}
	}
	return 0, p.malformed()
}

func monthNamed(i int) string { return time.Month(i).String() }
func dayNamed(i int) string   { return time.Weekday(i % 7).String() }

func (p *timeParser) part(c byte) (err error) {
	switch c {
	case 'Y':
		p.year, err = p.number(4, 4, 1970, 2106)
	case 'y':
		if p.year, err = p.number(2, 2, 0, 99); p.year < 70 {
			p.year += 100
		}
		p.year += 1900
	case 'm':
		p.month, err = p.number(2, 2, 1, 12)
	case 'c':
		p.month, err = p.number(1, 2, 1, 12)
	case 'b':
		p.month, err = p.word(true, monthNamed, 12)
	case 'M':
		p.month, err = p.word(false, monthNamed, 12)
	case 'd':
		p.day, err = p.number(2, 2, 1, 31)
	case 'e':
		p.text = strings.TrimPrefix(p.text, " ")
		p.day, err = p.number(1, 2, 1, 31)
	case 'j':
		p.yearDay, err = p.number(3, 3, 1, 366)
	case 'a':
		p.weekday, err = p.word(true, dayNamed, 7)
	case 'W':
		p.weekday, err = p.word(false, dayNamed, 7)
	case 'u':
		p.weekday, err = p.number(1, 1, 1, 7)
	case 'w':
		if p.weekday, err = p.number(1, 1, 0, 6); p.weekday == 0 {
			p.weekday = 7
		}
	case 'G':
		p.isoYear, err = p.number(4, 4, 1970, 2106)
		p.byWeek = true
	case 'V', 'v':
		p.week, err = p.number(2, 2, 1, 53)
		p.byWeek = true
	default:
		return p.timePart(c)
	}
	return err
}

// composites are the parts that stand for several.
var composites = map[byte]string{'F': "%Y-%m-%d", 'D': "%m/%d/%y", 'T': "%H:%i:%S", 'R': "%H:%i", 'r': "%h:%i %p"}

func (p *timeParser) timePart(c byte) (err error) {
	switch c {
	case 'H':
		p.hour, err = p.number(2, 2, 0, 23)
	case 'k':
		p.text = strings.TrimPrefix(p.text, " ")
		p.hour, err = p.number(1, 2, 0, 23)
	case 'h', 'I':
		p.hour, err = p.number(2, 2, 1, 12)
		p.twelve = true
	case 'l':
		p.text = strings.TrimPrefix(p.text, " ")
		p.hour, err = p.number(1, 2, 1, 12)
		p.twelve = true
	case 'i':
		p.minute, err = p.number(2, 2, 0, 59)
	case 's', 'S':
		p.sec, err = p.number(2, 2, 0, 59)
	case 'f':
		_, err = p.number(1, 6, 0, 999_999) // a DateTime has whole seconds
	case 'p':
		var half int
		half, err = p.word(false, func(i int) string { return [...]string{"", "AM", "PM"}[i] }, 2)
		p.pm = half == 2
	case 'z':
		err = p.offset()
	case 'n':
		return p.literal("\n")
	case 't':
		return p.literal("\t")
	case '%':
		return p.literal("%")
	default:
		format, ok := composites[c]
		if !ok {
			return sqlerr.New(sqlerr.NotImplemented, "format is not supported for %%%c in function parseDateTime", c)
		}
		for i := 0; i < len(format) && err == nil; i++ {
			if format[i] == '%' {
				i++
				err = p.part(format[i])
			} else {
				err = p.literal(format[i : i+1])
			}
		}
	}
	return err
}

// offset reads a time zone such as +0100.
func (p *timeParser) offset() error {
	sign := int64(1)
	if strings.HasPrefix(p.text, "-") {
		sign = -1
	} else if !strings.HasPrefix(p.text, "+") {
		return p.malformed()
	}
	p.text = p.text[1:]
	h, err := p.number(2, 2, 0, 99)
	if err != nil {
		return err
	}
	m, err := p.number(2, 2, 0, 59)
	p.zoneOffset, p.hasZone = sign*int64(h*3600+m*60), true
	return err
}

func (p *timeParser) unix(zone *civil.Cursor) (int64, error) {
	var days int64
	switch {
	case p.byWeek:
		jan4 := civil.ToDays(p.isoYear, 1, 4)
		days = jan4 - int64(civil.Weekday(jan4)-1) + int64(7*(p.week-1)+p.weekday-1)
	case p.yearDay > 0:
		if p.yearDay == 366 && !civil.IsLeap(p.year) {
			return 0, sqlerr.New(sqlerr.CannotParseDatetime, "Invalid day of year, out of range (year: %d, day of year: %d)", p.year, p.yearDay)
		}
		days = civil.ToDays(p.year, 1, 1) + int64(p.yearDay-1)
	default:
		if p.day > civil.MonthDays(p.year, p.month) {
			return 0, sqlerr.New(sqlerr.CannotParseDatetime, "Invalid date, out of range (year: %d month: %d day_of_month: %d)", p.year, p.month, p.day)
		}
		days = civil.ToDays(p.year, p.month, p.day)
	}
	hour := p.hour
	if p.twelve {
		hour %= 12
		if p.pm {
			hour += 12
		}
	}
	local := days*civil.Day + int64(hour*3600+p.minute*60+p.sec)
	unix := local - p.zoneOffset
	if !p.hasZone {
		unix = zone.Unix(local)
	}
	if unix < 0 || unix > 1<<32-1 {
		return 0, sqlerr.New(sqlerr.CannotParseDatetime, "Seconds since epoch is out of range of DateTime")
	}
	return unix, nil
}
