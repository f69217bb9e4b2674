package query

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/insert"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/query/settings"
	"github.com/olapd/olapd/query/virtual"
)

// maxInsertBytes is about how much input becomes one block: what the log, a segment's run and memory like.
const maxInsertBytes = 32 << 20

// nextBlock yields blocks, nil at the end.
type nextBlock = func(context.Context) (*column.Block, error)

// insert runs an INSERT.
func (x *statement) insert(r *Result, s *ast.Insert) error {
	switch {
	case s.Function != nil:
		return x.insertFunction(s)
	case s.Infile != nil:
		return sqlerr.At(s.Start, sqlerr.NotImplemented, "FROM INFILE is for clients: the server reads no files")
	}
	if call, err := x.externalCall(*s.Table); call != nil || err != nil {
		if err != nil {
			return err
		}
		into := *s
		into.Function = call
		return x.insertFunction(&into)
	}
	if s.PartitionBy != nil {
		return sqlerr.At(s.Start, sqlerr.NotImplemented, "INSERT … PARTITION BY is not implemented")
	}
	t, err := x.insertTable(*s.Table)
	if err != nil {
		return err
	}
	names, err := insert.Names(t, s.Columns)
	if err != nil {
		return err
	}
	o, err := x.analyzeOptions()
	if err != nil {
		return err
	}
	target, err := insert.New(x.ctx, t, names, o)
	if err != nil {
		return err
	}
	target.NullAsDefault = settings.InsertNullDefault.Of(x.set)
	x.inserts = target.Input
	if s.Select != nil {
		return x.insertSelect(r, target, s.Select, InsertOptions{})
	}
	if x.in.Rows != nil && !x.hasData() {
		rows, err := x.clientRows(target)
		if err != nil {
			return err
		}
		return x.write(r, t, rows, InsertOptions{})
	}
	rd, err := x.reader(s, target, o)
	if err != nil {
		return err
	}
	err = x.write(r, t, x.reading(rd, target), InsertOptions{})
	return errors.Join(err, rd.Close())
}

// externalCall is the table function that has the rows of a table of engine S3 or URL; nil of others.
func (x *statement) externalCall(n ast.TableName) (*ast.FuncCall, error) {
	t, err := x.existing(n)
	if err != nil || !define.IsExternal(t) {
		return nil, err
	}
	stmt, err := parse.One(t.Select, parse.Limits{QuerySize: len(t.Select) + 1})
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CodeOf(err), "table %s", t.FullName())
	}
	if q, ok := stmt.(*ast.SelectUnion); ok && len(q.Items) == 1 && q.Items[0].Select != nil {
		if f, ok := q.Items[0].Select.From.(*ast.TableFunction); ok {
			return f.Call, nil
		}
	}
	return nil, sqlerr.New(sqlerr.LogicalError, "Table %s calls no table function", t.FullName())
}

// insertTable finds the table an INSERT means: of a materialized view, the one that holds its rows.
func (x *statement) insertTable(n ast.TableName) (*catalog.Table, error) {
	t, err := x.existing(n)
	if err != nil {
		return nil, err
	}
	if t.Kind == catalog.KindRollup {
		t = x.cat.ByID(t.Target)
	}
	if t == nil || t.Kind != catalog.KindTable {
		return nil, sqlerr.At(n.Start, sqlerr.NotImplemented, "Method write is not supported by table %s", n)
	}
	return t, nil
}

// existing finds a table of the catalog by name.
func (x *statement) existing(n ast.TableName) (*catalog.Table, error) {
	db, name, err := x.table(n)
	if err != nil {
		return nil, err
	}
	if t := x.cat.Table(db, name); t != nil {
		return t, nil
	}
	switch {
	case !x.hasDatabase(db):
		return nil, x.noDatabase(db)
	case virtual.Lookup(x.src, db, name) != nil:
		return nil, sqlerr.At(n.Start, sqlerr.NotImplemented, "Table %s.%s is read-only", db, name)
	}
	return nil, sqlerr.At(n.Start, sqlerr.UnknownTable, "Table %s.%s does not exist", db, name)
}

// reader opens the data of an INSERT … FORMAT.
func (x *statement) reader(s *ast.Insert, target *insert.Target, o analyze.Options) (format.Reader, error) {
	f, err := format.Lookup(s.Format)
	if err != nil {
		return nil, err
	}
	opts := x.formatOptions(0) // Native input never has what newer revisions add, whatever the client speaks
	opts.Eval = func(sql string, f column.Field) (column.Vector, error) { return x.evaluate(sql, f, o) }
	opts.Cast = func(v column.Vector, t *types.Type) (column.Vector, error) { return function.Cast(x.env, v, t) }
	opts.Spool = x.e.deps.Scratch
	opts.Threads = threads(x.set)
	return f.NewReader(x.data.reader(), target.Input, opts)
}

