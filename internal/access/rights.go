package access

import (
	"maps"
	"slices"
	"strings"
)

// Grant is one line of SHOW GRANTS: privileges on an object, given or, under a grant above it, taken away.
type Grant struct {
	Privileges []string `json:"privileges"`
	// Database and Table are empty for all of them. Prefix says that the last name given stands for all names that begin with it.
	Database string   `json:"database,omitempty"`
	Table    string   `json:"table,omitempty"`
	Columns  []string `json:"columns,omitempty"`
	Prefix   bool     `json:"prefix,omitempty"`
	// OnParam says that Database is the name of a user, source, table engine, definer or named collection; empty is any.
	OnParam bool `json:"param,omitempty"`
	Option  bool `json:"grant_option,omitempty"`
	Revoke  bool `json:"revoke,omitempty"`
}

// Object is what a privilege is needed on. The zero value is everything. A Column implies a Table, a Table a Database.
type Object struct {
	Database, Table string
	Columns         []string
	// Param is the name of a user, source, engine, definer or named collection instead.
	Param   string
	OnParam bool
}

// Rights are the privileges of a user or role, with and without grant option. The zero value has none. Rights that were published are
// not changed.
type Rights struct {
	plain, option node
}

// node holds what is in force at a database, a table or a column, and below.
type node struct {
	set      Set
	kids     map[string]*node // by name
	prefixes map[string]*node // by what names begin with
	params   map[string]*node // of the root: parameters
}

// clone is a deep copy.
func (n *node) clone() *node {
	c := &node{set: n.set}
	copyKids := func(m map[string]*node) map[string]*node {
		if m == nil {
			return nil
		}
		out := make(map[string]*node, len(m))
		for k, v := range m {
			out[k] = v.clone()
		}
		return out
	}
	c.kids, c.prefixes, c.params = copyKids(n.kids), copyKids(n.prefixes), copyKids(n.params)
	return c
}

// under is the set that a name without a node of its own has: that of the longest prefix it begins with, or n's.
func (n *node) under(name string) Set {
	best, set := -1, n.set
	for p, k := range n.prefixes {
		if strings.HasPrefix(name, p) && len(p) > best {
			best, set = len(p), k.set
		}
	}
	return set
}

// child makes the node of a name, or of a prefix, as a copy of what it inherits.
func (n *node) child(name string, prefix bool, depth int) *node {
	m := &n.kids
	if prefix {
		m = &n.prefixes
	}
	if *m == nil {
		*m = map[string]*node{}
	}
	k := (*m)[name]
	if k == nil {
		k = &node{set: n.under(name).and(privileges().byDepth[depth])}
		(*m)[name] = k
	}
	return k
}

// change adds to or removes from a node and all below it.
func (n *node) change(s Set, add bool, depth int) {
	s = s.and(privileges().byDepth[min(depth, 3)])
	if add {
		n.set = n.set.or(s)
	} else {
		n.set = n.set.without(s)
	}
	for _, m := range []map[string]*node{n.kids, n.prefixes, n.params} {
		for _, k := range m {
			k.change(s, add, depth+1)
		}
	}
}

// apply adds or removes s at the object of g.
func (n *node) apply(g *Grant, s Set, add bool) {
	switch {
	case g.OnParam && g.Database == "":
		n.changeParams(s, add)
	case g.OnParam:
		n.changeParam(g, s, add)
	case g.Database == "":
		n.change(s, add, 0)
	case g.Table == "" && g.Prefix:
		n.changePrefix(g.Database, s, add, 1)
	case g.Table == "":
		n.child(g.Database, false, 1).change(s.without(privileges().param), add, 1)
	default:
		db := n.child(g.Database, false, 1)
		if g.Prefix {
			db.changePrefix(g.Table, s, add, 2)
			return
		}
		t := db.child(g.Table, false, 2)
		if g.Columns == nil {
			t.change(s, add, 2)
		}
		for _, c := range g.Columns {
			t.child(c, false, 3).change(s, add, 3)
		}
	}
}

// changePrefix changes all names that begin with a prefix.
func (n *node) changePrefix(prefix string, s Set, add bool, depth int) {
	s = s.without(privileges().param)
	n.child(prefix, true, depth).change(s, add, depth)
	for p, k := range n.prefixes {
		if p != prefix && strings.HasPrefix(p, prefix) {
			k.change(s, add, depth)
		}
	}
	for name, k := range n.kids {
		if strings.HasPrefix(name, prefix) {
			k.change(s, add, depth)
		}
	}
}

// changeParams changes privileges for any parameter.
func (n *node) changeParams(s Set, add bool) {
	s = s.and(privileges().param)
	if add {
		n.set = n.set.or(s)
	} else {
		n.set = n.set.without(s)
	}
	for _, k := range n.params {
		k.change(s, add, 1)
	}
}

func (n *node) changeParam(g *Grant, s Set, add bool) {
	s = s.and(privileges().param)
	if n.params == nil {
		n.params = map[string]*node{}
	}
	k := n.params[g.Database]
	if k == nil {
		k = &node{set: n.set.and(privileges().param)}
		n.params[g.Database] = k
	}
	k.change(s, add, 1)
}

