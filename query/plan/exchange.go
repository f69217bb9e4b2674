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
}

// Broadcast yields all rows of Input wherever it is run: the node that has the query runs Input once, and sends the rows with the
// fragments that have the Broadcast in them.
type Broadcast struct{ Input Node }

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
