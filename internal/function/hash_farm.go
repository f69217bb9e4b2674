package function

import (
	"encoding/binary"
	"math/bits"
)

func init() {
	register(hash64("farmHash64", farmHash64, func(u uint64, _ int) uint64 { return saltedHash64(u) }, nil))
}

const (
	farmK0 = 0xc3a5c85c97cb3127
	farmK1 = 0xb492b66fbe98f273
	farmK2 = 0x9ae16a3b2f90404f
)

func fetch64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

func fetch32(b []byte) uint64 { return uint64(binary.LittleEndian.Uint32(b)) }

func rotr(x uint64, n int) uint64 { return bits.RotateLeft64(x, -n) }

func shiftMix(x uint64) uint64 { return x ^ x>>47 }

func farmLen16(u, v, mul uint64) uint64 {
	a := (u ^ v) * mul
	a ^= a >> 47
	b := (v ^ a) * mul
	b ^= b >> 47
	return b * mul
}

// farmHash64 is FarmHash's Hash64 (its variant "xo").
func farmHash64(b []byte) uint64 {
	n := len(b)
	switch {
	case n <= 16:
		return farmShort(b)
	case n <= 32:
		return farmNaMiddle(b)
	case n <= 64:
		mul := farmK2 - 30 + 2*uint64(n)
		return (farm32(b, mul, 0, 0, n-32)*mul + farm32(b, farmK2-30, 0, 0, 0)) * mul
	case n <= 96:
		mul := farmK2 - 114 + 2*uint64(n)
		h0, h1 := farm32(b, farmK2-114, 0, 0, 0), farm32(b, mul, 0, 0, 32)
		return (farm32(b, mul, h0, h1, n-32)*9 + h0>>17 + h1>>21) * mul
	case n > 256:
		return farmUnrolled(b)
	}
	return farmNaLong(b)
}

// farmFingerprint64 is FarmHash's Fingerprint64 (its variant "na").
func farmFingerprint64(b []byte) uint64 {
	switch n := len(b); {
	case n <= 16:
		return farmShort(b)
	case n <= 32:
		return farmNaMiddle(b)
	case n <= 64:
		mul := farmK2 + uint64(n)*2
		x, y := fetch64(b)*farmK2, fetch64(b[8:])
		c, d := fetch64(b[n-8:])*mul, fetch64(b[n-16:])*farmK2
		u := rotr(x+y, 43) + rotr(c, 30) + d
		v := farmLen16(u, x+rotr(y+farmK2, 18)+c, mul)
		e, f := fetch64(b[16:])*mul, fetch64(b[24:])
		g, h := (u+fetch64(b[n-32:]))*mul, (v+fetch64(b[n-24:]))*mul
		return farmLen16(rotr(e+f, 43)+rotr(g, 30)+h, e+rotr(f+x, 18)+g, mul)
	}
	return farmNaLong(b)
}

// farmFingerprint128 joins two hashes.
func farmFingerprint128(lo, hi uint64) uint64 {
	const mul = 0x9ddfea08eb382d69
	a := (lo ^ hi) * mul
	a ^= a >> 47
	b := (hi ^ a) * mul
	b = (b ^ b>>44) * mul
	return (b ^ b>>41) * mul
}

// farmNaMiddle is of 17 to 32 bytes.
func farmNaMiddle(b []byte) uint64 {
	n := len(b)
	mul := farmK2 + uint64(n)*2
	x, y := fetch64(b)*farmK1, fetch64(b[8:])
	c, d := fetch64(b[n-8:])*mul, fetch64(b[n-16:])*farmK2
	return farmLen16(rotr(x+y, 43)+rotr(c, 30)+d, x+rotr(y+farmK2, 18)+c, mul)
}

func farmShort(b []byte) uint64 {
	n := len(b)
	switch {
	case n >= 8:
		mul := farmK2 + uint64(n)*2
		x, y := fetch64(b)+farmK2, fetch64(b[n-8:])
		return farmLen16(rotr(y, 37)*mul+x, (rotr(x, 25)+y)*mul, mul)
	case n >= 4:
		mul := farmK2 + uint64(n)*2
		return farmLen16(uint64(n)+fetch32(b)<<3, fetch32(b[n-4:]), mul)
	case n > 0:
		y := uint32(b[0]) + uint32(b[n>>1])<<8
		z := uint32(n) + uint32(b[n-1])<<2
		k0, k2 := uint64(farmK0), uint64(farmK2)
		return shiftMix(uint64(y)*k2^uint64(z)*k0) * farmK2
	}
	return farmK2
}

func farmWeak(b []byte, x, y uint64) (uint64, uint64) {
	w, z := fetch64(b), fetch64(b[24:])
	x += w
	y = rotr(y+x+z, 21)
	c := x
	x += fetch64(b[8:]) + fetch64(b[16:])
	y += rotr(x, 44)
	return x + z, y + c
}

