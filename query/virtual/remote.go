package virtual

import (
	"context"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/query/remote"
	"github.com/olapd/olapd/query/settings"
)

// remoteTable is remote('addresses' [, database.table | database, table [, user [, password]]]), and remoteSecure.
func remoteTable(ctx context.Context, s *Source, call analyze.TableCall) (plan.Table, error) {
	t, err := OpenRemote(ctx, s, call)
	if err != nil {
		return nil, err
	}
	return &Table{name: call.Name, schema: t.Schema(), hidden: t.Hidden(), scan: func(ctx context.Context, req exec.ScanRequest) (exec.Scanner, error) {
		return t.Scan(ctx, req.Columns, req.Cond, settings.SkipUnavailable.Of(s.Settings))
	}}, nil
}

// OpenRemote is the table that a call of remote or remoteSecure names.
func OpenRemote(ctx context.Context, s *Source, call analyze.TableCall) (*remote.Table, error) {
	q, err := remoteRequest(call)
	if err != nil {
		return nil, err
	}
	return remote.Open(ctx, s.Remote, q)
}

func remoteRequest(call analyze.TableCall) (remote.Request, error) {
	q := remote.Request{Database: "system", Table: "one", User: "default", Secure: call.Name == "remoteSecure"}
	args := call.Args
	if len(args) == 0 || len(args) > 6 {
		return q, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Table function '%s' requires from 1 to 6 parameters: <addresses pattern> [, <name of remote database>, "+
			"<name of remote table>] [, username[, password], sharding_key]", call.Name)
	}
	if args[0].Value == nil {
		return q, sqlerr.New(sqlerr.BadArguments, "Hosts pattern must be string literal (in single quotes)")
	}
	text, ok := column.Value(args[0].Value, 0).(string)
	if !ok {
		return q, sqlerr.New(sqlerr.BadArguments, "Hosts pattern must be string literal (in single quotes)")
	}
	q.Addresses = text
	next := 1
	if len(args) > next {
		path := args[next].Ident
		if args[next].Value != nil {
			name, err := nameArg(call, next)
			if err != nil {
				return q, err
			}
			path = dotted(name)
		}
		switch next++; {
		case len(path) == 2:
			q.Database, q.Table = path[0], path[1]
		case len(path) == 1 && len(args) > next:
			name, err := nameArg(call, next)
			if err != nil {
				return q, err
			}
			q.Database, q.Table = path[0], name
			next++
		default:
			return q, sqlerr.New(sqlerr.BadArguments, "Table function %s takes database.table, or database and table, as names: not subqueries or table functions", call.Name)
		}
	}
	for _, field := range []*string{&q.User, &q.Password} {
		if next < len(args) && args[next].Value != nil {
			if text, ok := column.Value(args[next].Value, 0).(string); ok {
				*field = text
				next++
			}
		}
	}
	return q, nil
}

// dotted takes database.table apart.
func dotted(name string) []string {
	if db, table, ok := strings.Cut(name, "."); ok {
		return []string{db, table}
	}
	return []string{name}
}
