package function

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"math/bits"
	"unsafe"

	"github.com/go-faster/city"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/zeebo/xxh3"
)

func init() {
	registerAggregates(
		&AggregateFamily{Name: "uniqExact", MinArgs: 1, MaxArgs: -1, Resolve: resolveUniqExact,
			Doc: "Counts the distinct values exactly.", Example: "uniqExact(x) → 3"},
		&AggregateFamily{Name: "uniq", MinArgs: 1, MaxArgs: -1, Resolve: resolveUniq,
			Doc: "Counts the distinct values approximately, by an adaptive sample of hashes.", Example: "uniq(x) → 3"},
		&AggregateFamily{Name: "uniqCombined", MinArgs: 1, MaxArgs: -1, Parametric: true, EmptyNull: true, Resolve: resolveCombined("uniqCombined"),
			Doc: "Counts the distinct values approximately: exactly while few, then by HyperLogLog.", Example: "uniqCombined(x) → 3"},
		&AggregateFamily{Name: "uniqCombined64", MinArgs: 1, MaxArgs: -1, Parametric: true, EmptyNull: true, Resolve: resolveCombined("uniqCombined64"),
			Doc: "Counts the distinct values approximately with a 64-bit hash.", Example: "uniqCombined64(x) → 3"},
		&AggregateFamily{Name: "uniqHLL12", MinArgs: 1, MaxArgs: -1, Resolve: resolveHLL12,
			Doc: "Counts the distinct values approximately by HyperLogLog with 2^12 cells.", Example: "uniqHLL12(x) → 3"},
	)
}

// setKey is what a set holds.
type setKey interface{ uint32 | uint64 | types.U128 }

// set is an open-addressing set of keys, linear probing, at most three quarters full.
// The zero key is kept aside, so that an empty slot needs no mark.
type set[K setKey] struct {
	slots []K
	n     int // keys in slots
	zero  bool
}

func (s *set[K]) len() int {
	if s.zero {
		return s.n + 1
	}
	return s.n
}

// minSet is the slots of the first allocation: groups with few values are the common case.
const minSet = 4

// insert adds a key with its hash (whose low bits are good), and returns the bytes the set grew by.
func (s *set[K]) insert(k K, hash func(K) uint64) int64 {
	var none K
	if k == none {
		s.zero = true
		return 0
	}
	grown := int64(0)
	if 4*(s.n+1) > 3*len(s.slots) {
		grown = s.grow(max(minSet, 2*len(s.slots)), hash)
	}
	mask := uint64(len(s.slots) - 1)
	for i := hash(k) & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case none:
			s.slots[i] = k
			s.n++
			return grown
		case k:
			return grown
		}
	}
}

// reserve makes room for n more keys, and must be called before keys come in the order of another set's slots: while the table is smaller than
// theirs they would crowd in a part of it, and each would be looked for all the way behind the others.
func (s *set[K]) reserve(n int, hash func(K) uint64) {
	slots := max(minSet, len(s.slots))
	for 4*(s.n+n+1) > 3*slots {
		slots *= 2
	}
	if slots > len(s.slots) {
		s.grow(slots, hash)
	}
}

// grow moves the keys to so many slots.
func (s *set[K]) grow(slots int, hash func(K) uint64) int64 {
	old := s.slots
	s.slots = make([]K, slots)
	var none K
	mask := uint64(len(s.slots) - 1)
	for _, k := range old {
		if k == none {
			continue
		}
		i := hash(k) & mask
		for s.slots[i] != none {
			i = (i + 1) & mask
		}
		s.slots[i] = k
	}
	return int64(len(s.slots)-len(old)) * 8
}

func (s *set[K]) each(f func(K)) {
	var none K
	if s.zero {
		f(none)
	}
	for _, k := range s.slots {
		if k != none {
			f(k)
		}
	}
}

func mixU128(k types.U128) uint64 { return k.Lo ^ k.Hi }

