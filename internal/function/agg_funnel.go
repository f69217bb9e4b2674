package function

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// maxConditions is how many conditions retention and windowFunnel take, as in ClickHouse.
const maxConditions = 32

func init() {
	registerAggregates(
		&AggregateFamily{Name: "retention", MinArgs: 0, MaxArgs: -1, Resolve: resolveRetention,
			Doc: "Returns whether the first condition was met, and for each other one whether it was met besides.", Example: "retention(a, b) → [1,0]"},
		&AggregateFamily{Name: "windowFunnel", MinArgs: 2, MaxArgs: maxConditions + 1, Parametric: true, EmptyNull: true, Resolve: resolveFunnel,
			Doc: "Returns how many of the conditions were met one after the other inside a window of time.", Example: "windowFunnel(3600)(time, a, b) → 2"},
	)
}

func checkConditions(name string, args []*types.Type) error {
	for _, t := range args {
		if t.Phys() != types.PUInt8 {
			return sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of argument of aggregate function %s, must be UInt8", t, name)
		}
	}
	return nil
}

func resolveRetention(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
	switch {
	case len(args) < 2:
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Not enough event arguments for aggregate function retention")
	case len(args) > maxConditions:
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Too many event arguments for aggregate function retention")
	}
	if err := checkConditions("retention", args); err != nil {
		return nil, err
	}
	width := len(args)
	return &fold[uint32]{
		result: types.NewArray(types.TUInt8),
		add: func(s *foldStates[uint32], groups []uint32, args []column.Vector, _ int) error {
			for bit, a := range args {
				for i, c := range data[uint8](a) {
					if c != 0 {
						s.s[groups[i]] |= 1 << bit
					}
				}
			}
			return nil
		},
		merge: func(_ *foldStates[uint32], a, b *uint32) { *a |= *b },
		save:  func(dst []byte, s *uint32) []byte { return binary.LittleEndian.AppendUint32(dst, *s) },
		load:  func(s *uint32, r *reader) error { *s = uint32(r.uint(4)); return nil },
		finish: func(out column.Builder, s *uint32) error {
			a := out.(*column.Array)
			for bit := range width {
				push(a.Elem.(column.Builder), uint8(*s>>bit&*s&1))
			}
			a.EndValue()
			return nil
		},
	}, nil
}

// funnel is the parameters of a windowFunnel.
type funnel struct {
	window                                uint64
	conditions                            int
	strictOrder, strictOnce, strictlyMore bool
}

func resolveFunnel(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	if len(params) == 0 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Aggregate function windowFunnel requires at least one parameter: <window>, [option, [option, ...]]")
	}
	t := args[0]
	if !(t.IsUnsigned() && t.Width() <= 8) && t.Kind != types.Date && t.Kind != types.DateTime {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of first argument of aggregate function windowFunnel, must be Unsigned Number, Date, DateTime", t)
	}
	if err := checkConditions("windowFunnel", args[1:]); err != nil {
		return nil, err
	}
	f := &funnel{conditions: len(args) - 1}
	var err error
	if f.window, err = wholeParam("windowFunnel", params[0]); err != nil {
		return nil, err
	}
	for _, p := range params[1:] {
		switch mode := column.Value(p, 0); mode {
		case "strict_order":
			f.strictOrder = true
		case "strict_deduplication":
			f.strictOnce = true
		case "strict_increase":
			f.strictlyMore = true
		case "strict_once", "allow_reentry":
			return nil, sqlerr.New(sqlerr.NotImplemented, "windowFunnel with %v is not supported", mode)
		default:
			return nil, sqlerr.New(sqlerr.BadArguments, "Aggregate function windowFunnel doesn't support a parameter: %v", mode)
		}
	}
	return f.aggregate(), nil
}

// event is a condition, from 1, met at a time; 0 is a row that met none.
type event struct {
	at   uint64
	kind uint8
}

type events []event

func (f *funnel) aggregate() Aggregate {
	return &fold[events]{
		result: types.TUInt8,
		add: func(s *foldStates[events], groups []uint32, args []column.Vector, _ int) error {
			for i, at := range toBits(args[0]) {
				e := &s.s[groups[i]]
				before := cap(*e)
				met := false
				for k := len(args) - 1; k > 0; k-- {
					if data[uint8](args[k])[i] != 0 {
						*e, met = append(*e, event{at, uint8(k)}), true
					}
				}
				if f.strictOrder && !met {
					*e = append(*e, event{at, 0})
				}
				s.extra += 16 * int64(cap(*e)-before)
			}
			return nil
		},
		merge: func(s *foldStates[events], a, b *events) {
			before := cap(*a)
			*a = append(*a, *b...)
			s.extra += 16 * int64(cap(*a)-before)
		},
		save: func(dst []byte, s *events) []byte {
			for _, e := range *s {
				dst = append(appendU64(dst, e.at), e.kind)
			}
			return dst
		},
		load: func(s *events, r *reader) error {
			for len(r.b) > 0 {
				e := event{r.u64(), r.u8()}
				if int(e.kind) > f.conditions {
					r.fail()
				}
				*s = append(*s, e)
			}
			return nil
		},
		finish: func(out column.Builder, s *events) error { push(out, f.level(*s)); return nil },
	}
}

// chain is the times of the first and the latest event of a chain of conditions.
type chain struct {
	first, last uint64
	met         bool
}

// level is how many conditions in a row were met.
func (f *funnel) level(list events) uint8 {
	slices.SortStableFunc(list, func(a, b event) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.kind, b.kind)) })
	chains := make([]chain, f.conditions)
	begun := false
	for i, e := range list {
		k := int(e.kind) - 1
		switch {
		case k < 0:
			if begun {
				return reached(chains)
			}
		case k == 0:
			chains[0], begun = chain{e.at, e.at, true}, true
		case f.strictOnce && chains[k].met:
			return list[i-1].kind
		case f.strictOrder && begun && !chains[k-1].met:
			return uint8(slices.IndexFunc(chains, func(c chain) bool { return !c.met }))
		case chains[k-1].met:
			prev := chains[k-1]
			if e.at > prev.first+f.window || f.strictlyMore && prev.last >= e.at {
				continue
			}
			chains[k] = chain{prev.first, e.at, true}
			if k+1 == f.conditions {
				return uint8(f.conditions)
			}
		}
	}
	return reached(chains)
}

func reached(chains []chain) uint8 {
	for k := len(chains); k > 0; k-- {
		if chains[k-1].met {
			return uint8(k)
		}
	}
	return 0
}
