package build

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/segment"
)

// partOf returns the sub-column of JSON that a column of the scan with the name is, and the name of the whole; nil if it is none.
func (c *conditioner) partOf(name string) (part *plan.Part, whole string) {
	if c.scan == nil {
		return nil, ""
	}
	for i := range c.scan.Parts {
		p := &c.scan.Parts[i]
		if of := c.scan.Schema()[p.Column].Name; p.String(of) == name {
			return p, of
		}
	}
	return nil, ""
}

// atPaths makes terms on sub-columns of JSON, which have values of one type, claims about what is at their paths. What cannot be said so is left as it is, and prunes
// nothing.
func (c *conditioner) atPaths(terms []segment.Term) []segment.Term {
	var out []segment.Term
	for _, t := range terms {
		if t.Kind == segment.AnyOf {
			for i := range t.Any {
				t.Any[i].Terms = c.atPaths(t.Any[i].Terms)
			}
		}
		out = append(out, c.atPath(t))
	}
	return out
}

func (c *conditioner) atPath(t segment.Term) segment.Term {
	switch t.Kind {
	case segment.Compare, segment.In, segment.Prefix, segment.Contains, segment.HasToken:
	default: // NULL is no value at the path
		return t
	}
	part, whole := c.partOf(t.Column)
	if part == nil {
		return t
	}
	p := c.b.objectPart(c.scan, part)
	if p.Below || p.Values == nil || t.Values == nil || !p.Values.Equal(t.Values.Type().Inner()) {
		return t
	}
	t.Column = ""
	return segment.Term{Kind: segment.AtPath, Column: whole, Path: p.Path, Types: []segment.Term{t}}
}

// dynamicTypes are those that values of JSON have, by what their text is: of them a comparison with a Dynamic is told from the bounds of the values.
var dynamicTypes = []*types.Type{types.TInt64, types.TUInt64, types.TFloat64, types.TBool, types.TString, types.TDate, types.TDateTime, valuetext.GuessedDateTime64()}

// compareDynamic handles a comparison of what is at a path, of whatever type, with a constant: the bounds of each type that compares with the constant as with a
// column of that type tell; values of other types may pass.
func (c *conditioner) compareDynamic(col *plan.Col, op kernel.Op, k *plan.Const) ([]segment.Term, bool) {
	part, whole := c.partOf(col.Name)
	if part == nil {
		return nil, false
	}
	p := c.b.objectPart(c.scan, part)
	term := segment.Term{Kind: segment.AtPath, Column: whole, Path: p.Path, Others: true}
	for _, t := range dynamicTypes {
		if v, ok := c.constant(k.Value, k.T, t); ok {
			term.Types = append(term.Types, segment.Term{Kind: segment.Compare, Op: op, Values: column.WithType(column.Flatten(v), t)})
		}
	}
	return []segment.Term{term}, len(term.Types) > 0 && !p.Below && p.Values == nil
}