// CountsDistinct reports whether fn is uniqExact: it counts the distinct rows of its arguments, those with a NULL left out.
func CountsDistinct(fn Aggregate) bool {
	if skip, ok := fn.(*nullSkip); ok {
		fn = skip.inner
	}
	switch f := fn.(type) {
	case *fold[set[uint64]]:
		return f.unique
	case *fold[set[types.U128]]:
		return f.unique
	}
	return false
}

func resolveUniqExact(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
	if w := args[0].Width(); len(args) == 1 && w > 0 && w <= 8 && args[0].Phys() != types.PBytes {
		return &fold[set[uint64]]{
			result: types.TUInt64,
			once:   true,
			unique: true,
			add: func(s *foldStates[set[uint64]], groups []uint32, args []column.Vector, _ int) error {
				for i, x := range toBits(args[0]) {
					s.extra += s.s[groups[i]].insert(x, column.Mix)
				}
				return nil
			},
			merge:  mergeSets[uint64](column.Mix),
			save:   func(dst []byte, s *set[uint64]) []byte { return saveSet(dst, s, appendU64) },
			load:   loadSet(8, column.Mix, (*reader).u64),
			finish: func(out column.Builder, s *set[uint64]) error { push(out, uint64(s.len())); return nil },
		}, nil
	}
	return &fold[set[types.U128]]{
		result: types.TUInt64,
		once:   true,
		unique: true,
		dict:   true,
		add: func(s *foldStates[set[types.U128]], groups []uint32, args []column.Vector, n int) error {
			for i, h := range keys128(s, args, n) {
				s.extra += 2 * s.s[groups[i]].insert(h, mixU128)
			}
			return nil
		},
		merge: mergeSets(mixU128),
		save: func(dst []byte, s *set[types.U128]) []byte {
			return saveSet(dst, s, func(b []byte, k types.U128) []byte { return appendU64(appendU64(b, k.Lo), k.Hi) })
		},
		load: loadSet(16, mixU128, func(r *reader) types.U128 { lo := r.u64(); return types.U128{Lo: lo, Hi: r.u64()} }),
		finish: func(out column.Builder, s *set[types.U128]) error {
			push(out, uint64(s.len()))
			return nil
		},
	}, nil
}

func mergeSets[K setKey](hash func(K) uint64) func(*foldStates[set[K]], *set[K], *set[K]) {
	return func(s *foldStates[set[K]], a, b *set[K]) {
		before := len(a.slots)
		if a.len() < b.len() {
			*a, *b = *b, *a
		}
		a.reserve(b.n, hash)
		b.each(func(k K) { a.insert(k, hash) })
		var one K
		s.extra += int64(len(a.slots)-before) * int64(unsafe.Sizeof(one))
	}
}

func saveSet[K setKey](dst []byte, s *set[K], one func([]byte, K) []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(s.len()))
	s.each(func(k K) { dst = one(dst, k) })
	return dst
}

func loadSet[K setKey](size int, hash func(K) uint64, one func(*reader) K) func(*set[K], *reader) error {
	return func(s *set[K], r *reader) error {
		n := r.count(size)
		s.reserve(n, hash)
		for ; n > 0; n-- {
			s.insert(one(r), hash)
		}
		return nil
	}
}

// toBits widens a flat vector of values of at most 8 bytes to 64 bits, sign-extended as
// ClickHouse hashes them; floats are their bits, so that -0 and 0 are two values, as there.
func toBits(v column.Vector) []uint64 {
	switch v := v.(type) {
	case *column.Num[uint8]:
		return widen(v.Data)
	case *column.Num[uint16]:
		return widen(v.Data)
	case *column.Num[uint32]:
		return widen(v.Data)
	case *column.Num[uint64]:
		return v.Data
	case *column.Num[int8]:
		return widen(v.Data)
	case *column.Num[int16]:
		return widen(v.Data)
	case *column.Num[int32]:
		return widen(v.Data)
	case *column.Num[int64]:
		return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(v.Data))), len(v.Data))
	case *column.Num[float32]:
		out := make([]uint64, len(v.Data))
		for i, x := range v.Data {
			out[i] = uint64(math.Float32bits(x))
		}
		return out
	case *column.Num[float64]:
		out := make([]uint64, len(v.Data))
		for i, x := range v.Data {
			out[i] = math.Float64bits(x)
		}
		return out
	}
	return nil
}

