package virtual

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// tableFunctions are the table functions with what system.table_functions says of them.
var tableFunctions = map[string]string{
	"numbers":            "Yields the numbers from an offset on: numbers([offset,] count [, step]).",
	"numbers_mt":         "Is numbers.",
	"zeros":              "Yields as many zeros: zeros(count).",
	"zeros_mt":           "Is zeros.",
	"one":                "Yields one row of a zero.",
	"merge":              "Yields the rows of all tables whose names match: merge([database,] 'regular expression').",
	"cluster":            "Yields the rows of a table of all shards, or of one replica of each shard where the table tells of a node: cluster('name', database.table).",
	"clusterAllReplicas": "Yields the rows of a table of all replicas: clusterAllReplicas('name', database.table).",
	"remote":             "Yields the rows of a table of other servers, over the native protocol: remote('host[:port], …', database.table [, user [, password]]).",
	"remoteSecure":       "Is remote over TLS.",
	"null":               "Yields no rows of the columns in its structure: null('a UInt8, b String').",
	"values":             "Yields constant rows: values('a UInt8, b String', (1, 'x'), (2, 'y')).",
	"view":               "Yields the rows of a subquery: view(SELECT …).",
	"format":             "Yields the rows of a text in a format: format(CSV, 'a UInt8, b String', '1,x').",
	"generateRandom":     "Yields random rows without end: generateRandom('a UInt8, b String' [, seed [, longest string [, longest array]]]).",
	"file":               "Yields the rows of files in the folder of user files: file(path [, format [, structure [, compression]]]).",
	"input":              "Yields the rows that INSERT … SELECT … FROM input('a UInt8, b String') FORMAT … is given, before they are inserted.",
	"dictionary":         "Yields the rows of a dictionary: dictionary('database.name').",
	"url":                "Yields the rows of what web servers answer: url(address [, format [, structure [, compression]]]).",
	"s3":                 "Yields the rows of objects of S3: s3(address [, NOSIGN | key, secret [, token]] [, format [, structure [, compression]]]).",
	"gcs":                "Is s3 for Google's storage, with HMAC keys.",
	"generate_series":    "Yields the numbers of a range, both ends included: generate_series(start, stop [, step]).",
}

// Function returns what a table function yields, or nil if there is none of the name.
func Function(ctx context.Context, s *Source, env *function.Env, call analyze.TableCall) (plan.Table, error) {
	switch call.Name {
	case "numbers", "numbers_mt":
		return numbersTable(call, false)
	case "zeros", "zeros_mt":
		return numbersTable(call, true)
	case "generate_series", "generateSeries":
		return seriesTable(call)
	case "one":
		return Lookup(s, "system", "one"), nil
	case "values", "VALUES":
		return valuesTable(env, call)
	case "format":
		return formatTable(s, env, call)
	case "generateRandom":
		return randomTable(call)
	case "file", "url", "s3", "gcs":
		return filesTable(ctx, s, env, call)
	case "remote", "remoteSecure":
		return remoteTable(ctx, s, call)
	case "null":
		schema, err := StructureArg(call, 0)
		if err != nil {
			return nil, err
		}
		return constTable("null", schema, emptyBlock(schema)), nil
	}
	return nil, nil
}

func emptyBlock(schema column.Schema) *column.Block {
	b := &column.Block{}
	for _, f := range schema {
		b.Cols = append(b.Cols, column.New(f.Type.WithoutLowCardinality(), 0))
	}
	return b
}

// constTable is a table of the rows of a block.
func constTable(name string, schema column.Schema, b *column.Block) *Table {
	return &Table{name: name, schema: schema, open: func(_ context.Context, cols []int) (exec.Scanner, error) {
		out := &column.Block{N: b.N}
		for _, c := range cols {
			out.Cols = append(out.Cols, b.Cols[c])
		}
		return &blockScanner{block: out}, nil
	}}
}

func seriesTable(call analyze.TableCall) (plan.Table, error) {
	if len(call.Args) < 2 || len(call.Args) > 3 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Table function '%s' requires 2 or 3 arguments", call.Name)
	}
	var args [3]uint64
	args[2] = 1
	for i, a := range call.Args {
		n, ok := countArg(a)
		if !ok || i == 2 && n == 0 {
			return nil, sqlerr.New(sqlerr.BadArguments, "Table function %s takes constant numbers and a positive step", call.Name)
		}
		args[i] = n
	}
	s := series{start: args[0], step: args[2]}
	if args[1] >= args[0] {
		s.count = (args[1]-args[0])/args[2] + 1
	}
	return &Table{name: call.Name, open: openSeries(s), schema: column.Schema{{Name: "generate_series", Type: types.TUInt64}}}, nil
}

// StructureArg parses an argument such as 'a UInt8, b String'.
func StructureArg(call analyze.TableCall, i int) (column.Schema, error) {
	if i < len(call.Args) && call.Args[i].Value != nil {
		if text, ok := column.Value(call.Args[i].Value, 0).(string); ok {
			return ParseStructure(text)
		}
	}
	return nil, sqlerr.New(sqlerr.BadArguments, "Table function %s takes the structure as a constant string", call.Name)
}

