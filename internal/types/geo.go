package types

// The geometric types are names over tuples and arrays: a Point is a Tuple(Float64, Float64), a LineString and a Ring are an
// Array(Point), a Polygon is an Array(Ring), and so on. Values, storage and functions are those of what they stand for; the name shows
// in toTypeName, in DESCRIBE and on the wire.
var (
	TPoint           = named("Point", NewTuple([]*Type{TFloat64, TFloat64}, nil))
	TLineString      = named("LineString", NewArray(TPoint))
	TRing            = named("Ring", NewArray(TPoint))
	TMultiLineString = named("MultiLineString", NewArray(TLineString))
	TPolygon         = named("Polygon", NewArray(TRing))
	TMultiPolygon    = named("MultiPolygon", NewArray(TPolygon))
)

// geoTypes are all of them, in the order in which they build on each other.
var geoTypes = []*Type{TPoint, TLineString, TRing, TMultiLineString, TPolygon, TMultiPolygon}

// named returns the type t under a name of its own.
func named(name string, t *Type) *Type {
	c := *t
	c.name, c.custom = name, true
	return &c
}

// SameShape reports whether two types are the same but for names such as Point and Nested in them: values are the same.
func SameShape(a, b *Type) bool {
	if a.Equal(b) {
		return true
	}
	if a.Kind != b.Kind || len(a.Elems) != len(b.Elems) || len(a.Names) != len(b.Names) {
		return false
	}
	switch a.Kind {
	case Array, Tuple, Map, Nullable:
	default:
		return false
	}
	for i, n := range a.Names {
		if n != b.Names[i] {
			return false
		}
	}
	for i, e := range a.Elems {
		if !SameShape(e, b.Elems[i]) {
			return false
		}
	}
	return true
}
