package function

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/dictionary"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// Dictionaries finds dictionaries by the names that a statement gives them. Safe for concurrent use.
type Dictionaries interface {
	// Shape describes a dictionary without its rows. BadArguments if there is none.
	Shape(name string) (*dictionary.Shape, error)
	// Open returns what answers lookups, the same for all of a statement.
	Open(name string) (dictionary.Reader, error)
}

// dictTypes are the types that functions such as dictGetUInt8 are called after.
var dictTypes = []string{"UInt8", "UInt16", "UInt32", "UInt64", "Int8", "Int16", "Int32", "Int64", "Float32", "Float64", "String", "Date", "DateTime", "UUID", "IPv4", "IPv6"}

func init() {
	add := func(name, of string, or dictMissing, least int, doc string) {
		g := &dictGetter{name: name, of: of, or: or}
		register(&Scalar{Name: name, MinArgs: least, MaxArgs: least + 1, Nulls: NullCustom, Changing: true, Resolve: g.resolve, Eval: g.eval, Family: FamilyDictionaries, Doc: doc})
	}
	add("dictGet", "", dictDefault, 3, "Returns attributes of a key: dictGet('dictionary', 'attribute', key [, point of a range]); the attribute's default if the key is not there. A tuple of names yields a tuple.")
	add("dictGetOrDefault", "", dictArgument, 4, "Is dictGet with the value, as the last argument, of keys that are not there.")
	add("dictGetOrNull", "", dictNull, 3, "Is dictGet with NULL for keys that are not there.")
	for _, t := range dictTypes {
		add("dictGet"+t, t, dictDefault, 3, "Is dictGet of an attribute of type "+t+".")
		add("dictGet"+t+"OrDefault", t, dictArgument, 4, "Is dictGetOrDefault of an attribute of type "+t+".")
	}
	tree := func(name string, most int, result *types.Type, eval func(*Call) (column.Vector, error), doc string) {
		register(&Scalar{Name: name, MinArgs: 2, MaxArgs: most, Changing: true, Resolve: resolveTree(name, result), Eval: eval, Family: FamilyDictionaries, Doc: doc})
	}
	keys := types.NewArray(types.TUInt64)
	register(&Scalar{Name: "dictHas", MinArgs: 2, MaxArgs: 3, Changing: true, Resolve: resolveDictHas, Eval: evalDictHas, Family: FamilyDictionaries, Doc: "Tests whether a key is there: dictHas('dictionary', key [, point of a range])."})
	tree("dictGetHierarchy", 2, keys, evalDictHierarchy, "Returns a key and the keys above it in the dictionary's hierarchy.")
	tree("dictGetChildren", 2, keys, evalDictChildren, "Returns the keys right below a key.")
	tree("dictGetDescendants", 3, keys, evalDictDescendants, "Returns all keys below a key, or those of one level, of which 1 is the children's.")
	register(&Scalar{Name: "dictIsIn", MinArgs: 3, MaxArgs: 3, Changing: true, Resolve: resolveTree("dictIsIn", types.TUInt8), Eval: evalDictIsIn, Family: FamilyDictionaries, Doc: "Tests whether a key is below another, or the same: dictIsIn('dictionary', key, above)."})
}

// FamilyDictionaries is the family of the functions whose first argument names a dictionary, also as an identifier.
const FamilyDictionaries = "dictionaries"

// dictMissing is what becomes of keys that are not there.
type dictMissing uint8

const (
	dictDefault  dictMissing = iota // the attribute's default
	dictArgument                    // the last argument
	dictNull                        // NULL
)

// dictGetter is dictGet and its kin.
type dictGetter struct {
	name string
	of   string // the type that the attribute has to have; "": any
	or   dictMissing
}

// dictionaryArg is the shape of the dictionary that the first argument names.
func dictionaryArg(env *Env, name string, args []Arg) (*dictionary.Shape, error) {
	d, ok := constString(args, 0)
	if !ok {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of first argument of function %s, expected a const string", args[0].Type, name)
	}
	if env.Dictionaries == nil {
		return nil, sqlerr.New(sqlerr.BadArguments, "Dictionary (`%s`) not found: there are no dictionaries here", d)
	}
	return env.Dictionaries.Shape(d)
}

