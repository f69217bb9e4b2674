// Package catalog holds the schemas: databases, tables, views and rollups, as immutable
// values with a version.
//
// A *Catalog is a snapshot: readers keep it as long as they like. A change makes a new
// one (With…, Without…) whose Version is one higher; the meta group's state machine
// is the only writer, so changes are linear. Expressions are kept as SQL text, as the
// user wrote them; whoever evaluates them parses them.
package catalog

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
)

// TableID identifies a table for ever: a table dropped and created anew has another.
type TableID uint64

// Kind is what stands behind a table's name.
type Kind string

// The kinds.
const (
	KindTable      Kind = "table"      // rows in segments (MergeTree family), Memory or Null
	KindView       Kind = "view"       // a stored SELECT
	KindRollup     Kind = "rollup"     // CREATE MATERIALIZED VIEW: a SELECT over Source whose rows go to Target
	KindKafka      Kind = "kafka"      // a Kafka source
	KindDictionary Kind = "dictionary" // CREATE DICTIONARY: keys and attributes that each node reads from a source and holds
	KindVirtual    Kind = "virtual"    // system tables; never stored in a Catalog's file
)

// Column is a column as declared.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"` // canonical type name
	// Stored is the name under which rows hold the column, for as long as it is there; empty: Name. No other column of the table, also none
	// that was dropped, has or had it.
	Stored  string      `json:"stored,omitempty"`
	Default DefaultKind `json:"default_kind,omitempty"`
	Expr    string      `json:"default,omitempty"` // SQL of DEFAULT, MATERIALIZED, ALIAS, EPHEMERAL
	Comment string      `json:"comment,omitempty"`
	Codec   string      `json:"codec,omitempty"` // SQL, such as CODEC(ZSTD(1))
	TTL     string      `json:"ttl,omitempty"`   // SQL
}

// DefaultKind says how a column gets its value when an INSERT does not give it.
type DefaultKind string

// The kinds of default, named as DESCRIBE prints them.
const (
	DefaultNone  DefaultKind = ""
	DefaultExpr  DefaultKind = "DEFAULT"
	Materialized DefaultKind = "MATERIALIZED"
	Alias        DefaultKind = "ALIAS"
	Ephemeral    DefaultKind = "EPHEMERAL"
)

// Index is a skip index as declared.
type Index struct {
	Name        string `json:"name"`
	Expr        string `json:"expr"` // SQL
	Type        string `json:"type"` // SQL, such as bloom_filter(0.01)
	Granularity int    `json:"granularity"`
}

// TTL is one rule of a table's TTL clause: rows are deleted when Expr lies in the past and Where holds.
type TTL struct {
	Expr  string `json:"expr"`
	Where string `json:"where,omitempty"`
}

