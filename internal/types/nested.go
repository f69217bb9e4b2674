package types

import (
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
)

// NewNested returns Nested(name type, …): a name for an Array(Tuple(name type, …)).
func NewNested(elems []*Type, names []string) *Type {
	t := NewTuple(elems, names)
	return named("Nested"+strings.TrimPrefix(t.name, "Tuple"), NewArray(t))
}

// IsNested reports whether the type is a Nested.
func (t *Type) IsNested() bool {
	return t.custom && t.Kind == Array && t.Elem().Kind == Tuple && t.Elem().Names != nil
}

func buildNested(name string, args []arg) (*Type, error) {
	if len(args) == 0 {
		return nil, sqlerr.New(sqlerr.EmptyDataPassed, "Nested cannot be empty")
	}
	seen := map[string]bool{}
	elems, names := make([]*Type, len(args)), make([]string, len(args))
	for i, a := range args {
		switch {
		case a.name == "" || a.typ == nil:
			return nil, sqlerr.New(sqlerr.SyntaxError, "Each element of %s must have a name and a type", name)
		case seen[a.name]:
			return nil, sqlerr.New(sqlerr.DuplicateColumn, "Names of tuple elements must be unique. Duplicate name: %s", a.name)
		}
		seen[a.name] = true
		elems[i], names[i] = a.typ, a.name
	}
	return NewNested(elems, names), nil
}
