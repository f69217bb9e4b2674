package valuetext

import (
	"time"
	"unsafe"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// Parser reads texts into builders. The zero Parser is ClickHouse's default behaviour in UTC.
type Parser struct {
	// Zone is that of DateTime types that declare none; nil is UTC.
	Zone *time.Location
	// Exact refuses numbers that do not fit their type (CannotParseText) and dates that would be clamped; without it they wrap, as ClickHouse's do.
	Exact bool
	// Quiet says that nobody reads the errors: those of most texts are then one and the same, which costs nothing to make.
	Quiet bool
	// BestEffort reads DateTime and DateTime64 as parseDateTimeBestEffort does.
	BestEffort bool
	// nested is the type of objects in arrays of values of the JSON being read; nil outside of one.
	nested *types.Type
}

// ParseInto appends the value of t that the whole of s stands for to b, a builder of t. On an
// error, which has ClickHouse's code for the type, b is as it was.
func ParseInto(b column.Builder, t *types.Type, s []byte, loc *time.Location) error {
	p := Parser{Zone: loc}
	return p.Into(b, t, s)
}

// Into is ParseInto with the parser's options.
func (p *Parser) Into(b column.Builder, t *types.Type, s []byte) error {
	t = t.WithoutLowCardinality()
	n := b.Len()
	rest, err := p.text(b, t, s)
	if err == nil && len(rest) > 0 {
		switch {
		case p.Quiet:
			err = errQuiet
		case t.Kind == types.DateTime64 || t.Kind == types.DateTime:
			err = badDateTime(s)
		default:
			err = badText(s, t, len(s)-len(rest))
		}
	}
	if err != nil {
		b.Truncate(n)
	}
	return err
}

// text reads a value as AppendText writes it; strings, enums and addresses take all of s.
func (p *Parser) text(b column.Builder, t *types.Type, s []byte) (rest []byte, err error) {
	switch t.Kind {
	case types.String, types.FixedString, types.AggregateFunction:
		return nil, appendString(b.(*column.Str), t, s)
	case types.Enum8, types.Enum16:
		return nil, p.enum(b, t, s)
	case types.IPv4:
		a, err := ParseIPv4(s)
		if err != nil {
			return s, err
		}
		v := b.(*column.Num[uint32])
		v.Data = append(v.Data, a)
		return nil, nil
	case types.IPv6:
		a, err := ParseIPv6(s)
		if err != nil {
			return s, err
		}
		b.(*column.Str).Append(a[:])
		return nil, nil
	case types.Bool:
		return nil, parseBool(b.(*column.Num[uint8]), s)
	case types.Nullable:
		return p.nullable(b.(*column.Nullable), t, s)
	case types.Array, types.Tuple, types.Map:
		return p.composite(b, t, trimSpace(s))
	case types.Variant, types.Dynamic:
		return nil, p.union(b.(*column.Variant), t, s)
	case types.JSON:
		return nil, p.JSONObject(b.(*column.Map), t, s)
	case types.Nothing:
		b.AppendDefault()
		return nil, nil
	}
	return p.plain(b, t, s)
}

func (p *Parser) nullable(b *column.Nullable, t *types.Type, s []byte) ([]byte, error) {
	if t.Elem().Kind != types.String {
		if string(s) == `\N` {
			b.AppendNull()
			return nil, nil
		}
		if len(s) >= 4 && equalFold(s[:4], "null") {
			b.AppendNull()
			return s[4:], nil
		}
	}
	rest, err := p.text(b.Inner.(column.Builder), t.Elem(), s)
	if err == nil {
		b.Nulls = append(b.Nulls, 0)
	}
	return rest, err
}

func appendString(b *column.Str, t *types.Type, s []byte) error {
	if t.Kind != types.FixedString {
		b.Append(s)
		return nil
	}
	if len(s) > t.N {
		return sqlerr.New(sqlerr.TooLargeStringSize, "Too large value for %s: %d bytes", t, len(s))
	}
	b.Data = append(b.Data, s...)
	b.Data = append(b.Data, make([]byte, t.N-len(s))...)
	b.EndValue()
	return nil
}

func (p *Parser) enum(b column.Builder, t *types.Type, s []byte) error {
	v, ok := t.EnumNumber(bytesString(s))
	if !ok {
		n, exact, used, err := ScanInt64(s, types.TInt16)
		if err == nil && exact && used == len(s) {
			v = int16(n)
			_, ok = t.EnumName(v)
		}
	}
	if !ok {
		return sqlerr.New(sqlerr.UnknownElementOfEnum, "Unknown element %q for enum %s", clip(s), t)
	}
	switch b := b.(type) {
	case *column.Num[int8]:
		b.Data = append(b.Data, int8(v))
	case *column.Num[int16]:
		b.Data = append(b.Data, v)
	}
	return nil
}

var boolNames = map[string]uint8{
	"true": 1, "t": 1, "yes": 1, "y": 1, "on": 1, "1": 1, "enable": 1, "enabled": 1,
	"false": 0, "f": 0, "no": 0, "n": 0, "off": 0, "0": 0, "disable": 0, "disabled": 0,
}

func parseBool(b *column.Num[uint8], s []byte) error {
	var low [8]byte
	if len(s) <= len(low) {
		for i, c := range s {
			if c >= 'A' && c <= 'Z' {
				c |= 0x20
			}
			low[i] = c
		}
		if v, ok := boolNames[string(low[:len(s)])]; ok {
			b.Data = append(b.Data, v)
			return nil
		}
	}
	return sqlerr.New(sqlerr.CannotParseBool, "Cannot parse boolean value here: %q, should be 'true' or 'false'", clip(s))
}

// plain reads a value whose text ends by itself: numbers, dates, UUIDs. It returns the text behind it.
func (p *Parser) plain(b column.Builder, t *types.Type, s []byte) ([]byte, error) {
	switch t.Kind {
	case types.BFloat16, types.Float32, types.Float64:
		return p.float(b, t, s)
	case types.Decimal:
		return p.decimal(b, t, s)
	case types.Date, types.Date32:
		return p.date(b, t, s)
	case types.DateTime, types.DateTime64:
		return p.dateTime(b, t, s)
	case types.Time, types.Time64:
		ticks, n, err := ScanTime(s, t)
		if err != nil {
			return s, err
		}
		appendInt(b, ticks)
		return s[n:], nil
	case types.UUID:
		u, n, err := ScanUUID(s)
		if err != nil {
			return s, err
		}
		v := b.(*column.Num[types.U128])
		v.Data = append(v.Data, u)
		return s[n:], nil
	case types.UInt128, types.Int128, types.UInt256, types.Int256:
		return p.wide(b, t, s)
	}
	if t.IsInteger() || t.Kind == types.Interval {
		return p.integer(b, t, s)
	}
	return s, sqlerr.New(sqlerr.NotImplemented, "Parsing %s from text is not supported", t)
}

// errQuiet is what a Quiet parser says.
var errQuiet = sqlerr.New(sqlerr.CannotParseText, "Cannot parse text")

func (p *Parser) integer(b column.Builder, t *types.Type, s []byte) ([]byte, error) {
	if p.Quiet {
		if _, neg, _, n := scanInt(s); n == 0 || neg && t.IsUnsigned() {
			return s, errQuiet
		}
	}
	v, exact, n, err := ScanInt64(s, t)
	if err != nil {
		return s, err
	}
	if p.Exact && !exact {
		return s, sqlerr.New(sqlerr.CannotParseText, "Value %q does not fit %s", clip(s[:n]), t)
	}
	appendInt(b, v)
	return s[n:], nil
}

// appendInt appends v modulo the builder's width.
func appendInt(b column.Builder, v int64) {
	switch b := b.(type) {
	case *column.Num[uint8]:
		b.Data = append(b.Data, uint8(v))
	case *column.Num[uint16]:
		b.Data = append(b.Data, uint16(v))
	case *column.Num[uint32]:
		b.Data = append(b.Data, uint32(v))
	case *column.Num[uint64]:
		b.Data = append(b.Data, uint64(v))
	case *column.Num[int8]:
		b.Data = append(b.Data, int8(v))
	case *column.Num[int16]:
		b.Data = append(b.Data, int16(v))
	case *column.Num[int32]:
		b.Data = append(b.Data, int32(v))
	case *column.Num[int64]:
		b.Data = append(b.Data, v)
	}
}

func (p *Parser) wide(b column.Builder, t *types.Type, s []byte) ([]byte, error) {
	x, n, err := scanBig(s, t)
	if err != nil {
		return s, err
	}
	var ok bool
	switch b := b.(type) {
	case *column.Num[types.U128]:
		var v types.U128
		v, ok = types.U128FromBig(x)
		b.Data = append(b.Data, v)
	case *column.Num[types.I128]:
		var v types.I128
		v, ok = types.I128FromBig(x)
		b.Data = append(b.Data, v)
	case *column.Num[types.U256]:
		var v types.U256
		v, ok = types.U256FromBig(x)
		b.Data = append(b.Data, v)
	case *column.Num[types.I256]:
		var v types.I256
		v, ok = types.I256FromBig(x)
		b.Data = append(b.Data, v)
	}
	if p.Exact && !ok {
		return s, sqlerr.New(sqlerr.CannotParseNumber, "Value %q does not fit %s", clip(s[:n]), t)
	}
	return s[n:], nil
}

func (p *Parser) float(b column.Builder, t *types.Type, s []byte) ([]byte, error) {
	x, n, err := ScanFloat(s, t.Width()*8)
	if err != nil {
		return s, err
	}
	switch b := b.(type) {
	case *column.Num[float32]:
		y := float32(x)
		if t.Kind == types.BFloat16 {
			y = types.TruncateBFloat16(y)
		}
		b.Data = append(b.Data, y)
	case *column.Num[float64]:
		b.Data = append(b.Data, x)
	}
	return s[n:], nil
}

func (p *Parser) decimal(b column.Builder, t *types.Type, s []byte) ([]byte, error) {
	v, n, err := ScanDecimal(s, t.N, t.Scale)
	if err != nil {
		return s, err
	}
	switch b := b.(type) {
	case *column.Num[int32]:
		b.Data = append(b.Data, int32(v[0]))
	case *column.Num[int64]:
		b.Data = append(b.Data, int64(v[0]))
	case *column.Num[types.I128]:
		b.Data = append(b.Data, v.Low())
	case *column.Num[types.I256]:
		b.Data = append(b.Data, v)
	}
	return s[n:], nil
}

func (p *Parser) date(b column.Builder, t *types.Type, s []byte) ([]byte, error) {
	d, n, err := ScanDate(s, t)
	if err != nil {
		return s, err
	}
	if n < len(s) && (s[n] == ' ' || s[n] == 'T') { // a time behind the date is read and dropped
		if _, k, ok := scanHMS(s[n+1:]); ok {
			n += 1 + k
			_, f := scanFraction(s[n:])
			n += f
		}
	}
	appendInt(b, d)
	return s[n:], nil
}

func (p *Parser) dateTime(b column.Builder, t *types.Type, s []byte) ([]byte, error) {
	z := zoneOf(t, p.Zone)
	var (
		unix  int64
		nanos int32
		n     int
		err   error
	)
	if p.BestEffort {
		unix, nanos, err = BestEffort(s, z, time.Time{})
		n = len(s)
	} else {
		unix, nanos, n, err = ScanDateTime(s, z)
	}
	if err != nil {
		return s, err
	}
	if t.Kind == types.DateTime64 {
		appendInt(b, Ticks(unix, nanos, t.Scale))
	} else {
		appendInt(b, min(max(unix, 0), MaxDateTime))
	}
	return s[n:], nil
}

func badText(s []byte, t *types.Type, at int) error {
	return sqlerr.New(sqlerr.CannotParseText, "Cannot parse string %q as %s: syntax error at position %d", clip(s), t, at)
}

// maxClip bounds the input quoted in a message.
const maxClip = 64

func clip(s []byte) []byte {
	if len(s) > maxClip {
		return s[:maxClip]
	}
	return s
}

func bytesString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func trimSpace(s []byte) []byte {
	for len(s) > 0 && isSpace(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
