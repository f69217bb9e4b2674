package function

import (
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "variantElement", MinArgs: 2, MaxArgs: 3, Nulls: NullCustom, ExactType: true, ConstArgs: []int{1}, Resolve: resolveElement("variantElement", types.Variant), Eval: evalElement, Family: "variant",
			Doc: "Returns the values of one type of a Variant, NULL or empty where they are of another; the third argument if the Variant has no such type.", Example: "variantElement(CAST('1', 'Variant(Int64, String)'), 'Int64') → 1"},
		&Scalar{Name: "dynamicElement", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, ExactType: true, ConstArgs: []int{1}, Resolve: resolveElement("dynamicElement", types.Dynamic), Eval: evalElement, Family: "variant",
			Doc: "Returns the values of one type of a Dynamic, NULL or empty where they are of another.", Example: "dynamicElement(CAST('a', 'Dynamic'), 'String') → a"},
		&Scalar{Name: "variantType", MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, Resolve: resolveVariantType, Eval: evalVariantType, Family: "variant",
			Doc: "Returns the name of the type that a value of a Variant has, None for NULL.", Example: "variantType(CAST('a', 'Variant(Int64, String)')) → String"},
		&Scalar{Name: "dynamicType", MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, Resolve: resolveOwn("dynamicType", types.Dynamic, types.NewLowCardinality(types.TString)), Eval: evalDynamicType, Family: "variant",
			Doc: "Returns the name of the type that a value of a Dynamic has, None for NULL.", Example: "dynamicType(CAST('a', 'Dynamic')) → String"},
		&Scalar{Name: "isDynamicElementInSharedData", MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, Resolve: resolveOwn("isDynamicElementInSharedData", types.Dynamic, types.TBool), Eval: evalInShared, Family: "variant",
			Doc: "Tells whether a value of a Dynamic has one of the types beyond max_types.", Example: "isDynamicElementInSharedData(CAST('a', 'Dynamic')) → false"},
		&Scalar{Name: "getSubcolumn", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, ExactType: true, ConstArgs: []int{1}, Resolve: resolveSubcolumn, Eval: evalSubcolumn, Family: "variant",
			Doc: "Returns a sub-column by its name.", Example: "getSubcolumn(CAST('{\"a\":{\"b\":1}}', 'JSON'), 'a.b') → 1"},
	)
}

// ownIn is t with Arrays around it taken off, and how many there are.
func ownIn(t *types.Type) (*types.Type, int) {
	n := 0
	for ; t.Kind == types.Array; n++ {
		t = t.Elem()
	}
	return t, n
}

func nestArrays(t *types.Type, n int) *types.Type {
	for ; n > 0; n-- {
		t = types.NewArray(t)
	}
	return t
}

// ownElementType is the type of the values of one type of a Variant or Dynamic: NULL, or what else is its default, stands for others.
func ownElementType(t *types.Type) *types.Type {
	switch {
	case t.Kind == types.LowCardinality && t.Elem().CanBeNullable():
		return types.NewLowCardinality(types.NewNullable(t.Elem()))
	case t.CanBeNullable():
		return types.NewNullable(t)
	}
	return t
}

func resolveElement(name string, kind types.Kind) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		text, ok := constString(args, 1)
		if !ok {
			return nil, illegal(name, 1, args[1].Type)
		}
		in, depth := ownIn(args[0].Type)
		if in.Kind != kind {
			return nil, illegal(name, 0, args[0].Type)
		}
		t, err := types.Parse(text)
		switch {
		case err != nil && kind == types.Dynamic:
			return nil, sqlerr.New(sqlerr.BadArguments, "Second argument of %s must be a valid type name. Got: %s", name, text)
		case kind == types.Dynamic:
			return nestArrays(ownElementType(t), depth), nil
		case err == nil && in.VariantOf(t) >= 0:
			return nestArrays(ownElementType(t), depth), nil
		case len(args) == 3:
			return args[2].Type, nil
		}
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "%s doesn't contain variant with type %s", in, text)
	}
}

func evalElement(c *Call) (column.Vector, error) {
	name, _ := stringConst(c.Args[1])
	t, err := types.Parse(name)
	if in, _ := ownIn(c.Types[0]); err != nil || in.Kind == types.Variant && in.VariantOf(t) < 0 {
		return c.Args[2], nil
	}
	return insideArrays(column.Flatten(c.Args[0]), c.Result.WithoutLowCardinality(), func(v column.Vector, to *types.Type) (column.Vector, error) {
		return element(v.(*column.Variant), t, to), nil
	})
}

