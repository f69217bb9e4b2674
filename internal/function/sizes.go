package function

import (
	"math/bits"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	register(
		&Scalar{Name: "byteSize", MaxArgs: -1, Nulls: NullCustom, ExactType: true, Resolve: fixed("byteSize", types.TUInt64), Eval: evalByteSize, Family: "other", Doc: "Returns how many bytes the arguments take in memory, uncompressed.", Example: "byteSize('abc', 1) → 12"},
		&Scalar{Name: "countDigits", MinArgs: 1, MaxArgs: 1, Resolve: fixed("countDigits", types.TUInt8, func(t *types.Type) bool { return t.IsInteger() || isDecimal(t) }), Eval: evalCountDigits, Family: "other", Doc: "Counts the decimal digits of an integer, or of a decimal without its point.", Example: "countDigits(-123) → 3"},
		&Scalar{Name: "visibleWidth", MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, Resolve: fixed("visibleWidth", types.TUInt64), Eval: evalVisibleWidth, Family: "other", Doc: "Returns how many columns a value's text takes on a terminal.", Example: "visibleWidth([1, 2]) → 5"},
	)
}

// lengthBytes is what an array, a map or a string has beside its content: where it ends.
const lengthBytes = 8

func evalByteSize(c *Call) (column.Vector, error) {
	out := make([]uint64, c.Rows)
	for _, a := range c.Args {
		addByteSizes(out, column.Flatten(a))
	}
	return newNum(c.Result, out), nil
}

func addByteSizes(out []uint64, v column.Vector) {
	switch v := v.(type) {
	case *column.Nullable:
		addToEach(out, 1)
		if v.Inner.Type().Kind != types.Nothing {
			addByteSizes(out, v.Inner)
		}
	case *column.Tuple:
		for _, e := range v.Elems {
			addByteSizes(out, e)
		}
	case *column.Array:
		elems := make([]uint64, v.Off[len(v.Off)-1])
		addByteSizes(elems, v.Elem.Slice(0, len(elems)))
		addPerList(out, v.Off, elems)
	case *column.Map:
		elems := make([]uint64, v.Off[len(v.Off)-1])
		addByteSizes(elems, v.Keys.Slice(0, len(elems)))
		addByteSizes(elems, v.Vals.Slice(0, len(elems)))
		addPerList(out, v.Off, elems)
	case *column.Str:
		if w := v.Typ.Width(); w > 0 {
			addToEach(out, uint64(w))
			return
		}
		for i := range out {
			out[i] += lengthBytes + uint64(v.Off[i+1]-v.Off[i])
		}
	default:
		addToEach(out, uint64(v.Type().Width()))
	}
}

func addToEach(out []uint64, n uint64) {
	for i := range out {
		out[i] += n
	}
}

func addPerList(out []uint64, off []uint32, elems []uint64) {
	for i := range out {
		out[i] += lengthBytes
		for _, n := range elems[off[i]:off[i+1]] {
			out[i] += n
		}
	}
}

func evalCountDigits(c *Call) (column.Vector, error) {
	v := column.Flatten(c.Args[0])
	out := make([]uint8, c.Rows)
	if c.Types[0].Width() > 8 {
		for i, x := range widesOf(v) {
			if x.Negative() && !c.Types[0].IsUnsigned() {
				x = x.Neg()
			}
			out[i] = uint8(len(types.U256(x).String()))
		}
		return newNum(c.Result, out), nil
	}
	if c.Types[0].IsUnsigned() {
		for i, x := range numsOf[uint64](v) {
			out[i] = decimalDigits(x)
		}
		return newNum(c.Result, out), nil
	}
	for i, x := range numsOf[int64](v) {
		out[i] = decimalDigits(absInt(x))
	}
	return newNum(c.Result, out), nil
}

// decimalDigits goes by the length in bits: 1233/4096 is the logarithm of 2.
func decimalDigits(x uint64) uint8 {
	n := bits.Len64(x|1) * 1233 >> 12
	if tens := powersOf10[n]; x >= tens {
		n++
	}
	return uint8(max(n, 1))
}

var powersOf10 = powersOf(10)

func evalVisibleWidth(c *Call) (column.Vector, error) {
	v, out, zone := column.Flatten(c.Args[0]), make([]uint64, c.Rows), c.Env.zone()
	var text []byte
	for i := range out {
		text = valuetext.AppendText(text[:0], v, i, zone)
		out[i] = uint64(valuetext.Width(string(text)))
	}
	return newNum(c.Result, out), nil
}
