package exec

import (
	"context"
	"fmt"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/query/exec/eval"
)

// Filter keeps the rows for which a condition is true.
type Filter struct {
	base
	cond *eval.Program
	text string
}

// NewFilter returns a Filter by the first expression of cond; text is for EXPLAIN.
func NewFilter(in Operator, cond *eval.Program, text string) *Filter {
	return &Filter{base: base{inputs: []Operator{in}}, cond: cond, text: text}
}

// Describe implements Operator.
func (f *Filter) Describe() string { return "Filter " + f.text }

func (f *Filter) streams(r *run) ([]Stream, error) {
	return mapStreams(r, f.inputs[0], func(b *column.Block) (*column.Block, error) {
		v, err := f.cond.Run1(b)
		if err != nil {
			return nil, err
		}
		mask := eval.Truth(v, b.N)
		n := kernel.Count(mask)
		if n == b.N {
			return b, nil
		}
		return gatherBlock(b, kernel.AppendSelected(make([]uint32, 0, n), mask, 0)), nil
	})
}

// Project computes expressions.
type Project struct {
	base
	exprs *eval.Program
	text  string
}

// NewProject returns a Project; text is for EXPLAIN.
func NewProject(in Operator, exprs *eval.Program, text string) *Project {
	return &Project{base: base{inputs: []Operator{in}}, exprs: exprs, text: text}
}

// Describe implements Operator.
func (p *Project) Describe() string { return "Project " + p.text }

// Totals implements Operator.
func (p *Project) Totals() (*column.Block, error) {
	t, err := p.base.Totals()
	if t == nil || err != nil {
		return nil, err
	}
	return p.apply(t)
}

func (p *Project) streams(r *run) ([]Stream, error) { return mapStreams(r, p.inputs[0], p.apply) }

func (p *Project) apply(b *column.Block) (*column.Block, error) {
	cols, err := p.exprs.Run(b)
	if err != nil {
		return nil, err
	}
	return &column.Block{Cols: cols, N: b.N}, nil
}

// Values yields constant rows.
type Values struct {
	base
	Block *column.Block
}

// Describe implements Operator.
func (v *Values) Describe() string { return fmt.Sprintf("Values %d rows", v.Block.N) }

func (v *Values) streams(r *run) ([]Stream, error) {
	return []Stream{&valuesStream{rest: blocksOf{b: v.Block, size: r.opts.MaxBlockSize}}}, nil
}

// Union yields the rows of all its inputs.
type Union struct{ base }

// NewUnion returns a Union.
func NewUnion(in ...Operator) *Union { return &Union{base{inputs: in}} }

// Describe implements Operator.
func (u *Union) Describe() string { return "Union" }

// Totals implements Operator: a union has none.
func (u *Union) Totals() (*column.Block, error) { return nil, nil }

// streams deals the inputs' streams out to the workers, each of which drains its own one after the other.
func (u *Union) streams(r *run) ([]Stream, error) {
	var all []Stream
	for _, in := range u.inputs {
		ss, err := open(r, in)
		if err != nil {
			return nil, err
		}
		all = append(all, ss...)
	}
	return dealStreams(all, r.opts.Threads), nil
}

// chain yields the blocks of one stream after the other.
type chain struct{ in []Stream }

func (c *chain) Next(ctx context.Context) (*column.Block, error) {
	for len(c.in) > 0 {
		b, err := c.in[0].Next(ctx)
		if b != nil || err != nil {
			return b, err
		}
		c.in = c.in[1:]
	}
	return nil, nil
}

func (c *chain) stop() {
	for _, s := range c.in {
		stop(s)
	}
}
