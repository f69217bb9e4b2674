package function

import (
	"bytes"
	"cmp"
	"math"
	"time"

	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	for _, d := range []struct {
		op           compareOp
		doc, example string
	}{
		{cmpEq, "Compares for equality.", "equals(1, 1) → 1"}, {cmpNe, "Compares for inequality.", "notEquals(1, 1) → 0"},
		{cmpLt, "Compares for less.", "less(1, 2) → 1"}, {cmpGt, "Compares for greater.", "greater(1, 2) → 0"},
		{cmpLe, "Compares for less or equal.", "lessOrEquals(1, 1) → 1"}, {cmpGe, "Compares for greater or equal.", "greaterOrEquals(1, 2) → 0"},
	} {
		register(&Scalar{Name: compareNames[d.op], MinArgs: 2, MaxArgs: 2, Resolve: resolveCompare(d.op), Eval: evalCompare(d.op), Family: "comparison", Doc: d.doc, Example: d.example})
	}
}

type compareOp uint8

const (
	cmpEq compareOp = iota
	cmpNe
	cmpLt
	cmpGt
	cmpLe
	cmpGe
)

var compareNames = [...]string{"equals", "notEquals", "less", "greater", "lessOrEquals", "greaterOrEquals"}

// holds says whether the operator holds for a three-way comparison's result.
func (op compareOp) holds(c int) bool {
	switch op {
	case cmpEq:
		return c == 0
	case cmpNe:
		return c != 0
	case cmpLt:
		return c < 0
	case cmpGt:
		return c > 0
	case cmpLe:
		return c <= 0
	}
	return c >= 0
}

// swapped is the operator with its operands exchanged.
func (op compareOp) swapped() compareOp {
	switch op {
	case cmpLt:
		return cmpGt
	case cmpGt:
		return cmpLt
	case cmpLe:
		return cmpGe
	case cmpGe:
		return cmpLe
	}
	return op
}

func resolveCompare(op compareOp) func(*Env, []Arg) (*types.Type, error) {
	return func(env *Env, args []Arg) (*types.Type, error) {
		a, b := args[0].Type, args[1].Type
		if comparable(a, b) {
			return types.TUInt8, nil
		}
		for i, t := range []*types.Type{b, a} { // a constant string is read as the other's type
			if s, ok := constString(args, 1-i); ok && args[1-i].Type.Kind == types.String {
				_, err := parsedConst(env, t, s)
				if sqlerr.Is(err, sqlerr.UnknownElementOfEnum) {
					err = nil
				}
				if err != nil && isPlainNum(t) && t.Kind != types.Bool {
					err = sqlerr.Wrap(err, sqlerr.TypeMismatch, "Cannot convert string '%s' to type %s", s, t)
				}
				return types.TUInt8, err
			}
		}
		if isAnyNumber(a) && b.IsString() || a.IsString() && isAnyNumber(b) {
			return nil, sqlerr.New(sqlerr.NoCommonType, "There is no supertype for types %s, %s because some of them are numbers and some are not", a, b)
		}
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal types of arguments (%s, %s) of function %s", a, b, compareNames[op])
	}
}

// comparable says whether values of the types compare with each other as they are.
func comparable(a, b *types.Type) bool {
	switch {
	case isAnyNumber(a) && isAnyNumber(b), a.IsString() && b.IsString(), a.IsDateOrTime() && b.IsDateOrTime():
		return true
	case a.Kind == types.Interval && b.Kind == types.Interval:
		return a.Unit == b.Unit || a.Unit.Nanoseconds() > 0 && b.Unit.Nanoseconds() > 0 || a.Unit.Months() > 0 && b.Unit.Months() > 0
	case a.IsTime() || b.IsTime():
		counts := func(t *types.Type) bool { return t.IsTime() || t.IsDateTime() || isAnyNumber(t) }
		return counts(a) && counts(b)
	case a.IsDateTime() && isPlainInt(b), isPlainInt(a) && b.IsDateTime():
		return true
	case a.IsEnum() && isPlainInt(b), isPlainInt(a) && b.IsEnum():
		return true
	case a.IsEnum() && b.IsEnum():
		return a.Equal(b)
	case a.Kind == types.IPv4 && b.Kind == types.IPv6, a.Kind == types.IPv6 && b.Kind == types.IPv4:
		return true
	case a.Kind == types.Tuple && b.Kind == types.Tuple, a.Kind == types.Array && b.Kind == types.Array, a.Kind == types.Map && b.Kind == types.Map:
		_, err := types.Supertype(a, b)
		return err == nil
	}
	return (a.Equal(b) || a.Kind == types.JSON && b.Kind == types.JSON) && a.Kind != types.AggregateFunction
}

