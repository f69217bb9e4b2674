package virtual

import (
	"context"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/files"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/query/settings"
	"github.com/olapd/olapd/segment"
)

// filesTable is the files that a call of file, url or s3 names.
func filesTable(ctx context.Context, s *Source, env *function.Env, call analyze.TableCall) (plan.Table, error) {
	q, err := FileRequest(call)
	if err != nil {
		return nil, err
	}
	if q.Structure == nil {
		q.Structure = s.Structure
	}
	d, err := files.Open(ctx, s.Files, q, FileOptions(s, env))
	if err != nil {
		return nil, err
	}
	return &Table{name: call.Name, schema: d.Schema(), hidden: d.Hidden(), scan: func(ctx context.Context, req exec.ScanRequest) (exec.Scanner, error) {
		return d.Scan(ctx, req.Columns, files.Wanted{
			File: func(schema column.Schema, values []column.Vector) bool { return mayMatch(req.Cond, schema, values) },
			Rows: func(name string, lo, hi column.Vector) bool { return mayLie(req.Cond, name, lo, hi) },
		})
	}}, nil
}

// FileOptions is how a statement reads and writes files.
func FileOptions(s *Source, env *function.Env) files.Options {
	o := files.Options{Format: s.Settings.Format(env.Zone, env.Now), Hive: settings.HivePartitioning.Of(s.Settings), Truncate: settings.FileTruncate.Of(s.Settings),
		ReplaceObject: settings.S3Truncate.Of(s.Settings), NumberObject: settings.S3CreateNew.Of(s.Settings), Memory: env.Budget}
	o.Format.Schemas = s.Schemas
	o.Format.Cast = func(v column.Vector, t *types.Type) (column.Vector, error) { return function.Cast(env, v, t) }
	o.Format.Spool, o.Format.Threads = s.Spool, s.Threads
	return o
}

// FileRequest reads the arguments of file, url and s3.
func FileRequest(call analyze.TableCall) (files.Request, error) {
	switch call.Name {
	case "s3", "gcs":
		return storedRequest(call)
	}
	q := files.Request{Function: call.Name}
	if call.Name == "url" {
		var err error
		if call, err = withoutHeaders(call, &q); err != nil {
			return q, err
		}
	}
	if len(call.Args) < 1 || len(call.Args) > 4 {
		return q, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "The signature of table function %s shall be the following: %s [, format [, structure [, compression_method]]]", call.Name, map[bool]string{true: "url", false: "path"}[call.Name == "url"])
	}
	args, err := names(call)
	if err != nil {
		return q, err
	}
	q.Path = args[0]
	return q, described(&q, args[1:])
}

// names are the arguments as texts.
func names(call analyze.TableCall) ([]string, error) {
	var out []string
	for i := range call.Args {
		text, err := nameArg(call, i)
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}

// described takes format [, structure [, compression]].
func described(q *files.Request, args []string) error {
	args = append(args, "", "", "")
	q.Format, q.Compression = args[0], args[2]
	if args[1] == "" || args[1] == "auto" {
		return nil
	}
	var err error
	q.Structure, err = ParseStructure(args[1])
	return err
}

// withoutHeaders takes headers('name' = 'value', …) out of the arguments.
func withoutHeaders(call analyze.TableCall, q *files.Request) (analyze.TableCall, error) {
	out := analyze.TableCall{Name: call.Name}
	for _, a := range call.Args {
		if a.Call == nil {
			out.Args = append(out.Args, a)
			continue
		}
		values, err := names(*a.Call)
		if err != nil {
			return call, err
		}
		for i, v := range values {
			name := a.Call.Args[i].Name
			if name == "" {
				return call, sqlerr.New(sqlerr.BadArguments, "Arguments of headers must be 'name' = 'value'")
			}
			q.Headers = append(q.Headers, files.Header{Name: name, Value: v})
		}
	}
	return out, nil
}

// mayMatch reports whether rows for which the columns of schema have the values, each of length 1, may satisfy a condition.
func mayMatch(c *segment.Condition, schema column.Schema, values []column.Vector) bool {
	if c == nil {
		return true
	}
	for _, t := range c.Terms {
		i := schema.Index(t.Column)
		if t.Kind == segment.AnyOf && !slices.ContainsFunc(t.Any, func(c segment.Condition) bool { return mayMatch(&c, schema, values) }) {
			return false
		}
		if i < 0 || t.Values == nil || column.IsNull(values[i], 0) || values[i].Type() != t.Values.Type() && !values[i].Type().Equal(t.Values.Type()) {
			continue
		}
		if !termHolds(t, values[i]) {
			return false
		}
	}
	return true
}

// termHolds tells whether a term may hold of a value of its column.
func termHolds(t segment.Term, v column.Vector) bool {
	switch t.Kind {
	case segment.Compare:
		return t.Op.Holds(column.Compare(v, 0, t.Values, 0))
	case segment.In:
		for i := range t.Values.Len() {
			if column.Compare(v, 0, t.Values, i) == 0 {
				return true
			}
		}
		return false
	}
	return true
}

// mayLie reports whether rows whose values of a column that are not NULL lie between lo and hi, of length 1 each, may satisfy a condition.
func mayLie(c *segment.Condition, name string, lo, hi column.Vector) bool {
	if c == nil {
		return true
	}
	for _, t := range c.Terms {
		if t.Kind == segment.AnyOf && !slices.ContainsFunc(t.Any, func(c segment.Condition) bool { return mayLie(&c, name, lo, hi) }) {
			return false
		}
		if t.Column == name && t.Values != nil && !termReaches(t, lo, hi) {
			return false
		}
	}
	return true
}

// termReaches tells whether a term may hold of a value between two. Bounds of strings need not be values, so that != holds of all.
func termReaches(t segment.Term, lo, hi column.Vector) bool {
	values := t.Values
	if n, ok := values.(*column.Nullable); ok && !slices.Contains(n.Nulls, 1) {
		values = n.Inner
	}
	if !values.Type().Equal(lo.Type()) || values.Len() == 0 {
		return true
	}
	between := func(i int) bool {
		return column.Compare(lo, 0, values, i) <= 0 && column.Compare(values, i, hi, 0) <= 0
	}
	switch t.Kind {
	case segment.In:
		for i := range values.Len() {
			if between(i) {
				return true
			}
		}
		return false
	case segment.Compare:
		switch t.Op {
		case kernel.Eq:
			return between(0)
		case kernel.Lt, kernel.Le:
			return t.Op.Holds(column.Compare(lo, 0, values, 0))
		case kernel.Gt, kernel.Ge:
			return t.Op.Holds(column.Compare(hi, 0, values, 0))
		}
	}
	return true
}
