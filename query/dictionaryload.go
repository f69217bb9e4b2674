package query

import (
	"context"
	"net"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/dictionary"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
)

// maxDictionaryLoad is the longest that a source is read, in seconds: dictionaries of several nodes that wait for each other end with an error.
const maxDictionaryLoad = "3600"

// dictionaryLoader reads the sources of dictionaries by statements of its own.
type dictionaryLoader struct{ e *Engine }

var _ dictionary.Loader = dictionaryLoader{}

// Shape implements dictionary.Loader.
func (l dictionaryLoader) Shape(ctx context.Context, t *catalog.Table) (*dictionary.Shape, error) {
	return l.e.dictionaryShape(ctx, t)
}

// Stamp implements dictionary.Loader: it is what the source's INVALIDATE_QUERY yields.
func (l dictionaryLoader) Stamp(ctx context.Context, t *catalog.Table) (string, error) {
	text, ok := t.Dictionary.Source.Param("invalidate_query")
	if !ok || text == "" || !l.e.isOwnSource(&t.Dictionary.Source) { // of another server it is refused when that is read
		return "", nil
	}
	s, err := l.e.sourceSession(ctx, t)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = s.read(ctx, Query{Text: text, ReadOnly: true}, func(_ column.Schema, b *column.Block) error {
		for i := range b.N {
			for _, c := range b.Cols {
				v, err := function.Cast(&function.Env{Ctx: ctx, Zone: l.e.deps.Zone}, c.Slice(i, i+1), types.NewNullable(types.TString))
				if err != nil {
					return err
				}
				text, _ := column.Value(v, 0).(string)
				out.WriteString(text + "\x00")
			}
		}
		if out.Len() > maxStamp {
			return sqlerr.New(sqlerr.BadArguments, "INVALIDATE_QUERY of dictionary %s yields more than one value", t.FullName())
		}
		return nil
	})
	return out.String(), err
}

// maxStamp bounds what an INVALIDATE_QUERY yields: it is one value.
const maxStamp = 64 << 10

// Load implements dictionary.Loader.
func (l dictionaryLoader) Load(ctx context.Context, t *catalog.Table, s *dictionary.Shape, add func(*column.Block) error) error {
	if t.Dictionary.Source.Name == "null" {
		return nil
	}
	return l.e.readSource(ctx, t, s, nil, add)
}

// readSource reads rows of a dictionary's source: all, or those of the keys of a table that comes along.
func (e *Engine) readSource(ctx context.Context, t *catalog.Table, s *dictionary.Shape, keys *External, add func(*column.Block) error) error {
	session, err := e.sourceSession(ctx, t)
	if err != nil {
		return err
	}
	q, err := e.sourceQuery(t, s, keys)
	if err != nil {
		return err
	}
	want := s.Schema()
	env := &function.Env{Ctx: ctx, Zone: e.deps.Zone, Now: e.deps.Clock.Now()}
	var at []int
	return session.read(ctx, q, func(have column.Schema, b *column.Block) error {
		if at == nil {
			if at, err = matched(want, have); err != nil {
				return err
			}
		}
		out := &column.Block{N: b.N}
		for i, f := range want {
			to, c := f.Type, b.Cols[at[i]]
			if c.Type().IsNullable() && !to.IsNullable() && to.CanBeNullable() {
				to = types.NewNullable(to)
			}
			v, err := function.Cast(env, c, to)
			if err != nil {
				return sqlerr.Wrap(err, sqlerr.CodeOf(err), "while converting source column %s of dictionary %s", have[at[i]].Name, t.FullName())
			}
			out.Cols = append(out.Cols, v)
		}
		return add(out)
	})
}

// matched says which column of a result each column of a dictionary is: the one of its name, or if they have other names the one at its place.
func matched(want, have column.Schema) ([]int, error) {
	at := make([]int, len(want))
	named := true
	for i, f := range want {
		at[i] = have.Index(f.Name)
		named = named && at[i] >= 0
	}
	if named {
		return at, nil
	}
	if len(want) != len(have) {
		return nil, sqlerr.New(sqlerr.NumberOfColumnsDoesntMatch, "Number of columns doesn't match (source: %d and result: %d)", len(have), len(want))
	}
	for i := range at {
		at[i] = i
	}
	return at, nil
}

// dictionaryKeys is the name of the table in which keys that are looked up come along.
const dictionaryKeys = "_dictionary_keys"

