package types

import "slices"

// HasUnion reports whether a value of t may have a type of its own: Variant or Dynamic at any depth, those within JSON aside.
func (t *Type) HasUnion() bool {
	if t.IsUnion() {
		return true
	}
	if t.Kind == JSON || t.Kind == AggregateFunction {
		return false
	}
	for _, e := range t.Elems {
		if e.HasUnion() {
			return true
		}
	}
	return false
}

// HasJSON reports whether t is JSON or has it at any depth.
func (t *Type) HasJSON() bool { return t.Kind == JSON || slices.ContainsFunc(t.Elems, (*Type).HasJSON) }

// Similar returns two types of a Variant within t one of which could stand for both, so that nobody knows which a value will get; nil if there are none.
func (t *Type) Similar() (a, b *Type) {
	for i, e := range t.Elems {
		for _, o := range t.Elems[i+1:] {
			if (e.Kind == Bool) != (o.Kind == Bool) {
				continue // true is no number
			}
			if _, err := Supertype(e, o); t.Kind == Variant && err == nil {
				return e, o
			}
		}
	}
	for _, e := range t.Elems {
		if a, b := e.Similar(); a != nil {
			return a, b
		}
	}
	return nil, nil
}
