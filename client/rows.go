package client

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/insert"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/query/settings"
)

// Sizes of the blocks of an INSERT: large enough to be worth a packet, small enough to hold a few of them.
const (
	maxBlockRows  = 256 << 10
	maxBlockBytes = 16 << 20 // of input
)

// settled is what holds for one statement: its settings, as far as they concern this side.
type settled struct {
	values *settings.Values
	env    *function.Env
	params map[string]string
}

// settle joins the settings of the command line, of SET and of the statement. What this side does not know the server judges.
func (a *app) settle(st statement) settled {
	v := settings.New()
	for _, list := range []map[string]string{a.options.settings, a.set, ownSettings(st.ast)} {
		for name, value := range list {
			if name != settings.Readonly.Name { // it says nothing to formats, and would forbid the others
				_ = v.Set(name, value) // as above
			}
		}
	}
	zone := a.zone()
	if z, err := types.LoadZone(settings.SessionZone.Of(v)); err == nil && settings.SessionZone.Of(v) != "" {
		zone = z
	}
	env := &function.Env{Ctx: context.Background(), Now: time.Now(), Zone: zone, Database: a.database, User: a.user, Setting: v.Get}
	env.Host, _ = os.Hostname() // a machine without a name has none
	return settled{values: v, env: env, params: a.options.params}
}

// rowSource is the data of an INSERT, which this side parses.
type rowSource struct {
	data   io.Reader
	format *format.Format
	read   func(n int) // told of the bytes that were read
}

// inBlock is a block of an INSERT, or why there are no more.
type inBlock struct {
	protocol.Data
	err error
}

// start reads blocks of the columns that the server wants, in the background, until the data or ctx ends. columns is what the server
// says of the table, or empty.
func (s *rowSource) start(ctx context.Context, schema column.Schema, columns string, st settled) (<-chan inBlock, error) {
	o := st.values.Format(st.env.Zone, st.env.Now)
	o.Threads = runtime.GOMAXPROCS(0)
	o.Eval = st.eval
	o.Cast = func(v column.Vector, t *types.Type) (column.Vector, error) { return function.Cast(st.env, v, t) }
	o.Spool = spool
	rd, err := s.format.NewReader(source{r: s.data, sent: s.read}, schema, o)
	if err != nil {
		return nil, err
	}
	out := make(chan inBlock, 1)
	rows := int(min(settings.MaxInsertBlock.Int(st.values), maxBlockRows))
	defaults := &defaults{schema: schema, columns: columns, settled: st}
	go func() {
		defer close(out)
		defer rd.Close()
		for {
			in, err := rd.Read(ctx, rows, maxBlockBytes)
			if errors.Is(err, io.EOF) {
				return
			}
			b := inBlock{err: err}
			if err == nil {
				b.Schema = schema
				b.Block, b.err = defaults.fill(ctx, in)
			}
			select {
			case out <- b:
			case <-ctx.Done():
				return
			}
			if b.err != nil {
				return
			}
		}
	}()
	return out, nil
}

// spool makes a file that nobody else sees and that goes with its Close.
func spool() (vfs.File, error) {
	name := filepath.Join(os.TempDir(), "olapd-client-"+randomID())
	f, err := vfs.Disk().Create(name)
	if err != nil {
		return nil, err
	}
	return f, vfs.Disk().Remove(name)
}

// eval computes an expression that stands in VALUES.
func (st settled) eval(sql string, f column.Field) (column.Vector, error) {
	e, err := parse.Expr(sql, parse.Limits{})
	if err != nil {
		return nil, err
	}
	p, err := analyze.Expr(st.env.Ctx, e, nil, st.analysis())
	if err != nil {
		return nil, err
	}
	program, err := eval.Compile(st.env, []plan.Expr{p}, eval.NewSets(st.env, false))
	if err != nil {
		return nil, err
	}
	v, err := program.Run1(&column.Block{N: 1})
	if err != nil {
		return nil, err
	}
	if plain := f.Type.WithoutLowCardinality(); column.IsNull(v, 0) && !plain.IsNullable() && settings.NullAsDefault.Of(st.values) {
		return column.Flatten(column.NewDefaults(plain, 1)), nil
	}
	if v, err = function.Cast(st.env, v, f.Type); err != nil {
		return nil, err
	}
	return column.Flatten(v), nil
}

func (st settled) analysis() analyze.Options {
	return analyze.Options{Catalog: catalog.New(), Database: st.env.Database, Env: st.env, Params: st.params}
}

// defaults computes values that rows leave out, by what the server says of the table.
type defaults struct {
	settled
	schema  column.Schema
	columns string
	target  *insert.Target // made when it is first needed: the data may leave out nothing
}

func (d *defaults) fill(ctx context.Context, in *format.Rows) (*column.Block, error) {
	b := in.Block()
	omitted := false
	for _, m := range in.Omitted {
		omitted = omitted || m != nil
	}
	if !omitted || d.columns == "" {
		return b, nil
	}
	if d.target == nil {
		t, err := parseColumns(d.columns)
		if err != nil {
			return nil, err
		}
		var names []string
		for _, f := range d.schema {
			names = append(names, f.Name)
		}
		if d.target, err = insert.New(ctx, t, names, d.analysis()); err != nil {
			return nil, err
		}
	}
	return d.target.Given(b, in.Omitted)
}

// parseColumns reads what a server says of a table's columns: a line for each, its name in backquotes and its type, behind a tab
// each the kind of its default and the expression, and more that does not concern us.
func parseColumns(text string) (*catalog.Table, error) {
	wrong := func() error {
		return sqlerr.New(sqlerr.IncorrectData, "The server's description of the columns cannot be read: %.200q", text)
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 2 || lines[0] != "columns format version: 1" || lines[1] != strconv.Itoa(len(lines)-2)+" columns:" {
		return nil, wrong()
	}
	t := &catalog.Table{Kind: catalog.KindTable}
	for _, line := range lines[2:] {
		fields := strings.Split(line, "\t")
		name, typ, ok := cutName(fields[0])
		if !ok {
			return nil, wrong()
		}
		c := catalog.Column{Name: name, Type: typ}
		if len(fields) >= 3 {
			switch kind := catalog.DefaultKind(fields[1]); kind {
			case catalog.DefaultExpr, catalog.Materialized, catalog.Alias, catalog.Ephemeral:
				c.Default, c.Expr = kind, unescape(fields[2])
			}
		}
		t.Columns = append(t.Columns, c)
	}
	return t, nil
}

// cutName takes a name in backquotes and what is behind it apart.
func cutName(s string) (name, rest string, ok bool) {
	if !strings.HasPrefix(s, "`") {
		return "", "", false
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '`':
			return unescape(s[1:i]), strings.TrimSpace(s[i+1:]), true
		}
	}
	return "", "", false
}

// escapes are the backslashes in what a server says of columns.
var escapes = strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n", `\'`, "'", "\\`", "`")

func unescape(s string) string { return escapes.Replace(s) }
