package eval

import (
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/grouping"
	"github.com/olapd/olapd/query/plan"
)

// Sets holds the right sides of the INs of a query. Sets are made while the query is
// compiled, by one goroutine.
type Sets struct {
	env     *function.Env
	collide bool
	kept    *Kept
	all     map[*plan.Set]*Set
}

// NewSets returns an empty collection; see grouping.NewEncoder for collide.
func NewSets(env *function.Env, collide bool) *Sets {
	return &Sets{env: env, collide: collide, all: map[*plan.Set]*Set{}}
}

// Keep has programs that are compiled with the sets count what they keep.
func (s *Sets) Keep(k *Kept) { s.kept = k }

// Get returns the set of ps: filled if its rows are constant, else to be filled with Add.
func (s *Sets) Get(ps *plan.Set) (*Set, error) {
	if set := s.all[ps]; set != nil {
		return set, nil
	}
	set := &Set{env: s.env}
	for _, t := range ps.Types {
		set.types = append(set.types, t.Inner())
	}
	set.table = grouping.New(set.types, s.collide)
	set.finders.New = func() any { return set.table.Finder() }
	s.all[ps] = set
	if ps.Values != nil {
		if err := set.Add(ps.Values); err != nil {
			return nil, err
		}
		set.Fill()
	}
	return set, nil
}

// Set is the rows an IN looks for. It is filled by one goroutine; lookups, from any number, come after.
type Set struct {
	env     *function.Env
	types   []*types.Type // without Nullable and LowCardinality
	table   *grouping.Table
	hasNull bool // a row of NULL, of a set of one column
	filled  bool
	lookup  lookup // of a set of one column of integers, or nil
	finders sync.Pool
}

// Fill says that all rows were added.
func (s *Set) Fill() {
	s.filled = true
	if len(s.types) == 1 && s.types[0].IsInteger() && s.table.Len() <= maxTable {
		s.lookup = newLookup(s.table.Key(0, 0, s.table.Len()))
	}
}

// Filled reports whether all rows were added.
func (s *Set) Filled() bool { return s.filled }

// Values returns column i of the distinct rows.
func (s *Set) Values(i int) column.Vector { return s.table.Key(i, 0, s.table.Len()) }

// Len is the number of distinct rows.
func (s *Set) Len() int { return s.table.Len() }

// Bytes is the memory held.
func (s *Set) Bytes() int64 { return s.table.Bytes() }

// Growth returns how many bytes adding n rows takes at most, beyond Bytes.
func (s *Set) Growth(n int) int64 { return s.table.Growth(n) }

// Add adds the rows of a block, converted to the set's types; rows that do not convert equal
// nothing and are left out.
func (s *Set) Add(b *column.Block) error {
	cols := make([]column.Vector, len(s.types))
	nulls := make([]uint8, b.N)
	for i, t := range s.types {
		v := b.Cols[i]
		s.hasNull = s.hasNull || len(s.types) == 1 && anyNull(v)
		cast, err := castTo(s.env, v.Type(), t)
		if err != nil {
			return err
		}
		if v, err = applyCast(s.env, cast, v); err != nil {
			return err
		}
		cols[i] = StripNulls(v, nulls, t)
	}
	keep := make([]uint32, 0, b.N)
	for i, isNull := range nulls {
		if isNull == 0 {
			keep = append(keep, uint32(i))
		}
	}
	if len(keep) < b.N {
		for i, c := range cols {
			cols[i] = column.Gather(c, keep)
		}
	}
	return s.table.Insert(cols, make([]uint32, len(keep)))
}

// contains computes an IN node.
func (p *Program) contains(n *node, args []column.Vector, rows int) (column.Vector, error) {
	nulls := make([]uint8, rows) // an argument that does not convert
	var inputNulls []uint8
	cols := make([]column.Vector, len(args))
	for i, a := range args {
		if mayBeNull(a) {
			if inputNulls == nil {
				inputNulls = make([]uint8, rows)
			}
			stripNulls(a, inputNulls)
		}
		v, err := applyCast(p.env, n.cast[i], a)
		if err != nil {
			return nil, err
		}
		cols[i] = StripNulls(v, nulls, n.set.types[i])
	}
	found, err := n.set.find(cols, rows)
	if err != nil {
		return nil, err
	}
	kernel.AndNot(found, found, nulls)
	nullable := n.in.T.IsNullable()
	for i, null := range inputNulls {
		if null != 0 {
			found[i] = 0
			if n.set.hasNull && !nullable {
				found[i] = 1
			}
		}
	}
	if n.in.Not {
		for i, x := range found {
			found[i] = x ^ 1
		}
	}
	if !nullable {
		return column.NewBools(found), nil
	}
	if inputNulls == nil {
		inputNulls = make([]uint8, rows)
	}
	return column.NewNullable(inputNulls, column.NewBools(found)), nil
}

// find returns which rows, whose columns are of the set's types, are in the set.
func (s *Set) find(cols []column.Vector, rows int) ([]uint8, error) {
	mask := make([]uint8, rows)
	if s.lookup != nil && s.lookup.find(mask, cols[0]) {
		return mask, nil
	}
	ids := make([]uint32, rows)
	f := s.finders.Get().(*grouping.Finder)
	err := f.Find(cols, ids)
	s.finders.Put(f)
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		if id != grouping.Missing {
			mask[i] = 1
		}
	}
	return mask, nil
}

// mayBeNull reports whether a vector's form has room for NULL.
func mayBeNull(v column.Vector) bool { return v.Type().Kind == types.Nullable }

// StripNulls ORs v's null flags into nulls and returns what is inside; of the literal NULL, defaults of t.
func StripNulls(v column.Vector, nulls []uint8, t *types.Type) column.Vector {
	v = stripNulls(v, nulls)
	if v.Type().Kind == types.Nothing {
		return column.NewDefaults(t, v.Len())
	}
	return v
}

func anyNull(v column.Vector) bool {
	for i := 0; i < v.Len(); i++ {
		if column.IsNull(v, i) {
			return true
		}
	}
	return false
}

// stripNulls ORs v's null flags into nulls and returns what is inside.
func stripNulls(v column.Vector, nulls []uint8) column.Vector {
	switch n := v.(type) {
	case *column.Nullable:
		for i, x := range n.Nulls {
			nulls[i] |= x
		}
		return n.Inner
	case *column.Const:
		if c, ok := n.Value.(*column.Nullable); ok {
			if c.Nulls[0] != 0 {
				for i := range nulls {
					nulls[i] = 1
				}
			}
			return &column.Const{Value: c.Inner, N: n.N}
		}
	}
	return v
}

// castTo returns the conversion of a declared type to t with NULL for what does not convert, or nil if
// the values are t's already.
func castTo(env *function.Env, from, t *types.Type) (*function.Bound, error) {
	in := from.Inner()
	if in.Equal(t) || in.Kind == types.Nothing || in.Kind == t.Kind && in.Kind == types.DateTime {
		return nil, nil
	}
	name := column.NewStrings(t.String())
	return function.Bind(env, "accurateCastOrNull", []function.Arg{{Type: from}, {Type: types.TString, Const: name}})
}

func applyCast(env *function.Env, cast *function.Bound, v column.Vector) (column.Vector, error) {
	if cast == nil {
		return v, nil
	}
	name := column.NewStrings(cast.Result.Inner().String())
	return cast.Call(env, []column.Vector{v, &column.Const{Value: name, N: v.Len()}}, nil, v.Len())
}
