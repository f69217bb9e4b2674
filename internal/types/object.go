package types

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Object is what a JSON type says of the paths of its objects. It is immutable.
type Object struct {
	MaxPaths int         // max_dynamic_paths: paths kept apart; those beyond are the shared data
	MaxTypes int         // max_dynamic_types of each path
	Typed    []TypedPath // sorted by path: each object has them all, with the type's default where it says nothing
	Skip     []string    // these paths, and those below them, are dropped; sorted
	SkipLike []string    // regular expressions of whole paths that are dropped
	skipLike []*regexp.Regexp
}

// TypedPath is a path whose values have a declared type.
type TypedPath struct {
	Path string
	Type *Type
}

// Limits of JSON's arguments, and what a JSON has that says nothing of them, as in ClickHouse.
const (
	maxDynamicPaths     = 10000
	defaultDynamicPaths = 1024
)

// TJSON is JSON without arguments.
var TJSON = newObject(&Object{MaxPaths: defaultDynamicPaths, MaxTypes: defaultDynamicTypes})

// NestedJSON is the type of objects inside the arrays of a JSON: with fewer paths and types kept apart.
func (t *Type) NestedJSON() *Type {
	return newObject(&Object{MaxPaths: t.Object.MaxPaths / nestedPathsFactor, MaxTypes: t.Object.MaxTypes / nestedTypesFactor})
}

// ClickHouse's factors of NestedJSON.
const (
	nestedPathsFactor = 4
	nestedTypesFactor = 2
)

// newObject returns JSON of what o says, which is taken over; its expressions compile.
func newObject(o *Object) *Type {
	slices.SortFunc(o.Typed, func(a, b TypedPath) int { return strings.Compare(a.Path, b.Path) })
	slices.Sort(o.Skip)
	var args []string
	if o.MaxTypes != defaultDynamicTypes {
		args = append(args, "max_dynamic_types="+strconv.Itoa(o.MaxTypes))
	}
	if o.MaxPaths != defaultDynamicPaths {
		args = append(args, "max_dynamic_paths="+strconv.Itoa(o.MaxPaths))
	}
	for _, p := range o.Typed {
		args = append(args, quotePath(p.Path)+" "+p.Type.name)
	}
	for _, p := range o.Skip {
		args = append(args, "SKIP "+quotePath(p))
	}
	for _, e := range o.SkipLike {
		args = append(args, "SKIP REGEXP "+QuoteString(e))
	}
	t := &Type{Kind: JSON, Elems: []*Type{TString, NewDynamic(o.MaxTypes)}, Object: o, name: "JSON"}
	if args != nil {
		t.name += "(" + strings.Join(args, ", ") + ")"
	}
	return t
}

// quotePath is a path as it stands in the name of a type.
func quotePath(p string) string {
	if strings.EqualFold(p, "SKIP") {
		return "`" + p + "`"
	}
	return quoteIdent(p)
}

// TypedPath returns the declared type of a path, or nil.
func (o *Object) TypedPath(path string) *Type {
	i, ok := slices.BinarySearchFunc(o.Typed, path, func(p TypedPath, path string) int { return strings.Compare(p.Path, path) })
	if !ok {
		return nil
	}
	return o.Typed[i].Type
}

// Skips reports whether the value at a path is dropped.
func (o *Object) Skips(path string) bool {
	for _, p := range o.Skip {
		if strings.HasPrefix(path, p) && (len(path) == len(p) || path[len(p)] == '.') {
			return true
		}
	}
	for _, e := range o.skipLike {
		if e.MatchString(path) {
			return true
		}
	}
	return false
}

func (o *Object) compile() error {
	for _, s := range o.SkipLike {
		e, err := regexp.Compile("^(?:" + s + ")$")
		if err != nil {
			return sqlerr.New(sqlerr.CannotCompileRegexp, "Invalid regexp '%s': %v", s, err)
		}
		o.skipLike = append(o.skipLike, e)
	}
	for _, p := range o.Typed {
		if o.Skips(p.Path) {
			return sqlerr.New(sqlerr.BadArguments, "Path '%s' is specified with the data type ('%s') and is skipped", p.Path, p.Type)
		}
	}
	return nil
}