// Table is a table, view, rollup or source. Immutable.
type Table struct {
	ID       TableID `json:"id"`
	UUID     string  `json:"uuid"`
	Database string  `json:"database"`
	Name     string  `json:"name"`
	Kind     Kind    `json:"kind"`
	// Engine is the name as the user wrote it (ReplicatedMergeTree stays so); EngineArgs the SQL of its arguments.
	Engine     string   `json:"engine"`
	EngineArgs []string `json:"engine_args,omitempty"`
	Columns    []Column `json:"columns"`
	// Dropped is the stored names of columns that were dropped: segments may hold their values still.
	Dropped []string `json:"dropped,omitempty"`
	// Keys as SQL; SortKey without the brackets of a tuple: one entry a column or expression.
	PartitionBy string            `json:"partition_by,omitempty"`
	SortKey     []string          `json:"sort_key,omitempty"`
	PrimaryKey  []string          `json:"primary_key,omitempty"` // a prefix of SortKey
	SampleBy    string            `json:"sample_by,omitempty"`
	TTLs        []TTL             `json:"ttls,omitempty"`
	Indexes     []Index           `json:"indexes,omitempty"`
	Constraints []Constraint      `json:"constraints,omitempty"`
	Settings    map[string]string `json:"settings,omitempty"`
	Comment     string            `json:"comment,omitempty"`
	// Select is the SQL of a view's or rollup's SELECT, names qualified by database.
	Select string `json:"select,omitempty"`
	// Source is the table a rollup reads, Target the table that holds its rows (its own hidden inner table, or the TO table).
	Source TableID `json:"source,omitempty"`
	Target TableID `json:"target,omitempty"`
	// Refresh is of a rollup that is computed anew at times; it has no Source. Nil: it follows its source.
	Refresh *Refresh `json:"refresh,omitempty"`
	// Dictionary is what a dictionary has beyond its columns; nil for others.
	Dictionary *Dictionary `json:"dictionary,omitempty"`
	// Detached hides the table from everything but ATTACH; its rows stay.
	Detached bool `json:"detached,omitempty"`
	// Inner marks the hidden table of a rollup; it goes with the rollup.
	Inner bool `json:"inner,omitempty"`
	// CreateSQL is the statement SHOW CREATE TABLE prints; Created is in Unix nanoseconds.
	CreateSQL string `json:"create_sql"`
	Created   int64  `json:"created"`
	// Spread is how commits find the shards of the table's rows, once these have come to lie on more shards than they did: read by all as of version
	// SpreadSince of the topology. Nil: the topology says it.
	Spread      Spread `json:"spread,omitempty"`
	SpreadSince uint64 `json:"spread_since,omitempty"`
	// SpreadBefore: Kafka tables with smaller IDs may have been read by the shards that there were before Spread, and cannot feed the table; but for those in
	// SpreadWith, of which all shards had got to the same offsets then.
	SpreadBefore TableID   `json:"spread_before,omitempty"`
	SpreadWith   []TableID `json:"spread_with,omitempty"`
	// StoppedFor, of a Kafka table, is the table whose coming to lie on more shards keeps it from being consumed further than Stops; 0: none does.
	StoppedFor TableID `json:"stopped_for,omitempty"`
	Stops      []Stop  `json:"stops,omitempty"`
	// Reading, of a Kafka table, is how its partitions are read since it has fed a table first, where there are several shards.
	Reading Reading `json:"reading,omitempty"`
	// Held: no commit is taken that has rows of the table, because they are about to be read on other shards.
	Held bool `json:"held,omitempty"`
	// Version is the catalog version that made the table what it is.
	Version uint64 `json:"version"`
}

// ShardingKey is the SQL of the expressions whose cityHash64 decides on which shard a row lies: the setting sharding_key or, where the engine keeps one
// row of several with the same sort key, that key. Empty: rows lie where they were inserted. Spread says on which.
func (t *Table) ShardingKey() string {
	if key := t.Settings["sharding_key"]; key != "" || t.Kind != KindTable || t.BaseEngine() != "ReplacingMergeTree" {
		return key
	}
	return strings.Join(t.SortKey, ", ")
}

// Constraint is a CHECK or ASSUME of a table.
type Constraint struct {
	Name   string `json:"name"`
	Expr   string `json:"expr"`
	Assume bool   `json:"assume,omitempty"`
}

// FullName returns database.name, unquoted.
func (t *Table) FullName() string { return t.Database + "." + t.Name }

// Column returns the column with the name, or nil.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// StoredName is the name under which rows hold the column.
func (c *Column) StoredName() string {
	if c.Stored != "" {
		return c.Stored
	}
	return c.Name
}

// StoredNames are the stored names of the columns that have another, by name; nil if none has.
func (t *Table) StoredNames() map[string]string {
	var out map[string]string
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Stored != "" {
			if out == nil {
				out = map[string]string{}
			}
			out[c.Name] = c.Stored
		}
	}
	return out
}

// BaseEngine is the engine's name without Replicated and Shared in front: what the rows' treatment follows from.
func (t *Table) BaseEngine() string {
	return strings.TrimPrefix(strings.TrimPrefix(t.Engine, "Replicated"), "Shared")
}

// Database is a namespace of tables.
type Database struct {
	Name    string `json:"name"`
	Engine  string `json:"engine"`
	Comment string `json:"comment,omitempty"`
	UUID    string `json:"uuid"`
}

// Function is CREATE FUNCTION: a name for an expression with parameters.
type Function struct {
	Name   string `json:"name"`
	Lambda string `json:"lambda"` // SQL: (x, y) -> expression
}

// Catalog is an immutable set of databases, tables and functions.
type Catalog struct {
	Version   uint64
	NextID    TableID
	databases map[string]*Database
	tables    map[string]map[string]*Table // database → name
	byID      map[TableID]*Table
	sources   map[TableID][]*Table // rollups by the table they read, in order of creation
	functions map[string]*Function
	detached  map[string]*Table // by full name
}

// New returns a catalog with the empty database default.
func New() *Catalog {
	c := &Catalog{Version: 1, NextID: 1, databases: map[string]*Database{}, tables: map[string]map[string]*Table{}, byID: map[TableID]*Table{}, functions: map[string]*Function{}}
	c.databases["default"] = &Database{Name: "default", Engine: "Atomic"}
	return c
}

