package fragment

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// Version is the first byte of every encoded plan that merges states; mergeless of all others, which older nodes read. Decode reads both.
const (
	Version   = 2
	mergeless = 1
)

// nodeKind is what stands before a node. The numbers are part of the format.
type nodeKind byte

const (
	nodeScan      nodeKind = 1
	nodeValues    nodeKind = 2
	nodeFilter    nodeKind = 3
	nodeProject   nodeKind = 4
	nodeAggregate nodeKind = 5
	nodeSort      nodeKind = 6
	nodeLimit     nodeKind = 7
	nodeLimitBy   nodeKind = 8
	nodeDistinct  nodeKind = 9
	nodeUnion     nodeKind = 10
	nodeJoin      nodeKind = 11
	nodeArrayJoin nodeKind = 12
	nodeBroadcast nodeKind = 13
	nodeWindow    nodeKind = 14
	nodeShuffle   nodeKind = 15
)

// Encode appends a fragment to dst. NotImplemented if it holds what fragments cannot.
func Encode(dst []byte, n plan.Node) ([]byte, error) {
	w := &writer{b: append(dst, mergeless), broadcasts: map[*plan.Broadcast]uint64{}}
	for i, b := range plan.Broadcasts(n) {
		w.broadcasts[b] = uint64(i)
	}
	w.node(n)
	if w.err != nil {
		return dst, w.err
	}
	if w.merges {
		w.b[len(dst)] = Version
	}
	return w.b, nil
}

func (w *writer) kind(k nodeKind) { w.u8(byte(k)) }

func (w *writer) node(n plan.Node) {
	switch n := n.(type) {
	case *plan.Scan:
		w.scan(n)
	case *plan.Values:
		w.kind(nodeValues)
		w.fields(n.Fields)
		w.block(n.Block)
	case *plan.Filter:
		w.kind(nodeFilter)
		w.node(n.Input)
		w.expr(n.Cond)
	case *plan.Project:
		w.kind(nodeProject)
		w.node(n.Input)
		w.exprs(n.Exprs)
		w.fields(n.Fields)
	case *plan.Aggregate:
		w.aggregate(n)
	case *plan.Sort:
		w.kind(nodeSort)
		w.node(n.Input)
		w.sortKeys(n.Keys)
		w.uv(n.Limit)
	case *plan.Limit:
		w.kind(nodeLimit)
		w.node(n.Input)
		w.uv(n.N)
		w.uv(n.Offset)
		w.sortKeys(n.WithTies)
	case *plan.LimitBy:
		w.kind(nodeLimitBy)
		w.node(n.Input)
		w.ints(n.Keys)
		w.uv(n.N)
		w.uv(n.Offset)
	case *plan.Distinct:
		w.kind(nodeDistinct)
		w.node(n.Input)
		w.ints(n.Keys)
	case *plan.Union:
		w.kind(nodeUnion)
		w.fields(n.Fields)
		w.count(len(n.All))
		for _, in := range n.All {
			w.node(in)
		}
	case *plan.Join:
		w.join(n)
	case *plan.ArrayJoin:
		w.kind(nodeArrayJoin)
		w.node(n.Input)
		w.ints(n.Columns)
		w.flag(n.Left)
		w.fields(n.Fields)
	case *plan.Window:
		w.window(n)
	case *plan.Broadcast:
		w.kind(nodeBroadcast)
		w.uv(w.broadcasts[n])
		w.fields(n.Schema())
	case *plan.Shuffle:
		w.kind(nodeShuffle)
		w.node(n.Input)
		w.exprs(n.Keys)
	default:
		w.fail(sqlerr.New(sqlerr.NotImplemented, "%T in a fragment is not implemented", n))
	}
}

// scan writes columns by name: the other node may have a newer schema.
func (w *writer) scan(n *plan.Scan) {
	t := n.Table.Catalog()
	if t == nil {
		w.fail(sqlerr.New(sqlerr.LogicalError, "%s is not stored, and read in a fragment", n.Table.Name()))
		return
	}
	if len(n.Parts) > 0 {
		w.fail(sqlerr.New(sqlerr.LogicalError, "Sub-columns of %s in a fragment that is sent", n.Table.Name()))
		return
	}
	w.kind(nodeScan)
	w.uv(uint64(t.ID))
	w.fields(n.Schema())
	w.optional(n.Filter)
	w.flag(n.Final)
	w.f64(math.Float64bits(n.Sample))
	w.uv(n.Limit)
}

func (w *writer) aggregate(n *plan.Aggregate) {
	w.kind(nodeAggregate)
	w.node(n.Input)
	w.exprs(n.Keys)
	w.count(len(n.Aggs))
	for _, a := range n.Aggs {
		w.call(a)
	}
	w.flag(n.Totals)
	w.flag(n.GroupingSets != nil)
	if n.GroupingSets != nil {
		w.count(len(n.GroupingSets))
		for _, s := range n.GroupingSets {
			w.ints(s)
		}
	}
	w.flag(n.SetNumber)
	w.flag(n.Partial)
	w.flag(n.Merge)
	w.merges = w.merges || n.Merge
	w.fields(n.Fields)
}

