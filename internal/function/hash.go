package function

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash/crc32"
	"math/bits"

	"github.com/go-faster/city"
	"github.com/zeebo/xxh3"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		hash64("cityHash64", city.CH64, func(u uint64, w int) uint64 { return saltedHash64(u) }, cityCombine),
		hash64("sipHash64", func(b []byte) uint64 { return sipHash64(b) }, nil, sipCombine),
		hash64("xxHash64", xxHash64, nil, nil),
		hash64("murmurHash3_64", murmur3Fold, nil, func(a, b uint64) uint64 { return saltedHash64(a) ^ b }),
		digest("MD5", 16, func(b []byte) []byte { s := md5.Sum(b); return s[:] }),
		digest("SHA1", 20, func(b []byte) []byte { s := sha1.Sum(b); return s[:] }),
		digest("SHA224", 28, func(b []byte) []byte { s := sha256.Sum224(b); return s[:] }),
		digest("SHA256", 32, func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }),
		digest("SHA384", 48, func(b []byte) []byte { s := sha512.Sum384(b); return s[:] }),
		digest("SHA512", 64, func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }),
		&Scalar{Name: "intHash64", MinArgs: 1, MaxArgs: 1, Resolve: fixed("intHash64", types.TUInt64, isHashInt), Eval: func(c *Call) (column.Vector, error) {
			return newNum(c.Result, hashInts(c, saltedHash64)), nil
		}, Family: "hash", Doc: "Hashes an integer to 64 bits."},
		&Scalar{Name: "intHash32", MinArgs: 1, MaxArgs: 1, Resolve: fixed("intHash32", types.TUInt32, isHashInt), Eval: func(c *Call) (column.Vector, error) {
			return narrow(c.Result, hashInts(c, saltedHash32)), nil
		}, Family: "hash", Doc: "Hashes an integer to 32 bits."},
		&Scalar{Name: "CRC32", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("CRC32", types.TUInt32, isStr), Eval: func(c *Call) (column.Vector, error) {
			s, out := stringsOf(c.Args[0]), make([]uint32, c.Rows)
			for i := range out {
				out[i] = crc32.ChecksumIEEE(s.row(i))
			}
			return newNum(c.Result, out), nil
		}, Family: "hash", Doc: "Returns the CRC-32 checksum.", Example: "CRC32('123') → 2286445522"},
		&Scalar{Name: "halfMD5", MinArgs: 1, MaxArgs: -1, Resolve: fixed("halfMD5", types.TUInt64), Eval: func(c *Call) (column.Vector, error) {
			return evalHash(c, func(b []byte) uint64 { s := md5.Sum(b); return binary.BigEndian.Uint64(s[:]) }, nil, halfMD5Combine)
		}, Family: "hash", Doc: "Returns the first 8 bytes of MD5."},
		&Scalar{Name: "xxHash32", MinArgs: 1, MaxArgs: -1, Nulls: NullPropagate, Resolve: fixed("xxHash32", types.TUInt32), Eval: func(c *Call) (column.Vector, error) {
			v, err := evalHash(c, func(b []byte) uint64 { return uint64(xxHash32(b)) }, nil, func(a, b uint64) uint64 { return saltedHash32(a) ^ b })
			if err != nil {
				return nil, err
			}
			return narrow(c.Result, v.(*column.Num[uint64]).Data), nil
		}, Family: "hash", Doc: "Hashes to 32 bits."},
		hash64("xxh3", xxh3.Hash, nil, nil),
	)
}

func isHashInt(t *types.Type) bool {
	return isPlainInt(t) || t.IsDate() || t.Kind == types.DateTime || t.IsFloat()
}

func hashInts(c *Call, f func(uint64) uint64) []uint64 {
	data, _ := allBits(column.Flatten(c.Args[0]))
	out := make([]uint64, c.Rows)
	for i, u := range data {
		out[i] = f(u)
	}
	return out
}