var identifier = regexp.MustCompile("^\\s*(`(?:[^`\\\\]|\\\\.)+`|\"(?:[^\"\\\\]|\\\\.)+\"|[A-Za-z_][A-Za-z0-9_.]*)\\s+")

// ParseStructure parses names and types of columns, such as 'a UInt8, b String'.
func ParseStructure(text string) (column.Schema, error) {
	var out column.Schema
	for text = strings.TrimSpace(text); text != ""; {
		m := identifier.FindStringSubmatch(text)
		if m == nil {
			return nil, sqlerr.New(sqlerr.SyntaxError, "Cannot parse structure '%s'", text)
		}
		text = text[len(m[0]):]
		end := typeEnd(text)
		t, err := types.Parse(strings.TrimSpace(text[:end]))
		if err != nil {
			return nil, err
		}
		name := m[1]
		if name[0] == '`' || name[0] == '"' {
			name = name[1 : len(name)-1]
		}
		if out.Index(name) >= 0 {
			return nil, sqlerr.New(sqlerr.DuplicateColumn, "Column %s is given twice", name)
		}
		out = append(out, column.Field{Name: name, Type: t})
		text = strings.TrimSpace(text[end:])
		text = strings.TrimSpace(strings.TrimPrefix(text, ","))
	}
	if len(out) == 0 {
		return nil, sqlerr.New(sqlerr.EmptyListOfColumnsQueried, "The structure has no columns")
	}
	return out, nil
}

// ParseTypes reads the types of columns without names, which are _1, _2 and so on.
func ParseTypes(text string) (column.Schema, error) {
	t, err := types.Parse("Tuple(" + strings.TrimSpace(text) + ")")
	if err != nil {
		return nil, err
	}
	var out column.Schema
	for i, e := range t.Elems {
		out = append(out, column.Field{Name: "_" + strconv.Itoa(i+1), Type: e})
	}
	return out, nil
}

// typeEnd is where the comma behind a type stands: outside of brackets and quotes.
func typeEnd(s string) int {
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			return i
		}
	}
	return len(s)
}

// valuesTable is values([structure,] row, …), a row being a tuple or, for one column, a value.
func valuesTable(env *function.Env, call analyze.TableCall) (plan.Table, error) {
	args := call.Args
	for _, a := range args {
		if a.Value == nil {
			return nil, sqlerr.New(sqlerr.BadArguments, "Table function values takes constant rows")
		}
	}
	if len(args) == 0 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Table function 'values' requires 1 or more arguments")
	}
	var schema column.Schema
	if s, ok := column.Value(args[0].Value, 0).(string); ok && len(args) > 1 {
		if parsed, err := ParseStructure(s); err == nil {
			schema, args = parsed, args[1:]
		}
	}
	if schema == nil {
		var err error
		if schema, err = inferred(args); err != nil {
			return nil, err
		}
	}
	b := emptyBlock(schema)
	for _, a := range args {
		cells := []column.Vector{a.Value}
		if tuple, ok := column.Flatten(a.Value).(*column.Tuple); ok && (len(schema) > 1 || len(tuple.Elems) == 1) {
			cells = tuple.Elems
		}
		if len(cells) != len(schema) {
			return nil, sqlerr.New(sqlerr.BadArguments, "Values table function requires all rows amount of elements to be the same: %d and %d", len(cells), len(schema))
		}
		for i, c := range cells {
			v, err := function.Cast(env, c, schema[i].Type)
			if err != nil {
				return nil, err
			}
			b.Cols[i].(column.Builder).AppendFrom(v, 0)
		}
		b.N++
	}
	return constTable("values", schema, b), nil
}

// inferred is c1, c2, … of the types that hold all rows.
func inferred(args []analyze.TableArg) (column.Schema, error) {
	var out column.Schema
	for n, a := range args {
		cells := []*types.Type{a.Value.Type()}
		if t := a.Value.Type(); t.Kind == types.Tuple {
			cells = t.Elems
		}
		if n > 0 && len(cells) != len(out) {
			return nil, sqlerr.New(sqlerr.BadArguments, "Values table function requires all rows amount of elements to be the same")
		}
		for i, t := range cells {
			if n == 0 {
				out = append(out, column.Field{Name: "c" + strconv.Itoa(i+1), Type: t})
				continue
			}
			common, err := types.Supertype(out[i].Type, t)
			if err != nil {
				return nil, err
			}
			out[i].Type = common
		}
	}
	return out, nil
}

func init() {
	fill("table_functions", func(_ context.Context, _ *Source, add func(row)) error {
		var names []string
		for n := range tableFunctions {
			names = append(names, n)
		}
		slices.Sort(names)
		for _, n := range names {
			add(row{"name": n, "description": tableFunctions[n], "allow_readonly": 1})
		}
		return nil
	})
}
