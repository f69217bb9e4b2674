package kernel

// arithOp is an arithmetic operator.
type arithOp uint8

const (
	opAdd arithOp = iota
	opSub
	opMul
	opDiv
)

// Add writes a[i]+b[i]; an operand of length 1 stands for all rows. Integers wrap. dst may be a or b.
func Add[T Number](dst, a, b []T) {
	done := arithVectors(opAdd, dst, a, b)
	dst, a, b = dst[done:], behind(a, done, len(dst)), behind(b, done, len(dst))
	switch {
	case len(a) == len(dst) && len(b) == len(dst):
		for i := range dst {
			dst[i] = a[i] + b[i]
		}
	case len(b) == 1:
		for i, y := 0, b[0]; i < len(dst); i++ {
			dst[i] = a[i] + y
		}
	default:
		for i, x := 0, a[0]; i < len(dst); i++ {
			dst[i] = x + b[i]
		}
	}
}

// Sub writes a[i]-b[i] as Add adds.
func Sub[T Number](dst, a, b []T) {
	done := arithVectors(opSub, dst, a, b)
	dst, a, b = dst[done:], behind(a, done, len(dst)), behind(b, done, len(dst))
	switch {
	case len(a) == len(dst) && len(b) == len(dst):
		for i := range dst {
			dst[i] = a[i] - b[i]
		}
	case len(b) == 1:
		for i, y := 0, b[0]; i < len(dst); i++ {
			dst[i] = a[i] - y
		}
	default:
		for i, x := 0, a[0]; i < len(dst); i++ {
			dst[i] = x - b[i]
		}
	}
}

// Mul writes a[i]*b[i] as Add adds.
func Mul[T Number](dst, a, b []T) {
	done := arithVectors(opMul, dst, a, b)
	dst, a, b = dst[done:], behind(a, done, len(dst)), behind(b, done, len(dst))
	switch {
	case len(a) == len(dst) && len(b) == len(dst):
		for i := range dst {
			dst[i] = a[i] * b[i]
		}
	case len(b) == 1:
		for i, y := 0, b[0]; i < len(dst); i++ {
			dst[i] = a[i] * y
		}
	default:
		for i, x := 0, a[0]; i < len(dst); i++ {
			dst[i] = x * b[i]
		}
	}
}

// Div writes a[i]/b[i] as Add adds.
func Div[T Float](dst, a, b []T) {
	done := arithVectors(opDiv, dst, a, b)
	dst, a, b = dst[done:], behind(a, done, len(dst)), behind(b, done, len(dst))
	switch {
	case len(a) == len(dst) && len(b) == len(dst):
		for i := range dst {
			dst[i] = a[i] / b[i]
		}
	case len(b) == 1:
		for i, y := 0, b[0]; i < len(dst); i++ {
			dst[i] = a[i] / y
		}
	default:
		for i, x := 0, a[0]; i < len(dst); i++ {
			dst[i] = x / b[i]
		}
	}
}

// behind is what is left of an operand for rows rows after the first done: one value stays.
func behind[T any](v []T, done, rows int) []T {
	if len(v) == rows {
		return v[done:]
	}
	return v
}

// Convert writes src as another type, as Go converts.
func Convert[T, S Number](dst []T, src []S) {
	done := widenVectors(dst, src)
	dst, src = dst[done:], src[done:]
	dst = dst[:len(src)]
	for i, x := range src {
		dst[i] = T(x)
	}
}
