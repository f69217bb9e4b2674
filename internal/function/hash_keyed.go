package function

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strings"

	"github.com/go-faster/city"
	"github.com/zeebo/xxh3"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	zero := func(b []byte) [2]uint64 { return sipReference(0, 0, b) }
	register(
		hash64("metroHash64", metroHash64, func(u uint64, _ int) uint64 { return saltedHash64(u) }, nil),
		hash64("farmFingerprint64", farmFingerprint64, func(u uint64, _ int) uint64 { return saltedHash64(u) }, farmFingerprint128),
		hash32Of("kafkaMurmurHash", func(b []byte) uint32 { return murmur2x32(b, kafkaSeed) & math.MaxInt32 }),
		hash128("sipHash128Reference", zero, func(a, b [2]uint64) [2]uint64 { return zero(bytes128(a, b)) }),
		sipKeyed("sipHash64Keyed", types.TUInt64), sipKeyed("sipHash128Keyed", types.NewFixedString(16)), sipKeyed("sipHash128ReferenceKeyed", types.NewFixedString(16)),
		&Scalar{Name: "javaHashUTF16LE", MinArgs: 1, MaxArgs: 1, Resolve: fixed("javaHashUTF16LE", types.TInt32, isText), Eval: evalJavaHashUTF16, Family: "hash", Doc: "Returns Java's hashCode of a string in UTF-16LE.", Example: "javaHashUTF16LE('ab') → 25185"},
		&Scalar{Name: "URLHash", MinArgs: 1, MaxArgs: 2, ConstArgs: []int{1}, Resolve: fixed("URLHash", types.TUInt64, isText, isPlainInt), Eval: evalURLHash, Family: "hash", Doc: "Hashes a URL without a slash, ? or # at its end, or as much of it as a level of its hierarchy.", Example: "URLHash('http://a/b/') = URLHash('http://a/b') → 1"},
		&Scalar{Name: "xxh3_128", MaxArgs: -1, Resolve: fixed("xxh3_128", types.TUInt128), Eval: evalXXH128, Family: "hash", Doc: "Hashes its arguments to 128 bits, with ClickHouse's values."},
	)
}

// kafkaSeed is that of Kafka's partitioner, which takes hashes without their sign.
const kafkaSeed = 0x9747b28c

// sipReference is SipHash-2-4 with a key and a result of 128 bits.
func sipReference(k0, k1 uint64, b []byte) [2]uint64 {
	s := newSip(k0, k1)
	s.v1 ^= 0xee
	s.compress(b)
	s.v2 ^= 0xee
	s.rounds(4)
	first := s.v0 ^ s.v1 ^ s.v2 ^ s.v3
	s.v1 ^= 0xdd
	s.rounds(4)
	return [2]uint64{first, s.v0 ^ s.v1 ^ s.v2 ^ s.v3}
}

func evalXXH128(c *Call) (column.Vector, error) {
	h := hasher[[2]uint64]{bytes: func(b []byte) [2]uint64 { x := xxh3.Hash128(b); return [2]uint64{x.Lo, x.Hi} },
		combine: func(a, b [2]uint64) [2]uint64 { x := xxh3.Hash128(bytes128(a, b)); return [2]uint64{x.Lo, x.Hi} },
		size:    func(n uint64) [2]uint64 { return [2]uint64{saltedHash32(n)} }, null: nullHash}
	out := make([]types.U128, c.Rows)
	for i, x := range h.rows(c) {
		out[i] = types.U128{Lo: x[0], Hi: x[1]}
	}
	return newNum(c.Result, out), nil
}

// sipKeyed declares a SipHash whose first argument is the key, a tuple of two UInt64.
func sipKeyed(name string, result *types.Type) *Scalar {
	return &Scalar{Name: name, MinArgs: 1, MaxArgs: -1, Family: "hash", Doc: "Is " + strings.TrimSuffix(name, "Keyed") + " with a key of two UInt64.",
		Resolve: func(_ *Env, args []Arg) (*types.Type, error) {
			k := args[0].Type
			if !isTuple(k) || len(k.Elems) != 2 {
				return nil, sqlerr.New(sqlerr.BadArguments, "The key of function %s must be of type Tuple(UInt64, UInt64), not %s", name, k)
			}
			for i, e := range k.Elems {
				if e.Kind != types.UInt64 {
					return nil, sqlerr.New(sqlerr.BadArguments, "Element %d of the key of function %s is not of type UInt64", i+1, name)
				}
			}
			return result, nil
		},
		Eval: func(c *Call) (column.Vector, error) { return evalSipKeyed(c, strings.Contains(name, "Reference")) }}
}

