package fragment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/query/plan"
)

// Placement is what is known of where rows are. Nil functions know nothing.
type Placement struct {
	// Key returns the SQL of a table's sharding key: rows of which that is equal, and of equal types, are in one shard, of all tables. Empty: they may be
	// in any.
	Key func(*catalog.Table) string
	// Spread returns how rows find their shards by the key; nil: in the same way in all tables.
	Spread func(*catalog.Table) catalog.Spread
	// Shards returns the shards that may have rows which pass a scan's filter; nil: all.
	Shards func(*plan.Scan) []uint64
	// Bytes returns about how many bytes all rows of a scan's table take, in the columns that it reads; false if that is not known.
	Bytes  func(*plan.Scan) (int64, bool)
	Joins  Joins
	Groups Groups
}

// spread says that running a node for each shard alone, and joining the rows, gives its rows; nil, that it does not.
type spread struct {
	// by are the columns of the node that the sharding key is made of, and form how: rows of which these are equal are in one shard, and so are rows
	// of two nodes of one form. Nil: nothing is known.
	by   []int
	form string
}

// anywhere is rows that may be in any shard.
var anywhere = &spread{}

// placed tells how a scan's rows are spread.
func (c *cutter) placed(n *plan.Scan) *spread {
	if c.at.Key == nil {
		return anywhere
	}
	names, form := keyColumns(c.at.Key(n.Table.Catalog()))
	s := &spread{}
	for _, name := range names {
		i := n.Schema().Index(name)
		if i < 0 || strings.Contains(n.Schema()[i].Type.String(), "Float") { // 0 and -0 are equal, and have different hashes
			return anywhere
		}
		s.by = append(s.by, i)
		form += "," + n.Schema()[i].Type.String()
	}
	if s.form = form; c.at.Spread != nil {
		s.form += "/" + fmt.Sprint(c.at.Spread(n.Table.Catalog()))
	}
	return s
}

// keyColumns are the columns of a sharding key that is nothing else: a, or a, b, or (a, b), or tuple(a, b), and which of these it is.
func keyColumns(key string) (names []string, form string) {
	inner := strings.TrimSpace(key)
	for _, open := range []string{"(", "tuple("} {
		if rest, ok := strings.CutPrefix(inner, open); ok && strings.HasSuffix(rest, ")") {
			inner, form = rest[:len(rest)-1], "tuple"
			break
		}
	}
	for part := range strings.SplitSeq(inner, ",") {
		part = strings.TrimSpace(part)
		if part == "" || strings.ContainsFunc(part, func(r rune) bool {
			return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		}) {
			return nil, ""
		}
		names = append(names, part)
	}
	if len(names) == 1 && strings.HasPrefix(strings.TrimSpace(key), "(") {
		form = "" // (a) is a
	}
	return names, form
}

// mapped is the spread of a node of which column i of its input is column at(i); -1: it is not there.
func (s *spread) mapped(at func(i int) int) *spread {
	if s == nil || s.by == nil {
		return s
	}
	out := &spread{form: s.form}
	for _, i := range s.by {
		k := at(i)
		if k < 0 {
			return anywhere
		}
		out.by = append(out.by, k)
	}
	return out
}

// within reports whether rows that are equal in the columns are in one shard.
func (s *spread) within(columns []int) bool {
	return s.by != nil && !slices.ContainsFunc(s.by, func(i int) bool { return !slices.Contains(columns, i) })
}

// positionIn is the place among expressions of column i of what they read.
func positionIn(es []plan.Expr) func(i int) int {
	return func(i int) int {
		return slices.IndexFunc(es, func(e plan.Expr) bool {
			c, ok := e.(*plan.Col)
			return ok && c.Index == i
		})
	}
}

// columnsOf are the columns that are expressions on their own.
func columnsOf(es []plan.Expr) []int {
	var out []int
	for _, e := range es {
		if c, ok := e.(*plan.Col); ok {
			out = append(out, c.Index)
		}
	}
	return out
}

// together reports whether rows of both sides with equal keys are in one shard.
func together(n *plan.Join, l, r *spread) bool {
	if l.by == nil || l.form != r.form || len(l.by) != len(r.by) {
		return false
	}
	keys := len(n.LeftKeys)
	if n.Strictness == plan.Asof {
		keys-- // the last is no equality
	}
	for i := range l.by {
		ok := false
		for k := range keys {
			x, isCol := n.LeftKeys[k].(*plan.Col)
			y, isCol2 := n.RightKeys[k].(*plan.Col)
			ok = ok || isCol && isCol2 && x.Index == l.by[i] && y.Index == r.by[i]
		}
		if !ok {
			return false
		}
	}
	return true
}

// joinedSpread is the spread of a join whose sides are together: by the side of which each row has its key.
func joinedSpread(n *plan.Join, l, r *spread) *spread {
	switch n.Kind {
	case plan.Right, plan.RightSemi, plan.RightAnti:
		width := len(n.Left.Schema())
		return r.mapped(func(i int) int { return i + width })
	case plan.Full:
		return anywhere
	}
	return l
}

// shards returns the shards that a fragment reads: those that any of its scans may find rows in; nil: all.
func (c *cutter) shards(n plan.Node) []uint64 {
	if c.at.Shards == nil {
		return nil
	}
	var out []uint64
	all := false
	var walk func(plan.Node)
	walk = func(n plan.Node) {
		switch n := n.(type) {
		case *plan.Broadcast:
			return
		case *plan.Scan:
			s := c.at.Shards(n)
			all = all || s == nil
			out = append(out, s...)
		}
		for _, in := range n.Inputs() {
			walk(in)
		}
	}
	walk(n)
	if all {
		return nil
	}
	slices.Sort(out)
	return slices.Compact(out)
}
