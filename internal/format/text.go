package format

import (
	"bytes"
	"time"

	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// appendText appends a value as text, with the date and time format of the options.
func appendText(dst []byte, v column.Vector, i int, o *Options) []byte {
	if o.DateTimeOutput != "simple" && o.DateTimeOutput != "" {
		if out, ok := appendTimeAs(dst, v, i, o); ok {
			return out
		}
	}
	return valuetext.AppendText(dst, v, i, o.Zone)
}

// appendTimeAs writes DateTime and DateTime64 as ISO 8601 in UTC or as Unix timestamps.
func appendTimeAs(dst []byte, v column.Vector, i int, o *Options) ([]byte, bool) {
	if c, ok := v.(*column.Const); ok {
		return appendTimeAs(dst, c.Value, 0, o)
	}
	if n, ok := v.(*column.Nullable); ok {
		return appendTimeAs(dst, n.Inner, i, o)
	}
	t := v.Type()
	if !t.IsDateTime() {
		return dst, false
	}
	iso := o.DateTimeOutput == "iso"
	utc := civil.ZoneOf(time.UTC)
	if x, ok := v.(*column.Num[uint32]); ok {
		if !iso {
			return appendInt(dst, int64(x.Data[i])), true
		}
		dst = valuetext.AppendDateTime(dst, int64(x.Data[i]), utc)
	} else {
		ticks := v.(*column.Num[int64]).Data[i]
		if !iso {
			return valuetext.AppendDecimal64(dst, ticks, t.Scale), true
		}
		dst = valuetext.AppendDateTime64(dst, ticks, t.Scale, utc)
	}
	for j := len(dst) - 1; j >= 0 && len(dst)-j < 32; j-- {
		if dst[j] == ' ' {
			dst[j] = 'T'
			break
		}
	}
	return append(dst, 'Z'), true
}

func appendInt(dst []byte, x int64) []byte { return valuetext.AppendDecimal64(dst, x, 0) }

// parseText appends the value that s stands for, honouring date_time_input_format.
func parseText(b column.Builder, t *types.Type, s []byte, o *Options) error {
	if t.Inner().IsDateTime() {
		switch {
		case isDigits(s) && len(s) > 0 && len(s) <= maxTimestamp:
			return parseTimestamp(b, t, s)
		case o.DateTimeInput == "best_effort":
			return parseBestEffort(b, t, s, o)
		}
	}
	return valuetext.ParseInto(b, t.WithoutLowCardinality(), s, o.Zone)
}

// isDigits reports whether s is a plain number: a Unix timestamp, in every date_time_input_format.
func isDigits(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// maxTimestamp is the most digits of a plain Unix timestamp in seconds; more are a date such as 20200102030405.
const maxTimestamp = 10

// parseTimestamp appends the Unix timestamp s, in seconds.
func parseTimestamp(b column.Builder, t *types.Type, s []byte) error {
	unix := int64(0)
	for _, c := range s {
		unix = unix*10 + int64(c-'0')
	}
	appendInstant(b, t.Inner(), unix, 0)
	return nil
}

// parseBestEffort tries the plain form first: it is the common one and the fast one.
func parseBestEffort(b column.Builder, t *types.Type, s []byte, o *Options) error {
	err := valuetext.ParseInto(b, t.WithoutLowCardinality(), s, o.Zone)
	if err == nil {
		return nil
	}
	in := t.Inner()
	loc := in.Zone
	if loc == nil {
		loc = o.Zone
	}
	unix, nanos, bad := valuetext.BestEffort(s, civil.ZoneOf(loc), o.Now)
	if bad != nil {
		return err
	}
	appendInstant(b, in, unix, nanos)
	return nil
}

// appendInstant appends an instant to a builder of DateTime or DateTime64, maybe Nullable; in is the type without Nullable.
func appendInstant(b column.Builder, in *types.Type, unix int64, nanos int32) {
	target := b
	if n, ok := b.(*column.Nullable); ok {
		n.Nulls = append(n.Nulls, 0)
		target = n.Inner.(column.Builder)
	}
	switch x := target.(type) {
	case *column.Num[uint32]:
		x.Data = append(x.Data, uint32(min(max(unix, 0), valuetext.MaxDateTime)))
	case *column.Num[int64]:
		scale := int64(1)
		for range in.Scale {
			scale *= 10
		}
		x.Data = append(x.Data, unix*scale+int64(nanos)/(1e9/scale))
	}
}

// appendNull appends the value of a field that says NULL: NULL where the type allows, else the default if the settings do.
func appendNull(b column.Builder, f column.Field, r *Rows, c int, o *Options) error {
	if f.Type.IsNullable() || f.Type.IsUnion() {
		b.AppendDefault()
		return nil
	}
	if !o.NullAsDefault {
		return sqlerr.New(sqlerr.CannotParseInputAssertionFailed, "Cannot parse NULL as the value of column %s of type %s", f.Name, f.Type)
	}
	if r != nil && c >= 0 {
		r.omit(c)
		return nil
	}
	b.AppendDefault()
	return nil
}

// inField adds the column to an error of one of its values.
func inField(err error, f column.Field) error {
	if err == nil || err == errShort {
		return err
	}
	return &sqlerr.Error{Code: sqlerr.CodeOf(err), Msg: err.Error() + ": while reading column " + f.Name + " of type " + f.Type.String(), Pos: -1}
}

// skipLine returns the length of the bytes up to and with the next line feed.
func skipLine(data []byte, eof bool) (int, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, nil
	}
	if eof {
		return len(data), nil
	}
	return 0, errShort
}
