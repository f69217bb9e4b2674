package function

import (
	"encoding/binary"
	"math/bits"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		hash128("sipHash128", sipHash128, func(a, b [2]uint64) [2]uint64 { return sipHash128(bytes128(a, b)) }),
		hash128("murmurHash3_128", murmur3, func(a, b [2]uint64) [2]uint64 {
			return [2]uint64{cityCombine(a[0], b[0]), cityCombine(a[1], b[1])}
		}),
		hash64("murmurHash2_64", func(b []byte) uint64 { return murmur2x64(b, 0) }, nil, func(a, b uint64) uint64 { return saltedHash64(a) ^ b }),
		hash64("gccMurmurHash", func(b []byte) uint64 { return murmurGCC(b, 0xc70f6907) }, nil, func(a, b uint64) uint64 { return saltedHash64(a) ^ b }),
		hash32Of("murmurHash2_32", func(b []byte) uint32 { return murmur2x32(b, 0) }),
		hash32Of("murmurHash3_32", murmur3x32),
		&Scalar{Name: "javaHash", MinArgs: 1, MaxArgs: 1, Resolve: fixed("javaHash", types.TInt32, isJavaHashed), Eval: evalJavaHash, Family: "hash", Doc: "Returns Java's hashCode of a string or an integer.", Example: "javaHash('abc') → 96354"},
		&Scalar{Name: "hiveHash", MinArgs: 1, MaxArgs: 1, Resolve: fixed("hiveHash", types.TInt32, isText), Eval: evalHiveHash, Family: "hash", Doc: "Returns Hive's hash of a string.", Example: "hiveHash('abc') → 96354"},
		&Scalar{Name: "jumpConsistentHash", MinArgs: 2, MaxArgs: 2, ConstArgs: []int{1}, Resolve: fixed("jumpConsistentHash", types.TInt32, isPlainInt), Eval: evalJumpHash, Family: "hash", Doc: "Spreads hashes over so many buckets, few of which change when there is one more.", Example: "jumpConsistentHash(256, 10) → 3"},
	)
}

// hash128 declares a hash of 128 bits of any number of arguments.
func hash128(name string, f func([]byte) [2]uint64, combine func(a, b [2]uint64) [2]uint64) *Scalar {
	t := types.NewFixedString(16)
	return &Scalar{Name: name, MaxArgs: -1, Family: "hash", Doc: "Hashes its arguments to 128 bits, with ClickHouse's values.",
		Resolve: func(*Env, []Arg) (*types.Type, error) { return t, nil },
		Eval: func(c *Call) (column.Vector, error) {
			h := hasher[[2]uint64]{bytes: f, combine: combine, size: func(n uint64) [2]uint64 { return [2]uint64{saltedHash32(n)} }, null: nullHash}
			out := column.NewStr(t, c.Rows)
			for _, x := range h.rows(c) {
				out.Data = appendU64(appendU64(out.Data, x[0]), x[1])
				out.EndValue()
			}
			return out, nil
		}}
}

func bytes128(a, b [2]uint64) []byte {
	return appendU64(appendU64(appendU64(appendU64(nil, a[0]), a[1]), b[0]), b[1])
}

// hash32Of declares a hash of 32 bits of any number of arguments.
func hash32Of(name string, f func([]byte) uint32) *Scalar {
	return &Scalar{Name: name, MinArgs: 1, MaxArgs: -1, Family: "hash", Doc: "Hashes its arguments to 32 bits, with ClickHouse's values.", Resolve: fixed(name, types.TUInt32),
		Eval: func(c *Call) (column.Vector, error) {
			v, err := evalHash(c, func(b []byte) uint64 { return uint64(f(b)) }, nil, func(a, b uint64) uint64 { return saltedHash32(a) ^ b })
			if err != nil {
				return nil, err
			}
			return narrow(c.Result, v.(*column.Num[uint64]).Data), nil
		}}
}

// sipHash128 is SipHash-2-4 with a zero key and the state folded to 128 bits.
func sipHash128(b []byte) [2]uint64 {
	v0, v1, v2, v3 := sipState(b)
	return [2]uint64{v0 ^ v1, v2 ^ v3}
}

// murmur2x64 is MurmurHash64A.
func murmur2x64(b []byte, seed uint64) uint64 {
	const m, r = 0xc6a4a7935bd1e995, 47
	h := seed ^ uint64(len(b))*m
	for ; len(b) >= 8; b = b[8:] {
		k := binary.LittleEndian.Uint64(b) * m
		k ^= k >> r
		h = (h ^ k*m) * m
	}
	if len(b) > 0 {
		var tail [8]byte
		copy(tail[:], b)
		h = (h ^ binary.LittleEndian.Uint64(tail[:])) * m
	}
	h ^= h >> r
	h *= m
	return h ^ h>>r
}

