package function

import (
	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(&Scalar{Name: "collationKey", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, ConstArgs: []int{1}, Resolve: resolveCollationKey, Eval: evalCollationKey, Family: "strings",
		Doc: "Returns the bytes by whose order texts are sorted in a language, also those in arrays and tuples: what ORDER BY … COLLATE sorts by.", Example: "collationKey('b', 'en') < collationKey('C', 'en') → 1"})
}

// maxLocale bounds the name of a locale: tags with all their options are shorter.
const maxLocale = 64

// collation checks the name of a locale.
func collation(locale string) (language.Tag, error) {
	tag, err := language.Parse(locale)
	if err != nil || locale == "" || len(locale) > maxLocale || tag == language.Und {
		return tag, sqlerr.New(sqlerr.UnsupportedCollationLocale, "Unsupported collation locale: %.64s", locale)
	}
	return tag, nil
}

func resolveCollationKey(_ *Env, args []Arg) (*types.Type, error) {
	locale, ok := column.Value(args[1].Const, 0).(string)
	if !ok {
		return nil, illegal("collationKey", 1, args[1].Type)
	}
	if _, err := collation(locale); err != nil {
		return nil, err
	}
	if !hasText(args[0].Type) {
		return nil, sqlerr.New(sqlerr.BadCollation, "Collations could be specified only for String, LowCardinality(String), Nullable(String) or for Array or Tuple, containing them.")
	}
	return args[0].Type.WithoutLowCardinality(), nil
}

// hasText reports whether values of a type are strings, or hold some.
func hasText(t *types.Type) bool {
	if t.Kind == types.String {
		return true
	}
	if t.Kind != types.Array && t.Kind != types.Tuple && t.Kind != types.Nullable && t.Kind != types.LowCardinality {
		return false
	}
	for _, e := range t.Elems {
		if hasText(e) {
			return true
		}
	}
	return false
}

func evalCollationKey(c *Call) (column.Vector, error) {
	locale, _ := column.Value(c.Args[1], 0).(string)
	tag, err := collation(locale)
	if err != nil {
		return nil, err
	}
	return collationKeys(c, column.Flatten(c.Args[0]), collate.New(tag), &collate.Buffer{})
}

// collationKeys replaces the strings of a vector by their keys.
func collationKeys(c *Call, v column.Vector, by *collate.Collator, buf *collate.Buffer) (column.Vector, error) {
	switch v := v.(type) {
	case *column.Str:
		out := column.New(types.TString, v.Len()).(*column.Str)
		for i := range v.Len() {
			key := by.Key(buf, v.At(i))
			if err := c.checkSum(out, int64(len(key)), "collationKey"); err != nil {
				return nil, err
			}
			out.Data = append(out.Data, key...)
			out.EndValue()
			buf.Reset()
		}
		return out, nil
	case *column.Nullable:
		inner, err := collationKeys(c, v.Inner, by, buf)
		if err != nil {
			return nil, err
		}
		return column.NewNullable(v.Nulls, inner), nil
	case *column.Array:
		elem, err := collationKeys(c, column.Flatten(v.Elem), by, buf)
		if err != nil {
			return nil, err
		}
		return &column.Array{Typ: v.Typ, Off: v.Off, Elem: elem}, nil
	case *column.Tuple:
		out := &column.Tuple{Typ: v.Typ, N: v.N}
		for _, e := range v.Elems {
			keys, err := collationKeys(c, column.Flatten(e), by, buf)
			if err != nil {
				return nil, err
			}
			out.Elems = append(out.Elems, keys)
		}
		return out, nil
	}
	return v, nil
}
