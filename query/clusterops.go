package query

import (
	"context"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
)

// Operator runs the commands of SYSTEM CLUSTER. Safe for concurrent use.
type Operator interface {
	// Operate runs a command, such as LEAVE, on what its argument names, and returns what there is to say.
	Operate(ctx context.Context, command, argument string) (string, error)
}

// clusterPrefix begins the commands that an Operator runs.
const clusterPrefix = "CLUSTER "

// operate runs SYSTEM CLUSTER command ['argument'].
func (x *statement) operate(r *Result, s *ast.System) error {
	if x.e.deps.Operator == nil {
		return sqlerr.At(s.Start, sqlerr.NotImplemented, "SYSTEM %s is not implemented here: there is no cluster", s.Command)
	}
	argument := strings.TrimSpace(s.Args)
	if argument != "" {
		e, err := parse.Expr(argument, parse.Limits{})
		if err != nil {
			return err
		}
		l, ok := e.(*ast.Literal)
		if !ok {
			return sqlerr.At(s.Start, sqlerr.BadArguments, "SYSTEM %s takes a literal, not %s", s.Command, argument)
		}
		if l.Kind == ast.LiteralString {
			argument = l.Str
		}
	}
	text, err := x.e.deps.Operator.Operate(x.ctx, strings.TrimPrefix(s.Command, clusterPrefix), argument)
	if err != nil {
		return err
	}
	out := column.NewStrings()
	out.AppendString(text)
	r.rows(column.Schema{{Name: "result", Type: types.TString}}, column.NewBlock(out), ast.Output{})
	return nil
}
