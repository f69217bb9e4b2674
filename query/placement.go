package query

import (
	"slices"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/plan"
)

// maxPlaces bounds the values of a sharding key for which shards are looked up: a condition with more is likely to be about all shards.
const maxPlaces = 64

// shardingKey is the SQL of a table's sharding key, if all its rows lie where that says: those that rollups derive lie where their source's rows do.
func (x *statement) shardingKey(t *catalog.Table) string {
	key := t.ShardingKey()
	if key != "" && slices.ContainsFunc(x.cat.Tables(""), func(r *catalog.Table) bool {
		return r.Kind == catalog.KindRollup && r.Refresh == nil && r.Target == t.ID
	}) {
		return ""
	}
	return key
}

// shardsOf returns the shards that may have rows which pass a scan's filter, where that compares the columns of the sharding key with constants; nil: all.
func (x *statement) shardsOf(n *plan.Scan, spread catalog.Spread) []uint64 {
	key := x.shardingKey(n.Table.Catalog())
	if key == "" || n.Filter == nil {
		return nil
	}
	e, err := parse.Expr("cityHash64("+key+")", parse.Limits{})
	if err != nil {
		return nil
	}
	o, err := x.analyzeOptions()
	if err != nil {
		return nil
	}
	all := n.Table.Schema()
	hash, err := analyze.Expr(x.ctx, e, all, o)
	if err != nil {
		return nil
	}
	values := x.keyValues(n, all, hash)
	if values == nil {
		return nil
	}
	prog, err := eval.Compile(x.env, []plan.Expr{hash}, eval.NewSets(x.env, false))
	if err != nil {
		return nil
	}
	v, err := prog.Run1(values)
	if err != nil {
		return nil
	}
	hashes, ok := column.Flatten(v).(*column.Num[uint64])
	if !ok {
		return nil
	}
	out := make([]uint64, 0, len(hashes.Data))
	for _, h := range hashes.Data {
		out = append(out, spread.Shard(h))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// keyValues returns all values that the columns of a sharding key may have in rows which pass a scan's filter, as a block of the table's columns of which
// the others are nil; nil if they are not known, or too many.
func (x *statement) keyValues(n *plan.Scan, all column.Schema, hash plan.Expr) *column.Block {
	used := map[int]bool{}
	plan.Columns(hash, used)
	out := &column.Block{N: 1, Cols: make([]column.Vector, len(all))}
	for c := range used {
		v := x.columnValues(n, slices.Index(n.Columns, c), all[c].Type)
		if v == nil || v.Len() == 0 || out.N*v.Len() > maxPlaces {
			return nil
		}
		out = product(out, c, v)
	}
	if len(used) == 0 {
		return nil
	}
	return out
}

// product pairs each row of b with each value, as column c.
func product(b *column.Block, c int, v column.Vector) *column.Block {
	var rows, vals []uint32
	for i := range b.N {
		for k := range v.Len() {
			rows, vals = append(rows, uint32(i)), append(vals, uint32(k))
		}
	}
	out := &column.Block{N: len(rows), Cols: make([]column.Vector, len(b.Cols))}
	for i, old := range b.Cols {
		if old != nil {
			out.Cols[i] = column.Gather(old, rows)
		}
	}
	out.Cols[c] = column.Gather(v, vals)
	return out
}

// columnValues returns the values that column c of a scan, of type t, is compared with, by = or IN, in a condition that all rows pass; nil if there is none.
func (x *statement) columnValues(n *plan.Scan, c int, t *types.Type) column.Vector {
	if c < 0 {
		return nil
	}
	for _, e := range conjuncts(n.Filter, nil) {
		if v := comparedWith(e, c); v != nil {
			if v = x.exactly(v, t); v != nil {
				return v
			}
		}
	}
	return nil
}

func conjuncts(e plan.Expr, to []plan.Expr) []plan.Expr {
	if c, ok := e.(*plan.Call); ok && c.Fn.Func.Name == "and" {
		for _, a := range c.Args {
			to = conjuncts(a, to)
		}
		return to
	}
	return append(to, e)
}

// comparedWith returns the values of which column c must have one for the condition to hold; nil if it is not of that form.
func comparedWith(e plan.Expr, c int) column.Vector {
	isColumn := func(e plan.Expr) bool {
		col, ok := e.(*plan.Col)
		return ok && col.Index == c
	}
	switch e := e.(type) {
	case *plan.Call:
		if e.Fn.Func.Name != "equals" {
			return nil
		}
		for i, a := range e.Args {
			if k, ok := e.Args[1-i].(*plan.Const); ok && isColumn(a) {
				return k.Value
			}
		}
	case *plan.In:
		if !e.Not && len(e.Args) == 1 && isColumn(e.Args[0]) && e.Set.Values != nil && e.Set.Values.N <= maxPlaces {
			return e.Set.Values.Cols[0]
		}
	}
	return nil
}

// exactly returns values as those of type t that they are equal to; nil if that cannot be told.
func (x *statement) exactly(v column.Vector, t *types.Type) column.Vector {
	from, to := v.Type().Inner(), t.Inner()
	if !from.Equal(to) && !(from.IsInteger() && to.IsInteger()) || to.IsFloat() {
		return nil
	}
	name := column.NewStrings(to.String())
	fn, err := function.Bind(x.env, "accurateCastOrNull", []function.Arg{{Type: v.Type()}, {Type: types.TString, Const: name}})
	if err != nil {
		return nil
	}
	cast, err := fn.Call(x.env, []column.Vector{v, &column.Const{Value: name, N: v.Len()}}, nil, v.Len())
	if err != nil {
		return nil
	}
	flat := column.Flatten(cast)
	out := column.New(t.WithoutLowCardinality(), v.Len())
	for i := range flat.Len() {
		if column.IsNull(flat, i) {
			continue // equal to no value of the type
		}
		if n, ok := flat.(*column.Nullable); ok && !t.IsNullable() {
			out.AppendFrom(n.Inner, i)
		} else {
			out.AppendFrom(flat, i)
		}
	}
	return out
}