func buildJSON(name string, args []arg) (*Type, error) {
	o := &Object{MaxPaths: defaultDynamicPaths, MaxTypes: defaultDynamicTypes}
	for _, a := range args {
		switch {
		case a.typ != nil:
			if o.typed(a.name) {
				return nil, sqlerr.New(sqlerr.BadArguments, "Found duplicated path with specified type: %s", a.name)
			}
			o.Typed = append(o.Typed, TypedPath{a.name, a.typ})
		case a.name == "SKIP":
			o.Skip = append(o.Skip, *a.str)
		case a.name == "SKIP REGEXP":
			o.SkipLike = append(o.SkipLike, *a.str)
		default:
			if err := o.limit(name, a); err != nil {
				return nil, err
			}
		}
	}
	if err := o.compile(); err != nil {
		return nil, err
	}
	return newObject(o), nil
}

func (o *Object) typed(path string) bool {
	return slices.ContainsFunc(o.Typed, func(p TypedPath) bool { return p.Path == path })
}

func (o *Object) limit(name string, a arg) error {
	to, most := &o.MaxPaths, maxDynamicPaths
	switch {
	case a.name == "max_dynamic_types":
		to, most = &o.MaxTypes, maxDynamicTypes
	case a.name != "max_dynamic_paths":
		return sqlerr.New(sqlerr.UnexpectedASTStructure, "Unexpected parameter name '%s', expected 'max_dynamic_types' or 'max_dynamic_paths'", a.name)
	}
	if n := *a.num; n < 0 || n > int64(most) {
		return sqlerr.New(sqlerr.UnexpectedASTStructure, "'%s' parameter for %s type should be an integer between 0 and %d", a.name, name, most)
	}
	*to = int(*a.num)
	return nil
}

// objectArg reads an argument of JSON or Dynamic: name=N, SKIP path, SKIP REGEXP 'expression' or path Type.
func (p *typeParser) objectArg(depth int) (arg, error) {
	quoted := p.i < len(p.s) && p.s[p.i] == '`'
	path, err := p.path()
	switch {
	case err != nil:
		return arg{}, err
	case p.accept('='):
		p.space()
		if p.i >= len(p.s) {
			return arg{}, p.syntax()
		}
		n, err := p.number()
		return arg{name: path, num: &n}, err
	case !quoted && eqName(path, "SKIP"):
		return p.skipArg()
	}
	t, err := p.parse(depth + 1)
	return arg{typ: t, name: path}, err
}

func (p *typeParser) skipArg() (arg, error) {
	if !eqName(p.peekWord(), "REGEXP") {
		path, err := p.path()
		return arg{name: "SKIP", str: &path}, err
	}
	p.word()
	p.space()
	if p.i >= len(p.s) || p.s[p.i] != '\'' {
		return arg{}, p.syntax()
	}
	s, err := p.quoted('\'')
	return arg{name: "SKIP REGEXP", str: &s}, err
}

// path reads words and quoted names between dots.
func (p *typeParser) path() (string, error) {
	p.space()
	var out strings.Builder
	for {
		if p.i >= len(p.s) {
			return "", p.syntax()
		}
		if q := p.s[p.i]; q == '`' || q == '"' {
			s, err := p.quoted(q)
			if err != nil {
				return "", err
			}
			out.WriteString(s)
		} else {
			w := p.word()
			if w == "" {
				return "", p.syntax()
			}
			out.WriteString(w)
		}
		if p.i >= len(p.s) || p.s[p.i] != '.' {
			return out.String(), nil
		}
		out.WriteByte('.')
		p.i++
	}
}

// SubJSON is the type of the objects below a path of a JSON: what is declared of paths there holds.
func (t *Type) SubJSON(path string) *Type {
	o := &Object{MaxPaths: t.Object.MaxPaths, MaxTypes: t.Object.MaxTypes}
	for _, p := range t.Object.Typed {
		if rest, ok := strings.CutPrefix(p.Path, path+"."); ok {
			o.Typed = append(o.Typed, TypedPath{rest, p.Type})
		}
	}
	return newObject(o)
}
