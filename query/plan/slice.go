package plan

import (
	"fmt"
	"math"
)

// Slice is LIMIT and OFFSET where one of them is counted from the end or is a part of all rows; see Cut. WithTies takes in the rows
// whose sort keys equal those of the last row wanted, on the side the limit counts to.
type Slice struct {
	Input         Node
	Limit, Offset Portion
	WithTies      []SortKey
	// By are positions of columns: the cut is made in each group of rows with equal ones. WithTies is nil then.
	By []int
}

// Portion is a number of rows, from the start or from the end, or a part of all rows.
type Portion struct {
	Rows    uint64 // NoLimit: all
	FromEnd bool
	Part    float64 // between 0 and 1: this part of all rows, instead of Rows
}

// Plain reports whether it is a number of rows from the start.
func (p Portion) Plain() bool { return !p.FromEnd && p.Part == 0 }

// of is how many of total rows it speaks of.
func (p Portion) of(total uint64) uint64 {
	if p.Part > 0 {
		return min(uint64(math.Ceil(float64(total)*p.Part)), total)
	}
	return min(p.Rows, total)
}

// Cut returns the rows [from, to) of total that OFFSET and then LIMIT leave.
func Cut(total uint64, limit, offset Portion) (from, to uint64) {
	from, to = 0, total
	if skip := offset.of(total); offset.FromEnd {
		to -= skip
	} else {
		from = skip
	}
	if n := min(limit.of(total), to-from); limit.FromEnd {
		from = to - n
	} else {
		to = from + n
	}
	return from, to
}

// String prints the portion as SQL does.
func (p Portion) String() string {
	switch {
	case p.Part > 0:
		return fmt.Sprint(p.Part)
	case p.FromEnd:
		return fmt.Sprintf("-%d", p.Rows)
	case p.Rows == NoLimit:
		return "all"
	}
	return fmt.Sprint(p.Rows)
}

func describeSlice(n *Slice) string {
	s := "Slice " + n.Limit.String()
	if n.Offset != (Portion{}) {
		s += " offset " + n.Offset.String()
	}
	if n.By != nil {
		s += " by " + columnList(n.By, n.Schema())
	}
	if n.WithTies != nil {
		s += " with ties " + sortKeys(n.WithTies, n.Schema())
	}
	return s
}
