package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	registerAggregates(
		bitmapAggregate("groupBitmapAnd", "Counts the integers that all bitmaps share.", bitmapAnd),
		bitmapAggregate("groupBitmapOr", "Counts the integers of all bitmaps.", bitmapOr),
		bitmapAggregate("groupBitmapXor", "Counts the integers of an odd number of bitmaps.", bitmapXor),
	)
}

// bitmapState is a set of integers in order; has says that a bitmap was met.
type bitmapState struct {
	list []uint64
	has  bool
}

func bitmapAggregate(name, doc string, op func(a, b []uint64) []uint64) *AggregateFamily {
	join := func(s *bitmapState, list []uint64) int64 {
		before := cap(s.list)
		if !s.has {
			s.list, s.has = list, true
		} else {
			s.list = op(s.list, list)
		}
		return 8 * int64(cap(s.list)-before)
	}
	return &AggregateFamily{Name: name, MinArgs: 1, MaxArgs: 1, Doc: doc, Example: name + "(b) → 3",
		Resolve: func(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
			if !isBitmap(args[0]) {
				return nil, badArg(name, args[0])
			}
			return &fold[bitmapState]{
				result: args[0].Elems[0],
				add: func(s *foldStates[bitmapState], groups []uint32, args []column.Vector, n int) error {
					states := args[0].(*column.Str)
					for i := range n {
						list, err := readBitmap(states.At(i))
						if err != nil {
							return err
						}
						s.extra += join(&s.s[groups[i]], list)
					}
					return nil
				},
				merge: func(s *foldStates[bitmapState], a, b *bitmapState) {
					if b.has {
						s.extra += join(a, b.list)
					}
				},
				save: func(dst []byte, s *bitmapState) []byte {
					one := column.NewStr(types.TString, 1)
					appendBitmap(one, s.list)
					return append(append(dst, b2u(s.has)), one.Data...)
				},
				load: func(s *bitmapState, r *reader) error {
					has := r.u8() == 1
					list, err := readBitmap(r.b)
					r.b = nil
					if has && err == nil {
						s.list, s.has = list, true
					}
					return err
				},
				finish: func(out column.Builder, s *bitmapState) error { pushBits(out, uint64(len(s.list))); return nil },
			}, nil
		}}
}
