package define

import (
	"context"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
)

// Change is what a statement does to a catalog.
type Change struct {
	// Drop goes first, then Add, in the order given.
	Drop []catalog.TableID
	Add  []*catalog.Table
	// Table is the entry that was asked for; of an IF NOT EXISTS that found one, the old one, and nothing changes.
	Table *catalog.Table
	// Fill is the SELECT whose rows go into Table once it is there (AS SELECT, POPULATE).
	Fill *ast.SelectUnion
}

// Apply returns the catalog after the change.
func (ch *Change) Apply(c *catalog.Catalog) (*catalog.Catalog, error) {
	if len(ch.Drop) > 0 {
		c = c.WithoutTables(ch.Drop...)
	}
	if len(ch.Add) == 0 {
		return c, nil
	}
	c, err := c.WithTables(ch.Add...)
	if err == nil {
		for _, t := range ch.Add { // a rollup's text names its target, which is in the catalog only now
			t.CreateSQL = CreateSQL(t, c)
		}
	}
	return c, err
}

// Create defines a table, view or materialized view.
func Create(ctx context.Context, s *ast.CreateTable, o Options) (*Change, error) {
	db, name, err := o.table(s.Name)
	if err != nil {
		return nil, err
	}
	if err := createImplemented(s); err != nil {
		return nil, err
	}
	if o.catalog().Database(db) == nil {
		return nil, sqlerr.At(s.Name.Start, sqlerr.UnknownDatabase, "Database %s does not exist", db)
	}
	ch := &Change{}
	if old := o.catalog().Table(db, name); old != nil {
		switch {
		case s.IfNotExists:
			return &Change{Table: old}, nil
		case old.Kind == catalog.KindDictionary:
			return nil, sqlerr.At(s.Name.Start, sqlerr.DictionaryAlreadyExists, "Dictionary %s.%s already exists", db, name)
		case !s.OrReplace && !s.Replace:
			return nil, sqlerr.At(s.Name.Start, sqlerr.TableAlreadyExists, "Table %s.%s already exists", db, name)
		}
		if err := ch.drop(o.catalog(), old); err != nil {
			return nil, err
		}
	} else if s.Replace {
		return nil, sqlerr.At(s.Name.Start, sqlerr.UnknownTable, "Table %s.%s does not exist", db, name)
	}
	t := &catalog.Table{UUID: o.UUID, Database: db, Name: name, Kind: catalog.KindTable, Created: o.Now, Comment: s.Comment}
	ch.Table = t
	switch s.Kind {
	case ast.KindView:
		err = o.view(ctx, t, s)
		ch.Add = append(ch.Add, t)
	case ast.KindMaterializedView, ast.KindRollup:
		err = o.rollup(ctx, ch, t, s)
	default:
		err = o.plain(ctx, ch, t, s)
		ch.Add = append(ch.Add, t)
	}
	if err != nil {
		return nil, err
	}
	return ch, nil
}

// Temporary defines a table or view of a session, which stands in no database; without an engine a table is Memory.
func Temporary(ctx context.Context, s *ast.CreateTable, o Options) (*Change, error) {
	name, err := o.Name(s.Name.Table)
	if err != nil {
		return nil, err
	}
	c := *s
	switch {
	case s.Kind == ast.KindMaterializedView || s.Kind == ast.KindRollup:
		return nil, sqlerr.At(s.Start, sqlerr.SyntaxError, "Syntax error: a materialized view cannot be temporary")
	case !s.Name.Database.IsZero():
		return nil, sqlerr.At(s.Name.Start, sqlerr.BadDatabaseForTemporaryTable, "Temporary objects (tables/views) cannot be inside a database. You should not specify a database for a temporary objects")
	case s.Kind == ast.KindView:
		return o.temporaryView(ctx, s, name)
	case s.Engine == nil:
		c.Engine = &ast.Engine{Name: "Memory"}
	case strings.HasPrefix(s.Engine.Name, "Replicated"), strings.HasPrefix(s.Engine.Name, "Shared"), s.Engine.Name == "KeeperMap":
		return nil, sqlerr.At(s.Start, sqlerr.IncorrectQuery, "Temporary tables cannot be created with Replicated, Shared or KeeperMap table engines")
	}
	if err := createImplemented(&c); err != nil {
		return nil, err
	}
	t := &catalog.Table{UUID: o.UUID, Name: name, Kind: catalog.KindTable, Created: o.Now, Comment: s.Comment}
	ch := &Change{Table: t}
	if err := o.plain(ctx, ch, t, &c); err != nil {
		return nil, err
	}
	if e := t.BaseEngine(); t.Kind != catalog.KindTable || e != "Memory" && e != "MergeTree" && !strings.HasSuffix(e, "Log") {
		return nil, sqlerr.At(s.Start, sqlerr.NotImplemented, "A temporary table of engine %s is not implemented", t.Engine)
	}
	t.CreateSQL = CreateSQL(t, o.catalog())
	return ch, nil
}

