package valuetext

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// AppendObject appends value i of a vector of JSON: paths with dots are objects within objects. indent ≥ 0 spreads them over lines at that
// depth of tabs; -1 keeps all on one. value appends the value of a path, at its own depth.
func AppendObject(dst []byte, m *column.Map, i, indent int, value func(dst []byte, v column.Vector, i, indent int) []byte) []byte {
	keys := m.Keys.(*column.Str)
	line := func(depth int) {
		if indent >= 0 {
			dst = append(dst, '\n')
			for range indent + depth {
				dst = append(dst, '\t')
			}
		}
	}
	key := func(k []byte) {
		if dst = append(AppendJSONString(dst, k), ':'); indent >= 0 {
			dst = append(dst, ' ')
		}
	}
	var inside []byte // the path of the innermost open object, with a dot behind it
	depth := 1
	dst = append(dst, '{')
	for j := int(m.Off[i]); j < int(m.Off[i+1]); j++ {
		path := keys.At(j)
		for !bytes.HasPrefix(path, inside) {
			depth--
			line(depth)
			dst = append(dst, '}')
			inside = inside[:bytes.LastIndexByte(inside[:len(inside)-1], '.')+1]
		}
		if j > int(m.Off[i]) {
			dst = append(dst, ',')
		}
		line(depth)
		for {
			n := bytes.IndexByte(path[len(inside):], '.')
			if n < 0 {
				break
			}
			key(path[len(inside) : len(inside)+n])
			dst = append(dst, '{')
			inside = path[:len(inside)+n+1]
			depth++
			line(depth)
		}
		key(path[len(inside):])
		in := -1
		if indent >= 0 {
			in = indent + depth
		}
		dst = value(dst, m.Vals, j, in)
	}
	for ; depth > 1; depth-- {
		line(depth - 1)
		dst = append(dst, '}')
	}
	if m.Off[i] < m.Off[i+1] {
		line(0)
	}
	return append(dst, '}')
}

// objectPath is a path of an object being read and the text of its value.
type objectPath struct {
	path string
	typ  *types.Type // declared; nil for others
	raw  []byte
}

// objectReader gathers the paths of an object.
type objectReader struct {
	o     *types.Object
	found []objectPath
	path  []byte
}

var objectReaders = sync.Pool{New: func() any { return new(objectReader) }}

// object appends the JSON object that all of s is to a vector of JSON. On an error b is as it was.
func (p *Parser) object(b *column.Map, t *types.Type, s []byte, depth int) error {
	r := objectReaders.Get().(*objectReader)
	defer objectReaders.Put(r)
	r.o, r.found, r.path = t.Object, r.found[:0], r.path[:0]
	if err := r.read(s); err != nil {
		return err
	}
	n := b.Len()
	err := p.appendPaths(b, r, depth)
	if err != nil {
		b.Off = append(b.Off, uint32(b.Keys.Len())) // so that Truncate sees what was appended
		b.Truncate(n)
	}
	clear(r.found)
	return err
}

func (r *objectReader) read(s []byte) error {
	in := jsonText{s: s}
	if in.space(); in.i >= len(s) || s[in.i] != '{' {
		return sqlerr.New(sqlerr.IncorrectData, "Cannot parse JSON object here: %s", clip(s))
	}
	if err := r.members(&in, 0); err != nil {
		return err
	}
	if in.space(); in.i < len(s) {
		return sqlerr.New(sqlerr.IncorrectData, "Cannot parse JSON object here: %s", clip(s))
	}
	slices.SortFunc(r.found, func(a, b objectPath) int { return strings.Compare(a.path, b.path) })
	for i := 1; i < len(r.found); i++ {
		if r.found[i].path == r.found[i-1].path {
			return sqlerr.New(sqlerr.IncorrectData, "Duplicate path found during parsing JSON object: %s. You can enable setting type_json_skip_duplicated_paths to skip duplicated paths during insert", r.found[i].path)
		}
	}
	return nil
}

// members reads an object at r.path.
func (r *objectReader) members(in *jsonText, depth int) error {
	if depth > maxJSONDepth {
		return tooDeepJSON()
	}
	base := len(r.path)
	return in.object(func(key []byte) error {
		r.path = append(r.path[:base], key...)
		defer func() { r.path = r.path[:base] }()
		typ := r.o.TypedPath(string(r.path))
		if typ == nil && r.o.Skips(string(r.path)) {
			_, err := in.value(depth)
			return err
		}
		if in.space(); typ == nil && in.i < len(in.s) && in.s[in.i] == '{' {
			r.path = append(r.path, '.')
			return r.members(in, depth+1)
		}
		raw, err := in.value(depth)
		if err != nil {
			return err
		}
		if typ == nil && string(raw) == "null" {
			return nil
		}
		r.found = append(r.found, objectPath{string(r.path), typ, raw})
		return nil
	})
}

// appendPaths appends what was found, and the declared paths that were not with their defaults.
func (p *Parser) appendPaths(b *column.Map, r *objectReader, depth int) error {
	keys, vals := b.Keys.(*column.Str), b.Vals.(*column.Variant)
	typed := r.o.Typed
	missing := func(before string, all bool) {
		for ; len(typed) > 0 && (all || typed[0].Path <= before); typed = typed[1:] {
			if !all && typed[0].Path == before {
				typed = typed[1:]
				return
			}
			keys.AppendString(typed[0].Path)
			vals.AppendDefaultOf(typed[0].Type)
		}
	}
	for _, f := range r.found {
		missing(f.path, false)
		keys.AppendString(f.path)
		var err error
		if f.typ != nil {
			err = p.typedPath(vals, f.typ, f.raw, depth)
		} else {
			err = p.jsonDynamic(vals, f.raw, depth)
		}
		if err != nil {
			keys.Truncate(vals.Len())
			return err
		}
	}
	missing("", true)
	b.EndValue()
	return nil
}

// typedPath appends the value of a path whose type is declared. Dynamic and Variant are no types of values of a path's own kind: they
// go in as what they are.
func (p *Parser) typedPath(vals *column.Variant, t *types.Type, raw []byte, depth int) error {
	t = t.WithoutLowCardinality()
	null := string(raw) == "null"
	switch {
	case null && (t.Kind == types.Nullable || t.IsUnion()):
		vals.AppendNull()
		return nil
	case null:
		vals.AppendDefaultOf(t)
		return nil
	case t.Kind == types.Dynamic:
		return p.jsonDynamic(vals, raw, depth)
	}
	return appendAlternative(vals, t.WithoutNullable(), func(b column.Builder, t *types.Type) error { return p.jsonInto(b, t, raw, depth) })
}

// appendAlternative appends a value of type t by read, whole or not at all.
func appendAlternative(v *column.Variant, t *types.Type, read func(b column.Builder, t *types.Type) error) error {
	k := v.Alt(t)
	alt := v.Alts[k].(column.Builder)
	n := alt.Len()
	if err := read(alt, t); err != nil {
		alt.Truncate(n)
		return err
	}
	v.EndValue(k)
	return nil
}

// JSONObject appends the text of an object, or null for one without paths, to a vector of JSON. On an error b is as it was.
func (p *Parser) JSONObject(b *column.Map, t *types.Type, s []byte) error {
	if string(trimSpace(s)) == "null" {
		b.AppendDefault()
		return nil
	}
	of := *p
	of.nested = t.NestedJSON()
	return of.object(b, t, s, 0)
}
