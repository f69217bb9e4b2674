package build

import (
	"maps"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/plan"
)

// recursive builds the anchor; the operators of a step are built anew for each one, since they run once.
func (b *builder) recursive(n *plan.Recursive, depth int) (exec.Operator, error) {
	anchor, err := b.node(n.Anchor, nil, depth)
	if err != nil {
		return nil, err
	}
	work := maps.Clone(b.work)
	if work == nil {
		work = map[*plan.Work]*exec.WorkRows{}
	}
	rows := &exec.WorkRows{}
	work[n.Work] = rows
	step := func() (exec.Operator, []exec.SetSource, error) {
		own := &builder{o: b.o, sets: eval.NewSets(b.o.Env, b.o.CollideHashes), queued: map[*plan.Set]bool{}, work: work}
		own.sets.Keep(b.o.Kept)
		op, err := own.node(n.Step, nil, depth)
		return op, own.sources, err
	}
	return exec.NewRecursive(anchor, exec.RecursiveSpec{Step: step, Work: rows, Name: n.Name, Depth: n.Depth}), nil
}

func (b *builder) working(n *plan.Working) (exec.Operator, error) {
	rows := b.work[n.Work]
	if rows == nil {
		return nil, sqlerr.New(sqlerr.NotImplemented, "The rows of the recursive CTE %s are not known in this place", n.Name)
	}
	return exec.NewWorking(rows, n.Name), nil
}
