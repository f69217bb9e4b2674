package function

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// checkVectors returns the common type of the elements of arrays of numbers of at most 64 bits.
func checkVectors(name string, args []Arg) (*types.Type, error) {
	elems := make([]*types.Type, len(args))
	for i, a := range args {
		if !isArray(a.Type) {
			return nil, illegal(name, i, a.Type)
		}
		elems[i] = a.Type.Elem()
	}
	t, err := types.Supertype(elems...)
	if err != nil {
		return nil, err
	}
	if !isPlainNum(t) {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Arguments of function %s have elements of type %s. Supported are integers of at most 64 bits and floats", name, t)
	}
	return t, nil
}

func (m vectorMetric) resolveArrays(args []Arg) (*types.Type, error) {
	if m.power {
		if err := checkPower(m.vectors, m.name, args); err != nil {
			return nil, err
		}
	}
	t, err := checkVectors(m.name, args[:m.vectors])
	if err != nil {
		return nil, err
	}
	if t.Kind == types.Float32 || t.Kind == types.BFloat16 {
		return types.TFloat32, nil
	}
	return types.TFloat64, nil
}

func (m vectorMetric) evalArrays(c *Call) (column.Vector, error) {
	if c.Result.Kind == types.Float32 {
		return evalMetric[float32](m, c)
	}
	return evalMetric[float64](m, c)
}

// evalMetric computes in T, as ClickHouse does. A norm is the distance to zero.
func evalMetric[T float32 | float64](m vectorMetric, c *Call) (column.Vector, error) {
	a, err := vectorArg[T](c, 0)
	if err != nil {
		return nil, err
	}
	zero := make([]T, a.longest(c.Rows))
	b := vectors[T]{}
	if m.vectors == 2 {
		if b, err = vectorArg[T](c, 1); err != nil {
			return nil, err
		}
	}
	p := 0.0
	if m.power {
		p = numsOf[float64](c.Args[m.vectors])[0]
	}
	dst := make([]T, c.Rows)
	for i := range dst {
		x := a.row(i)
		y := zero[:len(x)]
		if m.vectors == 2 {
			if y = b.row(i); len(x) != len(y) {
				return nil, unequalVectors(m.name)
			}
		}
		dst[i] = distance(m.kind, x, y, p)
	}
	return newNum(c.Result, dst), nil
}

func unequalVectors(name string) error {
	return sqlerr.New(sqlerr.SizesOfArraysDontMatch, "Array arguments for function %s must have equal sizes", name)
}

// vectors is an argument of vectors of numbers: one for all rows or one per row.
type vectors[T num] struct {
	at   arrayArg
	nums []T
}

func vectorArg[T num](c *Call, i int) (vectors[T], error) {
	a := arraysOf(c.Args[i])
	elem := column.Flatten(a.Elem)
	if elem.Type().Kind == types.BFloat16 {
		f, err := Cast(c.Env, elem, types.TFloat32)
		if err != nil {
			return vectors[T]{}, err
		}
		elem = column.Flatten(f)
	}
	return vectors[T]{a, numsOf[T](elem)}, nil
}

// longest is the length of the longest vector of n rows.
func (v vectors[T]) longest(n int) int {
	most := 0
	for i := range n {
		from, to := v.at.bounds(i)
		most = max(most, to-from)
	}
	return most
}

func (v vectors[T]) row(i int) []T {
	from, to := v.at.bounds(i)
	return v.nums[from:to]
}

// distance is that of x and y, which are equally long.
func distance[T float32 | float64](kind metricKind, x, y []T, p float64) T {
	switch kind {
	case metricL1:
		return absDistance(x, y)
	case metricL2:
		return T(math.Sqrt(float64(squaredDistance(x, y))))
	case metricL2Squared:
		return squaredDistance(x, y)
	case metricLinf:
		return greatestDistance(x, y)
	case metricLp:
		return powerDistance(x, y, p)
	}
	return 1 - dot(x, y)/T(math.Sqrt(float64(dot(x, x)))*math.Sqrt(float64(dot(y, y))))
}

// The sums run in four lanes, which do not wait for each other.