// attributes are the positions that the second argument names, and whether it is a tuple.
func (g *dictGetter) attributes(s *dictionary.Shape, v column.Vector, t *types.Type) ([]int, bool, error) {
	var names []any
	single := false
	if v != nil {
		switch x := column.Value(v, 0).(type) {
		case string:
			names, single = []any{x}, true
		case []any:
			names = x
		}
	}
	var out []int
	for _, n := range names {
		text, ok := n.(string)
		if !ok {
			names = nil
			break
		}
		i, err := s.Attribute(text)
		if err != nil {
			return nil, false, err
		}
		out = append(out, i)
	}
	if len(names) == 0 {
		return nil, false, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of second argument of function %s, expected a const string or const tuple of const strings", t, g.name)
	}
	return out, !single, nil
}

func (g *dictGetter) resolve(env *Env, args []Arg) (*types.Type, error) {
	s, err := dictionaryArg(env, g.name, args)
	if err != nil {
		return nil, err
	}
	at, tuple, err := g.attributes(s, args[1].Const, args[1].Type)
	if err != nil {
		return nil, err
	}
	want := 3
	if s.Range != nil {
		want++
	}
	if g.or == dictArgument {
		want++
	}
	if len(args) != want {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Number of arguments for function %s doesn't match: passed %d should be %d", g.name, len(args), want)
	}
	if err := checkKeyType(g.name, s, args[2].Type); err != nil {
		return nil, err
	}
	if s.Range != nil && args[3].Type.IsString() {
		return nil, sqlerr.New(sqlerr.IllegalColumn, "Illegal type %s of fourth argument of function %s must be convertible to Int64", args[3].Type, g.name)
	}
	nullable := args[2].Type.IsNullable() || s.Range != nil && args[3].Type.IsNullable()
	if nullable && tuple {
		return nil, sqlerr.New(sqlerr.UnsupportedMethod, "Function %s support nullable key only for single dictionary attribute", g.name)
	}
	ts, names := make([]*types.Type, len(at)), make([]string, len(at))
	for i, a := range at {
		if ts[i], err = g.attributeType(s.At(a), nullable); err != nil {
			return nil, err
		}
		names[i] = s.At(a).Name
	}
	if !tuple {
		return ts[0], nil
	}
	return types.NewTuple(ts, names), nil
}

// attributeType is the type of an attribute in the result.
func (g *dictGetter) attributeType(a dictionary.Attribute, nullable bool) (*types.Type, error) {
	t := a.Type
	if g.of != "" && t.String() != g.of && (t.Kind != types.DateTime || g.of != "DateTime") {
		return nil, sqlerr.New(sqlerr.TypeMismatch, "Function %s dictionary attribute has different type %s expected %s", g.name, t, g.of)
	}
	if t.Kind == types.Nullable || g.or != dictNull && (!nullable || !t.CanBeNullable()) {
		return t, nil
	}
	if !t.CanBeNullable() {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Nested type %s cannot be inside Nullable type", t)
	}
	return types.NewNullable(t), nil
}

// checkKeyType refuses keys of a form that the dictionary does not have.
func checkKeyType(name string, s *dictionary.Shape, t *types.Type) error {
	in := t.WithoutNullable()
	switch {
	case in.Kind == types.Nothing:
		return nil
	case s.Layout == dictionary.IPTrie:
		if in.Kind == types.Tuple && len(in.Elems) == 1 {
			in = in.Elems[0].Inner()
		}
		if in.Kind != types.IPv4 && in.Kind != types.UInt32 && in.Kind != types.IPv6 && (in.Kind != types.FixedString || in.Width() != 16) {
			return sqlerr.New(sqlerr.TypeMismatch, "Key does not match, expected either IPv4 (or UInt32) or IPv6 (or FixedString(16))")
		}
		return nil
	case s.Simple && in.Kind == types.Tuple:
		return sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of argument of function toUInt64", in)
	case s.Simple:
		return nil
	case in.Kind != types.Tuple && len(s.Key) > 1:
		return sqlerr.New(sqlerr.IllegalTypeOfArgument, "Third argument of function %s must be tuple when dictionary is complex and key contains more than 1 attribute.Actual type %s", name, in)
	case in.Kind == types.Tuple && len(in.Elems) != len(s.Key):
		var ts []*types.Type
		for _, f := range s.Key {
			ts = append(ts, f.Type)
		}
		return sqlerr.New(sqlerr.TypeMismatch, "Dictionary %s key lookup structure does not match, expected %s", s.Name, types.NewTuple(ts, nil))
	}
	return nil
}