// parsedConst reads a string constant as a value of t.
func parsedConst(env *Env, t *types.Type, s string) (column.Vector, error) {
	b := column.New(t, 1)
	p := valuetext.Parser{Zone: env.zone(), Exact: true}
	if err := p.Into(b, t, []byte(s)); err != nil {
		return nil, err
	}
	return b, nil
}

// zone is the session's time zone.
func (e *Env) zone() *time.Location {
	if e == nil || e.Zone == nil {
		return time.UTC
	}
	return e.Zone
}

// zoneOf is the zone in which values of a date type are seen.
func (e *Env) zoneOf(t *types.Type) *time.Location {
	if t.Zone != nil {
		return t.Zone
	}
	return e.zone()
}

func evalCompare(op compareOp) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		dst := kernel.Dirty[uint8](c.Rows)
		a, b, ta, tb := c.Args[0], c.Args[1], c.Types[0], c.Types[1]
		if !comparable(ta, tb) {
			var err error
			if tb.Kind == types.String {
				b, tb, err = readAs(c, b, ta)
			} else {
				a, ta, err = readAs(c, a, tb)
			}
			if err != nil && isPlainNum(ta) {
				err = sqlerr.Wrap(err, sqlerr.TypeMismatch, "Cannot convert string to type %s", ta)
			}
			if sqlerr.Is(err, sqlerr.UnknownElementOfEnum) { // no value equals it
				return &column.Const{Value: column.NewBools([]uint8{b2u(op == cmpNe)}), N: c.Rows}, nil
			}
			if err != nil {
				return nil, err
			}
		}
		if err := compareInto(c, op, dst, a, ta, b, tb); err != nil {
			return nil, err
		}
		return column.NewBools(dst), nil
	}
}

