package settings

import (
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// normal checks a value given as text and returns it as the setting keeps it.
func (s *Setting) normal(text string) (string, error) {
	v, err := s.parse(text)
	if err != nil {
		return "", err
	}
	if len(s.Values) > 0 && !containsFold(s.Values, v) {
		return "", sqlerr.New(sqlerr.BadArguments, "Unexpected value of %s: '%s'. Must be one of ['%s']", s.Name, text, strings.Join(s.Values, "', '"))
	}
	return v, s.bounded(v)
}

func containsFold(list []string, v string) bool {
	for part := range strings.SplitSeq(v, ",") {
		found := false
		for _, x := range list {
			found = found || strings.EqualFold(x, strings.TrimSpace(part))
		}
		if !found {
			return false
		}
	}
	return true
}

func (s *Setting) parse(text string) (string, error) {
	switch s.Type {
	case "Bool":
		return s.parseBool(text)
	case "BoolAuto":
		if text == "auto" {
			return text, nil
		}
		return s.parseBool(text)
	case "UInt64", "NonZeroUInt64", "UInt32":
		return s.parseUint(text)
	case "MaxThreads", "UInt64Auto":
		if strings.HasPrefix(text, "auto") || strings.HasPrefix(text, "'auto") {
			return "0", nil
		}
		return s.parseUint(text)
	case "Int64", "Int32":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return strconv.FormatInt(n, 10), nil
		}
		return "", s.badNumber(text)
	case "Float", "Double", "FloatAuto":
		if text == "auto" && s.Type == "FloatAuto" {
			return text, nil
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return strconv.FormatFloat(f, 'g', -1, 64), nil
		}
		return "", s.badNumber(text)
	case "Seconds", "Milliseconds":
		return s.parseTime(text)
	case "Char":
		if len(text) != 1 {
			return "", sqlerr.New(sqlerr.SizeOfFixedStringDoesntMatch, "A setting's value string has to be an exactly one character long: %s", s.Name)
		}
	case "Timezone":
		if text != "" {
			if _, err := types.LoadZone(text); err != nil {
				return "", sqlerr.New(sqlerr.BadArguments, "Invalid time zone: %s", text)
			}
		}
	}
	return text, nil
}

func (s *Setting) badNumber(text string) error {
	return sqlerr.New(sqlerr.CannotParseNumber, "Cannot parse '%s' as the value of setting %s (%s)", text, s.Name, s.Type)
}

func (s *Setting) parseBool(text string) (string, error) {
	switch strings.ToLower(text) {
	case "1", "true":
		return "1", nil
	case "0", "false":
		return "0", nil
	}
	return "", sqlerr.New(sqlerr.CannotParseBool, "Cannot parse boolean value '%s' of setting %s: should be true/false/1/0", text, s.Name)
}

func (s *Setting) parseUint(text string) (string, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(text, "+"), 10, 64)
	if err != nil {
		f, ferr := strconv.ParseFloat(text, 64) // 1e6
		if ferr != nil || f < 0 || f != math.Trunc(f) || f >= 1<<64 {
			return "", s.badNumber(text)
		}
		n = uint64(f)
	}
	if n == 0 && s.Type == "NonZeroUInt64" {
		return "", sqlerr.New(sqlerr.BadArguments, "Setting '%s' cannot have value 0", s.Name)
	}
	return strconv.FormatUint(n, 10), nil
}

// maxSeconds bounds times, so that they fit a time.Duration.
const maxSeconds = 1 << 33

// parseTime keeps seconds with their fraction, milliseconds as a whole number.
func (s *Setting) parseTime(text string) (string, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) {
		return "", s.badNumber(text)
	}
	if f < 0 || f > maxSeconds && s.Type == "Seconds" || f > maxSeconds*1000 {
		return "", sqlerr.New(sqlerr.BadArguments, "Setting %s's value seconds must be non-negative and within range: %s", s.Name, text)
	}
	return strconv.FormatFloat(f, 'f', -1, 64), nil
}

func (s *Setting) bounded(v string) error {
	if s.Min == "" && s.Max == "" {
		return nil
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil {
		return s.badNumber(v)
	}
	if lo, err := strconv.ParseFloat(s.Min, 64); err == nil && f < lo {
		return sqlerr.New(sqlerr.SettingConstraintViolation, "Setting %s shouldn't be less than %s", s.Name, s.Min)
	}
	if hi, err := strconv.ParseFloat(s.Max, 64); err == nil && f > hi {
		return sqlerr.New(sqlerr.SettingConstraintViolation, "Setting %s shouldn't be greater than %s", s.Name, s.Max)
	}
	return nil
}

// shown is a value as system.settings prints it.
func (s *Setting) shown(v string) string {
	if s.Type == "MaxThreads" && v == "0" {
		return fmt.Sprintf("auto(%d)", runtime.GOMAXPROCS(0))
	}
	return v
}

// The typed settings: Of reads the value in a set.
type (
	Bool     struct{ *Setting }
	Uint     struct{ *Setting }
	Float    struct{ *Setting }
	Text     struct{ *Setting }
	Duration struct{ *Setting }
)

// Of returns the value.
func (s Bool) Of(v *Values) bool { return v.get(s.Setting) == "1" }

// Of returns the value.
func (s Uint) Of(v *Values) uint64 {
	n, _ := strconv.ParseUint(v.get(s.Setting), 10, 64) // checked when it was set
	return n
}

// Int is Of for counts and sizes in memory: bounded by the greatest int64.
func (s Uint) Int(v *Values) int64 { return int64(min(s.Of(v), math.MaxInt64)) }

// Of returns the value.
func (s Float) Of(v *Values) float64 {
	f, _ := strconv.ParseFloat(v.get(s.Setting), 64) // checked when it was set
	return f
}

// Of returns the value.
func (s Text) Of(v *Values) string { return v.get(s.Setting) }

// Of returns the value.
func (s Duration) Of(v *Values) time.Duration {
	f, _ := strconv.ParseFloat(v.get(s.Setting), 64) // checked when it was set
	if s.Type == "Milliseconds" {
		return time.Duration(f * float64(time.Millisecond))
	}
	return time.Duration(f * float64(time.Second))
}
