package analyze

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// in resolves x IN set: a list, a subquery or a table's name. GLOBAL means nothing to a plan.
func (s *scope) in(e *ast.FuncCall) (plan.Expr, error) {
	if len(e.Args) != 2 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Number of arguments for function %s doesn't match: passed %d, should be 2", e.Name, len(e.Args))
	}
	left, err := s.resolve(e.Args[0])
	if err != nil {
		return nil, err
	}
	not := e.Name == "notIn" || e.Name == "globalNotIn"
	right, _ := ast.Unalias(e.Args[1])
	if id, ok := right.(*ast.Ident); ok {
		if q, isTable := s.tableQuery(id); isTable {
			right = q
		}
	}
	if q, ok := right.(*ast.Subquery); ok {
		x, err := s.inQuery(left, q, not)
		if id, named := e.Args[1].(*ast.Ident); named && sqlerr.Is(err, sqlerr.UnknownTable) {
			return nil, sqlerr.At(id.Start, sqlerr.UnknownIdentifier, "Unknown expression or table expression identifier `%s`", ast.Shown(id))
		}
		return x, err
	}
	if id, ok := right.(*ast.Ident); ok {
		if al := s.aliasOf(id); al != nil {
			right = al
		}
	}
	if t := left.Type(); t.Kind == types.Nullable && t.Elem().Kind == types.Nothing && !s.nullIsValue(left) {
		return constant(types.TNull, nil), nil
	}
	return s.inList(left, right, not)
}

// tableQuery is SELECT * of the table or CTE an identifier names, unless it is a column or alias.
func (s *scope) tableQuery(id *ast.Ident) (*ast.Subquery, bool) {
	path, err := s.a.path(id)
	if err != nil || len(path) > 2 {
		return nil, false
	}
	if it, err := s.lookup(path); it != nil || err != nil {
		return nil, false
	}
	ref := &ast.TableRef{Range: id.Range, Name: ast.TableName{Range: id.Range, Table: id.Parts[len(path)-1]}}
	if len(path) == 2 {
		ref.Name.Database = id.Parts[0]
	}
	sel := &ast.Select{Range: id.Range, Exprs: []ast.Expr{&ast.Asterisk{}}, From: ref}
	q := &ast.Subquery{Range: id.Range, Query: &ast.SelectUnion{Range: id.Range, Items: []ast.UnionItem{{Select: sel}}}}
	s.names[id] = "_subquery_" + s.a.nextSubquery(1)
	return q, true
}

// aliasOf returns the expression behind an identifier that is an alias of a list, tuple or array as written.
func (s *scope) aliasOf(id *ast.Ident) ast.Expr {
	if len(id.Parts) != 1 {
		return nil
	}
	for p := s; p != nil; p = p.parent {
		if al := p.aliases[id.Parts[0].Text]; al != nil {
			s.names[id] = al.name
			if c, ok := al.expr.(*ast.FuncCall); ok && (c.Name == "tuple" || c.Name == "array") {
				return c
			}
			return nil
		}
	}
	return nil
}

// leftColumns are the expressions compared with the set's columns: a tuple's elements, or the expression itself.
func (s *scope) leftColumns(left plan.Expr, width int) ([]plan.Expr, error) {
	t := left.Type()
	if width == 1 {
		return []plan.Expr{left}, nil
	}
	if c, ok := left.(*plan.Call); ok && c.Fn.Func.Name == "tuple" && len(c.Args) == width {
		return c.Args, nil
	}
	if t.Kind != types.Tuple || len(t.Elems) != width {
		return nil, sqlerr.New(sqlerr.NumberOfColumnsDoesntMatch, "Number of columns in section IN doesn't match. %d at left, %d at right", leftWidth(t), width)
	}
	out := make([]plan.Expr, width)
	for i := range out {
		e, err := s.call("tupleElement", left, unsigned(uint64(i+1)))
		if err != nil {
			return nil, err
		}
		out[i] = e
	}
	return out, nil
}

func leftWidth(t *types.Type) int {
	if t.Kind == types.Tuple {
		return len(t.Elems)
	}
	return 1
}

