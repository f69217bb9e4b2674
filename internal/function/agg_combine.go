package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// wrapped is an aggregate around another: it changes the rows on their way in.
type wrapped struct {
	Aggregate
	add func(s States, groups []uint32, args []column.Vector, n int) error
}

// New implements Aggregate.
func (w *wrapped) New() States { return &wrappedStates{States: w.Aggregate.New(), add: w.add} }

type wrappedStates struct {
	States
	add func(s States, groups []uint32, args []column.Vector, n int) error
}

// Add implements States.
func (s *wrappedStates) Add(groups []uint32, args []column.Vector, n int) error {
	return s.add(s.States, groups, args, n)
}

// Merge implements States.
func (s *wrappedStates) Merge(groups []uint32, other States, sel []uint32) error {
	return s.States.Merge(groups, other.(*wrappedStates).States, sel)
}

// bindIf: only rows whose last argument is true count.
func bindIf(name string, args []*types.Type, inner func([]*types.Type) (Aggregate, error)) (Aggregate, error) {
	if len(args) == 0 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Aggregate function %s requires at least one argument: the condition", name)
	}
	last := len(args) - 1
	if cond := args[last].WithoutNullable(); cond.Phys() != types.PUInt8 {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of last argument for aggregate function with -If suffix", args[last])
	}
	fn, err := inner(args[:last])
	if err != nil {
		return nil, err
	}
	return &wrapped{Aggregate: fn, add: func(s States, groups []uint32, args []column.Vector, n int) error {
		sel := trueRows(args[last], n)
		if len(sel) == n {
			return s.Add(groups, args[:last], n)
		}
		return addSelected(s, groups, args[:last], sel)
	}}, nil
}

func trueRows(cond column.Vector, n int) []uint32 {
	sel := make([]uint32, 0, n)
	var nulls []uint8
	cond = column.Flatten(cond)
	if v, ok := cond.(*column.Nullable); ok {
		nulls, cond = v.Nulls, v.Inner
	}
	for i, c := range data[uint8](cond) {
		if c != 0 && (nulls == nil || nulls[i] == 0) {
			sel = append(sel, uint32(i))
		}
	}
	return sel
}

func addSelected(s States, groups []uint32, args []column.Vector, sel []uint32) error {
	if len(sel) == 0 {
		if groups == nil {
			s.Grow(1)
		}
		return nil
	}
	kept := make([]column.Vector, len(args))
	for i, a := range args {
		kept[i] = column.Gather(a, sel)
	}
	if groups == nil {
		return s.Add(nil, kept, len(sel))
	}
	to := make([]uint32, len(sel))
	for i, p := range sel {
		to[i] = groups[p]
	}
	return s.Add(to, kept, len(sel))
}

// stateOut yields the states themselves, as a column of AggregateFunction.
type stateOut struct {
	Aggregate
	typ *types.Type
}

// Result implements Aggregate.
func (f *stateOut) Result() *types.Type { return f.typ }

// New implements Aggregate.
func (f *stateOut) New() States { return &stateOutStates{States: f.Aggregate.New(), typ: f.typ} }

type stateOutStates struct {
	States
	typ *types.Type
}

// Merge implements States.
func (s *stateOutStates) Merge(groups []uint32, other States, sel []uint32) error {
	return s.States.Merge(groups, other.(*stateOutStates).States, sel)
}

// Finish implements States.
func (s *stateOutStates) Finish(from, to int) (column.Vector, error) {
	out := column.NewStr(s.typ, to-from)
	s.Save(out, from, to)
	return out, nil
}

func bindState(name string, simple bool, base string, params []column.Vector, args []*types.Type, inner func([]*types.Type) (Aggregate, error)) (Aggregate, error) {
	fn, err := inner(args)
	if err != nil {
		return nil, err
	}
	if simple {
		return &retyped{Aggregate: fn, typ: types.NewSimpleAggregateFunction(base, fn.Result())}, nil
	}
	texts := make([]string, len(params))
	for i, p := range params {
		texts[i] = paramText(p)
	}
	return &stateOut{Aggregate: fn, typ: types.NewAggregateFunction(base, texts, args)}, nil
}

// retyped gives the result another declared type of the same representation.
type retyped struct {
	Aggregate
	typ *types.Type
}

// Result implements Aggregate.
func (f *retyped) Result() *types.Type { return f.typ }

