package kernel

// Op is a comparison.
type Op uint8

// The comparisons. With NaN on either side only Ne holds.
const (
	Eq Op = iota
	Ne
	Lt
	Le
	Gt
	Ge
)

var opNames = [...]string{"=", "!=", "<", "<=", ">", ">="}

// String returns the operator as in SQL.
func (o Op) String() string { return opNames[o] }

// Holds reports whether a o b, given the order of a to b: negative, 0 or positive.
func (o Op) Holds(c int) bool {
	switch o {
	case Eq:
		return c == 0
	case Ne:
		return c != 0
	case Lt:
		return c < 0
	case Le:
		return c <= 0
	case Gt:
		return c > 0
	}
	return c >= 0
}

// Flip returns the operator with its sides exchanged: a o b is b o.Flip() a.
func (o Op) Flip() Op { return [...]Op{Eq, Ne, Gt, Ge, Lt, Le}[o] }

// CompareConst writes 1 to dst[i] where a[i] op c, else 0.
func CompareConst[T Number](dst []uint8, op Op, a []T, c T) {
	dst = dst[:len(a)]
	if done := compareConstVectors(dst, op, a, c); done > 0 {
		dst, a = dst[done:], a[done:]
	}
	switch op {
	case Eq:
		for i, x := range a {
			dst[i] = b2u(x == c)
		}
	case Ne:
		for i, x := range a {
			dst[i] = b2u(x != c)
		}
	case Lt:
		for i, x := range a {
			dst[i] = b2u(x < c)
		}
	case Le:
		for i, x := range a {
			dst[i] = b2u(x <= c)
		}
	case Gt:
		for i, x := range a {
			dst[i] = b2u(x > c)
		}
	case Ge:
		for i, x := range a {
			dst[i] = b2u(x >= c)
		}
	}
}

// Compare writes 1 to dst[i] where a[i] op b[i], else 0; a and b are equally long.
func Compare[T Number](dst []uint8, op Op, a, b []T) {
	dst, b = dst[:len(a)], b[:len(a)]
	if op <= Le {
		done := compareVectors(dst, op, a, b)
		dst, a, b = dst[done:], a[done:], b[done:]
	}
	switch op {
	case Eq:
		for i, x := range a {
			dst[i] = b2u(x == b[i])
		}
	case Ne:
		for i, x := range a {
			dst[i] = b2u(x != b[i])
		}
	case Lt:
		for i, x := range a {
			dst[i] = b2u(x < b[i])
		}
	case Le:
		for i, x := range a {
			dst[i] = b2u(x <= b[i])
		}
	case Gt, Ge:
		Compare(dst, op.Flip(), b, a)
	}
}

// InRange writes 1 to dst[i] where lo ≤ a[i] ≤ hi, else 0.
func InRange[T Number](dst []uint8, a []T, lo, hi T) {
	dst = dst[:len(a)]
	done := inRangeVectors(dst, a, lo, hi)
	dst, a = dst[done:], a[done:]
	for i, x := range a {
		dst[i] = b2u(x >= lo) & b2u(x <= hi)
	}
}

// SelectConst appends to sel the positions base+i where a[i] op c.
func SelectConst[T Number](sel []uint32, op Op, a []T, c T, base uint32) []uint32 {
	var mask [1024]uint8
	for len(a) > 0 {
		n := min(len(a), len(mask))
		CompareConst(mask[:n], op, a[:n], c)
		sel = AppendSelected(sel, mask[:n], base)
		a, base = a[n:], base+uint32(n)
	}
	return sel
}
