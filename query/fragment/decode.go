package fragment

import (
	"slices"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// Source is what Decode takes from the node that it runs on.
type Source struct {
	Env *function.Env
	// Table returns the table of an ID; UnknownTable.
	Table func(catalog.TableID) (plan.Table, error)
	// Broadcasts are the rows of the fragment's Broadcasts, in the order of plan.Broadcasts; nil for none.
	Broadcasts []*column.Block
}

// Decode returns the plan that src, all of it, encodes. Its Broadcasts are Values.
func Decode(src []byte, from Source) (plan.Node, error) {
	if len(src) == 0 || src[0] < mergeless || src[0] > Version {
		return nil, corrupt("version %v, this build reads %d to %d", src[:min(len(src), 1)], mergeless, Version)
	}
	d := &decoder{reader: reader{b: src[1:]}, from: from}
	n := d.node()
	switch {
	case d.err != nil:
		return nil, d.err
	case len(d.b) > 0:
		return nil, corrupt("%d bytes behind its end", len(d.b))
	}
	return n, nil
}

// decoder builds a plan. After an error it builds nothing of use, but something.
type decoder struct {
	reader
	from   Source
	params []*plan.Param
	depth  int
}

// enter counts the nesting; false beyond the limit.
func (d *decoder) enter() bool {
	if d.depth++; d.depth > maxDepth {
		d.fail(sqlerr.New(sqlerr.TooDeepSubqueries, "Fragment is nested more than %d deep", maxDepth))
	}
	return d.err == nil
}

// none stands for a node that could not be read.
func none() plan.Node { return &plan.Values{Block: &column.Block{}} }

func (d *decoder) node() plan.Node {
	defer func() { d.depth-- }()
	if !d.enter() {
		return none()
	}
	n := d.kind(nodeKind(d.u8()))
	if d.err != nil {
		return none()
	}
	return n
}

func (d *decoder) kind(k nodeKind) plan.Node {
	switch k {
	case nodeScan:
		return d.scan()
	case nodeValues:
		return d.values(d.fields(), d.block())
	case nodeFilter:
		in := d.node()
		return &plan.Filter{Input: in, Cond: d.expr(in.Schema())}
	case nodeProject:
		in := d.node()
		es := d.exprs(in.Schema())
		return &plan.Project{Input: in, Exprs: es, Fields: d.fieldsOf(es)}
	case nodeAggregate:
		return d.aggregate()
	case nodeSort:
		in := d.node()
		return &plan.Sort{Input: in, Keys: d.sortKeys(len(in.Schema())), Limit: d.uv()}
	case nodeLimit:
		in := d.node()
		return &plan.Limit{Input: in, N: d.uv(), Offset: d.uv(), WithTies: d.sortKeys(len(in.Schema()))}
	case nodeLimitBy:
		in := d.node()
		return &plan.LimitBy{Input: in, Keys: d.indexes(len(in.Schema())), N: d.uv(), Offset: d.uv()}
	case nodeDistinct:
		in := d.node()
		return &plan.Distinct{Input: in, Keys: d.indexes(len(in.Schema()))}
	case nodeUnion:
		return d.union()
	case nodeJoin:
		return d.join()
	case nodeArrayJoin:
		return d.arrayJoin()
	case nodeBroadcast:
		at := d.index(len(d.from.Broadcasts))
		fields := d.fields()
		if d.err != nil {
			return none()
		}
		return d.values(fields, rowsOf(d.from.Broadcasts[at], fields))
	case nodeWindow:
		return d.window()
	case nodeShuffle:
		return d.shuffle()
	}
	d.fail(corrupt("a node of kind %d", k))
	return none()
}

// samePhys reports whether vectors of both types are alike: what operators rely on.
func samePhys(a, b *types.Type) bool {
	a, b = valueType(a), valueType(b)
	return a.Phys() == b.Phys() && (a.Kind == types.Nullable) == (b.Kind == types.Nullable) && a.Inner().Phys() == b.Inner().Phys()
}

// rowsOf is b, or no rows of the fields if it is nil.
func rowsOf(b *column.Block, fields column.Schema) *column.Block {
	if b != nil {
		return b
	}
	b = &column.Block{}
	for _, f := range fields {
		b.Cols = append(b.Cols, column.New(valueType(f.Type), 0))
	}
	return b
}

func (d *decoder) values(fields column.Schema, b *column.Block) plan.Node {
	if d.err != nil {
		return none()
	}
	if len(b.Cols) != len(fields) {
		d.fail(corrupt("%d columns of values for %d fields", len(b.Cols), len(fields)))
		return none()
	}
	for i, c := range b.Cols {
		if !samePhys(c.Type(), fields[i].Type) {
			d.fail(corrupt("values of %s for a field of %s", c.Type(), fields[i].Type))
			return none()
		}
	}
	return &plan.Values{Block: b, Fields: fields}
}

// fieldsOf reads the fields of as many expressions.
func (d *decoder) fieldsOf(es []plan.Expr) column.Schema {
	fields := d.fields()
	if d.err == nil && len(fields) != len(es) {
		d.fail(corrupt("%d fields of %d expressions", len(fields), len(es)))
	}
	for i := range fields {
		if d.err == nil && !samePhys(fields[i].Type, es[i].Type()) {
			d.fail(corrupt("a field of %s for an expression of %s", fields[i].Type, es[i].Type()))
		}
	}
	return fields
}

func (d *decoder) scan() plan.Node {
	id, want := catalog.TableID(d.uv()), d.fields()
	if d.err != nil {
		return none()
	}
	t, err := d.from.Table(id)
	if err != nil {
		d.fail(err)
		return none()
	}
	all, cols := t.Schema(), make([]int, len(want))
	for i, f := range want {
		if cols[i] = all.Index(f.Name); cols[i] < 0 || !all[cols[i]].Type.Equal(f.Type) {
			d.fail(sqlerr.New(sqlerr.NoSuchColumnInTable, "Column %s of type %s is not in table %s any more: it was changed while the query began", f.Name, f.Type, t.Name()))
			return none()
		}
	}
	s := plan.NewScan(t, cols)
	filter := d.optional(want)
	s.Final, s.Sample = d.flag(), d.float()
	return s.With(filter, d.uv())
}

func (d *decoder) aggregate() plan.Node {
	n := &plan.Aggregate{Input: d.node()}
	in := n.Input.Schema()
	n.Keys = d.exprs(in)
	partial, calls := partialBelow(n.Input), d.count()
	for range calls {
		n.Aggs = append(n.Aggs, d.call(in, partial == nil))
		if d.err != nil {
			return none()
		}
	}
	n.Totals = d.flag()
	if d.flag() {
		n.GroupingSets = make([][]int, d.count())
		for i := range n.GroupingSets {
			n.GroupingSets[i] = d.indexes(len(n.Keys))
		}
	}
	n.SetNumber, n.Partial, n.Merge = d.flag(), d.flag(), d.flag()
	n.Fields = d.fields()
	width := len(n.Keys) + len(n.Aggs)
	if n.SetNumber {
		width++
	}
	if d.err == nil && len(n.Fields) != width {
		d.fail(corrupt("%d fields of %d keys and %d aggregates", len(n.Fields), len(n.Keys), len(n.Aggs)))
	}
	switch {
	case d.err != nil:
	case n.Merge || partial != nil:
		d.merge(n, partial)
	case n.Partial:
		d.stateTypes(n)
	}
	return n
}

// partialBelow is the aggregate whose states an aggregate over n merges, or nil.
func partialBelow(n plan.Node) *plan.Aggregate {
	s, ok := n.(*plan.Shuffle)
	if !ok {
		return nil
	}
	if a, ok := s.Input.(*plan.Aggregate); ok && a.Partial {
		return a
	}
	return nil
}

// merge binds the calls of an aggregate that merges states: to what they are states of.
func (d *decoder) merge(n, partial *plan.Aggregate) {
	if partial == nil || !n.Merge || n.Partial || n.Totals || n.GroupingSets != nil || n.SetNumber ||
		len(n.Keys) != len(partial.Keys) || len(n.Aggs) != len(partial.Aggs) {
		d.fail(corrupt("an aggregate that does not merge the states below it, or of which there are none"))
		return
	}
	for i := range n.Aggs {
		a := &n.Aggs[i]
		if len(a.Args) != 1 {
			d.fail(corrupt("states of %s of %d columns", a.Name, len(a.Args)))
			return
		}
		if col, ok := a.Args[0].(*plan.Col); !ok || col.Index != len(n.Keys)+i {
			d.fail(corrupt("states of %s that are %s", a.Name, a.Args[0]))
			return
		}
		a.Fn = partial.Aggs[i].Fn
	}
}

// stateTypes checks that the states of an aggregate are wanted in a form that they have.
func (d *decoder) stateTypes(n *plan.Aggregate) {
	for i, a := range n.Aggs {
		if t := n.StateType(i); t.Kind != types.String && !n.Plain(i) {
			d.fail(corrupt("states of %s as %s", a.Name, t))
		}
	}
}

// call reads a call of an aggregate and binds it.
func (d *decoder) call(in column.Schema, bind bool) plan.AggCall {
	a := plan.AggCall{Name: d.text(), Func: d.text(), Distinct: d.flag()}
	params := d.count()
	for range params {
		if v := d.vector(nil); d.err == nil {
			a.Params = append(a.Params, v)
		}
	}
	a.Args = d.exprs(in)
	if d.err != nil || !bind {
		return a
	}
	ts := make([]*types.Type, len(a.Args))
	for i, e := range a.Args {
		ts[i] = e.Type()
	}
	var err error
	if a.Fn, err = function.BindAggregate(d.from.Env, a.Bare(), a.Params, ts, a.Distinct); err != nil {
		d.fail(err)
	}
	return a
}

func (d *decoder) union() plan.Node {
	u := &plan.Union{Fields: d.fields()}
	n := d.count()
	for range n {
		in := d.node()
		if d.err != nil {
			return none()
		}
		s := in.Schema()
		if len(s) != len(u.Fields) {
			d.fail(corrupt("a union of %d columns of an input of %d", len(u.Fields), len(s)))
			return none()
		}
		for i := range s {
			if !samePhys(s[i].Type, u.Fields[i].Type) {
				d.fail(corrupt("a union of %s and %s", s[i].Type, u.Fields[i].Type))
				return none()
			}
		}
		u.All = append(u.All, in)
	}
	return u
}

func (d *decoder) join() plan.Node {
	n := &plan.Join{Left: d.node(), Right: d.node(), Kind: plan.JoinKind(d.u8()), Strictness: plan.Strictness(d.u8())}
	l, r := n.Left.Schema(), n.Right.Schema()
	n.LeftKeys, n.RightKeys = d.exprs(l), d.exprs(r)
	n.Cond = d.optional(append(append(column.Schema{}, l...), r...))
	n.AsofOp, n.Fields = d.text(), d.fields()
	if d.err == nil && (n.Kind > plan.RightAnti || n.Strictness > plan.Asof || len(n.LeftKeys) != len(n.RightKeys) || len(n.Fields) != len(l)+len(r)) {
		d.fail(corrupt("a join of kind %d, strictness %d, %d and %d keys, %d fields of %d and %d",
			n.Kind, n.Strictness, len(n.LeftKeys), len(n.RightKeys), len(n.Fields), len(l), len(r)))
	}
	return n
}

func (d *decoder) arrayJoin() plan.Node {
	n := &plan.ArrayJoin{Input: d.node()}
	in := n.Input.Schema()
	n.Columns, n.Left, n.Fields = d.indexes(len(in)), d.flag(), d.fields()
	if d.err == nil && len(n.Fields) != len(in) {
		d.fail(corrupt("ARRAY JOIN of %d columns yields %d", len(in), len(n.Fields)))
	}
	for _, c := range n.Columns {
		if k := valueType(in[c].Type).Kind; d.err == nil && k != types.Array && k != types.Map {
			d.fail(corrupt("ARRAY JOIN of %s", in[c].Type))
		}
	}
	return n
}

func (d *decoder) window() plan.Node {
	w := &plan.Window{Input: d.node()}
	in := w.Input.Schema()
	n := d.count()
	for range n {
		bind := d.flag()
		c := plan.WindowCall{AggCall: d.call(in, bind)}
		c.PartitionBy, c.OrderBy = d.indexes(len(in)), d.sortKeys(len(in))
		c.Frame = plan.Frame{Rows: d.flag(), Start: d.bound(), End: d.bound()}
		if d.err != nil {
			return none()
		}
		w.Calls = append(w.Calls, c)
	}
	if w.Fields = d.fields(); d.err == nil && len(w.Fields) != len(in)+len(w.Calls) {
		d.fail(corrupt("%d fields of %d columns and %d window functions", len(w.Fields), len(in), len(w.Calls)))
	}
	return w
}

func (d *decoder) shuffle() plan.Node {
	n := &plan.Shuffle{Input: d.node()}
	n.Keys = d.exprs(n.Input.Schema())
	if d.err == nil && (len(n.Keys) == 0 || slices.ContainsFunc(n.Keys, isNothing)) {
		d.fail(corrupt("a shuffle by %d keys, or one of no type", len(n.Keys)))
	}
	return n
}

func (d *decoder) bound() *int64 {
	if !d.flag() {
		return nil
	}
	x := d.sv()
	return &x
}

func (d *decoder) sortKeys(columns int) []plan.SortKey {
	n := d.count()
	var out []plan.SortKey
	for range n {
		k := plan.SortKey{Index: d.index(columns)}
		k.Desc, k.NullsFirst = d.flag(), d.flag()
		if d.err != nil {
			return nil
		}
		out = append(out, k)
	}
	return out
}
