package analyze

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// join analyzes left JOIN right.
func (s *scope) join(t *ast.Join) (*frame, error) {
	l, err := s.table(t.Left)
	if err != nil {
		return nil, err
	}
	r, err := s.table(t.Right)
	if err != nil {
		return nil, err
	}
	if err := s.checkAliases(t, l, r); err != nil {
		return nil, at(err, t)
	}
	j := &plan.Join{}
	if j.Kind, j.Strictness, err = s.joinKind(t); err != nil {
		return nil, at(err, t)
	}
	if len(t.Using) > 0 {
		f, err := s.joinUsing(t, j, l, r)
		return f, at(err, t)
	}
	f := combine(l, r)
	if t.On != nil {
		if err := s.joinOn(t, j, f, l, r); err != nil {
			return nil, at(err, t)
		}
	} else if j.Kind != plan.Cross {
		return nil, sqlerr.At(t.Start, sqlerr.SyntaxError, "JOIN needs ON or USING")
	}
	return s.finishJoin(j, f, l, r)
}

// checkAliases refuses subqueries that cannot be referred to, and two tables of one alias.
func (s *scope) checkAliases(t *ast.Join, l, r *frame) error {
	for _, side := range []ast.TableExpr{t.Left, t.Right} {
		missing := false
		switch side := side.(type) {
		case *ast.SubqueryTable:
			missing = side.Alias == ""
		case *ast.TableFunction:
			missing = side.Alias == ""
		}
		if missing && t.Kind != ast.JoinComma && s.a.flag("joined_subquery_requires_alias", true) {
			return sqlerr.New(sqlerr.AliasRequired, "JOIN has no alias for subquery or table function %s (set joined_subquery_requires_alias = 0 to disable restriction)", ast.Shown(side))
		}
	}
	for _, a := range l.sources {
		for _, b := range r.sources {
			if a.alias != "" && a.alias == b.alias {
				return sqlerr.New(sqlerr.MultipleExpressionsForAlias, "Multiple table expressions with same alias %s", a.alias)
			}
		}
	}
	return nil
}

var (
	sideKinds = map[ast.JoinKind]plan.JoinKind{ast.JoinInner: plan.Inner, ast.JoinLeft: plan.Left, ast.JoinRight: plan.Right,
		ast.JoinFull: plan.Full, ast.JoinCross: plan.Cross, ast.JoinComma: plan.Cross}
	halfKinds = map[ast.Strictness][2]plan.JoinKind{ast.StrictSemi: {plan.Semi, plan.RightSemi}, ast.StrictAnti: {plan.Anti, plan.RightAnti}}
)

func (s *scope) joinKind(t *ast.Join) (plan.JoinKind, plan.Strictness, error) {
	kind, ok := sideKinds[t.Kind]
	if !ok {
		return 0, 0, sqlerr.New(sqlerr.NotImplemented, "PASTE JOIN is not supported")
	}
	switch t.Strictness {
	case ast.StrictSemi, ast.StrictAnti:
		switch t.Kind {
		case ast.JoinInner, ast.JoinLeft:
			return halfKinds[t.Strictness][0], plan.All, nil
		case ast.JoinRight:
			return halfKinds[t.Strictness][1], plan.All, nil
		}
		return 0, 0, sqlerr.New(sqlerr.NotImplemented, "SEMI and ANTI joins must be LEFT or RIGHT")
	case ast.StrictAny:
		return kind, plan.Any, nil
	case ast.StrictAsof:
		if kind != plan.Inner && kind != plan.Left {
			return 0, 0, sqlerr.New(sqlerr.NotImplemented, "ASOF joins must be INNER or LEFT")
		}
		return kind, plan.Asof, nil
	case ast.StrictDefault:
		if s.a.setting("join_default_strictness") == "ANY" && kind != plan.Cross {
			return kind, plan.Any, nil
		}
	}
	return kind, plan.All, nil
}

