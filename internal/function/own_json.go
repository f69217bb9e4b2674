package function

import (
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// pathKind is which paths of an object are meant.
type pathKind uint8

const (
	allPaths     pathKind = iota
	dynamicPaths          // kept apart
	sharedPaths           // the others
)

func init() {
	for _, f := range []struct {
		name, doc, example string
		kind               pathKind
	}{
		{"JSONAllPaths", "the paths of an object", `JSONAllPaths(CAST('{"a":1,"b":{"c":2}}', 'JSON')) → ['a','b.c']`, allPaths},
		{"JSONDynamicPaths", "the paths of an object that are stored apart", `JSONDynamicPaths(CAST('{"a":1}', 'JSON')) → ['a']`, dynamicPaths},
		{"JSONSharedDataPaths", "the paths of an object beyond max_dynamic_paths", `JSONSharedDataPaths(CAST('{"a":1}', 'JSON(max_dynamic_paths=0)')) → ['a']`, sharedPaths},
	} {
		register(
			&Scalar{Name: f.name, MinArgs: 1, MaxArgs: 1, Resolve: resolveObject(f.name, types.NewArray(types.TString)), Eval: evalPaths(f.kind), Family: "json",
				Doc: "Returns " + f.doc + ".", Example: f.example},
			&Scalar{Name: f.name + "WithTypes", MinArgs: 1, MaxArgs: 1, Resolve: resolveObject(f.name+"WithTypes", types.NewMap(types.TString, types.TString)), Eval: evalPathsWithTypes(f.kind), Family: "json",
				Doc: "Returns " + f.doc + ", each with the name of its value's type."},
		)
	}
	register(&Scalar{Name: "JSONAllValues", MinArgs: 1, MaxArgs: 1, Resolve: resolveObject("JSONAllValues", types.NewArray(types.TString)), Eval: evalAllValues, Family: "json",
		Doc: "Returns the values of an object as strings, in the order of their paths.", Example: `JSONAllValues(CAST('{"a":1,"b":"x"}', 'JSON')) → ['1','x']`})
}

func resolveObject(name string, result *types.Type) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if args[0].Type.Kind != types.JSON {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Function %s requires argument with type JSON, got: %s", name, args[0].Type)
		}
		return result, nil
	}
}

// pathFilter tells which entries of a vector of objects are of a kind.
func pathFilter(m *column.Map, kind pathKind) func(path string) bool {
	if kind == allPaths {
		return func(string) bool { return true }
	}
	kept, shared := m.Paths()
	if kind == sharedPaths {
		kept = shared
	}
	of := make(map[string]bool, len(kept))
	for _, p := range kept {
		of[p] = true
	}
	return func(path string) bool { return of[path] }
}

// eachPath calls f for the entries of a kind, and end behind each object.
func eachPath(m *column.Map, kind pathKind, f func(j int, path string), end func()) {
	keys, wanted := m.Keys.(*column.Str), pathFilter(m, kind)
	for i := range m.Len() {
		for j := int(m.Off[i]); j < int(m.Off[i+1]); j++ {
			if path := string(keys.At(j)); wanted(path) {
				f(j, path)
			}
		}
		end()
	}
}

func evalPaths(kind pathKind) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		out := column.New(c.Result, c.Rows).(*column.Array)
		eachPath(column.Flatten(c.Args[0]).(*column.Map), kind, func(_ int, path string) { out.Elem.(*column.Str).AppendString(path) }, out.EndValue)
		return out, nil
	}
}

func evalPathsWithTypes(kind pathKind) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		m := column.Flatten(c.Args[0]).(*column.Map)
		vals, out := m.Vals.(*column.Variant), column.New(c.Result, c.Rows).(*column.Map)
		eachPath(m, kind, func(j int, path string) {
			out.Keys.(*column.Str).AppendString(path)
			out.Vals.(*column.Str).AppendString(pathType(m.Typ, vals, j, path))
		}, out.EndValue)
		return out, nil
	}
}

// pathType is the name of the declared type of a path, or that of the value there.
func pathType(t *types.Type, vals *column.Variant, j int, path string) string {
	if typed := t.Object.TypedPath(path); typed != nil {
		return typed.String()
	}
	in, _ := vals.Value(j)
	if in == nil {
		return "None"
	}
	return in.Type().String()
}

func evalAllValues(c *Call) (column.Vector, error) {
	m := column.Flatten(c.Args[0]).(*column.Map)
	out := column.New(c.Result, c.Rows).(*column.Array)
	text := out.Elem.(*column.Str)
	eachPath(m, allPaths, func(j int, _ string) {
		text.Data = valuetext.AppendText(text.Data, m.Vals, j, c.Env.zone())
		text.EndValue()
	}, out.EndValue)
	return out, nil
}

// ReadsJSON reports whether the first argument is the text of JSON: a value of type JSON may stand there too.
func (f *Scalar) ReadsJSON() bool {
	return strings.HasPrefix(f.Name, "JSONExtract") || f.Name == "JSONHas" || f.Name == "JSONLength" || f.Name == "JSONType" || f.Name == "JSONKey"
}
