package function

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/zeebo/xxh3"
)

func init() {
	registerAggregates(
		&AggregateFamily{Name: "groupArrayLast", MinArgs: 1, MaxArgs: 1, Parametric: true, Resolve: resolveGroupLast,
			Doc: "Collects the last values, as many as the parameter says; each new one takes the place of the oldest.", Example: "groupArrayLast(2)(x) → [3,2]"},
		&AggregateFamily{Name: "groupArraySample", MinArgs: 1, MaxArgs: 1, Parametric: true, Resolve: resolveGroupSample,
			Doc: "Collects a random sample of the values, as many as the parameter says."},
		&AggregateFamily{Name: "groupArrayIntersect", MinArgs: 1, MaxArgs: 1, Resolve: resolveGroupIntersect,
			Doc: "Returns the elements that all arrays have.", Example: "groupArrayIntersect(a) → [1]"},
		&AggregateFamily{Name: "anyHeavy", MinArgs: 1, MaxArgs: 1, EmptyNull: true, Resolve: resolveHeavy,
			Doc: "Returns a value that more than half of the rows have, if there is one; else any value.", Example: "anyHeavy(x) → 1"},
	)
}

// placements is values of which new ones may replace old ones; places[i] is where in v the i-th stands.
type placements struct {
	v      column.Builder
	places []uint32
	total  uint64
}

// put makes row i of src the value at a place: the next one, or one that is taken.
func (s *placements) put(t *types.Type, src column.Vector, i, place int) int64 {
	if s.v == nil {
		s.v = column.New(t, 1)
	}
	at := uint32(s.v.Len())
	s.v.AppendFrom(src, i)
	grown := src.Slice(i, i+1).Bytes()
	if place < len(s.places) {
		s.places[place] = at
		if s.v.Len() > 2*len(s.places)+pickedSlack {
			grown -= s.tidy(t)
		}
		return grown
	}
	s.places = append(s.places, at)
	return grown + 4
}

// pickedSlack is how many replaced values are kept before they are thrown away.
const pickedSlack = 64

// tidy throws replaced values away and returns the memory that became free.
func (s *placements) tidy(t *types.Type) int64 {
	before := s.v.Bytes()
	kept := column.New(t, len(s.places))
	kept.AppendSelected(s.v, s.places)
	s.v, s.places = kept, rowNumbers(len(s.places))
	return max(0, before-kept.Bytes())
}

// requiredLimit reads the parameter that bounds a result and has to be there.
func requiredLimit(name string, params []column.Vector) (int, error) {
	if len(params) == 0 {
		return 0, sqlerr.New(sqlerr.BadArguments, "Parameter for aggregate function %s should have limit argument", name)
	}
	return sizeParam(name, params[:1])
}

func resolveGroupLast(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	limit, err := requiredLimit("groupArrayLast", params)
	if err != nil {
		return nil, err
	}
	return foldPicked(args[0], func(s *placements) int { return int(s.total % uint64(limit)) }), nil
}

func resolveGroupSample(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	if len(params) != 1 && len(params) != 2 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Incorrect number of parameters for aggregate function groupArraySample, should be 1 or 2")
	}
	limit, err := requiredLimit("groupArraySample", params)
	if err != nil {
		return nil, err
	}
	seed := rand.Uint64()
	if len(params) == 2 {
		if seed, err = wholeParam("groupArraySample", params[1]); err != nil {
			return nil, err
		}
	}
	return foldPicked(args[0], func(s *placements) int {
		if s.total < uint64(limit) {
			return int(s.total)
		}
		// A hash of the seed and the number of the row, so that the state holds no generator.
		at := column.Mix(seed^column.Mix(s.total)) % (s.total + 1)
		if at >= uint64(limit) {
			return -1
		}
		return int(at)
	}), nil
}

// foldPicked collects values at the places that place names, from the total so far; -1 leaves a value out.
func foldPicked(t *types.Type, place func(s *placements) int) Aggregate {
	add := func(s *placements, src column.Vector, i int) int64 {
		at := place(s)
		s.total++
		if at < 0 {
			return 0
		}
		return s.put(t, src, i, at)
	}
	return &fold[placements]{
		result: types.NewArray(t),
		add: func(s *foldStates[placements], groups []uint32, args []column.Vector, n int) error {
			for i := range n {
				s.extra += add(&s.s[groups[i]], args[0], i)
			}
			return nil
		},
		merge: func(s *foldStates[placements], a, b *placements) {
			if a.total == 0 {
				*a = *b
				return
			}
			total := a.total + b.total
			for _, at := range b.places {
				s.extra += add(a, b.v, int(at))
			}
			a.total = total
		},
		save: func(dst []byte, s *placements) []byte {
			dst = binary.AppendUvarint(binary.AppendUvarint(dst, s.total), uint64(len(s.places)))
			for _, at := range s.places {
				dst = appendValue(dst, s.v, int(at))
			}
			return dst
		},
		load: func(s *placements, r *reader) error {
			total, one := r.uvarint(), column.New(t, 1)
			for n := r.count(1); n > 0 && !r.bad; n-- {
				one.Truncate(0)
				if readValue(one, r); !r.bad {
					s.put(t, one, 0, len(s.places))
				}
			}
			if s.total = total; total < uint64(len(s.places)) {
				r.fail()
			}
			return nil
		},
		finish: func(out column.Builder, s *placements) error {
			a := out.(*column.Array)
			if s.v != nil {
				a.Elem.(column.Builder).AppendSelected(s.v, s.places)
			}
			a.EndValue()
			return nil
		},
	}
}

