package query

import (
	"context"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/build"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/exec/spill"
	"github.com/olapd/olapd/query/optimize"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/query/settings"
	"github.com/olapd/olapd/query/virtual"
)

// storage is the snapshot that all reads of the statement share.
func (x *statement) storage() *virtual.Storage {
	if x.store == nil {
		x.store = virtual.Wrap(x.snapshot)
	}
	return x.store
}

func (x *statement) analyzeOptions() (analyze.Options, error) {
	filters, err := x.tableFilters()
	return analyze.Options{
		Catalog: x.cat, Database: x.db, Env: x.env, Params: x.in.Params, Filters: filters,
		Virtual: func(db, name string) plan.Table {
			if t := x.external(db, name); t != nil {
				return t
			}
			return virtual.Lookup(x.src, db, name)
		},
		VirtualTables: virtual.Tables,
		Table:         x.stored,
		TableFunction: func(ctx context.Context, call analyze.TableCall) (plan.Table, error) {
			if err := x.mayCall(call.Name); err != nil {
				return nil, err
			}
			switch call.Name {
			case "dictionary":
				return x.dictionaryFunction(call)
			case "input":
				return x.inputFunction(call)
			}
			return virtual.Function(ctx, x.src, x.env, call)
		},
		Cluster: func(_ context.Context, call analyze.ClusterCall) (analyze.ClusterTable, error) {
			if err := x.mayCall(call.Function); err != nil {
				return analyze.ClusterTable{}, err
			}
			return virtual.Cluster(x.src, call)
		},
		Reads: x.mayRead, Policies: x.policies,
		Scalar: x.scalar, Rows: x.approximateRows,
	}, err
}

// approximateRows is how many rows a table has, for SAMPLE n.
func (x *statement) approximateRows(t *catalog.Table) (uint64, error) {
	if x.src.Providers.Sizes == nil {
		return 0, nil
	}
	sizes, err := x.src.Providers.Sizes(x.ctx)
	return sizes[t.ID].Rows, err
}

// stored is a table of the catalog for reading.
func (x *statement) stored(t *catalog.Table) (plan.Table, error) {
	switch {
	case isTemporary(t):
		return x.s.temps.table(t)
	case t.Kind == catalog.KindDictionary:
		return x.dictionaryTable(t.FullName())
	case t.Kind == catalog.KindKafka:
		return nil, sqlerr.New(sqlerr.NotImplemented, "Direct select from table %s of engine Kafka is not implemented: read it through a materialized view", t.FullName())
	case t.Engine == "Null":
		return virtual.Empty(t)
	}
	return plan.NewTable(t)
}

// mapCall writes the value of a setting of type Map, {'k':'v', …}, as a call of map, which is an expression.
func mapCall(text string) string {
	inner, ok := strings.CutPrefix(strings.TrimSpace(text), "{")
	if !ok || !strings.HasSuffix(inner, "}") {
		return text
	}
	b := []byte("map(" + inner[:len(inner)-1] + ")")
	quoted := false
	for i := 0; i < len(b); i++ {
		switch {
		case quoted && b[i] == '\\':
			i++
		case b[i] == '\'':
			quoted = !quoted
		case !quoted && b[i] == ':':
			b[i] = ','
		}
	}
	return string(b)
}

// tableFilters reads the setting additional_table_filters: a map literal of strings.
func (x *statement) tableFilters() (map[string]string, error) {
	text := settings.TableFilters.Of(x.set)
	if text == "" || text == "{}" || text == "map()" {
		return nil, nil
	}
	e, err := parse.Expr(mapCall(text), parse.Limits{})
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.BadArguments, "Setting additional_table_filters")
	}
	c, ok := e.(*ast.FuncCall)
	if !ok || c.Name != "map" || len(c.Args)%2 != 0 {
		return nil, sqlerr.New(sqlerr.BadArguments, "Setting additional_table_filters is not a map: %s", text)
	}
	out := map[string]string{}
	for i := 0; i < len(c.Args); i += 2 {
		k, ok1 := c.Args[i].(*ast.Literal)
		v, ok2 := c.Args[i+1].(*ast.Literal)
		if !ok1 || !ok2 || k.Kind != ast.LiteralString || v.Kind != ast.LiteralString {
			return nil, sqlerr.New(sqlerr.BadArguments, "Setting additional_table_filters is not a map of strings: %s", text)
		}
		out[k.Str] = v.Str
	}
	return out, nil
}

