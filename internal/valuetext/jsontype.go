package valuetext

import (
	"bytes"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// jsonType is the type of a JSON value that has none declared, nil for null. Inside of a JSON, objects in arrays are of type nested and
// elements of arrays Nullable; where nested is nil, objects are tuples, and elements Nullable if one is null. Arrays of what has no
// type in common are Array(Dynamic).
func jsonType(in *jsonText, nested *types.Type, depth int) (*types.Type, error) {
	raw, err := in.value(depth)
	if err != nil {
		return nil, err
	}
	switch raw[0] {
	case '"':
		s, err := unquoteJSON(raw)
		return GuessText(s), err
	case '{':
		if nested != nil {
			return nested, nil
		}
		return jsonTupleType(&jsonText{s: raw}, depth+1)
	case '[':
		return jsonArrayType(&jsonText{s: raw}, nested, depth+1)
	case 'n':
		return nil, nil
	case 't', 'f':
		return types.TBool, nil
	}
	return GuessNumber(raw), nil
}

func jsonArrayType(in *jsonText, nested *types.Type, depth int) (*types.Type, error) {
	var t *types.Type
	null := nested != nil
	err := in.array(func() error {
		e, err := jsonType(in, nested, depth)
		switch {
		case err != nil:
			return err
		case e == nil:
			null = true
		case t == nil:
			t = e
		default:
			t = commonJSON(t, e)
		}
		return nil
	})
	if t == nil {
		t = types.TString
	}
	if null && t.CanBeNullable() && t.Kind != types.JSON {
		t = types.NewNullable(t)
	}
	return types.NewArray(t), err
}

// maxTupleNames bounds the elements of a tuple that is an object.
const maxTupleNames = 1000

func jsonTupleType(in *jsonText, depth int) (*types.Type, error) {
	var names []string
	var elems []*types.Type
	err := in.object(func(key []byte) error {
		e, err := jsonType(in, nil, depth)
		if err != nil || slices.Contains(names, string(key)) {
			return err
		}
		if len(names) == maxTupleNames {
			return sqlerr.New(sqlerr.TooManyColumns, "An object of more than %d members is no tuple", maxTupleNames)
		}
		if e == nil {
			e = types.NewNullable(types.TString)
		}
		names, elems = append(names, string(key)), append(elems, e)
		return nil
	})
	if len(names) == 0 {
		names = nil
	}
	return types.NewTuple(elems, names), err
}

// commonJSON is the type of the elements of an array that have two; Dynamic if nothing else holds both.
func commonJSON(a, b *types.Type) *types.Type {
	number := func(t *types.Type) bool { return t.IsInteger() || t.IsFloat() }
	moment := func(t *types.Type) bool { return t.IsDateOrTime() }
	text := func(t *types.Type) bool { return t.Kind == types.String || moment(t) }
	either := func(k types.Kind) bool { return a.Kind == k || b.Kind == k }
	switch {
	case a.Equal(b):
		return a
	case number(a) && number(b):
		switch {
		case either(types.Float64):
			return types.TFloat64
		case either(types.UInt64):
			return types.TUInt64
		}
		return types.TInt64
	case moment(a) && moment(b):
		if either(types.DateTime64) {
			return GuessedDateTime64()
		}
		return types.TDateTime
	case text(a) && text(b), either(types.Bool) && either(types.String):
		return types.TString
	case a.Kind == types.Array && b.Kind == types.Array:
		if e := commonElems(a.Elem(), b.Elem()); e != nil {
			return types.NewArray(e)
		}
	}
	return types.TDynamic
}

// commonElems is commonJSON of elements of arrays within an array; nil if they have nothing in common. Arrays without a value take the other's.
func commonElems(a, b *types.Type) *types.Type {
	switch {
	case a.Equal(b):
		return a
	case a.Kind == types.Nullable && b.Kind == types.Nullable:
		if c := commonJSON(a.Elem(), b.Elem()); c.Kind != types.Dynamic {
			return types.NewNullable(c)
		}
	case a.Kind == types.Array && b.Kind == types.Array:
		if e := commonElems(a.Elem(), b.Elem()); e != nil {
			return types.NewArray(e)
		}
	}
	return nil
}

// jsonDynamic appends a JSON value as what jsonType says it is.
func (p *Parser) jsonDynamic(vals *column.Variant, raw []byte, depth int) error {
	if depth > maxJSONDepth {
		return tooDeepJSON()
	}
	t, err := jsonType(&jsonText{s: raw}, p.nested, depth)
	if err != nil {
		return err
	}
	if t == nil {
		vals.AppendNull()
		return nil
	}
	return appendAlternative(vals, t, func(b column.Builder, t *types.Type) error { return p.jsonInto(b, t, raw, depth+1) })
}

// JSONInto appends a JSON value to b, a builder of t. On an error b may have grown: the caller truncates.
func (p *Parser) JSONInto(b column.Builder, t *types.Type, raw []byte) error {
	return p.jsonInto(b, t, raw, 0)
}

func (p *Parser) jsonInto(b column.Builder, t *types.Type, raw []byte, depth int) error {
	t = t.WithoutLowCardinality()
	raw = trimSpace(raw)
	if depth > maxJSONDepth {
		return tooDeepJSON()
	}
	if len(raw) == 0 {
		return sqlerr.New(sqlerr.IncorrectData, "Cannot parse an empty text as JSON of type %s", t)
	}
	switch b := b.(type) {
	case *column.Nullable:
		if string(raw) == "null" {
			b.AppendNull()
			return nil
		}
		if err := p.jsonInto(b.Inner.(column.Builder), t.Elem(), raw, depth); err != nil {
			return err
		}
		b.Nulls = append(b.Nulls, 0)
		return nil
	case *column.Variant:
		if t.Kind == types.Dynamic {
			return p.jsonDynamic(b, raw, depth)
		}
		return p.jsonVariant(b, t, raw, depth)
	case *column.Array:
		return p.jsonArray(b, t, raw, depth)
	case *column.Map:
		if t.Kind == types.JSON {
			return p.object(b, t, raw, depth)
		}
		return p.jsonMap(b, t, raw, depth)
	case *column.Tuple:
		return p.jsonTuple(b, t, raw, depth)
	}
	return p.jsonScalar(b, t, raw)
}

func (p *Parser) jsonScalar(b column.Builder, t *types.Type, raw []byte) error {
	quoted := raw[0] == '"'
	switch {
	case string(raw) == "null":
		b.AppendDefault()
		return nil
	case quoted:
		s, err := unquoteJSON(raw)
		if err != nil {
			return err
		}
		if t.IsDateTime() {
			return p.jsonTime(b, t, s)
		}
		raw = s
	case t.IsInteger() && t.Kind != types.Bool:
		raw = wholeText(raw)
	case t.IsNumeric() && t.Kind != types.Bool && (raw[0] == 't' || raw[0] == 'f'):
		raw = wholeText(raw)
	}
	if err := p.Into(b, t, raw); err != nil {
		if quoted {
			return sqlerr.Wrap(err, sqlerr.IncorrectData, "cannot parse %s value here: %q", t, clip(raw))
		}
		return sqlerr.Wrap(err, sqlerr.IncorrectData, "cannot parse %s value here: %s", t, clip(raw))
	}
	return nil
}

// jsonTime reads the forms that GuessText takes for a moment.
func (p *Parser) jsonTime(b column.Builder, t *types.Type, s []byte) error {
	best := *p
	best.BestEffort = true
	if p.Into(b, t, s) == nil {
		return nil
	}
	if err := best.Into(b, t, s); err != nil {
		return sqlerr.Wrap(err, sqlerr.IncorrectData, "cannot parse %s value here: %q", t, clip(s))
	}
	return nil
}

// wholeText is the text of the integer that stands for a number with a fraction, or for true and false.
func wholeText(raw []byte) []byte {
	switch {
	case string(raw) == "true":
		return []byte("1")
	case string(raw) == "false":
		return []byte("0")
	}
	if n := bytes.IndexByte(raw, '.'); n > 0 && bytes.IndexAny(raw, "eE") < 0 {
		return raw[:n]
	}
	return raw
}

func (p *Parser) jsonArray(b *column.Array, t *types.Type, raw []byte, depth int) error {
	if string(raw) == "null" {
		b.AppendDefault()
		return nil
	}
	in := jsonText{s: raw}
	elem := b.Elem.(column.Builder)
	err := in.array(func() error {
		e, err := in.value(depth)
		if err != nil {
			return err
		}
		return p.jsonInto(elem, t.Elem(), e, depth+1)
	})
	b.EndValue()
	return err
}

func (p *Parser) jsonMap(b *column.Map, t *types.Type, raw []byte, depth int) error {
	if string(raw) == "null" {
		b.AppendDefault()
		return nil
	}
	in := jsonText{s: raw}
	keys, vals := b.Keys.(column.Builder), b.Vals.(column.Builder)
	err := in.object(func(key []byte) error {
		n := keys.Len()
		if err := p.Into(keys, t.Elems[0].WithoutLowCardinality(), key); err != nil {
			return err
		}
		v, err := in.value(depth)
		if err == nil {
			err = p.jsonInto(vals, t.Elems[1], v, depth+1)
		}
		if err != nil {
			keys.Truncate(n)
			vals.Truncate(n)
		}
		return err
	})
	b.EndValue()
	return err
}

// jsonTuple reads an array, or for a named tuple an object, whose missing elements have their defaults.
func (p *Parser) jsonTuple(b *column.Tuple, t *types.Type, raw []byte, depth int) error {
	if string(raw) == "null" {
		b.AppendDefault()
		return nil
	}
	in := jsonText{s: raw}
	element := func(i int) error {
		v, err := in.value(depth)
		if err != nil {
			return err
		}
		e := b.Elems[i].(column.Builder)
		e.Truncate(b.N) // the last of those of one name counts
		return p.jsonInto(e, t.Elems[i], v, depth+1)
	}
	var err error
	if t.Names != nil && raw[0] == '{' {
		err = in.object(func(key []byte) error {
			for i, n := range t.Names {
				if n == string(key) {
					return element(i)
				}
			}
			_, err := in.value(depth)
			return err
		})
	} else {
		i := 0
		err = in.array(func() error {
			if i >= len(t.Elems) {
				return in.bad("no more elements of " + t.String())
			}
			i++
			return element(i - 1)
		})
		if err == nil && i < len(t.Elems) {
			err = in.bad("more elements of " + t.String())
		}
	}
	for _, e := range b.Elems {
		if e := e.(column.Builder); e.Len() == b.N {
			e.AppendDefault()
		} else {
			e.Truncate(b.N + 1)
		}
	}
	b.N++
	return err
}

// jsonVariant appends a JSON value as the first type of a Variant that reads it.
func (p *Parser) jsonVariant(b *column.Variant, t *types.Type, raw []byte, depth int) error {
	if string(raw) == "null" {
		b.AppendNull()
		return nil
	}
	for _, k := range variantOrder(t) {
		alt := b.Alts[k].(column.Builder)
		n := alt.Len()
		if jsonFits(t.Elems[k], raw) && p.jsonInto(alt, t.Elems[k], raw, depth+1) == nil && alt.Len() == n+1 {
			b.EndValue(k)
			return nil
		}
		alt.Truncate(n)
	}
	return sqlerr.New(sqlerr.IncorrectData, "Cannot parse JSON value of type %s here: %s", t, clip(raw))
}

// jsonFits says whether a value of the type is written so at all: jsonInto takes more than that for types it knows to be right.
func jsonFits(t *types.Type, raw []byte) bool {
	t = t.WithoutLowCardinality()
	switch c := raw[0]; t.Kind {
	case types.Array:
		return c == '['
	case types.Map, types.JSON:
		return c == '{'
	case types.Tuple:
		return c == '[' || c == '{' && t.Names != nil
	case types.Bool:
		return c == 't' || c == 'f'
	default:
		if t.IsInteger() && (c == 't' || c == 'f' || bytes.IndexAny(raw, ".eE") >= 0) {
			return false
		}
		return c != '[' && c != '{' || t.Kind == types.String
	}
}
