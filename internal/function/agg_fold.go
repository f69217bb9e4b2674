package function

import (
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// fold is an Aggregate made of functions over states of type S: what differs between
// most aggregates is only these. Only add runs per row, and it gets whole vectors.
type fold[S any] struct {
	result *types.Type
	// add adds n rows of flat arguments; groups is never nil but may be constant zero (see zeroGroups).
	add func(s *foldStates[S], groups []uint32, args []column.Vector, n int) error
	// addAll, where there is one, adds n rows to one state: the loop of queries without GROUP BY. Arguments may be Const or Dict.
	addAll func(s *foldStates[S], one *S, args []column.Vector, n int) error
	// once says that a value counts the same however often it occurs (min, uniq …), so that
	// of a dictionary only new entries need to be added.
	once bool
	// unique says that the result is the exact number of distinct argument rows.
	unique bool
	// dict says that add takes a single argument as a Dict too.
	dict bool
	// merge adds b to a, whose growth it adds to s.extra; b is used up.
	merge func(s *foldStates[S], a, b *S)
	// mergeAll, where there is one, is the loop of merge over groups as States.Merge has them: for states of numbers.
	mergeAll func(dst, src []S, groups, sel []uint32)
	// values, where there is one, is finish of a run of states at once: they are the values of the result.
	values func(s []S) column.Vector
	// plain, where there is one, is states as values of a type: see agg_plain.go.
	plain *plainForm[S]
	// save appends a state's bytes; load decodes them into an empty state.
	save func(dst []byte, s *S) []byte
	load func(s *S, r *reader) error
	// finish appends the result of a state to out.
	finish func(out column.Builder, s *S) error
}

// Result implements Aggregate.
func (f *fold[S]) Result() *types.Type { return f.result }

// New implements Aggregate.
func (f *fold[S]) New() States { return &foldStates[S]{f: f} }

// foldStates is the states of a fold: an array by group.
type foldStates[S any] struct {
	f *fold[S]
	s []S
	// extra is the memory behind the states' pointers.
	extra   int64
	zeros   []uint32
	flat    []column.Vector
	entries entries // where f.once
	added   entryGroups
	keys64  entryKeys[uint64]
	keys128 entryKeys[types.U128]
}

// Len implements States.
func (s *foldStates[S]) Len() int { return len(s.s) }

// Grow implements States.
func (s *foldStates[S]) Grow(n int) {
	if n <= len(s.s) {
		return
	}
	if n > cap(s.s) {
		bigger := make([]S, len(s.s), max(n, 2*cap(s.s)))
		copy(bigger, s.s)
		s.s = bigger
	}
	s.s = s.s[:n]
}

// Reset implements Reusable.
func (s *foldStates[S]) Reset() {
	clear(s.s)
	s.s, s.extra, s.entries, s.added = s.s[:0], 0, entries{}, entryGroups{}
}

// Add implements States.
func (s *foldStates[S]) Add(groups []uint32, args []column.Vector, n int) error {
	if groups == nil {
		s.Grow(1)
		if s.f.once && len(args) == 1 {
			v, m := s.entries.fresh(args[0], n)
			args, n = []column.Vector{v}, m
		}
		if n == 0 {
			return nil
		}
		if s.f.addAll != nil {
			return s.f.addAll(s, &s.s[0], args, n)
		}
		groups = s.zeroGroups(n)
	}
	if s.f.dict && len(args) == 1 {
		if _, ok := args[0].(*column.Dict); ok {
			return s.f.add(s, groups, args, n)
		}
	}
	s.flat = s.flat[:0]
	for _, a := range args {
		s.flat = append(s.flat, column.Flatten(a))
	}
	return s.f.add(s, groups, s.flat, n)
}

// zeroGroups is n times group 0: the loops then need no second form.
func (s *foldStates[S]) zeroGroups(n int) []uint32 {
	if len(s.zeros) < n {
		s.zeros = make([]uint32, n)
	}
	return s.zeros[:n]
}

// Merge implements States.
func (s *foldStates[S]) Merge(groups []uint32, other States, sel []uint32) error {
	o := other.(*foldStates[S])
	if s.f.mergeAll != nil && groups != nil {
		s.f.mergeAll(s.s, o.s, groups, sel)
		return nil
	}
	for i := range mergeLen(sel, len(o.s)) {
		g, to := mergePair(groups, sel, i)
		s.f.merge(s, &s.s[to], &o.s[g])
	}
	return nil
}

// Apart implements Apart: states of numbers have no memory of their own.
func (s *foldStates[S]) Apart() bool { return s.f.mergeAll != nil }

// mergeLen is the number of groups that Merge takes.
func mergeLen(sel []uint32, all int) int {
	if sel != nil {
		return len(sel)
	}
	return all
}

// mergePair is group i of a Merge: where it comes from and where it goes.
func mergePair(groups, sel []uint32, i int) (from, to uint32) {
	from = uint32(i)
	if sel != nil {
		from = sel[i]
	}
	if groups != nil {
		to = groups[i]
	}
	return from, to
}

// addEach is the mergeAll of states that are added.
func addEach[A number](dst, src []A, groups, sel []uint32) {
	if sel == nil {
		for i, g := range groups[:len(src)] {
			dst[g] += src[i]
		}
		return
	}
	for i, g := range groups {
		dst[g] += src[sel[i]]
	}
}

// Save implements States.
func (s *foldStates[S]) Save(dst *column.Str, from, to int) {
	for i := from; i < to; i++ {
		dst.Data = s.f.save(dst.Data, &s.s[i])
		dst.EndValue()
	}
}

// Load implements States.
func (s *foldStates[S]) Load(groups []uint32, src *column.Str) error {
	one, empty, r := new(S), *new(S), &reader{} // once: what functions get a pointer to is on the heap
	for i := 0; i < src.Len(); i++ {
		*one, r.b = empty, src.At(i)
		if err := s.f.load(one, r); err != nil {
			return err
		}
		if err := r.end(); err != nil {
			return err
		}
		g := 0
		if groups != nil {
			g = int(groups[i])
		}
		s.f.merge(s, &s.s[g], one)
	}
	return nil
}

// Finish implements States.
func (s *foldStates[S]) Finish(from, to int) (column.Vector, error) {
	if s.f.values != nil {
		return s.f.values(s.s[from:to]), nil
	}
	out := column.New(s.f.result, to-from)
	for i := from; i < to; i++ {
		if err := s.f.finish(out, &s.s[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Bytes implements States.
func (s *foldStates[S]) Bytes() int64 {
	var one S
	return int64(cap(s.s))*int64(unsafe.Sizeof(one)) + 4*int64(cap(s.zeros)) + s.entries.bytes() + s.added.bytes() + s.keys64.bytes(8) + s.keys128.bytes(16) + s.extra
}

// push appends one number to a result vector.
func push[T column.Elem](out column.Builder, x T) {
	v := out.(*column.Num[T])
	v.Data = append(v.Data, x)
}

// data returns the values of a flat fixed-width vector.
func data[T column.Elem](v column.Vector) []T { return v.(*column.Num[T]).Data }

// reader decodes the bytes of a saved state, which are untrusted: after the first
// failure every read returns zero and end reports it.
type reader struct {
	own int // Dynamics around the value being read
	b   []byte
	bad bool
}

func (r *reader) fail() { r.bad, r.b = true, nil }

func (r *reader) u64() uint64 {
	if len(r.b) < 8 {
		r.fail()
		return 0
	}
	x := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return x
}

func (r *reader) f64() float64 { return math.Float64frombits(r.u64()) }

func (r *reader) u8() uint8 {
	if len(r.b) < 1 {
		r.fail()
		return 0
	}
	x := r.b[0]
	r.b = r.b[1:]
	return x
}

func (r *reader) uvarint() uint64 {
	x, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return x
}

// count reads a number of items of at least size bytes each, so that it is bounded by the input.
func (r *reader) count(size int) int {
	n := r.uvarint()
	if n > uint64(len(r.b)/max(size, 1)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) bytes() []byte {
	n := r.count(1)
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) end() error {
	if r.bad || len(r.b) > 0 {
		return sqlerr.New(sqlerr.IncorrectData, "Bytes are not the state of this aggregate function")
	}
	return nil
}

func appendU64(dst []byte, x uint64) []byte  { return binary.LittleEndian.AppendUint64(dst, x) }
func appendF64(dst []byte, x float64) []byte { return appendU64(dst, math.Float64bits(x)) }

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// badArg is the error of an aggregate that does not take a type.
func badArg(name string, t *types.Type) error {
	return sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of argument for aggregate function %s", t, name)
}
