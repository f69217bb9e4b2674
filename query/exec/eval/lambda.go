package eval

import (
	"fmt"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/plan"
)

// lambda is the body of a lambda as a program of its own, whose input is the parameters,
// then the columns of the enclosing program's input that the body captures.
type lambda struct {
	body     *Program
	params   int
	captures []int // positions in the enclosing input
}

// lambda compiles l. Columns and the parameters of enclosing lambdas are captured: the
// enclosing program has both in its input.
func (c *compiler) lambda(l *plan.Lambda) (*lambda, error) {
	out := &lambda{params: len(l.Params), body: &Program{env: c.p.env, used: map[int]bool{}}}
	sub := &compiler{p: out.body, sets: c.sets, seen: map[string]int{}}
	sub.columns = func(e *plan.Col) int { return c.capture(out, c.columns(e)) }
	sub.params = func(p *plan.Param) int {
		for i, own := range l.Params {
			if own == p {
				return i
			}
		}
		if c.params == nil {
			panic(fmt.Sprintf("eval: parameter %s outside its lambda", p.Name))
		}
		return c.capture(out, c.params(p))
	}
	root, err := sub.compile(l.Body)
	if err != nil {
		return nil, err
	}
	out.body.roots = []int{root}
	out.body.finish()
	c.p.volatile = c.p.volatile || out.body.volatile
	return out, nil
}

// capture returns the position in l's input of column outer of the enclosing input.
func (c *compiler) capture(l *lambda, outer int) int {
	for i, have := range l.captures {
		if have == outer {
			return l.params + i
		}
	}
	c.p.used[outer] = true
	l.captures = append(l.captures, outer)
	return l.params + len(l.captures) - 1
}

// run computes the body over the parameters; element i belongs to row rows[i] of the enclosing input.
func (l *lambda) run(in *column.Block, params []column.Vector, rows []uint32) (column.Vector, error) {
	cols := make([]column.Vector, l.params+len(l.captures))
	copy(cols, params)
	for i, outer := range l.captures {
		cols[l.params+i] = column.Gather(in.Cols[outer], rows)
	}
	return l.body.Run1(&column.Block{Cols: cols, N: len(rows)})
}
