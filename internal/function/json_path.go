package function

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	for _, f := range []struct {
		name, doc, example string
		result             *types.Type
		append             func(out column.Builder, found [][]byte)
	}{
		{"JSON_VALUE", "Returns the first value at a path of a JSON text, if it is no array and no object.", `JSON_VALUE('{"a": "x"}', '$.a') → x`, types.TString, appendPathValue},
		{"JSON_QUERY", "Returns the values at a path of a JSON text, as an array.", `JSON_QUERY('{"a": "x"}', '$.a') → ["x"]`, types.TString, appendPathQuery},
		{"JSON_EXISTS", "Tests for a value at a path of a JSON text.", `JSON_EXISTS('{"a": 1}', '$.a') → 1`, types.TUInt8, func(out column.Builder, found [][]byte) { push(out, b2u(len(found) > 0)) }},
	} {
		register(&Scalar{Name: f.name, MinArgs: 2, MaxArgs: 2, ConstArgs: []int{1}, Family: "json", Doc: f.doc, Example: f.example,
			Resolve: fixed(f.name, f.result, isText), Eval: evalJSONPath(f.append)})
	}
}

// isText: a String, and not a FixedString.
func isText(t *types.Type) bool { return t.Kind == types.String }

// jsonRange is positions of an array, from 0, the last one included.
type jsonRange struct{ from, to int64 }

// pathStep is one step of a JSON path: to a key, to positions of an array, or to all elements.
type pathStep struct {
	key   []byte
	at    []jsonRange
	byKey bool
	all   bool
}

// maxPathSteps bounds a JSON path.
const maxPathSteps = 1000

func badPath() error { return sqlerr.New(sqlerr.BadArguments, "Unable to parse JSONPath") }

// parseJSONPath reads $ and steps .key, ."key", ["key"], [*], [1, 3 to 5].
func parseJSONPath(s []byte) ([]pathStep, error) {
	s = jsonSpace(s)
	if len(s) == 0 || s[0] != '$' {
		return nil, badPath()
	}
	var out []pathStep
	for s = jsonSpace(s[1:]); len(s) > 0; s = jsonSpace(s) {
		var step pathStep
		var err error
		switch s[0] {
		case '.':
			step, s, err = parsePathKey(jsonSpace(s[1:]))
		case '[':
			step, s, err = parsePathBrackets(jsonSpace(s[1:]))
		default:
			err = badPath()
		}
		if err != nil {
			return nil, err
		}
		if out = append(out, step); len(out) > maxPathSteps {
			return nil, badPath()
		}
	}
	return out, nil
}

func parsePathKey(s []byte) (pathStep, []byte, error) {
	if len(s) > 0 && (s[0] == '"' || s[0] == '`') {
		key, rest, err := quotedPathKey(s)
		return pathStep{key: key, byKey: true}, rest, err
	}
	n := 0
	for n < len(s) && (isAlnum(s[n]) || s[n] == '_' || s[n] >= 0x80) {
		n++
	}
	if n == 0 || s[0]-'0' < 10 {
		return pathStep{}, nil, badPath()
	}
	return pathStep{key: s[:n], byKey: true}, s[n:], nil
}

func quotedPathKey(s []byte) (key, rest []byte, err error) {
	end := bytes.IndexByte(s[1:], s[0])
	if end < 0 {
		return nil, nil, badPath()
	}
	return s[1 : end+1], s[end+2:], nil
}

func parsePathBrackets(s []byte) (step pathStep, rest []byte, err error) {
	switch {
	case len(s) == 0:
		return step, nil, badPath()
	case s[0] == '*':
		step.all, s = true, s[1:]
	case s[0] == '"' || s[0] == '\'':
		step.byKey = true
		if step.key, s, err = quotedPathKey(s); err != nil {
			return step, nil, err
		}
	default:
		if step.at, s, err = parsePathRanges(s); err != nil {
			return step, nil, err
		}
	}
	if s = jsonSpace(s); len(s) == 0 || s[0] != ']' {
		return step, nil, badPath()
	}
	return step, s[1:], nil
}

// parsePathRanges reads positions and ranges a to b, which ends before b, separated by commas.
func parsePathRanges(s []byte) (out []jsonRange, rest []byte, err error) {
	for {
		var r jsonRange
		if r.from, s, err = pathNumber(s); err != nil {
			return nil, nil, err
		}
		r.to = r.from
		if s = jsonSpace(s); bytes.HasPrefix(s, []byte("to")) {
			if r.to, s, err = pathNumber(jsonSpace(s[2:])); err != nil || r.to <= r.from {
				return nil, nil, badPath()
			}
			r.to--
			s = jsonSpace(s)
		}
		out = append(out, r)
		if len(s) == 0 || s[0] != ',' {
			return out, s, nil
		}
		s = jsonSpace(s[1:])
	}
}

func pathNumber(s []byte) (int64, []byte, error) {
	n := 0
	for n < len(s) && s[n]-'0' < 10 {
		n++
	}
	x, err := strconv.ParseUint(string(s[:n]), 10, 32)
	if err != nil {
		return 0, nil, badPath()
	}
	return int64(x), s[n:], nil
}

// follow appends the values at the end of a path.
func follow(found [][]byte, v []byte, path []pathStep) [][]byte {
	if len(path) == 0 {
		return append(found, v)
	}
	step := path[0]
	if step.byKey {
		if next := jsonStep(v, step.key, 0, true, false); next != nil {
			found = follow(found, next, path[1:])
		}
		return found
	}
	if len(v) == 0 || v[0] != '[' {
		return found
	}
	var elements [][]byte
	jsonEach(v, func(_, e []byte) bool { elements = append(elements, e); return true })
	if step.all {
		step.at = []jsonRange{{0, int64(len(elements)) - 1}}
	}
	for _, r := range step.at {
		for k := r.from; k <= r.to && k < int64(len(elements)); k++ {
			found = follow(found, elements[k], path[1:])
		}
	}
	return found
}

func evalJSONPath(add func(out column.Builder, found [][]byte)) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		path, err := parseJSONPath(stringsOf(c.Args[1]).row(0))
		if err != nil {
			return nil, err
		}
		s, out := stringsOf(c.Args[0]), column.New(c.Result, c.Rows)
		for i := range c.Rows {
			var found [][]byte
			if text := s.row(i); json.Valid(text) {
				v, _ := jsonValue(text)
				found = follow(nil, v, path)
			}
			add(out, found)
		}
		return out, nil
	}
}

func appendPathValue(out column.Builder, found [][]byte) {
	b := out.(*column.Str)
	if len(found) > 0 && found[0][0] != '{' && found[0][0] != '[' {
		switch v := found[0]; {
		case v[0] == '"':
			b.Data = jsonString(b.Data, v)
		case bytes.ContainsAny(v, ".eE") && v[0] != 't' && v[0] != 'f':
			x, _ := jsonFloat(v)
			b.Data = valuetext.AppendFloat64(b.Data, x)
		default:
			b.Data = append(b.Data, v...)
		}
	}
	b.EndValue()
}

func appendPathQuery(out column.Builder, found [][]byte) {
	b := out.(*column.Str)
	if len(found) == 0 {
		b.EndValue()
		return
	}
	b.Data = append(b.Data, '[')
	for i, v := range found {
		if i > 0 {
			b.Data = append(b.Data, ", "...)
		}
		appendJSONRaw(b, v)
		b.Off = b.Off[:len(b.Off)-1]
	}
	b.Data = append(b.Data, ']')
	b.EndValue()
}