func widen[T uint8 | uint16 | uint32 | int8 | int16 | int32](data []T) []uint64 {
	out := make([]uint64, len(data))
	for i, x := range data {
		out[i] = uint64(x)
	}
	return out
}

// hashes128 is a 128-bit hash of each row's values: identity by it is as good as exact.
func hashes128(args []column.Vector, n int) []types.U128 {
	out := make([]types.U128, n)
	if v, ok := args[0].(*column.Str); ok && len(args) == 1 {
		for i := range out {
			h := xxh3.Hash128(v.At(i))
			out[i] = types.U128{Lo: h.Lo, Hi: h.Hi}
		}
		return out
	}
	var buf []byte
	for i := range out {
		buf = buf[:0]
		for _, a := range args {
			buf = appendValue(buf, a, i)
		}
		h := xxh3.Hash128(buf)
		out[i] = types.U128{Lo: h.Lo, Hi: h.Hi}
	}
	return out
}

// Limits of ClickHouse's UniquesHashSet: above maxUnique hashes, every second one is dropped by its low bits.
const maxUnique = 1 << 16

// sample is ClickHouse's adaptive sample: the 32-bit hashes that are multiples of 2^skip. Its slots are a set's, filled by loops of its own: a hash
// function handed over is a call a row.
type sample struct {
	set[uint32]
	skip uint8
}

// fastGrowth is the slots up to which a sample grows fourfold: most that are more than a few go on growing, and what was moved twice
// was a quarter of a query's time. At 16 KiB doubling begins.
const fastGrowth = 4096

func mix32(h uint32) uint32 { return h>>15 ^ h }

func (s *sample) good(h uint32) bool { return h == h>>s.skip<<s.skip }

func (s *sample) add(h uint32) int64 {
	if !s.good(h) {
		return 0
	}
	if h == 0 {
		s.zero = true
		return s.limit(0)
	}
	grown := s.reserve(s.n + 1)
	slots := s.slots
	mask := uint32(len(slots) - 1)
	i := mix32(h) & mask
	for slots[i] != 0 {
		if slots[i] == h {
			return grown
		}
		i = (i + 1) & mask
	}
	slots[i] = h
	s.n++
	return s.limit(grown)
}

// limit thins the sample while it is too large, and passes the bytes that it grew by on.
func (s *sample) limit(grown int64) int64 {
	for s.len() > maxUnique {
		s.skip++
		s.thin()
	}
	return grown
}

// place puts in a hash that is not there and for which there is room.
func (s *sample) place(h uint32) {
	mask := uint32(len(s.slots) - 1)
	i := mix32(h) & mask
	for s.slots[i] != 0 {
		i = (i + 1) & mask
	}
	s.slots[i] = h
	s.n++
}

// reserve makes room for n hashes and returns the bytes it took.
func (s *sample) reserve(n int) int64 {
	if 4*n <= 3*len(s.slots) {
		return 0
	}
	return s.grow(n)
}

func (s *sample) grow(n int) int64 {
	size := max(len(s.slots), minSet)
	for 4*n > 3*size {
		if size *= 2; size < fastGrowth {
			size *= 2
		}
	}
	old := s.slots
	s.slots, s.n = make([]uint32, size), 0
	for _, h := range old {
		if h != 0 {
			s.place(h)
		}
	}
	return 4 * int64(size-len(old))
}

