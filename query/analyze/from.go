package analyze

import (
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/plan"
)

// table analyzes what stands in FROM; nil is the one-row table system.one.
func (s *scope) table(t ast.TableExpr) (*frame, error) {
	switch t := t.(type) {
	case nil:
		return oneRow(), nil
	case *ast.TableRef:
		f, err := s.tableRef(t)
		return f, at(err, t)
	case *ast.TableFunction:
		f, err := s.tableFunction(t)
		return f, at(err, t)
	case *ast.SubqueryTable:
		f, err := s.subqueryTable(t)
		return f, at(err, t)
	case *ast.Join:
		return s.join(t)
	case *ast.ArrayJoin:
		return s.arrayJoin(t)
	}
	return nil, sqlerr.New(sqlerr.UnsupportedTypeOfASTNode, "Unexpected table expression %s", ast.Shown(t))
}

func oneRow() *frame {
	schema := column.Schema{{Name: "dummy", Type: types.TUInt8}}
	return frameOf(&plan.Values{Block: column.NewBlock(column.NewBools([]uint8{0})), Fields: schema}, "", schema)
}

// tableRef finds a table by name: a CTE, a virtual table, a table, view or rollup of the catalog.
func (s *scope) tableRef(t *ast.TableRef) (*frame, error) {
	name, err := s.a.name(t.Name.Table)
	if err != nil {
		return nil, err
	}
	db, err := s.a.name(t.Name.Database)
	if err != nil {
		return nil, err
	}
	if db == "" && t.Name.Table.Param {
		if d, n, ok := strings.Cut(name, "."); ok {
			db, name = d, n
		}
	}
	if db == "" {
		if c := s.cte(name); c != nil {
			f, err := s.expandCTE(c, name, t.Alias)
			return f, firstError(err, noModifiers(t.Final, t.Sample, "a subquery"))
		}
		if entry := s.a.opts.Catalog.Table("", name); entry != nil { // a temporary table of the session
			return s.catalogTable(entry, t)
		}
		db = s.a.opts.Database
	}
	if s.a.opts.Virtual != nil {
		if v := s.a.opts.Virtual(db, name); v != nil {
			f := scanFrame(v, t.Alias, db, name)
			s.reading(f.sources[0], db, name)
			return f, noModifiers(t.Final, t.Sample, "table "+db+"."+name)
		}
	}
	entry := s.a.opts.Catalog.Table(db, name)
	if entry == nil {
		return nil, s.noTable(db, name, !t.Name.Database.IsZero())
	}
	return s.catalogTable(entry, t)
}

func firstError(errs ...error) error {
	for _, e := range errs {
		if e != nil {
			return e
		}
	}
	return nil
}

// noModifiers refuses FINAL and SAMPLE where they mean nothing.
func noModifiers(final bool, sample *ast.SampleRatio, what string) error {
	switch {
	case final:
		return sqlerr.New(sqlerr.UnsupportedMethod, "FINAL is not supported by %s", what)
	case sample != nil:
		return sqlerr.New(sqlerr.SamplingNotSupported, "SAMPLE is not supported by %s", what)
	}
	return nil
}

func (s *scope) noTable(db, name string, qualified bool) error {
	if s.a.opts.Catalog.Database(db) == nil && db != "system" {
		var known []string
		for _, d := range s.a.opts.Catalog.Databases() {
			known = append(known, d.Name)
		}
		return sqlerr.New(sqlerr.UnknownDatabase, "Database %s does not exist%s", db, maybe(db, known))
	}
	var known []string
	for _, t := range s.a.opts.Catalog.Tables(db) {
		known = append(known, t.Name)
	}
	full := name
	if qualified {
		full = db + "." + name
	}
	return sqlerr.New(sqlerr.UnknownTable, "Unknown table expression identifier '%s'%s", full, maybe(name, known))
}

// scanFrame reads a table that the catalog does not hold: names with an underscore in front are virtual columns.
func scanFrame(t plan.Table, alias, db, name string) *frame {
	schema := t.Schema()
	f := frameOf(plan.NewScan(t, identity(len(schema))), alias, schema)
	src := f.sources[0]
	src.database, src.table = db, name
	hidden, _ := t.(interface{ Hidden(column int) bool }) // columns that an asterisk leaves out
	for i, c := range src.columns {
		c.bare = !strings.HasPrefix(c.name, "_") && (hidden == nil || !hidden.Hidden(i))
	}
	return f
}