// finishJoin sets the join's inputs and schema and gives the frame its node. With join_use_nulls the columns of a
// side that may be without a partner become Nullable.
func (s *scope) finishJoin(j *plan.Join, f, l, r *frame) (*frame, error) {
	if err := s.distinctRight(j, r); err != nil {
		return nil, err
	}
	j.Left, j.Right = l.node, r.node
	left := len(l.node.Schema())
	j.Fields = append(slices.Clone(l.node.Schema()), r.node.Schema()...)
	nulls := s.a.flag("join_use_nulls", false)
	nullLeft := nulls && (j.Kind == plan.Right || j.Kind == plan.Full)
	nullRight := nulls && (j.Kind == plan.Left || j.Kind == plan.Full)
	f.each(func(_ *source, c *sourceColumn) {
		if c.alias != "" {
			return
		}
		if c.pos < left && nullLeft || c.pos >= left && nullRight {
			c.t = nullableScalar(c.t)
		}
		j.Fields[c.pos] = column.Field{Name: c.shown, Type: c.t}
	})
	f.node = j
	if (j.Kind == plan.Inner || j.Kind == plan.Cross) && len(j.LeftKeys) == 0 {
		return f, s.cross(j, f)
	}
	if j.Kind != plan.Cross && len(j.LeftKeys) == 0 { // every pair is a candidate: one key that all rows share
		j.LeftKeys, j.RightKeys = []plan.Expr{unsigned(1)}, []plan.Expr{unsigned(1)}
	}
	return f, nil
}

// distinctRight gives ANY the meaning of the setting any_join_distinct_right_table_keys: of the right side's rows with equal keys only the first
// takes part.
func (s *scope) distinctRight(j *plan.Join, r *frame) error {
	if j.Strictness != plan.Any || len(j.RightKeys) == 0 || !s.a.flag("any_join_distinct_right_table_keys", false) {
		return nil
	}
	schema := r.node.Schema()
	n, at, err := s.extend(r.node, j.RightKeys)
	if err != nil {
		return err
	}
	first := &plan.LimitBy{Input: n, N: 1}
	for _, k := range j.RightKeys {
		first.Keys = append(first.Keys, at[k.String()])
	}
	r.node = &plan.Project{Input: first, Exprs: columnsOf(n.Schema())[:len(schema)], Fields: schema}
	j.Strictness = plan.All
	return nil
}

// cross turns an inner join without equalities into a filtered product.
func (s *scope) cross(j *plan.Join, f *frame) error {
	if j.Kind == plan.Inner && j.Strictness != plan.All {
		return sqlerr.New(sqlerr.InvalidJoinOnExpression, "Cannot determine join keys in JOIN ON expression")
	}
	j.Kind = plan.Cross
	if j.Cond != nil {
		cond := j.Cond
		j.Cond = nil
		f.node = &plan.Filter{Input: j, Cond: cond}
	}
	return nil
}

// joinOn splits ON into key equalities, conditions on one side that may be applied before the join, and the rest.
func (s *scope) joinOn(t *ast.Join, j *plan.Join, f, l, r *frame) error {
	outer := s.from
	s.from = f
	on, err := s.resolve(t.On)
	s.from = outer
	if err == nil {
		err = scalarOnly(on, "JOIN ON")
	}
	if err == nil && contains(on, isUnfold) {
		err = sqlerr.New(sqlerr.NotImplemented, "arrayJoin in JOIN ON is not supported")
	}
	if err != nil {
		return err
	}
	left := len(l.node.Schema())
	var rest []plan.Expr
	asof := -1
	for _, c := range conjuncts(on) {
		a, b, op := comparison(c, left)
		switch {
		case op == "equals":
			err = s.key(j, a, b, left)
		case op != "" && j.Strictness == plan.Asof && asof < 0:
			if err = s.key(j, a, b, left); err == nil {
				j.AsofOp, asof = op, len(j.LeftKeys)-1
			}
		default:
			rest = append(rest, c)
		}
		if err != nil {
			return err
		}
	}
	if j.Strictness == plan.Asof {
		switch {
		case asof < 0:
			return sqlerr.New(sqlerr.InvalidJoinOnExpression, "ASOF JOIN needs exactly one inequality beside its equalities")
		case len(j.LeftKeys) == 1:
			return sqlerr.New(sqlerr.NotImplemented, "ASOF join with hash algorithm needs at least one equi-join column")
		}
		toEnd(j.LeftKeys, asof)
		toEnd(j.RightKeys, asof)
	}
	if err := s.splitRest(j, rest, l, r, left); err != nil {
		return err
	}
	if j.Strictness == plan.Asof && j.Cond != nil {
		return sqlerr.New(sqlerr.InvalidJoinOnExpression, "ASOF JOIN takes no condition %s beside its equalities and its inequality", j.Cond)
	}
	return nil
}

func toEnd(keys []plan.Expr, i int) {
	k := keys[i]
	copy(keys[i:], keys[i+1:])
	keys[len(keys)-1] = k
}