// common is the elements that all arrays so far have.
type common struct {
	values
	any bool // an array was met
}

func resolveGroupIntersect(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
	if !isArray(args[0]) {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Aggregate function groupArrayIntersect accepts only array type argument. Provided type: %s", args[0])
	}
	t := args[0].Elem()
	return &fold[common]{
		result: args[0],
		add: func(s *foldStates[common], groups []uint32, args []column.Vector, n int) error {
			arr := args[0].(*column.Array)
			for i := range n {
				s.extra += s.s[groups[i]].intersect(t, arr.Elem, int(arr.Off[i]), int(arr.Off[i+1]))
			}
			return nil
		},
		merge: func(s *foldStates[common], a, b *common) {
			if b.any {
				elem := column.Vector(column.New(t, 0))
				if b.v != nil {
					elem = b.v
				}
				s.extra += a.intersect(t, elem, 0, elem.Len())
			}
		},
		save: func(dst []byte, s *common) []byte {
			dst = append(dst, b2u(s.any))
			if s.v == nil {
				return append(dst, 0)
			}
			dst = binary.AppendUvarint(dst, uint64(s.v.Len()))
			for i := range s.v.Len() {
				dst = appendValue(dst, s.v, i)
			}
			return dst
		},
		load: func(s *common, r *reader) error {
			is := r.u8() == 1
			elem := column.New(t, 0)
			for n := r.count(1); n > 0 && !r.bad; n-- {
				readValue(elem, r)
			}
			if is && !r.bad {
				s.intersect(t, elem, 0, elem.Len())
			}
			return nil
		},
		finish: func(out column.Builder, s *common) error {
			a := out.(*column.Array)
			if s.v != nil {
				a.Elem.(column.Builder).AppendRange(s.v, 0, s.v.Len())
			}
			a.EndValue()
			return nil
		},
	}, nil
}

// intersect keeps what is also in elem[from:to], and returns the growth of the memory.
func (s *common) intersect(t *types.Type, elem column.Vector, from, to int) int64 {
	var buf []byte
	grown := int64(0)
	if !s.any {
		s.any = true
		for i := from; i < to; i++ {
			grown += s.append(t, elem, i, 0, true, &buf)
		}
		return grown
	}
	var has set[types.U128]
	for i := from; i < to; i++ {
		buf = appendValue(buf[:0], elem, i)
		h := xxh3.Hash128(buf)
		has.insert(types.U128{Lo: h.Lo, Hi: h.Hi}, mixU128)
	}
	old := s.v
	s.values = values{}
	if old == nil {
		return 0
	}
	for i := range old.Len() {
		buf = appendValue(buf[:0], old, i)
		h := xxh3.Hash128(buf)
		before := has.len()
		if has.insert(types.U128{Lo: h.Lo, Hi: h.Hi}, mixU128); has.len() == before {
			var again []byte
			grown += s.append(t, old, i, 0, true, &again)
		}
	}
	return grown
}

// heavy is the candidate of the majority vote of Boyer and Moore, and by how much it leads.
type heavy struct {
	one  cell
	lead uint64
}

func (s *heavy) add(t *types.Type, v column.Vector, i int, by uint64) {
	switch {
	case s.one.v != nil && compareFields(s.one.v, 0, v, i) == 0:
		s.lead += by
	case s.one.v == nil || s.lead < by:
		s.one.set(t, v, i)
		s.lead = by - s.lead
	default:
		s.lead -= by
	}
}

func resolveHeavy(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
	t := args[0]
	return &fold[heavy]{
		result: t,
		add: func(s *foldStates[heavy], groups []uint32, args []column.Vector, n int) error {
			for i := range n {
				s.s[groups[i]].add(t, args[0], i, 1)
			}
			return nil
		},
		merge: func(_ *foldStates[heavy], a, b *heavy) {
			if b.one.v != nil {
				a.add(t, b.one.v, 0, b.lead)
			}
		},
		save: func(dst []byte, s *heavy) []byte {
			if s.one.v == nil {
				return append(dst, 0)
			}
			return appendValue(appendU64(append(dst, 1), s.lead), s.one.v, 0)
		},
		load: func(s *heavy, r *reader) error {
			if r.u8() == 1 {
				lead, one := r.u64(), column.New(t, 1)
				if readValue(one, r); !r.bad {
					s.one.set(t, one, 0)
					s.lead = lead
				}
			}
			return nil
		},
		finish: func(out column.Builder, s *heavy) error {
			if s.one.v == nil {
				out.AppendDefault()
			} else {
				out.AppendFrom(s.one.v, 0)
			}
			return nil
		},
	}, nil
}
