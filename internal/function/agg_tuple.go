package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// tuples is the -Tuple combinator: the function of each element of a tuple.
type tuples struct {
	inner  []Aggregate
	result *types.Type
}

func bindTuple(name string, args []*types.Type, inner func([]*types.Type) (Aggregate, error)) (Aggregate, error) {
	if len(args) == 0 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Aggregate function %s requires at least one argument", name)
	}
	var shape *types.Type
	for _, t := range args {
		if !isTuple(t) || len(t.Elems) == 0 {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of argument for aggregate function %s: must be a tuple", t, name)
		}
		if shape != nil && len(shape.Elems) != len(t.Elems) {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Tuples of different sizes in aggregate function %s", name)
		}
		shape = args[0]
	}
	f := &tuples{}
	results := make([]*types.Type, len(shape.Elems))
	for i := range shape.Elems {
		elems := make([]*types.Type, len(args))
		for k, t := range args {
			elems[k] = t.Elems[i].WithoutLowCardinality()
		}
		fn, err := inner(elems)
		if err != nil {
			return nil, err
		}
		f.inner, results[i] = append(f.inner, fn), fn.Result()
	}
	f.result = types.NewTuple(results, shape.Names)
	return f, nil
}

// Result implements Aggregate.
func (f *tuples) Result() *types.Type { return f.result }

// New implements Aggregate.
func (f *tuples) New() States {
	s := &tupleStates{f: f}
	for _, fn := range f.inner {
		s.elems = append(s.elems, fn.New())
	}
	return s
}

type tupleStates struct {
	f     *tuples
	elems []States
}

// Len implements States.
func (s *tupleStates) Len() int { return s.elems[0].Len() }

// Grow implements States.
func (s *tupleStates) Grow(n int) {
	for _, e := range s.elems {
		e.Grow(n)
	}
}

// Bytes implements States.
func (s *tupleStates) Bytes() int64 {
	n := int64(0)
	for _, e := range s.elems {
		n += e.Bytes()
	}
	return n
}

// Add implements States.
func (s *tupleStates) Add(groups []uint32, args []column.Vector, n int) error {
	flat := make([]*column.Tuple, len(args))
	for k, a := range args {
		flat[k] = column.Flatten(a).(*column.Tuple)
	}
	for i, e := range s.elems {
		of := make([]column.Vector, len(args))
		for k, t := range flat {
			of[k] = t.Elems[i]
		}
		if err := e.Add(groups, of, n); err != nil {
			return err
		}
	}
	return nil
}

// Merge implements States.
func (s *tupleStates) Merge(groups []uint32, other States, sel []uint32) error {
	for i, e := range s.elems {
		if err := e.Merge(groups, other.(*tupleStates).elems[i], sel); err != nil {
			return err
		}
	}
	return nil
}

// Save implements States.
func (s *tupleStates) Save(dst *column.Str, from, to int) {
	one := column.NewStr(types.TString, 1)
	for g := from; g < to; g++ {
		for _, e := range s.elems {
			one.Truncate(0)
			e.Save(one, g, g+1)
			dst.Data = appendBytes(dst.Data, one.At(0))
		}
		dst.EndValue()
	}
}

// Load implements States.
func (s *tupleStates) Load(groups []uint32, src *column.Str) error {
	saved := make([]*column.Str, len(s.elems))
	for i := range saved {
		saved[i] = column.NewStr(types.TString, src.Len())
	}
	for i := range src.Len() {
		r := &reader{b: src.At(i)}
		for k := range saved {
			saved[k].Append(r.bytes())
		}
		if err := r.end(); err != nil {
			return err
		}
	}
	for k, e := range s.elems {
		if err := e.Load(groups, saved[k]); err != nil {
			return err
		}
	}
	return nil
}

// Finish implements States.
func (s *tupleStates) Finish(from, to int) (column.Vector, error) {
	out := &column.Tuple{Typ: s.f.result, N: to - from}
	for _, e := range s.elems {
		v, err := e.Finish(from, to)
		if err != nil {
			return nil, err
		}
		out.Elems = append(out.Elems, column.Flatten(v))
	}
	return out, nil
}
