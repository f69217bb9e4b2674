package function_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
)

// A "table" block gives a table: a line of columns, "name type" each behind a semicolon, then rows, with tabs
// between the values. In an "agg t" block each line is an expression over aggregates of the
// columns of t, and its answer is type and value, or ERR and the code. A "cross t" block has lines of
// aggregates with a @ in them, a line with ---, and lines of what to put there: all pairs.
//
// In a "near" block numbers need to agree to 12 digits only: of functions of distributions the last ones differ between libraries.
//
// Each aggregate is computed several ways (see ways), which must agree; in "approximate" blocks
// only the first counts, because the result depends on the order of the rows.
func TestAggregateGolden(t *testing.T) {
	python := os.Getenv(oraclePython)
	var wrong []string
	defer func() {
		for _, w := range wrong {
			t.Error(w)
		}
	}()
	datadriven.Walk(t, "testdata/aggregate", func(t *testing.T, path string) {
		tables := map[string]*table{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			name := d.CmdArgs[0].Key
			if d.Cmd == "table" {
				tables[name] = readTable(t, name, d.Input)
				return ""
			}
			lines := strings.Split(strings.TrimSpace(d.Input), "\n")
			if d.Cmd == "cross" {
				lines = crossed(lines)
			}
			label := func(i int, answer string) string {
				if d.Cmd == "cross" {
					return lines[i] + "\t" + answer
				}
				return answer
			}
			var out []string
			if python != "" && d.Rewrite {
				for i, a := range strings.Split(strings.TrimSuffix(aggregateOracle(t, python, tables[name], lines), "\n"), "\n") {
					out = append(out, label(i, a))
				}
				return strings.Join(out, "\n") + "\n"
			}
			for i, line := range lines {
				got := aggregated(tables[name], line, 0)
				for way := 1; way < ways && d.Cmd != "approximate"; way++ {
					if again := aggregated(tables[name], line, way); again != got {
						wrong = append(wrong, fmt.Sprintf("%s: %s: %s; in way %d: %s", path, line, got, way, again))
					}
				}
				out = append(out, label(i, got))
			}
			if d.Rewrite {
				return strings.Join(out, "\n") + "\n"
			}
			want, got := d.Expected, strings.Join(out, "\n")+"\n"
			if d.Cmd == "near" {
				want, got = rounded(want), rounded(got)
			}
			wrong = append(wrong, differingLines(path, lines, want, got)...)
			return d.Expected
		})
	})
}

var fraction = regexp.MustCompile(`\d+\.\d+(e[-+]?\d+)?`)

// rounded cuts numbers with a fraction off to 12 digits.
func rounded(text string) string {
	return fraction.ReplaceAllStringFunc(text, func(s string) string {
		x, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return s
		}
		return strconv.FormatFloat(x, 'g', 12, 64)
	})
}

func crossed(lines []string) []string {
	var out []string
	split := 0
	for lines[split] != "---" {
		split++
	}
	for _, f := range lines[:split] {
		for _, arg := range lines[split+1:] {
			out = append(out, strings.ReplaceAll(f, "@", arg))
		}
	}
	return out
}

// table is the rows that a block aggregates.
type table struct {
	name, columns, rows string
	n                   int
	vars                scope
}

func readTable(t *testing.T, name, input string) *table {
	t.Helper()
	head, rows, _ := strings.Cut(input, "\n")
	tab := &table{name: name, rows: rows, vars: scope{}}
	var cols []column.Builder
	var declared []*types.Type
	for i, c := range strings.Split(head, ";") {
		col, text, _ := strings.Cut(strings.TrimSpace(c), " ")
		typ, err := types.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			tab.columns += ", "
		}
		tab.columns += "`" + col + "` " + text
		b := column.New(typ, 0)
		cols, declared = append(cols, b), append(declared, typ)
		defer func() { tab.vars[col] = value{typ: typ, vec: b} }()
	}
	for line := range strings.Lines(rows) {
		for i, text := range strings.Split(strings.TrimSuffix(line, "\n"), "\t") {
			inner := declared[i].Inner()
			if text == `\N` {
				cols[i].AppendDefault()
				continue
			}
			one := column.New(inner, 1)
			if err := valuetext.ParseInto(one, inner, []byte(text), time.UTC); err != nil {
				t.Fatalf("%s: %q as %s: %v", name, text, inner, err)
			}
			cols[i].AppendFrom(one, 0)
		}
		tab.n++
	}
	return tab
}

const aggregateScript = `
import sys, re, json
from chdb import session
s = session.Session()
t = json.load(sys.stdin)
s.query("create table " + t["name"] + " (" + t["columns"] + ") engine=Memory")
if t["rows"]:
    s.query("insert into " + t["name"] + " format TSV\n" + t["rows"])
for q in t["lines"]:
    try:
        r = str(s.query("select toTypeName(x), toString(x) is null ? 'NULL' : assumeNotNull(toString(x)) from (select (" + q + ") as x from " + t["name"] + ") settings max_threads=1", "TSVRaw")).rstrip('\n')
        r = r.replace('(\n    ', '(').replace(',\n    ', ', ') # named tuples
        print(r.replace('\\', '\\\\').replace('\n', '\\n'))
    except Exception as e:
        c = re.search(r'Code: (\d+)', str(e))
        print('ERR', c.group(1) if c else '?')
`