func (g *dictGetter) eval(c *Call) (column.Vector, error) {
	found, err := dictLookup(c, 2, 3)
	if err != nil {
		return nil, err
	}
	at, tuple, err := g.attributes(found.data.Shape(), c.Args[1], c.Types[1])
	if err != nil {
		return nil, err
	}
	var or column.Vector
	if g.or == dictArgument {
		or = c.Args[len(c.Args)-1]
	}
	if !tuple {
		return g.attribute(c, found, at[0], or, c.Result)
	}
	out := &column.Tuple{Typ: c.Result, N: c.Rows}
	var ors []column.Vector
	if or != nil {
		t, ok := column.Flatten(or).(*column.Tuple)
		if !ok || len(t.Elems) != len(at) {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Wrong argument for function %s: the default has to be a tuple of %d values", g.name, len(at))
		}
		ors = t.Elems
	}
	for i, a := range at {
		var or column.Vector
		if ors != nil {
			or = ors[i]
		}
		v, err := g.attribute(c, found, a, or, c.Result.Elems[i])
		if err != nil {
			return nil, err
		}
		out.Elems = append(out.Elems, column.Flatten(v))
	}
	return out, nil
}

// attribute is one attribute of the rows that were found, of the type of the result.
func (g *dictGetter) attribute(c *Call, f *dictFound, attribute int, or column.Vector, result *types.Type) (column.Vector, error) {
	v := column.Flatten(f.data.Gather(attribute, f.rows))
	none := uint32(f.data.Rows())
	if or != nil {
		k := caster{env: c.Env, mode: castExact}
		t := v.Type()
		if t.Kind == types.Nullable && or.Type().WithoutNullable().IsString() {
			k.mode = castOrNull
		}
		cast, err := k.cast(or, t)
		if err != nil {
			return nil, err
		}
		v = chooseFound(v, column.Flatten(cast), f.rows, none)
	}
	if result.Kind != types.Nullable {
		return v, nil
	}
	nulls := f.nulls
	if g.or == dictNull {
		mask := make([]uint8, len(f.rows))
		for i, r := range f.rows {
			if r == none {
				mask[i] = 1
			}
		}
		nulls = orMask(nulls, mask)
	}
	if nulls == nil {
		nulls = make([]uint8, len(f.rows))
	}
	return withNulls(v, nulls), nil
}

// chooseFound takes of each row its value, or where there is none the other.
func chooseFound(v, or column.Vector, rows []uint32, none uint32) column.Vector {
	if !slices.Contains(rows, none) {
		return v
	}
	out := column.New(v.Type(), len(rows))
	for from := 0; from < len(rows); {
		to, src := from+1, v
		for to < len(rows) && (rows[to] == none) == (rows[from] == none) {
			to++
		}
		if rows[from] == none {
			src = or
		}
		out.AppendRange(src, from, to)
		from = to
	}
	return out
}

// dictFound is the rows of the keys of a call.
type dictFound struct {
	data  *dictionary.Data
	rows  []uint32
	nulls []uint8 // of keys; nil: none is NULL. Their rows are those of no key
}

// dictLookup finds the keys of a call, which the argument at key holds, and points of a range that at holds.
func dictLookup(c *Call, key, at int) (*dictFound, error) {
	r, s, err := openDictionary(c)
	if err != nil {
		return nil, err
	}
	f := &dictFound{}
	keys, nulls, err := dictKeys(c, s, c.Args[key])
	if err != nil {
		return nil, err
	}
	f.nulls = nulls
	var point column.Vector
	if s.Range != nil {
		v, nulls, all := splitNulls(c.Args[at], c.Rows)
		if all {
			nulls = slices.Repeat([]uint8{1}, c.Rows)
		}
		f.nulls = orMask(f.nulls, nulls)
		k := caster{env: c.Env, nulls: nulls}
		if point, err = k.cast(column.Flatten(v), s.Point); err != nil {
			return nil, err
		}
	}
	if f.data, f.rows, err = r.Lookup(c.Env.Ctx, keys, point, c.Rows); err != nil {
		return nil, err
	}
	for i, null := range f.nulls {
		if null != 0 {
			f.rows[i] = uint32(f.data.Rows())
		}
	}
	return f, nil
}

func openDictionary(c *Call) (dictionary.Reader, *dictionary.Shape, error) {
	name, _ := stringConst(c.Args[0])
	if c.Env.Dictionaries == nil {
		return nil, nil, sqlerr.New(sqlerr.BadArguments, "Dictionary (`%s`) not found: there are no dictionaries here", name)
	}
	s, err := c.Env.Dictionaries.Shape(name)
	if err != nil {
		return nil, nil, err
	}
	r, err := c.Env.Dictionaries.Open(name)
	return r, s, err
}