func absDistance[T float32 | float64](x, y []T) T {
	var s [4]T
	y = y[:len(x)]
	i := 0
	for ; i+4 < len(x); i += 4 {
		a, b := x[i:i+4:i+4], y[i:i+4:i+4]
		s[0] += T(math.Abs(float64(a[0] - b[0])))
		s[1] += T(math.Abs(float64(a[1] - b[1])))
		s[2] += T(math.Abs(float64(a[2] - b[2])))
		s[3] += T(math.Abs(float64(a[3] - b[3])))
	}
	total := s[0] + s[1] + s[2] + s[3]
	for ; i < len(x); i++ {
		total += T(math.Abs(float64(x[i] - y[i])))
	}
	return total
}

func squaredDistance[T float32 | float64](x, y []T) T {
	var s [4]T
	y = y[:len(x)]
	i := 0
	for ; i+4 < len(x); i += 4 {
		a, b := x[i:i+4:i+4], y[i:i+4:i+4]
		d0, d1, d2, d3 := a[0]-b[0], a[1]-b[1], a[2]-b[2], a[3]-b[3]
		s[0] += d0 * d0
		s[1] += d1 * d1
		s[2] += d2 * d2
		s[3] += d3 * d3
	}
	total := s[0] + s[1] + s[2] + s[3]
	for ; i < len(x); i++ {
		d := x[i] - y[i]
		total += d * d
	}
	return total
}

func greatestDistance[T float32 | float64](x, y []T) T {
	var most T
	for i, v := range x {
		if d := T(math.Abs(float64(v - y[i]))); d > most { // a NaN is not
			most = d
		}
	}
	return most
}

func powerDistance[T float32 | float64](x, y []T, p float64) T {
	var total T
	for i, v := range x {
		total += T(math.Pow(math.Abs(float64(v-y[i])), p))
	}
	return T(math.Pow(float64(total), 1/p))
}

// dot is the scalar product, which wraps around in T.
func dot[T num](x, y []T) T {
	var s [4]T
	y = y[:len(x)]
	i := 0
	for ; i+4 < len(x); i += 4 {
		a, b := x[i:i+4:i+4], y[i:i+4:i+4]
		s[0] += a[0] * b[0]
		s[1] += a[1] * b[1]
		s[2] += a[2] * b[2]
		s[3] += a[3] * b[3]
	}
	total := s[0] + s[1] + s[2] + s[3]
	for ; i < len(x); i++ {
		total += x[i] * y[i]
	}
	return total
}

// resolveDot: two arrays of Float32 have a product of Float32; the others' is what multiply returns for elements.
func resolveDot(args []Arg) (*types.Type, error) {
	if _, err := checkVectors("dotProduct", args[:1]); err != nil {
		return nil, err
	}
	if _, err := checkVectors("dotProduct", args[1:]); err != nil {
		return nil, err
	}
	a, b := args[0].Type.Elem(), args[1].Type.Elem()
	if a.Kind == types.Float32 && b.Kind == types.Float32 {
		return types.TFloat32, nil
	}
	return arithResult(opMultiply, a, b)
}

func evalDot(c *Call) (column.Vector, error) {
	switch {
	case c.Result.Kind == types.Float32:
		return dotArrays[float32](c)
	case c.Result.IsFloat():
		return dotArrays[float64](c)
	}
	v, err := dotArrays[int64](c)
	if err != nil {
		return nil, err
	}
	return narrow(c.Result, v.(*column.Num[int64]).Data), nil
}

func dotArrays[T num](c *Call) (column.Vector, error) {
	a, err := vectorArg[T](c, 0)
	if err != nil {
		return nil, err
	}
	b, err := vectorArg[T](c, 1)
	if err != nil {
		return nil, err
	}
	dst := make([]T, c.Rows)
	for i := range dst {
		x, y := a.row(i), b.row(i)
		if len(x) != len(y) {
			return nil, unequalVectors("dotProduct")
		}
		dst[i] = dot(x, y)
	}
	return &column.Num[T]{Typ: c.Result, Data: dst}, nil
}
