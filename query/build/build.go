// Package build turns a logical plan into a pipeline: all physical choices are made here.
//
// Which operator runs a node, in which order a scan's conjuncts are evaluated, what of a filter
// the storage may prune by (condition.go), which columns are read at all, and what
// runs first (the subqueries of IN).
package build

import (
	"context"

	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/plan"
)

// Options are what a plan is built for.
type Options struct {
	Storage exec.Storage
	Env     *function.Env
	// Remotes runs the fragments of Exchanges on other nodes; nil: there are no Exchanges.
	Remotes exec.Remotes
	// Peers are the other nodes that run the same fragment, where Build builds one that has Shuffles.
	Peers exec.Peers
	// Choice chooses among the rows of a plan that is a Sort with a limit, where they may be fetched late; or is nil.
	Choice *exec.Choice
	// Columns marks the columns of the result that are read; nil: all. The others may be nil in its blocks.
	Columns []bool
	exec.Options
}

// maxDepth bounds the plan's nesting, which recursion follows.
const maxDepth = 1000

// Build returns the pipeline of a plan. What cannot run is NotImplemented, naming it. Nothing is
// opened before Pipeline.Run or Plan.
func Build(_ context.Context, n plan.Node, o Options) (*exec.Pipeline, error) {
	b := &builder{o: o, sets: eval.NewSets(o.Env, o.CollideHashes), queued: map[*plan.Set]bool{}, late: map[*plan.Sort]*exec.Choice{}}
	b.o.Kept = eval.NewKept(o.Budget)
	b.sets.Keep(b.o.Kept)
	if o.Peers != nil {
		b.enterShuffles(n, &exec.Mesh{Peers: o.Peers, Finish: true})
	}
	if s, ok := n.(*plan.Sort); ok && o.Choice != nil {
		b.late[s] = o.Choice
	}
	root, err := b.node(n, columnsIn(o.Columns), 0)
	if err != nil {
		return nil, err
	}
	return exec.NewPipeline(root, n.Schema(), b.sources, b.o.Options), nil
}

type builder struct {
	o       Options
	sets    *eval.Sets
	sources []exec.SetSource // inner subqueries before those that use them
	queued  map[*plan.Set]bool
	shared  map[*plan.Broadcast]*exec.SharedRows
	// meetings are the Shuffles of the fragments that are built.
	meetings map[*plan.Shuffle]meeting
	// late chooses among the rows of top-ks of fragments.
	late  map[*plan.Sort]*exec.Choice
	depth int
	work  map[*plan.Work]*exec.WorkRows // of the recursions around what is built
}

// needed marks the columns of a node that its reader uses; nil is all.
type needed map[int]bool

func (u needed) has(i int) bool { return u == nil || u[i] }

// node builds n, whose reader uses only the columns in use.
func (b *builder) node(n plan.Node, use needed, depth int) (exec.Operator, error) {
	if depth > maxDepth {
		return nil, sqlerr.New(sqlerr.TooDeepSubqueries, "Plan is nested more than %d deep", maxDepth)
	}
	depth++
	b.depth = depth
	switch n := n.(type) {
	case *plan.Scan:
		return b.scan(n, use, nil)
	case *plan.Values:
		return &exec.Values{Block: n.Block}, nil
	case *plan.Filter:
		return b.filter(n, use, depth)
	case *plan.Project:
		return b.project(n, use, depth)
	case *plan.Aggregate:
		return b.aggregate(n, nil, depth)
	case *plan.Sort:
		return b.sort(n, depth)
	case *plan.Fill:
		return b.fill(n, depth)
	case *plan.Slice:
		return b.slice(n, depth)
	case *plan.Recursive:
		return b.recursive(n, depth)
	case *plan.Working:
		return b.working(n)
	case *plan.Limit:
		return b.limit(n, depth)
	case *plan.LimitBy:
		return b.limitBy(n, depth)
	case *plan.Distinct:
		return b.distinct(n, depth)
	case *plan.Union:
		return b.union(n, depth)
	case *plan.Join:
		return b.join(n, use, depth)
	case *plan.ArrayJoin:
		return b.arrayJoin(n, depth)
	case *plan.Window:
		return b.window(n, depth)
	case *plan.Exchange:
		return b.exchange(n, use, depth)
	case *plan.Broadcast:
		return b.broadcast(n, depth)
	case *plan.Shuffle:
		return b.shuffle(n, depth)
	}
	return nil, sqlerr.New(sqlerr.NotImplemented, "Running %T is not implemented", n)
}

// program compiles expressions, queueing the subqueries in them.
func (b *builder) program(exprs ...plan.Expr) (*eval.Program, error) {
	for _, e := range exprs {
		if err := b.queueSets(e); err != nil {
			return nil, err
		}
	}
	return eval.Compile(b.o.Env, exprs, b.sets)
}

// programOver is program over what an operator yields.
func (b *builder) programOver(in exec.Operator, exprs ...plan.Expr) (*eval.Program, error) {
	p, err := b.program(exprs...)
	if s, ok := in.(*exec.Scan); ok && err == nil {
		p.Expect(s.Expected)
	}
	return p, err
}

func (b *builder) queueSets(e plan.Expr) error {
	var err error
	plan.Walk(e, func(e plan.Expr) bool {
		if in, ok := e.(*plan.In); ok && err == nil {
			err = b.queueSet(in.Set)
		}
		return err == nil
	})
	return err
}

func (b *builder) queueSet(s *plan.Set) error {
	if s.Input == nil || b.queued[s] {
		return nil
	}
	b.queued[s] = true
	root, err := b.node(s.Input, nil, b.depth)
	if err != nil {
		return err
	}
	set, err := b.sets.Get(s)
	if err != nil {
		return err
	}
	b.sources = append(b.sources, exec.SetSource{Root: root, Set: set})
	return nil
}

// usedBy is the columns that expressions read.
func usedBy(exprs ...plan.Expr) needed {
	u := needed{}
	for _, e := range exprs {
		plan.Columns(e, u)
	}
	return u
}
