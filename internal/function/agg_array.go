package function

import (
	"encoding/binary"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/zeebo/xxh3"
)

func init() {
	registerAggregates(
		&AggregateFamily{Name: "groupArray", Aliases: []string{"array_agg"}, CaseInsensitive: false, MinArgs: 1, MaxArgs: 1, Parametric: true,
			Resolve: resolveGroupArray("groupArray", false),
			Doc:     "Collects the values into an array, at most as many as the parameter says.", Example: "groupArray(x) → [1,2,3]"},
		&AggregateFamily{Name: "groupUniqArray", MinArgs: 1, MaxArgs: 1, Parametric: true, Resolve: resolveGroupArray("groupUniqArray", true),
			Doc: "Collects the distinct values into an array, in order of first occurrence.", Example: "groupUniqArray(x) → [1,2]"},
	)
}

// values is the collected values of a group; seen, the hashes of those in it, if they are to be distinct.
type values struct {
	v    column.Builder
	seen set[types.U128]
}

func (s *values) append(t *types.Type, src column.Vector, i, limit int, distinct bool, buf *[]byte) int64 {
	if s.v == nil {
		s.v = column.New(t, 0)
	}
	if limit > 0 && s.v.Len() >= limit {
		return 0
	}
	grown := int64(0)
	if distinct {
		*buf = appendValue((*buf)[:0], src, i)
		h := xxh3.Hash128(*buf)
		before := s.seen.len()
		grown = 2 * s.seen.insert(types.U128{Lo: h.Lo, Hi: h.Hi}, mixU128)
		if s.seen.len() == before {
			return grown
		}
	}
	s.v.AppendFrom(src, i)
	if w := t.Width(); w > 0 {
		return grown + int64(w)
	}
	return grown + src.Slice(i, i+1).Bytes()
}

func resolveGroupArray(name string, distinct bool) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
	return func(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
		limit, err := sizeParam(name, params)
		if err != nil {
			return nil, err
		}
		return collect(args[0], types.NewArray(args[0]), limit, distinct, func(out column.Builder, s *values) error {
			a := out.(*column.Array)
			if s.v != nil {
				a.Elem.(column.Builder).AppendRange(s.v, 0, s.v.Len())
			}
			a.EndValue()
			return nil
		}), nil
	}
}

// sizeParam reads the optional parameter that bounds a result.
func sizeParam(name string, params []column.Vector) (int, error) {
	switch len(params) {
	case 0:
		return 0, nil
	case 1:
	default:
		return 0, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Incorrect number of parameters for aggregate function %s, should be 0 or 1", name)
	}
	if !params[0].Type().IsInteger() {
		return 0, sqlerr.New(sqlerr.BadArguments, "Parameter for aggregate function %s should be positive number", name)
	}
	n := toFloats(column.Flatten(params[0]))[0]
	if n < 1 || n > 1<<31 {
		return 0, sqlerr.New(sqlerr.BadArguments, "Parameter for aggregate function %s should be positive number", name)
	}
	return int(n), nil
}

func collect(t, result *types.Type, limit int, distinct bool, finish func(column.Builder, *values) error) Aggregate {
	return &fold[values]{
		result: result,
		add: func(s *foldStates[values], groups []uint32, args []column.Vector, n int) error {
			var buf []byte
			for i := 0; i < n; i++ {
				s.extra += s.s[groups[i]].append(t, args[0], i, limit, distinct, &buf)
			}
			return nil
		},
		merge: func(s *foldStates[values], a, b *values) {
			switch {
			case b.v == nil:
			case a.v == nil:
				*a = *b
				s.extra += b.v.Bytes() + 16*int64(len(b.seen.slots))
			default:
				var buf []byte
				for i := 0; i < b.v.Len(); i++ {
					s.extra += a.append(t, b.v, i, limit, distinct, &buf)
				}
			}
		},
		save: func(dst []byte, s *values) []byte {
			if s.v == nil {
				return append(dst, 0)
			}
			dst = binary.AppendUvarint(dst, uint64(s.v.Len()))
			for i := 0; i < s.v.Len(); i++ {
				dst = appendValue(dst, s.v, i)
			}
			return dst
		},
		load: func(s *values, r *reader) error {
			one := column.New(t, 1)
			var buf []byte
			for n := r.count(1); n > 0 && !r.bad; n-- {
				one.Truncate(0)
				if readValue(one, r); !r.bad {
					s.append(t, one, 0, limit, distinct, &buf)
				}
			}
			return nil
		},
		finish: finish,
	}
}
