package function

import (
	"math"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	respect := func(name, doc string, p pick, aliases ...string) *AggregateFamily {
		return &AggregateFamily{Name: name, Aliases: aliases, MinArgs: 1, MaxArgs: 1, NullArgs: true,
			Resolve: func(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
				return pickAny(p, args[0]), nil
			},
			Doc: doc, Example: name + "(x) → NULL"}
	}
	registerAggregates(
		respect("any_respect_nulls", "Returns the first value met, be it NULL.", pickFirst, "anyRespectNulls", "first_value_respect_nulls", "firstValueRespectNulls", "any_value_respect_nulls", "anyValueRespectNulls"),
		respect("anyLast_respect_nulls", "Returns the last value met, be it NULL.", pickLast, "anyLastRespectNulls", "last_value_respect_nulls", "lastValueRespectNulls"),
		&AggregateFamily{Name: "singleValueOrNull", MinArgs: 1, MaxArgs: 1, EmptyNull: true, Resolve: resolveSingleValue,
			Doc: "Returns the value if all are the same, else NULL.", Example: "singleValueOrNull(x) → NULL"},
		&AggregateFamily{Name: "entropy", MinArgs: 1, MaxArgs: -1, EmptyNull: true, Resolve: resolveEntropy,
			Doc: "Returns Shannon's entropy of the values, in bits.", Example: "entropy(x) → 1"},
		&AggregateFamily{Name: "uniqUpTo", MinArgs: 1, MaxArgs: -1, Parametric: true, Resolve: resolveUniqUpTo,
			Doc: "Counts the distinct values exactly up to the parameter, and more than that as one more.", Example: "uniqUpTo(3)(x) → 4"},
		&AggregateFamily{Name: "groupBitmap", MinArgs: 1, MaxArgs: 1, EmptyNull: true, Resolve: resolveGroupBitmap,
			Doc: "Counts the distinct integers, as the cardinality of their bitmap.", Example: "groupBitmap(x) → 3"},
	)
}

// single is the one value of a group, until there is another.
type single struct {
	one  cell
	many bool
}

func (s *single) add(t *types.Type, v column.Vector, i int) {
	switch {
	case s.many:
	case s.one.v == nil:
		s.one.set(t, v, i)
	case compareFields(s.one.v, 0, v, i) != 0:
		s.many = true
	}
}

func resolveSingleValue(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
	t := args[0]
	if !t.CanBeNullable() && t.Kind != types.Tuple {
		return nil, badArg("singleValueOrNull", t)
	}
	if t.Kind == types.Tuple {
		return nil, sqlerr.New(sqlerr.NotImplemented, "singleValueOrNull of %s is not supported: there is no Nullable of it", t)
	}
	return &fold[single]{
		result: types.NewNullable(t),
		once:   true,
		add: func(s *foldStates[single], groups []uint32, args []column.Vector, n int) error {
			for i := 0; i < n; i++ {
				s.s[groups[i]].add(t, args[0], i)
			}
			return nil
		},
		merge: func(_ *foldStates[single], a, b *single) {
			if b.one.v != nil {
				a.add(t, b.one.v, 0)
			}
			a.many = a.many || b.many
		},
		save: func(dst []byte, s *single) []byte {
			if s.many {
				return append(dst, 2)
			}
			return s.one.save(dst)
		},
		load: func(s *single, r *reader) error {
			if s.many = len(r.b) == 1 && r.b[0] == 2; s.many {
				r.b = nil
				return nil
			}
			s.one.load(t, r)
			return nil
		},
		finish: func(out column.Builder, s *single) error {
			if s.many {
				out.(*column.Nullable).AppendNull()
				return nil
			}
			s.one.finish(out)
			return nil
		},
	}, nil
}

// tally counts how often each value occurs, by a 128-bit hash.
type tally struct{ counts map[types.U128]uint64 }

// tallyEntry is the memory of one value in the map, load factor included.
const tallyEntry = 40