// sourceQuery is the statement that reads a source.
func (e *Engine) sourceQuery(t *catalog.Table, s *dictionary.Shape, keys *External) (Query, error) {
	src := &t.Dictionary.Source
	var cols, names []string
	for _, f := range s.Schema() {
		name := ast.QuoteIdent(f.Name)
		if x := t.Dictionary.Attributes[f.Name].Computed; x != "" {
			name = x + " AS " + name
		}
		cols = append(cols, name)
	}
	for _, f := range s.Key {
		names = append(names, ast.QuoteIdent(f.Name))
	}
	q := Query{ReadOnly: true, Settings: map[string]string{"max_execution_time": maxDictionaryLoad}}
	for k, v := range t.Dictionary.Settings {
		q.Settings[k] = v
	}
	from, where, err := e.sourceTable(t, s)
	if err != nil {
		return q, err
	}
	if from == "" { // a query of the definition's
		q.Text, _ = src.Param("query")
		if keys == nil {
			return q, nil
		}
		cols, from = []string{"*"}, "("+q.Text+")"
	}
	if keys != nil {
		q.Tables = []External{*keys}
		where = append(where, "("+strings.Join(names, ", ")+") IN (SELECT * FROM "+dictionaryKeys+")")
	}
	q.Text = "SELECT " + strings.Join(cols, ", ") + " FROM " + from
	if len(where) > 0 {
		q.Text += " WHERE " + strings.Join(where, " AND ")
	}
	return q, nil
}

// sourceTable is what stands in FROM, and its conditions; empty for a source that is a query.
func (e *Engine) sourceTable(t *catalog.Table, s *dictionary.Shape) (from string, where []string, err error) {
	src := &t.Dictionary.Source
	param := func(name string) string {
		v, _ := src.Param(name)
		return v
	}
	if src.Name == "file" {
		if computes(t) {
			return "", nil, sqlerr.New(sqlerr.NotImplemented, "EXPRESSION of a dictionary whose source is a file is not implemented")
		}
		var structure []string
		for _, f := range s.Schema() {
			structure = append(structure, ast.QuoteIdent(f.Name)+" "+f.Type.String())
		}
		return "file(" + ast.QuoteString(param("path")) + ", " + ast.QuoteString(param("format")) + ", " + ast.QuoteString(strings.Join(structure, ", ")) + ")", nil, nil
	}
	table, text := param("table"), param("query")
	switch {
	case table == "" && text == "":
		return "", nil, sqlerr.New(sqlerr.UnsupportedMethod, "Setting `table` or `query` must be non empty")
	case text != "" && (table != "" || param("where") != ""):
		return "", nil, sqlerr.New(sqlerr.UnsupportedMethod, "Setting `table` or `where` cannot be used with `query` parameter")
	}
	if w := param("where"); w != "" {
		where = []string{"(" + w + ")"}
	}
	db := param("db")
	if db == "" {
		db = t.Database
	}
	if e.isOwnSource(src) {
		if text != "" {
			return "", nil, nil
		}
		return ast.QuoteIdent(db) + "." + ast.QuoteIdent(table), where, nil
	}
	if w := param("where") + param("invalidate_query"); w != "" || computes(t) { // they would run here with the rights of the server itself
		return "", nil, sqlerr.New(sqlerr.NotImplemented, "WHERE, INVALIDATE_QUERY and EXPRESSION of a dictionary whose source is another server are not implemented")
	}
	if text != "" {
		return "", nil, sqlerr.New(sqlerr.NotImplemented, "QUERY of a dictionary's source on another server is not implemented: name a TABLE")
	}
	call := "remote("
	if param("secure") == "1" {
		call = "remoteSecure("
	}
	address := param("host")
	if p := param("port"); p != "" {
		address = net.JoinHostPort(address, p)
	}
	user := param("user")
	if user == "" {
		user = "default"
	}
	for i, a := range []string{address, db, table, user, param("password")} {
		call += []string{"", ", "}[min(i, 1)] + ast.QuoteString(a)
	}
	return call + ")", where, nil
}

// computes reports whether an attribute is an expression over the source.
func computes(t *catalog.Table) bool {
	for _, a := range t.Dictionary.Attributes {
		if a.Computed != "" {
			return true
		}
	}
	return false
}