// analyzed is the optimized plan of a query.
func (x *statement) analyzed(q *ast.SelectUnion) (plan.Node, error) {
	n, err := x.planned(q)
	if err != nil {
		return nil, err
	}
	return optimize.Run(n), nil
}

// planned is the plan as analysis makes it.
func (x *statement) planned(q *ast.SelectUnion) (plan.Node, error) {
	o, err := x.analyzeOptions()
	if err != nil {
		return nil, err
	}
	n, err := analyze.Query(x.ctx, q, o)
	if err != nil {
		return nil, err
	}
	return x.resultFilter(n, o)
}

// resultFilter applies the setting additional_result_filter.
func (x *statement) resultFilter(n plan.Node, o analyze.Options) (plan.Node, error) {
	text := settings.ResultFilter.Of(x.set)
	if text == "" {
		return n, nil
	}
	e, err := parse.Expr(text, parse.Limits{})
	if err != nil {
		return nil, err
	}
	cond, err := analyze.Expr(x.ctx, e, n.Schema(), o)
	if err != nil {
		return nil, err
	}
	return &plan.Filter{Input: n, Cond: cond}, nil
}

// pipeline builds a plan; the caller runs or closes it.
func (x *statement) pipeline(n plan.Node, extremes bool) (*exec.Pipeline, error) {
	o := x.e.execOptions(x.q)
	o.Extremes, o.Temp = extremes, x.temporary()
	b := build.Options{Storage: x.storage(), Env: x.env, Options: o}
	var err error
	if n, b.Remotes, err = x.cut(n); err != nil {
		return nil, err
	}
	return build.Build(x.ctx, n, b)
}

// execOptions is how a query's pipelines run, but for temporary files.
func (e *Engine) execOptions(q *running) exec.Options {
	v, most := q.set, q.budget.Least()
	return exec.Options{
		Threads: threads(v), MaxBlockSize: int(min(settings.MaxBlockSize.Int(v), maxBlockRows)), Budget: q.budget, Progress: q.countRead, Planned: q.countPlanned,
		Limits: exec.Limits{
			RowsToRead: settings.MaxRowsToRead.Int(v), BytesToRead: settings.MaxBytesToRead.Int(v), ReadMode: mode(settings.ReadMode, v),
			RowsToGroupBy: settings.MaxRowsToGroupBy.Int(v), GroupByMode: mode(settings.GroupByMode, v),
			RowsToSort: settings.MaxRowsToSort.Int(v), BytesToSort: settings.MaxBytesToSort.Int(v), SortMode: mode(settings.SortMode, v),
			ResultRows: settings.MaxResultRows.Int(v), ResultBytes: settings.MaxResultBytes.Int(v), ResultMode: mode(settings.ResultMode, v),
			RowsInDistinct: settings.MaxRowsInDistinct.Int(v), BytesInDistinct: settings.MaxBytesInDistinct.Int(v), DistinctMode: mode(settings.DistinctMode, v),
			RowsInSet: settings.MaxRowsInSet.Int(v), BytesInSet: settings.MaxBytesInSet.Int(v), SetMode: mode(settings.SetMode, v),
			RowsToBroadcast: settings.MaxBroadcastRows.Int(v), BytesToBroadcast: settings.MaxBroadcast.Int(v),
			RowsInJoin: settings.MaxRowsInJoin.Int(v), BytesInJoin: settings.MaxBytesInJoin.Int(v), JoinMode: mode(settings.JoinMode, v),
			SortSpill:  spillFrom(settings.SortSpillBytes.Int(v), settings.SortSpillRatio.Of(v), most),
			GroupSpill: spillFrom(settings.GroupSpillBytes.Int(v), settings.GroupSpillRatio.Of(v), most),
			JoinSpill:  spillFrom(0, joinSpillRatio, most),
		},
		Slots: e.slots, Unions: e.unions,
	}
}

