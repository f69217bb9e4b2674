package virtual

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// formatRead is how many rows of a text are parsed at once.
const formatRead = 1 << 16

// formatTable is format(name, [structure,] text). The text is parsed when the table is opened.
func formatTable(s *Source, env *function.Env, call analyze.TableCall) (plan.Table, error) {
	if len(call.Args) != 2 && len(call.Args) != 3 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Table function format requires 2 or 3 arguments: format name, structure and data")
	}
	name, err := nameArg(call, 0)
	if err != nil {
		return nil, err
	}
	f, err := format.Lookup(name)
	if err != nil {
		return nil, err
	}
	text, err := nameArg(call, len(call.Args)-1)
	if err != nil {
		return nil, err
	}
	o := s.Settings.Format(env.Zone, env.Now)
	o.Schemas = s.Schemas
	o.Cast = func(v column.Vector, t *types.Type) (column.Vector, error) { return function.Cast(env, v, t) }
	var schema column.Schema
	if len(call.Args) == 3 {
		schema, err = StructureArg(call, 1)
	} else {
		schema, err = f.Infer(strings.NewReader(text), o)
	}
	if err != nil {
		return nil, err
	}
	return &Table{name: call.Name, schema: schema, open: func(ctx context.Context, cols []int) (exec.Scanner, error) {
		b, err := parseAll(ctx, f, schema, o, []byte(text))
		if err != nil {
			return nil, err
		}
		out := &column.Block{N: b.N}
		for _, c := range cols {
			out.Cols = append(out.Cols, b.Cols[c])
		}
		return &blockScanner{block: out}, nil
	}}, nil
}

// nameArg is a constant string, or the last name of an identifier.
func nameArg(call analyze.TableCall, i int) (string, error) {
	a := call.Args[i]
	if a.Value != nil {
		if text, ok := column.Value(a.Value, 0).(string); ok {
			return text, nil
		}
	} else if len(a.Ident) > 0 {
		return a.Ident[len(a.Ident)-1], nil
	}
	return "", sqlerr.New(sqlerr.BadArguments, "Argument %d of table function %s must be a constant string", i+1, call.Name)
}

func parseAll(ctx context.Context, f *format.Format, schema column.Schema, o format.Options, text []byte) (_ *column.Block, err error) {
	r, err := f.NewReader(bytes.NewReader(text), schema, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	all := emptyBlock(schema)
	for {
		rows, err := r.Read(ctx, formatRead, len(text)+1)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		b := rows.Block()
		for i, v := range b.Cols {
			all.Cols[i].(column.Builder).AppendRange(column.Flatten(v), 0, b.N)
		}
		all.N += b.N
	}
}