// intHash64 is the finaliser of MurmurHash3, as ClickHouse uses it.
func intHash64(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// saltedHash64 and saltedHash32 are the SQL functions intHash64 and intHash32.
func saltedHash64(x uint64) uint64 { return intHash64(x ^ 0x4CF2D2BAAE6DA887) }

func saltedHash32(x uint64) uint64 { return intHash32(x ^ 0x75D9543DE018BF45) }

func halfMD5Combine(a, b uint64) uint64 {
	var buf [16]byte
	binary.LittleEndian.PutUint64(buf[:], a)
	binary.LittleEndian.PutUint64(buf[8:], b)
	s := md5.Sum(buf[:])
	return binary.BigEndian.Uint64(s[:])
}

// intHash32 is Thomas Wang's hash of 64 to 32 bits.
func intHash32(k uint64) uint64 {
	k = ^k + k<<18
	k ^= bits.RotateLeft64(k, -31)
	k *= 21
	k ^= bits.RotateLeft64(k, -11)
	k += k << 6
	k ^= bits.RotateLeft64(k, -22)
	return k & 0xffffffff
}

// cityCombine joins the hashes of several arguments.
func cityCombine(a, b uint64) uint64 { return cityHash128to64(a, b) }

func cityHash128to64(lo, hi uint64) uint64 {
	const mul = 0x9ddfea08eb382d69
	a := (lo ^ hi) * mul
	a ^= a >> 47
	b := (hi ^ a) * mul
	b ^= b >> 47
	return b * mul
}

func sipCombine(a, b uint64) uint64 {
	var buf [16]byte
	binary.LittleEndian.PutUint64(buf[:], a)
	binary.LittleEndian.PutUint64(buf[8:], b)
	return sipHash64(buf[:])
}

// hash64 declares a 64-bit hash of any number of arguments of any types.
func hash64(name string, bytes func([]byte) uint64, ints func(u uint64, width int) uint64, combine func(a, b uint64) uint64) *Scalar {
	return &Scalar{Name: name, MinArgs: 1, MaxArgs: -1, Nulls: NullPropagate, Family: "hash", Doc: "Hashes its arguments to 64 bits, with ClickHouse's values.",
		Resolve: fixed(name, types.TUInt64),
		Eval:    func(c *Call) (column.Vector, error) { return evalHash(c, bytes, ints, combine) }}
}

func evalHash(c *Call, f func([]byte) uint64, ints func(u uint64, width int) uint64, combine func(a, b uint64) uint64) (column.Vector, error) {
	if combine == nil {
		combine = cityCombine
	}
	h := hasher{bytes: f, ints: ints, combine: combine}
	out := make([]uint64, c.Rows)
	for k, a := range c.Args {
		x := out
		if k > 0 {
			x = make([]uint64, c.Rows)
		}
		h.all(x, column.Flatten(a))
		if k > 0 {
			for i, y := range x {
				out[i] = combine(out[i], y)
			}
		}
	}
	return column.NewNum(types.TUInt64, out), nil
}

// all hashes each value of v.
func (h *hasher) all(out []uint64, v column.Vector) {
	if s, ok := v.(*column.Str); ok {
		for i := range out {
			out[i] = h.bytes(s.At(i))
		}
		return
	}
	data, ok := allBits(v)
	if !ok {
		for i := range out {
			out[i] = h.hash(v, i)
		}
		return
	}
	w := v.Type().Width()
	mask := ^uint64(0) >> (64 - 8*w)
	if h.ints != nil {
		for i, u := range data {
			out[i] = h.ints(u&mask, w)
		}
		return
	}
	var buf [8]byte
	for i, u := range data {
		binary.LittleEndian.PutUint64(buf[:], u)
		out[i] = h.bytes(buf[:w])
	}
}

// hasher hashes values; arrays and tuples by combining their parts.
type hasher struct {
	bytes   func([]byte) uint64
	ints    func(u uint64, width int) uint64
	combine func(a, b uint64) uint64
	buf     []byte
}

func (h *hasher) hash(v column.Vector, i int) uint64 {
	switch v := v.(type) {
	case *column.Str:
		return h.bytes(v.At(i))
	case *column.Nullable:
		if v.Nulls[i] != 0 {
			return 0
		}
		return h.hash(v.Inner, i)
	case *column.Array:
		return h.run(v.Elem, int(v.Off[i]), int(v.Off[i+1]))
	case *column.Map:
		return h.combine(h.run(v.Keys, int(v.Off[i]), int(v.Off[i+1])), h.run(v.Vals, int(v.Off[i]), int(v.Off[i+1])))
	case *column.Tuple:
		x := uint64(0)
		for k, e := range v.Elems {
			if y := h.hash(e, i); k == 0 {
				x = y
			} else {
				x = h.combine(x, y)
			}
		}
		return x
	}
	if h.ints != nil && v.Type().Width() <= 8 {
		u := bitsAt(v, i)
		if w := v.Type().Width(); w < 8 {
			u &= 1<<(8*w) - 1
		}
		return h.ints(u, v.Type().Width())
	}
	h.buf = littleEndian(h.buf[:0], v, i)
	return h.bytes(h.buf)
}

// run hashes an array: its length, then its elements.
func (h *hasher) run(elems column.Vector, from, to int) uint64 {
	n := uint64(to - from)
	x := saltedHash64(n)
	for k := from; k < to; k++ {
		x = h.combine(x, h.hash(elems, k))
	}
	return x
}

func digest(name string, n int, f func([]byte) []byte) *Scalar {
	t := types.NewFixedString(n)
	return &Scalar{Name: name, CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Family: "hash", Doc: "Returns the digest as bytes.",
		Resolve: fixed(name, t, anyOf(isStr, isUUIDOrIP)),
		Eval: func(c *Call) (column.Vector, error) {
			v, out := column.Flatten(c.Args[0]), column.NewStr(t, c.Rows)
			var buf []byte
			for i := range c.Rows {
				buf = littleEndian(buf[:0], v, i)
				out.Append(f(buf))
			}
			return out, nil
		}}
}
