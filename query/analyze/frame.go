package analyze

import (
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// frame is what FROM, or a part of it, yields: a plan and what its columns are called.
type frame struct {
	node    plan.Node
	sources []*source
	using   []*usingColumn // of JOIN USING, in order
	joined  []*joined      // names ARRAY JOIN gave
	joins   int
}

// source is one table, subquery or table function of FROM.
type source struct {
	alias           string // "" without one
	database, table string // "" for subqueries and functions
	columns         []*sourceColumn
	byName          map[string]*sourceColumn
	// first says that it is the left side of the only join, whose names go before those of the right side.
	first bool
}

// sourceColumn is a column a source offers.
type sourceColumn struct {
	name  string
	shown string // unique among the columns of the frame
	t     *types.Type
	pos   int    // in the schema of the frame's node
	alias string // SQL of an ALIAS column; pos means nothing then
	bare  bool   // part of *
	busy  bool   // the ALIAS expression is being resolved
	read  bool   // an expression of the statement uses it
}

// usingColumn is a column of JOIN USING: unqualified, it stands for both sides'.
type usingColumn struct {
	name        string
	e           plan.Expr
	left, right *sourceColumn // nil where a side is not a plain column
}

// joined is a name that ARRAY JOIN gave to elements.
type joined struct {
	name string
	e    *plan.Col
}

// frameOf is a frame of one source with the schema's columns.
func frameOf(n plan.Node, alias string, schema column.Schema) *frame {
	src := &source{alias: alias}
	for i, f := range schema {
		src.columns = append(src.columns, &sourceColumn{name: f.Name, shown: f.Name, t: f.Type, pos: i, bare: true})
	}
	src.index()
	return &frame{node: n, sources: []*source{src}}
}

func (s *source) index() {
	s.byName = make(map[string]*sourceColumn, len(s.columns))
	for _, c := range s.columns {
		if s.byName[c.name] == nil {
			s.byName[c.name] = c
		}
	}
}

// label is what the source is called in messages and, if need be, in column names.
func (s *source) label() string {
	if s.alias != "" {
		return s.alias
	}
	return s.table
}

// col reads a plain column.
func (c *sourceColumn) col() *plan.Col {
	c.read = true
	return &plan.Col{Index: c.pos, Name: c.shown, T: c.t}
}

// cols are the plain columns of the frame that are shown, with their positions: what node yields.
func (f *frame) each(fn func(*source, *sourceColumn)) {
	for _, s := range f.sources {
		for _, c := range s.columns {
			fn(s, c)
		}
	}
}

// combine is the frame of a join of two frames, without its node: the right columns come behind the left ones, and
// names that both sides have are told apart by their source.
func combine(l, r *frame) *frame {
	width := len(l.node.Schema())
	names := map[string]bool{}
	l.each(func(s *source, c *sourceColumn) { names[c.shown] = true })
	r.each(func(s *source, c *sourceColumn) {
		if c.alias == "" {
			c.pos += width
		}
		if !names[c.shown] {
			return
		}
		base := c.shown
		if label := s.label(); label != "" {
			base = label + "." + c.name
		}
		c.shown = base
		for i := 2; names[c.shown]; i++ {
			c.shown = base + "_" + strconv.Itoa(i)
		}
	})
	for _, u := range r.using {
		u.e = shift(u.e, width)
	}
	for _, j := range r.joined {
		j.e = shift(j.e, width).(*plan.Col)
	}
	f := &frame{sources: append(append([]*source(nil), l.sources...), r.sources...), joins: l.joins + r.joins + 1,
		using: append(append([]*usingColumn(nil), l.using...), r.using...), joined: append(append([]*joined(nil), l.joined...), r.joined...)}
	for i, s := range f.sources {
		s.first = f.joins == 1 && i == 0
	}
	return f
}

// shift moves the columns e reads by n.
func shift(e plan.Expr, n int) plan.Expr {
	return plan.Rewrite(e, func(e plan.Expr) plan.Expr {
		if c, ok := e.(*plan.Col); ok {
			return &plan.Col{Index: c.Index + n, Name: c.Name, T: c.T}
		}
		return e
	})
}

// qualifiers says how many leading parts of a path name the source: 0, 1 (alias or table) or 2 (database and table); -1 if the path
// does not begin with its name.
func (s *source) qualifiers(path []string) int {
	switch {
	case len(path) > 2 && s.table != "" && s.database == path[0] && s.table == path[1]:
		return 2
	case len(path) > 1 && (s.alias != "" && s.alias == path[0] || s.table != "" && s.table == path[0]):
		return 1
	}
	return -1
}

// find returns the column a path without qualifier begins with, and the rest of the path, which reaches into it.
// A column whose own name has dots goes before a part of another.
func (s *source) find(path []string) (*sourceColumn, []string) {
	for n := len(path); n > 0; n-- {
		if c := s.byName[strings.Join(path[:n], ".")]; c != nil && (n == len(path) || hasPart(c.t, path[n:])) {
			return c, path[n:]
		}
	}
	return nil, nil
}

// hasPart reports whether values of t have the sub-column.
func hasPart(t *types.Type, path []string) bool {
	for n := 0; len(path) > 0; path = path[n:] {
		if t, n = firstPart(t, path); t == nil {
			return false
		}
	}
	return true
}

// firstPart is the type of the sub-column that a path begins with, and how much of the path names it; nil if there is none.
func firstPart(t *types.Type, path []string) (*types.Type, int) {
	if p := partType(t, path[0]); p != nil {
		return p, 1
	}
	return function.SubcolumnType(t, path)
}

// partType is the type of a sub-column, or nil.
func partType(t *types.Type, name string) *types.Type {
	switch {
	case t.Kind == types.Tuple:
		if i := tupleElement(t, name); i >= 0 {
			return t.Elems[i]
		}
	case t.Kind == types.Array && t.Elem().Kind == types.Tuple:
		if i := tupleElement(t.Elem(), name); i >= 0 {
			return types.NewArray(t.Elem().Elems[i])
		}
		fallthrough
	case t.Kind == types.Array && name == "size0":
		if name == "size0" {
			return types.TUInt64
		}
	case t.Kind == types.Nullable && name == "null":
		return types.TUInt8
	case t.Kind == types.Map && name == "keys":
		return types.NewArray(t.Elems[0])
	case t.Kind == types.Map && name == "values":
		return types.NewArray(t.Elems[1])
	case t.Kind == types.Map && name == "size0":
		return types.TUInt64
	}
	return nil
}

func tupleElement(t *types.Type, name string) int {
	for i, n := range t.Names {
		if n == name {
			return i
		}
	}
	if i, err := strconv.Atoi(name); err == nil && i >= 1 && i <= len(t.Elems) {
		return i - 1
	}
	return -1
}
