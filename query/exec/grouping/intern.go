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
// hashed or looked up. Further such dictionaries join the base (union.go), each of their values looked up once, or never where Unions
// knows the outcome. From the first value on that comes in another form the base is final; that value and all others are kept in
// hash tables, by reference into their dictionary or copied:
//
//	number < values of the base:   that value
//	else, less the base's values:  position << shardBits | shard
type interner struct {
	typ       *types.Type
	collide   bool
	shardBits int
	unions    *Unions

	grow    sync.Mutex  // held while the base changes
	started atomic.Bool // whether there is a base is decided
	frozen  atomic.Bool // the base is final, and in the shards
	base    atomic.Pointer[union]
	indexed atomic.Int32 // parts of the base whose values are in the shards
	unkept  atomic.Int64 // bytes of the base, if Unions does not have it
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
	// entriesPerRow is how many times larger than the rows at hand a dictionary may be to become part of the base, or for its codes
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

// part returns the part of the base that a dictionary is, making it that if large part of it is used and it may be.
func (in *interner) part(st *internState, d *column.Dict, text *column.Str, insert bool) *unionPart {
	if st.part != nil && st.part.text == text {
		return st.part
	}
	u := in.base.Load()
	p := u.part(text)
	switch {
	case p != nil || !insert || in.frozen.Load():
	case !in.started.Load():
		p = in.start(d, text).part(text)
	case u != nil && d.Hashes != nil && usesMuch(d, text):
		p = in.join(d, text)
	}
	if p != nil {
		st.part = p
	}
	return p
}

// usesMuch reports whether it pays to work through a dictionary for the rows at hand.
func usesMuch(d *column.Dict, text *column.Str) bool {
	return d.Unique && text.Len() <= entriesPerRow*len(d.Codes)
}

// start decides on the base when the first values are a dictionary's, and returns it.
func (in *interner) start(d *column.Dict, text *column.Str) *union {
	in.grow.Lock()
	defer in.grow.Unlock()
	if in.started.Load() {
		return in.base.Load()
	}
	u := in.unions.find(text)
	if u == nil && usesMuch(d, text) {
		u = newUnion(d, text)
	}
	if u != nil {
		in.setBase(u)
	}
	in.started.Store(true)
	return u
}

// begin says that values come that are not of the base.
func (in *interner) begin(insert bool) {
	switch u := in.base.Load(); {
	case insert && in.frozen.Load(), !insert && (u == nil || int(in.indexed.Load()) == len(u.parts)):
		return
	}
	in.grow.Lock()
	defer in.grow.Unlock()
	if u := in.base.Load(); u != nil {
		in.catchUp(u)
	}
	if insert {
		in.started.Store(true)
		in.frozen.Store(true)
	}
}

// baseLen is the number of the base's values.
func (in *interner) baseLen() uint32 {
	if u := in.base.Load(); u != nil {
		return u.n
	}
	return 0
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
	if u := in.base.Load(); u != nil {
		if number < u.n {
			return u.at(number)
		}
		number -= u.n
	}
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
	n := in.mu.bytes + in.plain.bytes.Load() + in.unkept.Load()
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
	if u := in.base.Load(); u != nil && in.limit.Load() == n && len(u.parts) == 1 {
		p := u.parts[0]
		if len(numbers) > fewRows {
			return &column.Dict{Codes: numbers, Values: p.text, Unique: true, Hashes: p.hashes, Lasting: p.lasting}
		}
		return column.Gather(p.text, numbers)
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
