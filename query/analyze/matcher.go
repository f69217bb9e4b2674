package analyze

import (
	"regexp"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// matchedColumn is a column an asterisk stands for, before transformers.
type matchedColumn struct {
	item
	column string // the name transformers know it by
	// source is read if the column is still there after the transformers; nil for columns that count as read already.
	source *sourceColumn
}

// matched returns what *, t.*, e.* or COLUMNS(…) stands for.
func (s *scope) matched(e ast.Expr) ([]item, error) {
	cols, transformers, err := s.matchColumns(e)
	if err != nil {
		return nil, err
	}
	if len(cols) > maxResultColumns {
		return nil, sqlerr.New(sqlerr.TooManyColumns, "%s stands for more than %d columns", ast.Shown(e), maxResultColumns)
	}
	for _, t := range transformers {
		if cols, err = s.transform(cols, t); err != nil {
			return nil, err
		}
	}
	out := make([]item, len(cols))
	for i, c := range cols {
		out[i] = c.item
		if c.source != nil {
			c.source.read = true
		}
	}
	return out, nil
}

func (s *scope) matchColumns(e ast.Expr) ([]matchedColumn, []*ast.Transformer, error) {
	switch e := e.(type) {
	case *ast.Asterisk:
		cols, err := s.allColumns(nil, func(c *sourceColumn) bool { return c.bare })
		return cols, e.Transformers, err
	case *ast.QualifiedAsterisk:
		cols, err := s.qualifiedColumns(e.Qualifier, func(c *sourceColumn) bool { return c.bare })
		return cols, e.Transformers, err
	case *ast.ColumnsMatcher:
		if e.List != nil {
			cols, err := s.listed(e)
			return cols, e.Transformers, err
		}
		re, err := regexp.Compile(e.Pattern)
		if err != nil {
			return nil, nil, sqlerr.Wrap(err, sqlerr.CannotCompileRegexp, "COLUMNS pattern %s cannot be compiled", e.Pattern)
		}
		keep := func(c *sourceColumn) bool { return c.bare && re.MatchString(c.name) }
		var cols []matchedColumn
		if e.Qualifier == nil {
			cols, err = s.allColumns(nil, keep)
		} else {
			cols, err = s.qualifiedColumns(e.Qualifier, keep)
		}
		return cols, e.Transformers, err
	}
	return nil, nil, sqlerr.New(sqlerr.UnsupportedTypeOfASTNode, "Unexpected matcher %s", ast.Shown(e))
}

// listed is COLUMNS(a, b).
func (s *scope) listed(e *ast.ColumnsMatcher) ([]matchedColumn, error) {
	var out []matchedColumn
	for _, id := range e.List {
		if e.Qualifier != nil {
			id = &ast.Ident{Range: id.Range, Parts: append(slices.Clone(e.Qualifier.Parts), id.Parts...)}
		}
		x, err := s.ident(id)
		if err != nil {
			return nil, err
		}
		out = append(out, matchedColumn{item{x, s.names[id]}, id.Last(), nil})
	}
	return out, nil
}

// allColumns are the columns of one source, or of all of FROM: then those of USING come first and once.
func (s *scope) allColumns(only *source, keep func(*sourceColumn) bool) ([]matchedColumn, error) {
	if s.from == nil {
		return nil, sqlerr.New(sqlerr.UnknownIdentifier, "An asterisk needs a FROM")
	}
	var out []matchedColumn
	hidden := map[*sourceColumn]bool{}
	if only == nil {
		for _, u := range s.from.using {
			hidden[u.left], hidden[u.right] = true, true
			if u.left == nil || keep(u.left) {
				out = append(out, matchedColumn{item{u.e, u.name}, u.name, nil})
			}
		}
	}
	for _, src := range s.from.sources {
		if only != nil && src != only {
			continue
		}
		for _, c := range src.columns {
			if hidden[c] || !keep(c) {
				continue
			}
			was := c.read
			e, err := s.columnExpr(src, c)
			if err != nil {
				return nil, err
			}
			c.read = was // EXCEPT may leave it out
			name := s.qualifiedName(src, c)
			for _, j := range s.from.joined {
				if j.name == c.name {
					e = j.e // ARRAY JOIN of a column without an alias replaces it
				}
			}
			out = append(out, matchedColumn{item{e, name}, c.name, c})
		}
	}
	return out, nil
}

// qualifiedName is a column's name with as much in front as tells it from the columns of other sources.
func (s *scope) qualifiedName(src *source, c *sourceColumn) string {
	path := strings.Split(c.name, ".")
	qualifiers := []string{src.alias}
	if src.alias == "" {
		qualifiers = []string{src.database, src.table}
	}
	for i := len(qualifiers) - 1; i >= 0 && qualifiers[i] != "" && s.needsQualifier(src, path); i-- {
		path = append([]string{qualifiers[i]}, path...)
	}
	return strings.Join(path, ".")
}

// qualifiedColumns are the columns of the source, or the elements of the tuple, a qualifier names.
func (s *scope) qualifiedColumns(q *ast.Ident, keep func(*sourceColumn) bool) ([]matchedColumn, error) {
	path, err := s.a.path(q)
	if err != nil {
		return nil, err
	}
	if s.from != nil {
		for _, src := range s.from.sources {
			if src.qualifiers(append(slices.Clone(path), "*")) == len(path) {
				return s.allColumns(src, keep)
			}
		}
	}
	x, err := s.ident(q)
	if err != nil {
		return nil, err
	}
	t := x.Type()
	if t.Kind != types.Tuple || t.Names == nil {
		return nil, sqlerr.New(sqlerr.UnknownIdentifier, "Qualified matcher %s.* does not find table", strings.Join(path, "."))
	}
	var out []matchedColumn
	for i, n := range t.Names {
		e, err := s.call("tupleElement", x, unsigned(uint64(i+1)))
		if err != nil {
			return nil, err
		}
		out = append(out, matchedColumn{item{e, strings.Join(path, ".") + "." + n}, n, nil})
	}
	return out, nil
}

func (s *scope) transform(cols []matchedColumn, t *ast.Transformer) ([]matchedColumn, error) {
	switch t.Kind {
	case ast.TransformExcept:
		return except(cols, t)
	case ast.TransformReplace:
		return s.replace(cols, t)
	}
	for i, c := range cols {
		x, name, err := s.apply(c.item, t)
		if err != nil {
			return nil, err
		}
		cols[i].item = item{x, name}
	}
	return cols, nil
}

func except(cols []matchedColumn, t *ast.Transformer) ([]matchedColumn, error) {
	var re *regexp.Regexp
	if t.Pattern != "" {
		var err error
		if re, err = regexp.Compile(t.Pattern); err != nil {
			return nil, sqlerr.Wrap(err, sqlerr.CannotCompileRegexp, "EXCEPT pattern %s cannot be compiled", t.Pattern)
		}
	}
	used := map[string]bool{}
	var out []matchedColumn
	for _, c := range cols {
		drop := re != nil && re.MatchString(c.column) || slices.Contains(t.Columns, c.column)
		used[c.column] = used[c.column] || drop
		if !drop {
			out = append(out, c)
		}
	}
	for _, name := range t.Columns {
		if t.Strict && !used[name] {
			return nil, sqlerr.New(sqlerr.BadArguments, "Strict EXCEPT column transformer expects following column(s): %s", name)
		}
	}
	return out, nil
}

func (s *scope) replace(cols []matchedColumn, t *ast.Transformer) ([]matchedColumn, error) {
	for _, r := range t.Replace {
		found := false
		for i, c := range cols {
			if c.column != r.Name {
				continue
			}
			al := s.aliases[r.Name] // its name means the column inside of it
			if al != nil {
				al.busy = true
			}
			x, err := s.resolve(r.Expr)
			if al != nil {
				al.busy = false
			}
			if err != nil {
				return nil, err
			}
			found = true
			cols[i].item = item{x, r.Name}
		}
		if !found && t.Strict {
			return nil, sqlerr.New(sqlerr.BadArguments, "Strict REPLACE column transformer expects following column(s): %s", r.Name)
		}
	}
	return cols, nil
}

// apply computes APPLY(f), APPLY(f(params)) or APPLY(x -> …) of one column.
func (s *scope) apply(c item, t *ast.Transformer) (plan.Expr, string, error) {
	param := &ast.Ident{Parts: []ast.Name{{Text: "\x00apply"}}}
	call := ast.Expr(&ast.FuncCall{Name: t.Function, Params: t.Params, Args: []ast.Expr{param}})
	name := "\x00apply"
	if t.Lambda != nil {
		if len(t.Lambda.Params) != 1 {
			return nil, "", sqlerr.New(sqlerr.BadArguments, "APPLY takes a lambda of one parameter")
		}
		name, call = t.Lambda.Params[0], t.Lambda.Body
	} else if function.Lookup(t.Function) == nil && !function.IsAggregate(t.Function) {
		return nil, "", unknownFunction(t.Function)
	}
	s.params = append(s.params, binding{name, c.e})
	x, err := s.resolve(call)
	s.params = s.params[:len(s.params)-1]
	if err != nil {
		return nil, "", err
	}
	text := ast.ColumnNameWith(call, func(e ast.Expr) string {
		if id, ok := e.(*ast.Ident); ok && len(id.Parts) == 1 && id.Parts[0].Text == name {
			return c.name
		}
		return s.names[e]
	}, s.a.secrets)
	if t.Prefix != "" {
		text = t.Prefix + c.name
	}
	return x, text, nil
}