func evalSipKeyed(c *Call, reference bool) (column.Vector, error) {
	key := column.Flatten(c.Args[0]).(*column.Tuple)
	k0, k1 := numsOf[uint64](column.Flatten(key.Elems[0])), numsOf[uint64](column.Flatten(key.Elems[1]))
	rest := &Call{Env: c.Env, Args: c.Args[1:], Types: c.Types[1:], Result: c.Result, Rows: c.Rows}
	row := 0
	if c.Result.Kind == types.UInt64 {
		f := func(b []byte) uint64 {
			s := newSip(k0[row], k1[row])
			s.finish(b)
			return s.v0 ^ s.v1 ^ s.v2 ^ s.v3
		}
		h := hasher[uint64]{bytes: f, combine: func(a, b uint64) uint64 { return f(appendU64(appendU64(nil, a), b)) }, size: saltedHash64, null: nullHash[0]}
		return newNum(c.Result, h.keyed(rest, &row)), nil
	}
	f := func(b []byte) [2]uint64 {
		if reference {
			return sipReference(k0[row], k1[row], b)
		}
		s := newSip(k0[row], k1[row])
		s.finish(b)
		return [2]uint64{s.v0 ^ s.v1, s.v2 ^ s.v3}
	}
	h := hasher[[2]uint64]{bytes: f, combine: func(a, b [2]uint64) [2]uint64 { return f(bytes128(a, b)) }, size: func(n uint64) [2]uint64 { return [2]uint64{saltedHash32(n)} }, null: nullHash}
	out := column.NewStr(c.Result, c.Rows)
	for _, x := range h.keyed(rest, &row) {
		out.Data = appendU64(appendU64(out.Data, x[0]), x[1])
		out.EndValue()
	}
	return out, nil
}

// keyed is rows of hashes that depend on the row, which row says.
func (h *hasher[H]) keyed(c *Call, row *int) []H {
	out := make([]H, c.Rows)
	args := make([]column.Vector, len(c.Args))
	for k, a := range c.Args {
		args[k] = column.Flatten(a)
	}
	for i := range out {
		*row = i
		for k, a := range args {
			out[i] = h.add(out[i], k == 0, a, i)
		}
	}
	return out
}

const (
	metroK0 = 0xC83A91E1
	metroK1 = 0x8648DBDB
	metroK2 = 0x7BDEC03B
	metroK3 = 0x2F5870A5
)

// metroHash64 is MetroHash64 with seed 0.
func metroHash64(b []byte) uint64 {
	h := uint64(metroK2*metroK0) + uint64(len(b))
	if len(b) >= 32 {
		v := [4]uint64{h, h, h, h}
		for ; len(b) >= 32; b = b[32:] {
			v[0] = rotr(v[0]+fetch64(b)*metroK0, 29) + v[2]
			v[1] = rotr(v[1]+fetch64(b[8:])*metroK1, 29) + v[3]
			v[2] = rotr(v[2]+fetch64(b[16:])*metroK2, 29) + v[0]
			v[3] = rotr(v[3]+fetch64(b[24:])*metroK3, 29) + v[1]
		}
		v[2] ^= rotr((v[0]+v[3])*metroK0+v[1], 33) * metroK1
		v[3] ^= rotr((v[1]+v[2])*metroK1+v[0], 33) * metroK0
		v[0] ^= rotr((v[0]+v[2])*metroK0+v[3], 33) * metroK1
		v[1] ^= rotr((v[1]+v[3])*metroK1+v[2], 33) * metroK0
		h += v[0] ^ v[1]
	}
	if len(b) >= 16 {
		v0 := rotr(h+fetch64(b)*metroK0, 33) * metroK1
		v1 := rotr(h+fetch64(b[8:])*metroK1, 33) * metroK2
		v0 ^= rotr(v0*metroK0, 35) + v1
		v1 ^= rotr(v1*metroK3, 35) + v0
		h += v1
		b = b[16:]
	}
	mix := func(u uint64, r int, k uint64) { h += u * metroK3; h ^= rotr(h, r) * k }
	if len(b) >= 8 {
		mix(fetch64(b), 33, metroK1)
		b = b[8:]
	}
	if len(b) >= 4 {
		mix(fetch32(b), 15, metroK1)
		b = b[4:]
	}
	if len(b) >= 2 {
		mix(uint64(binary.LittleEndian.Uint16(b)), 13, metroK1)
		b = b[2:]
	}
	if len(b) >= 1 {
		mix(uint64(b[0]), 25, metroK1)
	}
	h ^= rotr(h, 33)
	h *= metroK0
	h ^= rotr(h, 33)
	return h
}