// temporaryView defines a view of a session. It may read the session's tables, whose names stay without a database.
func (o Options) temporaryView(ctx context.Context, s *ast.CreateTable, name string) (*Change, error) {
	o.session = true
	t := &catalog.Table{UUID: o.UUID, Name: name, Created: o.Now, Comment: s.Comment}
	if err := o.view(ctx, t, s); err != nil {
		return nil, err
	}
	t.CreateSQL = CreateSQL(t, o.catalog())
	return &Change{Table: t}, nil
}

// createImplemented refuses what the parser takes and the engine does not do.
func createImplemented(s *ast.CreateTable) error {
	what := ""
	switch {
	case s.Attach:
		what = "ATTACH"
	case len(s.Projections) > 0:
		return projection(s.Projections[0].Range)
	}
	if what == "" {
		return nil
	}
	return sqlerr.At(s.Start, sqlerr.NotImplemented, "%s is not implemented", what)
}

// projection refuses a projection (decision 21).
func projection(at ast.Range) error {
	return sqlerr.At(at.Start, sqlerr.NotImplemented, "PROJECTION is not implemented: CREATE MATERIALIZED VIEW … AS SELECT … GROUP BY … over the table does what one with GROUP BY does, for queries that name the view; "+
		"for another order of rows make a materialized view with that ORDER BY")
}

// drop removes a table and what belongs to it.
func (ch *Change) drop(c *catalog.Catalog, t *catalog.Table) error {
	ids, err := Dropped(c, t)
	ch.Drop = append(ch.Drop, ids...)
	return err
}

// Dropped returns the tables that go with t: the inner table of a rollup, and what its refreshes need. A table that rollups read or write cannot go.
func Dropped(c *catalog.Catalog, t *catalog.Table) ([]catalog.TableID, error) {
	ids := []catalog.TableID{t.ID}
	if in := c.ByID(t.Target); t.Kind == catalog.KindRollup && in != nil && in.Inner {
		ids = append(ids, in.ID)
	}
	if h := DetachedPartitions(c, t); h != nil {
		ids = append(ids, h.ID)
	}
	return append(ids, t.RefreshTables()...), nil
}

// plain defines a table with rows of its own, or a Kafka source.
func (o *Options) plain(ctx context.Context, ch *Change, t *catalog.Table, s *ast.CreateTable) error {
	if s.Engine != nil && externals[s.Engine.Name] != "" {
		return o.external(ctx, t, s)
	}
	storage, err := o.likeOther(ctx, t, s)
	if err != nil {
		return err
	}
	if s.Clone && s.AsTable != nil {
		ch.Fill = &ast.SelectUnion{Range: s.AsTable.Range, Items: []ast.UnionItem{{Select: &ast.Select{Range: s.AsTable.Range,
			Exprs: []ast.Expr{&ast.Asterisk{}}, From: &ast.TableRef{Range: s.AsTable.Range, Name: *s.AsTable}}}}}
	}
	if s.AsSelect != nil {
		if s.Columns == nil {
			if err := o.columnsOfQuery(ctx, t, s.AsSelect); err != nil {
				return err
			}
		}
		if !s.Empty {
			ch.Fill = s.AsSelect
		}
	}
	if s.Columns != nil {
		if t.Columns, err = o.columns(ctx, s.Columns); err != nil {
			return err
		}
	}
	if len(t.Columns) == 0 {
		return sqlerr.At(s.Start, sqlerr.IncorrectQuery, "Incorrect CREATE query: required list of column descriptions or AS section or SELECT")
	}
	if t.Kind == catalog.KindView { // AS function
		return nil
	}
	return o.store(ctx, t, s, storage)
}

