package exec

import (
	"context"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

// RecursiveSpec says what a Recursive computes; see plan.Recursive.
type RecursiveSpec struct {
	// Step builds the operators of one step, and the sets they need, which are filled first.
	Step  func() (Operator, []SetSource, error)
	Work  *WorkRows
	Name  string
	Depth uint64
}

// Recursive yields the rows of its input and then, step by step, what follows from them.
type Recursive struct {
	base
	RecursiveSpec
}

// NewRecursive returns a Recursive.
func NewRecursive(anchor Operator, spec RecursiveSpec) *Recursive {
	return &Recursive{base: base{inputs: []Operator{anchor}}, RecursiveSpec: spec}
}

// Describe implements Operator.
func (n *Recursive) Describe() string { return "Recursive " + n.Name }

// Totals implements Operator: there are none.
func (n *Recursive) Totals() (*column.Block, error) { return nil, nil }

func (n *Recursive) streams(r *run) ([]Stream, error) {
	in, err := single(r, n.inputs[0])
	if err != nil {
		return nil, err
	}
	return []Stream{&recursiveStream{n: n, r: r, in: in, work: r.reservation(), next: r.reservation()}}, nil
}

type recursiveStream struct {
	n          *Recursive
	r          *run
	in         Stream
	op         Operator // of the step at hand; nil for the anchor
	rows       []*column.Block
	steps      uint64
	work, next *reservation // of the rows read and of those gathered
	done       bool
}

func (s *recursiveStream) stop() { stop(s.in) }

func (s *recursiveStream) Next(ctx context.Context) (*column.Block, error) {
	for !s.done {
		b, err := s.in.Next(ctx)
		if err != nil {
			return nil, err
		}
		if b != nil {
			s.rows = append(s.rows, b)
			return b, s.next.add(blockBytes(b))
		}
		if err := s.advance(); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// advance begins the next step, over the rows gathered.
func (s *recursiveStream) advance() error {
	if s.op != nil {
		if err := eachScan(s.op, (*Scan).close); err != nil {
			return err
		}
	}
	if len(s.rows) == 0 {
		s.done = true
		return nil
	}
	if s.steps++; s.steps > s.n.Depth {
		return sqlerr.New(sqlerr.TooDeepRecursion, "Maximum recursive CTE evaluation depth (%d) exceeded, during evaluation of %s. Consider raising max_recursive_cte_evaluation_depth setting", s.n.Depth, s.n.Name)
	}
	s.n.Work.blocks, s.rows = s.rows, nil
	s.work, s.next = s.next, s.work
	s.next.release()
	op, sets, err := s.n.Step()
	if err != nil {
		return err
	}
	s.op = op
	s.r.atEnd(func() error { return eachScan(op, (*Scan).close) })
	for _, set := range sets {
		if err := fillSet(s.r, set); err != nil {
			return err
		}
		if err := eachScan(set.Root, (*Scan).close); err != nil {
			return err
		}
	}
	s.in, err = single(s.r, op)
	return err
}

// WorkRows are the rows that a step reads.
type WorkRows struct{ blocks []*column.Block }

// Working yields the rows of the step before.
type Working struct {
	base
	work *WorkRows
	name string
}

// NewWorking returns a Working; name is for EXPLAIN.
func NewWorking(work *WorkRows, name string) *Working { return &Working{work: work, name: name} }

// Describe implements Operator.
func (w *Working) Describe() string { return "Rows of " + w.name }

func (w *Working) streams(*run) ([]Stream, error) {
	return []Stream{&blockList{w.work.blocks}}, nil
}

// blockList yields blocks that are there.
type blockList struct{ blocks []*column.Block }

func (l *blockList) Next(context.Context) (*column.Block, error) {
	if len(l.blocks) == 0 {
		return nil, nil
	}
	b := l.blocks[0]
	l.blocks = l.blocks[1:]
	return b, nil
}
