package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	registerAggregates(
		bitAggregate("groupBitAnd", "Joins the values bit by bit with AND.", ^uint64(0), func(a, b uint64) uint64 { return a & b }, "BIT_AND"),
		bitAggregate("groupBitOr", "Joins the values bit by bit with OR.", 0, func(a, b uint64) uint64 { return a | b }, "BIT_OR"),
		bitAggregate("groupBitXor", "Joins the values bit by bit with XOR.", 0, func(a, b uint64) uint64 { return a ^ b }, "BIT_XOR"),
	)
}

// bitState holds the joined bits inverted against the operator's start, so that the zero state is the empty one.
type bitState uint64

func bitAggregate(name, doc string, start uint64, op func(a, b uint64) uint64, alias string) *AggregateFamily {
	join := func(s *bitState, x uint64) { *s = bitState(op(uint64(*s)^start, x) ^ start) }
	return &AggregateFamily{Name: name, Aliases: []string{alias}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, EmptyNull: true, Doc: doc, Example: name + "(x) → 1",
		Resolve: func(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
			t := args[0]
			switch {
			case !t.IsInteger():
				return nil, badArg(name, t)
			case t.Kind == types.Bool:
				t = types.TUInt8
			case t.Width() > 8:
				return wideBits(t, start, op), nil
			}
			return &fold[bitState]{
				result: t,
				add: func(s *foldStates[bitState], groups []uint32, args []column.Vector, _ int) error {
					for i, x := range toBits(args[0]) {
						join(&s.s[groups[i]], x)
					}
					return nil
				},
				merge:  func(_ *foldStates[bitState], a, b *bitState) { join(a, uint64(*b)^start) },
				save:   func(dst []byte, s *bitState) []byte { return appendU64(dst, uint64(*s)) },
				load:   func(s *bitState, r *reader) error { *s = bitState(r.u64()); return nil },
				finish: func(out column.Builder, s *bitState) error { pushBits(out, uint64(*s)^start); return nil },
			}, nil
		}}
}

// wideBits joins integers of more than 64 bits, word by word; the state is inverted as bitState is.
func wideBits(t *types.Type, start uint64, op func(a, b uint64) uint64) Aggregate {
	join := func(s *types.I256, x types.I256) {
		for k := range s {
			s[k] = op(s[k]^start, x[k]) ^ start
		}
	}
	bits := func(s *types.I256) (x types.I256) {
		for k := range s {
			x[k] = s[k] ^ start
		}
		return x
	}
	return &fold[types.I256]{
		result: t,
		add:    addI256(join),
		merge:  func(_ *foldStates[types.I256], a, b *types.I256) { join(a, bits(b)) },
		save:   func(dst []byte, s *types.I256) []byte { return appendI256(dst, *s) },
		load:   func(s *types.I256, r *reader) error { *s = readI256(r); return nil },
		finish: func(out column.Builder, s *types.I256) error { pushWide(out, bits(s)); return nil },
	}
}

// pushBits appends the low bits of x as the builder's integer type.
func pushBits(out column.Builder, x uint64) {
	switch v := out.(type) {
	case *column.Num[uint8]:
		v.Data = append(v.Data, uint8(x))
	case *column.Num[uint16]:
		v.Data = append(v.Data, uint16(x))
	case *column.Num[uint32]:
		v.Data = append(v.Data, uint32(x))
	case *column.Num[uint64]:
		v.Data = append(v.Data, x)
	case *column.Num[int8]:
		v.Data = append(v.Data, int8(x))
	case *column.Num[int16]:
		v.Data = append(v.Data, int16(x))
	case *column.Num[int32]:
		v.Data = append(v.Data, int32(x))
	case *column.Num[int64]:
		v.Data = append(v.Data, int64(x))
	}
}