// inQuery resolves IN (SELECT …). Both sides are brought to common types.
func (s *scope) inQuery(left plan.Expr, q *ast.Subquery, not bool) (plan.Expr, error) {
	if s.names[q] == "" {
		s.names[q] = "_subquery_" + s.a.nextSubquery(1)
	}
	key := ast.Format(q)
	set := s.sets[key]
	if set == nil {
		n, c, err := s.inner(q)
		if err != nil {
			return nil, err
		}
		if len(c.params) > 0 {
			return s.inCorrelated(left, n, c, not)
		}
		s.a.sets++
		set = &plan.Set{Input: n, ID: s.a.sets}
		for _, f := range n.Schema() {
			set.Types = append(set.Types, f.Type.WithoutLowCardinality())
		}
		s.sets[key] = set
	}
	args, err := s.leftColumns(left, len(set.Types))
	if err != nil {
		return nil, err
	}
	args, set, err = s.alignSet(args, set)
	if err != nil {
		return nil, err
	}
	if s.nullIsValue(left) && len(args) == 1 {
		return s.inNullableQuery(left, &plan.In{Args: args, Set: set, T: inType(args)}, set.Input, not)
	}
	if len(args) == 1 && args[0].Type().IsUnion() {
		return s.inUnionQuery(args, set, not)
	}
	x := &plan.In{Args: args, Set: set, Not: not, T: inType(args)}
	return x, s.a.grow(x)
}

// inUnionQuery is IN of a Variant or Dynamic: its NULL is in no set, though sets have it as a value.
func (s *scope) inUnionQuery(args []plan.Expr, set *plan.Set, not bool) (plan.Expr, error) {
	x := &plan.In{Args: args, Set: set, T: inType(args)}
	if err := s.a.grow(x); err != nil {
		return nil, err
	}
	some, err := s.call("isNotNull", args[0])
	if err != nil {
		return nil, err
	}
	in, err := s.call("and", some, x)
	if err != nil || !not {
		return in, err
	}
	return s.call("not", in)
}

// alignSet casts the arguments, or the subquery's columns, so that both have the same types but for Nullable.
func (s *scope) alignSet(args []plan.Expr, set *plan.Set) ([]plan.Expr, *plan.Set, error) {
	out := make([]plan.Expr, len(args))
	exprs := columnsOf(set.Input.Schema())
	changed := false
	for i, a := range args {
		t, err := types.Supertype(a.Type().Inner(), set.Types[i].Inner())
		if err != nil && set.Types[i].IsUnion() {
			t, err = types.SupertypeOrVariant(a.Type().Inner(), set.Types[i])
		}
		if err != nil {
			t = a.Type().Inner() // as the values of a list are converted
		}
		if out[i], err = s.castInner(a, t); err != nil {
			return nil, nil, err
		}
		e, err := s.castInner(exprs[i], t)
		if err != nil {
			return nil, nil, err
		}
		changed = changed || e != exprs[i]
		exprs[i] = e
	}
	if !changed {
		return out, set, nil
	}
	s.a.sets++
	c := &plan.Set{Input: projectAs(set.Input, exprs, set.Input.Schema()), ID: s.a.sets}
	for _, e := range exprs {
		c.Types = append(c.Types, e.Type().WithoutLowCardinality())
	}
	return out, c, nil
}

// castInner casts to t, or to Nullable(t) where e is nullable.
func (s *scope) castInner(e plan.Expr, t *types.Type) (plan.Expr, error) {
	if e.Type().Inner().Equal(t) {
		return e, nil
	}
	if e.Type().IsNullable() && t.CanBeNullable() {
		t = types.NewNullable(t)
	}
	return s.cast(e, t)
}

// inType is UInt8; Nullable where NULL IN … is NULL; LowCardinality for one such column.
func inType(args []plan.Expr) *types.Type {
	t := types.TUInt8
	if len(args) > 1 {
		return t
	}
	if args[0].Type().IsNullable() {
		t = types.NewNullable(t)
	}
	if args[0].Type().Kind == types.LowCardinality {
		t = types.NewLowCardinality(t)
	}
	return t
}