func identity(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func (s *scope) catalogTable(entry *catalog.Table, t *ast.TableRef) (*frame, error) {
	switch entry.Kind {
	case catalog.KindView:
		f, err := s.view(entry, t.Alias, nil)
		return f, firstError(err, noModifiers(t.Final, t.Sample, "view "+entry.FullName()))
	case catalog.KindRollup:
		target := s.a.opts.Catalog.ByID(entry.Target)
		if target == nil {
			return nil, sqlerr.New(sqlerr.UnknownTable, "The target table of %s does not exist", entry.FullName())
		}
		return s.stored(target, entry, t)
	}
	return s.stored(entry, entry, t)
}

// mergingEngines are the engines whose rows FINAL merges.
var mergingEngines = []string{"ReplacingMergeTree", "SummingMergeTree", "AggregatingMergeTree", "CollapsingMergeTree", "VersionedCollapsingMergeTree", "CoalescingMergeTree"}

// stored reads a table with rows of its own; named is what the user calls it, a rollup or the table itself.
func (s *scope) stored(entry, named *catalog.Table, t *ast.TableRef) (*frame, error) {
	wrap := s.a.opts.Table
	if wrap == nil {
		wrap = func(t *catalog.Table) (plan.Table, error) { return plan.NewTable(t) }
	}
	pt, err := wrap(entry)
	if err != nil {
		return nil, err
	}
	schema := pt.Schema()
	scan := plan.NewScan(pt, identity(len(schema)))
	merging := slices.Contains(mergingEngines, entry.BaseEngine())
	if t.Final && !merging {
		return nil, sqlerr.New(sqlerr.IllegalFinal, "Storage %s doesn't support FINAL", entry.Engine)
	}
	scan.Final = t.Final || merging && s.a.flag("final", false)
	if t.Sample != nil {
		if entry.SampleBy == "" {
			return nil, sqlerr.New(sqlerr.SamplingNotSupported, "Storage %s doesn't support sampling", entry.FullName())
		}
	}
	f := &frame{node: scan, sources: []*source{storedSource(entry, schema, t.Alias)}}
	s.reading(f.sources[0], named.Database, named.Name)
	if err := s.police(f, named); err != nil {
		return nil, err
	}
	if err := s.sample(f, entry, t.Sample); err != nil {
		return nil, err
	}
	return f, s.restrict(f, entry)
}

// storedSource offers the stored columns and the ALIAS columns in the table's order, then the virtual ones.
func storedSource(entry *catalog.Table, schema column.Schema, alias string) *source {
	src := &source{alias: alias, database: entry.Database, table: entry.Name}
	declared := map[string]bool{}
	for _, c := range entry.Columns {
		declared[c.Name] = true
		if c.Default == catalog.Alias {
			t, err := types.Parse(c.Type)
			if err == nil {
				src.columns = append(src.columns, &sourceColumn{name: c.Name, shown: c.Name, t: t, alias: c.Expr})
			}
			continue
		}
		if i := schema.Index(c.Name); i >= 0 {
			bare := c.Default != catalog.Materialized && c.Default != catalog.Ephemeral
			src.columns = append(src.columns, &sourceColumn{name: c.Name, shown: c.Name, t: schema[i].Type, pos: i, bare: bare})
		}
	}
	for i, f := range schema {
		if !declared[f.Name] {
			src.columns = append(src.columns, &sourceColumn{name: f.Name, shown: f.Name, t: f.Type, pos: i})
		}
	}
	for _, v := range []struct{ name, value string }{{"_table", entry.Name}, {"_database", entry.Database}} {
		if schema.Index(v.name) < 0 && !declared[v.name] {
			src.columns = append(src.columns, &sourceColumn{name: v.name, shown: v.name, t: types.NewLowCardinality(types.TString), alias: types.QuoteString(v.value)})
		}
	}
	src.index()
	return src
}

// restrict applies the condition that holds for every read of the table, if there is one.
func (s *scope) restrict(f *frame, entry *catalog.Table) error {
	sql, ok := s.a.opts.Filters[f.sources[0].alias]
	if !ok {
		sql, ok = s.a.opts.Filters[entry.FullName()]
	}
	if !ok {
		if sql, ok = s.a.opts.Filters[entry.Name]; !ok || entry.Database != s.a.opts.Database {
			return nil
		}
	}
	return s.filterBy(f, sql, "a table filter")
}

// view analyzes a view's SELECT in the view's database, with the parameters it is called with; nil if it is read as a table.
func (s *scope) view(entry *catalog.Table, alias string, params map[string]string) (*frame, error) {
	if slices.Contains(s.a.views, entry.ID) {
		return nil, sqlerr.New(sqlerr.TooDeepSubqueries, "View %s reads itself", entry.FullName())
	}
	stmt, err := parse.One(entry.Select, parse.Limits{})
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CodeOf(err), "in view %s", entry.FullName())
	}
	q, ok := stmt.(*ast.SelectUnion)
	if !ok {
		return nil, sqlerr.New(sqlerr.IncorrectQuery, "View %s is not a SELECT", entry.FullName())
	}
	db, outer, secrets := s.a.opts.Database, s.a.opts.Params, s.a.secrets
	s.a.views, s.a.opts.Database, s.a.opts.Params, s.a.secrets = append(s.a.views, entry.ID), entry.Database, params, map[string]int{}
	n, err := s.a.union(q, nil)
	s.a.views, s.a.opts.Database, s.a.opts.Params, s.a.secrets = s.a.views[:len(s.a.views)-1], db, outer, secrets
	if params == nil && sqlerr.Is(err, sqlerr.UnknownQueryParameter) {
		return nil, sqlerr.Wrap(err, sqlerr.EmptyListOfColumnsQueried, "View %s has parameters: call it as %s(name = value)", entry.FullName(), entry.Name)
	}
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CodeOf(err), "in view %s", entry.FullName())
	}
	if n, err = s.declared(n, entry); err != nil {
		return nil, err
	}
	f := frameOf(n, alias, n.Schema())
	s.reading(f.sources[0], entry.Database, entry.Name)
	return f, s.police(f, entry)
}

