package function

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	for _, f := range []struct {
		name   string
		result *types.Type
		doc    string
	}{
		{"JSONExtractString", types.TString, "Returns a string of a JSON text, unescaped."}, {"JSONExtractInt", types.TInt64, "Returns an integer of a JSON text."},
		{"JSONExtractUInt", types.TUInt64, "Returns an unsigned integer of a JSON text."}, {"JSONExtractFloat", types.TFloat64, "Returns a number of a JSON text."},
		{"JSONExtractBool", types.TUInt8, "Returns a boolean of a JSON text."}, {"JSONExtractRaw", types.TString, "Returns a part of a JSON text as it stands."},
		{"JSONHas", types.TUInt8, "Tests for a part of a JSON text."}, {"JSONLength", types.TUInt64, "Returns the length of an array or object."},
		{"JSONType", jsonTypeEnum, "Returns the type of a part of a JSON text."},
		{"JSONExtractArrayRaw", types.NewArray(types.TString), "Returns the elements of an array as they stand."},
		{"JSONExtractKeys", types.NewArray(types.TString), "Returns the keys of an object."},
		{"JSONExtractKeysAndValuesRaw", types.NewArray(types.NewTuple([]*types.Type{types.TString, types.TString}, nil)), "Returns the keys and values of an object as they stand."},
	} {
		register(&Scalar{Name: f.name, MinArgs: 1, MaxArgs: -1, Family: "json", Doc: f.doc, Resolve: resolveJSON(f.name, f.result), Eval: evalJSONPart(jsonReaders[f.name], false)})
		if strings.HasPrefix(f.name, "JSONExtract") {
			name := f.name + "CaseInsensitive"
			register(&Scalar{Name: name, MinArgs: 1, MaxArgs: -1, Family: "json", Doc: strings.TrimSuffix(f.doc, ".") + ", found by keys in any case of ASCII letters.", Resolve: resolveJSON(name, f.result), Eval: evalJSONPart(jsonReaders[f.name], true)})
		}
	}
	register(
		&Scalar{Name: "isValidJSON", MinArgs: 1, MaxArgs: 1, Resolve: fixed("isValidJSON", types.TUInt8, isStr), Eval: testStrings(json.Valid), Family: "json", Doc: "Tests for valid JSON.", Example: "isValidJSON('{}') → 1"},
		&Scalar{Name: "JSONExtract", MinArgs: 2, MaxArgs: -1, Resolve: resolveJSONExtract, Eval: evalJSONExtract(false), Family: "json", Doc: "Returns a part of a JSON text as the type named by the last argument.", Example: "JSONExtract('{\"a\":1}', 'a', 'Int8') → 1"},
		&Scalar{Name: "JSONExtractKeysAndValues", MinArgs: 2, MaxArgs: -1, Resolve: resolveJSONPairs, Eval: evalJSONPairs(false), Family: "json", Doc: "Returns the keys of an object with their values as the type named by the last argument; values of others are left out.", Example: "JSONExtractKeysAndValues('{\"a\":1}', 'Int8') → [('a',1)]"},
		&Scalar{Name: "JSONExtractCaseInsensitive", MinArgs: 2, MaxArgs: -1, Resolve: resolveJSONExtract, Eval: evalJSONExtract(true), Family: "json", Doc: "Is JSONExtract with keys in any case of ASCII letters.", Example: "JSONExtractCaseInsensitive('{\"Num\":1}', 'NUM', 'Int8') → 1"},
		&Scalar{Name: "JSONExtractKeysAndValuesCaseInsensitive", MinArgs: 2, MaxArgs: -1, Resolve: resolveJSONPairs, Eval: evalJSONPairs(true), Family: "json", Doc: "Is JSONExtractKeysAndValues with keys in any case of ASCII letters.", Example: "JSONExtractKeysAndValuesCaseInsensitive('{\"O\":{\"A\":1}}', 'o', 'Int8') → [('A',1)]"},
		&Scalar{Name: "toJSONString", MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, Resolve: resolveToJSON, Eval: evalToJSON, Family: "json", Doc: "Writes a value as JSON.", Example: "toJSONString([1, 2]) → [1,2]"},
	)
	for _, f := range []struct {
		name   string
		result *types.Type
	}{{"Int", types.TInt64}, {"UInt", types.TUInt64}, {"Float", types.TFloat64}, {"Bool", types.TBool}, {"String", types.TString}, {"Raw", types.TString}} {
		name := "simpleJSONExtract" + f.name
		if f.name == "Bool" {
			f.result = types.TUInt8
		}
		register(&Scalar{Name: name, Aliases: []string{"visitParamExtract" + f.name}, MinArgs: 2, MaxArgs: 2, Family: "json", Doc: "Returns a field of flat JSON by a plain search for its name.",
			Resolve: fixed(name, f.result, isStr), Eval: evalSimpleJSON(jsonReaders["JSONExtract"+f.name])})
	}
	register(&Scalar{Name: "simpleJSONHas", Aliases: []string{"visitParamHas"}, MinArgs: 2, MaxArgs: 2, Family: "json", Doc: "Tests for a field of flat JSON.", Resolve: fixed("simpleJSONHas", types.TUInt8, isStr), Eval: evalSimpleJSON(readHas)})
}

