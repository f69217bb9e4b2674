package function

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// Plain states. Where many groups travel between nodes, the states of sums, counts, averages and extremes do so as columns: whole vectors are copied, where
// bytes (States.Save) cost some calls for each group on both sides. What is stored is always bytes.
//
//	count, sum                       the number, as wide as it is added in
//	avg                              Tuple(sum, UInt64 number of values)
//	min, max, any, anyLast           Tuple(value, UInt8 that is 0 if there was none)
//	over Nullable, -OrNull           Tuple(the state within, UInt8 that is 0 if there were no rows)
//	-If, -Merge                      the state within

// Plain is States that travel as a column too.
type Plain interface {
	States
	// SavePlain returns the states of groups [from, to) as a flat vector of the PlainType, which shares nothing with them.
	SavePlain(from, to int) column.Vector
	// LoadPlain adds state i of v to group groups[i], which is there. A vector of another type is CorruptedData.
	LoadPlain(groups []uint32, v column.Vector) error
}

// PlainType is the type of an aggregate's states as a column, whose States are then Plain; nil: they travel as bytes only.
func PlainType(a Aggregate) *types.Type {
	p, ok := a.(interface{ plainType() *types.Type })
	if !ok {
		return nil
	}
	return p.plainType()
}

// plainForm is how states of type S are a vector of typ; load says false of a vector of another type.
type plainForm[S any] struct {
	typ  *types.Type
	save func(s []S) column.Vector
	load func(s *foldStates[S], groups []uint32, v column.Vector) bool
}

func (f *fold[S]) plainType() *types.Type {
	if f.plain == nil {
		return nil
	}
	return f.plain.typ
}

func (f *nullSkip) plainType() *types.Type { return besideSeen(f.inner) }
func (f *orEmpty) plainType() *types.Type  { return besideSeen(f.inner) }
func (w *wrapped) plainType() *types.Type  { return PlainType(w.Aggregate) }
func (f *retyped) plainType() *types.Type  { return PlainType(f.Aggregate) }

// besideSeen is the plain type of seenStates around the states of an aggregate.
func besideSeen(inner Aggregate) *types.Type {
	t := PlainType(inner)
	if t == nil {
		return nil
	}
	return pairType(t, types.TUInt8)
}

func pairType(a, b *types.Type) *types.Type { return types.NewTuple([]*types.Type{a, b}, nil) }

func pairOf(a, b column.Vector) column.Vector {
	return &column.Tuple{Typ: pairType(a.Type(), b.Type()), Elems: []column.Vector{a, b}, N: a.Len()}
}

// splitPair takes a vector of pairs apart; nil if it is none.
func splitPair(v column.Vector) (first, second column.Vector) {
	t, ok := v.(*column.Tuple)
	if !ok || len(t.Elems) != 2 {
		return nil, nil
	}
	return t.Elems[0], t.Elems[1]
}

func notPlain(v column.Vector) error {
	return sqlerr.New(sqlerr.CorruptedData, "A vector of %s is not of the states of this aggregate function", v.Type())
}

// SavePlain implements Plain.
func (s *foldStates[S]) SavePlain(from, to int) column.Vector { return s.f.plain.save(s.s[from:to]) }

// LoadPlain implements Plain.
func (s *foldStates[S]) LoadPlain(groups []uint32, v column.Vector) error {
	if s.f.plain == nil || !v.Type().Equal(s.f.plain.typ) || !s.f.plain.load(s, groups, v) {
		return notPlain(v)
	}
	return nil
}

// SavePlain implements Plain.
func (s *seenStates) SavePlain(from, to int) column.Vector {
	return pairOf(s.States.(Plain).SavePlain(from, to), column.NewNum(types.TUInt8, slices.Clone(s.seen[from:to])))
}

// LoadPlain implements Plain.
func (s *seenStates) LoadPlain(groups []uint32, v column.Vector) error {
	first, second := splitPair(v)
	seen, ok := second.(*column.Num[uint8])
	inner, isPlain := s.States.(Plain)
	if !ok || !isPlain {
		return notPlain(v)
	}
	for i, b := range seen.Data {
		s.seen[groups[i]] |= b & 1
	}
	return inner.LoadPlain(groups, first)
}

// SavePlain implements Plain.
func (s *wrappedStates) SavePlain(from, to int) column.Vector {
	return s.States.(Plain).SavePlain(from, to)
}

// LoadPlain implements Plain.
func (s *wrappedStates) LoadPlain(groups []uint32, v column.Vector) error {
	inner, ok := s.States.(Plain)
	if !ok {
		return notPlain(v)
	}
	return inner.LoadPlain(groups, v)
}