func (s *tally) add(h types.U128, n uint64) int64 {
	if s.counts == nil {
		s.counts = map[types.U128]uint64{}
	}
	before := len(s.counts)
	s.counts[h] += n
	return tallyEntry * int64(len(s.counts)-before)
}

func (s *tally) sorted() []types.U128 {
	keys := make([]types.U128, 0, len(s.counts))
	for h := range s.counts {
		keys = append(keys, h)
	}
	slices.SortFunc(keys, types.U128.Cmp)
	return keys
}

func resolveEntropy(_ *Env, _ []column.Vector, _ []*types.Type) (Aggregate, error) {
	return &fold[tally]{
		result: types.TFloat64,
		add: func(s *foldStates[tally], groups []uint32, args []column.Vector, n int) error {
			for i, h := range hashes128(args, n) {
				s.extra += s.s[groups[i]].add(h, 1)
			}
			return nil
		},
		merge: func(s *foldStates[tally], a, b *tally) {
			for h, n := range b.counts {
				s.extra += a.add(h, n)
			}
		},
		save: func(dst []byte, s *tally) []byte {
			for _, h := range s.sorted() {
				dst = appendU64(appendU64(appendU64(dst, h.Lo), h.Hi), s.counts[h])
			}
			return dst
		},
		load: func(s *tally, r *reader) error {
			for len(r.b) > 0 {
				lo, hi := r.u64(), r.u64()
				s.add(types.U128{Lo: lo, Hi: hi}, r.u64())
			}
			return nil
		},
		finish: func(out column.Builder, s *tally) error {
			total, entropy := uint64(0), 0.0
			for _, n := range s.counts {
				total += n
			}
			for _, h := range s.sorted() { // in one order, so that the sum is one
				p := float64(s.counts[h]) / float64(total)
				entropy -= p * math.Log2(p)
			}
			push(out, entropy+0)
			return nil
		},
	}, nil
}

// Bounds of uniqUpTo, as in ClickHouse.
const (
	uniqUpToDefault = 5
	uniqUpToMax     = 100
)

func resolveUniqUpTo(_ *Env, params []column.Vector, _ []*types.Type) (Aggregate, error) {
	limit := uint64(uniqUpToDefault)
	if len(params) > 0 {
		var err error
		if limit, err = wholeParam("uniqUpTo", params[0]); err != nil {
			return nil, err
		}
	}
	switch {
	case len(params) > 1:
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Aggregate function uniqUpTo requires one parameter or less")
	case limit > uniqUpToMax:
		return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Too large parameter for aggregate function uniqUpTo. Maximum: %d", uniqUpToMax)
	}
	full := int(limit) + 1
	return &fold[set[uint64]]{
		result: types.TUInt64,
		once:   true,
		add: func(s *foldStates[set[uint64]], groups []uint32, args []column.Vector, n int) error {
			for i, x := range uniqKeys(args, n) {
				if st := &s.s[groups[i]]; st.len() < full {
					s.extra += st.insert(x, column.Mix)
				}
			}
			return nil
		},
		merge: func(s *foldStates[set[uint64]], a, b *set[uint64]) {
			b.each(func(k uint64) {
				if a.len() < full {
					s.extra += a.insert(k, column.Mix)
				}
			})
		},
		save:   func(dst []byte, s *set[uint64]) []byte { return saveSet(dst, s, appendU64) },
		load:   loadSet(8, column.Mix, (*reader).u64),
		finish: func(out column.Builder, s *set[uint64]) error { push(out, uint64(min(s.len(), full))); return nil },
	}, nil
}

func resolveGroupBitmap(env *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	t := args[0]
	if !t.IsInteger() || t.Width() > 8 {
		return nil, badArg("groupBitmap", t)
	}
	fn, err := resolveUniqExact(env, params, args)
	if err != nil {
		return nil, err
	}
	f := fn.(*fold[set[uint64]])
	f.result = t
	f.finish = func(out column.Builder, s *set[uint64]) error { pushBits(out, uint64(s.len())); return nil }
	return f, nil
}
