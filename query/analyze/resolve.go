package analyze

import (
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/plan"
)

// resolve types an expression. Errors carry the place in the text.
func (s *scope) resolve(e ast.Expr) (plan.Expr, error) {
	s.depth++
	defer func() { s.depth-- }()
	if s.depth > maxExprDepth {
		return nil, sqlerr.At(e.Span().Start, sqlerr.TooDeepAST, "AST is too deep. Maximum: %d", maxExprDepth)
	}
	switch e := e.(type) {
	case *ast.Literal:
		return literal(e), nil
	case *ast.Ident:
		return s.ident(e)
	case *ast.Alias:
		return s.resolveNamed(e)
	case *ast.FuncCall:
		x, err := s.function(e)
		return x, at(err, e)
	case *ast.Subquery:
		x, err := s.scalar(e)
		return x, at(err, e)
	case *ast.QueryParam:
		return s.queryParam(e)
	case *ast.Lambda:
		return nil, sqlerr.At(e.Start, sqlerr.BadArguments, "Lambda %s is not allowed in expression context", ast.Shown(e))
	case *ast.Asterisk, *ast.QualifiedAsterisk, *ast.ColumnsMatcher:
		xs, err := s.matched(e)
		if err == nil && len(xs) != 1 {
			err = sqlerr.New(sqlerr.BadArguments, "%s stands for %d columns where one expression is expected", ast.Shown(e), len(xs))
		}
		if err != nil {
			return nil, at(err, e)
		}
		return xs[0].e, nil
	}
	return nil, sqlerr.At(e.Span().Start, sqlerr.UnsupportedTypeOfASTNode, "Unexpected %s in an expression", ast.Shown(e))
}

// resolveNamed resolves expr AS name once, through the scope's alias where it is the same expression.
func (s *scope) resolveNamed(e *ast.Alias) (plan.Expr, error) {
	if al := s.aliases[e.Name]; al != nil && !al.busy && al.expr == e.Expr {
		return s.resolveAlias(al)
	}
	return s.resolve(e.Expr)
}