func (w *writer) call(a plan.AggCall) {
	w.text(a.Name)
	w.text(a.Func)
	w.flag(a.Distinct)
	w.count(len(a.Params))
	for _, p := range a.Params {
		w.vector(p)
	}
	w.exprs(a.Args)
}

func (w *writer) join(n *plan.Join) {
	w.kind(nodeJoin)
	w.node(n.Left)
	w.node(n.Right)
	w.u8(byte(n.Kind))
	w.u8(byte(n.Strictness))
	w.exprs(n.LeftKeys)
	w.exprs(n.RightKeys)
	w.optional(n.Cond)
	w.text(n.AsofOp)
	w.fields(n.Fields)
}

func (w *writer) window(n *plan.Window) {
	w.kind(nodeWindow)
	w.node(n.Input)
	w.count(len(n.Calls))
	for _, c := range n.Calls {
		w.flag(c.Fn != nil)
		w.call(c.AggCall)
		w.ints(c.PartitionBy)
		w.sortKeys(c.OrderBy)
		w.flag(c.Frame.Rows)
		for _, p := range []*int64{c.Frame.Start, c.Frame.End} {
			if w.flag(p != nil); p != nil {
				w.sv(*p)
			}
		}
	}
	w.fields(n.Fields)
}

func (w *writer) sortKeys(keys []plan.SortKey) {
	w.count(len(keys))
	for _, k := range keys {
		w.count(k.Index)
		w.flag(k.Desc)
		w.flag(k.NullsFirst)
	}
}

// exprKind is what stands before an expression. The numbers are part of the format.
type exprKind byte

const (
	exprNone   exprKind = 0
	exprCol    exprKind = 1
	exprConst  exprKind = 2
	exprCall   exprKind = 3
	exprLambda exprKind = 4
	exprParam  exprKind = 5
	exprIn     exprKind = 6
)

func (w *writer) optional(e plan.Expr) {
	if e == nil {
		w.u8(byte(exprNone))
		return
	}
	w.expr(e)
}

func (w *writer) exprs(es []plan.Expr) {
	w.count(len(es))
	for _, e := range es {
		w.expr(e)
	}
}

func (w *writer) expr(e plan.Expr) {
	switch e := e.(type) {
	case *plan.Col:
		w.u8(byte(exprCol))
		w.count(e.Index)
		w.text(e.Name)
		w.typ(e.T)
	case *plan.Const:
		w.u8(byte(exprConst))
		w.typ(e.T)
		w.vector(e.Value)
	case *plan.Call:
		w.u8(byte(exprCall))
		s := e.Fn.Signature()
		w.text(s.Name)
		w.count(len(s.Args))
		for _, t := range s.Args {
			w.typ(t)
		}
		w.typ(s.Inner)
		w.typ(s.Result)
		w.exprs(e.Args)
	case *plan.Lambda:
		w.lambda(e)
	case *plan.Param:
		w.param(e)
	case *plan.In:
		w.in(e)
	default:
		w.fail(sqlerr.New(sqlerr.NotImplemented, "%T in a fragment is not implemented", e))
	}
}

func (w *writer) lambda(e *plan.Lambda) {
	w.u8(byte(exprLambda))
	w.count(len(e.Params))
	for _, p := range e.Params {
		w.text(p.Name)
		w.typ(p.T)
	}
	w.params = append(w.params, e.Params...)
	w.expr(e.Body)
	w.params = w.params[:len(w.params)-len(e.Params)]
}

// param writes which parameter of the lambdas around it is, the outermost first.
func (w *writer) param(e *plan.Param) {
	for i := len(w.params) - 1; i >= 0; i-- {
		if w.params[i] == e {
			w.u8(byte(exprParam))
			w.count(i)
			return
		}
	}
	w.fail(sqlerr.New(sqlerr.LogicalError, "Parameter %s is of no lambda around it", e.Name))
}

func (w *writer) in(e *plan.In) {
	w.u8(byte(exprIn))
	w.exprs(e.Args)
	w.flag(e.Not)
	w.typ(e.T)
	w.set(e.Set)
}

// set writes a set anew for each expression that has it: constant rows, or a subquery.
func (w *writer) set(s *plan.Set) {
	w.count(len(s.Types))
	for _, t := range s.Types {
		w.typ(t)
	}
	w.count(s.ID)
	w.flag(s.Input != nil)
	if s.Input != nil {
		w.node(s.Input)
		return
	}
	w.block(&column.Block{Cols: s.Values.Cols, N: s.Values.N})
}

// valueType is the type of the vectors of t.
func valueType(t *types.Type) *types.Type { return t.WithoutLowCardinality() }
