package grouping

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/zeebo/xxh3"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// interner numbers the distinct values of one column, for all goroutines of a query: equal values get equal
// numbers, whichever worker meets them in whatever form. Numbers below limit are given, not without gaps.
//
// If the first values come as a large part of a dictionary, it becomes the base: its codes are the numbers, and nothing is
// hashed or looked up until values come in another form. All others are kept in hash tables, by reference into
// their dictionary or copied:
//
//	number < entries of the base:   that entry
//	else, less the base's entries:  position << shardBits | shard
type interner struct {
	typ       *types.Type
	collide   bool
	shardBits int

	started atomic.Bool // whether there is a base is decided
	base    atomic.Pointer[column.Dict]
	indexed sync.Once // the base's values are in the shards
	limit   atomic.Uint32
	shards  []shard
	sources atomic.Pointer[[]*column.Str] // dictionaries that spans refer to

	plain struct{ rows, fresh, bytes atomic.Int64 } // of vectors that are no dictionary: the last of those kept

	mu struct {
		sync.Mutex
		codes map[column.Vector][]uint32 // dictionary → code → number+1, 0 where unknown; the elements are atomic
		bytes int64                      // of these
	}
	// rep holds each distinct value of a type that is not a byte string, by number: there is one shard, which holds
	// the values serialised.
	rep column.Builder
}

// Bounds of an interner.
const (
	// internShardBits: with 16 shards the workers of a large machine seldom wait for each other.
	internShardBits = 4
	// entriesPerRow is how many times larger than the rows at hand a dictionary may be to become the base, or for its codes
	// to be remembered: a scan whose filter leaves one row in 256 reads the values one by one.
	entriesPerRow = 256
	// dictLimit is how many dictionaries' codes are remembered: about the segments that the workers alternate between.
	dictLimit = 64
	// maxSources is how many dictionaries and vectors are kept alive by reference; values of further ones are copied.
	maxSources = 1024
	// maxNumber bounds the numbers: Missing and absent are beyond.
	maxNumber = math.MaxUint32 / 2
)

func newInterner(t *types.Type, collide bool) *interner {
	in := &interner{typ: t, collide: collide, shardBits: internShardBits}
	if t.Phys() != types.PBytes {
		in.shardBits, in.rep = 0, column.New(t, 0)
	}
	in.shards = make([]shard, 1<<in.shardBits)
	in.sources.Store(&[]*column.Str{})
	return in
}

// isBase reports whether a dictionary is the base, making it that if it is the first and large part of it is used.
func (in *interner) isBase(d *column.Dict, insert bool) bool {
	if b := in.base.Load(); b != nil {
		return b.Values == d.Values
	}
	if !insert || in.started.Load() {
		return false
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if b := in.base.Load(); b != nil || in.started.Load() {
		return b != nil && b.Values == d.Values
	}
	_, isText := d.Values.(*column.Str)
	if isText && d.Unique && d.Values.Len() <= entriesPerRow*len(d.Codes) {
		in.base.Store(d.With(nil))
		in.limit.Store(uint32(d.Values.Len()))
	}
	in.started.Store(true)
	return in.base.Load() != nil
}

// baseLen is the number of the base's entries.
func (in *interner) baseLen() uint32 {
	if b := in.base.Load(); b != nil {
		return uint32(b.Values.Len())
	}
	return 0
}

// index puts the base's values into the shards, once values come in another form.
func (in *interner) index() {
	in.indexed.Do(func() {
		b := in.base.Load()
		if b == nil {
			return
		}
		values := b.Values.(*column.Str)
		hashes := b.Hashes
		if hashes == nil || in.collide {
			hashes = make([]uint64, values.Len())
			for i := range hashes {
				hashes[i] = in.hash(values.At(i))
			}
		}
		for i, h := range hashes {
			s := &in.shards[in.shardOf(h)]
			s.mu.Lock()
			s.reserve()
			s.put(h, uint32(i))
			s.mu.Unlock()
		}
	})
}

func (in *interner) hash(value []byte) uint64 {
	if in.collide {
		return 0
	}
	return xxh3.Hash(value)
}

func (in *interner) shardOf(h uint64) int {
	return int(h >> (64 - internShardBits) & (1<<in.shardBits - 1))
}

// bytesOf returns the value of a number that has one. Its shard is locked, or nobody inserts.
func (in *interner) bytesOf(number uint32) []byte {
	n := in.baseLen()
	if number < n {
		return in.base.Load().Values.(*column.Str).At(int(number))
	}
	number -= n
	s := &in.shards[number&(1<<in.shardBits-1)]
	return in.spanBytes(s, s.spans.at(number>>in.shardBits))
}

// source registers a dictionary that values may be referred to in; 0 if there are too many.
func (in *interner) source(values *column.Str) uint32 {
	for i, s := range *in.sources.Load() {
		if s == values {
			return uint32(i) + 1
		}
	}
	return in.register(values)
}

// register adds values, perhaps a second time, to the sources.
func (in *interner) register(values *column.Str) uint32 {
	in.mu.Lock()
	defer in.mu.Unlock()
	old := *in.sources.Load()
	if len(old) >= maxSources {
		return 0
	}
	grown := append(old[:len(old):len(old)], values)
	in.sources.Store(&grown)
	return uint32(len(grown))
}

// raise makes limit cover a number.
func (in *interner) raise(number uint32) {
	for {
		old := in.limit.Load()
		if number < old || in.limit.CompareAndSwap(old, number+1) {
			return
		}
	}
}

// bytes is the memory held; dictionaries referred to belong to others.
func (in *interner) bytes() int64 {
	in.mu.Lock()
	n := in.mu.bytes + in.plain.bytes.Load()
	in.mu.Unlock()
	for i := range in.shards {
		s := &in.shards[i]
		s.mu.Lock()
		n += s.bytes()
		s.mu.Unlock()
	}
	if in.rep != nil {
		n *= 2 // the representatives are about as large as their serialised form
	}
	return n
}

// fewRows is up to how many rows values copies strings rather than refer to a dictionary, which later steps would work through.
const fewRows = 1024

// values returns the values of the numbers, which it takes over. Nobody inserts meanwhile. A number never given, which stands
// beside NULL, yields any value.
func (in *interner) values(numbers []uint32) column.Vector {
	if in.rep != nil {
		if in.rep.Len() == 0 {
			return column.Flatten(column.NewDefaults(in.typ, len(numbers)))
		}
		return column.Gather(in.rep, numbers)
	}
	n := in.baseLen()
	if b := in.base.Load(); b != nil && in.limit.Load() == n {
		if len(numbers) > fewRows {
			return b.With(numbers)
		}
		return column.Gather(b.Values, numbers)
	}
	out := column.NewStr(in.typ, len(numbers))
	none := make([]byte, in.typ.Width())
	for _, x := range numbers {
		v := none
		if x < n || int((x-n)>>in.shardBits) < in.shards[(x-n)&(1<<in.shardBits-1)].spans.n {
			v = in.bytesOf(x)
		}
		out.Append(v)
	}
	return out
}