// splitRest applies one-sided conditions to their side where rows it drops would not be seen, and leaves the others to the join.
func (s *scope) splitRest(j *plan.Join, rest []plan.Expr, l, r *frame, left int) error {
	var cond []plan.Expr
	for _, c := range rest {
		c, err := s.condition(c, "JOIN ON")
		if err != nil {
			return err
		}
		onLeft, onRight := sidesOf(c, left)
		switch {
		case !onLeft && !onRight && isTrue(c):
		case onLeft && !onRight && j.Kind != plan.Left && j.Kind != plan.Full && j.Kind != plan.Anti:
			l.node = &plan.Filter{Input: l.node, Cond: c}
		case onRight && !onLeft && j.Kind != plan.Right && j.Kind != plan.Full && j.Kind != plan.RightAnti:
			r.node = &plan.Filter{Input: r.node, Cond: shift(c, -left)}
		default:
			cond = append(cond, c)
		}
	}
	if len(cond) == 0 {
		return nil
	}
	all, err := s.and(cond)
	j.Cond = all
	return err
}

func isTrue(e plan.Expr) bool {
	c, ok := e.(*plan.Const)
	return ok && !column.IsNull(c.Value, 0) && column.Value(c.Value, 0) == any(uint8(1))
}

func (s *scope) and(conds []plan.Expr) (plan.Expr, error) {
	if len(conds) == 1 {
		return conds[0], nil
	}
	return s.call("and", conds...)
}

// conjuncts splits nested ands.
func conjuncts(e plan.Expr) []plan.Expr {
	c, ok := e.(*plan.Call)
	if !ok || c.Fn.Func.Name != "and" {
		return []plan.Expr{e}
	}
	var out []plan.Expr
	for _, a := range c.Args {
		out = append(out, conjuncts(a)...)
	}
	return out
}

func sidesOf(e plan.Expr, left int) (l, r bool) {
	walk(e, func(e plan.Expr) bool {
		if c, ok := e.(*plan.Col); ok {
			l, r = l || c.Index < left, r || c.Index >= left
		}
		return true
	})
	return l, r
}

var flipped = map[string]string{"equals": "equals", "less": "greater", "greater": "less", "lessOrEquals": "greaterOrEquals", "greaterOrEquals": "lessOrEquals"}

// comparison takes a comparison of the two sides apart, the left side's expression first; op is "" for anything else.
func comparison(e plan.Expr, left int) (a, b plan.Expr, op string) {
	c, ok := e.(*plan.Call)
	if !ok || flipped[c.Fn.Func.Name] == "" {
		return nil, nil, ""
	}
	a, b, op = c.Args[0], c.Args[1], c.Fn.Func.Name
	al, ar := sidesOf(a, left)
	bl, br := sidesOf(b, left)
	switch {
	case al && !ar && br && !bl:
		return a, b, op
	case ar && !al && bl && !br:
		return b, a, flipped[op]
	}
	return nil, nil, ""
}

// key adds a pair of keys, cast to one type.
func (s *scope) key(j *plan.Join, a, b plan.Expr, left int) error {
	both, err := s.common(a, b)
	if err != nil {
		return err
	}
	j.LeftKeys = append(j.LeftKeys, both[0])
	j.RightKeys = append(j.RightKeys, shift(both[1], -left))
	return nil
}

// usingKey is one name of USING as the two sides have it.
type usingKey struct {
	name        string
	left, right plan.Expr
	lc, rc      *sourceColumn
}