// reading makes the data that was opened into blocks of the table.
func (x *statement) reading(rd format.Reader, target *insert.Target) nextBlock {
	rows := int(min(settings.MaxInsertBlock.Int(x.set), maxBlockRows))
	return func(ctx context.Context) (*column.Block, error) {
		in, err := rd.Read(ctx, rows, maxInsertBytes)
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		b := in.Block()
		x.countRead(b)
		return target.Block(b, in.Omitted)
	}
}

// countRead counts what a statement is given; the rows of input() are counted where they are scanned.
func (x *statement) countRead(b *column.Block) {
	if !x.inputRead {
		x.q.countRead(int64(b.N), b.Bytes())
	}
}

// evaluate computes an expression that stands in VALUES.
func (x *statement) evaluate(sql string, f column.Field, o analyze.Options) (column.Vector, error) {
	e, err := parse.Expr(sql, x.limits())
	if err != nil {
		return nil, err
	}
	p, err := analyze.Expr(x.ctx, e, nil, o)
	if err != nil {
		return nil, err
	}
	program, err := eval.Compile(x.env, []plan.Expr{p}, eval.NewSets(x.env, false))
	if err != nil {
		return nil, err
	}
	v, err := program.Run1(&column.Block{N: 1})
	if err != nil {
		return nil, err
	}
	if column.IsNull(v, 0) && !f.Type.WithoutLowCardinality().IsNullable() && settings.NullAsDefault.Of(x.set) {
		return column.Flatten(column.NewDefaults(f.Type.WithoutLowCardinality(), 1)), nil
	}
	v, err = function.Cast(x.env, v, f.Type)
	if err != nil {
		return nil, err
	}
	return column.Flatten(v), nil
}

// insertSelect writes the rows of a query.
func (x *statement) insertSelect(r *Result, target *insert.Target, q *ast.SelectUnion, o InsertOptions) error {
	if x.insertsFile(q) {
		x.src.Structure = target.Input
	}
	n, err := x.analyzed(q)
	x.src.Structure = nil
	if err != nil {
		return err
	}
	if len(n.Schema()) != len(target.Input) {
		return sqlerr.At(q.Start, sqlerr.NumberOfColumnsDoesntMatch, "Number of columns doesn't match (source: %d and result: %d)", len(n.Schema()), len(target.Input))
	}
	p, err := x.pipeline(n, false)
	if err != nil {
		return err
	}
	pull, stop := iter.Pull2(func(yield func(*column.Block, error) bool) {
		err := p.Run(x.ctx, func(b *column.Block) error {
			if !yield(b, nil) {
				return context.Canceled
			}
			return nil
		})
		if err != nil {
			yield(nil, err)
		}
	})
	defer stop()
	return x.write(r, target.Table, func(context.Context) (*column.Block, error) {
		b, err, ok := pull()
		if !ok || err != nil {
			return nil, err
		}
		b, omitted, err := target.Convert(b)
		if err != nil {
			return nil, err
		}
		return target.Block(b, omitted)
	}, o)
}

// insertsFile reports whether a query reads all columns of one file function. An INSERT of it reads the file as the columns that are inserted into.
func (x *statement) insertsFile(q *ast.SelectUnion) bool {
	if settings.FileStructure.Of(x.set) == 0 || len(q.Items) != 1 || q.Items[0].Select == nil || len(q.Items[0].Select.Exprs) != 1 {
		return false
	}
	all, ok := q.Items[0].Select.Exprs[0].(*ast.Asterisk)
	if !ok || len(all.Transformers) > 0 {
		return false
	}
	from, ok := q.Items[0].Select.From.(*ast.TableFunction)
	functions := 0
	ast.Walk(q, func(n ast.Node) bool {
		if _, is := n.(*ast.TableFunction); is {
			functions++
		}
		return true
	})
	return ok && functions == 1 && slices.Contains(fileFunctions, from.Call.Name)
}

// write hands blocks to the writer, each counted in the query's memory while it is under way.
func (x *statement) write(r *Result, t *catalog.Table, next nextBlock, o InsertOptions) error {
	held := int64(0)
	defer func() { x.q.budget.Release(held) }()
	if o.Token == "" {
		o.Token = settings.DedupToken.Of(x.set)
	}
	o.Dedup = settings.InsertDeduplicate.Of(x.set)
	writer := x.e.deps.Writer
	if isTemporary(t) {
		writer = x.s.temps
	}
	res, err := writer.Insert(x.ctx, t, func(ctx context.Context) (*column.Block, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := next(ctx)
		if err != nil || b == nil {
			return nil, err
		}
		x.q.budget.Release(held)
		held = 0
		n := b.Bytes()
		if err := x.q.budget.Reserve(n); err != nil {
			return nil, err
		}
		held = n
		x.q.writtenRows.Add(uint64(b.N))
		x.q.writtenBytes.Add(uint64(n))
		x.q.report()
		return b, nil
	}, o)
	r.Written = res
	return err
}