// insideArrays applies f to the elements within arrays around v; to is the type of the result.
func insideArrays(v column.Vector, to *types.Type, f func(v column.Vector, to *types.Type) (column.Vector, error)) (column.Vector, error) {
	a, ok := v.(*column.Array)
	if !ok {
		return f(v, to)
	}
	elem, err := insideArrays(column.Flatten(a.Elem.Slice(int(a.Off[0]), int(a.Off[a.Len()]))), to.Elem().WithoutLowCardinality(), f)
	if err != nil {
		return nil, err
	}
	return &column.Array{Typ: to, Off: rebase(a.Off), Elem: column.Flatten(elem)}, nil
}

// element is the values of one type as a vector of to, which is ownElementType of it. It may share memory with v.
func element(v *column.Variant, t, to *types.Type) column.Vector {
	g := gathering{result: to.WithoutLowCardinality(), rows: v.Len()}
	plain := t.WithoutLowCardinality()
	k := slices.IndexFunc(v.Alts, func(a column.Vector) bool { return a.Type().Equal(plain) })
	if k < 0 {
		return g.vector()
	}
	if g.result.Kind == types.Nullable {
		return nullableElement(v, k)
	}
	if rows, values := v.Rows(k); len(rows) > 0 {
		g.add(rows, values)
	}
	return g.vector()
}

// nullableElement is the values of alternative k, NULL where there are others.
func nullableElement(v *column.Variant, k int) column.Vector {
	nulls, at, run := make([]uint8, v.Len()), make([]uint32, v.Len()), true
	for i, w := range v.Which {
		if w == uint32(k) {
			at[i] = v.At[i]
		} else {
			nulls[i] = 1
		}
		run = run && w == uint32(k) && at[i] == at[0]+uint32(i)
	}
	alt := v.Alts[k]
	switch {
	case len(at) == 0 || alt.Len() == 0: // of a Dynamic that has lost its values, or of a Variant that has none of the type
		none := column.New(types.NewNullable(alt.Type()), len(at))
		for range at {
			none.AppendDefault()
		}
		return none
	case run:
		return column.NewNullable(nulls, column.Flatten(alt.Slice(int(at[0]), int(at[0])+len(at))))
	}
	return column.NewNullable(nulls, column.Flatten(column.Gather(alt, at)))
}

func resolveVariantType(_ *Env, args []Arg) (*types.Type, error) {
	t := args[0].Type
	if t.Kind != types.Variant {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "A value of illegal type was provided as 1st argument 'variant' to function 'variantType'. Expected: Variant, got: %s", t)
	}
	values := []types.EnumValue{{Name: "None", Value: -1}}
	for i, e := range t.Elems {
		values = append(values, types.EnumValue{Name: e.String(), Value: int16(i)})
	}
	if len(t.Elems) > 128 {
		return types.NewEnum(types.Enum16, values), nil
	}
	return types.NewEnum(types.Enum8, values), nil
}

func evalVariantType(c *Call) (column.Vector, error) {
	v := column.Flatten(c.Args[0]).(*column.Variant)
	out := make([]int16, v.Len())
	for i, k := range v.Which {
		if out[i] = int16(k); k == column.NoVariant {
			out[i] = -1
		}
	}
	return narrow(c.Result, out), nil
}

func resolveOwn(name string, kind types.Kind, result *types.Type) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if t := args[0].Type; t.Kind != kind {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "A value of illegal type was provided as 1st argument to function '%s', got: %s", name, t)
		}
		return result, nil
	}
}

func evalDynamicType(c *Call) (column.Vector, error) {
	v := column.Flatten(c.Args[0]).(*column.Variant)
	names := column.NewStrings("None")
	for _, a := range v.Alts {
		names.AppendString(a.Type().String())
	}
	codes := make([]uint32, v.Len())
	for i, k := range v.Which {
		codes[i] = k + 1 // NoVariant is the largest number: 0
	}
	return &column.Dict{Codes: codes, Values: names}, nil
}

func evalInShared(c *Call) (column.Vector, error) {
	v := column.Flatten(c.Args[0]).(*column.Variant)
	out := make([]uint8, v.Len())
	for i, k := range v.Which {
		out[i] = b2u(k != column.NoVariant && int(k) >= v.Typ.N)
	}
	return column.NewNum(types.TBool, out), nil
}

// SubcolumnType is the type of the sub-column of a Variant, Dynamic or JSON, maybe in arrays, that the parts of a name say, and how many of
// them it takes; nil if there is none.
func SubcolumnType(t *types.Type, parts []string) (*types.Type, int) {
	in, depth := ownIn(t)
	switch in.Kind {
	case types.Variant, types.Dynamic:
		e, err := types.Parse(parts[0])
		if err != nil || e.IsNullable() || e.IsUnion() || in.Kind == types.Variant && in.VariantOf(e) < 0 {
			return nil, 0
		}
		return nestArrays(ownElementType(e), depth), 1
	case types.JSON:
		r, n := jsonSubcolumn(in, parts)
		if r == nil {
			return nil, 0
		}
		return nestArrays(r, depth), n
	}
	return nil, 0
}

