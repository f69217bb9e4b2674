package function

import "github.com/olapd/olapd/internal/kernel"

// intBounds returns the least and greatest of integers; ok is false for floats, whose NaN needs care.
func intBounds[T number](values []T) (lo, hi T, ok bool) {
	switch v := any(values).(type) {
	case []uint8:
		lo, hi = asNumbers[T](kernel.MinMaxInt(v))
	case []uint16:
		lo, hi = asNumbers[T](kernel.MinMaxInt(v))
	case []uint32:
		lo, hi = asNumbers[T](kernel.MinMaxInt(v))
	case []uint64:
		lo, hi = asNumbers[T](kernel.MinMaxInt(v))
	case []int8:
		lo, hi = asNumbers[T](kernel.MinMaxInt(v))
	case []int16:
		lo, hi = asNumbers[T](kernel.MinMaxInt(v))
	case []int32:
		lo, hi = asNumbers[T](kernel.MinMaxInt(v))
	case []int64:
		lo, hi = asNumbers[T](kernel.MinMaxInt(v))
	default:
		return lo, hi, false
	}
	return lo, hi, true
}

func asNumbers[T, S number](lo, hi S) (T, T) { return T(lo), T(hi) }