// inList resolves IN (1, 2, 3), IN ((1, 'a'), …), IN [1, 2] and IN 1.
func (s *scope) inList(left plan.Expr, right ast.Expr, not bool) (plan.Expr, error) {
	rows, isList := listRows(left, right)
	if !isList {
		x, err := s.resolve(right)
		if err != nil {
			return nil, err
		}
		c, ok := x.(*plan.Const)
		if !ok {
			return s.inDynamic(left, x, not)
		}
		return s.inConstants(left, spread(left, c), not)
	}
	if len(rows) > maxSetElements {
		return nil, sqlerr.New(sqlerr.SetSizeLimitExceeded, "IN-set size exceeded. Maximum: %d", maxSetElements)
	}
	values := make([]*plan.Const, len(rows))
	for i, r := range rows {
		x, err := s.resolve(r)
		if err != nil {
			return nil, err
		}
		c, ok := x.(*plan.Const)
		if !ok {
			return nil, sqlerr.At(r.Span().Start, sqlerr.UnknownIdentifier, "Element of set in IN, VALUES, or LIMIT, or aggregate function parameter, or a table function argument is not a constant expression: %s", ast.Shown(r))
		}
		values[i] = c
	}
	return s.inConstants(left, values, not)
}

func (s *scope) inConstants(left plan.Expr, values []*plan.Const, not bool) (plan.Expr, error) {
	if s.nullIsValue(left) {
		return s.inNullable(left, values, not)
	}
	return s.inValues(left, values, not)
}

// listRows are the written rows of a set. For a tuple on the left (1, 'a') is one row and ((1, 'a'), (2, 'b')) are two.
func listRows(left plan.Expr, right ast.Expr) ([]ast.Expr, bool) {
	c, ok := right.(*ast.FuncCall)
	if !ok || c.Name != "tuple" && c.Name != "array" {
		return nil, false
	}
	if c.Name == "array" {
		if left.Type().Kind == types.Array && (len(c.Args) == 0 || !isListCall(c.Args[0])) {
			return []ast.Expr{right}, true
		}
		return c.Args, true
	}
	if left.Type().Kind == types.Tuple && (len(c.Args) == 0 || !isListCall(c.Args[0])) {
		return []ast.Expr{right}, true
	}
	return c.Args, true
}

func isListCall(e ast.Expr) bool {
	c, ok := e.(*ast.FuncCall)
	return ok && (c.Name == "tuple" || c.Name == "array")
}

// spread takes a constant array or tuple apart into the rows of a set; any other constant is one row.
func spread(left plan.Expr, c *plan.Const) []*plan.Const {
	lt := left.Type().WithoutLowCardinality()
	switch v := c.Value.(type) {
	case *column.Array:
		if lt.Kind == types.Array {
			break
		}
		var out []*plan.Const
		for i := v.Off[0]; i < v.Off[1]; i++ {
			out = append(out, &plan.Const{Value: column.Flatten(v.Elem.Slice(int(i), int(i)+1)), T: c.T.Elem()})
		}
		return out
	case *column.Tuple:
		if lt.Kind == types.Tuple && (len(c.T.Elems) == 0 || c.T.Elems[0].Kind != types.Tuple) {
			break
		}
		var out []*plan.Const
		for i, e := range v.Elems {
			out = append(out, &plan.Const{Value: e, T: c.T.Elems[i]})
		}
		return out
	}
	return []*plan.Const{c}
}

// inDynamic is IN of an array that differs from row to row.
func (s *scope) inDynamic(left, right plan.Expr, not bool) (plan.Expr, error) {
	if right.Type().Kind != types.Array {
		return nil, sqlerr.New(sqlerr.UnknownIdentifier, "Right side of IN is not constant: %s", right)
	}
	x, err := s.call("has", right, left)
	if err == nil && not {
		x, err = s.call("not", x)
	}
	return x, err
}

// nullIsValue reports whether NULL on the left side of IN equals NULL in the set: the setting transform_null_in.
func (s *scope) nullIsValue(left plan.Expr) bool {
	return left.Type().IsNullable() && s.a.flag("transform_null_in", false)
}

