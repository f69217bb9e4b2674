package optimize

import (
	"slices"

	"github.com/olapd/olapd/query/plan"
)

// pushJoin is pushFilters for joins. A side whose rows appear with defaults when they have no partner (or whose own
// rows are kept without one) takes no condition of the other side.
func pushJoin(n *plan.Join, conds []plan.Expr) plan.Node {
	left := len(n.Left.Schema())
	var toLeft, toRight, stay []plan.Expr
	for _, c := range conds {
		l, r := sides(c, left)
		switch {
		case volatile(c), l == r:
			stay = append(stay, c)
		case l && filtersLeft(n.Kind) && sameTypes(c, n, 0):
			toLeft = append(toLeft, c)
		case r && filtersRight(n.Kind) && sameTypes(c, n, left):
			toRight = append(toRight, renumberRight(c, n, left))
		default:
			stay = append(stay, c)
		}
	}
	j := *n
	if n.Kind == plan.Cross || n.Kind == plan.Inner && n.Strictness == plan.All {
		stay = equalities(&j, stay, left)
	}
	j.Left, j.Right = push(n.Left, toLeft), push(n.Right, toRight)
	return filter(&j, stay)
}

func filtersLeft(k plan.JoinKind) bool {
	return slices.Contains([]plan.JoinKind{plan.Inner, plan.Left, plan.Cross, plan.Semi, plan.Anti}, k)
}

func filtersRight(k plan.JoinKind) bool {
	return slices.Contains([]plan.JoinKind{plan.Inner, plan.Right, plan.Cross, plan.RightSemi, plan.RightAnti}, k)
}

// sides reports which sides' columns c reads.
func sides(c plan.Expr, left int) (l, r bool) {
	for i := range columns(c) {
		l, r = l || i < left, r || i >= left
	}
	return l, r
}

// sameTypes reports whether the columns c reads leave the join with the types they came with.
func sameTypes(c plan.Expr, n *plan.Join, from int) bool {
	in := n.Left.Schema()
	if from > 0 {
		in = n.Right.Schema()
	}
	for i := range columns(c) {
		if !n.Fields[i].Type.Equal(in[i-from].Type) {
			return false
		}
	}
	return true
}

func renumberRight(c plan.Expr, n *plan.Join, left int) plan.Expr {
	to := make([]int, len(n.Fields))
	for i := left; i < len(to); i++ {
		to[i] = i - left
	}
	return renumber(c, to)
}

// equalities makes conditions "left = right" join keys and returns the others.
func equalities(j *plan.Join, conds []plan.Expr, left int) []plan.Expr {
	var rest []plan.Expr
	for _, c := range conds {
		a, b, ok := equality(c, left)
		if !ok || !sameVector(a.Type(), b.Type()) || !sameTypes(a, j, 0) || !sameTypes(b, j, left) {
			rest = append(rest, c)
			continue
		}
		j.Kind, j.Strictness = plan.Inner, plan.All
		j.LeftKeys = append(slices.Clip(j.LeftKeys), a)
		j.RightKeys = append(slices.Clip(j.RightKeys), renumberRight(b, j, left))
	}
	return rest
}

func equality(c plan.Expr, left int) (a, b plan.Expr, ok bool) {
	args, is := isCall(c, "equals")
	if !is || volatile(c) {
		return nil, nil, false
	}
	a, b = args[0], args[1]
	if l, _ := sides(a, left); !l {
		a, b = b, a
	}
	al, ar := sides(a, left)
	bl, br := sides(b, left)
	return a, b, al && !ar && br && !bl
}