var jsonTypeEnum = types.NewEnum(types.Enum8, []types.EnumValue{
	{Name: "Null", Value: 0}, {Name: "String", Value: '"'}, {Name: "Array", Value: '['}, {Name: "Bool", Value: 'b'}, {Name: "Double", Value: 'd'}, {Name: "Int64", Value: 'i'}, {Name: "UInt64", Value: 'u'}, {Name: "Object", Value: '{'},
})

// maxJSONDepth bounds the nesting that is walked.
const maxJSONDepth = 1000

// The scanner below works on valid JSON, and on invalid text ends early without reading beyond it.

func jsonSpace(s []byte) []byte {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t' || s[0] == '\n' || s[0] == '\r') {
		s = s[1:]
	}
	return s
}

// jsonValue returns the value at the front of s and the text behind it; value is nil if there is none.
func jsonValue(s []byte) (value, rest []byte) {
	s = jsonSpace(s)
	if len(s) == 0 {
		return nil, nil
	}
	switch s[0] {
	case '"':
		if n := jsonStringEnd(s); n > 0 {
			return s[:n], s[n:]
		}
		return nil, nil
	case '{', '[':
		depth := 0
		for i := 0; i < len(s); i++ {
			switch s[i] {
			case '"':
				n := jsonStringEnd(s[i:])
				if n == 0 {
					return nil, nil
				}
				i += n - 1
			case '{', '[':
				depth++
				if depth > maxJSONDepth {
					return nil, nil
				}
			case '}', ']':
				depth--
				if depth == 0 {
					return s[:i+1], s[i+1:]
				}
			}
		}
		return nil, nil
	}
	n := 0
	for n < len(s) && s[n] != ',' && s[n] != '}' && s[n] != ']' && s[n] > ' ' && s[n] != ':' {
		n++
	}
	if n == 0 {
		return nil, nil
	}
	return s[:n], s[n:]
}

// jsonStringEnd is the length of the string literal at the front of s, 0 if it does not end.
func jsonStringEnd(s []byte) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// jsonEach calls f for each element of an array (key nil) or object until it returns false.
func jsonEach(v []byte, f func(key, value []byte) bool) {
	if len(v) == 0 || v[0] != '{' && v[0] != '[' {
		return
	}
	object := v[0] == '{'
	s := jsonSpace(v[1:])
	for len(s) > 0 && s[0] != '}' && s[0] != ']' {
		var key, value []byte
		if object {
			if key, s = jsonValue(s); key == nil || key[0] != '"' {
				return
			}
			if s = jsonSpace(s); len(s) == 0 || s[0] != ':' {
				return
			}
			s = s[1:]
		}
		if value, s = jsonValue(s); value == nil || !f(key, value) {
			return
		}
		if s = jsonSpace(s); len(s) > 0 && s[0] == ',' {
			s = jsonSpace(s[1:])
		}
	}
}