// orNull is left IN set, which is NULL for a NULL on the left, with that being whether the set has NULL.
func (s *scope) orNull(left, in, hasNull plan.Expr, not bool) (plan.Expr, error) {
	null, err := s.call("isNull", left)
	if err != nil {
		return nil, err
	}
	if in, err = s.call("assumeNotNull", in); err != nil { // where the left side is NULL it does not count
		return nil, err
	}
	x, err := s.call("if", null, hasNull, in)
	if err == nil && not {
		x, err = s.call("not", x)
	}
	return x, err
}

// inNullable is IN of a list that may have NULL, which equals NULL.
func (s *scope) inNullable(left plan.Expr, rows []*plan.Const, not bool) (plan.Expr, error) {
	has := uint8(0)
	for _, r := range rows {
		if column.IsNull(r.Value, 0) {
			has = 1
		}
	}
	if left.Type().Inner().Kind == types.Nothing {
		if not {
			has = 1 - has
		}
		return constant(types.TUInt8, has), nil
	}
	in, err := s.inValues(left, rows, false)
	if err != nil {
		return nil, err
	}
	return s.orNull(left, in, constant(types.TUInt8, has), not)
}

// inNullableQuery is IN of a subquery that may yield NULL, which equals NULL.
func (s *scope) inNullableQuery(left plan.Expr, in *plan.In, n plan.Node, not bool) (plan.Expr, error) {
	has := plan.Expr(constant(types.TUInt8, uint8(0)))
	if col := columnsOf(n.Schema())[0]; col.Type().IsNullable() {
		null, err := s.call("isNull", col)
		if err != nil {
			return nil, err
		}
		s.a.sets++
		set := &plan.Set{ID: s.a.sets, Types: []*types.Type{types.TUInt8},
			Input: &plan.Project{Input: n, Exprs: []plan.Expr{null}, Fields: column.Schema{{Name: "null", Type: types.TUInt8}}}}
		has = &plan.In{Args: []plan.Expr{constant(types.TUInt8, uint8(1))}, Set: set, T: types.TUInt8}
	}
	return s.orNull(left, in, has, not)
}

// inValues makes a set of constant rows, in the types of the left side. Values that the types cannot hold
// match nothing and are dropped, as are NULLs; a string that cannot be read as the type is TypeMismatch.
func (s *scope) inValues(left plan.Expr, rows []*plan.Const, not bool) (plan.Expr, error) {
	lt := left.Type().WithoutLowCardinality()
	width := 1
	if lt.Kind == types.Tuple {
		width = len(lt.Elems)
	}
	args, err := s.leftColumns(left, width)
	if err == nil && width == 1 && lt.Kind == types.Tuple {
		args[0], err = s.call("tupleElement", left, unsigned(1))
	}
	if err != nil {
		return nil, err
	}
	cells := make([][]*plan.Const, width) // by column
	for _, r := range rows {
		row, err := rowCells(r, width)
		if err != nil {
			return nil, err
		}
		for i, c := range row {
			cells[i] = append(cells[i], c)
		}
	}
	set := &plan.Set{}
	columns := make([][]cell, width)
	for i, a := range args {
		set.Types = append(set.Types, a.Type().Inner())
		if columns[i], err = s.a.convert(set.Types[i], cells[i]); err != nil {
			return nil, err
		}
	}
	set.Values = setBlock(set.Types, columns, len(rows))
	x := &plan.In{Args: args, Set: set, Not: not, T: inType(args)}
	if c := foldIn(x); c != nil {
		return c, nil
	}
	return x, s.a.grow(x)
}

// setBlock puts the rows of which every cell has a value into a block.
func setBlock(ts []*types.Type, columns [][]cell, n int) *column.Block {
	b := &column.Block{}
	for _, t := range ts {
		b.Cols = append(b.Cols, column.New(t, n))
	}
	for row := range n {
		whole := true
		for _, c := range columns {
			whole = whole && c[row].v != nil
		}
		if !whole {
			continue
		}
		for i, c := range columns {
			b.Cols[i].(column.Builder).AppendFrom(c[row].v, c[row].at)
		}
		b.N++
	}
	return b
}

