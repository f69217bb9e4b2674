package grouping

import (
	"math/bits"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
)

// union numbers the values of dictionaries: those of the first by their codes, and behind them, dictionary after dictionary, those that no
// earlier one has. Immutable: a longer one has other parts behind the same ones, and the same numbers.
type union struct {
	parts []*unionPart
	n     uint32 // numbers
}

// unionPart is one dictionary of a union.
type unionPart struct {
	text    *column.Str
	hashes  []uint64 // by code; nil if they are not at hand
	lasting bool     // see column.Dict
	numbers []uint32 // by code; nil of the first, whose codes they are
	first   uint32   // number of the first value that no earlier part has
	fresh   []uint32 // codes of those values, ascending; nil of the first: all
}

// maxParts is how many dictionaries a union has at most, which each block looks through.
const maxParts = 256

// newUnion is the union of one dictionary.
func newUnion(d *column.Dict, text *column.Str) *union {
	p := &unionPart{text: text, hashes: d.Hashes, lasting: d.Lasting}
	return &union{parts: []*unionPart{p}, n: uint32(text.Len())}
}

// with is the union and one more dictionary, which has the numbers, hashtable.Missing where no part has the value: those are given now.
func (u *union) with(d *column.Dict, text *column.Str, numbers []uint32, fresh int) *union {
	p := &unionPart{text: text, hashes: d.Hashes, lasting: d.Lasting, numbers: numbers, first: u.n, fresh: make([]uint32, 0, fresh)}
	for code, x := range numbers {
		if x == Missing {
			numbers[code] = u.n + uint32(len(p.fresh))
			p.fresh = append(p.fresh, uint32(code))
		}
	}
	return &union{parts: append(u.parts[:len(u.parts):len(u.parts)], p), n: u.n + uint32(len(p.fresh))}
}

// part returns the part of a dictionary; nil if there is none. A nil union has none.
func (u *union) part(text *column.Str) *unionPart {
	if u == nil {
		return nil
	}
	for _, p := range u.parts {
		if p.text == text {
			return p
		}
	}
	return nil
}

// extends reports whether u begins with the dictionaries of o.
func (u *union) extends(o *union) bool {
	if len(u.parts) < len(o.parts) {
		return false
	}
	for i, p := range o.parts {
		if u.parts[i].text != p.text {
			return false
		}
	}
	return true
}

// lasting reports whether every dictionary outlives the query.
func (u *union) lasting() bool {
	for _, p := range u.parts {
		if !p.lasting {
			return false
		}
	}
	return true
}

// home returns the first part that has the value of a number.
func (u *union) home(number uint32) *unionPart {
	if len(u.parts) == 1 {
		return u.parts[0]
	}
	return u.parts[sort.Search(len(u.parts), func(i int) bool { return u.parts[i].first > number })-1]
}

// code is the code of a number in its home.
func (p *unionPart) code(number uint32) uint32 {
	if p.fresh == nil {
		return number
	}
	return p.fresh[number-p.first]
}

// at returns the value of a number.
func (u *union) at(number uint32) []byte {
	p := u.home(number)
	return p.text.At(int(p.code(number)))
}

// bytes is the memory of a part, its dictionary aside.
func (p *unionPart) bytes() int64 { return 4 * int64(len(p.numbers)+cap(p.fresh)) }

// bytes is the memory of the union, the dictionaries aside.
func (u *union) bytes() int64 {
	n := int64(0)
	for _, p := range u.parts {
		n += p.bytes()
	}
	return n
}

// sharded is positions in the order of the shards of their hashes: those of shard k are order[starts[k]:starts[k+1]], ascending.
type sharded struct {
	order  []uint32
	starts []int
}

func (in *interner) sharded(hashes []uint64) sharded {
	s := sharded{order: make([]uint32, len(hashes)), starts: make([]int, len(in.shards)+1)}
	in.deal(s, hashes)
	return s
}

// deal fills s.
func (in *interner) deal(s sharded, hashes []uint64) {
	clear(s.starts)
	for _, h := range hashes {
		s.starts[in.shardOf(h)+1]++
	}
	for k := range in.shards {
		s.starts[k+1] += s.starts[k]
	}
	var next [1 << internShardBits]int
	copy(next[:], s.starts)
	for i, h := range hashes {
		k := in.shardOf(h)
		s.order[next[k]] = uint32(i)
		next[k]++
	}
}