// Database returns a database, or nil.
func (c *Catalog) Database(name string) *Database { return c.databases[name] }

// Databases returns all databases by name.
func (c *Catalog) Databases() []*Database {
	return slices.SortedFunc(maps.Values(c.databases), func(a, b *Database) int { return strings.Compare(a.Name, b.Name) })
}

// Table returns a table, or nil.
func (c *Catalog) Table(database, name string) *Table { return c.tables[database][name] }

// Detached returns a table that was detached, or nil.
func (c *Catalog) Detached(database, name string) *Table { return c.detached[database+"."+name] }

// ByID returns a table, also a detached one, or nil.
func (c *Catalog) ByID(id TableID) *Table { return c.byID[id] }

// Tables returns the tables of a database by name; of all databases if the name is empty.
func (c *Catalog) Tables(database string) []*Table {
	return c.list(func(t *Table) bool { return !t.Detached && (database == "" || t.Database == database) })
}

// Stored returns the tables whose rows shards hold beyond those that can be named: hidden ones too, but not what DETACH TABLE has put away, which stays as it is.
func (c *Catalog) Stored() []*Table {
	return c.list(func(t *Table) bool { return !t.Detached || t.Inner })
}

// list returns the tables that keep holds for, by database and name.
func (c *Catalog) list(keep func(*Table) bool) []*Table {
	var out []*Table
	for _, t := range c.byID {
		if keep(t) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *Table) int { return strings.Compare(a.Database+"\x00"+a.Name, b.Database+"\x00"+b.Name) })
	return out
}

// Function returns a function that SQL defines, or nil.
func (c *Catalog) Function(name string) *Function { return c.functions[name] }

// Functions returns the functions that SQL defines, by name.
func (c *Catalog) Functions() []*Function {
	return slices.SortedFunc(maps.Values(c.functions), func(a, b *Function) int { return strings.Compare(a.Name, b.Name) })
}

// WithFunction adds a function, or replaces the one of its name.
func (c *Catalog) WithFunction(f *Function) *Catalog {
	n := c.clone()
	n.functions[f.Name] = f
	return n.index()
}

// WithoutFunction removes a function, if it is there.
func (c *Catalog) WithoutFunction(name string) *Catalog {
	n := c.clone()
	delete(n.functions, name)
	return n.index()
}

// RollupsOf returns the rollups that read a table, in order of creation.
func (c *Catalog) RollupsOf(id TableID) []*Table { return c.sources[id] }

func (c *Catalog) clone() *Catalog {
	n := &Catalog{Version: c.Version + 1, NextID: c.NextID, databases: maps.Clone(c.databases), byID: maps.Clone(c.byID), functions: maps.Clone(c.functions)}
	return n
}

// index rebuilds the maps by name and by source.
func (c *Catalog) index() *Catalog {
	c.tables = map[string]map[string]*Table{}
	c.sources = map[TableID][]*Table{}
	c.detached = map[string]*Table{}
	for _, t := range c.byID {
		if t.Detached {
			c.detached[t.FullName()] = t
			continue
		}
		if c.tables[t.Database] == nil {
			c.tables[t.Database] = map[string]*Table{}
		}
		c.tables[t.Database][t.Name] = t
		if t.Kind == KindRollup && t.Source != 0 {
			c.sources[t.Source] = append(c.sources[t.Source], t)
		}
	}
	for _, rs := range c.sources {
		slices.SortFunc(rs, func(a, b *Table) int { return int(a.ID) - int(b.ID) })
	}
	return c
}

// WithDatabase adds a database; DatabaseAlreadyExists if it is there.
func (c *Catalog) WithDatabase(d *Database) (*Catalog, error) {
	if c.databases[d.Name] != nil {
		return nil, sqlerr.New(sqlerr.DatabaseAlreadyExists, "Database %s already exists", d.Name)
	}
	n := c.clone()
	n.databases[d.Name] = d
	return n.index(), nil
}

// WithoutDatabase removes a database and its tables; UnknownDatabase if it is not there.
func (c *Catalog) WithoutDatabase(name string) (*Catalog, error) {
	if c.databases[name] == nil {
		return nil, sqlerr.New(sqlerr.UnknownDatabase, "Database %s does not exist", name)
	}
	n := c.clone()
	delete(n.databases, name)
	for id, t := range c.byID {
		if t.Database == name {
			delete(n.byID, id)
		}
	}
	return n.index(), nil
}