func rowCells(r *plan.Const, width int) ([]*plan.Const, error) {
	if width == 1 && (r.T.Kind != types.Tuple || len(r.T.Elems) != 1) {
		return []*plan.Const{r}, nil
	}
	t, ok := r.Value.(*column.Tuple)
	if !ok || len(t.Elems) != width {
		return nil, sqlerr.New(sqlerr.IncorrectElementOfSet, "Incorrect size of tuple in set: %d instead of %d", leftWidth(r.T), width)
	}
	out := make([]*plan.Const, width)
	for i, e := range t.Elems {
		out[i] = &plan.Const{Value: e, T: r.T.Elems[i]}
	}
	return out, nil
}

// cell is value at of v; no value if v is nil.
type cell struct {
	v  column.Vector
	at int
}

// convert converts constants to t, all of one type at once. A NULL, or a number that t does not have, has no value.
func (a *analyzer) convert(t *types.Type, cs []*plan.Const) ([]cell, error) {
	if t.Kind == types.Dynamic {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of argument of function in", t)
	}
	out := make([]cell, len(cs))
	sources := map[string]column.Builder{}
	places := map[string][]int{}
	var names []string
	for i, c := range cs {
		if column.IsNull(c.Value, 0) {
			continue
		}
		value := c.Value
		if n, ok := value.(*column.Nullable); ok {
			value = n.Inner
		}
		from := value.Type()
		if from.Equal(t) {
			out[i] = cell{value, 0}
			continue
		}
		if t.Kind == types.Variant && !from.IsString() && !column.Holds(t, from) {
			continue // no value of the left side equals it
		}
		key := from.String()
		if sources[key] == nil {
			sources[key] = column.New(from, 1)
			names = append(names, key)
		}
		sources[key].AppendFrom(value, 0)
		places[key] = append(places[key], i)
	}
	for _, key := range names {
		v, err := a.convertAll(t, sources[key])
		if err != nil {
			return nil, err
		}
		for j, i := range places[key] {
			if !column.IsNull(v, j) {
				out[i] = cell{notNull(v), j}
			}
		}
	}
	return out, nil
}

func notNull(v column.Vector) column.Vector {
	if n, ok := v.(*column.Nullable); ok {
		return n.Inner
	}
	return v
}

// convertAll converts values of one type; numbers exactly or to NULL.
func (a *analyzer) convertAll(t *types.Type, v column.Vector) (column.Vector, error) {
	name := "accurateCastOrNull"
	if v.Type().IsString() || !t.CanBeNullable() {
		name = "CAST"
	}
	target := constant(types.TString, t.String())
	b, err := function.Bind(a.env, name, []function.Arg{{Type: v.Type()}, {Type: types.TString, Const: target.Value}})
	if err != nil {
		return nil, err
	}
	out, err := b.Call(a.env, []column.Vector{v, &column.Const{Value: target.Value, N: v.Len()}}, nil, v.Len())
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.TypeMismatch, "Cannot convert the right side of IN from %s to %s", v.Type(), t)
	}
	return column.Flatten(out), nil
}

// foldIn answers IN of constants.
func foldIn(x *plan.In) plan.Expr {
	for _, a := range x.Args {
		if _, ok := a.(*plan.Const); !ok {
			return nil
		}
	}
	found := false
	for _, a := range x.Args {
		if column.IsNull(a.(*plan.Const).Value, 0) {
			return &plan.Const{Value: column.NewConst(x.T, nil, 1).Value, T: x.T}
		}
	}
	for i := 0; i < x.Set.Values.N && !found; i++ {
		equal := true
		for j, a := range x.Args {
			v := a.(*plan.Const).Value
			if n, ok := v.(*column.Nullable); ok {
				v = n.Inner
			}
			equal = equal && column.Compare(v, 0, x.Set.Values.Cols[j], i) == 0
		}
		found = equal
	}
	answer := uint8(0)
	if found != x.Not {
		answer = 1
	}
	return constant(x.T, answer)
}
