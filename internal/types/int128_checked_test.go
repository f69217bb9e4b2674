package types

import (
	"math/big"
	"math/rand"
	"testing"
)

// TestInt128Checked compares checked arithmetic with big integers: a result is exact, and one that fits is there.
func TestInt128Checked(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	least := I128{Hi: -1 << 63}
	for range 200_000 {
		a, b := edgeI128(r), edgeI128(r)
		x, y := a.Big(), b.Big()
		check := func(what string, got I128, ok bool, want *big.Int) {
			t.Helper()
			exact, fits := I128FromBig(want)
			if ok && (!fits || got != exact) {
				t.Fatalf("%s %s %s is %s, not %s", x, what, y, got, want)
			}
			if !ok && fits && exact != least && a != least && b != least {
				t.Fatalf("%s %s %s is %s, which fits", x, what, y, want)
			}
		}
		sum, ok := a.AddChecked(b)
		check("+", sum, ok, new(big.Int).Add(x, y))
		diff, ok := a.SubChecked(b)
		check("-", diff, ok, new(big.Int).Sub(x, y))
		product, ok := a.MulChecked(b)
		check("*", product, ok, new(big.Int).Mul(x, y))
		if b == (I128{}) {
			continue
		}
		q, m, ok := a.QuoRem(b)
		check("/", q, ok, new(big.Int).Quo(x, y))
		check("%", m, ok, new(big.Int).Rem(x, y))
	}
}

// edgeI128 is a number of a random length, often one beside a power of two.
func edgeI128(r *rand.Rand) I128 {
	x := I128{Lo: r.Uint64(), Hi: int64(r.Uint64())}.Wide().Rsh(uint(r.Intn(128))).Low()
	if r.Intn(3) == 0 {
		x = I128From(1).Wide().Lsh(uint(r.Intn(128))).Low().Add(I128From(int64(r.Intn(3) - 1)))
	}
	if r.Intn(2) == 0 {
		x = x.Neg()
	}
	return x
}
