package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// toUnion makes a Variant or Dynamic of values of any type.
func (k *caster) toUnion(v column.Vector, to *types.Type) (column.Vector, error) {
	from := v.Type()
	inner := from.WithoutNullable()
	out := column.NewVariant(to, v.Len())
	switch {
	case inner.Kind == types.Nothing:
		for range v.Len() {
			out.AppendNull()
		}
		return out, nil
	case from.IsUnion():
		return k.betweenUnions(column.Flatten(v).(*column.Variant), to)
	case inner.Kind == types.String && to.Kind == types.Variant && !k.asIs:
		return k.parseVariant(column.Flatten(v), out, to)
	case column.Holds(to, inner):
		out.AppendRange(column.Flatten(v), 0, v.Len())
		return out, nil
	}
	return nil, sqlerr.New(sqlerr.CannotConvertType, "Cannot convert type %s to %s. Conversion to Variant allowed only for types from this Variant", from, to)
}

// parseVariant reads strings as the first type of a Variant that takes them.
func (k *caster) parseVariant(v column.Vector, out *column.Variant, to *types.Type) (column.Vector, error) {
	p := valuetext.Parser{Zone: k.env.zone()}
	var nulls []uint8
	if n, ok := v.(*column.Nullable); ok {
		v, nulls = n.Inner, n.Nulls
	}
	text := column.Flatten(v).(*column.Str)
	for i := range text.Len() {
		if nulls != nil && nulls[i] != 0 {
			out.AppendNull()
		} else if err := p.Into(out, to, text.At(i)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// betweenUnions makes a Variant of one with fewer types, or of a Dynamic, whose values of other types become strings if there are any.
func (k *caster) betweenUnions(v *column.Variant, to *types.Type) (column.Vector, error) {
	if to.Kind == types.Dynamic {
		return &column.Variant{Typ: to, Which: v.Which, At: v.At, Alts: v.Alts}, nil
	}
	if v.Typ.Kind == types.Variant {
		for _, e := range v.Typ.Elems {
			if to.VariantOf(e) < 0 {
				return nil, sqlerr.New(sqlerr.CannotConvertType,
					"Cannot convert type %s to %s. Conversion between Variant types is allowed only when new Variant type is an extension of an initial one", v.Typ, to)
			}
		}
	}
	b := column.NewVariant(to, v.Len())
	parts := make([]column.Vector, len(v.Alts))
	for a, alt := range v.Alts {
		if column.Holds(to, alt.Type()) {
			parts[a] = alt
			if text, ok := alt.(*column.Str); ok && v.Typ.Kind == types.Dynamic && text.Typ.Kind == types.String && !k.asIs {
				r, err := k.parseVariant(text, column.NewVariant(to, text.Len()), to)
				if err != nil {
					return nil, err
				}
				parts[a] = r
			}
			continue
		}
		rows, _ := v.Rows(a)
		if len(rows) == 0 {
			continue
		}
		if !column.Holds(to, types.TString) {
			return nil, sqlerr.New(sqlerr.CannotConvertType, "Cannot convert a value of type %s to %s", alt.Type(), to)
		}
		text, err := k.cast(alt, types.TString)
		if err != nil {
			return nil, err
		}
		parts[a] = column.Flatten(text)
	}
	for i, w := range v.Which {
		if w == column.NoVariant {
			b.AppendNull()
			continue
		}
		b.AppendFrom(parts[w], int(v.At[i]))
	}
	return b, nil
}

// fromUnion converts each value of a Variant or Dynamic; NULL is NULL or, where the type has none, its default.
func (k *caster) fromUnion(v *column.Variant, to *types.Type) (column.Vector, error) {
	in := caster{env: k.env, mode: k.mode}
	if to.Kind == types.Nullable {
		in.mode = castOrNull
	}
	g := gathering{result: to, rows: v.Len()}
	for a, alt := range v.Alts {
		rows, values := v.Rows(a)
		if len(rows) == 0 {
			continue
		}
		r, err := in.cast(values, to)
		if err != nil {
			return nil, sqlerr.Wrap(err, sqlerr.CodeOf(err), "while converting a value of type %s of %s", alt.Type(), v.Typ)
		}
		g.add(rows, r)
	}
	return g.vector(), nil
}

// gathering puts vectors of the values of some rows together; rows that have none get the default.
type gathering struct {
	result *types.Type
	rows   int
	parts  []column.Vector
	at     []uint32 // of each row the place among the parts, which begin with the default
	size   int
}

func (g *gathering) add(rows []uint32, v column.Vector) {
	if g.at == nil {
		g.begin()
	}
	for i, r := range rows {
		g.at[r] = uint32(g.size + i)
	}
	g.parts, g.size = append(g.parts, column.Flatten(v)), g.size+len(rows)
}

func (g *gathering) begin() {
	def := column.New(g.result, 1)
	def.AppendDefault()
	g.parts, g.at, g.size = []column.Vector{def}, make([]uint32, g.rows), 1
}

func (g *gathering) vector() column.Vector {
	if g.at == nil {
		g.begin()
	}
	return column.Flatten(column.Gather(column.Concat(g.parts...), g.at))
}

// toObject makes JSON of text, maps, named tuples and other JSON.
func (k *caster) toObject(v column.Vector, from, to *types.Type) (column.Vector, error) {
	out := column.New(to, v.Len())
	p := valuetext.Parser{Zone: k.env.zone()}
	switch {
	case from.Kind == types.String:
		return k.parseWith(v.(*column.Str), out, func(s []byte) error { return p.Into(out, to, s) })
	case from.Kind == types.JSON, from.Kind == types.Map && from.Elems[0].Inner().Kind == types.String, from.Kind == types.Tuple && from.Names != nil:
		var text []byte
		for i := range v.Len() {
			if k.skip(i) {
				out.AppendDefault()
				continue
			}
			text = valuetext.AppendJSON(text[:0], v, i, k.env.zone())
			if err := p.Into(out, to, text); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, sqlerr.New(sqlerr.TypeMismatch, "Cast to JSON can be performed only from String/Map/Object/Tuple/JSON. Got: %s", from)
}