func b2u(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// readAs parses a vector of strings, in general a Const, as values of t.
func readAs(c *Call, v column.Vector, t *types.Type) (column.Vector, *types.Type, error) {
	k := caster{env: c.Env, mode: castExact}
	p, err := k.cast(v, t)
	return p, t, err
}

func compareInto(c *Call, op compareOp, dst []uint8, a column.Vector, ta *types.Type, b column.Vector, tb *types.Type) error {
	switch {
	case ta.IsString() && tb.IsString():
		compareStrings(op, dst, a, b, ta.Kind == types.FixedString || tb.Kind == types.FixedString)
		return nil
	case ta.IsTime() || tb.IsTime():
		a, ta = timeNumbers(a, ta)
		b, tb = timeNumbers(b, tb)
		return compareInto(c, op, dst, a, ta, b, tb)
	case ta.IsDateOrTime() || tb.IsDateOrTime():
		compareTimes(c, op, dst, a, ta, b, tb)
		return nil
	case ta.Kind == types.Interval:
		compareIntervals(op, dst, a, ta, b, tb)
		return nil
	case ta.Kind == types.Decimal || tb.Kind == types.Decimal || isWideInt(ta) || isWideInt(tb):
		compareWide(op, dst, a, ta, b, tb)
		return nil
	case (isPlainNum(ta) || ta.IsEnum()) && (isPlainNum(tb) || tb.IsEnum()):
		compareNumbers(op, dst, a, ta, b, tb)
		return nil
	case ta.Kind == types.IPv4 && tb.Kind == types.IPv4:
		compareNums(op, dst, numsOf[uint32](a), numsOf[uint32](b))
		return nil
	}
	return compareAny(c, op, dst, a, ta, b, tb)
}

// compareAny brings both sides to their common type and compares value by value.
func compareAny(c *Call, op compareOp, dst []uint8, a column.Vector, ta *types.Type, b column.Vector, tb *types.Type) error {
	if !ta.Equal(tb) {
		t, err := types.Supertype(ta, tb)
		if err != nil {
			return err
		}
		if a, err = Cast(c.Env, a, t); err != nil {
			return err
		}
		if b, err = Cast(c.Env, b, t); err != nil {
			return err
		}
	}
	for i := range dst {
		dst[i] = b2u(op.holds(column.Compare(a, i, b, i)))
	}
	return nil
}

// kernelOps are the operators as the kernels know them.
var kernelOps = [...]kernel.Op{cmpEq: kernel.Eq, cmpNe: kernel.Ne, cmpLt: kernel.Lt, cmpGt: kernel.Gt, cmpLe: kernel.Le, cmpGe: kernel.Ge}

// compareNums compares values of one Go type; a slice of length 1 stands for all rows. NaN equals nothing.
func compareNums[T kernel.Number](op compareOp, dst []uint8, a, b []T) {
	if len(a) == 1 && len(dst) != 1 {
		if len(b) == 1 {
			a = spread(a, len(dst))
		} else {
			a, b, op = b, a, op.swapped()
		}
	}
	if len(b) == 1 {
		kernel.CompareConst(dst, kernelOps[op], a[:len(dst)], b[0])
		return
	}
	kernel.Compare(dst, kernelOps[op], a[:len(dst)], b[:len(dst)])
}

// compareNumbers compares exactly: integers of different sign, and integers with floats.
func compareNumbers(op compareOp, dst []uint8, a column.Vector, ta *types.Type, b column.Vector, tb *types.Type) {
	wide := func(t *types.Type) bool { return !t.IsFloat() && t.Width() == 8 }
	switch {
	case ta.Phys() == tb.Phys():
		compareSame(op, dst, a, b, ta.Phys())
	case ta.IsFloat() && wide(tb):
		compareIntFloat(op.swapped(), dst, b, tb, a)
	case tb.IsFloat() && wide(ta):
		compareIntFloat(op, dst, a, ta, b)
	case ta.IsFloat() || tb.IsFloat():
		compareNums(op, dst, numsOf[float64](a), numsOf[float64](b))
	case ta.Kind == types.UInt64 && !tb.IsUnsigned():
		compareSignedUnsigned(op.swapped(), dst, b, a)
	case tb.Kind == types.UInt64 && !ta.IsUnsigned():
		compareSignedUnsigned(op, dst, a, b)
	case ta.Kind == types.UInt64 || tb.Kind == types.UInt64:
		compareNums(op, dst, numsOf[uint64](a), numsOf[uint64](b))
	default:
		compareNarrowed(op, dst, a, ta, b, tb)
	}
}

// compareNarrowed compares integers in 64 bits; a constant that fits the column's type is
// compared in that type, without widening the column.
func compareNarrowed(op compareOp, dst []uint8, a column.Vector, ta *types.Type, b column.Vector, tb *types.Type) {
	if isConstVector(a) && !isConstVector(b) {
		a, ta, b, tb, op = b, tb, a, ta, op.swapped()
	}
	if isConstVector(b) && !isConstVector(a) {
		y := numsOf[int64](b)[0]
		if lo, hi := intRange(ta); y >= lo && y <= hi {
			compareSame(op, dst, a, narrow(ta, []int64{y}), ta.Phys())
			return
		}
	}
	compareNums(op, dst, numsOf[int64](a), numsOf[int64](b))
}

// intRange is the range of an integer type of at most 64 bits, as far as int64 holds it.
func intRange(t *types.Type) (lo, hi int64) {
	bits := uint(8 * t.Width())
	if t.IsUnsigned() {
		if bits == 64 {
			return 0, math.MaxInt64
		}
		return 0, 1<<bits - 1
	}
	return -1 << (bits - 1), 1<<(bits-1) - 1
}

func compareSame(op compareOp, dst []uint8, a, b column.Vector, p types.Phys) {
	switch p {
	case types.PUInt8:
		compareNums(op, dst, numsOf[uint8](a), numsOf[uint8](b))
	case types.PUInt16:
		compareNums(op, dst, numsOf[uint16](a), numsOf[uint16](b))
	case types.PUInt32:
		compareNums(op, dst, numsOf[uint32](a), numsOf[uint32](b))
	case types.PUInt64:
		compareNums(op, dst, numsOf[uint64](a), numsOf[uint64](b))
	case types.PInt8:
		compareNums(op, dst, numsOf[int8](a), numsOf[int8](b))
	case types.PInt16:
		compareNums(op, dst, numsOf[int16](a), numsOf[int16](b))
	case types.PInt32:
		compareNums(op, dst, numsOf[int32](a), numsOf[int32](b))
	case types.PInt64:
		compareNums(op, dst, numsOf[int64](a), numsOf[int64](b))
	case types.PFloat32:
		compareNums(op, dst, numsOf[float32](a), numsOf[float32](b))
	default:
		compareNums(op, dst, numsOf[float64](a), numsOf[float64](b))
	}
}

func compareSignedUnsigned(op compareOp, dst []uint8, a, b column.Vector) {
	x, y := numArg[int64](a, len(dst)), numArg[uint64](b, len(dst))
	for i := range dst {
		c := -1
		if s := x.at(i); s >= 0 {
			c = cmp.Compare(uint64(s), y.at(i))
		}
		dst[i] = b2u(op.holds(c))
	}
}

// compareIntFloat compares 64-bit integers with floats without rounding either.
func compareIntFloat(op compareOp, dst []uint8, a column.Vector, ta *types.Type, b column.Vector) {
	f := numArg[float64](b, len(dst))
	x := numArg[int64](a, len(dst))
	unsigned := ta.IsUnsigned()
	for i := range dst {
		y := f.at(i)
		if y != y {
			dst[i] = b2u(op == cmpNe)
			continue
		}
		c := 0
		if unsigned {
			c = compareUintFloat(uint64(x.at(i)), y)
		} else {
			c = compareIntFloat64(x.at(i), y)
		}
		dst[i] = b2u(op.holds(c))
	}
}

func compareIntFloat64(x int64, y float64) int {
	switch {
	case y >= 1<<63:
		return -1
	case y < -1<<63:
		return 1
	}
	t := math.Trunc(y)
	if c := cmp.Compare(x, int64(t)); c != 0 {
		return c
	}
	return cmp.Compare(t, y)
}

func compareUintFloat(x uint64, y float64) int {
	switch {
	case y >= 1<<64:
		return -1
	case y < 0:
		return 1
	}
	t := math.Trunc(y)
	if c := cmp.Compare(x, uint64(t)); c != 0 {
		return c
	}
	return cmp.Compare(t, y)
}

// compareWide compares decimals and integers of more than 64 bits with numbers.
func compareWide(op compareOp, dst []uint8, a column.Vector, ta *types.Type, b column.Vector, tb *types.Type) {
	if ta.IsFloat() || tb.IsFloat() {
		compareNums(op, dst, floatsOf(a, ta), floatsOf(b, tb))
		return
	}
	if ta.Equal(tb) && ta.Width() <= 8 {
		compareSame(op, dst, a, b, ta.Phys())
		return
	}
	if compareScaled(op, dst, a, ta, b, tb) {
		return
	}
	x, y := newBroadcast(widesOf(a), len(dst)), newBroadcast(widesOf(b), len(dst))
	if scaleOf(ta) == scaleOf(tb) && ta.Kind != types.UInt256 && tb.Kind != types.UInt256 {
		for i := range dst {
			dst[i] = b2u(op.holds(x.at(i).Cmp(y.at(i))))
		}
		return
	}
	s := max(scaleOf(ta), scaleOf(tb))
	upA, upB := pow10Big(s-scaleOf(ta)), pow10Big(s-scaleOf(tb))
	for i := range dst {
		xb, yb := bigOf(x.at(i), ta), bigOf(y.at(i), tb)
		dst[i] = b2u(op.holds(xb.Mul(xb, upA).Cmp(yb.Mul(yb, upB))))
	}
}

// compareStrings compares bytes; with padded, zero bytes at the end do not count (FixedString).
func compareStrings(op compareOp, dst []uint8, a, b column.Vector, padded bool) {
	x, y := stringsOf(a), stringsOf(b)
	switch {
	case padded:
		for i := range dst {
			dst[i] = b2u(op.holds(bytes.Compare(trimZeros(x.row(i)), trimZeros(y.row(i)))))
		}
	case (op == cmpEq || op == cmpNe) && (y.isConst() || x.isConst()):
		if x.isConst() {
			x, y = y, x
		}
		equalConst(dst, x, y.row(0), b2u(op == cmpEq))
	case op == cmpEq:
		for i := range dst {
			dst[i] = b2u(bytes.Equal(x.row(i), y.row(i)))
		}
	default:
		for i := range dst {
			dst[i] = b2u(op.holds(bytes.Compare(x.row(i), y.row(i))))
		}
	}
}

// equalConst compares lengths first: most rows differ there.
func equalConst(dst []uint8, x strArg, y []byte, equal uint8) {
	if x.isConst() {
		r := b2u(bytes.Equal(x.row(0), y)) ^ equal ^ 1
		for i := range dst {
			dst[i] = r
		}
		return
	}
	n := uint32(len(y))
	for i := range dst {
		from, to := x.Off[i], x.Off[i+1]
		r := equal ^ 1
		if to-from == n && bytes.Equal(x.Data[from:to], y) {
			r = equal
		}
		dst[i] = r
	}
}

func trimZeros(s []byte) []byte {
	for len(s) > 0 && s[len(s)-1] == 0 {
		s = s[:len(s)-1]
	}
	return s
}

func compareIntervals(op compareOp, dst []uint8, a column.Vector, ta *types.Type, b column.Vector, tb *types.Type) {
	x, y := numsOf[int64](a), numsOf[int64](b)
	if ta.Unit != tb.Unit {
		x, y = scaled(x, max(ta.Unit.Nanoseconds(), ta.Unit.Months())), scaled(y, max(tb.Unit.Nanoseconds(), tb.Unit.Months()))
	}
	compareNums(op, dst, x, y)
}

func scaled(a []int64, by int64) []int64 {
	out := make([]int64, len(a))
	for i, x := range a {
		out[i] = x * by
	}
	return out
}

// compareTimes compares dates and times as instants: a date is its midnight in the zone of the other side.
func compareTimes(c *Call, op compareOp, dst []uint8, a column.Vector, ta *types.Type, b column.Vector, tb *types.Type) {
	switch {
	case ta.Kind == tb.Kind && ta.Kind != types.DateTime64:
		compareSame(op, dst, a, b, ta.Phys())
		return
	case ta.IsDate() && tb.IsDate():
		compareNums(op, dst, numsOf[int64](a), numsOf[int64](b))
		return
	}
	scale := max(ta.Scale, tb.Scale)
	zone := c.Env.zoneOf(ta)
	if ta.IsDate() {
		zone = c.Env.zoneOf(tb)
	}
	compareNums(op, dst, ticksOf(a, ta, scale, zone), ticksOf(b, tb, scale, zone))
}

// ticksOf returns instants in units of 10^-scale seconds; a plain integer counts seconds.
func ticksOf(v column.Vector, t *types.Type, scale int, zone *time.Location) []int64 {
	data := numsOf[int64](v)
	if t.IsDate() {
		z := civil.NewCursor(zone)
		out := make([]int64, len(data))
		for i, d := range data {
			out[i] = z.Unix(d * civil.Day)
		}
		data = out
	}
	if up := scale - t.Scale; up > 0 {
		by := int64(1)
		for ; up > 0; up-- {
			by *= 10
		}
		return scaled(data, by)
	}
	return data
}