func farmNaLong(b []byte) uint64 {
	const seed = 81
	n := uint64(len(b))
	k1, k2 := uint64(farmK1), uint64(farmK2)
	x, y := uint64(seed), uint64(seed)*k1+113
	z := shiftMix(y*k2+113) * farmK2
	var v1, v2, w1, w2 uint64
	x = x*k2 + fetch64(b)
	end := (n - 1) / 64 * 64
	last := b[n-64:]
	for s := b[:end]; len(s) > 0; s = s[64:] {
		full := b[int(end)-len(s):]
		x = rotr(x+y+v1+fetch64(full[8:]), 37) * farmK1
		y = rotr(y+v2+fetch64(full[48:]), 42) * farmK1
		x ^= w2
		y += v1 + fetch64(full[40:])
		z = rotr(z+w1, 33) * farmK1
		v1, v2 = farmWeak(full, v2*farmK1, x+w1)
		w1, w2 = farmWeak(full[32:], z+w2, y+fetch64(full[16:]))
		z, x = x, z
	}
	mul := farmK1 + (z&0xff)<<1
	w1 += (n - 1) & 63
	v1 += w1
	w1 += v1
	x = rotr(x+y+v1+fetch64(last[8:]), 37) * mul
	y = rotr(y+v2+fetch64(last[48:]), 42) * mul
	x ^= w2 * 9
	y += v1*9 + fetch64(last[40:])
	z = rotr(z+w1, 33) * mul
	v1, v2 = farmWeak(last, v2*mul, x+w1)
	w1, w2 = farmWeak(last[32:], z+w2, y+fetch64(last[16:]))
	z, x = x, z
	return farmLen16(farmLen16(v1, w1, mul)+shiftMix(y)*farmK0+z, farmLen16(v2, w2, mul)+x, mul)
}

// farm32 hashes the 32 bytes from at on.
func farm32(b []byte, mul, seed0, seed1 uint64, at int) uint64 {
	b = b[at:]
	x, y := fetch64(b)*farmK1, fetch64(b[8:])
	c, d := fetch64(b[24:])*mul, fetch64(b[16:])*farmK2
	u := rotr(x+y, 43) + rotr(c, 30) + d + seed0
	v := x + rotr(y+farmK2, 18) + c + seed1
	x = shiftMix((u ^ v) * mul)
	return shiftMix((v ^ x) * mul)
}

func farmMix(x, y, mul uint64, r int) uint64 {
	a := shiftMix((x ^ y) * mul)
	return rotr((y^a)*mul, r) * mul
}

// farmUnrolled is the variant "uo", for more than 256 bytes.
func farmUnrolled(b []byte) uint64 {
	const seed = 81
	n, k2 := len(b), uint64(farmK2)
	x, y := uint64(seed), uint64(113)
	z := shiftMix(y*k2) * k2
	v1, v2, w1, w2 := uint64(seed), uint64(0), uint64(0), uint64(0)
	u := x - z
	x *= k2
	mul := k2 + u&0x82
	for s := b; len(s) > 64; s = s[64:] {
		a0, a1, a2, a3 := fetch64(s), fetch64(s[8:]), fetch64(s[16:]), fetch64(s[24:])
		a4, a5, a6, a7 := fetch64(s[32:]), fetch64(s[40:]), fetch64(s[48:]), fetch64(s[56:])
		x, y, z = x+a0+a1, y+a2, z+a3
		v1, v2, w1, w2 = v1+a4, v2+a5+a1, w1+a6, w2+a7
		x = rotr(x, 26) * 9
		y = rotr(y, 29)
		z *= mul
		v1, v2 = rotr(v1, 33), rotr(v2, 30)
		w1 = (w1 ^ x) * 9
		z = rotr(z, 32) + w2
		w2 += z
		z *= 9
		u, y = y, u
		z, v1, v2 = z+a0+a6, v1+a2, v2+a3
		w1, w2, x, y = w1+a4, w2+a5+a6, x+a1, y+a7
		y += v1
		v1 += x - y
		v2 += w1
		w1 += v2
		w2 += x - y
		x += w2
		w2 = rotr(w2, 34)
		u, z = z, u
	}
	s := b[n-64:]
	u *= 9
	v2, v1 = rotr(v2, 28), rotr(v1, 20)
	w1 += uint64(n-1) & 63
	u += y
	y += u
	x = rotr(y-x+v1+fetch64(s[8:]), 37) * mul
	y = rotr(y^v2^fetch64(s[48:]), 42) * mul
	x ^= w2 * 9
	y += v1 + fetch64(s[40:])
	z = rotr(z+w1, 33) * mul
	v1, v2 = farmWeak(s, v2*mul, x+w1)
	w1, w2 = farmWeak(s[32:], z+w2, y+fetch64(s[16:]))
	return farmMix(farmLen16(v1+x, w1^y, mul)+z-u, farmMix(v2+y, w2+z, k2, 30)^x, k2, 31)
}