// resolveAll resolves a list; asterisks and the like stand for several expressions.
func (s *scope) resolveAll(es []ast.Expr) ([]plan.Expr, error) {
	var out []plan.Expr
	for _, e := range es {
		switch e.(type) {
		case *ast.Asterisk, *ast.QualifiedAsterisk, *ast.ColumnsMatcher:
			xs, err := s.matched(e)
			if err != nil {
				return nil, at(err, e)
			}
			for _, x := range xs {
				out = append(out, x.e)
			}
			continue
		}
		x, err := s.resolve(e)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// function resolves a call of any kind.
func (s *scope) function(e *ast.FuncCall) (plan.Expr, error) {
	if e.Over != nil {
		return s.window(e)
	}
	if al := s.lambdaAlias(e.Name); al != nil {
		return s.callLambda(al, e)
	}
	if f := s.a.definedFunction(e.Name); f != nil {
		return s.callDefined(f, e)
	}
	switch e.Name {
	case "in", "notIn", "globalIn", "globalNotIn":
		return s.in(e)
	case "exists":
		return s.exists(e)
	case "grouping":
		if len(e.Args) == 0 {
			return nil, sqlerr.New(sqlerr.TooFewArgumentsForFunction, "Function GROUPING expects at least one argument")
		}
		args, err := s.resolveAll(e.Args)
		return &groupingExpr{args: args}, err
	case "arrayJoin":
		return s.unfold(e)
	}
	if function.Lookup(e.Name) == nil && function.IsAggregate(e.Name) {
		return s.aggregate(e)
	}
	if err := onlyScalar(e); err != nil {
		return nil, err
	}
	return s.scalarCall(e)
}

// onlyScalar refuses what only aggregates have.
func onlyScalar(e *ast.FuncCall) error {
	if isWindowFunction(e.Name) {
		return sqlerr.New(sqlerr.BadArguments, "The function '%s' can only be used as a window function, not as an aggregate function", e.Name)
	}
	if function.Lookup(e.Name) == nil {
		return unknownFunction(e.Name)
	}
	switch {
	case e.Params != nil:
		return sqlerr.New(sqlerr.BadArguments, "Function %s is not parametric", e.Name)
	case e.Distinct, e.Filter != nil:
		return sqlerr.New(sqlerr.UnknownAggregateFunction, "Aggregate function with name '%s' does not exist", e.Name)
	}
	return nil
}

func unknownFunction(name string) error {
	var known []string
	for _, f := range function.All() {
		known = append(known, f.Name)
	}
	return sqlerr.New(sqlerr.UnknownFunction, "Function with name `%s` does not exist%s", name, maybe(name, known))
}

// scalarCall resolves a call of a scalar function, with its lambda if it takes one.
func (s *scope) scalarCall(e *ast.FuncCall) (plan.Expr, error) {
	lambda, ok := firstLambda(e)
	if !ok {
		es, err := s.dictionaryNamed(e)
		if err != nil {
			return nil, err
		}
		args, err := s.resolveAll(es)
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(e.Name, "CAST") && len(args) == 2 {
			args[1] = s.castType(args[0], args[1])
		}
		if isLiteral(e) {
			if _, err := types.Supertype(typesOf(args)...); err != nil {
				return nil, err // branches and array(…) make a Variant, literals do not
			}
		}
		return s.callNamed(e.Name, args, s.argNames(e.Args, args))
	}
	rest, err := s.resolveAll(e.Args[1:])
	if err != nil {
		return nil, err
	}
	l, err := s.lambda(e.Name, lambda, rest)
	if err != nil {
		return nil, err
	}
	return s.call(e.Name, append([]plan.Expr{l}, rest...)...)
}

// isLiteral reports whether e is an array in brackets of nothing but literals.
func isLiteral(e *ast.FuncCall) bool {
	if e.Syntax != ast.SyntaxArray {
		return false
	}
	for _, a := range e.Args {
		call, ok := a.(*ast.FuncCall)
		if _, plain := a.(*ast.Literal); !plain && !(ok && isLiteral(call)) {
			return false
		}
	}
	return true
}

func typesOf(es []plan.Expr) []*types.Type {
	ts := make([]*types.Type, len(es))
	for i, e := range es {
		ts[i] = e.Type()
	}
	return ts
}

// dictionaryNamed returns the arguments of a call, the first of a function over dictionaries as text where it is an identifier.
func (s *scope) dictionaryNamed(e *ast.FuncCall) ([]ast.Expr, error) {
	f := function.Lookup(e.Name)
	if f.Family != function.FamilyDictionaries || len(e.Args) == 0 {
		return e.Args, nil
	}
	id, ok := e.Args[0].(*ast.Ident)
	if !ok {
		return e.Args, nil
	}
	path, err := s.a.path(id)
	if err != nil {
		return nil, err
	}
	if c, err := s.constantName(path); c != nil || err != nil {
		return e.Args, err
	}
	name := &ast.Literal{Range: id.Range, Kind: ast.LiteralString, Str: strings.Join(path, ".")}
	return append([]ast.Expr{name}, e.Args[1:]...), nil
}

// castType is the type a CAST names; with cast_keep_nullable what is Nullable stays so.
func (s *scope) castType(x, to plan.Expr) plan.Expr {
	c, ok := to.(*plan.Const)
	if !ok || !x.Type().IsNullable() || !s.a.flag("cast_keep_nullable", false) {
		return to
	}
	name, _ := column.Value(c.Value, 0).(string)
	t, err := types.Parse(name)
	if err != nil || t.IsNullable() {
		return to // the error is that of the call
	}
	return constant(types.TString, nullableScalar(t).String())
}

func firstLambda(e *ast.FuncCall) (*ast.Lambda, bool) {
	if len(e.Args) == 0 {
		return nil, false
	}
	first, _ := ast.Unalias(e.Args[0])
	l, ok := first.(*ast.Lambda)
	return l, ok
}

// argNames are the texts of arguments, for tuples that name their elements; nil if they do not match one to one.
func (s *scope) argNames(es []ast.Expr, args []plan.Expr) []string {
	if len(es) != len(args) {
		return nil
	}
	out := make([]string, len(es))
	for i, e := range es {
		if _, name := ast.Unalias(e); name != "" {
			out[i] = name
			continue
		}
		out[i] = s.columnName(e)
	}
	return out
}

// lambda types the lambda of a higher-order function from the types of its other arguments.
func (s *scope) lambda(name string, l *ast.Lambda, rest []plan.Expr) (*plan.Lambda, error) {
	f := function.Lookup(name)
	if f.Lambda == nil {
		return nil, sqlerr.New(sqlerr.BadArguments, "Function %s does not take a lambda", name)
	}
	ts, err := f.Lambda(argsOf(rest, nil), len(l.Params))
	if err != nil {
		return nil, err
	}
	params := make([]*plan.Param, len(l.Params))
	depth := len(s.params)
	for i, p := range l.Params {
		params[i] = &plan.Param{Name: p, T: ts[i].WithoutLowCardinality()}
		s.params = append(s.params, binding{p, params[i]})
	}
	body, err := s.resolve(l.Body)
	s.params = s.params[:depth]
	if err != nil {
		return nil, err
	}
	return &plan.Lambda{Params: params, Body: body}, nil
}

// lambdaAlias returns the lambda that WITH x -> … AS name made a function of that name.
func (s *scope) lambdaAlias(name string) *ast.Lambda {
	for p := s; p != nil; p = p.parent {
		if al := p.aliases[name]; al != nil {
			l, _ := al.expr.(*ast.Lambda)
			return l
		}
	}
	return nil
}

// callLambda puts the arguments in the place of a named lambda's parameters.
func (s *scope) callLambda(l *ast.Lambda, e *ast.FuncCall) (plan.Expr, error) {
	args, err := s.resolveAll(e.Args)
	if err != nil {
		return nil, err
	}
	if len(args) != len(l.Params) {
		return nil, sqlerr.New(sqlerr.BadArguments, "Lambda %s expect %d arguments. Actual: %d", ast.Shown(l), len(l.Params), len(args))
	}
	outer := s.params
	s.params = nil
	for i, p := range l.Params {
		s.params = append(s.params, binding{p, args[i]})
	}
	s.a.defined = append(s.a.defined, e.Name)
	x, err := s.resolve(l.Body)
	s.params, s.a.defined = outer, s.a.defined[:len(s.a.defined)-1]
	return x, err
}

func (a *analyzer) definedFunction(name string) *catalog.Function {
	if a.opts.Catalog == nil {
		return nil
	}
	return a.opts.Catalog.Function(name)
}

// callDefined puts the body of a function that SQL defines in the place of a call.
func (s *scope) callDefined(f *catalog.Function, e *ast.FuncCall) (plan.Expr, error) {
	if slices.Contains(s.a.defined, f.Name) {
		return nil, sqlerr.New(sqlerr.UnsupportedMethod, "Recursive lambda %s", f.Lambda)
	}
	x, err := parseExpr(f.Lambda)
	if err != nil {
		return nil, err
	}
	l, ok := x.(*ast.Lambda)
	if !ok {
		return nil, sqlerr.New(sqlerr.BadArguments, "Function %s is not a lambda: %s", f.Name, f.Lambda)
	}
	return s.callLambda(l, e)
}

// call binds a scalar function over resolved arguments, and evaluates it if all are constant.
func (s *scope) call(name string, args ...plan.Expr) (plan.Expr, error) {
	return s.callNamed(name, args, nil)
}

func (s *scope) callNamed(name string, args []plan.Expr, names []string) (plan.Expr, error) {
	name, args, err := s.onObject(name, args)
	if err != nil {
		return nil, err
	}
	b, err := function.Bind(s.a.env, name, argsOf(args, names))
	if err != nil {
		return nil, err
	}
	if c, err := s.a.fold(b, args); c != nil || err != nil {
		return c, err
	}
	c := &plan.Call{Fn: b, Args: args}
	return c, s.a.grow(c)
}

// onObject is a call of a function that takes the elements of tuples, or the text of JSON, over a value of type JSON.
func (s *scope) onObject(name string, args []plan.Expr) (string, []plan.Expr, error) {
	if len(args) == 0 || args[0].Type().WithoutNullable().Kind != types.JSON {
		return name, args, nil
	}
	f := function.Lookup(name)
	switch {
	case f == nil:
	case f.Name == "tupleElement" && len(args) == 2 && args[1].Type().Kind == types.String:
		return "getSubcolumn", args, nil
	case f.ReadsJSON():
		text, err := s.call("toString", args[0])
		return name, append([]plan.Expr{text}, args[1:]...), err
	}
	return name, args, nil
}

// rebind calls the same function over other arguments; the binding is kept where the types are.
func (s *scope) rebind(c *plan.Call, args []plan.Expr) (plan.Expr, error) {
	for i, a := range args {
		_, isConst := a.(*plan.Const)
		_, wasConst := c.Args[i].(*plan.Const)
		if !a.Type().Equal(c.Args[i].Type()) || isConst != wasConst {
			return s.call(c.Fn.Func.Name, args...)
		}
	}
	return &plan.Call{Fn: c.Fn, Args: args}, nil
}

func argsOf(es []plan.Expr, names []string) []function.Arg {
	out := make([]function.Arg, len(es))
	for i, e := range es {
		out[i] = function.Arg{Type: e.Type()}
		switch e := e.(type) {
		case *plan.Const:
			out[i].Const = e.Value
		case *plan.Lambda:
			out[i].Lambda = true
		}
		if names != nil {
			out[i].Name = names[i]
		}
	}
	return out
}

// grow counts the nodes of an expression with its aliases written out; TooBigAST above the limit.
func (a *analyzer) grow(e plan.Expr) error {
	n := 1
	for _, p := range parts(e) {
		n += max(a.sizes[p], 1)
	}
	a.sizes[e] = n
	if limit := a.number("max_expanded_ast_elements", maxExpandedElements); uint64(n) > limit {
		return sqlerr.New(sqlerr.TooBigAST, "AST is too big after alias expansion. Maximum: %d", limit)
	}
	return nil
}

// cast converts to a type, which for LowCardinality and Nullable may be no more than a change of name.
func (s *scope) cast(e plan.Expr, t *types.Type) (plan.Expr, error) {
	if e.Type().Equal(t) {
		return e, nil
	}
	return s.call("CAST", e, constant(types.TString, t.String()))
}

// common casts expressions to their least common type.
func (s *scope) common(es ...plan.Expr) ([]plan.Expr, error) {
	ts := make([]*types.Type, len(es))
	for i, e := range es {
		ts[i] = e.Type().WithoutLowCardinality()
	}
	t, err := types.Supertype(ts...)
	if err != nil {
		return nil, err
	}
	out := make([]plan.Expr, len(es))
	for i, e := range es {
		out[i] = e
		if !ts[i].Equal(t) {
			if out[i], err = s.cast(e, t); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// unfold resolves arrayJoin(x).
func (s *scope) unfold(e *ast.FuncCall) (plan.Expr, error) {
	args, err := s.resolveAll(e.Args)
	if err != nil {
		return nil, err
	}
	if len(args) != 1 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Number of arguments for function arrayJoin doesn't match: passed %d, should be 1", len(args))
	}
	x, err := s.asArray(args[0])
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.IllegalTypeOfArgument, "Argument for function arrayJoin must be Array or Map")
	}
	u := &unfoldExpr{array: x, t: x.Type().Elem()}
	return u, s.a.grow(u)
}

// asArray makes a map the array of its pairs; IllegalTypeOfArgument for what is neither.
func (s *scope) asArray(e plan.Expr) (plan.Expr, error) {
	t := e.Type().WithoutLowCardinality()
	switch t.Kind {
	case types.Array:
		return e, nil
	case types.Map:
		return s.cast(e, types.NewArray(types.NewTuple([]*types.Type{t.Elems[0], t.Elems[1]}, []string{"keys", "values"})))
	}
	return nil, sqlerr.New(sqlerr.TypeMismatch, "ARRAY JOIN requires an array or a map. Actual: %s", t)
}

// scalarOnly refuses aggregates and the like where only a row's own values are known.
func scalarOnly(e plan.Expr, where string) error {
	var err error
	walk(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *aggExpr:
			err = sqlerr.New(sqlerr.IllegalAggregation, "Aggregate function %s is found in %s", e, where)
		case *windowExpr:
			err = sqlerr.New(sqlerr.IllegalAggregation, "Window function %s is found in %s", e.call.Name, where)
		case *groupingExpr:
			err = sqlerr.New(sqlerr.IllegalAggregation, "Function grouping is found in %s", where)
		}
		return err == nil
	})
	return err
}

// condition makes e usable as a filter: UInt8 or Bool, perhaps Nullable.
func (s *scope) condition(e plan.Expr, clause string) (plan.Expr, error) {
	t := e.Type().Inner()
	switch {
	case t.Kind == types.UInt8 || t.Kind == types.Bool:
		return e, nil
	case t.Kind == types.Nothing:
		return constant(types.TUInt8, uint8(0)), nil
	case t.IsInteger() || t.IsFloat():
		return s.call("notEquals", e, unsigned(0))
	}
	return nil, sqlerr.New(sqlerr.IllegalTypeOfColumnForFilter, "Invalid type for filter in %s: %s", clause, e.Type())
}

// parseExpr parses the SQL of an expression kept in the catalog.
func parseExpr(sql string) (ast.Expr, error) {
	e, err := parse.Expr(sql, parse.Limits{})
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CodeOf(err), "in stored expression %s", strings.TrimSpace(sql))
	}
	return e, nil
}