func evalJavaHashUTF16(c *Call) (column.Vector, error) {
	s, out := stringsOf(c.Args[0]), make([]int32, c.Rows)
	for i := range out {
		b := s.row(i)
		if len(b)%2 != 0 {
			return nil, sqlerr.New(sqlerr.BadArguments, "Arguments for javaHashUTF16LE must be in the form of UTF-16")
		}
		for ; len(b) > 0; b = b[2:] {
			out[i] = out[i]*31 + int32(binary.LittleEndian.Uint16(b))
		}
	}
	return newNum(c.Result, out), nil
}

// sip is the state of SipHash-2-4.
type sip struct{ v0, v1, v2, v3 uint64 }

func newSip(k0, k1 uint64) sip {
	return sip{0x736f6d6570736575 ^ k0, 0x646f72616e646f6d ^ k1, 0x6c7967656e657261 ^ k0, 0x7465646279746573 ^ k1}
}

func (s *sip) rounds(n int) {
	v0, v1, v2, v3 := s.v0, s.v1, s.v2, s.v3
	for range n {
		v0 += v1
		v1 = bits.RotateLeft64(v1, 13) ^ v0
		v0 = bits.RotateLeft64(v0, 32)
		v2 += v3
		v3 = bits.RotateLeft64(v3, 16) ^ v2
		v0 += v3
		v3 = bits.RotateLeft64(v3, 21) ^ v0
		v2 += v1
		v1 = bits.RotateLeft64(v1, 17) ^ v2
		v2 = bits.RotateLeft64(v2, 32)
	}
	s.v0, s.v1, s.v2, s.v3 = v0, v1, v2, v3
}

// compress takes the words of b, the last with its length.
func (s *sip) compress(b []byte) {
	n := len(b)
	for ; len(b) >= 8; b = b[8:] {
		s.word(binary.LittleEndian.Uint64(b))
	}
	var tail [8]byte
	copy(tail[:], b)
	tail[7] = byte(n)
	s.word(binary.LittleEndian.Uint64(tail[:]))
}

func (s *sip) word(m uint64) {
	s.v3 ^= m
	s.rounds(2)
	s.v0 ^= m
}

// finish is compress and the last rounds.
func (s *sip) finish(b []byte) {
	s.compress(b)
	s.v2 ^= 0xff
	s.rounds(4)
}

func evalURLHash(c *Call) (column.Vector, error) {
	s, out := stringsOf(c.Args[0]), make([]uint64, c.Rows)
	level := int64(-1)
	if len(c.Args) > 1 {
		level = max(numsOf[int64](c.Args[1])[0], 0)
	}
	for i := range out {
		b := s.row(i)
		if level >= 0 {
			b = urlLevel(b, level)
		}
		if n := len(b); n > 0 && isPathSeparator(b[n-1]) {
			b = b[:n-1]
		}
		out[i] = city.CH64(b)
	}
	return newNum(c.Result, out), nil
}

// urlLevel is a URL up to the separator behind so many parts of its path, empty if there are not as many; one without a host has level 0 only.
func urlLevel(s []byte, level int64) []byte {
	at := hostEnd(s)
	if at == 0 {
		if level > 0 {
			return nil
		}
		return s
	}
	at = min(at+1, len(s))
	for ; level > 0 && at < len(s); level-- {
		for at < len(s) && isPathSeparator(s[at]) {
			at++
		}
		for at < len(s) && !isPathSeparator(s[at]) {
			at++
		}
		at = min(at+1, len(s))
	}
	if level > 0 {
		return nil
	}
	return s[:at]
}