// thin drops the hashes that the present skip does not keep.
func (s *sample) thin() {
	old := s.slots
	s.slots, s.n = make([]uint32, len(old)), 0
	for _, h := range old {
		if h != 0 && s.good(h) {
			s.place(h)
		}
	}
}

// merge takes the hashes of b, which is of no use then.
func (s *sample) merge(b *sample) int64 {
	before := len(s.slots)
	if b.skip > s.skip || b.skip == s.skip && len(b.slots) > len(s.slots) {
		*s, *b = *b, *s
	}
	s.reserve((s.n + b.n) * 3 / 4) // some are in both as a rule
	if b.zero {
		s.add(0)
	}
	for _, h := range b.slots {
		if h != 0 {
			s.add(h)
		}
	}
	return 4 * int64(len(s.slots)-before)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// estimate is the cardinality as ClickHouse computes it, the pseudo-random remainder included.
func (s *sample) estimate() uint64 {
	n := uint64(s.len())
	if s.skip == 0 {
		return n
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	crc := uint64(^crc32.Checksum(b[:], castagnoli))
	res := n<<s.skip + crc&(1<<s.skip-1)
	const p32 = 1 << 32
	return uint64(math.Round(p32 * (math.Log(p32) - math.Log(p32-float64(res)))))
}

// hash32 is the hash ClickHouse's uniq thins by: the low half of its intHash64.
func hash32(k uint64) uint32 { return uint32(column.Mix(k)) }

func resolveUniq(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
	return &fold[sample]{
		result: types.TUInt64,
		once:   true,
		dict:   true,
		add: func(s *foldStates[sample], groups []uint32, args []column.Vector, n int) error {
			for i, x := range keys64(s, args, n) {
				s.extra += s.s[groups[i]].add(hash32(x))
			}
			return nil
		},
		merge: func(s *foldStates[sample], a, b *sample) { s.extra += a.merge(b) },
		save: func(dst []byte, s *sample) []byte {
			return saveSet(append(dst, s.skip), &s.set, func(b []byte, h uint32) []byte { return binary.LittleEndian.AppendUint32(b, h) })
		},
		load: func(s *sample, r *reader) error {
			if s.skip = r.u8(); s.skip > 32-17 {
				r.fail()
			}
			for n := r.count(4); n > 0; n-- {
				s.add(uint32(r.uint(4)))
			}
			return nil
		},
		finish: func(out column.Builder, s *sample) error { push(out, s.estimate()); return nil },
	}, nil
}

// keys64 and keys128 are uniqKeys and hashes128, computed once for each entry of a dictionary.
func keys64[S any](s *foldStates[S], args []column.Vector, n int) []uint64 {
	if len(args) == 1 {
		return s.keys64.of(args[0], n, uniqKeys)
	}
	return uniqKeys(args, n)
}

func keys128[S any](s *foldStates[S], args []column.Vector, n int) []types.U128 {
	if len(args) == 1 {
		return s.keys128.of(args[0], n, hashes128)
	}
	return hashes128(args, n)
}

// uniqKeys is the 64-bit key of each row as ClickHouse's uniq takes it: numbers as they
// are, strings by CityHash64, several arguments combined.
func uniqKeys(args []column.Vector, n int) []uint64 {
	if len(args) > 1 {
		return combinedKeys(args, n)
	}
	if b := toBits(args[0]); b != nil {
		return b
	}
	out := make([]uint64, n)
	if v, ok := args[0].(*column.Str); ok {
		for i := range out {
			out[i] = city.CH64(v.At(i))
		}
		return out
	}
	if v, ok := args[0].(*column.Num[types.U128]); ok && v.Typ.Kind == types.UUID {
		for i, x := range v.Data { // as ClickHouse's hash of a UUID, with which numbers of distinct ones agree
			out[i] = x.Lo ^ x.Hi
		}
		return out
	}
	for i, h := range hashes128(args, n) {
		out[i] = h.Lo
	}
	return out
}

func combinedKeys(args []column.Vector, n int) []uint64 {
	out := make([]uint64, n)
	for i, h := range hashes128(args, n) {
		out[i] = h.Lo
	}
	return out
}

// maxExactHLL is how many hashes a HyperLogLog keeps as they are before it turns to cells.
const maxExactHLL = 1 << 12

// hll counts exactly up to maxExactHLL distinct hashes, then by HyperLogLog.
type hll struct {
	few   set[uint64]
	cells []uint8
}

func (h *hll) add(precision int, x uint64) int64 {
	if h.cells != nil {
		h.cell(precision, x)
		return 0
	}
	grown := h.few.insert(x, func(k uint64) uint64 { return k })
	if h.few.len() > maxExactHLL {
		h.cells = make([]uint8, 1<<precision)
		h.few.each(func(k uint64) { h.cell(precision, k) })
		grown += 1<<precision - 8*int64(len(h.few.slots))
		h.few = set[uint64]{}
	}
	return grown
}

func (h *hll) cell(precision int, x uint64) {
	i := x >> (64 - precision)
	rank := uint8(bits.LeadingZeros64(x<<precision|1<<(precision-1))) + 1
	h.cells[i] = max(h.cells[i], rank)
}

func (h *hll) merge(precision int, b *hll) int64 {
	if b.cells == nil {
		grown := int64(0)
		b.few.each(func(k uint64) { grown += h.add(precision, k) })
		return grown
	}
	if h.cells == nil {
		few := h.few
		h.few, h.cells = set[uint64]{}, b.cells
		few.each(func(k uint64) { h.cell(precision, k) })
		return int64(len(h.cells)) - 8*int64(len(few.slots))
	}
	for i, r := range b.cells {
		h.cells[i] = max(h.cells[i], r)
	}
	return 0
}

func (h *hll) estimate() uint64 {
	if h.cells == nil {
		return uint64(h.few.len())
	}
	return estimateCells(h.cells)
}

// The precisions that uniqCombined takes, and the one without a parameter, as in ClickHouse.
const (
	minPrecision     = 12
	maxPrecision     = 20
	defaultPrecision = 17
)

func resolveCombined(name string) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
	return func(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
		precision := uint64(defaultPrecision)
		if len(params) > 0 {
			var err error
			if precision, err = wholeParam(name, params[0]); err != nil {
				return nil, err
			}
		}
		switch {
		case len(params) > 1:
			return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Aggregate function %s requires one parameter or less", name)
		case precision < minPrecision || precision > maxPrecision:
			return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Parameter for aggregate function %s is out of range: [%d, %d]", name, minPrecision, maxPrecision)
		}
		return resolveHLL(int(precision))(nil, nil, args)
	}
}

func resolveHLL(precision int) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
	return func(_ *Env, _ []column.Vector, _ []*types.Type) (Aggregate, error) {
		return &fold[hll]{
			result: types.TUInt64,
			once:   true,
			dict:   true,
			add: func(s *foldStates[hll], groups []uint32, args []column.Vector, n int) error {
				for i, x := range keys64(s, args, n) {
					s.extra += s.s[groups[i]].add(precision, column.Mix(x))
				}
				return nil
			},
			merge: func(s *foldStates[hll], a, b *hll) { s.extra += a.merge(precision, b) },
			save: func(dst []byte, s *hll) []byte {
				if s.cells != nil {
					return append(append(dst, 1), s.cells...)
				}
				return saveSet(append(dst, 0), &s.few, appendU64)
			},
			load: func(s *hll, r *reader) error {
				if r.u8() == 1 {
					if len(r.b) != 1<<precision {
						r.fail()
						return nil
					}
					s.cells, r.b = append([]uint8(nil), r.b...), nil
					return nil
				}
				for n := r.count(8); n > 0; n-- {
					s.add(precision, r.u64())
				}
				return nil
			},
			finish: func(out column.Builder, s *hll) error { push(out, s.estimate()); return nil },
		}, nil
	}
}