// TypeHint is the type that a part of a path of JSON such as :`Int64` names, or "".
func TypeHint(part string) string {
	if s, ok := strings.CutPrefix(part, ":`"); ok && strings.HasSuffix(s, "`") {
		return strings.TrimSuffix(s, "`")
	}
	return ""
}

// BelowHint is the path that a part such as ^`a` begins, or "".
func BelowHint(part string) string {
	if s, ok := strings.CutPrefix(part, "^`"); ok && strings.HasSuffix(s, "`") {
		return strings.TrimSuffix(s, "`")
	}
	return ""
}

// jsonSubcolumn is the type of what parts say of a JSON, and how many it takes: a path, as Dynamic or what it is declared as; a path and a type; the
// objects below a path.
func jsonSubcolumn(t *types.Type, parts []string) (*types.Type, int) {
	if BelowHint(parts[0]) != "" {
		return t.SubJSON(objectPrefix(parts)), len(parts)
	}
	for n := len(parts); n > 0; n-- { // the longest declared path
		e := t.Object.TypedPath(strings.Join(parts[:n], "."))
		if e != nil && e.Kind == types.Dynamic && n < len(parts) && TypeHint(parts[n]) != "" {
			break
		}
		if e != nil {
			return e, n
		}
	}
	n := slices.IndexFunc(parts, func(p string) bool { return TypeHint(p) != "" })
	switch {
	case n == 0:
		return nil, 0
	case n < 0:
		return t.Elems[1], len(parts)
	}
	e := hinted(t, parts[n])
	if e == nil {
		return nil, 0
	}
	return ownElementType(e), n + 1
}

func objectPrefix(parts []string) string {
	return strings.Join(append([]string{BelowHint(parts[0])}, parts[1:]...), ".")
}

// hinted is the type that :`T` names; JSON without arguments is that of objects within the arrays of t.
func hinted(t *types.Type, part string) *types.Type {
	e, err := types.Parse(strings.ReplaceAll(TypeHint(part), "(JSON)", "("+t.NestedJSON().String()+")"))
	if err != nil || e.IsNullable() || e.IsUnion() {
		return nil
	}
	return e
}

func resolveSubcolumn(_ *Env, args []Arg) (*types.Type, error) {
	name, ok := constString(args, 1)
	if !ok {
		return nil, illegal("getSubcolumn", 1, args[1].Type)
	}
	t := args[0].Type
	for parts := subcolumnParts(name); len(parts) > 0; {
		next, n := SubcolumnType(t.WithoutLowCardinality(), parts)
		if next == nil {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "%s doesn't have subcolumn %s", t, name)
		}
		t, parts = next, parts[n:]
	}
	return t, nil
}

// subcolumnParts cuts the name of a sub-column at the dots outside of quotes.
func subcolumnParts(name string) []string {
	var out []string
	start, quoted := 0, false
	for i := 0; i < len(name); i++ {
		switch {
		case name[i] == '`':
			quoted = !quoted
		case name[i] == '.' && !quoted:
			out = append(out, name[start:i])
			start = i + 1
		}
	}
	return append(out, name[start:])
}

func evalSubcolumn(c *Call) (column.Vector, error) {
	name, _ := stringConst(c.Args[1])
	v, t := column.Flatten(c.Args[0]), c.Types[0].WithoutLowCardinality()
	for parts := subcolumnParts(name); len(parts) > 0; {
		to, n := SubcolumnType(t, parts)
		r, err := insideArrays(v, to.WithoutLowCardinality(), func(v column.Vector, to *types.Type) (column.Vector, error) {
			return subcolumn(c.Env, v, parts[:n], to)
		})
		if err != nil {
			return nil, err
		}
		v, t, parts = column.Flatten(r), to.WithoutLowCardinality(), parts[n:]
	}
	return v, nil
}

// subcolumn is one step, whose result SubcolumnType says to be of type to.
func subcolumn(env *Env, v column.Vector, parts []string, to *types.Type) (column.Vector, error) {
	if u, ok := v.(*column.Variant); ok {
		t, err := types.Parse(parts[0])
		if err != nil {
			return nil, err
		}
		return element(u, t, to), nil
	}
	m := v.(*column.Map)
	p := objectPart(env, m.Typ, parts, to)
	if p.Below {
		return p.OfBelow(m), nil
	}
	return p.OfPath(m.Path(p.Path))
}
