package build

import (
	"slices"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// meeting is a Shuffle's number in its fragment and the mesh of that.
type meeting struct {
	number int
	mesh   *exec.Mesh
}

// enterShuffles notes the Shuffles of a fragment, which are built later.
func (b *builder) enterShuffles(fragment plan.Node, mesh *exec.Mesh) {
	for i, s := range plan.Shuffles(fragment) {
		if b.meetings == nil {
			b.meetings = map[*plan.Shuffle]meeting{}
		}
		b.meetings[s] = meeting{i, mesh}
	}
}

func (b *builder) shuffle(n *plan.Shuffle, depth int) (exec.Operator, error) {
	m, ok := b.meetings[n]
	if !ok {
		return nil, sqlerr.New(sqlerr.LogicalError, "A Shuffle where there are no other nodes")
	}
	in, err := b.node(n.Input, nil, depth)
	if err != nil {
		return nil, err
	}
	keys, err := b.program(n.Keys...)
	if err != nil {
		return nil, err
	}
	ts := make([]*types.Type, len(n.Keys))
	for i, k := range n.Keys {
		ts[i] = k.Type()
	}
	return exec.NewShuffle(in, keys, ts, n.Schema(), m.number, m.mesh, plan.Describe(n)), nil
}

// instead builds what takes the place of a fragment some of whose Broadcasts, by their order, are too large to be sent: the joins of these shuffled,
// where they all can be; else it is run here.
func (b *builder) instead(n *plan.Exchange, large []bool, use needed, depth int) (exec.Operator, error) {
	some := map[*plan.Broadcast]bool{}
	for i, s := range plan.Broadcasts(n.Input) {
		if !large[i] {
			continue
		}
		if _, ok := s.Input.(*plan.Exchange); !ok || !s.OrShuffle {
			return b.node(unsent(n.Input, n.Shards), use, depth)
		}
		some[s] = true
	}
	for s := range some {
		b.shared[s].Drop()
		delete(b.shared, s)
	}
	return b.node(shuffled(n, some), use, depth)
}

// shuffled is an Exchange whose joins with some Broadcasts are of both sides shuffled.
func shuffled(n *plan.Exchange, some map[*plan.Broadcast]bool) *plan.Exchange {
	shards := n.Shards
	in := plan.Transform(n.Input, func(x plan.Node) plan.Node {
		j, ok := x.(*plan.Join)
		if !ok {
			return x
		}
		s, ok := j.Right.(*plan.Broadcast)
		if !ok || !some[s] {
			return x
		}
		right := s.Input.(*plan.Exchange)
		shards = both(shards, right.Shards)
		return j.Shuffled(j.Left, right.Input)
	})
	return &plan.Exchange{Input: in, Shards: shards, Why: n.Why}
}

// both are the shards of two lists, of which nil is all.
func both(a, b []uint64) []uint64 {
	if a == nil || b == nil {
		return nil
	}
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	return slices.Compact(out)
}
