package analyze

import (
	"math"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// windowFunctions are the functions that mean something only over a window, with the number of arguments
// they take and what their result is: a type, or nil for that of the first argument.
var windowFunctions = map[string]struct {
	min, max int
	result   *types.Type
}{
	"row_number": {0, 0, types.TUInt64}, "rank": {0, 0, types.TUInt64}, "dense_rank": {0, 0, types.TUInt64}, "denseRank": {0, 0, types.TUInt64},
	"ntile": {1, 1, types.TUInt64}, "percent_rank": {0, 0, types.TFloat64}, "percentRank": {0, 0, types.TFloat64}, "cume_dist": {0, 0, types.TFloat64},
	"lag": {1, 3, nil}, "lead": {1, 3, nil}, "lagInFrame": {1, 3, nil}, "leadInFrame": {1, 3, nil}, "nth_value": {2, 2, nil},
}

// windowName is the function's own name for a name in any case, or "".
func windowName(name string) string {
	if _, ok := windowFunctions[name]; ok {
		return name
	}
	lower := strings.ToLower(name)
	if _, ok := windowFunctions[lower]; ok && lower != "lag" || lower == "lag" || lower == "lead" {
		return lower
	}
	return ""
}

func isWindowFunction(name string) bool { return windowName(name) != "" }

// window resolves a call with OVER.
func (s *scope) window(e *ast.FuncCall) (plan.Expr, error) {
	spec, err := s.windowSpec(e.Over)
	if err != nil {
		return nil, err
	}
	w := &windowExpr{}
	if w.call, w.t, err = s.windowCall(e); err != nil {
		return nil, err
	}
	if w.partition, err = s.resolveAll(spec.PartitionBy); err != nil {
		return nil, err
	}
	if w.order, err = s.orderKeys(spec.OrderBy); err != nil {
		return nil, err
	}
	if w.frame, err = s.frame(spec, w.order); err != nil {
		return nil, err
	}
	for _, p := range parts(w) {
		if contains(p, isWindow) {
			return nil, sqlerr.New(sqlerr.IllegalAggregation, "Window function is found inside window definition of %s", e.Name)
		}
	}
	return w, s.a.grow(w)
}

func (s *scope) windowCall(e *ast.FuncCall) (plan.AggCall, *types.Type, error) {
	name := windowName(e.Name)
	if name == "" {
		if !function.IsAggregate(e.Name) {
			return plan.AggCall{}, nil, sqlerr.New(sqlerr.UnknownAggregateFunction, "Aggregate function with name '%s' does not exist", e.Name)
		}
		call, err := s.aggCall(e)
		if err != nil {
			return plan.AggCall{}, nil, err
		}
		return call, call.Fn.Result(), nil
	}
	args, err := s.resolveAll(e.Args)
	if err != nil {
		return plan.AggCall{}, nil, err
	}
	f := windowFunctions[name]
	if len(args) < f.min || len(args) > f.max {
		return plan.AggCall{}, nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Window function %s takes %d to %d arguments, %d given", name, f.min, f.max, len(args))
	}
	t := f.result
	if t == nil {
		t = args[0].Type().WithoutLowCardinality()
	}
	if len(args) == 3 {
		if args[2], err = s.cast(args[2], t); err != nil {
			return plan.AggCall{}, nil, err
		}
	}
	return plan.AggCall{Name: name, Func: name, Args: args}, t, nil
}

// windowSpec finds the window OVER names, or the written one with its base filled in.
func (s *scope) windowSpec(w *ast.Window) (*ast.Window, error) {
	name := w.Name
	if name == "" {
		name = w.Base
	}
	if name == "" {
		return w, nil
	}
	base := s.windows[name]
	if base == nil {
		return nil, sqlerr.New(sqlerr.BadArguments, "Window '%s' does not exist", name)
	}
	if w.Name != "" {
		return base, nil
	}
	c := *w
	if len(w.PartitionBy) > 0 || len(base.OrderBy) > 0 && len(w.OrderBy) > 0 || base.Frame != nil {
		return nil, sqlerr.New(sqlerr.BadArguments, "Window cannot override the clauses of its base window '%s'", name)
	}
	c.PartitionBy = base.PartitionBy
	if len(c.OrderBy) == 0 {
		c.OrderBy = base.OrderBy
	}
	return &c, nil
}

// frame resolves a window's frame. Without one it reaches from the start of the partition to the current
// row and its peers, or, without ORDER BY, to the end.
func (s *scope) frame(w *ast.Window, order []orderKey) (plan.Frame, error) {
	zero := int64(0)
	f := w.Frame
	if f == nil {
		if len(order) == 0 {
			return plan.Frame{}, nil
		}
		return plan.Frame{End: &zero}, nil
	}
	switch {
	case f.Unit == ast.FrameGroups:
		return plan.Frame{}, sqlerr.New(sqlerr.NotImplemented, "Window frame 'GROUPS' is not implemented")
	case f.From.Kind == ast.UnboundedFollowing:
		return plan.Frame{}, sqlerr.New(sqlerr.BadArguments, "Frame start cannot be UNBOUNDED FOLLOWING")
	case f.To.Kind == ast.UnboundedPreceding:
		return plan.Frame{}, sqlerr.New(sqlerr.BadArguments, "Frame end cannot be UNBOUNDED PRECEDING")
	}
	start, err := s.bound(f.From, "start", f.Unit)
	if err != nil {
		return plan.Frame{}, err
	}
	end, err := s.bound(f.To, "end", f.Unit)
	if err != nil {
		return plan.Frame{}, err
	}
	if start != nil && end != nil && *start > *end {
		return plan.Frame{}, sqlerr.New(sqlerr.BadArguments, "Frame start must not be behind the frame end")
	}
	out := plan.Frame{Rows: f.Unit == ast.FrameRows, Start: start, End: end}
	return out, rangeOffsets(out, order)
}

// rangeOffsets checks that a RANGE frame with offsets has a key that distances make sense of.
func rangeOffsets(f plan.Frame, order []orderKey) error {
	switch {
	case f.Rows || (f.Start == nil || *f.Start == 0) && (f.End == nil || *f.End == 0):
		return nil
	case len(order) != 1:
		return sqlerr.New(sqlerr.BadArguments, "The RANGE OFFSET window frame requires exactly one ORDER BY column, %d given", len(order))
	case !hasDistances(order[0].e.Type()):
		return sqlerr.New(sqlerr.NotImplemented, "The RANGE OFFSET frame for an ORDER BY column of type %s is not implemented", order[0].e.Type())
	}
	return nil
}

// hasDistances reports whether values of t have distances that RANGE counts in.
func hasDistances(t *types.Type) bool {
	if t.Kind == types.LowCardinality {
		return false
	}
	t = t.Inner()
	return t.IsInteger() && t.Width() <= 8 || t.IsFloat() || t.IsDate() || t.Kind == types.DateTime
}

func (s *scope) bound(b ast.FrameBound, which string, unit ast.FrameUnit) (*int64, error) {
	n := int64(0)
	switch b.Kind {
	case ast.UnboundedPreceding, ast.UnboundedFollowing:
		return nil, nil
	case ast.CurrentRow:
		return &n, nil
	}
	x, err := s.resolve(b.Offset)
	if err != nil {
		return nil, err
	}
	c, ok := x.(*plan.Const)
	if !ok || !c.T.IsInteger() && !c.T.IsFloat() || c.T.Width() > 8 {
		return nil, sqlerr.At(b.Offset.Span().Start, sqlerr.BadArguments, "Window frame %s OFFSET expression must be constant with numeric type. Actual: %s", which, ast.Shown(b.Offset))
	}
	p, ok := wholeNumber(c)
	if !ok || p.FromEnd || p.Rows > math.MaxInt32 {
		name := map[ast.FrameUnit]string{ast.FrameRows: "ROWS", ast.FrameRange: "RANGE"}[unit]
		return nil, sqlerr.At(b.Offset.Span().Start, sqlerr.BadArguments, "Frame %s offset for '%s' frame must be a nonnegative 32-bit integer, '%s' given", which, name, ast.Shown(b.Offset))
	}
	if n = int64(p.Rows); b.Kind == ast.Preceding {
		n = -n
	}
	return &n, nil
}

// planWindows computes the window functions among es on top of n, and returns es over what that yields.
func (s *scope) planWindows(n plan.Node, es []plan.Expr) (plan.Node, []plan.Expr, error) {
	calls := collect(es, isWindow)
	if len(calls) == 0 {
		return n, es, nil
	}
	var need []plan.Expr
	for _, c := range calls {
		w := c.(*windowExpr)
		need = append(need, w.partition...)
		for _, o := range w.order {
			need = append(need, o.e)
		}
	}
	n, at, err := s.extend(n, need)
	if err != nil {
		return nil, nil, err
	}
	w := &plan.Window{Input: n, Fields: slices.Clone(n.Schema())}
	to := map[string]plan.Expr{}
	for _, c := range calls {
		e := c.(*windowExpr)
		call := plan.WindowCall{AggCall: e.call, Frame: e.frame}
		for _, p := range e.partition {
			call.PartitionBy = append(call.PartitionBy, at[p.String()])
		}
		for _, o := range e.order {
			call.OrderBy = append(call.OrderBy, plan.SortKey{Index: at[o.e.String()], Order: o.Order})
		}
		to[e.String()] = &plan.Col{Index: len(w.Fields), Name: e.String(), T: e.t}
		w.Calls = append(w.Calls, call)
		w.Fields = append(w.Fields, column.Field{Name: e.String(), Type: e.t})
	}
	out, err := s.rewriter(func(e plan.Expr) (plan.Expr, error) {
		if !isWindow(e) {
			return nil, nil
		}
		return to[e.String()], nil
	}).all(es)
	return w, out, err
}

// collect returns the expressions in es that f holds for, each text once, in the order they are met.
func collect(es []plan.Expr, f func(plan.Expr) bool) []plan.Expr {
	var out []plan.Expr
	seen := map[string]bool{}
	for _, e := range es {
		walk(e, func(e plan.Expr) bool {
			if !f(e) {
				return true
			}
			if key := e.String(); !seen[key] {
				seen[key] = true
				out = append(out, e)
			}
			return true
		})
	}
	return out
}

// extend returns n with a column for each expression, and the columns' positions by the expressions' texts.
func (s *scope) extend(n plan.Node, es []plan.Expr) (plan.Node, map[string]int, error) {
	in := n.Schema()
	exprs := columnsOf(in)
	fields := slices.Clone(in)
	at := map[string]int{}
	for _, e := range es {
		key := e.String()
		if _, ok := at[key]; ok {
			continue
		}
		if c, ok := e.(*plan.Col); ok {
			at[key] = c.Index
			continue
		}
		at[key] = len(exprs)
		exprs = append(exprs, e)
		fields = append(fields, column.Field{Name: key, Type: e.Type()})
	}
	if len(exprs) == len(in) {
		return n, at, nil
	}
	return &plan.Project{Input: n, Exprs: exprs, Fields: fields}, at, nil
}

func columnsOf(s column.Schema) []plan.Expr {
	out := make([]plan.Expr, len(s))
	for i, f := range s {
		out[i] = &plan.Col{Index: i, Name: f.Name, T: f.Type}
	}
	return out
}