func jsonLength(v []byte) int {
	n := 0
	jsonEach(v, func(_, _ []byte) bool { n++; return true })
	return n
}

// jsonString is the text of a string literal, escapes undone.
func jsonString(dst, s []byte) []byte {
	if len(s) < 2 {
		return dst
	}
	s = s[1 : len(s)-1]
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			dst = append(dst, s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case 'n':
			dst = append(dst, '\n')
		case 't':
			dst = append(dst, '\t')
		case 'r':
			dst = append(dst, '\r')
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'u':
			var n int
			dst, n = appendUnicodeEscape(dst, s[i+1:])
			i += n
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// appendUnicodeEscape reads the digits behind \u, and a second escape of a surrogate pair.
func appendUnicodeEscape(dst, s []byte) ([]byte, int) {
	if len(s) < 4 {
		return dst, 0
	}
	u, err := strconv.ParseUint(string(s[:4]), 16, 32)
	if err != nil {
		return dst, 0
	}
	r, n := rune(u), 4
	if utf16.IsSurrogate(r) && len(s) >= 10 && s[4] == '\\' && s[5] == 'u' {
		if low, err := strconv.ParseUint(string(s[6:10]), 16, 32); err == nil {
			r, n = utf16.DecodeRune(r, rune(low)), 10
		}
	}
	return utf8.AppendRune(dst, r), n
}

// jsonStep goes to a key or position (from 1; from the end if negative) of v; nil if there is none.
func jsonStep(v []byte, key []byte, index int64, byKey, fold bool) []byte {
	var found []byte
	if byKey {
		if len(v) == 0 || v[0] != '{' {
			return nil
		}
		jsonEach(v, func(k, value []byte) bool {
			plain := k[1 : len(k)-1]
			if bytes.IndexByte(plain, '\\') >= 0 {
				plain = jsonString(nil, k)
			}
			if bytes.Equal(plain, key) || fold && len(plain) == len(key) && equalFoldASCII(plain, key) {
				found = value
				return false
			}
			return true
		})
		return found
	}
	if index < 0 {
		index += int64(jsonLength(v)) + 1
	}
	n := int64(0)
	jsonEach(v, func(_, value []byte) bool {
		n++
		if n == index {
			found = value
		}
		return n < index
	})
	return found
}

// jsonPath walks the key arguments [1, to) of row i, keys in any case if fold is set; nil if the text is no JSON or the part is not there.
func jsonPath(c *Call, i, to int, fold bool) []byte {
	s := stringsOf(c.Args[0]).row(i)
	if !json.Valid(s) {
		return nil
	}
	v, _ := jsonValue(s)
	for k := 1; k < to && v != nil; k++ {
		if c.Types[k].IsString() {
			v = jsonStep(v, stringsOf(c.Args[k]).row(i), 0, true, fold)
		} else {
			v = jsonStep(v, nil, numArg[int64](c.Args[k], c.Rows).at(i), false, false)
		}
	}
	return v
}

func checkJSONPath(name string, args []Arg) error {
	for i, a := range args {
		if t := a.Type; !t.IsString() && (i == 0 || !isPlainInt(t)) {
			return illegal(name, i, t)
		}
	}
	return nil
}

func resolveJSON(name string, result *types.Type) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) { return result, checkJSONPath(name, args) }
}

// jsonReader appends what a JSON value (nil: none) is as the function's result.
type jsonReader func(b column.Builder, v []byte)

