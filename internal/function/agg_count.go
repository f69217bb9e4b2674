package function

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	registerAggregates(&AggregateFamily{
		Name: "count", CaseInsensitive: true, MinArgs: 0, MaxArgs: 1, NullArgs: true,
		Resolve: func(_ *Env, _ []column.Vector, _ []*types.Type) (Aggregate, error) { return countAggregate, nil },
		Doc:     "Counts the rows, or the rows where the argument is not NULL.", Example: "count(*) → 3",
	})
}

var countAggregate = &fold[uint64]{
	result: types.TUInt64,
	addAll: func(_ *foldStates[uint64], one *uint64, args []column.Vector, n int) error {
		if len(args) == 1 {
			switch v := args[0].(type) {
			case *column.Nullable:
				n -= kernel.Count(v.Nulls)
			case *column.Const:
				if column.IsNull(v.Value, 0) {
					n = 0
				}
			}
		}
		*one += uint64(n)
		return nil
	},
	add: func(s *foldStates[uint64], groups []uint32, args []column.Vector, n int) error {
		if len(args) == 1 {
			if v, ok := args[0].(*column.Nullable); ok {
				for i, g := range groups {
					s.s[g] += uint64(1 - v.Nulls[i]&1)
				}
				return nil
			}
		}
		if inRuns(groups) {
			countRuns(s.s, groups)
			return nil
		}
		for _, g := range groups {
			s.s[g]++
		}
		return nil
	},
	merge:    func(_ *foldStates[uint64], a, b *uint64) { *a += *b },
	mergeAll: addEach[uint64],
	values:   func(s []uint64) column.Vector { return column.NewNum(types.TUInt64, slices.Clone(s)) },
	plain:    plainSum[uint64](types.TUInt64),
	save:     func(dst []byte, s *uint64) []byte { return appendU64(dst, *s) },
	load:     func(s *uint64, r *reader) error { *s = r.u64(); return nil },
	finish:   func(out column.Builder, s *uint64) error { push(out, *s); return nil },
}

// CountRows is count(): what counts the distinct values of a group once rows are grouped by them too.
func CountRows() Aggregate { return countAggregate }