// at is the node of an object, or its set where it has none.
func (n *node) at(names ...string) (*node, Set) {
	set := n.set
	for _, name := range names {
		if n == nil {
			return nil, set
		}
		k := n.kids[name]
		if k == nil {
			set = n.under(name)
		} else {
			set = k.set
		}
		n = k
	}
	return n, set
}

// everywhere is what is in force at n and everywhere below; set is n's, which may be nil.
func everywhere(n *node, set Set, depth int) Set {
	if n == nil {
		return set
	}
	for _, m := range []map[string]*node{n.kids, n.prefixes} {
		for _, k := range m {
			below := everywhere(k, k.set, depth+1)
			set = set.without(privileges().byDepth[min(depth+1, 3)].without(below))
		}
	}
	return set
}

// anywhere is what is in force at n or somewhere below.
func anywhere(n *node, set Set) Set {
	if n == nil {
		return set
	}
	for _, m := range []map[string]*node{n.kids, n.prefixes} {
		for _, k := range m {
			set = set.or(anywhere(k, k.set))
		}
	}
	return set
}

// sets are what is in force at each part of an object: one, or one a column.
func (n *node) sets(o Object) []Set {
	switch {
	case o.OnParam:
		if k := n.params[o.Param]; k != nil {
			return []Set{k.set}
		}
		set := n.set
		if o.Param == "" { // any of them
			for _, k := range n.params {
				set = set.and(k.set)
			}
		}
		return []Set{set}
	case o.Database == "":
		return []Set{everywhere(n, n.set, 0)}
	case o.Table == "":
		k, set := n.at(o.Database)
		return []Set{everywhere(k, set, 1)}
	case o.Columns == nil:
		k, set := n.at(o.Database, o.Table)
		return []Set{everywhere(k, set, 2)}
	}
	out := make([]Set, len(o.Columns))
	for i, c := range o.Columns {
		_, out[i] = n.at(o.Database, o.Table, c)
	}
	return out
}

// Has reports whether all of s is in force on all of o, with grant option if asked for.
func (r *Rights) Has(s Set, o Object, option bool) bool {
	n := &r.plain
	if option {
		n = &r.option
	}
	for _, have := range n.sets(o) {
		if !implied(have).has(s) {
			return false
		}
	}
	return true
}

// Any is what is in force on o or on something in it.
func (r *Rights) Any(o Object) Set {
	switch {
	case o.Database == "":
		return anywhere(&r.plain, r.plain.set)
	case o.Table == "":
		return anywhere(r.plain.at(o.Database))
	}
	return anywhere(r.plain.at(o.Database, o.Table))
}

// implied adds what privileges bring along, as in ClickHouse: the right to see what one may use, views with tables, temporary tables
// with tables.
func implied(s Set) Set {
	r, x := privileges(), implications()
	if !s.and(r.column).IsEmpty() {
		s = s.or(x.showColumns)
	}
	if !s.and(r.table).IsEmpty() || !s.and(r.column).IsEmpty() {
		s = s.or(x.showTables)
	}
	if !s.and(r.dictionary).IsEmpty() {
		s = s.or(x.showDictionaries)
	}
	for _, p := range x.pairs {
		if s.has(p[0]) {
			s = s.or(p[1])
		}
	}
	return s
}

type implicationSet struct {
	showColumns, showTables, showDictionaries, showDatabases Set
	pairs                                                    [][2]Set
}

// Grant adds g, or takes it away if it is a REVOKE. Names of privileges must be known.
func (r *Rights) Grant(g *Grant) {
	s := Of(g.Privileges...)
	if g.Revoke {
		if g.Option {
			r.option.apply(g, s, false)
			return
		}
		r.plain.apply(g, s, false)
		r.option.apply(g, s, false)
		return
	}
	r.plain.apply(g, s, true)
	if g.Option {
		r.option.apply(g, s, true)
	}
}

// RightsOf makes the rights that a list of grants gives, in order. Privileges of names that are not known, as of a newer version, give
// nothing.
func RightsOf(list []Grant) *Rights {
	r := &Rights{}
	for i := range list {
		g := list[i]
		g.Privileges = slices.DeleteFunc(slices.Clone(g.Privileges), func(n string) bool { return LookupPrivilege(n) == nil })
		r.Grant(&g)
	}
	return r
}

// Clone is a copy that can be changed.
func (r *Rights) Clone() *Rights { return &Rights{plain: *r.plain.clone(), option: *r.option.clone()} }

// Join adds the rights of o: what either has.
func (r *Rights) Join(o *Rights) {
	r.plain.join(&o.plain, 0)
	r.option.join(&o.option, 0)
}

