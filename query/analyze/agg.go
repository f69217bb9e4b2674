package analyze

import (
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// aggregate resolves a call of an aggregate function.
func (s *scope) aggregate(e *ast.FuncCall) (plan.Expr, error) {
	call, err := s.aggCall(e)
	if err != nil {
		return nil, err
	}
	for _, a := range call.Args {
		if contains(a, isAgg) {
			return nil, sqlerr.New(sqlerr.IllegalAggregation, "Aggregate function %s is found inside another aggregate function in query", call)
		}
		if err := scalarOnly(a, "an aggregate function"); err != nil {
			return nil, err
		}
	}
	x := &aggExpr{call: call}
	return x, s.a.grow(x)
}

// aggCall binds an aggregate: count(*) is count(), FILTER is the combinator -If, DISTINCT is -Distinct or, of count, uniqExact.
func (s *scope) aggCall(e *ast.FuncCall) (plan.AggCall, error) {
	params, texts, err := s.parameters(e)
	if err != nil {
		return plan.AggCall{}, err
	}
	astArgs := e.Args
	if len(astArgs) == 1 && strings.EqualFold(strings.TrimSuffix(e.Name, "State"), "count") {
		if a, ok := astArgs[0].(*ast.Asterisk); ok && len(a.Transformers) == 0 {
			astArgs = nil
		}
	}
	args, err := s.resolveAll(astArgs)
	if err != nil {
		return plan.AggCall{}, err
	}
	name, distinct := e.Name, e.Distinct
	if e.Filter != nil {
		cond, err := s.resolve(e.Filter)
		if err == nil {
			cond, err = s.condition(cond, "FILTER")
		}
		if err != nil {
			return plan.AggCall{}, err
		}
		args = append(args, cond)
		name, distinct = filtered(name, distinct), false
	}
	if e.Nulls == ast.RespectNulls {
		base := strings.TrimSuffix(name, "If")
		if !function.IsAggregate(base + "_respect_nulls") {
			return plan.AggCall{}, sqlerr.New(sqlerr.NotImplemented, "RESPECT NULLS is not supported by the aggregate function %s", e.Name)
		}
		name = base + "_respect_nulls" + name[len(base):]
	}
	if s.a.flag("aggregate_functions_null_for_empty", false) {
		name = nullForEmpty(name)
	}
	return s.bindAgg(name, params, texts, args, distinct)
}

// nullForEmpty adds -OrNull behind the function's own name, before other combinators. Functions that count are 0 of no rows anyway.
func nullForEmpty(name string) string {
	lower := strings.ToLower(name)
	for _, counting := range []string{"count", "uniqexact", "uniqhll12", "uniqupto", "uniqtheta"} {
		if strings.HasPrefix(lower, counting) {
			return name
		}
	}
	if strings.HasPrefix(lower, "uniq") && !strings.HasPrefix(lower, "uniqcombined") || strings.Contains(name, "OrNull") || strings.Contains(name, "OrDefault") {
		return name
	}
	for n := len(name); n > 0; n-- {
		if function.LookupAggregate(name[:n]) != nil {
			return name[:n] + "OrNull" + name[n:]
		}
	}
	return name
}

// filtered is the name of an aggregate with the combinator -If behind what DISTINCT makes of it.
func filtered(name string, distinct bool) string {
	switch {
	case distinct && strings.EqualFold(name, "count"):
		name = "uniqExact"
	case distinct:
		name += "Distinct"
	}
	return name + "If"
}

func (s *scope) bindAgg(name string, params []column.Vector, texts []string, args []plan.Expr, distinct bool) (plan.AggCall, error) {
	ts := make([]*types.Type, len(args))
	for i, a := range args {
		ts[i] = a.Type()
	}
	fn, err := function.BindAggregate(s.a.env, name, params, ts, distinct)
	if err != nil {
		return plan.AggCall{}, err
	}
	c := plan.AggCall{Name: name, Fn: fn, Args: args, Func: name, Params: params, Distinct: distinct}
	if f := function.LookupAggregate(name); f != nil {
		c.Name, c.Func = f.Name, f.Name // COUNT(*) and count() are one aggregate
	}
	if distinct {
		c.Name, c.Func = c.Name+"Distinct", c.Func+"Distinct"
	}
	if texts != nil {
		c.Name += "(" + strings.Join(texts, ", ") + ")"
	}
	return c, nil
}

// parameters evaluates the parameters of a parametric aggregate and prints them.
func (s *scope) parameters(e *ast.FuncCall) (vs []column.Vector, texts []string, err error) {
	for _, p := range e.Params {
		x, err := s.resolve(p)
		if err != nil {
			return nil, nil, err
		}
		c, ok := x.(*plan.Const)
		if !ok {
			return nil, nil, sqlerr.New(sqlerr.BadArguments, "Parameter for function '%s' expected to have constant value. Actual: %s", e.Name, ast.Shown(p))
		}
		vs, texts = append(vs, c.Value), append(texts, c.String())
	}
	return vs, texts, nil
}
