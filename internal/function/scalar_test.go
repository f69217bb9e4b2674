package function_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
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

// oraclePython, set in the environment to a Python with the chdb module, makes -rewrite
// take the expected results of testdata/scalar from ClickHouse instead of from this package.
const oraclePython = "OLAPD_CHDB_PYTHON"

// Each line of an "eval" block is an expression; its answer is its type, a tab and its value,
// or ERR and the code. "rows" blocks are the same, without the second pass that
// evaluates with full vectors in place of constants.
func TestScalar(t *testing.T) {
	python := os.Getenv(oraclePython)
	var wrong []string // reported at the end: datadriven stops at the first failure
	defer func() {
		for _, w := range wrong {
			t.Error(w)
		}
	}()
	datadriven.Walk(t, "testdata/scalar", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			lines := strings.Split(strings.TrimSpace(d.Input), "\n")
			if python != "" && d.Rewrite {
				return oracle(t, python, lines)
			}
			var out strings.Builder
			for _, line := range lines {
				got := answer(line, 1, false)
				fmt.Fprintln(&out, got)
				if d.Cmd == "eval" {
					for _, full := range []bool{false, true} {
						if again := answer(line, 3, full); again != got && !strings.HasPrefix(again, "ERR 4") {
							wrong = append(wrong, fmt.Sprintf("%s: %s: %s; over three rows (full vectors: %v): %s", path, line, got, full, again))
						}
					}
				}
			}
			if d.Rewrite {
				return out.String()
			}
			wrong = append(wrong, differingLines(path, lines, d.Expected, out.String())...)
			return d.Expected
		})
	})
}

// differingLines names each expression whose answer differs.
func differingLines(path string, lines []string, want, got string) []string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	if len(w) != len(g) {
		return []string{fmt.Sprintf("%s: %d answers, want %d", path, len(g), len(w))}
	}
	var out []string
	for i, line := range lines {
		if w[i] != g[i] {
			out = append(out, fmt.Sprintf("%s: %s\n  got  %s\n  want %s", path, line, g[i], w[i]))
		}
	}
	return out
}

const oracleScript = `
import sys, re
from chdb import session
s = session.Session()
for line in sys.stdin:
    q = line.rstrip('\n')
    try:
        r = str(s.query("select toTypeName(x), toString(x) is null ? 'NULL' : assumeNotNull(toString(x)) from (select (" + q + ") as x)", "TSVRaw")).rstrip('\n')
        print(r.replace('\\', '\\\\').replace('\n', '\\n'))
    except Exception as e:
        c = re.search(r'Code: (\d+)', str(e))
        print('ERR', c.group(1) if c else '?')
`

func oracle(t *testing.T, python string, lines []string) string {
	cmd := exec.Command(python, "-c", oracleScript)
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("oracle: %v", err)
	}
	return string(out)
}

func testEnv() *function.Env {
	return &function.Env{
		Ctx: context.Background(), Now: time.Date(2024, 5, 20, 12, 0, 0, 0, time.UTC), Zone: time.UTC, Database: "default", User: "default",
		Server: function.Server{Version: "25.8.1.1", Clock: time.Now, Started: time.Now()},
	}
}

// answer evaluates an expression over n rows and describes the first; full makes literals full vectors.
func answer(text string, n int, full bool) string {
	e, err := parse.Expr(text, parse.Limits{})
	if err != nil {
		return "PARSE " + err.Error()
	}
	ev := &evaluator{env: testEnv(), n: n, full: full}
	v, err := ev.eval(e, nil)
	if err != nil {
		return fmt.Sprintf("ERR %d", sqlerr.CodeOf(err))
	}
	if v.vec.Len() != n {
		return fmt.Sprintf("%d values for %d rows", v.vec.Len(), n)
	}
	if phys := v.vec.Type(); !phys.Equal(v.typ.WithoutLowCardinality()) {
		return fmt.Sprintf("vector of %s for %s", phys, v.typ)
	}
	first := show(v.vec, 0)
	for i := 1; i < n; i++ {
		if other := show(v.vec, i); other != first {
			return fmt.Sprintf("rows differ: %s and %s", first, other)
		}
	}
	return v.typ.String() + "\t" + first
}

