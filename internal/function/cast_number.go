package function

import (
	"math"
	"math/big"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// numbers converts between integers, floats, decimals and Interval.
func (k *caster) numbers(v column.Vector, to *types.Type) (column.Vector, error) {
	from := v.Type()
	var (
		out column.Vector
		err error
	)
	switch {
	case to.Kind == types.Bool:
		out = newNum(to, toBools(v, from))
	case to.Kind == types.Decimal:
		return k.toDecimal(v, from, to)
	case from.Kind == types.Decimal:
		return k.fromDecimal(v, from, to)
	case isWideInt(from) || isWideInt(to):
		return k.wide(v, from, to)
	case from.IsFloat() && !to.IsFloat():
		out, err = k.floatToInt(v, to)
	default:
		out = convertTo(v, to)
	}
	if err != nil || k.mode == castWrap {
		return out, err
	}
	return k.checkEqual(v, from, out, to)
}

func toBools(v column.Vector, from *types.Type) []uint8 {
	if words, ok := wordsOf(v, from); ok && from.Kind == types.Decimal {
		out := make([]uint8, len(words))
		kernel.CompareConst(out, kernel.Ne, words, 0)
		return out
	}
	if isWideInt(from) || from.Kind == types.Decimal {
		out := make([]uint8, v.Len())
		for i, x := range widesOf(v) {
			out[i] = b2u(x != types.I256{})
		}
		return out
	}
	val, _ := truth(v)
	return val
}

// convertTo converts plain numbers as Go does: integers wrap.
func convertTo(v column.Vector, to *types.Type) column.Vector {
	switch to.Phys() {
	case types.PUInt8:
		return newNum(to, numsOf[uint8](v))
	case types.PUInt16:
		return newNum(to, numsOf[uint16](v))
	case types.PUInt32:
		return newNum(to, numsOf[uint32](v))
	case types.PUInt64:
		return newNum(to, numsOf[uint64](v))
	case types.PInt8:
		return newNum(to, numsOf[int8](v))
	case types.PInt16:
		return newNum(to, numsOf[int16](v))
	case types.PInt32:
		return newNum(to, numsOf[int32](v))
	case types.PInt64:
		return newNum(to, numsOf[int64](v))
	case types.PFloat32:
		return floats32(to, numsOf[float32](v))
	}
	return newNum(to, numsOf[float64](v))
}

func (k *caster) floatToInt(v column.Vector, to *types.Type) (column.Vector, error) {
	data := numsOf[float64](v)
	out := make([]uint64, len(data))
	for i, x := range data {
		switch {
		case math.IsNaN(x) || math.IsInf(x, 0):
			if k.mode != castOrNull && !k.skip(i) {
				return nil, sqlerr.New(sqlerr.CannotConvertType, "Unexpected inf or nan to integer conversion")
			}
		case x >= 1<<63 && x < 1<<64 && to.IsUnsigned():
			out[i] = uint64(x)
		case x >= 1<<63 || x < -1<<63:
			out[i] = 1 << 63
		default:
			out[i] = uint64(int64(x))
		}
	}
	return narrow(to, out), nil
}

// checkEqual makes values that changed in conversion an error, or NULL.
func (k *caster) checkEqual(v column.Vector, from *types.Type, out column.Vector, to *types.Type) (column.Vector, error) {
	same := make([]uint8, v.Len())
	switch {
	case to.Kind == types.Bool, from.Kind == types.Interval, to.Kind == types.Interval:
		return out, nil
	case isWideInt(from) || isWideInt(to):
		compareWide(cmpEq, same, v, from, out, to)
	default:
		compareNumbers(cmpEq, same, v, from, out, to)
	}
	nulls := make([]uint8, len(same))
	for i, s := range same {
		nulls[i] = s ^ 1
		if s == 0 && k.mode == castExact && !k.skip(i) {
			return nil, inexact(from, to)
		}
	}
	if k.mode == castOrNull {
		return column.NewNullable(nulls, out), nil
	}
	return out, nil
}

// wide converts from or to integers of more than 64 bits.
func (k *caster) wide(v column.Vector, from, to *types.Type) (column.Vector, error) {
	if from.IsFloat() {
		data := numsOf[float64](v)
		out := make([]types.I256, len(data))
		for i, x := range data {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, sqlerr.New(sqlerr.CannotConvertType, "Unexpected inf or nan to integer conversion")
			}
			b, _ := new(big.Float).SetFloat64(x).Int(nil)
			out[i], _ = types.I256FromBig(b)
		}
		return storeWide(to, out), nil
	}
	data := widesOf(v)
	if to.IsFloat() {
		return narrowFloat(to, floatsOf(v, from)), nil
	}
	out := storeWide(to, data)
	if k.mode == castWrap {
		return out, nil
	}
	return k.checkEqual(v, from, out, to)
}

func narrowFloat(t *types.Type, data []float64) column.Vector {
	if t.Phys() == types.PFloat32 {
		return floats32(t, convertNums[float32](data))
	}
	return newNum(t, data)
}

