package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// castMode says what becomes of values that the target type does not hold.
type castMode uint8

const (
	castWrap   castMode = iota // numbers wrap, dates clamp, bad text is an error: CAST
	castExact                  // an error: accurateCast
	castOrNull                 // NULL: accurateCastOrNull and toXOrNull; the result is Nullable
)

// Cast converts v to type t as CAST does: also for inserting a value into a column of another
// type. The result's vector type is t without LowCardinality; Const stays Const. Text that
// does not parse has the code of its type, types that do not convert are CannotConvertType or TypeMismatch.
func Cast(env *Env, v column.Vector, t *types.Type) (column.Vector, error) {
	k := caster{env: env}
	return k.cast(v, t.WithoutLowCardinality())
}

// caster converts vectors. nulls, if set, marks rows whose values do not matter.
type caster struct {
	env   *Env
	mode  castMode
	nulls []uint8
	// asIs puts a string into a Variant as one, whatever it looks like.
	asIs bool
}

func (k *caster) skip(i int) bool { return k.nulls != nil && k.nulls[i] != 0 }

func (k *caster) cast(v column.Vector, to *types.Type) (column.Vector, error) {
	from := v.Type()
	if from.Equal(to) {
		return v, nil
	}
	switch v := v.(type) {
	case *column.Const:
		one, err := k.cast(v.Value, to)
		if err != nil {
			return nil, err
		}
		return &column.Const{Value: column.Flatten(one), N: v.N}, nil
	case *column.Dict:
		return k.cast(column.Flatten(v), to)
	}
	if to.IsUnion() {
		return k.toUnion(v, to)
	}
	switch v := v.(type) {
	case *column.Variant:
		return k.fromUnion(v, to)
	case *column.Nullable:
		return k.fromNullable(v, to)
	}
	if to.Kind == types.Nullable {
		return k.toNullable(v, to.Elem())
	}
	return k.plain(v, from, to)
}

func (k *caster) fromNullable(v *column.Nullable, to *types.Type) (column.Vector, error) {
	if v.Type().Elem().Kind == types.Nothing {
		if to.Kind != types.Nullable && v.Len() > 0 {
			return nil, sqlerr.New(sqlerr.CannotConvertType, "Cannot convert NULL value to non-Nullable type %s", to)
		}
		b := column.New(to, v.Len())
		for range v.Nulls {
			b.AppendDefault()
		}
		return b, nil
	}
	if to.Kind != types.Nullable {
		for _, n := range v.Nulls {
			if n != 0 && k.mode != castOrNull {
				return nil, sqlerr.New(sqlerr.CannotInsertNullInOrdinaryColumn, "Cannot convert NULL value to non-Nullable type %s", to)
			}
		}
		return k.cast(v.Inner, to)
	}
	inner := caster{env: k.env, mode: k.mode, nulls: v.Nulls}
	r, err := inner.cast(v.Inner, to.Elem())
	if err != nil {
		return nil, err
	}
	return withNulls(r, v.Nulls), nil
}

func (k *caster) toNullable(v column.Vector, to *types.Type) (column.Vector, error) {
	if s, ok := v.(*column.Str); ok && v.Type().IsString() && !to.IsString() {
		return k.parseNullable(s, to)
	}
	r, err := k.cast(v, to)
	if err != nil {
		return nil, err
	}
	if _, ok := r.(*column.Nullable); ok {
		return r, nil
	}
	return withNulls(r, make([]uint8, v.Len())), nil
}

// plain converts between types without Nullable and LowCardinality.
func (k *caster) plain(v column.Vector, from, to *types.Type) (column.Vector, error) {
	switch {
	case from.Kind == types.Nothing:
		return column.Flatten(column.NewDefaults(to, v.Len())), nil
	case to.Kind == types.JSON:
		return k.toObject(v, from, to)
	case to.Kind == types.String:
		return k.toText(v)
	case to.Kind == types.FixedString && from.IsString():
		return k.toFixedString(v.(*column.Str), to)
	case from.IsString():
		return k.parse(v.(*column.Str), to)
	case to.IsTime() || from.IsTime():
		return k.times(v, from, to)
	case to.IsDateOrTime():
		if r, err := k.toDate(v, from, to); r != nil || err != nil {
			return r, err
		}
	case from.IsDateOrTime():
		if r, err := k.fromDate(v, from, to); r != nil || err != nil {
			return r, err
		}
	case to.IsEnum():
		return k.toEnum(v, from, to)
	case from.IsEnum() && isAnyNumber(to):
		return k.numbers(column.WithType(v, intOf(true, from.Width())), to)
	case isAnyNumber(from) && isAnyNumber(to):
		return k.numbers(v, to)
	case isPlainInt(from) && to.Kind == types.Interval, from.Kind == types.Interval && isPlainNum(to), from.IsFloat() && to.Kind == types.Interval:
		return k.numbers(v, to)
	case from.Kind == types.Interval && to.Kind == types.Interval:
		return castInterval(v, from, to)
	case to.Kind == types.IPv4 || to.Kind == types.IPv6 || from.Kind == types.IPv4 || from.Kind == types.IPv6:
		if r, err := castIP(v, from, to); r != nil || err != nil {
			return r, err
		}
	case from.Kind == types.Array || from.Kind == types.Tuple || from.Kind == types.Map:
		return k.nested(v, from, to)
	case to.Kind == types.Array || to.Kind == types.Tuple || to.Kind == types.Map:
		return nil, sqlerr.New(sqlerr.TypeMismatch, "CAST AS %s can only be performed between same-kind types or from String, got %s", to, from)
	}
	return nil, sqlerr.New(sqlerr.NotImplemented, "Conversion from %s to %s is not supported", from, to)
}

func castInterval(v column.Vector, from, to *types.Type) (column.Vector, error) {
	f, t := from.Unit, to.Unit
	num, den := f.Nanoseconds(), t.Nanoseconds()
	if num == 0 || den == 0 {
		num, den = f.Months(), t.Months()
	}
	if num == 0 || den == 0 {
		return nil, sqlerr.New(sqlerr.NotImplemented, "Conversion from %s to %s is not supported", from, to)
	}
	data := numsOf[int64](v)
	out := make([]int64, len(data))
	for i, x := range data {
		if num >= den {
			out[i] = x * (num / den)
		} else {
			out[i] = x / (den / num)
		}
	}
	return newNum(to, out), nil
}

// inexact is the error of a value out of range in the exact mode.
func inexact(from, to *types.Type) error {
	return sqlerr.New(sqlerr.CannotConvertType, "Value in column of type %s cannot be safely converted into type %s", from, to)
}