// murmurGCC is the hash of strings of the GNU C++ library: murmur2x64 with another mixing of the words.
func murmurGCC(b []byte, seed uint64) uint64 {
	const m, r = 0xc6a4a7935bd1e995, 47
	h := seed ^ uint64(len(b))*m
	for ; len(b) >= 8; b = b[8:] {
		k := binary.LittleEndian.Uint64(b) * m
		k = (k ^ k>>r) * m
		h = (h ^ k) * m
	}
	if len(b) > 0 {
		var tail [8]byte
		copy(tail[:], b)
		h = (h ^ binary.LittleEndian.Uint64(tail[:])) * m
	}
	h = (h ^ h>>r) * m
	return h ^ h>>r
}

// murmur2x32 is MurmurHash2.
func murmur2x32(b []byte, seed uint32) uint32 {
	const m, r = 0x5bd1e995, 24
	h := seed ^ uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		k := binary.LittleEndian.Uint32(b) * m
		k ^= k >> r
		h = h*m ^ k*m
	}
	if len(b) > 0 {
		var tail [4]byte
		copy(tail[:], b)
		h = (h ^ binary.LittleEndian.Uint32(tail[:])) * m
	}
	h ^= h >> 13
	h *= m
	return h ^ h>>15
}

// murmur3x32 is MurmurHash3 x86 32 with seed 0.
func murmur3x32(b []byte) uint32 {
	const c1, c2 = 0xcc9e2d51, 0x1b873593
	n := uint32(len(b))
	h := uint32(0)
	for ; len(b) >= 4; b = b[4:] {
		h ^= bits.RotateLeft32(binary.LittleEndian.Uint32(b)*c1, 15) * c2
		h = bits.RotateLeft32(h, 13)*5 + 0xe6546b64
	}
	var tail [4]byte
	copy(tail[:], b)
	h ^= bits.RotateLeft32(binary.LittleEndian.Uint32(tail[:])*c1, 15) * c2
	h ^= n
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}

func isJavaHashed(t *types.Type) bool {
	return isText(t) || isPlainInt(t) && !t.IsUnsigned()
}

func evalJavaHash(c *Call) (column.Vector, error) {
	out := make([]int32, c.Rows)
	if !isText(c.Types[0]) {
		for i, x := range fullNums[int64](c.Args[0], c.Rows) {
			out[i] = int32(x)
			if c.Types[0].Width() == 8 {
				out[i] = int32(uint32(x) ^ uint32(uint64(x)>>32))
			}
		}
		return newNum(c.Result, out), nil
	}
	s := stringsOf(c.Args[0])
	for i := range out {
		out[i] = javaHash(s.row(i))
	}
	return newNum(c.Result, out), nil
}

func javaHash(s []byte) int32 {
	h := int32(0)
	for _, b := range s {
		h = h*31 + int32(int8(b))
	}
	return h
}

func evalHiveHash(c *Call) (column.Vector, error) {
	s, out := stringsOf(c.Args[0]), make([]int32, c.Rows)
	for i := range out {
		out[i] = javaHash(s.row(i)) & 0x7fffffff
	}
	return newNum(c.Result, out), nil
}

// maxBuckets is ClickHouse's.
const maxBuckets = 1 << 15

func evalJumpHash(c *Call) (column.Vector, error) {
	buckets := numsOf[int64](c.Args[1])[0]
	if buckets < 1 || buckets > maxBuckets {
		return nil, sqlerr.New(sqlerr.BadArguments, "The second argument of function jumpConsistentHash (number of buckets) must be in [1, %d], got %d", maxBuckets, buckets)
	}
	out := make([]int32, c.Rows)
	for i, key := range fullNums[uint64](c.Args[0], c.Rows) {
		out[i] = jumpHash(key, buckets)
	}
	return newNum(c.Result, out), nil
}

// jumpHash is the algorithm of Lamping and Veach.
func jumpHash(key uint64, buckets int64) int32 {
	b, j := int64(-1), int64(0)
	for j < buckets {
		b = j
		key = key*2862933555777941757 + 1
		j = int64(float64(b+1) * (float64(1<<31) / float64(key>>33+1)))
	}
	return int32(b)
}
