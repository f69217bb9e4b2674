package valuetext

import (
	"strconv"
	"time"

	"github.com/olapd/olapd/internal/types"
)

// GuessedDateTime64 is the type of moments with fractions of a second.
func GuessedDateTime64() *types.Type { return types.NewDateTime64(9, nil) }

// GuessNumber is the type of a number, nil if the text is none.
func GuessNumber(text []byte) *types.Type {
	if len(text) == 0 || text[0] != '-' && text[0] != '+' && text[0] != '.' && (text[0] < '0' || text[0] > '9') {
		return nil
	}
	s := string(text)
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return types.Simple(types.Int64)
	}
	if _, err := strconv.ParseUint(s, 10, 64); err == nil {
		return types.Simple(types.UInt64)
	}
	for _, c := range text {
		if (c < '0' || c > '9') && c != '.' && c != 'e' && c != 'E' && c != '-' && c != '+' {
			return nil // hexadecimal numbers and underscores are for programs
		}
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return types.Simple(types.Float64)
	}
	return nil
}

// layouts of moments, from those without a time to those with fractions of a second.
var (
	dateLayouts = []string{"2006-01-02", "2006/01/02"}
	timeLayouts = []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05Z07:00",
		"2006-01-02T15:04:05Z07:00", "2006/01/02 15:04:05"}
)

// Moments that Date and DateTime hold; others are of DateTime64.
var (
	leastTime = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	mostTime  = time.Date(2106, 1, 1, 0, 0, 0, 0, time.UTC)
	mostDate  = time.Date(2149, 6, 7, 0, 0, 0, 0, time.UTC)
	leastLong = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	mostLong  = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)
)

// GuessText is the type of a text: of a date or a time if it is one, else String.
func GuessText(text []byte) *types.Type {
	const longest = len("2006-01-02T15:04:05.000000000+00:00")
	if len(text) < len("2006-01-02") || len(text) > longest || text[4] != '-' && text[4] != '/' {
		return types.TString
	}
	s := string(text)
	for _, l := range dateLayouts {
		if t, err := time.Parse(l, s); err == nil {
			return momentType(t, types.Simple(types.Date), mostDate)
		}
	}
	for _, l := range timeLayouts {
		t, err := time.Parse(l, s)
		if err != nil {
			continue
		}
		if len(s) > 19 && s[19] == '.' { // Parse takes a fraction behind the seconds of any layout
			return momentType(t, GuessedDateTime64(), mostLong)
		}
		return momentType(t, types.NewDateTime(nil), mostTime)
	}
	return types.TString
}

// momentType is t, or what else holds a moment.
func momentType(at time.Time, t *types.Type, most time.Time) *types.Type {
	switch {
	case at.Before(leastLong) || !at.Before(mostLong):
		return types.TString
	case at.Before(leastTime) || !at.Before(most):
		return GuessedDateTime64()
	}
	return t
}