var jsonReaders = map[string]jsonReader{
	"JSONExtractString": func(b column.Builder, v []byte) { appendJSONText(b.(*column.Str), v) },
	"JSONExtractRaw":    func(b column.Builder, v []byte) { appendJSONRaw(b.(*column.Str), v) },
	"JSONExtractInt": func(b column.Builder, v []byte) {
		x := b.(*column.Num[int64])
		x.Data = append(x.Data, jsonInt(v))
	},
	"JSONExtractUInt": func(b column.Builder, v []byte) {
		x := b.(*column.Num[uint64])
		x.Data = append(x.Data, uint64(jsonInt(v)))
	},
	"JSONExtractFloat": func(b column.Builder, v []byte) {
		x := b.(*column.Num[float64])
		f, _ := jsonFloat(v)
		x.Data = append(x.Data, f)
	},
	"JSONExtractBool": func(b column.Builder, v []byte) {
		x := b.(*column.Num[uint8])
		f, ok := jsonFloat(v)
		x.Data = append(x.Data, b2u(ok && f != 0))
	},
	"JSONHas": readHas,
	"JSONLength": func(b column.Builder, v []byte) {
		x := b.(*column.Num[uint64])
		x.Data = append(x.Data, uint64(jsonLength(v)))
	},
	"JSONType": func(b column.Builder, v []byte) {
		x := b.(*column.Num[int8])
		x.Data = append(x.Data, jsonKind(v))
	},
	"JSONExtractArrayRaw": func(b column.Builder, v []byte) {
		a := b.(*column.Array)
		if len(v) > 0 && v[0] == '[' {
			jsonEach(v, func(_, e []byte) bool { appendJSONRaw(a.Elem.(*column.Str), e); return true })
		}
		a.EndValue()
	},
	"JSONExtractKeys": func(b column.Builder, v []byte) {
		a := b.(*column.Array)
		if len(v) > 0 && v[0] == '{' {
			jsonEach(v, func(k, _ []byte) bool { a.Elem.(*column.Str).Append(jsonString(nil, k)); return true })
		}
		a.EndValue()
	},
	"JSONExtractKeysAndValuesRaw": func(b column.Builder, v []byte) {
		a := b.(*column.Array)
		if len(v) > 0 && v[0] == '{' {
			jsonEach(v, func(k, e []byte) bool {
				t := a.Elem.(*column.Tuple)
				t.Elems[0].(*column.Str).Append(jsonString(nil, k))
				appendJSONRaw(t.Elems[1].(*column.Str), e)
				t.N++
				return true
			})
		}
		a.EndValue()
	},
}

// appendJSONRaw writes a part of a JSON text without the white space between its tokens.
func appendJSONRaw(b *column.Str, v []byte) {
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case ' ', '\t', '\n', '\r':
		case '"':
			n := max(jsonStringEnd(v[i:]), 1)
			b.Data = append(b.Data, v[i:i+n]...)
			i += n - 1
		default:
			b.Data = append(b.Data, v[i])
		}
	}
	b.EndValue()
}

func readHas(b column.Builder, v []byte) {
	x := b.(*column.Num[uint8])
	x.Data = append(x.Data, b2u(v != nil))
}

func appendJSONText(b *column.Str, v []byte) {
	if len(v) > 0 && v[0] == '"' {
		b.Data = jsonString(b.Data, v)
	} else if string(v) != "null" {
		b.Data = append(b.Data, v...)
	}
	b.EndValue()
}

// jsonInt is the integer of a number, in quotes or not; else 0.
func jsonInt(v []byte) int64 {
	switch {
	case len(v) == 0 || v[0] == 't':
		return 0
	case v[0] == '"':
		v = jsonString(nil, v)
	}
	if x, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return x
	}
	if x, err := strconv.ParseUint(string(v), 10, 64); err == nil {
		return int64(x)
	}
	if f, ok := jsonFloat(v); ok && math.Abs(f) < 1<<63 {
		return int64(f)
	}
	return 0
}

