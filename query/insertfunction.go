package query

import (
	"context"
	"errors"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/files"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/query/virtual"
)

// insertFunction runs INSERT INTO FUNCTION: into files, tables of other servers, or null(…), whose rows are read and go nowhere.
func (x *statement) insertFunction(s *ast.Insert) error {
	o, err := x.analyzeOptions()
	if err != nil {
		return err
	}
	call, err := analyze.Call(x.ctx, s.Function, o)
	if err != nil {
		return err
	}
	var n plan.Node
	if s.Select != nil {
		if n, err = x.analyzed(s.Select); err != nil {
			return err
		}
	}
	writes := slices.Contains(fileFunctions, call.Name)
	if s.PartitionBy != nil && !writes {
		return sqlerr.At(s.Start, sqlerr.NotImplemented, "INSERT INTO FUNCTION %s … PARTITION BY is not implemented", call.Name)
	}
	if writes {
		return x.insertFile(s, o, call, n)
	}
	switch call.Name {
	case "null":
		schema, err := virtual.StructureArg(call, 0)
		if err != nil {
			return err
		}
		return x.insertInto(s, o, schema, n, func(*column.Block) error { return nil })
	case "remote", "remoteSecure":
		return x.insertRemote(s, o, call, n)
	}
	return sqlerr.At(s.Function.Start, sqlerr.NotImplemented, "INSERT INTO FUNCTION %s is not implemented", call.Name)
}

// fileFunctions are the table functions whose rows are files.
var fileFunctions = []string{"file", "url", "s3", "gcs"}

// insertFile writes the rows to a file. Its columns are those of the structure, of the query, or of the file that is there.
func (x *statement) insertFile(s *ast.Insert, o analyze.Options, call analyze.TableCall, n plan.Node) error {
	if err := x.mayWrite(call.Name); err != nil {
		return err
	}
	q, err := virtual.FileRequest(call)
	if err != nil {
		return err
	}
	fo := virtual.FileOptions(x.src, x.env)
	schema := q.Structure
	switch {
	case schema != nil:
	case n != nil:
		schema = n.Schema()
	default:
		d, err := files.Open(x.ctx, x.e.deps.Files, q, fo)
		if err != nil {
			return err
		}
		schema = d.Data()
	}
	sink, err := x.fileSink(s, o, q, schema, fo)
	if err != nil {
		return err
	}
	if err := x.insertInto(s, o, schema, n, sink.write); err != nil {
		return errors.Join(err, sink.Abort())
	}
	return sink.Close()
}

// ending makes what was written durable, or takes it back.
type ending interface {
	Close() error
	Abort() error
}

// fileSink is one file, or those of PARTITION BY.
type fileSink struct {
	ending
	write func(*column.Block) error
}

func (x *statement) fileSink(s *ast.Insert, o analyze.Options, q files.Request, schema column.Schema, fo files.Options) (fileSink, error) {
	if s.PartitionBy == nil {
		sink, err := files.Create(x.ctx, x.e.deps.Files, q, schema, fo)
		if err != nil {
			return fileSink{}, err
		}
		return fileSink{sink, sink.Write}, nil
	}
	id := &ast.FuncCall{Range: s.PartitionBy.Span(), Name: "toString", Args: []ast.Expr{s.PartitionBy}}
	e, err := analyze.Expr(x.ctx, id, schema, o)
	if err != nil {
		return fileSink{}, err
	}
	by, err := eval.Compile(x.env, []plan.Expr{e}, eval.NewSets(x.env, false))
	if err != nil {
		return fileSink{}, err
	}
	sink, err := files.CreatePartitioned(x.ctx, x.e.deps.Files, q, schema, fo)
	if err != nil {
		return fileSink{}, err
	}
	return fileSink{sink, func(b *column.Block) error {
		ids, err := by.Run1(b)
		if err != nil {
			return err
		}
		return sink.Write(b, ids)
	}}, nil
}

// insertRemote sends the rows to another server.
func (x *statement) insertRemote(s *ast.Insert, o analyze.Options, call analyze.TableCall, n plan.Node) error {
	if err := x.mayWrite(call.Name); err != nil {
		return err
	}
	t, err := virtual.OpenRemote(x.ctx, x.src, call)
	if err != nil {
		return err
	}
	sink, err := t.Create(x.ctx)
	if err != nil {
		return err
	}
	if err := x.insertInto(s, o, t.Insertable(), n, sink.Write); err != nil {
		return errors.Join(err, sink.Abort())
	}
	return sink.Close()
}

// insertInto hands the rows of the statement, of its query n if it has one, to write, as blocks of the schema.
func (x *statement) insertInto(s *ast.Insert, o analyze.Options, schema column.Schema, n plan.Node, write func(*column.Block) error) error {
	target, err := x.bare(s.Function.Name, schema, s.Columns)
	if err != nil {
		return err
	}
	counted := func(b *column.Block) error {
		x.q.writtenRows.Add(uint64(b.N))
		x.q.writtenBytes.Add(uint64(b.Bytes()))
		return write(b)
	}
	if n != nil {
		if len(n.Schema()) != len(target.Input) {
			return sqlerr.At(s.Select.Start, sqlerr.NumberOfColumnsDoesntMatch, "Number of columns doesn't match (source: %d and result: %d)", len(n.Schema()), len(target.Input))
		}
		p, err := x.pipeline(n, false)
		if err != nil {
			return err
		}
		return p.Run(x.ctx, func(b *column.Block) error {
			b, omitted, err := target.Convert(b)
			if err != nil {
				return err
			}
			if b, err = target.Block(b, omitted); err != nil {
				return err
			}
			return counted(b)
		})
	}
	if x.in.Rows != nil && !x.hasData() {
		rows, err := x.clientRows(target)
		if err != nil {
			return err
		}
		return drain(x.ctx, rows, counted)
	}
	rd, err := x.reader(s, target, o)
	if err != nil {
		return err
	}
	return errors.Join(drain(x.ctx, x.reading(rd, target), counted), rd.Close())
}

// drain hands blocks to write until there are no more.
func drain(ctx context.Context, next nextBlock, write func(*column.Block) error) error {
	for {
		b, err := next(ctx)
		if b == nil || err != nil {
			return err
		}
		if err := write(b); err != nil {
			return err
		}
	}
}