func aggregateOracle(t *testing.T, python string, tab *table, lines []string) string {
	cmd := exec.Command(python, "-c", aggregateScript)
	in, err := json.Marshal(map[string]any{"name": tab.name, "columns": tab.columns, "rows": tab.rows, "lines": lines})
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("oracle: %v", err)
	}
	return string(out)
}

// aggregated answers an expression over aggregates of a table.
func aggregated(tab *table, text string, way int) string {
	e, err := parse.Expr(text, parse.Limits{})
	if err != nil {
		return "PARSE " + err.Error()
	}
	ev := &evaluator{env: testEnv(), n: 1}
	ev.aggregate = func(call *ast.FuncCall) (value, error) { return aggregateCall(tab, call, way) }
	v, err := ev.eval(e, nil)
	if err != nil {
		return fmt.Sprintf("ERR %d", sqlerr.CodeOf(err))
	}
	if phys := v.vec.Type(); !phys.Equal(v.typ.WithoutLowCardinality()) {
		return fmt.Sprintf("vector of %s for %s", phys, v.typ)
	}
	return v.typ.String() + "\t" + show(v.vec, 0)
}

func aggregateCall(tab *table, call *ast.FuncCall, way int) (value, error) {
	var params, args []column.Vector
	var declared []*types.Type
	for _, p := range call.Params {
		v, err := (&evaluator{env: testEnv(), n: 1}).eval(p, nil)
		if err != nil {
			return value{}, err
		}
		params = append(params, column.Flatten(v.vec))
	}
	for _, a := range call.Args {
		if _, star := a.(*ast.Asterisk); star {
			continue
		}
		v, err := (&evaluator{env: testEnv(), n: tab.n}).eval(a, tab.vars)
		if err != nil {
			return value{}, err
		}
		args, declared = append(args, v.vec), append(declared, v.typ)
	}
	fn, err := function.BindAggregate(testEnv(), call.Name, params, declared, call.Distinct)
	if err != nil {
		return value{}, err
	}
	v, err := aggregateRows(fn, args, tab.n, way)
	return value{typ: fn.Result(), vec: v}, err
}

// The ways to compute an aggregate: in one call; row by row into the second of three groups; the rows
// split over three states that are merged; the same through saved bytes; dictionary-coded arguments; those with groups.
const ways = 6

func aggregateRows(fn function.Aggregate, args []column.Vector, n, way int) (column.Vector, error) {
	s := fn.New()
	switch way {
	case 0:
		s.Grow(1)
		if err := s.Add(nil, args, n); err != nil {
			return nil, err
		}
		return s.Finish(0, 1)
	case 1:
		s.Grow(3)
		for i := range n {
			if err := s.Add([]uint32{1}, sliced(args, i, i+1), 1); err != nil {
				return nil, err
			}
		}
		return s.Finish(1, 2)
	case 2, 3:
		return mergedRows(fn, s, args, n, way == 3)
	}
	for i, a := range args {
		args[i] = dictionary(a)
	}
	if way == 4 {
		s.Grow(1)
		if err := s.Add(nil, args, n); err != nil {
			return nil, err
		}
		return s.Finish(0, 1)
	}
	s.Grow(2)
	groups := make([]uint32, n)
	for i := range groups {
		groups[i] = 1
	}
	if err := s.Add(groups, args, n); err != nil {
		return nil, err
	}
	return s.Finish(1, 2)
}

func mergedRows(fn function.Aggregate, s function.States, args []column.Vector, n int, saved bool) (column.Vector, error) {
	s.Grow(2)
	for i := range 3 {
		from, to := i*n/3, (i+1)*n/3
		part := fn.New()
		part.Grow(1)
		if err := part.Add(nil, sliced(args, from, to), to-from); err != nil {
			return nil, err
		}
		if !saved {
			if err := s.Merge([]uint32{1}, part, nil); err != nil {
				return nil, err
			}
			continue
		}
		bytes := column.NewStr(types.TString, 1)
		part.Save(bytes, 0, 1)
		if err := s.Load([]uint32{1}, bytes); err != nil {
			return nil, err
		}
	}
	return s.Finish(1, 2)
}

func sliced(args []column.Vector, from, to int) []column.Vector {
	out := make([]column.Vector, len(args))
	for i, a := range args {
		out[i] = a.Slice(from, to)
	}
	return out
}

// dictionary codes a vector of strings or numbers: its values doubled, so that codes repeat values.
func dictionary(v column.Vector) column.Vector {
	switch v := v.(type) {
	case *column.Nullable:
		return column.NewNullable(v.Nulls, dictionary(v.Inner))
	case *column.Array, *column.Map, *column.Tuple, *column.Const, *column.Dict:
		return v
	}
	codes := make([]uint32, v.Len())
	for i := range codes {
		codes[i] = uint32(v.Len() + i)
	}
	return &column.Dict{Codes: codes, Values: column.Concat(v, v)}
}