// dictKeys are the columns of a key in their types; nulls are the rows where it is NULL.
func dictKeys(c *Call, s *dictionary.Shape, v column.Vector) (keys []column.Vector, nulls []uint8, err error) {
	v, nulls, all := splitNulls(v, c.Rows)
	if all {
		nulls = slices.Repeat([]uint8{1}, c.Rows)
		for _, f := range s.Key {
			keys = append(keys, column.NewDefaults(f.Type, c.Rows))
		}
		if s.Layout == dictionary.IPTrie {
			keys[0] = column.NewDefaults(types.TIPv6, c.Rows)
		}
		return keys, nulls, nil
	}
	v = column.Flatten(v)
	parts := []column.Vector{v}
	if t, ok := v.(*column.Tuple); ok && !s.Simple {
		parts = t.Elems
	}
	if s.Layout == dictionary.IPTrie {
		return parts, nulls, nil
	}
	k := caster{env: c.Env, mode: castExact, nulls: nulls}
	for i, f := range s.Key {
		part, err := k.cast(parts[i], f.Type)
		if err != nil {
			return nil, nil, err
		}
		keys = append(keys, part)
	}
	return keys, nulls, nil
}

func resolveDictHas(env *Env, args []Arg) (*types.Type, error) {
	s, err := dictionaryArg(env, "dictHas", args)
	if err != nil {
		return nil, err
	}
	if (s.Range != nil) != (len(args) == 3) {
		kind := map[bool]string{true: "range", false: "simple"}[s.Range != nil]
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Wrong argument count for function dictHas when dictionary has key type %s", kind)
	}
	return types.TUInt8, checkKeyType("dictHas", s, args[1].Type)
}

func evalDictHas(c *Call) (column.Vector, error) {
	f, err := dictLookup(c, 1, 2)
	if err != nil {
		return nil, err
	}
	out := make([]uint8, c.Rows)
	for i, r := range f.rows {
		out[i] = b2u(int(r) < f.data.Rows())
	}
	return column.NewBools(out), nil
}

// resolveTree types a function over a hierarchy of simple keys.
func resolveTree(name string, result *types.Type) func(*Env, []Arg) (*types.Type, error) {
	return func(env *Env, args []Arg) (*types.Type, error) {
		s, err := dictionaryArg(env, name, args)
		if err != nil {
			return nil, err
		}
		if s.Parent < 0 {
			return nil, sqlerr.New(sqlerr.UnsupportedMethod, "Dictionary %s does not support hierarchy", s.Name)
		}
		if name == "dictGetDescendants" && len(args) == 3 && (args[2].Const == nil || !isPlainInt(args[2].Type) || args[2].Type.IsSigned()) {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type of third argument of function dictGetDescendants. Expected const unsigned integer")
		}
		return result, checkKeyType(name, s, args[1].Type)
	}
}

// treeKeys are the whole dictionary and the keys in an argument.
func treeKeys(c *Call, at int) (*dictionary.Data, []uint64, error) {
	r, s, err := openDictionary(c)
	if err != nil {
		return nil, nil, err
	}
	d, err := r.All(c.Env.Ctx)
	if err != nil {
		return nil, nil, err
	}
	keys, _, err := dictKeys(c, s, c.Args[at])
	if err != nil {
		return nil, nil, err
	}
	return d, column.Flatten(keys[0]).(*column.Num[uint64]).Data, nil
}

func evalDictHierarchy(c *Call) (column.Vector, error) {
	d, keys, err := treeKeys(c, 1)
	if err != nil {
		return nil, err
	}
	return d.Ancestors(keys)
}

func evalDictChildren(c *Call) (column.Vector, error) {
	d, keys, err := treeKeys(c, 1)
	if err != nil {
		return nil, err
	}
	return d.Descendants(c.Env.Ctx, keys, 1)
}

func evalDictDescendants(c *Call) (column.Vector, error) {
	d, keys, err := treeKeys(c, 1)
	if err != nil {
		return nil, err
	}
	level := uint64(0)
	if len(c.Args) == 3 {
		level = numsOf[uint64](column.Flatten(c.Args[2].Slice(0, 1)))[0]
	}
	return d.Descendants(c.Env.Ctx, keys, level)
}

func evalDictIsIn(c *Call) (column.Vector, error) {
	d, keys, err := treeKeys(c, 1)
	if err != nil {
		return nil, err
	}
	_, above, err := treeKeys(c, 2)
	if err != nil {
		return nil, err
	}
	in, err := d.IsIn(keys, above)
	if err != nil {
		return nil, err
	}
	return column.NewBools(in), nil
}
