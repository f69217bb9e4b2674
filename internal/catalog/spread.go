package catalog

import "slices"

// Spread is how the rows of a table find their shards by the hash of their sharding key: the numbers of shards that it has counted, from the first number
// to the present one, which only grows. Of a table that never came to lie on more shards it is one number.
//
// Among the first number of shards a row's is the hash modulo that number. Each later number is a step of a jump hash: a row stays where it is, or goes to
// one of the shards that the step has added, and these get as many rows as the others keep.
type Spread []int

// Shards is how many shards, from the first, rows lie on now.
func (s Spread) Shards() int { return s[len(s)-1] }

// Shard returns the number of the shard, from 1, of the rows whose sharding key has a hash.
func (s Spread) Shard(hash uint64) uint64 { return jump(hash, s[0], s.Shards()) }

// jump is the shard of a hash among n, where the first base shards count modulo.
//
// It is the sequence of jumps of Lamping and Veach ("A Fast, Minimal Memory, Consistent Hash Algorithm", 2014), begun at base shards instead of one:
// the shard stays the same up to a number of shards that is larger than k with probability count/k, and is the last of these then.
func jump(hash uint64, base, n int) uint64 {
	at, count := hash%uint64(base), uint64(base)
	if base == n {
		return at + 1
	}
	key := mixed(hash)
	for {
		key = key*2862933555777941757 + 1
		next := uint64(float64(count) * (float64(1<<31) / float64(key>>33+1)))
		if next >= uint64(n) {
			return at + 1
		}
		at, count = next, next+1
	}
}

// mixed makes the jumps independent of the remainder that a row begins with. It is murmur's finaliser.
func mixed(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// Way is the shards that rows have lain on, one after the other, the present one last.
type Way []uint64

// Ways parts rows, of which the hashes of the sharding keys are given, by the shards that they have lain on; in order of the shards.
func (s Spread) Ways(hashes []uint64) (ways []Way, rows [][]uint32) {
	all := make([]uint32, len(hashes))
	for i := range all {
		all[i] = uint32(i)
	}
	ways, rows = []Way{nil}, [][]uint32{all}
	for _, n := range s {
		var next []Way
		var parts [][]uint32
		for i, w := range ways {
			on := make([][]uint32, n)
			for _, r := range rows[i] {
				at := jump(hashes[r], s[0], n) - 1
				on[at] = append(on[at], r)
			}
			for at, part := range on {
				if len(part) > 0 {
					next, parts = append(next, w.to(uint64(at)+1)), append(parts, part)
				}
			}
		}
		ways, rows = next, parts
	}
	return ways, rows
}

// to is the way and one shard more, if it is another.
func (w Way) to(shard uint64) Way {
	if len(w) > 0 && w[len(w)-1] == shard {
		return w
	}
	return append(slices.Clone(w), shard)
}

// Shard is where the rows are.
func (w Way) Shard() uint64 { return w[len(w)-1] }

// Count returns how many ways can lead to one shard, at most.
func (s Spread) Count() int {
	all, last := s[0], 1 // ways to all shards, and to each of those of the last step
	for i := 1; i < len(s); i++ {
		last = all
		all += last * (s[i] - s[i-1])
	}
	return last
}