// joinUsing joins by columns of one name. Both sides' columns get their common type; unqualified, the name
// stands for the side that has the value.
func (s *scope) joinUsing(t *ast.Join, j *plan.Join, l, r *frame) (*frame, error) {
	var keys []*usingKey
	for _, u := range t.Using {
		e, _ := ast.Unalias(u)
		id, ok := e.(*ast.Ident)
		if !ok {
			return nil, sqlerr.New(sqlerr.UnsupportedJoinKeys, "USING takes column names, not %s", ast.Shown(u))
		}
		k := &usingKey{name: id.Last()}
		var err error
		if k.left, k.lc, err = s.usingSide(l, k.name, "left"); err != nil {
			return nil, err
		}
		if k.right, k.rc, err = s.usingSide(r, k.name, "right"); err != nil {
			return nil, err
		}
		if err := s.alignUsing(k, l, r); err != nil {
			return nil, err
		}
		j.LeftKeys, j.RightKeys = append(j.LeftKeys, k.left), append(j.RightKeys, k.right)
		keys = append(keys, k)
	}
	if j.Strictness == plan.Asof {
		if len(keys) < 2 {
			return nil, sqlerr.New(sqlerr.InvalidJoinOnExpression, "ASOF JOIN needs an equality beside its inequality")
		}
		j.AsofOp = "greaterOrEquals"
	}
	marker := -1
	if j.Kind == plan.Full { // tells rows that have a left side from those that have defaults there
		marker = len(l.node.Schema())
		in := l.node.Schema()
		l.node = projectAs(l.node, append(columnsOf(in), unsigned(1)), append(slices.Clone(in), column.Field{Name: "__left", Type: types.TUInt8}))
	}
	width := len(l.node.Schema())
	f := combine(l, r)
	f, err := s.finishJoin(j, f, l, r)
	if err != nil {
		return nil, err
	}
	if j.Kind == plan.Right {
		f.sources[0].first = false // an unqualified name means the right side
	}
	for _, k := range keys {
		if err := s.defineUsing(f, j, k, marker, width); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// usingSide resolves a name on one side only.
func (s *scope) usingSide(f *frame, name, side string) (plan.Expr, *sourceColumn, error) {
	own := s.a.scope(nil)
	own.from = f
	it, err := own.fromColumn([]string{name})
	if err != nil {
		return nil, nil, err
	}
	if it == nil {
		return nil, nil, sqlerr.New(sqlerr.UnknownIdentifier, "JOIN using identifier '%s' cannot be resolved from %s table expression", name, side)
	}
	if m, err := f.match([]string{name}); m != nil && err == nil && len(m.rest) == 0 {
		return it.e, m.col, nil
	}
	return it.e, nil, nil
}

// alignUsing casts the columns of both sides to one type, in place.
func (s *scope) alignUsing(k *usingKey, l, r *frame) error {
	lt, rt := k.left.Type(), k.right.Type()
	if lt.Equal(rt) {
		return nil
	}
	t, err := types.Supertype(lt.WithoutLowCardinality(), rt.WithoutLowCardinality())
	if err != nil {
		return sqlerr.Wrap(err, sqlerr.NoCommonType, "JOIN cannot infer common type for %s and %s in USING for identifier '%s'", lt, rt, k.name)
	}
	if k.left, err = s.retype(l, k.left, k.lc, t); err != nil {
		return err
	}
	k.right, err = s.retype(r, k.right, k.rc, t)
	return err
}

// retype casts a column of a frame where it stands; an expression is just cast.
func (s *scope) retype(f *frame, e plan.Expr, c *sourceColumn, t *types.Type) (plan.Expr, error) {
	x, err := s.cast(e, t)
	col, ok := e.(*plan.Col)
	if err != nil || !ok || c == nil || c.alias != "" {
		return x, err
	}
	in := f.node.Schema()
	exprs, fields := columnsOf(in), slices.Clone(in)
	exprs[col.Index], fields[col.Index].Type = x, t
	f.node = projectAs(f.node, exprs, fields)
	c.t = t
	return &plan.Col{Index: col.Index, Name: col.Name, T: t}, nil
}

// defineUsing says what the unqualified name of a USING column means above the join.
func (s *scope) defineUsing(f *frame, j *plan.Join, k *usingKey, marker, width int) error {
	u := &usingColumn{name: k.name, left: k.lc, right: k.rc}
	left, right := atJoin(k.left, j, 0), atJoin(k.right, j, width)
	switch j.Kind {
	case plan.Right, plan.RightSemi, plan.RightAnti:
		u.e = right
	case plan.Full:
		e, err := s.call("if", &plan.Col{Index: marker, Name: "__left", T: types.TUInt8}, left, right)
		if err != nil {
			return err
		}
		u.e = e
	default:
		u.e = left
	}
	f.using = slices.DeleteFunc(f.using, func(o *usingColumn) bool { return o.name == u.name })
	f.using = append(f.using, u)
	return nil
}

// atJoin reads above a join what e is on one side, whose columns begin at from.
func atJoin(e plan.Expr, j *plan.Join, from int) plan.Expr {
	return plan.Rewrite(e, func(e plan.Expr) plan.Expr {
		if c, ok := e.(*plan.Col); ok {
			i := c.Index + from
			return &plan.Col{Index: i, Name: j.Fields[i].Name, T: j.Fields[i].Type}
		}
		return e
	})
}

func projectAs(n plan.Node, exprs []plan.Expr, fields column.Schema) plan.Node {
	out := slices.Clone(fields)
	for i, e := range exprs {
		out[i].Type = e.Type()
	}
	return &plan.Project{Input: n, Exprs: exprs, Fields: out}
}
