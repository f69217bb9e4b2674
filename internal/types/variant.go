package types

import (
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Limits of the types whose values have types of their own, as ClickHouse has them.
const (
	// MaxVariants is how many types a Variant has: their numbers are bytes, 255 is NULL.
	MaxVariants = 255
	// maxDynamicTypes bounds max_types of Dynamic and max_dynamic_types of JSON, one less for what is beyond.
	maxDynamicTypes = 254
	// defaultDynamicTypes is max_types of a Dynamic, and max_dynamic_types of a JSON, that names none.
	defaultDynamicTypes = 32
)

// TDynamic is Dynamic as it is without max_types.
var TDynamic = NewDynamic(defaultDynamicTypes)

// NewVariant returns Variant of the types, which are sorted by name and each there once. None may be Nullable, Variant or Dynamic.
func NewVariant(ts []*Type) *Type {
	ts = slices.Clone(ts)
	slices.SortFunc(ts, func(a, b *Type) int { return strings.Compare(a.name, b.name) })
	ts = slices.CompactFunc(ts, func(a, b *Type) bool { return a.name == b.name })
	names := make([]string, len(ts))
	for i, t := range ts {
		names[i] = t.name
	}
	return &Type{Kind: Variant, Elems: ts, name: "Variant(" + strings.Join(names, ", ") + ")"}
}

// NewDynamic returns Dynamic of at most maxTypes types kept apart.
func NewDynamic(maxTypes int) *Type {
	t := &Type{Kind: Dynamic, N: maxTypes, name: "Dynamic"}
	if maxTypes != defaultDynamicTypes {
		t.name = "Dynamic(max_types=" + strconv.Itoa(maxTypes) + ")"
	}
	return t
}

// IsUnion reports whether each value has a type of its own, or is NULL: Variant and Dynamic.
func (t *Type) IsUnion() bool { return t.Kind == Variant || t.Kind == Dynamic }

// VariantOf returns the number of the type with the name among those of a Variant, or -1.
func (t *Type) VariantOf(o *Type) int {
	return slices.IndexFunc(t.Elems, func(e *Type) bool { return e.name == o.name })
}

func buildVariant(name string, args []arg) (*Type, error) {
	ts, err := typeArgs(name, args, -1)
	if err != nil {
		return nil, err
	}
	for _, t := range ts {
		if t.IsNullable() || t.IsUnion() {
			return nil, sqlerr.New(sqlerr.BadArguments, "Variant/Nullable/LowCardinality(Nullable)/Dynamic types are not allowed inside Variant type, got %s", t)
		}
	}
	if len(ts) == 0 {
		return nil, sqlerr.New(sqlerr.BadArguments, "Variant type should have at least one nested type")
	}
	if len(ts) > MaxVariants {
		return nil, sqlerr.New(sqlerr.BadArguments, "Variant type with more than %d nested types is not allowed", MaxVariants)
	}
	return NewVariant(ts), nil
}

func buildDynamic(name string, args []arg) (*Type, error) {
	if len(args) == 0 {
		return TDynamic, nil
	}
	if len(args) > 1 || args[0].name != "max_types" || args[0].num == nil {
		return nil, sqlerr.New(sqlerr.UnexpectedASTStructure, "%s data type optional argument should be in a form 'max_types=N'", name)
	}
	if n := *args[0].num; n < 0 || n > maxDynamicTypes {
		return nil, sqlerr.New(sqlerr.UnexpectedASTStructure, "'max_types' argument for Dynamic type should be a positive integer between 0 and %d", maxDynamicTypes)
	}
	return NewDynamic(int(*args[0].num)), nil
}
