package function

import (
	"fmt"
	"sort"
	"strings"
)

var (
	scalars      = map[string]*Scalar{} // by exact name
	scalarsLower = map[string]*Scalar{} // case-insensitive ones by lower-case name
	families     = map[string]*AggregateFamily{}
	familiesLow  = map[string]*AggregateFamily{}
)

// register adds scalar functions; called from the init of each family's file.
func register(list ...*Scalar) {
	for _, s := range list {
		for _, n := range append([]string{s.Name}, s.Aliases...) {
			if scalars[n] != nil {
				panic(fmt.Sprintf("function: %s is declared twice", n))
			}
			scalars[n] = s
			if s.CaseInsensitive {
				scalarsLower[strings.ToLower(n)] = s
			}
		}
	}
}

// registerAggregates adds aggregate functions; called from the init of each family's file.
func registerAggregates(list ...*AggregateFamily) {
	for _, a := range list {
		for _, n := range append([]string{a.Name}, a.Aliases...) {
			if families[n] != nil {
				panic(fmt.Sprintf("function: aggregate %s is declared twice", n))
			}
			families[n] = a
			if a.CaseInsensitive {
				familiesLow[strings.ToLower(n)] = a
			}
		}
	}
}

// Lookup returns the scalar function of that name, or nil.
func Lookup(name string) *Scalar {
	if s := scalars[name]; s != nil {
		return s
	}
	return scalarsLower[strings.ToLower(name)]
}

// LookupAggregate returns the aggregate function of that name without combinators, or nil.
func LookupAggregate(name string) *AggregateFamily {
	if a := families[name]; a != nil {
		return a
	}
	return familiesLow[strings.ToLower(name)]
}

// Info describes one name of a function for system.functions.
type Info struct {
	Name            string
	Aggregate       bool
	CaseInsensitive bool
	AliasTo         string
	Family          string
	Doc             string
	Example         string
}

// All lists every function under each of its names, sorted by name.
func All() []Info {
	var out []Info
	for n, s := range scalars {
		out = append(out, info(n, s.Name, Info{CaseInsensitive: s.CaseInsensitive, Family: s.Family, Doc: s.Doc, Example: s.Example}))
	}
	for n, a := range families {
		out = append(out, info(n, a.Name, Info{Aggregate: true, CaseInsensitive: a.CaseInsensitive, Family: "aggregate", Doc: a.Doc, Example: a.Example}))
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Name != out[j].Name {
			return out[i].Name < out[j].Name
		}
		return !out[i].Aggregate
	})
	return out
}

func info(name, canonical string, i Info) Info {
	i.Name = name
	if name != canonical {
		i.AliasTo = canonical
	}
	return i
}
