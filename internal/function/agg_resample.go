package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// maxResample is the most ranges that -Resample makes: a state each and group, as in ClickHouse.
const maxResample = 1 << 20

// resample is the -Resample combinator: rows are told apart by the range that the last argument falls into; the result is an array.
type resample struct {
	inner Aggregate
	ranges
}

// ranges are equal ranges from a start to before an end.
type ranges struct {
	start, end, step int64
	n                int
}

func bindResample(name string, params []column.Vector, args []*types.Type, inner func(params []column.Vector, args []*types.Type) (Aggregate, error)) (Aggregate, error) {
	if len(params) < 3 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Incorrect number of parameters for aggregate function %s: at least three, start, end and step", name)
	}
	if len(args) == 0 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Incorrect number of arguments for aggregate function with -Resample suffix")
	}
	last := len(args) - 1
	if t := args[last]; !isPlainInt(t) && t.Kind != types.Date && t.Kind != types.DateTime {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal types of argument %s for aggregate function %s, the type should be native integer or integer-like", t, name)
	}
	own := params[len(params)-3:]
	var bounds [3]int64
	for i, p := range own {
		if !p.Type().IsInteger() {
			return nil, sqlerr.New(sqlerr.BadArguments, "Parameters start, end and step of aggregate function %s must be integers", name)
		}
		bounds[i] = numsOf[int64](p)[0]
	}
	r := ranges{start: bounds[0], end: bounds[1], step: bounds[2]}
	if r.step <= 0 {
		return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Step can not be zero or less")
	}
	if r.end > r.start {
		n := (uint64(r.end-r.start) + uint64(r.step) - 1) / uint64(r.step)
		if n > maxResample {
			return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Range given in function contains too many elements")
		}
		r.n = int(n)
	}
	fn, err := inner(params[:len(params)-3], args[:last])
	if err != nil {
		return nil, err
	}
	return &resample{inner: fn, ranges: r}, nil
}

// Result implements Aggregate.
func (f *resample) Result() *types.Type { return types.NewArray(f.inner.Result()) }

// New implements Aggregate.
func (f *resample) New() States { return &resampleStates{f: f, states: f.inner.New()} }

// resampleStates holds the states of a group side by side, one for each range.
type resampleStates struct {
	f      *resample
	n      int
	states States
}

// Len implements States.
func (s *resampleStates) Len() int { return s.n }

// Grow implements States.
func (s *resampleStates) Grow(n int) {
	if n > s.n {
		s.n = n
		s.states.Grow(n * s.f.n)
	}
}

// Bytes implements States.
func (s *resampleStates) Bytes() int64 { return s.states.Bytes() }

// Add implements States.
func (s *resampleStates) Add(groups []uint32, args []column.Vector, n int) error {
	s.Grow(1)
	last := len(args) - 1
	var sel, to []uint32
	for i, key := range spread(numsOf[int64](args[last]), n) {
		if key < s.f.start || key >= s.f.end {
			continue
		}
		g := uint32(0)
		if groups != nil {
			g = groups[i]
		}
		sel = append(sel, uint32(i))
		to = append(to, g*uint32(s.f.n)+uint32((key-s.f.start)/s.f.step))
	}
	if len(sel) == 0 {
		return nil
	}
	kept := make([]column.Vector, last)
	for i, a := range args[:last] {
		kept[i] = column.Gather(a, sel)
	}
	return s.states.Add(to, kept, len(sel))
}

// Merge implements States.
func (s *resampleStates) Merge(groups []uint32, other States, sel []uint32) error {
	o := other.(*resampleStates)
	var to, from []uint32
	for i := range mergeLen(sel, o.n) {
		g, target := mergePair(groups, sel, i)
		for k := range uint32(s.f.n) {
			from, to = append(from, g*uint32(s.f.n)+k), append(to, target*uint32(s.f.n)+k)
		}
	}
	return s.states.Merge(to, o.states, from)
}

// Save implements States.
func (s *resampleStates) Save(dst *column.Str, from, to int) {
	one := column.NewStr(types.TString, 1)
	for g := from; g < to; g++ {
		for k := g * s.f.n; k < (g+1)*s.f.n; k++ {
			one.Truncate(0)
			s.states.Save(one, k, k+1)
			dst.Data = appendBytes(dst.Data, one.At(0))
		}
		dst.EndValue()
	}
}

// Load implements States.
func (s *resampleStates) Load(groups []uint32, src *column.Str) error {
	saved := column.NewStr(types.TString, 0)
	var to []uint32
	for i := range src.Len() {
		g := uint32(0)
		if groups != nil {
			g = groups[i]
		}
		r := &reader{b: src.At(i)}
		for k := range uint32(s.f.n) {
			saved.Append(r.bytes())
			to = append(to, g*uint32(s.f.n)+k)
		}
		if err := r.end(); err != nil {
			return err
		}
	}
	return s.states.Load(to, saved)
}

// Finish implements States.
func (s *resampleStates) Finish(from, to int) (column.Vector, error) {
	vals, err := s.states.Finish(from*s.f.n, to*s.f.n)
	if err != nil {
		return nil, err
	}
	out := &column.Array{Typ: s.f.Result(), Off: make([]uint32, 1, to-from+1), Elem: column.Flatten(vals)}
	for i := 1; i <= to-from; i++ {
		out.Off = append(out.Off, uint32(i*s.f.n))
	}
	return out, nil
}
