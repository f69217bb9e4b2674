package fragment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// Joins is how tables are joined whose rows with equal keys are not known to be together.
type Joins struct {
	// Never and Always shuffle the rows of both sides, where that can be. Else it is done for sides that are large.
	Never, Always bool
	// Large is the bytes from which a side is; 0: none is.
	Large int64
}

// shuffled returns a join of two spread sides with both shuffled, if that can be and is to be.
func (c *cutter) shuffled(n *plan.Join, left, right plan.Node) (plan.Node, *spread) {
	if !c.canShuffle(n) {
		return nil, nil
	}
	switch j := &c.at.Joins; {
	case j.Never:
		return nil, nil
	case j.Always:
	case byLeftRows(n): // what is not known to be large is sent to all as far as it is not
		if least, _ := c.size(right); j.Large == 0 || least <= j.Large {
			return nil, nil
		}
	default: // both sides would have to come here
		_, l := c.size(left)
		_, r := c.size(right)
		if l+r <= max(j.Large, 0) {
			return nil, nil
		}
	}
	c.shuffles++
	return n.Shuffled(left, right), c.spreadByKeys(n)
}

// canShuffle reports whether the rows of a join can be dealt out by keys: there are some, of the same type on both sides.
func (c *cutter) canShuffle(n *plan.Join) bool {
	keys := n.Equalities()
	if keys < 1 || c.steps > 0 || n.Strictness == plan.Any && n.Kind == plan.Full {
		return false
	}
	return !slices.ContainsFunc(n.LeftKeys[:keys], isNothing) && !slices.ContainsFunc(n.RightKeys[:keys], isNothing)
}

func isNothing(e plan.Expr) bool { return e.Type().Inner().Kind == types.Nothing }

// unknownSize is the most that a node may have for rows of tables that nothing is known of.
const unknownSize = 1 << 60

// size returns how many bytes the rows of a part of a plan take, at least and at most, as far as that is known of its tables.
func (c *cutter) size(n plan.Node) (least, most int64) {
	switch n := n.(type) {
	case *plan.Scan:
		most = unknownSize
		if c.at.Bytes != nil {
			if b, ok := c.at.Bytes(n); ok {
				least, most = b, b
			}
		}
		if n.Filter != nil || n.Limit != 0 || n.Sample != 0 || n.Final {
			least = 0
		}
		return least, most
	case *plan.Filter, *plan.Aggregate, *plan.Distinct, *plan.LimitBy:
		_, most = c.size(n.Inputs()[0])
		return 0, most
	case *plan.Project, *plan.Shuffle, *plan.Window:
		return c.size(n.Inputs()[0])
	case *plan.Union:
		for _, in := range n.All {
			l, m := c.size(in)
			least, most = least+l, min(most+m, unknownSize)
		}
		return least, most
	}
	return 0, unknownSize
}

// spreadByKeys is the spread of a shuffled join: by the keys of the side that each row has its own of, where all of these are columns without NULL.
func (c *cutter) spreadByKeys(n *plan.Join) *spread {
	keys, offset := n.LeftKeys, 0
	switch n.Kind {
	case plan.Right, plan.RightSemi, plan.RightAnti:
		keys, offset = n.RightKeys, len(n.Left.Schema())
	case plan.Full:
		return anywhere
	}
	s := &spread{form: fmt.Sprintf("shuffle %d", c.shuffles)}
	for _, k := range keys[:n.Equalities()] {
		col, ok := k.(*plan.Col)
		if !ok || col.T.IsNullable() || strings.Contains(col.T.String(), "Nullable") || strings.Contains(col.T.String(), "Float") {
			return anywhere
		}
		s.by = append(s.by, col.Index+offset)
	}
	return s
}
