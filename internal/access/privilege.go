package access

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed privileges.tsv
var privilegeText string

// Level is how far down a privilege can be granted, or what its parameter is.
type Level string

// The levels. A Group is not granted itself: its members are.
const (
	Group           Level = `\N`
	Global          Level = "GLOBAL"
	DatabaseLevel   Level = "DATABASE"
	TableLevel      Level = "TABLE"
	ViewLevel       Level = "VIEW"
	DictionaryLevel Level = "DICTIONARY"
	ColumnLevel     Level = "COLUMN"
	NamedCollection Level = "NAMED_COLLECTION"
	UserName        Level = "USER_NAME"
	Definer         Level = "DEFINER"
	TableEngine     Level = "TABLE_ENGINE"
	SourceLevel     Level = "SOURCE"
)

// parametrized reports whether the privilege is granted ON a name that is neither a database nor a table.
func (l Level) parametrized() bool {
	switch l {
	case NamedCollection, UserName, Definer, TableEngine, SourceLevel:
		return true
	}
	return false
}

// Privilege is one line of system.privileges.
type Privilege struct {
	Name    string
	Aliases []string
	Level   Level
	Parent  string // group; empty for ALL and NONE
	set     Set    // its own bit, or its members'
}

// Set is a set of privileges.
type Set [4]uint64

// maxPrivileges is how many bits a Set has.
const maxPrivileges = 256

func (s Set) or(t Set) Set {
	for i := range s {
		s[i] |= t[i]
	}
	return s
}

func (s Set) and(t Set) Set {
	for i := range s {
		s[i] &= t[i]
	}
	return s
}

func (s Set) without(t Set) Set {
	for i := range s {
		s[i] &^= t[i]
	}
	return s
}

func (s Set) has(t Set) bool { return s.and(t) == t }

// IsEmpty reports whether there is nothing in s.
func (s Set) IsEmpty() bool { return s == Set{} }

// registry is what privileges.tsv says.
type registry struct {
	list   []*Privilege
	byName map[string]*Privilege // upper case
	all    Set
	// byDepth is what can be in force at a node of that depth: all databases, a database, a table, a column.
	byDepth [4]Set
	// param is what is granted on parameters.
	param Set
	// shown by having it on a database, table, dictionary or column.
	column, table, dictionary, database Set
}

var privileges = sync.OnceValue(func() *registry {
	r := &registry{byName: map[string]*Privilege{}}
	n := 0
	for line := range strings.Lines(privilegeText) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		p := &Privilege{Name: f[0], Level: Level(f[2])}
		if f[1] != "" {
			p.Aliases = strings.Split(f[1], "|")
		}
		if f[3] != `\N` {
			p.Parent = f[3]
		}
		if p.Level != Group {
			if n == maxPrivileges {
				panic("access: too many privileges")
			}
			p.set[n/64] |= 1 << (n % 64)
			n++
		}
		r.list = append(r.list, p)
		r.byName[strings.ToUpper(p.Name)] = p
	}
	for _, p := range r.list {
		for _, a := range p.Aliases {
			if r.byName[strings.ToUpper(a)] == nil {
				r.byName[strings.ToUpper(a)] = p
			}
		}
		if p.Level != Group {
			r.join(p)
		}
	}
	return r
})

// join puts a privilege into its groups and levels.
func (r *registry) join(p *Privilege) {
	for g := r.byName[p.Parent]; g != nil; g = r.byName[g.Parent] {
		g.set = g.set.or(p.set)
	}
	r.all = r.all.or(p.set)
	deepest := 0
	switch p.Level {
	case ColumnLevel:
		r.column, deepest = r.column.or(p.set), 3
	case TableLevel, ViewLevel:
		r.table, deepest = r.table.or(p.set), 2
	case DictionaryLevel:
		r.dictionary, deepest = r.dictionary.or(p.set), 2
	case DatabaseLevel:
		r.database, deepest = r.database.or(p.set), 1
	}
	if p.Level.parametrized() {
		r.param, deepest = r.param.or(p.set), 1
	}
	for d := range deepest + 1 {
		r.byDepth[d] = r.byDepth[d].or(p.set)
	}
}

// Parametrized reports whether the privilege is granted on the name of a user, source, engine, definer or named collection.
func (p *Privilege) Parametrized() bool { return p.Level.parametrized() }

// depths are the levels of objects as GRANT names them.
var depths = map[string]int{"database": 1, "table": 2, "column": 3}

// GrantableOn reports whether some of the privilege can be granted on a database, table or column; of a group what cannot be is left out.
func (p *Privilege) GrantableOn(level string) bool {
	return !p.set.and(privileges().byDepth[depths[level]]).without(privileges().param).IsEmpty()
}

// Leaves are the privileges that p stands for: its own or its members.
func (p *Privilege) Leaves() []*Privilege {
	var out []*Privilege
	for _, q := range privileges().list {
		if q.Level != Group && p.set.has(q.set) {
			out = append(out, q)
		}
	}
	return out
}

// Privileges lists all privileges and groups.
func Privileges() []*Privilege { return privileges().list }

// LookupPrivilege finds a privilege or group by any of its names in any case; nil if there is none.
func LookupPrivilege(name string) *Privilege { return privileges().byName[strings.ToUpper(name)] }

// Of is the set of the privileges of these names, which must exist: for code, not for input.
func Of(names ...string) Set {
	var s Set
	for _, n := range names {
		p := LookupPrivilege(n)
		if p == nil {
			panic("access: no privilege " + n)
		}
		s = s.or(p.set)
	}
	return s
}

// Names lists a set by the fewest names: a group stands for its members where all that can be granted at the depth are there. Groups
// of parametrized and other privileges are never mixed.
func (s Set) Names(depth int) []string {
	r := privileges()
	within := r.byDepth[depth]
	var out []string
	var covered Set
	for _, g := range groupsFirst() {
		members := g.set.and(within)
		if members.IsEmpty() || !s.has(members) || covered.has(members) || g.Level == Group && depth > 0 && members != g.set {
			continue
		}
		covered = covered.or(members)
		out = append(out, g.Name)
	}
	order := map[string]int{}
	for i, p := range r.list {
		order[p.Name] = i
	}
	slices.SortFunc(out, func(a, b string) int { return order[a] - order[b] })
	return out
}

// groupsFirst lists groups, largest first, then privileges.
var groupsFirst = sync.OnceValue(func() []*Privilege {
	list := slices.Clone(privileges().list)
	size := func(p *Privilege) int {
		n := 0
		for _, q := range privileges().list {
			if q.Level != Group && p.set.has(q.set) {
				n++
			}
		}
		if p.Level == Group {
			return 1000 + n
		}
		return n
	}
	slices.SortStableFunc(list, func(a, b *Privilege) int { return size(b) - size(a) })
	return list
})
