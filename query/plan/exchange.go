package plan

import (
	"strings"

	"github.com/olapd/olapd/internal/column"
)

// Exchange yields what Input yields when it is run once for every shard of the cluster, in any order. Input, a fragment, reads
// stored tables, of which each shard has other rows, and Broadcasts.
type Exchange struct {
	Input Node
	// Shards are those that have rows of use; nil: all may have.
	Shards []uint64
	// Why says, for EXPLAIN, why its rows come here as they are; or is empty.
	Why string
}

// Broadcast yields all rows of Input wherever it is run: the node that has the query runs Input once, and sends the rows with the
// fragments that have the Broadcast in them.
type Broadcast struct {
	Input Node
	// OrShuffle says that the join it is a side of shuffles both sides instead, if the rows are too many to be sent to all.
	OrShuffle bool
}

// Schema implements Node.
func (n *Exchange) Schema() column.Schema  { return n.Input.Schema() }
func (n *Broadcast) Schema() column.Schema { return n.Input.Schema() }

// Inputs implements Node.
func (n *Exchange) Inputs() []Node  { return []Node{n.Input} }
func (n *Broadcast) Inputs() []Node { return []Node{n.Input} }

// Broadcasts returns what a fragment is sent: the Broadcasts in it, also those that are sets of its expressions, each once and
// always in the same order.
func Broadcasts(fragment Node) []*Broadcast {
	var out []*Broadcast
	seen := map[*Broadcast]bool{}
	var walk func(Node)
	walk = func(n Node) {
		if b, ok := n.(*Broadcast); ok {
			if !seen[b] {
				seen[b] = true
				out = append(out, b)
			}
			return // what is below is not the fragment's
		}
		for _, in := range n.Inputs() {
			walk(in)
		}
		for _, s := range Subqueries(n) {
			walk(s.Input)
		}
	}
	walk(fragment)
	return out
}

// Bare is the name that Fn was bound from: Func without what DISTINCT adds to it.
func (a AggCall) Bare() string {
	if a.Distinct {
		return strings.TrimSuffix(a.Func, "Distinct")
	}
	return a.Func
}

// Shuffle yields those rows of Input whose Keys belong to the node that runs it: each node that runs the fragment it is in runs Input over its own
// rows and sends every row to the one node that its keys have the hash of. Rows with equal keys meet, also those of another Shuffle of the fragment
// whose keys have the same types. So do rows whose keys are NULL in the same places.
type Shuffle struct {
	Input Node
	Keys  []Expr // one at least
	Why   string // for EXPLAIN, why it is shuffled, or empty; it does not travel
}

// Schema implements Node.
func (n *Shuffle) Schema() column.Schema { return n.Input.Schema() }

// Inputs implements Node.
func (n *Shuffle) Inputs() []Node { return []Node{n.Input} }

// Shuffles returns the Shuffles of a fragment, always in the same order.
func Shuffles(fragment Node) []*Shuffle {
	var out []*Shuffle
	if _, ok := fragment.(*Broadcast); ok { // what is below is not the fragment's
		return nil
	}
	for _, in := range fragment.Inputs() {
		out = append(out, Shuffles(in)...)
	}
	if s, ok := fragment.(*Shuffle); ok {
		out = append(out, s)
	}
	return out
}

// Shuffled is the join with both sides, given anew, shuffled by its keys.
func (n *Join) Shuffled(left, right Node) *Join {
	keys := n.Equalities()
	c := *n
	c.Left, c.Right = &Shuffle{Input: left, Keys: n.LeftKeys[:keys]}, &Shuffle{Input: right, Keys: n.RightKeys[:keys]}
	return &c
}

// Equalities is how many of the pairs of keys must be equal: those of ASOF JOIN but the last.
func (n *Join) Equalities() int {
	if n.Strictness == Asof {
		return len(n.LeftKeys) - 1
	}
	return len(n.LeftKeys)
}
