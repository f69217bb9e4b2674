package format

import (
	"strconv"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// A guess is a type without Nullable, or nil while nothing is known but NULL. JSON objects are named tuples, lists are
// arrays.

// mergeGuess is the type that holds values of both; loose makes a String of what has nothing in common.
func mergeGuess(a, b *types.Type, loose bool) (*types.Type, error) {
	switch {
	case a == nil:
		return b, nil
	case b == nil || a.Equal(b):
		return a, nil
	case a.Kind == types.Array && b.Kind == types.Array:
		e, err := mergeGuess(guessOf(a.Elem()), guessOf(b.Elem()), loose)
		return types.NewArray(shelved(e)), err
	case a.Kind == types.Tuple && b.Kind == types.Tuple:
		return mergeTuples(a, b, loose)
	case isWhole(a) && isWhole(b):
		return types.Simple(types.UInt64), nil // one of them is too large for Int64
	case isGuessedNumber(a) && isGuessedNumber(b):
		if a.Kind != types.Float64 && b.Kind != types.Float64 { // Bool and a whole number
			return wholeOf(a, b), nil
		}
		return types.Simple(types.Float64), nil
	case isMoment(a) && isMoment(b):
		if a.Kind == types.DateTime64 || b.Kind == types.DateTime64 {
			return guessedDateTime64(), nil
		}
		return types.NewDateTime(nil), nil
	case isNestedGuess(a) && isNestedGuess(b) || (isNestedGuess(a) || isNestedGuess(b)) && !loose:
		return nil, sqlerr.New(sqlerr.TypeMismatch, "Automatically defined type %s differs from type defined by previous rows: %s", b, a)
	}
	return types.TString, nil
}

func isNestedGuess(t *types.Type) bool { return t.Kind == types.Array || t.Kind == types.Tuple }

func isWhole(t *types.Type) bool { return t.Kind == types.Int64 || t.Kind == types.UInt64 }

func wholeOf(a, b *types.Type) *types.Type {
	if isWhole(a) {
		return a
	}
	return b
}

func isGuessedNumber(t *types.Type) bool {
	return isWhole(t) || t.Kind == types.Float64 || t.Kind == types.Bool
}

func isMoment(t *types.Type) bool {
	return t.Kind == types.Date || t.Kind == types.DateTime || t.Kind == types.DateTime64
}

// unknownGuess stands for an unknown type inside of arrays and tuples.
var unknownGuess = types.Simple(types.Nothing)

func shelved(t *types.Type) *types.Type {
	if t == nil {
		return unknownGuess
	}
	return t
}

func guessOf(t *types.Type) *types.Type {
	if t.Kind == types.Nothing {
		return nil
	}
	return t
}

// mergeTuples joins the fields of two objects, those of the first in front.
func mergeTuples(a, b *types.Type, loose bool) (*types.Type, error) {
	elems := append([]*types.Type(nil), a.Elems...)
	names := append([]string(nil), a.Names...)
	at := make(map[string]int, len(names))
	for i, n := range names {
		at[n] = i
	}
	for i, n := range b.Names {
		j, ok := at[n]
		if !ok {
			elems, names = append(elems, b.Elems[i]), append(names, n)
			continue
		}
		t, err := mergeGuess(guessOf(elems[j]), guessOf(b.Elems[i]), loose)
		if err != nil {
			return nil, err
		}
		elems[j] = shelved(t)
	}
	return types.NewTuple(elems, names), nil
}

// settled is the type of a column: Nullable where a value may be NULL, String where nothing was seen.
func settled(t *types.Type) *types.Type {
	switch {
	case t == nil || t.Kind == types.Nothing:
		return types.NewNullable(types.TString)
	case t.Kind == types.Array:
		return types.NewArray(settled(t.Elem()))
	case t.Kind == types.Tuple:
		elems := make([]*types.Type, len(t.Elems))
		for i, e := range t.Elems {
			elems[i] = settled(e)
		}
		return types.NewTuple(elems, t.Names)
	}
	return types.NewNullable(t)
}

func guessedDateTime64() *types.Type { return types.NewDateTime64(9, nil) }

// guessNumber is the type of a number, nil if the text is none.
func guessNumber(text []byte) *types.Type {
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

// guessText is the type of a text: of a date or a time if it is one, else String.
func guessText(text []byte) *types.Type {
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
			return momentType(t, guessedDateTime64(), mostLong)
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
		return guessedDateTime64()
	}
	return t
}