// isOwnSource reports whether a source of ClickHouse's kind is this server: no host is named, or this machine with this server's port or none.
func (e *Engine) isOwnSource(src *catalog.DictionaryCall) bool {
	host, _ := src.Param("host")
	port, _ := src.Param("port")
	if host == "" {
		return true
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return false
	}
	if port == "" || port == "9000" || e.deps.Remote == nil || e.deps.Remote.Own == nil {
		return true
	}
	return slices.ContainsFunc(e.deps.Remote.Own(), func(own string) bool { return strings.HasSuffix(own, ":"+port) })
}

// sourceSession is what a source is read as: tables of this server as the user whom the source names, other things as the server itself.
func (e *Engine) sourceSession(ctx context.Context, t *catalog.Table) (*Session, error) {
	src := &t.Dictionary.Source
	db, _ := src.Param("db")
	if db == "" {
		db = t.Database
	}
	if text, _ := src.Param("query"); text != "" {
		db = "default" // whatever DB says, as in ClickHouse
	}
	if src.Name != "clickhouse" || !e.isOwnSource(src) {
		return e.ownSession(db)
	}
	user, _ := src.Param("user")
	password, given := src.Param("password")
	user, err := e.Authenticate(ctx, access.Login{User: user, Password: password, Given: given, Address: "127.0.0.1:0"})
	if err != nil {
		return nil, err
	}
	return e.NewSession(SessionOptions{User: user, Database: db, Client: Client{Address: "127.0.0.1:0", Interface: "Dictionary", Name: "dictionary " + t.FullName()}})
}

// read runs a query and calls f with its blocks.
func (s *Session) read(ctx context.Context, q Query, f func(column.Schema, *column.Block) error) error {
	r, err := s.Execute(ctx, q)
	if err != nil {
		return placeless(err)
	}
	defer r.Close()
	if r.Kind != "Select" {
		return sqlerr.New(sqlerr.BadArguments, "The source of a dictionary must be a SELECT")
	}
	return placeless(r.Run(func(b *column.Block) error { return f(r.Schema, b) }))
}

// placeless is an error without the place in its statement, which is not the one that its reader wrote.
func placeless(err error) error {
	e, ok := err.(*sqlerr.Error)
	if !ok || e.Pos < 0 {
		return err
	}
	n := *e
	n.Pos = -1
	return &n
}

// directReader asks the source at each lookup.
type directReader struct {
	e      *Engine
	table  *catalog.Table
	shape  *dictionary.Shape
	budget *mem.Budget
}

// Lookup implements dictionary.Reader.
func (d *directReader) Lookup(ctx context.Context, keys []column.Vector, at column.Vector, n int) (*dictionary.Data, []uint32, error) {
	block := &column.Block{N: n}
	for _, k := range keys {
		block.Cols = append(block.Cols, column.Flatten(k))
	}
	data, err := d.load(ctx, &External{Name: dictionaryKeys, Schema: d.shape.Key, Block: block})
	if err != nil {
		return nil, nil, err
	}
	return data.Lookup(ctx, keys, at, n)
}

// All implements dictionary.Reader.
func (d *directReader) All(ctx context.Context) (*dictionary.Data, error) { return d.load(ctx, nil) }

// load reads the rows of keys, or all. Their memory is the query's only while they are read: what becomes of them is counted by who reads it.
func (d *directReader) load(ctx context.Context, keys *External) (*dictionary.Data, error) {
	shape := *d.shape
	shape.Layout = dictionary.Hashed
	b := dictionary.NewBuilder(&shape, d.budget)
	if d.table.Dictionary.Source.Name != "null" {
		if err := d.e.readSource(ctx, d.table, &shape, keys, b.Add); err != nil {
			b.Discard()
			return nil, err
		}
	}
	data, err := b.Finish()
	if err == nil {
		d.budget.Release(data.Bytes())
	}
	return data, err
}

// ownSession is a session of the server itself, which may read everything.
func (e *Engine) ownSession(db string) (*Session, error) {
	const name = "dictionaries"
	all, err := access.New().WithFixed([]*access.User{access.Administrator(name)}).Enable(name, nil)
	if err != nil {
		return nil, err
	}
	s := &Session{e: e, o: SessionOptions{User: name, Database: db, Client: Client{Address: "127.0.0.1:0", Interface: "Dictionary"}}, own: all}
	s.temps = newTemporaries(s, e.deps.Budget)
	s.mu.database, s.mu.set = db, e.base.Clone()
	return s, nil
}
