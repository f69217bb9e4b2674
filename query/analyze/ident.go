package analyze

import (
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// path returns the parts of an identifier with its parameters substituted.
func (a *analyzer) path(id *ast.Ident) ([]string, error) {
	out := make([]string, len(id.Parts))
	for i, p := range id.Parts {
		name, err := a.name(p)
		if err != nil {
			return nil, err
		}
		out[i] = name
	}
	return out, nil
}

// name returns an identifier's text, for {x:Identifier} the parameter's value.
func (a *analyzer) name(n ast.Name) (string, error) {
	if !n.Param {
		return n.Text, nil
	}
	v, ok := a.opts.Params[n.Text]
	if !ok {
		return "", sqlerr.New(sqlerr.UnknownQueryParameter, "Substitution `%s` is not set", n.Text)
	}
	return v, nil
}

// ident resolves an identifier and remembers the name it has in a column's name.
func (s *scope) ident(id *ast.Ident) (plan.Expr, error) {
	path, err := s.a.path(id)
	if err != nil {
		return nil, err
	}
	it, err := s.lookup(path)
	if it == nil && err == nil {
		it, err = s.outer(path)
	}
	if it == nil && err == nil {
		err = s.unknown(path)
	}
	if err != nil {
		return nil, at(err, id)
	}
	s.names[id] = it.name
	return it.e, nil
}

// lookup finds a path in this scope; nil, nil if it is not there.
func (s *scope) lookup(path []string) (*item, error) {
	if it, err := s.param(path); it != nil || err != nil {
		return it, err
	}
	if s.a.flag("prefer_column_name_to_alias", false) {
		if it, err := s.fromColumn(path); it != nil || err != nil {
			return it, err
		}
	}
	al := s.aliases[path[0]]
	var aliasErr error
	switch {
	case al != nil && al.busy:
		if s.current != al {
			s.skipped[al] = true
		}
	case al != nil:
		e, err := s.resolveAlias(al)
		if err == nil && hasPart(e.Type(), path[1:]) {
			return s.part(item{e: e}, path[1:], strings.Join(path, "."))
		}
		if err != nil && !sqlerr.Is(err, sqlerr.UnknownIdentifier) {
			return nil, err
		}
		aliasErr = err
	}
	if it, err := s.fromColumn(path); it != nil || err != nil {
		return it, err
	}
	return nil, aliasErr
}

// param finds a lambda's parameter.
func (s *scope) param(path []string) (*item, error) {
	for i := len(s.params) - 1; i >= 0; i-- {
		if p := s.params[i]; p.name == path[0] && hasPart(p.e.Type(), path[1:]) {
			return s.part(item{e: p.e}, path[1:], strings.Join(path, "."))
		}
	}
	return nil, nil
}

// part reaches into a value: an element of a tuple, the keys of a map …
func (s *scope) part(it item, path []string, name string) (*item, error) {
	for n := 0; len(path) > 0; path = path[n:] {
		t, taken := firstPart(it.e.Type(), path)
		if n = taken; t == nil {
			return nil, s.unknown(path)
		}
		var err error
		if partType(it.e.Type(), path[0]) != nil {
			it.e, err = s.subcolumn(it.e, path[0])
		} else {
			it.e, err = s.call("getSubcolumn", it.e, constant(types.TString, strings.Join(path[:n], ".")))
		}
		if err != nil {
			return nil, err
		}
	}
	it.name = name
	return &it, nil
}

func (s *scope) subcolumn(e plan.Expr, name string) (plan.Expr, error) {
	t := e.Type()
	if t.Kind == types.Array && t.Elem().Kind == types.Tuple && name != "size0" {
		t = t.Elem()
	}
	switch {
	case t.Kind == types.Tuple:
		return s.call("tupleElement", e, unsigned(uint64(tupleElement(t, name)+1)))
	case name == "null":
		return s.call("isNull", e)
	case name == "size0":
		return s.call("length", e)
	case name == "keys":
		return s.call("mapKeys", e)
	}
	return s.call("mapValues", e)
}

// match is a column of FROM that a path may mean.
type match struct {
	src       *source
	col       *sourceColumn
	rest      []string
	qualified int // leading parts that name the source
	rank      int // how well the qualifier fits: an alias goes before a table's own name
}

// fromColumn finds a path among the columns of FROM; nil, nil if it is not there.
func (s *scope) fromColumn(path []string) (*item, error) {
	if s.from == nil {
		return nil, nil
	}
	for _, j := range s.from.joined {
		name := strings.Split(j.name, ".")
		if len(path) >= len(name) && strings.Join(path[:len(name)], ".") == j.name && hasPart(j.e.T, path[len(name):]) {
			return s.part(item{e: j.e}, path[len(name):], strings.Join(path, "."))
		}
	}
	for _, u := range s.from.using {
		if u.name == path[0] && hasPart(u.e.Type(), path[1:]) {
			return s.part(item{e: u.e}, path[1:], strings.Join(path, "."))
		}
	}
	m, err := s.from.match(path)
	if m == nil && err == nil {
		return s.wholeNested(path)
	}
	if err != nil {
		return nil, err
	}
	e, err := s.columnExpr(m.src, m.col)
	if err != nil {
		return nil, err
	}
	return s.part(item{e: e}, m.rest, s.shownName(m, path))
}

// wholeNested is what the name of a flattened Nested alone means: an array of tuples of its columns; nil if it is none.
func (s *scope) wholeNested(path []string) (*item, error) {
	if len(path) != 1 {
		return nil, nil
	}
	columns := s.nested(path[0], path[0])
	if columns == nil {
		return nil, nil
	}
	var arrays []plan.Expr
	var elems []*types.Type
	var names []string
	for _, c := range columns {
		arrays = append(arrays, c.e)
		elems = append(elems, c.e.Type().Elem())
		names = append(names, strings.TrimPrefix(c.name, path[0]+"."))
	}
	zipped, err := s.call("arrayZip", arrays...)
	if err != nil {
		return nil, err
	}
	t := types.NewArray(types.NewTuple(elems, names))
	e, err := s.call("CAST", zipped, &plan.Const{Value: column.NewStrings(t.String()), T: types.TString})
	if err != nil {
		return nil, err
	}
	return &item{e: e, name: path[0]}, nil
}

// match finds the one column a path means: the left one if there is one join, AmbiguousIdentifier among more.
func (f *frame) match(path []string) (*match, error) {
	var found []*match
	for _, src := range f.sources {
		m := matchIn(src, path)
		switch {
		case m == nil || len(found) > 0 && m.rank < found[0].rank:
		case len(found) > 0 && m.rank > found[0].rank:
			found = []*match{m}
		default:
			found = append(found, m)
		}
	}
	switch {
	case len(found) == 0:
		return nil, nil
	case len(found) == 1 || f.joins == 1:
		return found[0], nil
	}
	return nil, sqlerr.New(sqlerr.AmbiguousIdentifier, "Ambiguous identifier '%s': it is in %s and in %s",
		strings.Join(path, "."), found[0].src.label(), found[1].src.label())
}

// matchIn finds a path in one source: as a column, then with the source's name in front.
func matchIn(src *source, path []string) *match {
	if n := src.qualifiers(path); n > 0 {
		if c, rest := src.find(path[n:]); c != nil {
			rank := 2
			if src.alias != "" && src.alias != path[0] {
				rank = 1
			}
			return &match{src, c, rest, n, rank}
		}
	}
	if c, rest := src.find(path); c != nil {
		return &match{src, c, rest, 0, 0}
	}
	return nil
}

// shownName drops the qualifiers of a path that are not needed to tell it from other names.
func (s *scope) shownName(m *match, path []string) string {
	for n := m.qualified; n > 0 && !s.needsQualifier(m.src, path[1:]); n-- {
		path = path[1:]
	}
	return strings.Join(path, ".")
}

// needsQualifier reports whether a path, meant as a column of src, means something else as well.
func (s *scope) needsQualifier(src *source, path []string) bool {
	if al := s.aliases[path[0]]; al != nil && !al.busy {
		return true
	}
	if src.first {
		return false
	}
	for _, other := range s.from.sources {
		if other != src && matchIn(other, path) != nil {
			return true
		}
	}
	return false
}

// columnExpr reads a source's column; an ALIAS column is its expression over the source's other columns.
func (s *scope) columnExpr(src *source, c *sourceColumn) (plan.Expr, error) {
	if c.alias == "" {
		return c.col(), nil
	}
	c.read = true
	if c.busy {
		return nil, sqlerr.New(sqlerr.CyclicAliases, "Cyclic aliases: column %s is used in its own definition", c.name)
	}
	c.busy = true
	defer func() { c.busy = false }()
	e, err := parseExpr(c.alias)
	if err != nil {
		return nil, err
	}
	own := s.a.scope(nil)
	own.from = &frame{node: s.from.node, sources: []*source{src}}
	x, err := own.resolve(e)
	if err != nil || x.Type().Equal(c.t) {
		return x, err
	}
	return s.cast(x, c.t)
}

// outer finds a path in enclosing queries: constants of their WITH and SELECT lists are visible, and their columns make the subquery a correlated one.
func (s *scope) outer(path []string) (*item, error) {
	for p := s.parent; p != nil; p = p.parent {
		it, err := p.lookup(path)
		if err != nil && p.from == nil { // FROM of that query is still being analyzed: only its constants are known
			if al := p.aliases[path[0]]; al != nil {
				al.err = nil
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		if it == nil {
			continue
		}
		if contains(it.e, func(e plan.Expr) bool {
			_, param := e.(*plan.Param)
			return param || isColumn(e) || isAgg(e) || isWindow(e) || isUnfold(e) || isSubquery(e)
		}) {
			return s.outerColumn(p, it, path)
		}
		return it, nil
	}
	return nil, nil
}

// unknown is the error for a name that means nothing, with the names that are like it.
func (s *scope) unknown(path []string) error {
	name := strings.Join(path, ".")
	if s.from != nil {
		for _, src := range s.from.sources {
			if n := src.qualifiers(path); n > 0 {
				return sqlerr.New(sqlerr.UnknownIdentifier, "Identifier '%s' cannot be resolved from table with name %s%s",
					name, strings.Join(path[:n], "."), maybe(name, columnNames(src, strings.Join(path[:n], ".")+".")))
			}
		}
	}
	var known []string
	for p := s; p != nil; p = p.parent {
		for a := range p.aliases {
			known = append(known, a)
		}
		if p.from != nil {
			for _, src := range p.from.sources {
				known = append(known, columnNames(src, "")...)
			}
		}
	}
	return sqlerr.New(sqlerr.UnknownIdentifier, "Unknown expression identifier `%s`%s", name, maybe(name, known))
}

func columnNames(src *source, prefix string) []string {
	out := make([]string, len(src.columns))
	for i, c := range src.columns {
		out[i] = prefix + c.name
	}
	return out
}

// queryParam substitutes {name:Type}.
func (s *scope) queryParam(p *ast.QueryParam) (plan.Expr, error) {
	raw, ok := s.a.opts.Params[p.Name]
	if !ok {
		return nil, sqlerr.At(p.Start, sqlerr.UnknownQueryParameter, "Substitution `%s` is not set", p.Name)
	}
	t, err := types.Parse(p.Type.Text)
	if err != nil {
		return nil, at(err, p)
	}
	b := column.New(t, 1)
	plain := unescape([]byte(raw))
	if raw == `\N` && t.IsNullable() {
		b.AppendDefault()
	} else if err := valuetext.ParseInto(b, t, plain, s.a.env.Zone); err != nil {
		return nil, sqlerr.At(p.Start, sqlerr.BadQueryParameter, "Value %s cannot be parsed as %s for query parameter '%s': %s", raw, t, p.Name, err)
	}
	return &plan.Const{Value: b, T: t}, nil
}

// unescape undoes the escapes of TSV.
func unescape(s []byte) []byte {
	var out []byte
	for len(s) > 0 {
		n := 1
		if s[0] == '\\' {
			out, n = valuetext.AppendUnescaped(out, s)
		} else {
			out = append(out, s[0])
		}
		s = s[n:]
	}
	return out
}
