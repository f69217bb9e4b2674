package function

import (
	"bytes"
	"math"
	"strconv"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	size := func(name, doc, example string, or orElse) {
		result := types.TUInt64
		if or == orNull {
			result = types.NewNullable(result)
		}
		register(&Scalar{Name: name, MinArgs: 1, MaxArgs: 1, Resolve: fixed(name, result, isText), Eval: evalParseSize(name, or), Family: "other", Doc: doc, Example: example})
	}
	size("parseReadableSize", "Reads a number of bytes with a unit.", "parseReadableSize('1.5 KiB') → 1536", orFail)
	size("parseReadableSizeOrNull", "Reads a number of bytes with a unit; NULL if it is none.", "parseReadableSizeOrNull('x') → NULL", orNull)
	size("parseReadableSizeOrZero", "Reads a number of bytes with a unit; 0 if it is none.", "parseReadableSizeOrZero('x') → 0", orZero)
	register(&Scalar{Name: "parseTimeDelta", MinArgs: 1, MaxArgs: 1, Resolve: fixed("parseTimeDelta", types.TFloat64, isText), Eval: evalParseTimeDelta, Family: "dates", Doc: "Reads a length of time, numbers with units, as seconds.", Example: "parseTimeDelta('11s+22min') → 1331"})
}

// sizeUnits are what a number of bytes is multiplied by.
var sizeUnits = map[string]float64{
	"b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "pb": 1e15, "eb": 1e18,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40, "pib": 1 << 50, "eib": 1 << 60,
}

func evalParseSize(name string, or orElse) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		s, out, nulls := stringsOf(c.Args[0]), make([]uint64, c.Rows), make([]uint8, c.Rows)
		for i := range out {
			n, code, why := parseSize(s.row(i))
			if code != 0 && or == orFail {
				return nil, sqlerr.New(code, "Invalid expression for function %s - %s (%.100q)", name, why, s.row(i))
			}
			out[i], nulls[i] = n, b2u(code != 0)
		}
		v := newNum(types.TUInt64, out)
		if or == orNull {
			return column.NewNullable(nulls, v), nil
		}
		return v, nil
	}
}

// parseSize reads a number and a unit; code is 0 if it could, else says why not.
func parseSize(s []byte) (n uint64, code sqlerr.Code, why string) {
	if len(s) > 0 && isSpaceByte(s[0]) {
		return 0, sqlerr.CannotParseInputAssertionFailed, "leading whitespace is not allowed"
	}
	end := floatEnd(s)
	x, err := strconv.ParseFloat(string(s[:end]), 64)
	switch {
	case err != nil && !math.IsInf(x, 0):
		return 0, sqlerr.CannotParseNumber, "unable to parse readable size numeric component"
	case x-x != 0:
		return 0, sqlerr.BadArguments, "invalid numeric component"
	case x < 0:
		return 0, sqlerr.BadArguments, "negative sizes are not allowed"
	}
	s = bytes.TrimLeft(s[end:], " \t\n\r\f\v")
	end = 0
	for end < len(s) && s[end]|32-'a' < 26 {
		end++
	}
	factor, ok := sizeUnits[string(appendLower(nil, s[:end]))]
	switch {
	case !ok:
		return 0, sqlerr.CannotParseText, "unknown readable size unit"
	case end < len(s):
		return 0, sqlerr.UnexpectedDataAfterParsedValue, "found trailing characters after readable size string"
	}
	if x = math.Ceil(x * factor); x >= 1<<64 {
		return 0, sqlerr.BadArguments, "result is too big for output type"
	}
	return uint64(x), 0, ""
}

// floatEnd is where the float at the front of s ends, inf and nan among them.
func floatEnd(s []byte) int {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	if rest := appendLower(nil, s[i:min(len(s), i+3)]); string(rest) == "inf" || string(rest) == "nan" {
		return i + 3
	}
	for i < len(s) && (s[i]-'0' < 10 || s[i] == '.') {
		i++
	}
	if i+1 < len(s) && s[i]|32 == 'e' {
		k := i + 1
		if s[k] == '-' || s[k] == '+' {
			k++
		}
		for ; k < len(s) && s[k]-'0' < 10; k++ {
			i = k + 1
		}
	}
	return i
}

// deltaUnits are the seconds of each unit of parseTimeDelta.
var deltaUnits = map[string]float64{}

func init() {
	for seconds, names := range map[float64][]string{
		31536000: {"years", "year", "yr", "y"}, 2635200: {"months", "month", "mo"}, 604800: {"weeks", "week", "w"}, 86400: {"days", "day", "d"},
		3600: {"hours", "hour", "hr", "h"}, 60: {"minutes", "minute", "min", "m"}, 1: {"seconds", "second", "sec", "s"},
		1e-3: {"milliseconds", "millisecond", "millisec", "ms"}, 1e-6: {"microseconds", "microsecond", "microsec", "μs", "µs", "us"}, 1e-9: {"nanoseconds", "nanosecond", "nanosec", "ns"},
	} {
		for _, n := range names {
			deltaUnits[n] = seconds
		}
	}
}

func evalParseTimeDelta(c *Call) (column.Vector, error) {
	s, out := stringsOf(c.Args[0]), make([]float64, c.Rows)
	for i := range out {
		seconds, why := parseTimeDelta(s.row(i))
		if why != "" {
			return nil, sqlerr.New(sqlerr.BadArguments, "Invalid argument of function parseTimeDelta, %s, str: %.100q", why, s.row(i))
		}
		out[i] = seconds
	}
	return newNum(c.Result, out), nil
}

// parseTimeDelta adds up numbers with units; why is empty if it could. At most one separator, with space around it, stands between two.
func parseTimeDelta(s []byte) (seconds float64, why string) {
	const spaces = " \t\n\r\f\v"
	s = bytes.TrimLeft(s, spaces)
	if len(s) == 0 {
		return 0, "no valid characters"
	}
	for {
		n := 0
		for n < len(s) && (s[n]-'0' < 10 || s[n] == '.') {
			n++
		}
		x, err := strconv.ParseFloat(string(s[:n]), 64)
		if err != nil || len(s) == 0 || s[0] == '.' {
			return 0, "number not found"
		}
		s = bytes.TrimLeft(s[n:], spaces)
		for n = 0; n < len(s) && (s[n]|32-'a' < 26 || s[n] >= 0x80); n++ {
		}
		unit, ok := deltaUnits[string(s[:n])]
		if !ok {
			return 0, "unknown unit"
		}
		seconds += x * unit
		if s = bytes.TrimLeft(s[n:], spaces); len(s) == 0 {
			return seconds, ""
		}
		if bytes.IndexByte([]byte(";-+,:"), s[0]) >= 0 {
			s = bytes.TrimLeft(s[1:], spaces)
		}
	}
}
