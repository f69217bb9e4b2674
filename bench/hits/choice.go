package hits

import "math/bits"

// mix62 is a bijection of 62 bits: multiplications by odd numbers and shifted xors, each of
// which can be undone.
func mix62(x uint64) uint64 {
	const mask = 1<<62 - 1
	x = (x ^ x>>31) * 0xbf58476d1ce4e5b9 & mask
	x = (x ^ x>>29) * 0x94d049bb133111eb & mask
	return x ^ x>>31
}

// choice picks an index with given weights in constant time: Vose's alias method over
// integers, each slot holding 2^32 units.
type choice struct {
	keep  []uint64 // units of slot i that belong to i itself
	other []uint32 // to whom the rest of slot i belongs
}

const slotUnits = 1 << 32

func newChoice(weights []uint64) *choice {
	var total uint64
	for _, w := range weights {
		total += w
	}
	n := uint64(len(weights))
	c := &choice{keep: make([]uint64, n), other: make([]uint32, n)}
	units := make([]uint64, n)
	var small, large []uint32
	for i, w := range weights {
		hi, lo := bits.Mul64(w, n*slotUnits)
		units[i], _ = bits.Div64(hi, lo, total)
		if units[i] < slotUnits {
			small = append(small, uint32(i))
		} else {
			large = append(large, uint32(i))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		c.keep[s], c.other[s] = units[s], l
		units[l] -= slotUnits - units[s]
		if units[l] < slotUnits {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	for _, i := range append(small, large...) { // what rounding left over
		c.keep[i], c.other[i] = slotUnits, i
	}
	return c
}

// pick maps 64 random bits to an index.
func (c *choice) pick(u uint64) int {
	i := (u >> 32) * uint64(len(c.keep)) >> 32
	if u&(slotUnits-1) < c.keep[i] {
		return int(i)
	}
	return int(c.other[i])
}

// zipf returns n weights proportional to 1/(rank + flat): a larger flat has a flatter head.
func zipf(n int, flat uint64) []uint64 {
	w := make([]uint64, n)
	for i := range w {
		w[i] = (1 << 40) / (uint64(i) + flat)
	}
	return w
}

// few is a choice among listed values with listed weights.
type few struct {
	values []int64
	c      *choice
}

func newFew(pairs ...int64) few {
	var f few
	var w []uint64
	for i := 0; i < len(pairs); i += 2 {
		f.values = append(f.values, pairs[i])
		w = append(w, uint64(pairs[i+1]))
	}
	f.c = newChoice(w)
	return f
}

func (f few) pick(u uint64) int64 { return f.values[f.c.pick(u)] }