// WithRenamedDatabase gives a database another name. moved makes of a table, of any database, what it is then: itself if nothing of it changes.
func (c *Catalog) WithRenamedDatabase(from, to string, moved func(*Table) *Table) (*Catalog, error) {
	old := c.databases[from]
	switch {
	case old == nil:
		return nil, sqlerr.New(sqlerr.UnknownDatabase, "Database %s does not exist", from)
	case c.databases[to] != nil:
		return nil, sqlerr.New(sqlerr.DatabaseAlreadyExists, "Database %s already exists", to)
	}
	n := c.clone()
	d := *old
	d.Name = to
	delete(n.databases, from)
	n.databases[to] = &d
	for id, t := range c.byID {
		if m := moved(t); m != t {
			m.Version = n.Version
			n.byID[id] = m
		}
	}
	return n.index(), nil
}

// WithTables adds tables in one change, giving each an ID (unless it has one) and the new
// version. TableAlreadyExists and UnknownDatabase name the first table that does not fit.
// The tables are changed in place and belong to the catalog from then on.
func (c *Catalog) WithTables(ts ...*Table) (*Catalog, error) {
	n := c.clone()
	for _, t := range ts {
		if c.databases[t.Database] == nil {
			return nil, sqlerr.New(sqlerr.UnknownDatabase, "Database %s does not exist", t.Database)
		}
		if c.Detached(t.Database, t.Name) != nil {
			return nil, sqlerr.New(sqlerr.TableAlreadyExists, "Table %s already exists (detached)", t.FullName())
		}
		if c.Table(t.Database, t.Name) != nil {
			return nil, sqlerr.New(sqlerr.TableAlreadyExists, "Table %s already exists", t.FullName())
		}
		if t.ID == 0 {
			t.ID = n.NextID
		}
		n.NextID = max(n.NextID, t.ID+1)
		t.Version = n.Version
		n.byID[t.ID] = t
	}
	return n.index(), nil
}

// Over returns the catalog with the tables of a session, which have no database, beside the stored ones. It is never stored.
func (c *Catalog) Over(ts []*Table) *Catalog {
	n := c.clone()
	n.Version = c.Version
	for _, t := range ts {
		n.byID[t.ID] = t
	}
	return n.index()
}

// WithChanged replaces tables, known by their IDs, in one change: ALTER, RENAME, EXCHANGE.
func (c *Catalog) WithChanged(ts ...*Table) (*Catalog, error) {
	n := c.clone()
	for _, t := range ts {
		if c.byID[t.ID] == nil {
			return nil, sqlerr.New(sqlerr.UnknownTable, "Table %s does not exist", t.FullName())
		}
		t.Version = n.Version
		n.byID[t.ID] = t
	}
	seen := map[string]bool{}
	for _, t := range n.byID {
		if seen[t.Database+"\x00"+t.Name] {
			return nil, sqlerr.New(sqlerr.TableAlreadyExists, "Table %s already exists", t.FullName())
		}
		seen[t.Database+"\x00"+t.Name] = true
	}
	return n.index(), nil
}

// WithoutTables removes tables in one change; IDs that are not there are ignored.
func (c *Catalog) WithoutTables(ids ...TableID) *Catalog {
	n := c.clone()
	for _, id := range ids {
		delete(n.byID, id)
	}
	return n.index()
}

type file struct {
	Version   uint64      `json:"version"`
	NextID    TableID     `json:"next_id"`
	Databases []*Database `json:"databases"`
	Tables    []*Table    `json:"tables"`
	Functions []*Function `json:"functions,omitempty"`
}

// MarshalJSON writes the catalog in a stable order.
func (c *Catalog) MarshalJSON() ([]byte, error) {
	return json.Marshal(file{Version: c.Version, NextID: c.NextID, Databases: c.Databases(), Tables: c.list(func(*Table) bool { return true }), Functions: c.Functions()})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Catalog) UnmarshalJSON(b []byte) error {
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	*c = Catalog{Version: f.Version, NextID: f.NextID, databases: map[string]*Database{}, byID: map[TableID]*Table{}, functions: map[string]*Function{}}
	for _, fn := range f.Functions {
		c.functions[fn.Name] = fn
	}
	for _, d := range f.Databases {
		c.databases[d.Name] = d
	}
	for _, t := range f.Tables {
		c.byID[t.ID] = t
	}
	c.index()
	return nil
}
