package function

import (
	"bytes"
	"cmp"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// pick says which value of a group an aggregate keeps.
type pick uint8

const (
	pickMin pick = iota
	pickMax
	pickFirst
	pickLast
)

func init() {
	one := func(name, doc string, p pick, aliases ...string) *AggregateFamily {
		return &AggregateFamily{Name: name, Aliases: aliases, CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, EmptyNull: true,
			Resolve: func(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
				return resolvePick(name, p, args[0])
			},
			Doc: doc, Example: name + "(x) → 1"}
	}
	registerAggregates(
		one("min", "Returns the least value.", pickMin),
		one("max", "Returns the greatest value.", pickMax),
		one("any", "Returns the first value met.", pickFirst, "any_value", "first_value"),
		one("anyLast", "Returns the last value met.", pickLast, "last_value"),
		&AggregateFamily{Name: "argMin", Aliases: []string{"min_by"}, MinArgs: 2, MaxArgs: 2, EmptyNull: true, Resolve: resolveArg("argMin", pickMin),
			Doc: "Returns the first argument of the row where the second is least.", Example: "argMin(name, x) → a"},
		&AggregateFamily{Name: "argMax", Aliases: []string{"max_by"}, MinArgs: 2, MaxArgs: 2, EmptyNull: true, Resolve: resolveArg("argMax", pickMax),
			Doc: "Returns the first argument of the row where the second is greatest.", Example: "argMax(name, x) → c"},
	)
}

func resolvePick(name string, p pick, t *types.Type) (Aggregate, error) {
	if (p == pickMin || p == pickMax) && !isComparable(t) {
		return nil, badArg(name, t)
	}
	switch t.Phys() {
	case types.PUInt8:
		return pickOf[uint8](p, t), nil
	case types.PUInt16:
		return pickOf[uint16](p, t), nil
	case types.PUInt32:
		return pickOf[uint32](p, t), nil
	case types.PUInt64:
		return pickOf[uint64](p, t), nil
	case types.PInt8:
		return pickOf[int8](p, t), nil
	case types.PInt16:
		return pickOf[int16](p, t), nil
	case types.PInt32:
		return pickOf[int32](p, t), nil
	case types.PInt64:
		return pickOf[int64](p, t), nil
	case types.PFloat32:
		return pickOf[float32](p, t), nil
	case types.PFloat64:
		return pickOf[float64](p, t), nil
	case types.PBytes:
		return pickBytes(p, t), nil
	}
	return pickAny(p, t), nil
}

// picked is the value kept of a group; has is false before the first.
type picked[T number] struct {
	v   T
	has bool
}

func (s *picked[T]) take(p pick, x T) {
	switch {
	case !s.has:
	case p == pickMin && !(x < s.v || s.v != s.v), p == pickMax && !(x > s.v || s.v != s.v), p == pickFirst:
		return
	}
	s.v, s.has = x, true
}

func pickOf[T number](p pick, t *types.Type) Aggregate {
	def := column.New(t, 1)
	def.AppendDefault()
	zero := def.(*column.Num[T]).Data[0]
	return &fold[picked[T]]{
		result: t,
		once:   p != pickLast,
		addAll: func(_ *foldStates[picked[T]], one *picked[T], args []column.Vector, n int) error {
			best, ok := picksOf(p, data[T](column.Flatten(args[0])))
			if ok {
				one.take(p, best)
			}
			return nil
		},
		add: func(s *foldStates[picked[T]], groups []uint32, args []column.Vector, _ int) error {
			values := data[T](args[0])
			switch {
			case p == pickMin:
				for i, x := range values {
					if a := &s.s[groups[i]]; !a.has || x < a.v || a.v != a.v {
						a.v, a.has = x, true
					}
				}
			case p == pickMax:
				for i, x := range values {
					if a := &s.s[groups[i]]; !a.has || x > a.v || a.v != a.v {
						a.v, a.has = x, true
					}
				}
			default:
				for i, x := range values {
					s.s[groups[i]].take(p, x)
				}
			}
			return nil
		},
		merge: func(_ *foldStates[picked[T]], a, b *picked[T]) {
			if b.has {
				a.take(p, b.v)
			}
		},
		plain: plainPicked[T](p, t),
		save: func(dst []byte, s *picked[T]) []byte {
			if !s.has {
				return append(dst, 0)
			}
			return appendNumber(append(dst, 1), s.v)
		},
		load: func(s *picked[T], r *reader) error {
			if s.has = r.u8() == 1; s.has {
				s.v = readNumber[T](r)
			}
			return nil
		},
		finish: func(out column.Builder, s *picked[T]) error {
			if !s.has {
				push(out, zero)
				return nil
			}
			push(out, s.v)
			return nil
		},
	}
}

// picksOf returns the value that an aggregate keeps of some.
func picksOf[T number](p pick, values []T) (best T, ok bool) {
	if len(values) == 0 {
		return best, false
	}
	switch p {
	case pickFirst:
		return values[0], true
	case pickLast:
		return values[len(values)-1], true
	case pickMin:
		if lo, _, ok := intBounds(values); ok {
			return lo, true
		}
		best = values[0]
		for _, x := range values {
			if x < best || best != best {
				best = x
			}
		}
	case pickMax:
		if _, hi, ok := intBounds(values); ok {
			return hi, true
		}
		best = values[0]
		for _, x := range values {
			if x > best || best != best {
				best = x
			}
		}
	}
	return best, true
}

type pickedBytes struct {
	v   []byte
	has bool
}

func (s *pickedBytes) take(p pick, x []byte) int64 {
	switch {
	case !s.has:
	case p == pickMin && bytes.Compare(x, s.v) >= 0, p == pickMax && bytes.Compare(x, s.v) <= 0, p == pickFirst:
		return 0
	}
	before := cap(s.v)
	s.v, s.has = append(s.v[:0], x...), true
	return int64(cap(s.v) - before)
}

func pickBytes(p pick, t *types.Type) Aggregate {
	return &fold[pickedBytes]{
		result: t,
		once:   p != pickLast,
		dict:   true,
		add: func(s *foldStates[pickedBytes], groups []uint32, args []column.Vector, n int) error {
			if d, ok := args[0].(*column.Dict); ok {
				v, codes := d.Values.(*column.Str), d.Codes
				if s.f.once {
					codes, groups = s.added.fresh(d, groups)
				}
				for i, c := range codes {
					s.extra += s.s[groups[i]].take(p, v.At(int(c)))
				}
				return nil
			}
			v := args[0].(*column.Str)
			for i := 0; i < n; i++ {
				s.extra += s.s[groups[i]].take(p, v.At(i))
			}
			return nil
		},
		merge: func(s *foldStates[pickedBytes], a, b *pickedBytes) {
			if b.has {
				s.extra += a.take(p, b.v)
			}
		},
		plain: plainPickedBytes(p, t),
		save: func(dst []byte, s *pickedBytes) []byte {
			if !s.has {
				return append(dst, 0)
			}
			return appendBytes(append(dst, 1), s.v)
		},
		load: func(s *pickedBytes, r *reader) error {
			if s.has = r.u8() == 1; s.has {
				s.v = append([]byte(nil), r.bytes()...)
			}
			if n := t.Width(); s.has && n > 0 && len(s.v) != n {
				r.fail()
			}
			return nil
		},
		finish: func(out column.Builder, s *pickedBytes) error {
			if !s.has {
				out.AppendDefault()
				return nil
			}
			out.(*column.Str).Append(s.v)
			return nil
		},
	}
}

// cell is one value of any type, as a vector of length 1; nil before the first.
type cell struct{ v column.Builder }

// cellBytes is what the vector of a cell takes besides its value.
const cellBytes = 96

// set puts value i of src in, and returns how much memory that took.
func (c *cell) set(t *types.Type, src column.Vector, i int) int64 {
	grown := int64(0)
	if c.v == nil {
		c.v, grown = column.New(t, 1), cellBytes
	} else {
		grown = -c.v.Bytes()
		c.v.Truncate(0)
	}
	c.v.AppendFrom(src, i)
	return grown + c.v.Bytes()
}

// better reports whether value i of src displaces the cell's.
func (c *cell) better(p pick, src column.Vector, i int) bool {
	switch {
	case c.v == nil, p == pickLast:
		return true
	case p == pickMax && (isNaNAt(src, i) || isNaNAt(c.v, 0)):
		return !isNaNAt(src, i)
	case p == pickMin:
		return compareFields(src, i, c.v, 0) < 0
	case p == pickMax:
		return compareFields(src, i, c.v, 0) > 0
	}
	return false
}

// compareFields is column.Compare, but NULL is the least value, as in ClickHouse's aggregates of arrays and tuples.
func compareFields(a column.Vector, i int, b column.Vector, j int) int {
	switch a := a.(type) {
	case *column.Nullable:
		b := b.(*column.Nullable)
		if a.Nulls[i] != 0 || b.Nulls[j] != 0 {
			return int(b.Nulls[j]) - int(a.Nulls[i])
		}
		return compareFields(a.Inner, i, b.Inner, j)
	case *column.Array:
		b := b.(*column.Array)
		n, m := a.Off[i+1]-a.Off[i], b.Off[j+1]-b.Off[j]
		for k := range min(n, m) {
			if c := compareFields(a.Elem, int(a.Off[i]+k), b.Elem, int(b.Off[j]+k)); c != 0 {
				return c
			}
		}
		return cmp.Compare(n, m)
	case *column.Tuple:
		for k, e := range a.Elems {
			if c := compareFields(e, i, b.(*column.Tuple).Elems[k], j); c != 0 {
				return c
			}
		}
		return 0
	}
	return column.Compare(a, i, b, j)
}

// isComparable reports whether min and max take a type: maps too, which do not sort.
func isComparable(t *types.Type) bool { return (t.IsOrdered() || t.Kind == types.Map) && !t.HasUnion() }

// isNaNAt reports whether value i of a flat vector is NaN, which any number displaces.
func isNaNAt(v column.Vector, i int) bool {
	switch v := v.(type) {
	case *column.Num[float64]:
		return v.Data[i] != v.Data[i]
	case *column.Num[float32]:
		return v.Data[i] != v.Data[i]
	}
	return false
}

func (c *cell) save(dst []byte) []byte {
	if c.v == nil {
		return append(dst, 0)
	}
	return appendValue(append(dst, 1), c.v, 0)
}

func (c *cell) load(t *types.Type, r *reader) {
	if r.u8() != 1 {
		return
	}
	b := column.New(t, 1)
	readValue(b, r)
	if !r.bad {
		c.v = b
	}
}

func (c *cell) finish(out column.Builder) {
	if c.v == nil {
		out.AppendDefault()
		return
	}
	out.AppendFrom(c.v, 0)
}

func pickAny(p pick, t *types.Type) Aggregate {
	return &fold[cell]{
		result: t,
		add: func(s *foldStates[cell], groups []uint32, args []column.Vector, n int) error {
			for i := 0; i < n; i++ {
				if c := &s.s[groups[i]]; c.better(p, args[0], i) {
					s.extra += c.set(t, args[0], i)
				}
			}
			return nil
		},
		merge: func(s *foldStates[cell], a, b *cell) {
			if b.v != nil && a.better(p, b.v, 0) {
				s.extra += a.set(t, b.v, 0)
			}
		},
		save:   func(dst []byte, s *cell) []byte { return s.save(dst) },
		load:   func(s *cell, r *reader) error { s.load(t, r); return nil },
		finish: func(out column.Builder, s *cell) error { s.finish(out); return nil },
	}
}

type argCell struct{ arg, key cell }

func resolveArg(name string, p pick) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
	return func(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
		at, kt := args[0], args[1]
		if !isComparable(kt) {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument,
				"Illegal type %s of second argument of aggregate function %s because the values of that data type are not comparable", kt, name)
		}
		return &fold[argCell]{
			result: at,
			add: func(s *foldStates[argCell], groups []uint32, args []column.Vector, n int) error {
				for i := 0; i < n; i++ {
					if c := &s.s[groups[i]]; c.key.better(p, args[1], i) {
						s.extra += c.key.set(kt, args[1], i) + c.arg.set(at, args[0], i)
					}
				}
				return nil
			},
			merge: func(s *foldStates[argCell], a, b *argCell) {
				if b.key.v != nil && a.key.better(p, b.key.v, 0) {
					s.extra += a.key.set(kt, b.key.v, 0) + a.arg.set(at, b.arg.v, 0)
				}
			},
			save: func(dst []byte, s *argCell) []byte { return s.key.save(s.arg.save(dst)) },
			load: func(s *argCell, r *reader) error {
				s.arg.load(at, r)
				s.key.load(kt, r)
				if (s.arg.v == nil) != (s.key.v == nil) {
					r.fail()
				}
				return nil
			},
			finish: func(out column.Builder, s *argCell) error { s.arg.finish(out); return nil },
		}, nil
	}
}
