package fragment

import (
	"fmt"
	"slices"

	"github.com/olapd/olapd/query/plan"
)

// Groups is where the states of groups are merged of which each may be on several nodes: where the query is, or shuffled, so that each node merges its share of
// the groups, and does with these what is above: HAVING, ORDER BY … LIMIT.
type Groups struct {
	// Never and Always shuffle them, where that can be. Else it is done where there are many.
	Never, Always bool
	// Many is the number of groups from which that is so; 0: never.
	Many int64
	// Estimate returns about how many groups an aggregate has, of all shards; false if that is not known. Nil knows nothing.
	Estimate func(*plan.Aggregate) (int64, bool)
}

// shufflesGroups tells whether the states of an aggregate's groups are shuffled, and why, as far as there was a choice.
func (c *cutter) shufflesGroups(n *plan.Aggregate) (shuffle bool, why string) {
	g := &c.at.Groups
	if len(n.Keys) == 0 || n.Totals || n.GroupingSets != nil || c.steps > 0 || g.Never || slices.ContainsFunc(n.Keys, isNothing) {
		return false, ""
	}
	if g.Always {
		return true, ""
	}
	if g.Estimate == nil || g.Many == 0 {
		return false, ""
	}
	many, known := g.Estimate(n)
	if !known {
		return false, ""
	}
	return many >= g.Many, fmt.Sprintf("about %d groups", many)
}

// spreadByGroups is the spread of an aggregate whose states were shuffled by its keys, which are its first columns.
func (c *cutter) spreadByGroups(keys int) *spread {
	s := &spread{form: fmt.Sprintf("shuffle %d", c.shuffles)}
	for i := range keys {
		s.by = append(s.by, i)
	}
	return s
}
