package exec

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/eval"
)

// AggCall is one aggregate function of an Aggregate.
type AggCall struct {
	Name string
	Fn   function.Aggregate
	Args []int // positions in the program's results
	// Unique says that the call counts the distinct rows of the Unique columns without NULL.
	Unique bool
	// Plain yields the states of a Partial aggregate as a column of the function's PlainType; else as bytes.
	Plain bool
}

// AggregateSpec says what an Aggregate computes.
type AggregateSpec struct {
	// Program computes the keys, then the unique columns, then the arguments, from the input.
	Program *eval.Program
	Keys    column.Schema
	// Unique are the types of the columns whose distinct values some calls count. Rows are then grouped by the keys
	// and these, and the groups by the keys: that takes no set per group.
	Unique []*types.Type
	Calls  []AggCall
	// Sets are the grouping sets as positions in Keys; nil is one set of all keys.
	Sets [][]int
	// SetNumber yields, as the last column, which of the Sets a row is of.
	SetNumber bool
	// Partial yields states; Merge takes states, in either form, as the only argument of each call.
	Partial, Merge bool
	WithTotals     bool
	// Having filters the result when there are totals, which count only the groups that pass; else nil.
	Having *eval.Program
	// Order says that the rows come in the order of some keys; nil: in any. It is for one grouping set, without totals.
	Order *AggOrder
	Text  string
}

// Aggregate groups rows; see aggregation.go for how.
type Aggregate struct {
	base
	AggregateSpec
	totals totals
	top    *TopBound   // of a Sort above: Column is one of the result's
	ended  atomic.Bool // group_by_overflow_mode = 'break'
}

// Bind tells the aggregate that a Sort above takes only the first limit rows by column col: others need not be yielded.
func (a *Aggregate) Bind(s *Sort, col int) {
	s.bound = &TopBound{Column: col, Order: s.keys[0].Order, Limit: int(s.limit), Single: len(s.keys) == 1}
	a.top = s.bound
}

// NewAggregate returns an Aggregate.
func NewAggregate(in Operator, spec AggregateSpec) *Aggregate {
	if spec.Sets == nil {
		all := make([]int, len(spec.Keys))
		for i := range all {
			all[i] = i
		}
		spec.Sets = [][]int{all}
	}
	return &Aggregate{base: base{inputs: []Operator{in}}, AggregateSpec: spec}
}

// Describe implements Operator.
func (a *Aggregate) Describe() string {
	kind := "Aggregate "
	switch {
	case a.Partial:
		kind = "Partial aggregate "
	case a.Merge:
		kind = "Merge aggregate "
	}
	if a.Order != nil {
		return kind + a.Text + " as groups end"
	}
	return kind + a.Text
}

func (a *Aggregate) keyTypes() []*types.Type {
	out := make([]*types.Type, len(a.Keys))
	for i, k := range a.Keys {
		out[i] = k.Type
	}
	return out
}

func (a *Aggregate) streams(r *run) ([]Stream, error) {
	lend(a.inputs[0])
	in, err := open(r, a.inputs[0])
	if err != nil {
		return nil, err
	}
	if a.Order != nil {
		return []Stream{newOrderedAgg(a, r, r.gather(in))}, nil
	}
	if a.WithTotals {
		a.totals.init(a)
	}
	shared := newAggregation(a, r, in)
	out := make([]Stream, r.opts.Threads)
	for i := range out {
		out[i] = newAggStream(shared)
	}
	return out, nil
}

// DescribeAggregate joins names of keys and calls for EXPLAIN.
func DescribeAggregate(keys, calls []string) string {
	text := strings.Join(calls, ", ")
	if len(keys) > 0 {
		text += fmt.Sprintf(" by %s", strings.Join(keys, ", "))
	}
	return strings.TrimSpace(text)
}