// overShards calls f for each shard, which it locks, on all processors where there are n values to work through. A panic in f is one in the caller.
func (in *interner) overShards(n int, f func(k int, s *shard)) {
	workers := 1
	if n >= manyValues {
		workers = min(runtime.GOMAXPROCS(0), len(in.shards))
	}
	var (
		next   atomic.Int64
		wait   sync.WaitGroup
		panics = make([]any, workers)
	)
	one := func(k int) {
		s := &in.shards[k]
		s.mu.Lock()
		defer s.mu.Unlock()
		f(k, s)
	}
	work := func(w int) {
		defer func() { panics[w] = recover() }()
		for k := int(next.Add(1)) - 1; k < len(in.shards); k = int(next.Add(1)) - 1 {
			one(k)
		}
	}
	for w := 1; w < workers; w++ {
		wait.Go(func() { work(w) })
	}
	work(0)
	wait.Wait()
	for _, p := range panics {
		if p != nil {
			panic(p)
		}
	}
}

// manyValues is how many values are worth several goroutines: a millisecond's work.
const manyValues = 1 << 14

// join makes a dictionary a part of the base, unless numbers beyond the base may have been given, or it would be too much.
func (in *interner) join(d *column.Dict, text *column.Str) *unionPart {
	in.grow.Lock()
	defer in.grow.Unlock()
	u := in.base.Load()
	if p := u.part(text); p != nil || u == nil || in.frozen.Load() {
		return p
	}
	if kept := in.unions.find(text); kept != nil && kept.extends(u) {
		in.setBase(kept)
		return kept.part(text)
	}
	if len(u.parts) >= maxParts || uint64(u.n)+uint64(text.Len()) >= maxNumber {
		return nil
	}
	in.catchUp(u)
	numbers, fresh := in.numbersOf(d, text)
	u = u.with(d, text, numbers, fresh)
	in.setBase(u)
	if !in.unions.keep(u) {
		in.unkept.Store(u.bytes())
	}
	return u.parts[len(u.parts)-1]
}

// setBase publishes a base that extends the one before. REQUIRES: in.grow.
func (in *interner) setBase(u *union) {
	in.base.Store(u)
	if u.n > 0 {
		in.raise(u.n - 1)
	}
}

// numbersOf looks all values of a dictionary up in the base, whose values are all in the shards. REQUIRES: in.grow; not frozen.
func (in *interner) numbersOf(d *column.Dict, text *column.Str) (numbers []uint32, missing int) {
	hashes := in.hashesOf(d.Hashes, text)
	numbers = make([]uint32, text.Len())
	codes := in.sharded(hashes)
	var absent atomic.Int64
	in.overShards(len(hashes), func(k int, s *shard) {
		l := lookup{text: text, hashes: hashes}
		rows, n := codes.order[codes.starts[k]:codes.starts[k+1]], int64(0)
		for len(rows) > 0 {
			batch := rows[:min(len(rows), probeBatch)]
			in.probe(s, &l, batch, numbers)
			for _, r := range batch {
				if numbers[r] == like {
					numbers[r] = in.find(s, hashes[r], text.At(int(r)))
				}
				if numbers[r] == Missing {
					n++
				}
			}
			rows = rows[len(batch):]
		}
		absent.Add(n)
	})
	return numbers, int(absent.Load())
}

// hashesOf returns the hashes of all values, which may be at hand.
func (in *interner) hashesOf(known []uint64, text *column.Str) []uint64 {
	if known != nil && !in.collide {
		return known
	}
	hashes := make([]uint64, text.Len())
	for i := range hashes {
		hashes[i] = in.hash(text.At(i))
	}
	return hashes
}

// catchUp puts the base's values into the shards, as far as they are not there. REQUIRES: in.grow; u is the base.
func (in *interner) catchUp(u *union) {
	for _, p := range u.parts[in.indexed.Load():] {
		hashes := in.hashesOf(p.hashes, p.text)
		if p.fresh != nil {
			of := make([]uint64, len(p.fresh))
			for i, code := range p.fresh {
				of[i] = hashes[code]
			}
			hashes = of
		}
		values := in.sharded(hashes)
		in.overShards(len(hashes), func(k int, s *shard) {
			rows := values.order[values.starts[k]:values.starts[k+1]]
			s.reserve(len(rows))
			for _, i := range rows {
				s.put(hashes[i], p.first+i)
			}
		})
		in.indexed.Add(1)
	}
}

// slotsFor is how many slots n values need.
func slotsFor(n int) int { return max(minInternSlots, 1<<bits.Len(uint(2*n-1))) }