// plainSum is the form of states that are one number.
func plainSum[A number](t *types.Type) *plainForm[A] {
	return &plainForm[A]{
		typ:  t,
		save: func(s []A) column.Vector { return column.NewNum(t, slices.Clone(s)) },
		load: func(s *foldStates[A], groups []uint32, v column.Vector) bool {
			n, ok := v.(*column.Num[A])
			if ok {
				addEach(s.s, n.Data, groups[:len(n.Data)], nil)
			}
			return ok
		},
	}
}

// plainWide is plainSum of what Go does not add.
func plainWide[S column.Elem](t *types.Type, add func(a, b *S)) *plainForm[S] {
	return &plainForm[S]{
		typ:  t,
		save: func(s []S) column.Vector { return column.NewNum(t, slices.Clone(s)) },
		load: func(s *foldStates[S], groups []uint32, v column.Vector) bool {
			n, ok := v.(*column.Num[S])
			if ok {
				for i := range n.Data {
					add(&s.s[groups[i]], &n.Data[i])
				}
			}
			return ok
		},
	}
}

func plainAverage[A number](t *types.Type) *plainForm[avgState[A]] {
	return &plainForm[avgState[A]]{
		typ: pairType(t, types.TUInt64),
		save: func(s []avgState[A]) column.Vector {
			sums, counts := make([]A, len(s)), make([]uint64, len(s))
			for i := range s {
				sums[i], counts[i] = s[i].sum, s[i].n
			}
			return pairOf(column.NewNum(t, sums), column.NewNum(types.TUInt64, counts))
		},
		load: func(s *foldStates[avgState[A]], groups []uint32, v column.Vector) bool {
			first, second := splitPair(v)
			sums, ok := first.(*column.Num[A])
			counts, ok2 := second.(*column.Num[uint64])
			if !ok || !ok2 {
				return false
			}
			for i, x := range sums.Data {
				a := &s.s[groups[i]]
				a.sum += x
				a.n += counts.Data[i]
			}
			return true
		},
	}
}

func plainPicked[T number](p pick, t *types.Type) *plainForm[picked[T]] {
	return &plainForm[picked[T]]{
		typ: pairType(t, types.TUInt8),
		save: func(s []picked[T]) column.Vector {
			values, has := make([]T, len(s)), make([]uint8, len(s))
			for i := range s {
				if s[i].has {
					values[i], has[i] = s[i].v, 1
				}
			}
			return pairOf(column.NewNum(t, values), column.NewNum(types.TUInt8, has))
		},
		load: func(s *foldStates[picked[T]], groups []uint32, v column.Vector) bool {
			first, second := splitPair(v)
			values, ok := first.(*column.Num[T])
			has, ok2 := second.(*column.Num[uint8])
			if !ok || !ok2 {
				return false
			}
			for i, x := range values.Data {
				if has.Data[i] != 0 {
					s.s[groups[i]].take(p, x)
				}
			}
			return true
		},
	}
}

func plainPickedBytes(p pick, t *types.Type) *plainForm[pickedBytes] {
	return &plainForm[pickedBytes]{
		typ: pairType(t, types.TUInt8),
		save: func(s []pickedBytes) column.Vector {
			values, has := column.NewStr(t, len(s)), make([]uint8, len(s))
			for i := range s {
				if s[i].has {
					values.Append(s[i].v)
					has[i] = 1
				} else {
					values.AppendDefault()
				}
			}
			return pairOf(values, column.NewNum(types.TUInt8, has))
		},
		load: func(s *foldStates[pickedBytes], groups []uint32, v column.Vector) bool {
			first, second := splitPair(v)
			values, ok := first.(*column.Str)
			has, ok2 := second.(*column.Num[uint8])
			if !ok || !ok2 {
				return false
			}
			for i, h := range has.Data {
				if h != 0 {
					s.extra += s.s[groups[i]].take(p, values.At(i))
				}
			}
			return true
		},
	}
}

// typeOf is the type of numbers as Go has them.
func typeOf[A number]() *types.Type {
	switch any(*new(A)).(type) {
	case uint8:
		return types.TUInt8
	case uint16:
		return types.TUInt16
	case uint32:
		return types.TUInt32
	case uint64:
		return types.TUInt64
	case int8:
		return types.TInt8
	case int16:
		return types.TInt16
	case int32:
		return types.TInt32
	case int64:
		return types.TInt64
	case float32:
		return types.TFloat32
	}
	return types.TFloat64
}
