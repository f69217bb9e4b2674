package function

import (
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// ObjectPart is a sub-column of a JSON: what its objects have at a path, or the objects below it. It is immutable.
type ObjectPart struct {
	Path  string
	Below bool        // the objects below the path, rather than the values there
	Type  *types.Type // of the sub-column
	// Values is the type of the values at the path that it has; nil: it has all, as Dynamic.
	Values *types.Type

	env *Env
}

// NewObjectPart returns the sub-column of a JSON of type t that a name says, as getSubcolumn takes it; nil if it is not just one step into the objects.
func NewObjectPart(env *Env, t *types.Type, name string) *ObjectPart {
	parts := subcolumnParts(name)
	if t.Kind != types.JSON {
		return nil
	}
	to, n := SubcolumnType(t, parts)
	if to == nil || n != len(parts) {
		return nil
	}
	return objectPart(env, t, parts, to)
}

// objectPart is what parts say of a JSON of type t; SubcolumnType says that its type is to.
func objectPart(env *Env, t *types.Type, parts []string, to *types.Type) *ObjectPart {
	p := &ObjectPart{Type: to, env: env}
	last := len(parts) - 1
	switch {
	case BelowHint(parts[0]) != "":
		p.Path, p.Below = objectPrefix(parts), true
	case TypeHint(parts[last]) != "":
		p.Path, p.Values = strings.Join(parts[:last], "."), hinted(t, parts[last])
	default:
		p.Path = strings.Join(parts, ".")
		if declared := t.Object.TypedPath(p.Path); declared != nil {
			p.Values = declared.WithoutLowCardinality().WithoutNullable()
		}
	}
	return p
}

// OfBelow returns the sub-column of objects that have all paths below its path.
func (p *ObjectPart) OfBelow(m *column.Map) column.Vector { return m.Below(p.Path, p.Type) }

// OfPath returns the sub-column of the values at its path.
func (p *ObjectPart) OfPath(v *column.Variant) (column.Vector, error) {
	switch {
	case p.Values == nil:
		return v, nil
	case p.Values.IsUnion():
		return Cast(p.env, v, p.Type)
	}
	return element(v, p.Values, p.Type), nil
}

// Of returns the sub-column of a vector of the whole objects.
func (p *ObjectPart) Of(whole column.Vector) (column.Vector, error) {
	m := column.Flatten(whole).(*column.Map)
	if p.Below {
		return p.OfBelow(m), nil
	}
	return p.OfPath(m.Path(p.Path))
}