// join makes n the union of n and o.
func (n *node) join(o *node, depth int) {
	// Nodes that only one of them has exist in the other by inheritance; they are made before anything changes.
	type pair struct{ mine, other *node }
	var pairs []pair
	for _, which := range []struct {
		prefix       bool
		mine, others map[string]*node
	}{{false, n.kids, o.kids}, {true, n.prefixes, o.prefixes}} {
		names := map[string]bool{}
		for k := range which.mine {
			names[k] = true
		}
		for k := range which.others {
			names[k] = true
		}
		for name := range names {
			other := which.others[name]
			if other == nil {
				other = &node{set: o.under(name).and(privileges().byDepth[min(depth+1, 3)])}
			}
			pairs = append(pairs, pair{n.child(name, which.prefix, min(depth+1, 3)), other})
		}
	}
	for name := range merged(n.params, o.params) {
		mine, other := n.params[name], o.params[name]
		if mine == nil {
			mine = &node{set: n.set.and(privileges().param)}
			if n.params == nil {
				n.params = map[string]*node{}
			}
			n.params[name] = mine
		}
		if other == nil {
			other = &node{set: o.set.and(privileges().param)}
		}
		pairs = append(pairs, pair{mine, other})
	}
	n.set = n.set.or(o.set)
	for _, p := range pairs {
		p.mine.join(p.other, depth+1)
	}
}

func merged(a, b map[string]*node) map[string]bool {
	out := map[string]bool{}
	for k := range a {
		out[k] = true
	}
	for k := range b {
		out[k] = true
	}
	return out
}

// List returns the rights as grants, from all databases down to columns; RightsOf of it gives the same rights.
func (r *Rights) List() []Grant {
	var out []Grant
	out = r.option.list(out, Grant{Option: true}, Set{}, 0, nil)
	out = r.plain.list(out, Grant{}, Set{}, 0, &r.option)
	slices.SortStableFunc(out, compareGrants)
	return out
}

// compareGrants puts wider objects first and, of one object, what is given before what is taken.
func compareGrants(a, b Grant) int {
	key := func(g Grant) string {
		if g.OnParam {
			return "\x01" + g.Database
		}
		if g.Database == "" {
			return ""
		}
		return "\x02" + g.Database + "\x00" + g.Table
	}
	if c := strings.Compare(key(a), key(b)); c != 0 {
		return c
	}
	rank := func(g Grant) int {
		n := 0
		if !g.Prefix { // what holds for a prefix holds for names unless they say otherwise
			n += 4
		}
		if g.Revoke {
			n += 2
		}
		if g.Option {
			n++
		}
		return n
	}
	return rank(a) - rank(b)
}

// list appends the differences between a node and what it inherits. beside are the rights with grant option, which are listed on their
// own.
func (n *node) list(out []Grant, at Grant, inherited Set, depth int, beside *node) []Grant {
	var have Set
	if beside != nil {
		have = beside.set
	}
	param := privileges().param
	give, take := n.set.without(inherited), inherited.and(privileges().byDepth[min(depth, 3)]).without(n.set)
	if beside != nil { // what the option list gives is there
		give = give.without(have)
	}
	if depth > 0 && !at.OnParam {
		give, take = give.without(param), take.without(param)
	}
	add := func(s Set, revoke, onParam bool) {
		if s.IsEmpty() {
			return
		}
		g := at
		g.Revoke, g.OnParam = revoke, onParam
		g.Privileges = s.Names(depth)
		out = append(out, g)
	}
	add(give.without(param), false, false)
	add(give.and(param), false, true)
	add(take.without(param), true, false)
	add(take.and(param), true, true)
	if depth == 3 {
		return out
	}
	walk := func(m map[string]*node, prefix, onParam bool) {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			g := at
			g.Prefix, g.OnParam = prefix, onParam
			switch depth {
			case 0:
				g.Database = name
			case 1:
				g.Table = name
			case 2:
				g.Columns = []string{name}
			}
			var next *node
			if beside != nil {
				next = beside.peer(name, prefix, onParam)
			}
			k := m[name]
			up := n.set
			if !prefix && !onParam {
				up = n.under(name)
			}
			out = k.list(out, g, up.and(privileges().byDepth[min(depth+1, 3)]), depth+1, next)
		}
	}
	walk(n.prefixes, true, false)
	walk(n.kids, false, false)
	walk(n.params, false, true)
	return mergeColumns(out)
}

// peer is the node of a name, or what stands for it.
func (n *node) peer(name string, prefix, onParam bool) *node {
	m := n.kids
	switch {
	case prefix:
		m = n.prefixes
	case onParam:
		m = n.params
	}
	if k := m[name]; k != nil {
		return k
	}
	return &node{set: n.under(name)}
}

// mergeColumns joins neighbours that differ by their column only.
func mergeColumns(list []Grant) []Grant {
	var out []Grant
	for _, g := range list {
		if len(out) > 0 && g.Columns != nil {
			last := &out[len(out)-1]
			if last.Columns != nil && last.Database == g.Database && last.Table == g.Table && last.Option == g.Option && last.Revoke == g.Revoke &&
				slices.Equal(last.Privileges, g.Privileges) {
				last.Columns = append(slices.Clone(last.Columns), g.Columns...)
				continue
			}
		}
		out = append(out, g)
	}
	return out
}