func jsonFloat(v []byte) (float64, bool) {
	switch {
	case string(v) == "true":
		return 1, true
	case len(v) > 0 && v[0] == '"':
		v = jsonString(nil, v)
	}
	f, err := strconv.ParseFloat(string(v), 64)
	return f, err == nil
}

func jsonKind(v []byte) int8 {
	switch {
	case len(v) == 0 || v[0] == 'n':
		return 0
	case v[0] == 't' || v[0] == 'f':
		return 'b'
	case v[0] == '"' || v[0] == '[' || v[0] == '{':
		return int8(v[0])
	case bytes.ContainsAny(v, ".eE"):
		return 'd'
	}
	if _, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return 'i'
	}
	if _, err := strconv.ParseUint(string(v), 10, 64); err == nil {
		return 'u'
	}
	return 'd'
}

func evalJSONPart(read jsonReader, fold bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		b := column.New(c.Result, c.Rows)
		for i := range c.Rows {
			read(b, jsonPath(c, i, len(c.Args), fold))
		}
		return b, nil
	}
}

// evalSimpleJSON looks for "name": in the text, without parsing it.
func evalSimpleJSON(read jsonReader) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		s, name, b := stringsOf(c.Args[0]), stringsOf(c.Args[1]), column.New(c.Result, c.Rows)
		for i := range c.Rows {
			needle := append(append([]byte{'"'}, name.row(i)...), '"', ':')
			var v []byte
			if at := bytes.Index(s.row(i), needle); at >= 0 {
				v, _ = jsonValue(s.row(i)[at+len(needle):])
			}
			read(b, v)
		}
		return b, nil
	}
}

func resolveJSONExtract(_ *Env, args []Arg) (*types.Type, error) {
	last := len(args) - 1
	name, ok := constString(args, last)
	if !ok {
		return nil, sqlerr.New(sqlerr.IllegalColumn, "The last argument of function JSONExtract (type) must be a constant string")
	}
	if err := checkJSONPath("JSONExtract", args[:last]); err != nil {
		return nil, err
	}
	return types.Parse(name)
}

func evalJSONExtract(fold bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		b := column.New(c.Result, c.Rows)
		x := jsonTyped{p: valuetext.Parser{Zone: c.Env.zone(), Exact: true}}
		for i := range c.Rows {
			n := b.Len()
			if v := jsonPath(c, i, len(c.Args)-1, fold); v == nil || !x.append(b, c.Result.WithoutLowCardinality(), v) {
				b.Truncate(n)
				b.AppendDefault()
			}
		}
		return b, nil
	}
}

func resolveJSONPairs(env *Env, args []Arg) (*types.Type, error) {
	t, err := resolveJSONExtract(env, args)
	if err != nil {
		return nil, err
	}
	return types.NewArray(types.NewTuple([]*types.Type{types.TString, t}, nil)), nil
}

func evalJSONPairs(fold bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		out := column.New(c.Result, c.Rows).(*column.Array)
		pairs := out.Elem.(*column.Tuple)
		keys, values := pairs.Elems[0].(*column.Str), pairs.Elems[1].(column.Builder)
		t := c.Result.Elem().Elems[1].WithoutLowCardinality()
		x := jsonTyped{p: valuetext.Parser{Zone: c.Env.zone(), Exact: true}}
		for i := range c.Rows {
			if v := jsonPath(c, i, len(c.Args)-1, fold); len(v) > 0 && v[0] == '{' {
				jsonEach(v, func(k, e []byte) bool {
					n := values.Len()
					if !x.append(values, t, e) {
						values.Truncate(n)
						return true
					}
					keys.Append(jsonString(nil, k))
					pairs.N++
					return true
				})
			}
			out.EndValue()
		}
		return out, nil
	}
}

// jsonTyped appends JSON values as values of types.
type jsonTyped struct{ p valuetext.Parser }