// declared casts a view's columns to the types it was created with.
func (s *scope) declared(n plan.Node, entry *catalog.Table) (plan.Node, error) {
	schema := n.Schema()
	exprs := columnsOf(schema)
	fields := slices.Clone(schema)
	changed := false
	for i := range fields {
		c := entry.Column(fields[i].Name)
		if c == nil {
			continue
		}
		t, err := types.Parse(c.Type)
		if err != nil {
			return nil, err
		}
		if t.Equal(fields[i].Type) {
			continue
		}
		if exprs[i], err = s.cast(exprs[i], t); err != nil {
			return nil, err
		}
		fields[i].Type, changed = t, true
	}
	if !changed {
		return n, nil
	}
	return &plan.Project{Input: n, Exprs: exprs, Fields: fields}, nil
}

func (s *scope) subqueryTable(t *ast.SubqueryTable) (*frame, error) {
	if err := noModifiers(t.Final, t.Sample, "a subquery"); err != nil {
		return nil, err
	}
	n, err := s.a.union(t.Query, s)
	if err != nil {
		return nil, err
	}
	return renamed(n, t.Alias, t.Columns)
}

// renamed is the frame of a subquery, with the columns' names replaced where a list of names is given.
func renamed(n plan.Node, alias string, names []string) (*frame, error) {
	schema := n.Schema()
	if names != nil {
		if len(names) != len(schema) {
			return nil, sqlerr.New(sqlerr.NumberOfColumnsDoesntMatch, "%d column names are given for %d columns", len(names), len(schema))
		}
		schema = slices.Clone(schema)
		for i, name := range names {
			schema[i].Name = name
		}
	}
	return frameOf(n, alias, schema), nil
}

// expandCTE analyzes a CTE where it is used.
func (s *scope) expandCTE(c *cte, name, alias string) (*frame, error) {
	if c.self != nil { // inside of itself
		f := frameOf(c.self, alias, c.self.Fields)
		f.sources[0].table = name
		return f, nil
	}
	c.busy = true
	defer func() { c.busy = false }()
	n, err := s.a.cteQuery(c, name)
	if err != nil {
		return nil, err
	}
	f, err := renamed(n, alias, c.columns)
	if err != nil {
		return nil, err
	}
	f.sources[0].table = name
	return f, nil
}

// tableFunction analyzes a call such as numbers(10); view(SELECT …) is a subquery.
func (s *scope) tableFunction(t *ast.TableFunction) (*frame, error) {
	if err := noModifiers(t.Final, t.Sample, "table function "+t.Call.Name); err != nil {
		return nil, err
	}
	if v, err := s.calledView(t); v != nil || err != nil {
		return s.parameterized(v, t, err)
	}
	if !t.Database.IsZero() {
		return nil, sqlerr.New(sqlerr.UnknownFunction, "Unknown table function %s.%s", t.Database.Text, t.Call.Name)
	}
	if t.Call.Name == "merge" {
		return s.mergeFunction(t)
	}
	if t.Call.Name == "cluster" || t.Call.Name == "clusterAllReplicas" {
		return s.clusterFunction(t)
	}
	call, err := s.tableCall(t.Call)
	if err != nil {
		return nil, err
	}
	if call.Name == "view" && len(call.Args) == 1 && call.Args[0].Query != nil {
		return renamed(call.Args[0].Query, t.Alias, nil)
	}
	var pt plan.Table
	if s.a.opts.TableFunction != nil {
		var err error
		if pt, err = s.a.opts.TableFunction(s.a.ctx, call); err != nil {
			return nil, err
		}
	}
	if pt == nil {
		return nil, sqlerr.New(sqlerr.UnknownFunction, "Unknown table function %s", call.Name)
	}
	f := scanFrame(pt, t.Alias, "", "")
	return f, nil
}

