package dictionary

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// Layout is how keys are found.
type Layout uint8

// The layouts.
const (
	Flat Layout = iota
	Hashed
	RangeHashed
	IPTrie
	// Direct keeps nothing: the source is asked at each lookup.
	Direct
)

// Shape is what a dictionary's definition says of its columns. Immutable.
type Shape struct {
	Name   string // as it is told of
	Layout Layout
	// Simple says that the key is one UInt64, rather than a tuple of columns of any type.
	Simple bool
	Key    column.Schema
	// Range holds the columns of an interval's ends; nil without. Point is the type of what lies in an interval.
	Range column.Schema
	Point *types.Type
	// Latest picks, of the intervals that hold a point, the last rather than the first.
	Latest     bool
	Attributes []Attribute
	// KeyAttribute says that the key can be looked up as an attribute.
	KeyAttribute bool
	// Parent is the hierarchical attribute, -1 if there is none.
	Parent int
	// MaxArray bounds the keys of a flat layout.
	MaxArray uint64
}

// Attribute is a column that is looked up.
type Attribute struct {
	Name string
	Type *types.Type
	// Default is the value of keys that are not there, and of NULL where the type is not Nullable: one, of the type.
	Default column.Vector
}

// Attribute returns the position of an attribute. BadArguments if there is none of the name.
func (s *Shape) Attribute(name string) (int, error) {
	i := slices.IndexFunc(s.Attributes, func(a Attribute) bool { return a.Name == name })
	if i < 0 {
		if s.KeyAttribute && name == s.Key[0].Name {
			return len(s.Attributes), nil
		}
		return 0, sqlerr.New(sqlerr.BadArguments, "No such attribute '%s'", name)
	}
	return i, nil
}

// At describes the attribute at a position.
func (s *Shape) At(i int) Attribute {
	if i == len(s.Attributes) {
		return Attribute{Name: s.Key[0].Name, Type: s.Key[0].Type, Default: column.Flatten(column.NewDefaults(s.Key[0].Type, 1))}
	}
	return s.Attributes[i]
}

// Schema is the columns of the dictionary as a table, in the order a Builder takes them.
func (s *Shape) Schema() column.Schema {
	out := append(slices.Clone(s.Key), s.Range...)
	for _, a := range s.Attributes {
		out = append(out, column.Field{Name: a.Name, Type: a.Type})
	}
	return out
}