// likeOther copies the columns of AS table or AS function, and the storage of AS table unless one is given.
func (o *Options) likeOther(ctx context.Context, t *catalog.Table, s *ast.CreateTable) (*ast.Storage, error) {
	switch {
	case s.AsFunction != nil:
		n, err := analyze.Table(ctx, &ast.TableFunction{Range: s.AsFunction.Range, Call: s.AsFunction}, o.Analyze)
		if err != nil {
			return nil, err
		}
		t.Columns = columnsOf(n.Schema())
		if s.Engine == nil { // its rows are those of the function, each time it is read
			t.Kind, t.Engine, t.Select = catalog.KindView, "View", "SELECT * FROM "+ast.Format(s.AsFunction)
		}
	case s.AsTable != nil:
		db, name, err := o.table(*s.AsTable)
		if err != nil {
			return nil, err
		}
		from := o.catalog().Table(db, name)
		if from == nil {
			return nil, sqlerr.At(s.AsTable.Start, sqlerr.UnknownTable, "Table %s.%s does not exist", db, name)
		}
		if from.Kind == catalog.KindDictionary {
			return nil, sqlerr.At(s.AsTable.Start, sqlerr.IncorrectQuery, "Cannot CREATE a table AS %s, it is a Dictionary", from.FullName())
		}
		if from.Kind == catalog.KindRollup {
			from = o.catalog().ByID(from.Target)
		}
		t.Columns = append(t.Columns, from.Columns...)
		for i := range t.Columns {
			t.Columns[i].Stored = "" // the new table has no rows
		}
		t.Constraints = append(t.Constraints, from.Constraints...)
		if t.Comment == "" {
			t.Comment = from.Comment
		}
		if s.Engine != nil || from.Kind == catalog.KindView {
			return &s.Storage, nil
		}
		t.Kind, t.Engine, t.EngineArgs, t.Settings, t.Comment = from.Kind, from.Engine, from.EngineArgs, from.Settings, orText(s.Comment, from.Comment)
		t.PartitionBy, t.SortKey, t.PrimaryKey, t.SampleBy, t.TTLs, t.Indexes = from.PartitionBy, from.SortKey, from.PrimaryKey, from.SampleBy, from.TTLs, from.Indexes
		return nil, nil
	}
	return &s.Storage, nil
}