// joinSpillRatio is the share of the memory there is from which a join goes on in temporary files, as sorts and groups do by their settings.
const joinSpillRatio = 0.5

// spillFrom is the bytes of memory from which an operator writes to temporary files: the lesser of a size and a share of the
// memory there is; 0 is never.
func spillFrom(size int64, ratio float64, most int64) int64 {
	if ratio > 0 && ratio < 1 && most < mem.NoLimit {
		if share := max(int64(float64(most)*ratio), 1); size == 0 || share < size {
			return share
		}
	}
	return size
}

// temporary is where the statement's operators write what they cannot hold in memory; Close removes it.
func (x *statement) temporary() *spill.Area {
	if x.temp == nil && x.e.deps.Temp != nil {
		x.temp = x.e.deps.Temp.Area(settings.MaxTempQuery.Int(x.set))
	}
	return x.temp
}

// maxBlockRows bounds max_block_size: what one vector may hold without its offsets overflowing on strings of usual length.
const maxBlockRows = 1 << 20

func mode(s settings.Text, v *settings.Values) exec.Overflow {
	switch s.Of(v) {
	case "break":
		return exec.OverflowBreak
	case "any":
		return exec.OverflowAny
	}
	return exec.OverflowThrow
}

// scalar runs a plan for the analyzer and returns all its rows.
func (x *statement) scalar(_ context.Context, n plan.Node) (*column.Block, error) {
	p, err := x.pipeline(optimize.Run(n), false)
	if err != nil {
		return nil, err
	}
	return gather(x.ctx, p)
}

// gather runs a pipeline whose result is known to be small.
func gather(ctx context.Context, p *exec.Pipeline) (*column.Block, error) {
	out := &column.Block{}
	for _, f := range p.Schema {
		out.Cols = append(out.Cols, column.New(f.Type.WithoutLowCardinality(), 0))
	}
	err := p.Run(ctx, func(b *column.Block) error {
		for i, c := range b.Cols {
			out.Cols[i].(column.Builder).AppendRange(c, 0, b.N)
		}
		out.N += b.N
		return nil
	})
	return out, err
}

// selectQuery makes a SELECT ready.
func (x *statement) selectQuery(r *Result, q *ast.SelectUnion) error {
	if err := noOutfile(q.Output); err != nil && !x.in.OwnOutput {
		return err
	}
	n, err := x.analyzed(q)
	if err != nil {
		return err
	}
	return x.result(r, n, q.Output)
}

// noOutfile refuses INTO OUTFILE, which clients handle themselves.
func noOutfile(o ast.Output) error {
	if o.OutFile != nil {
		return sqlerr.New(sqlerr.NotImplemented, "INTO OUTFILE is not allowed: it is for clients")
	}
	return nil
}

// result makes r yield the rows of a plan.
func (x *statement) result(r *Result, n plan.Node, out ast.Output) error {
	if out.Format != "" && !x.in.OwnOutput { // before anything is sent
		if _, err := format.Lookup(out.Format); err != nil {
			return err
		}
	}
	p, err := x.pipeline(n, settings.Extremes.Of(x.set))
	if err != nil {
		return err
	}
	r.Schema, r.Format = p.Schema, out.Format
	r.produce = func(ctx context.Context, emit func(*column.Block) error) error {
		if err := p.Run(ctx, emit); err != nil {
			return err
		}
		var err error
		r.totals, err = p.Totals()
		r.extremes = p.Extremes()
		if rows, ok := p.RowsBeforeLimit(); ok {
			r.beforeLimit, r.hasLimit = uint64(rows), true
		}
		return err
	}
	return nil
}

// rows makes r yield a block that is there.
func (r *Result) rows(schema column.Schema, b *column.Block, out ast.Output) {
	r.Schema, r.Format = schema, out.Format
	r.produce = func(_ context.Context, emit func(*column.Block) error) error {
		if b.N == 0 {
			return nil
		}
		return emit(b)
	}
}

// formatOptions are the settings that formats obey.
func (x *statement) formatOptions(revision int) format.Options {
	o := x.set.Format(x.env.Zone, x.env.Now)
	o.Revision, o.Schemas = revision, x.e.deps.Schemas
	return o
}
