package format

import (
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
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
			return valuetext.GuessedDateTime64(), nil
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
