package function

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash/crc32"
	"math"
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
		digest("MD5", 16, func(dst, b []byte) []byte { s := md5.Sum(b); return append(dst, s[:]...) }),
		digest("SHA1", 20, func(dst, b []byte) []byte { s := sha1.Sum(b); return append(dst, s[:]...) }),
		digest("SHA224", 28, func(dst, b []byte) []byte { s := sha256.Sum224(b); return append(dst, s[:]...) }),
		digest("SHA256", 32, func(dst, b []byte) []byte { s := sha256.Sum256(b); return append(dst, s[:]...) }),
		digest("SHA384", 48, func(dst, b []byte) []byte { s := sha512.Sum384(b); return append(dst, s[:]...) }),
		digest("SHA512", 64, func(dst, b []byte) []byte { s := sha512.Sum512(b); return append(dst, s[:]...) }),
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
	h := hasher[uint64]{bytes: f, ints: ints, combine: combine, size: saltedHash64, null: nullHash[0]}
	if c.Result.Width() < 8 {
		h.size, h.null = saltedHash32, nullHash[0]&math.MaxUint32
	}
	return column.NewNum(types.TUInt64, h.rows(c)), nil
}

// nullHash is ClickHouse's hash of a NULL within an array, a tuple or a map, which narrower hashes cut off.
var nullHash = [2]uint64{0xc58ad2da03d9a871, 0x5715f196cbea7a40}

// hasher hashes values with ClickHouse's results: what has parts is joined part by part with what came before it.
type hasher[H any] struct {
	bytes   func([]byte) H
	ints    func(u uint64, width int) H // nil: integers are hashed as their bytes
	combine func(a, b H) H
	size    func(n uint64) H // hashes the length of an array
	null    H                // is the hash of a NULL within an array or a tuple
	buf     []byte
}

// rows hashes the arguments of each row.
func (h *hasher[H]) rows(c *Call) []H {
	out := make([]H, c.Rows)
	for k, a := range c.Args {
		a = column.Flatten(a)
		if k == 0 && h.all(out, a) {
			continue
		}
		for i := range out {
			out[i] = h.add(out[i], k == 0, a, i)
		}
	}
	return out
}

// all hashes each value of a vector of numbers or strings; false if it is neither.
func (h *hasher[H]) all(out []H, v column.Vector) bool {
	if s, ok := v.(*column.Str); ok {
		for i := range out {
			out[i] = h.bytes(s.At(i))
		}
		return true
	}
	data, ok := allBits(v)
	if !ok {
		return false
	}
	w := v.Type().Width()
	mask := ^uint64(0) >> (64 - 8*w)
	if h.ints != nil && hashedAsInt(v.Type()) {
		for i, u := range data {
			out[i] = h.ints(u&mask, w)
		}
		return true
	}
	var buf [8]byte
	for i, u := range data {
		binary.LittleEndian.PutUint64(buf[:], u)
		out[i] = h.bytes(buf[:w])
	}
	return true
}

// hashedAsInt reports whether hashes with a function of their own for numbers take it for a type: not for decimals, DateTime64 among them, and times.
func hashedAsInt(t *types.Type) bool {
	return t.Width() <= 8 && t.Kind != types.Decimal && t.Kind != types.DateTime64 && !t.IsTime()
}

// join is x joined with what came before, if anything did.
func (h *hasher[H]) join(before H, first bool, x H) H {
	if first {
		return x
	}
	return h.combine(before, x)
}

// add joins value i of a flat vector with what came before.
func (h *hasher[H]) add(before H, first bool, v column.Vector, i int) H {
	var none H
	switch v := v.(type) {
	case *column.Str:
		return h.join(before, first, h.bytes(v.At(i)))
	case *column.Nullable:
		if v.Nulls[i] != 0 {
			return h.join(before, first, h.null)
		}
		return h.add(before, first, v.Inner, i)
	case *column.Array:
		x := h.join(before, first, h.size(uint64(v.Off[i+1]-v.Off[i])))
		for k := v.Off[i]; k < v.Off[i+1]; k++ {
			x = h.combine(x, h.add(none, true, v.Elem, int(k)))
		}
		return x
	case *column.Map:
		x := h.join(before, first, h.size(uint64(v.Off[i+1]-v.Off[i])))
		for k := v.Off[i]; k < v.Off[i+1]; k++ {
			x = h.combine(x, h.add(h.add(none, true, v.Keys, int(k)), false, v.Vals, int(k)))
		}
		return x
	case *column.Tuple:
		for _, e := range v.Elems {
			before, first = h.add(before, first, e, i), false
		}
		return before
	case *column.Variant:
		in, at := v.Value(i)
		if in == nil {
			return h.join(before, first, h.null)
		}
		return h.add(before, first, in, at)
	}
	if h.ints != nil && hashedAsInt(v.Type()) {
		u := bitsAt(v, i)
		if w := v.Type().Width(); w < 8 {
			u &= 1<<(8*w) - 1
		}
		return h.join(before, first, h.ints(u, v.Type().Width()))
	}
	h.buf = littleEndian(h.buf[:0], v, i)
	return h.join(before, first, h.bytes(h.buf))
}

// digest is a function that appends the n bytes of a digest of b.
func digest(name string, n int, f func(dst, b []byte) []byte) *Scalar {
	t := types.NewFixedString(n)
	return &Scalar{Name: name, CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Family: "hash", Doc: "Returns the digest as bytes.",
		Resolve: fixed(name, t, anyOf(isStr, isUUIDOrIP)),
		Eval: func(c *Call) (column.Vector, error) {
			v, out := column.Flatten(c.Args[0]), column.NewStr(t, c.Rows)
			var buf []byte
			for i := range c.Rows {
				buf = littleEndian(buf[:0], v, i)
				out.Data = f(out.Data, buf)
				out.EndValue()
			}
			return out, nil
		}}
}