// bindMerge: the argument is a column of states.
func bindMerge(env *Env, name string, keepState bool, base string, args []*types.Type) (Aggregate, error) {
	if len(args) != 1 || args[0].Kind != types.AggregateFunction {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type of argument for aggregate function %s: it must be AggregateFunction(%s, ...)", name, base)
	}
	want, got := LookupAggregate(base), LookupAggregate(args[0].Func)
	if base != args[0].Func && (want == nil || want != got) {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of argument for aggregate function %s", args[0], name)
	}
	fn, err := stateFunction(env, args[0])
	if err != nil {
		return nil, err
	}
	if keepState {
		fn = &stateOut{Aggregate: fn, typ: args[0]}
	}
	return &wrapped{Aggregate: fn, add: func(s States, groups []uint32, args []column.Vector, _ int) error {
		if groups == nil {
			s.Grow(1)
		}
		return s.Load(groups, column.Flatten(args[0]).(*column.Str))
	}}, nil
}

// orEmpty is -OrNull and -OrDefault: what a group without rows yields.
type orEmpty struct {
	inner  Aggregate
	result *types.Type
	null   bool
}

// Result implements Aggregate.
func (f *orEmpty) Result() *types.Type { return f.result }

// New implements Aggregate.
func (f *orEmpty) New() States {
	return &seenStates{States: f.inner.New(), result: f.result, null: f.null}
}

func bindOr(null bool, args []*types.Type, inner func([]*types.Type) (Aggregate, error)) (Aggregate, error) {
	plain := make([]*types.Type, len(args))
	skip := false
	for i, t := range args {
		plain[i] = t.WithoutNullable()
		skip = skip || t.Kind == types.Nullable
	}
	fn, err := inner(plain)
	if err != nil {
		return nil, err
	}
	f := &orEmpty{inner: fn, result: fn.Result(), null: null && fn.Result().CanBeNullable()}
	if f.null {
		f.result = types.NewNullable(fn.Result())
	}
	if !skip {
		return f, nil
	}
	if !null { // over Nullable, NULL is the default, if it is the function's own result of no rows
		over, err := inner(args)
		if err != nil {
			return nil, err
		}
		s := &nullSkip{inner: f, result: f.result, null: over.Result().Kind == types.Nullable}
		if s.null {
			s.result = types.NewNullable(f.result)
		}
		return s, nil
	}
	return &wrapped{Aggregate: f, add: func(s States, groups []uint32, args []column.Vector, n int) error {
		groups, args, n = dropNulls(groups, args, n)
		if n == 0 {
			return nil
		}
		return s.Add(groups, args, n)
	}}, nil
}

// bindArray: each element of the arrays counts as a row.
func bindArray(name string, args []*types.Type, inner func([]*types.Type) (Aggregate, error)) (Aggregate, error) {
	elems, err := elementTypes(name, args)
	if err != nil {
		return nil, err
	}
	fn, err := inner(elems)
	if err != nil {
		return nil, err
	}
	return &wrapped{Aggregate: fn, add: func(s States, groups []uint32, args []column.Vector, n int) error {
		off, flat, err := unnest(args, n)
		if err != nil {
			return err
		}
		total := flat[0].Len()
		if groups == nil {
			s.Grow(1)
			return s.Add(nil, flat, total)
		}
		to := make([]uint32, 0, total)
		for i := 0; i < n; i++ {
			for j := off[i]; j < off[i+1]; j++ {
				to = append(to, groups[i])
			}
		}
		return s.Add(to, flat, total)
	}}, nil
}

func elementTypes(name string, args []*types.Type) ([]*types.Type, error) {
	if len(args) == 0 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Aggregate function %s requires at least one argument", name)
	}
	elems := make([]*types.Type, len(args))
	for i, t := range args {
		if t.Kind != types.Array {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of argument for aggregate function %s: must be array", t, name)
		}
		elems[i] = t.Elem().WithoutLowCardinality()
	}
	return elems, nil
}

// unnest returns the offsets and the elements of equally shaped arrays.
func unnest(args []column.Vector, n int) ([]uint32, []column.Vector, error) {
	var off []uint32
	flat := make([]column.Vector, len(args))
	for i, a := range args {
		v := column.Flatten(a).(*column.Array)
		if off == nil {
			off = v.Off
		}
		for j := 0; j <= n; j++ {
			if v.Off[j]-v.Off[0] != off[j]-off[0] {
				return nil, nil, sqlerr.New(sqlerr.SizesOfArraysDontMatch, "All arrays passed to aggregate functions must have equal sizes")
			}
		}
		flat[i] = v.Elem.Slice(int(v.Off[0]), int(v.Off[n]))
	}
	return off, flat, nil
}