// tableCall resolves the arguments of a call in FROM.
func (s *scope) tableCall(c *ast.FuncCall) (TableCall, error) {
	call := TableCall{Name: c.Name}
	for _, e := range c.Args {
		name, e := namedArg(c.Name, e)
		arg, err := s.tableArg(e)
		if err != nil {
			return call, err
		}
		arg.Name = name
		call.Args = append(call.Args, arg)
	}
	return call, nil
}

// takesNames are the calls whose arguments may be name = value; headers stands in those of others.
var takesNames = map[string]bool{"s3": true, "gcs": true, headersCall: true}

// headersCall is the call that holds headers of requests.
const headersCall = "headers"

// namedArg takes name = value apart, where a call takes names; others have an empty one.
func namedArg(call string, e ast.Expr) (string, ast.Expr) {
	c, ok := e.(*ast.FuncCall)
	if !ok || !takesNames[call] || c.Name != "equals" || len(c.Args) != 2 {
		return "", e
	}
	switch n := c.Args[0].(type) {
	case *ast.Ident:
		if len(n.Parts) == 1 {
			return n.Parts[0].Text, c.Args[1]
		}
	case *ast.Literal:
		if n.Kind == ast.LiteralString {
			return n.Str, c.Args[1]
		}
	}
	return "", e
}

func (s *scope) tableArg(e ast.Expr) (TableArg, error) {
	switch e := e.(type) {
	case *ast.Ident:
		path, err := s.a.path(e)
		if err != nil {
			return TableArg{}, err
		}
		if it, err := s.constantName(path); it != nil || err != nil {
			if err != nil {
				return TableArg{}, err
			}
			return TableArg{Value: it.Value, Ident: path}, nil
		}
		return TableArg{Ident: path}, nil
	case *ast.Subquery:
		n, err := s.a.union(e.Query, s)
		return TableArg{Query: n}, err
	case *ast.FuncCall:
		if e.Name == headersCall {
			call, err := s.tableCall(e)
			return TableArg{Call: &call}, err
		}
	}
	x, err := s.resolve(e)
	if err != nil {
		return TableArg{}, err
	}
	c, ok := x.(*plan.Const)
	if !ok {
		return TableArg{}, sqlerr.At(e.Span().Start, sqlerr.BadArguments, "Argument %s of a table function is not constant", ast.Shown(e))
	}
	return TableArg{Value: c.Value}, nil
}

// constantName is the constant an alias stands for; nil if the path is no alias of a constant.
func (s *scope) constantName(path []string) (*plan.Const, error) {
	for p := s; p != nil && len(path) == 1; p = p.parent {
		if al := p.aliases[path[0]]; al != nil && !al.busy {
			x, err := p.resolveAlias(al)
			if err != nil {
				return nil, err
			}
			c, _ := x.(*plan.Const)
			return c, nil
		}
	}
	return nil, nil
}

// calledView is the view that a call in FROM names, or nil.
func (s *scope) calledView(t *ast.TableFunction) (*catalog.Table, error) {
	db, err := s.a.name(t.Database)
	if err != nil {
		return nil, err
	}
	if db == "" {
		db = s.a.opts.Database
	}
	if v := s.a.opts.Catalog.Table(db, t.Call.Name); v != nil && v.Kind == catalog.KindView {
		return v, nil
	}
	return nil, nil
}

// escapes are those of TSV, which parameters are written in.
var escapes = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`)

// parameterized reads a view with the values its call gives to {name:Type}: arguments name = value.
func (s *scope) parameterized(v *catalog.Table, t *ast.TableFunction, err error) (*frame, error) {
	if err != nil {
		return nil, err
	}
	params := map[string]string{}
	for _, a := range t.Call.Args {
		c, ok := a.(*ast.FuncCall)
		if !ok || c.Name != "equals" || len(c.Args) != 2 {
			return nil, sqlerr.At(a.Span().Start, sqlerr.BadArguments, "View %s takes arguments name = value, not %s", v.FullName(), ast.Shown(a))
		}
		id, ok := c.Args[0].(*ast.Ident)
		if !ok || len(id.Parts) != 1 {
			return nil, sqlerr.At(a.Span().Start, sqlerr.BadArguments, "%s is not the name of a parameter", ast.Shown(c.Args[0]))
		}
		x, err := s.resolve(c.Args[1])
		if err == nil {
			x, err = s.call("toString", x)
		}
		if err != nil {
			return nil, err
		}
		text, ok := x.(*plan.Const)
		if !ok {
			return nil, sqlerr.At(a.Span().Start, sqlerr.BadArguments, "Argument %s of a view is not constant", ast.Shown(a))
		}
		params[id.Last()] = `\N`
		if value, ok := column.Value(text.Value, 0).(string); ok {
			params[id.Last()] = escapes.Replace(value)
		}
	}
	f, err := s.view(v, t.Alias, params)
	return f, err
}