// append reports false, and may have appended part, if v does not fit t.
func (x *jsonTyped) append(b column.Builder, t *types.Type, v []byte) bool {
	t = t.WithoutLowCardinality()
	switch t.Kind {
	case types.Nullable:
		n := b.(*column.Nullable)
		if string(v) == "null" {
			n.AppendNull()
			return true
		}
		at := n.Inner.Len()
		if !x.append(n.Inner.(column.Builder), t.Elem(), v) {
			n.Inner.(column.Builder).Truncate(at)
			n.AppendNull()
			return true
		}
		n.Nulls = append(n.Nulls, 0)
		return true
	case types.Array:
		return x.array(b.(*column.Array), t, v)
	case types.Tuple:
		return x.tuple(b.(*column.Tuple), t, v)
	case types.Map:
		return x.mapped(b.(*column.Map), t, v)
	case types.String:
		if v[0] == '"' {
			appendJSONText(b.(*column.Str), v)
		} else if string(v) == "null" {
			return false
		} else {
			b.(*column.Str).Append(v)
		}
		return true
	}
	if v[0] == '{' || v[0] == '[' || string(v) == "null" {
		return false
	}
	if v[0] == '"' {
		v = jsonString(nil, v)
	}
	if t.IsInteger() && t.Kind != types.Bool {
		if f, ok := jsonFloat(v); ok && bytes.ContainsAny(v, ".eE") && f == math.Trunc(f) {
			v = strconv.AppendFloat(nil, f, 'f', 0, 64)
		} else if string(v) == "true" || string(v) == "false" {
			v = []byte{'0' + b2u(v[0] == 't')}
		}
	}
	return x.p.Into(b, t, v) == nil
}

func (x *jsonTyped) array(b *column.Array, t *types.Type, v []byte) bool {
	if v[0] != '[' {
		return false
	}
	jsonEach(v, func(_, e []byte) bool {
		elem := b.Elem.(column.Builder)
		if n := elem.Len(); !x.append(elem, t.Elem(), e) {
			elem.Truncate(n)
			elem.AppendDefault()
		}
		return true
	})
	b.EndValue()
	return true
}

func (x *jsonTyped) tuple(b *column.Tuple, t *types.Type, v []byte) bool {
	if v[0] != '[' && v[0] != '{' {
		return false
	}
	for k, e := range t.Elems {
		var part []byte
		if v[0] == '{' && t.Names != nil {
			part = jsonStep(v, []byte(t.Names[k]), 0, true, false)
		} else {
			part = jsonStep(v, nil, int64(k)+1, false, false)
		}
		elem := b.Elems[k].(column.Builder)
		if n := elem.Len(); part == nil || !x.append(elem, e, part) {
			elem.Truncate(n)
			elem.AppendDefault()
		}
	}
	b.N++
	return true
}

func (x *jsonTyped) mapped(b *column.Map, t *types.Type, v []byte) bool {
	if v[0] != '{' {
		return false
	}
	jsonEach(v, func(k, e []byte) bool {
		keys, vals := b.Keys.(column.Builder), b.Vals.(column.Builder)
		n := keys.Len()
		if !x.append(keys, t.Elems[0], k) || !x.append(vals, t.Elems[1], e) {
			keys.Truncate(n)
			vals.Truncate(n)
		}
		return true
	})
	b.EndValue()
	return true
}

func resolveToJSON(_ *Env, args []Arg) (*types.Type, error) {
	if args[0].Type.Inner().Kind == types.Nothing {
		return types.TNull, nil
	}
	return types.TString, nil
}

func evalToJSON(c *Call) (column.Vector, error) {
	if c.Result.Kind == types.Nullable {
		return column.NewNulls(c.Rows), nil
	}
	out, v := stringResult(c), column.Flatten(c.Args[0])
	zone := c.Env.zone()
	for i := range c.Rows {
		out.Data = valuetext.AppendJSON(out.Data, v, i, zone)
		out.EndValue()
	}
	return out, nil
}