func show(v column.Vector, i int) string {
	text := valuetext.AppendText(nil, v, i, time.UTC)
	if v.Type().Kind == types.FixedString {
		text = []byte(strings.TrimRight(string(text), "\x00"))
	}
	return strings.ReplaceAll(strings.ReplaceAll(string(text), `\`, `\\`), "\n", `\n`)
}

// value is an evaluated expression.
type value struct {
	typ   *types.Type
	vec   column.Vector
	konst column.Vector
}

// evaluator is a small interpreter of expressions over literals.
type evaluator struct {
	env  *function.Env
	n    int
	full bool
	// aggregate evaluates calls of aggregate functions, where there are any.
	aggregate func(*ast.FuncCall) (value, error)
}

type scope map[string]value

func (ev *evaluator) eval(e ast.Expr, vars scope) (value, error) {
	switch e := e.(type) {
	case *ast.Literal:
		return ev.literal(e), nil
	case *ast.Ident:
		if v, ok := vars[e.Last()]; ok {
			return v, nil
		}
		return value{}, sqlerr.New(sqlerr.UnknownIdentifier, "Unknown identifier %s", e.Last())
	case *ast.FuncCall:
		return ev.call(e, vars)
	}
	return value{}, sqlerr.New(sqlerr.NotImplemented, "%T", e)
}

func (ev *evaluator) constant(t *types.Type, x any) value {
	c := column.NewConst(t, x, ev.n)
	v := value{typ: t, vec: c, konst: c.Value}
	if ev.full {
		v.vec = column.Flatten(c)
	}
	return v
}

func (ev *evaluator) literal(l *ast.Literal) value {
	switch l.Kind {
	case ast.LiteralNull:
		return value{typ: types.TNull, vec: column.NewNulls(ev.n), konst: column.Flatten(column.NewNulls(1))}
	case ast.LiteralBool:
		x := uint8(0)
		if l.Bool {
			x = 1
		}
		return ev.constant(types.TBool, x)
	case ast.LiteralUint:
		switch {
		case l.Uint < 1<<8:
			return ev.constant(types.TUInt8, uint8(l.Uint))
		case l.Uint < 1<<16:
			return ev.constant(types.TUInt16, uint16(l.Uint))
		case l.Uint < 1<<32:
			return ev.constant(types.TUInt32, uint32(l.Uint))
		}
		return ev.constant(types.TUInt64, l.Uint)
	case ast.LiteralInt:
		switch {
		case l.Int >= -1<<7:
			return ev.constant(types.TInt8, int8(l.Int))
		case l.Int >= -1<<15:
			return ev.constant(types.TInt16, int16(l.Int))
		case l.Int >= -1<<31:
			return ev.constant(types.TInt32, int32(l.Int))
		}
		return ev.constant(types.TInt64, l.Int)
	case ast.LiteralString:
		return ev.constant(types.TString, l.Str)
	}
	return ev.constant(types.TFloat64, l.Float)
}

func (ev *evaluator) call(e *ast.FuncCall, vars scope) (value, error) {
	if ev.aggregate != nil && function.IsAggregate(e.Name) {
		return ev.aggregate(e)
	}
	f := function.Lookup(e.Name)
	args, vecs := make([]function.Arg, len(e.Args)), make([]column.Vector, len(e.Args))
	var lambda *ast.Lambda
	for i, a := range e.Args {
		if l, ok := a.(*ast.Lambda); ok {
			lambda = l
			continue
		}
		if id, ok := a.(*ast.Ident); ok && i == 0 && vars[id.Last()].typ == nil && strings.Contains(e.Name, "date_") {
			a = &ast.Literal{Kind: ast.LiteralString, Str: id.Last()}
		}
		v, err := ev.eval(a, vars)
		if err != nil {
			return value{}, err
		}
		args[i], vecs[i] = function.Arg{Type: v.typ, Const: v.konst, Name: ast.ColumnName(a)}, v.vec
		if f != nil && v.konst != nil {
			for _, k := range f.ConstArgs {
				if k == i {
					vecs[i] = &column.Const{Value: v.konst, N: ev.n}
				}
			}
		}
	}
	var run func([]column.Vector, []uint32) (column.Vector, error)
	if lambda != nil {
		if err := ev.lambdaArg(f, lambda, args, vars); err != nil {
			return value{}, err
		}
		run = func(params []column.Vector, rows []uint32) (column.Vector, error) {
			inner := scope{}
			for name, v := range vars {
				inner[name] = value{typ: v.typ, vec: column.Gather(v.vec, rows)}
			}
			for i, p := range lambda.Params {
				inner[p] = value{typ: params[i].Type(), vec: params[i]}
			}
			r, err := (&evaluator{env: ev.env, n: len(rows)}).eval(lambda.Body, inner)
			return r.vec, err
		}
	}
	b, err := function.Bind(ev.env, e.Name, args)
	if err != nil {
		return value{}, err
	}
	v, err := b.Call(ev.env, vecs, run, ev.n)
	if err != nil {
		return value{}, err
	}
	out := value{typ: b.Result, vec: v}
	if c, ok := v.(*column.Const); ok {
		out.konst = c.Value
	} else if allConst(args) && run == nil && ev.n > 0 && !f.Volatile && !f.KeepConst {
		out.konst = column.Flatten(v.Slice(0, 1))
	}
	if ev.full {
		out.vec = column.Flatten(v)
	}
	return out, nil
}

// lambdaArg finds the lambda's result type by evaluating it on no rows.
func (ev *evaluator) lambdaArg(f *function.Scalar, l *ast.Lambda, args []function.Arg, vars scope) error {
	if f == nil || f.Lambda == nil {
		args[0] = function.Arg{Type: types.TNothing, Lambda: true}
		return nil
	}
	params, err := f.Lambda(args[1:], len(l.Params))
	if err != nil {
		return err
	}
	inner := scope{}
	for name, v := range vars {
		inner[name] = value{typ: v.typ, vec: v.vec.Slice(0, 0)}
	}
	for i, p := range l.Params {
		inner[p] = value{typ: params[i], vec: column.New(params[i], 0)}
	}
	r, err := (&evaluator{env: ev.env}).eval(l.Body, inner)
	args[0] = function.Arg{Type: r.typ, Lambda: true}
	return err
}

func allConst(args []function.Arg) bool {
	for _, a := range args {
		if a.Const == nil {
			return false
		}
	}
	return true
}