func orText(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func columnsOf(schema column.Schema) []catalog.Column {
	var out []catalog.Column
	for _, f := range schema {
		out = append(out, catalog.Column{Name: f.Name, Type: f.Type.String()})
	}
	return out
}

// columnsOfQuery takes the columns of a SELECT.
func (o *Options) columnsOfQuery(ctx context.Context, t *catalog.Table, q *ast.SelectUnion) error {
	n, err := analyze.Query(ctx, q, o.Analyze)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, f := range n.Schema() {
		if seen[f.Name] {
			return sqlerr.At(q.Start, sqlerr.DuplicateColumn, "Column %s is there twice in the SELECT", f.Name)
		}
		seen[f.Name] = true
	}
	t.Columns = columnsOf(n.Schema())
	return nil
}

// store sets engine, settings, keys, TTL, indexes and constraints; storage is nil if they were copied.
func (o *Options) store(ctx context.Context, t *catalog.Table, s *ast.CreateTable, storage *ast.Storage) error {
	if storage != nil {
		if err := o.storage(ctx, t, storage, inlineKeys(s.Columns)); err != nil {
			return err
		}
	}
	schema, err := Stored(t)
	if err != nil {
		return err
	}
	for _, d := range s.Indexes {
		i, err := o.index(ctx, d, schema)
		if err != nil {
			return err
		}
		t.Indexes = append(t.Indexes, i)
	}
	for _, d := range s.Constraints {
		c, err := o.constraint(ctx, d, schema)
		if err != nil {
			return err
		}
		t.Constraints = append(t.Constraints, c)
	}
	for _, d := range s.Columns {
		if d.TTL != nil {
			if err := o.ttlExpr(ctx, d.TTL, schema); err != nil {
				return err
			}
		}
	}
	return nil
}

func inlineKeys(defs []*ast.ColumnDef) []string {
	var out []string
	for _, d := range defs {
		if d.PrimaryKey {
			out = append(out, ast.QuoteIdent(d.Name))
		}
	}
	return out
}

func (o *Options) storage(ctx context.Context, t *catalog.Table, s *ast.Storage, inline []string) error {
	e := s.Engine
	if e == nil {
		e = &ast.Engine{Name: "MergeTree"}
	}
	if err := checkEngine(e); err != nil {
		return err
	}
	if externals[e.Name] != "" {
		return sqlerr.At(e.Start, sqlerr.NotImplemented, "Engine %s for the rows of a view is not implemented", e.Name)
	}
	t.Engine, t.EngineArgs = e.Name, formatAll(e.Args)
	if e.Name == "Kafka" {
		t.Kind = catalog.KindKafka
	}
	if err := engineSettings(t, e, s.Settings); err != nil {
		return err
	}
	if err := checkEngineArgs(t); err != nil {
		return err
	}
	if !IsMergeTree(t) {
		if s.PartitionBy != nil || s.OrderBy != nil || s.PrimaryKey != nil || s.SampleBy != nil || len(s.TTL) > 0 || len(inline) > 0 {
			return sqlerr.At(e.Start, sqlerr.BadArguments, "Engine %s doesn't support PARTITION_BY, PRIMARY_KEY, ORDER_BY or SAMPLE_BY clauses", t.Engine)
		}
		return nil
	}
	if err := o.keys(ctx, t, s, inline); err != nil {
		return err
	}
	return o.ttls(ctx, t, s.TTL)
}

// view defines a stored SELECT.
func (o *Options) view(ctx context.Context, t *catalog.Table, s *ast.CreateTable) error {
	t.Kind, t.Engine = catalog.KindView, "View"
	q, err := o.qualified(s.AsSelect)
	if err != nil {
		return err
	}
	t.Select = ast.Format(q)
	if hasParams(q) { // its columns are known when it is called
		return nil
	}
	return o.viewColumns(ctx, t, s, q)
}

// hasParams reports whether a query has parameters {name:Type}.
func hasParams(q *ast.SelectUnion) bool {
	found := false
	ast.Walk(q, func(n ast.Node) bool {
		_, is := n.(*ast.QueryParam)
		found = found || is
		return !found
	})
	return found
}

// viewColumns are those of the SELECT, with the types a column list declares.
func (o *Options) viewColumns(ctx context.Context, t *catalog.Table, s *ast.CreateTable, q *ast.SelectUnion) error {
	if err := o.columnsOfQuery(ctx, t, q); err != nil {
		return err
	}
	if s.Columns == nil {
		return nil
	}
	declared, err := o.columns(ctx, s.Columns)
	if err != nil {
		return err
	}
	for _, c := range declared {
		if t.Column(c.Name) == nil {
			return sqlerr.New(sqlerr.ThereIsNoColumn, "The SELECT of %s has no column %s", t.FullName(), c.Name)
		}
	}
	t.Columns = declared
	return nil
}

// rollup defines a materialized view: over a source table, into a target or an inner table of its own.
func (o *Options) rollup(ctx context.Context, ch *Change, t *catalog.Table, s *ast.CreateTable) error {
	t.Kind, t.Engine = catalog.KindRollup, "MaterializedView"
	q, err := o.qualified(s.AsSelect)
	if err != nil {
		return err
	}
	if s.Refresh != nil {
		return o.refreshable(ctx, ch, t, s, q)
	}
	source, err := o.source(q)
	if err != nil {
		return err
	}
	t.Select, t.Source = ast.Format(q), source.ID
	ro := *o
	ro.Analyze.Table = KafkaReadable(o.Analyze.Table)
	if err := ro.viewColumns(ctx, t, s, q); err != nil {
		return err
	}
	if s.Populate && source.Kind != catalog.KindKafka {
		ch.Fill = q
	}
	if s.To != nil {
		return o.target(ch, t, *s.To)
	}
	if s.Engine == nil && s.OrderBy == nil && s.PrimaryKey == nil {
		return sqlerr.At(s.Start, sqlerr.EngineRequired, "A materialized view without TO needs an ENGINE or ORDER BY")
	}
	return o.inner(ctx, ch, t, s)
}

// inner gives a materialized view a table of its own.
func (o *Options) inner(ctx context.Context, ch *Change, t *catalog.Table, s *ast.CreateTable) error {
	inner := &catalog.Table{
		ID: o.catalog().NextID, UUID: o.InnerUUID, Database: t.Database, Name: ".inner_id." + t.UUID, Kind: catalog.KindTable, Inner: true,
		Created: o.Now, Columns: t.Columns,
	}
	if err := o.store(ctx, inner, s, &s.Storage); err != nil {
		return err
	}
	if inner.Kind == catalog.KindKafka {
		return sqlerr.At(s.Start, sqlerr.NotImplemented, "A materialized view of engine Kafka is not implemented")
	}
	t.ID, t.Target = inner.ID+1, inner.ID
	ch.Add = append(ch.Add, inner, t)
	return nil
}

// target finds the table of TO. Columns go by name; those that the target lacks are an error, as in ClickHouse when rows come.
func (o *Options) target(ch *Change, t *catalog.Table, n ast.TableName) error {
	db, name, err := o.table(n)
	if err != nil {
		return err
	}
	target := o.catalog().Table(db, name)
	switch {
	case target == nil:
		return sqlerr.At(n.Start, sqlerr.UnknownTable, "Table %s.%s does not exist", db, name)
	case target.Kind == catalog.KindRollup:
		target = o.catalog().ByID(target.Target)
	case target.Kind != catalog.KindTable:
		return sqlerr.At(n.Start, sqlerr.NotImplemented, "Table %s of engine %s cannot be the target of a materialized view", target.FullName(), target.Engine)
	}
	if target.ID == t.Source {
		return sqlerr.At(n.Start, sqlerr.BadArguments, "A materialized view cannot write to the table it reads")
	}
	if t.Source != 0 && writesTo(o.catalog(), target.ID, t.Source) {
		return sqlerr.At(n.Start, sqlerr.BadArguments, "Materialized views that write to each other's source never end")
	}
	t.Target = target.ID
	ch.Add = append(ch.Add, t)
	return nil
}

// writesTo reports whether rows of table from reach table to through rollups.
func writesTo(c *catalog.Catalog, from, to catalog.TableID) bool {
	seen := map[catalog.TableID]bool{}
	var walk func(id catalog.TableID) bool
	walk = func(id catalog.TableID) bool {
		if id == to {
			return true
		}
		if seen[id] {
			return false
		}
		seen[id] = true
		for _, r := range c.RollupsOf(id) {
			if walk(r.Target) {
				return true
			}
		}
		return false
	}
	return walk(from)
}

// source is the table whose inserts a rollup derives from: the first one in FROM, at any depth.
func (o *Options) source(q *ast.SelectUnion) (*catalog.Table, error) {
	n := leftmost(q, nil)
	if n == nil {
		return nil, sqlerr.At(q.Start, sqlerr.BadArguments, "A materialized view must read a table")
	}
	db, name, err := o.table(n.Name)
	if err != nil {
		return nil, err
	}
	t := o.catalog().Table(db, name)
	switch {
	case t == nil:
		return nil, sqlerr.At(n.Start, sqlerr.UnknownTable, "Table %s.%s does not exist", db, name)
	case t.Kind == catalog.KindRollup:
		return o.catalog().ByID(t.Target), nil
	case t.Kind == catalog.KindDictionary:
		return nil, sqlerr.At(n.Start, sqlerr.NotImplemented, "A materialized view over a dictionary is not implemented")
	case t.Kind == catalog.KindView:
		return nil, sqlerr.At(n.Start, sqlerr.NotImplemented, "A materialized view over a view is not implemented")
	}
	return t, nil
}

// leftmost is the first table a query reads, through subqueries and CTEs.
func leftmost(q *ast.SelectUnion, with []*ast.WithItem) *ast.TableRef {
	item := q.Items[0]
	if item.Nested != nil {
		return leftmost(item.Nested, with)
	}
	with = append(with[:len(with):len(with)], item.Select.With...)
	for t := item.Select.From; ; {
		switch x := t.(type) {
		case *ast.TableRef:
			for _, w := range with {
				if w.Query != nil && x.Name.Database.IsZero() && w.Name == x.Name.Table.Text {
					return leftmost(w.Query, nil)
				}
			}
			return x
		case *ast.Join:
			t = x.Left
		case *ast.ArrayJoin:
			t = x.Input
		case *ast.SubqueryTable:
			return leftmost(x.Query, with)
		default:
			return nil
		}
	}
}

// Leftmost is the table whose inserts a rollup's SELECT derives from, as it is written; nil if it reads none.
func Leftmost(q *ast.SelectUnion) *ast.TableRef { return leftmost(q, nil) }

// quotedName is database.table as SQL.
func quotedName(db, name string) string {
	return strings.Join([]string{ast.QuoteIdent(db), ast.QuoteIdent(name)}, ".")
}