// floats32 stores floats as Float32 or BFloat16.
func floats32(t *types.Type, data []float32) column.Vector {
	if t.Kind != types.BFloat16 {
		return newNum(t, data)
	}
	out := make([]float32, len(data))
	for i, x := range data {
		out[i] = types.TruncateBFloat16(x)
	}
	return newNum(t, out)
}

func decimalOverflow(to *types.Type) error {
	return sqlerr.New(sqlerr.DecimalOverflow, "Convert overflow: the value does not fit %s", to)
}

// decimalOut collects decimals, checking each against the precision.
type decimalOut struct {
	k     *caster
	to    *types.Type
	limit *big.Int
	data  []types.I256
	nulls []uint8
}

func (k *caster) newDecimalOut(to *types.Type, n int) *decimalOut {
	limit := pow10Big(decimalWidth(to))
	if decimalWidth(to) < to.N {
		limit = pow10Big(to.N)
	}
	return &decimalOut{k: k, to: to, limit: limit, data: make([]types.I256, n), nulls: make([]uint8, n)}
}

func (d *decimalOut) set(i int, v *big.Int) error {
	if v == nil || v.CmpAbs(d.limit) >= 0 {
		if d.k.mode != castOrNull && !d.k.skip(i) {
			return decimalOverflow(d.to)
		}
		d.nulls[i] = 1
		return nil
	}
	d.data[i], _ = types.I256FromBig(v)
	return nil
}

func (d *decimalOut) result() column.Vector {
	v := storeWide(d.to, d.data)
	if d.k.mode == castOrNull {
		return column.NewNullable(d.nulls, v)
	}
	return v
}

func (k *caster) toDecimal(v column.Vector, from, to *types.Type) (column.Vector, error) {
	if from.Kind == types.BFloat16 {
		return nil, sqlerr.New(sqlerr.NotImplemented, "Conversion from BFloat16 to Decimal is not implemented")
	}
	var scaled column.Vector
	if from.IsFloat() {
		scaled = floatsToDecimal(numsOf[float64](v), to)
	} else {
		scaled = scaleToDecimal(v, from, to)
	}
	if scaled != nil {
		return k.allThere(scaled), nil
	}
	return k.decimalFromBig(v, from, to)
}

// decimalFromBig converts in big integers: of any width, and with errors.
func (k *caster) decimalFromBig(v column.Vector, from, to *types.Type) (column.Vector, error) {
	out := k.newDecimalOut(to, v.Len())
	if from.IsFloat() {
		up := pow10Float(to.Scale)
		for i, x := range numsOf[float64](v) {
			var b *big.Int
			if y := x * up; !math.IsNaN(y) && !math.IsInf(y, 0) {
				b, _ = new(big.Float).SetFloat64(y).Int(nil)
			}
			if err := out.set(i, b); err != nil {
				return nil, err
			}
		}
		return out.result(), nil
	}
	up, down := big.NewInt(1), big.NewInt(1)
	if d := to.Scale - scaleOf(from); d >= 0 {
		up = pow10Big(d)
	} else {
		down = pow10Big(-d)
	}
	for i, x := range widesOf(v) {
		b := bigOf(x, from)
		if err := out.set(i, b.Quo(b.Mul(b, up), down)); err != nil {
			return nil, err
		}
	}
	return out.result(), nil
}

// allThere is v as the result of a conversion that succeeded for all rows.
func (k *caster) allThere(v column.Vector) column.Vector {
	if k.mode == castOrNull {
		return column.NewNullable(make([]uint8, v.Len()), v)
	}
	return v
}

func (k *caster) fromDecimal(v column.Vector, from, to *types.Type) (column.Vector, error) {
	if to.IsFloat() {
		return narrowFloat(to, floatsOf(v, from)), nil
	}
	if whole := scaleToInt(v, from, to, k.mode != castWrap); whole != nil {
		return k.allThere(whole), nil
	}
	return k.intFromBig(v, from, to)
}

// intFromBig converts decimals in big integers: of any width, and with errors.
func (k *caster) intFromBig(v column.Vector, from, to *types.Type) (column.Vector, error) {
	div := pow10Big(from.Scale)
	data := widesOf(v)
	out, nulls := make([]types.I256, len(data)), make([]uint8, len(data))
	for i, x := range data {
		b, rest := new(big.Int).QuoRem(x.Big(), div, new(big.Int))
		if !fitsInt(b, to) || k.mode != castWrap && rest.Sign() != 0 {
			if k.mode != castOrNull && !k.skip(i) {
				return nil, decimalOverflow(to)
			}
			nulls[i] = 1
			continue
		}
		out[i], _ = types.I256FromBig(b)
	}
	r := storeWide(to, out)
	if k.mode == castOrNull {
		return column.NewNullable(nulls, r), nil
	}
	return r, nil
}

func fitsInt(b *big.Int, t *types.Type) bool {
	bits := 8 * t.Width()
	if t.IsUnsigned() {
		return b.Sign() >= 0 && b.BitLen() <= bits
	}
	if b.Sign() < 0 {
		b = new(big.Int).Not(b)
	}
	return b.BitLen() < bits
}
