package define

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/parse"
	"github.com/olapd/olapd/query/settings"
)

// Partitions returns the partitions that an ALTER drops, or nil if it changes the schema. Both in one statement is not possible.
func Partitions(s *ast.Alter) ([]*ast.Partition, error) {
	var out []*ast.Partition
	for _, c := range s.Commands {
		if c.Kind == ast.AlterDropPartition {
			if c.Partition.Part != "" {
				return nil, sqlerr.At(c.Start, sqlerr.NotImplemented, "ALTER TABLE … DROP PART is not implemented")
			}
			if !c.Detached {
				out = append(out, c.Partition)
			}
		}
	}
	if out != nil && len(out) < len(s.Commands) {
		return nil, sqlerr.At(s.Start, sqlerr.NotImplemented, "ALTER TABLE that changes columns and drops partitions at once is not implemented")
	}
	return out, nil
}

// Moves returns the commands of an ALTER that move partitions to other shards, or nil if it does something else.
func Moves(s *ast.Alter) ([]*ast.AlterCommand, error) {
	var out []*ast.AlterCommand
	for _, c := range s.Commands {
		if c.Kind != ast.AlterMovePartition || c.ToTable != nil {
			continue
		}
		if c.TargetKind != "SHARD" || c.Partition.Part != "" || c.Partition.All {
			return nil, sqlerr.At(c.Start, sqlerr.NotImplemented, "ALTER TABLE … MOVE is not implemented but for MOVE PARTITION … TO SHARD and TO TABLE")
		}
		out = append(out, c)
	}
	if out != nil && len(out) < len(s.Commands) {
		return nil, sqlerr.At(s.Start, sqlerr.NotImplemented, "ALTER TABLE that moves partitions and does something else is not implemented")
	}
	return out, nil
}

// Copies returns the commands of an ALTER that put partitions into other tables, detach or attach them, or nil if it does something else.
func Copies(s *ast.Alter) ([]*ast.AlterCommand, error) {
	var out []*ast.AlterCommand
	for _, c := range s.Commands {
		switch c.Kind {
		case ast.AlterDetachPartition, ast.AlterAttachPartition, ast.AlterReplacePartition:
			out = append(out, c)
		case ast.AlterMovePartition:
			if c.ToTable != nil {
				out = append(out, c)
			}
		case ast.AlterDropPartition:
			if c.Detached {
				out = append(out, c)
			}
		}
	}
	if out != nil && len(out) < len(s.Commands) {
		return nil, sqlerr.At(s.Start, sqlerr.NotImplemented, "ALTER TABLE that moves or copies partitions and does something else is not implemented")
	}
	return out, nil
}

// detachedName begins the names of the hidden tables that hold detached partitions; the table's ID follows.
const detachedName = ".detached_id."

// DetachedPartitions is the hidden table that holds the detached partitions of t; nil if none was ever detached.
func DetachedPartitions(c *catalog.Catalog, t *catalog.Table) *catalog.Table {
	for _, d := range c.Databases() {
		if h := c.Detached(d.Name, detachedTable(t)); h != nil {
			return h
		}
	}
	return nil
}

func detachedTable(t *catalog.Table) string {
	return detachedName + strconv.FormatUint(uint64(t.ID), 10)
}

// HoldingDetached is the catalog with the hidden table for the detached partitions of t, whose columns are those that t has now: rows are held under the same
// names. They do not expire there, nor are they merged into one another.
func HoldingDetached(c *catalog.Catalog, t *catalog.Table, id string, now int64) (*catalog.Catalog, error) {
	h := clone(t)
	h.Name, h.UUID, h.ID, h.Created = detachedTable(t), id, 0, now
	h.Detached, h.Inner, h.TTLs, h.Indexes, h.Constraints, h.Comment = true, true, nil, nil, nil, ""
	h.Engine, h.EngineArgs = "MergeTree", nil
	for i := range h.Columns {
		h.Columns[i].TTL = ""
	}
	h.CreateSQL = CreateSQL(h, c)
	if old := DetachedPartitions(c, t); old != nil {
		h.ID, h.UUID, h.Created = old.ID, old.UUID, old.Created
		return c.WithChanged(h)
	}
	return c.WithTables(h)
}

// Moved is a table under another name.
func Moved(t *catalog.Table, db, name string, c *catalog.Catalog) *catalog.Table {
	n := *t
	n.Database, n.Name = db, name
	n.CreateSQL = CreateSQL(&n, c)
	return &n
}

// Alter returns the changed entries of an ALTER TABLE: the table and, of a rollup with an inner table, that one.
func Alter(ctx context.Context, s *ast.Alter, o Options) ([]*catalog.Table, error) {
	db, name, err := o.table(s.Table)
	if err != nil {
		return nil, err
	}
	old := o.catalog().Table(db, name)
	if old == nil {
		return nil, sqlerr.At(s.Table.Start, sqlerr.UnknownTable, "Table %s.%s does not exist", db, name)
	}
	a := &alteration{o: &o, ctx: ctx, t: clone(old)}
	for _, c := range s.Commands {
		if err := a.command(c); err != nil {
			return nil, err
		}
	}
	if err := a.recheck(); err != nil {
		return nil, err
	}
	a.t.CreateSQL = CreateSQL(a.t, o.catalog())
	return []*catalog.Table{a.t}, nil
}

func clone(t *catalog.Table) *catalog.Table {
	n := *t
	n.Columns, n.Indexes, n.Constraints = slices.Clone(t.Columns), slices.Clone(t.Indexes), slices.Clone(t.Constraints)
	n.Settings = maps.Clone(t.Settings)
	return &n
}

type alteration struct {
	o   *Options
	ctx context.Context
	t   *catalog.Table
}

func (a *alteration) command(c *ast.AlterCommand) error {
	if a.t.Kind == catalog.KindDictionary && c.Kind != ast.AlterModifyComment {
		return sqlerr.At(c.Start, sqlerr.NotImplemented, "Alter of this type is not supported by storage Dictionary")
	}
	if a.t.Kind == catalog.KindRollup || a.t.Kind == catalog.KindView {
		if c.Kind != ast.AlterModifyComment && (a.t.Refresh == nil || c.Kind != ast.AlterModifyQuery && c.Kind != ast.AlterModifyRefresh) {
			return sqlerr.At(c.Start, sqlerr.NotImplemented, "ALTER of a view or materialized view is not implemented")
		}
	}
	switch c.Kind {
	case ast.AlterAddColumn:
		return a.addColumns(c)
	case ast.AlterDropColumn:
		return a.dropColumns(c)
	case ast.AlterModifyColumn:
		return a.modifyColumn(c)
	case ast.AlterRenameColumn:
		return a.renameColumn(c)
	case ast.AlterCommentColumn:
		return a.onColumn(c.Name, c.IfExists, c, func(col *catalog.Column) { col.Comment = c.Comment })
	case ast.AlterAddIndex:
		return a.addIndex(c)
	case ast.AlterDropIndex:
		return a.dropIndex(c)
	case ast.AlterAddConstraint:
		return a.addConstraint(c)
	case ast.AlterDropConstraint:
		return a.dropConstraint(c)
	case ast.AlterModifyTTL:
		return a.o.ttls(a.ctx, a.t, c.TTL)
	case ast.AlterRemoveTTL:
		a.t.TTLs = nil
		return nil
	case ast.AlterModifySetting:
		return a.settings(c)
	case ast.AlterResetSetting:
		for _, n := range c.ResetSettings {
			delete(a.t.Settings, n)
		}
		return nil
	case ast.AlterAddProjection, ast.AlterDropProjection, ast.AlterMaterializeProjection:
		return projection(c.Range)
	case ast.AlterModifyRefresh:
		return a.modifyRefresh(c)
	case ast.AlterModifyQuery:
		return a.modifyQuery(c)
	case ast.AlterModifyComment:
		a.t.Comment = c.Comment
		return nil
	}
	return sqlerr.At(c.Start, sqlerr.NotImplemented, "ALTER TABLE %s is not implemented", c.Kind)
}

func (a *alteration) find(name string) int {
	return slices.IndexFunc(a.t.Columns, func(c catalog.Column) bool { return c.Name == name })
}

// addColumns adds a column, or those that a Nested stands for one behind the other.
func (a *alteration) addColumns(c *ast.AlterCommand) error {
	defs, err := a.o.flattened([]*ast.ColumnDef{c.Column})
	if err != nil {
		return err
	}
	for i, d := range defs {
		one := *c
		one.Column = d
		if i > 0 {
			one.First, one.After = false, defs[i-1].Name
		}
		if err := a.addColumn(&one); err != nil {
			return err
		}
	}
	return nil
}

func (a *alteration) addColumn(c *ast.AlterCommand) error {
	if a.find(c.Column.Name) >= 0 {
		if c.IfNotExists {
			return nil
		}
		return sqlerr.At(c.Start, sqlerr.DuplicateColumn, "Cannot add column `%s`: column with this name already exists", c.Column.Name)
	}
	col, err := a.define(c.Column)
	if err != nil {
		return err
	}
	if IsStored(col.Default) && a.t.Kind == catalog.KindTable {
		col.Stored = storedFor(a.t, col.Name)
	}
	return a.place(c, col, len(a.t.Columns))
}

// define types a column over those that are there.
func (a *alteration) define(d *ast.ColumnDef) (catalog.Column, error) {
	col, err := a.o.columnOf(d)
	if err != nil {
		return col, err
	}
	schema, err := typed(a.t.Columns)
	if err != nil {
		return col, err
	}
	if d.Default != nil {
		x, err := a.o.expr(a.ctx, d.Default, schema)
		if err != nil {
			return col, err
		}
		if col.Type == "" {
			col.Type = x.Type().String()
		}
		if err := a.o.checkDefault(a.ctx, col, d.Default, schema); err != nil {
			return col, err
		}
	}
	if d.TTL != nil {
		return col, a.o.ttlExpr(a.ctx, d.TTL, schema)
	}
	return col, nil
}

// place puts a column where FIRST or AFTER say, or at position at.
func (a *alteration) place(c *ast.AlterCommand, col catalog.Column, at int) error {
	switch {
	case c.First:
		at = 0
	case c.After != "":
		i := a.find(c.After)
		if i < 0 {
			return sqlerr.At(c.Start, sqlerr.NotFoundColumnInBlock, "Wrong column name. Cannot find column `%s` to insert after", c.After)
		}
		at = i + 1
	}
	a.t.Columns = slices.Insert(a.t.Columns, at, col)
	return nil
}

// dropColumns drops a column, or those of a Nested by its name.
func (a *alteration) dropColumns(c *ast.AlterCommand) error {
	if a.find(c.Name) >= 0 {
		return a.dropColumn(c)
	}
	var parts []string
	for _, col := range a.t.Columns {
		if strings.HasPrefix(col.Name, c.Name+".") {
			parts = append(parts, col.Name)
		}
	}
	if parts == nil {
		return a.dropColumn(c)
	}
	for _, p := range parts {
		one := *c
		one.Name = p
		if err := a.dropColumn(&one); err != nil {
			return err
		}
	}
	return nil
}

func (a *alteration) dropColumn(c *ast.AlterCommand) error {
	if c.Clear || c.Partition != nil {
		return sqlerr.At(c.Start, sqlerr.NotImplemented, "ALTER TABLE CLEAR COLUMN is not implemented")
	}
	i := a.find(c.Name)
	if i < 0 {
		if c.IfExists {
			return nil
		}
		return sqlerr.At(c.Start, sqlerr.NotFoundColumnInBlock, "Wrong column name. Cannot find column `%s` to drop", c.Name)
	}
	if a.inKey(c.Name) {
		return sqlerr.At(c.Start, sqlerr.AlterOfColumnIsForbidden, "Trying to ALTER DROP key %s column", c.Name)
	}
	if len(a.t.Columns) == 1 {
		return sqlerr.At(c.Start, sqlerr.BadArguments, "Cannot drop the only column of a table")
	}
	if old := &a.t.Columns[i]; a.t.Kind == catalog.KindTable && IsStored(old.Default) {
		a.t.Dropped = append(slices.Clone(a.t.Dropped), old.StoredName())
	}
	a.t.Columns = slices.Delete(a.t.Columns, i, i+1)
	return nil
}

// inKey reports whether keys, TTL or the engine read a column.
func (a *alteration) inKey(name string) bool {
	return a.ofKey(name) || slices.ContainsFunc(a.t.TTLs, func(t catalog.TTL) bool { return mentions(t.Expr, name) || mentions(t.Where, name) })
}

// ofKey reports whether keys or the engine read a column.
func (a *alteration) ofKey(name string) bool {
	exprs := append(slices.Clone(a.t.SortKey), a.t.PrimaryKey...)
	exprs = append(exprs, a.t.PartitionBy, a.t.SampleBy, a.t.Settings[settings.ShardingKey])
	return slices.Contains(EngineColumns(a.t), name) || slices.ContainsFunc(exprs, func(sql string) bool { return mentions(sql, name) })
}

func mentions(sql, name string) bool {
	if sql == "" {
		return false
	}
	e, err := parse.Expr(sql, parse.Limits{})
	if err != nil {
		return true
	}
	found := false
	ast.Walk(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			found = found || mayRead(id, name)
		}
		return !found
	})
	return found
}

func (a *alteration) modifyColumn(c *ast.AlterCommand) error {
	i := a.find(c.Column.Name)
	if i < 0 {
		if c.IfExists {
			return nil
		}
		return sqlerr.At(c.Start, sqlerr.NotFoundColumnInBlock, "Wrong column. Cannot find column `%s` to modify", c.Column.Name)
	}
	old := a.t.Columns[i]
	if c.Remove != "" {
		return a.removeProperty(c, &a.t.Columns[i])
	}
	next, err := a.modified(old, c.Column)
	if err != nil {
		return err
	}
	next.Stored = old.Stored
	if next.Type != old.Type {
		if err := a.retype(c, old, next); err != nil {
			return err
		}
	}
	a.t.Columns[i] = next
	if c.First || c.After != "" {
		a.t.Columns = slices.Delete(a.t.Columns, i, i+1)
		return a.place(c, next, i)
	}
	return nil
}

// modified merges what the command says into the column.
func (a *alteration) modified(old catalog.Column, d *ast.ColumnDef) (catalog.Column, error) {
	def := *d
	if def.Type == nil {
		def.Type = &ast.DataType{Range: d.Range, Text: old.Type}
	}
	next, err := a.define(&def)
	if err != nil {
		return next, err
	}
	if d.DefaultKind == ast.DefaultNone && d.Default == nil {
		next.Default, next.Expr = old.Default, old.Expr
	}
	if d.Comment == nil {
		next.Comment = old.Comment
	}
	if d.Codecs == nil {
		next.Codec = old.Codec
	}
	if d.TTL == nil {
		next.TTL = old.TTL
	}
	return next, nil
}

// retype checks a change of type. Storage converts stored values that are not values of the new type as they are, as CAST does, when they are
// read and for good when segments are merged; that all of them can be converted is for whoever has the rows to see to (Converted).
func (a *alteration) retype(c *ast.AlterCommand, old, next catalog.Column) error {
	from, err := types.Parse(old.Type)
	if err != nil {
		return err
	}
	to, err := types.Parse(next.Type)
	if err != nil {
		return err
	}
	if a.inKey(old.Name) {
		return sqlerr.At(c.Start, sqlerr.AlterOfColumnIsForbidden, "ALTER of key column %s from type %s to type %s is not safe because it can change the representation of primary key", old.Name, from, to)
	}
	if !IsStored(old.Default) || sameValues(from, to) {
		return nil
	}
	if a.t.Kind != catalog.KindTable || !IsMergeTree(a.t) && a.t.Engine != "Memory" && a.t.Engine != "Null" {
		return sqlerr.At(c.Start, sqlerr.NotImplemented, "Alter of type 'MODIFY_COLUMN' is not supported by storage %s", a.t.Engine)
	}
	if from.IsNullable() && !to.IsNullable() && next.Default != catalog.DefaultExpr {
		return sqlerr.At(c.Start, sqlerr.BadArguments, "Cannot convert column '%s' from nullable type %s to non-nullable type %s. Please specify `DEFAULT` expression in ALTER MODIFY COLUMN statement", old.Name, from, to)
	}
	if r := a.readBy(old.Name); r != "" {
		return sqlerr.At(c.Start, sqlerr.AlterOfColumnIsForbidden, "Trying to ALTER MODIFY column %s, which materialized view %s reads: drop the view first", old.Name, r)
	}
	schema, err := typed(a.t.Columns)
	if err != nil {
		return err
	}
	e, err := parse.Expr(Conversion(old, next), parse.Limits{})
	if err == nil {
		_, err = a.o.expr(a.ctx, e, schema)
	}
	return err
}

// readBy is the name of a materialized view that reads a column, or "".
func (a *alteration) readBy(name string) string {
	for _, r := range a.o.catalog().RollupsOf(a.t.ID) {
		stmt, err := parse.One(r.Select, parse.Limits{})
		found := err != nil
		if err == nil {
			ast.Walk(stmt, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.Ident:
					found = found || mayRead(n, name)
				case *ast.Asterisk, *ast.QualifiedAsterisk, *ast.ColumnsMatcher:
					found = true
				}
				return !found
			})
		}
		if found {
			return r.FullName()
		}
	}
	return ""
}

// Conversion is the SQL that makes values of the column as it was those of the next: NULL becomes the default where there is no NULL.
func Conversion(old, next catalog.Column) string {
	text := ast.QuoteIdent(old.Name)
	from, err1 := types.Parse(old.Type)
	to, err2 := types.Parse(next.Type)
	if err1 == nil && err2 == nil && from.IsNullable() && !to.IsNullable() && next.Default == catalog.DefaultExpr {
		text = "ifNull(" + text + ", " + next.Expr + ")"
	}
	return "CAST(" + text + ", " + types.QuoteString(next.Type) + ")"
}

// Converted are the conversions of stored values that make the table from what it was, of those that may fail.
func Converted(old, next *catalog.Table) []string {
	var out []string
	for _, c := range next.Columns {
		i := slices.IndexFunc(old.Columns, func(was catalog.Column) bool { return was.StoredName() == c.StoredName() })
		if i < 0 {
			continue
		}
		was := &old.Columns[i]
		if was.Type == c.Type || !IsStored(was.Default) || !IsStored(c.Default) {
			continue
		}
		from, err1 := types.Parse(was.Type)
		to, err2 := types.Parse(c.Type)
		if err1 == nil && err2 == nil && !sameValues(from, to) {
			out = append(out, Conversion(*was, c))
		}
	}
	return out
}

// sameValues reports whether every stored value of one type is, byte for byte, one of the other.
func sameValues(from, to *types.Type) bool {
	from, to = from.WithoutLowCardinality(), to.WithoutLowCardinality()
	if from.Equal(to) {
		return true
	}
	if from.IsEnum() && from.Kind == to.Kind {
		for _, v := range from.Enum {
			if n, ok := to.EnumNumber(v.Name); !ok || n != v.Value {
				return false
			}
		}
		return true
	}
	return from.Kind == to.Kind && from.IsDateTime() && from.Scale == to.Scale // zones differ
}

func (a *alteration) removeProperty(c *ast.AlterCommand, col *catalog.Column) error {
	switch c.Remove {
	case "DEFAULT", "MATERIALIZED", "ALIAS":
		if string(col.Default) != c.Remove {
			return sqlerr.At(c.Start, sqlerr.BadArguments, "Column `%s` doesn't have %s, cannot remove it", col.Name, c.Remove)
		}
		if c.Remove == "ALIAS" {
			return sqlerr.At(c.Start, sqlerr.NotImplemented, "REMOVE ALIAS is not implemented")
		}
		col.Default, col.Expr = catalog.DefaultNone, ""
	case "COMMENT":
		col.Comment = ""
	case "CODEC":
		col.Codec = ""
	case "TTL":
		col.TTL = ""
	default:
		return sqlerr.At(c.Start, sqlerr.NotImplemented, "MODIFY COLUMN REMOVE %s is not implemented", c.Remove)
	}
	return nil
}

func (a *alteration) onColumn(name string, ifExists bool, c *ast.AlterCommand, f func(*catalog.Column)) error {
	i := a.find(name)
	if i < 0 {
		if ifExists {
			return nil
		}
		return sqlerr.At(c.Start, sqlerr.NotFoundColumnInBlock, "Wrong column name. Cannot find column `%s` to comment", name)
	}
	f(&a.t.Columns[i])
	return nil
}

func (a *alteration) addIndex(c *ast.AlterCommand) error {
	if slices.ContainsFunc(a.t.Indexes, func(x catalog.Index) bool { return x.Name == c.Index.Name }) {
		if c.IfNotExists {
			return nil
		}
		return sqlerr.At(c.Start, sqlerr.IllegalColumn, "Cannot add index %s: index with this name already exists", c.Index.Name)
	}
	if !IsMergeTree(a.t) {
		return sqlerr.At(c.Start, sqlerr.BadArguments, "Engine %s doesn't support skipping indices", a.t.Engine)
	}
	schema, err := Stored(a.t)
	if err != nil {
		return err
	}
	x, err := a.o.index(a.ctx, c.Index, schema)
	a.t.Indexes = append(a.t.Indexes, x)
	return err
}

func (a *alteration) dropIndex(c *ast.AlterCommand) error {
	i := slices.IndexFunc(a.t.Indexes, func(x catalog.Index) bool { return x.Name == c.Name })
	if i < 0 {
		if c.IfExists {
			return nil
		}
		return sqlerr.At(c.Start, sqlerr.BadArguments, "Wrong index name. Cannot find index `%s` to drop", c.Name)
	}
	a.t.Indexes = slices.Delete(a.t.Indexes, i, i+1)
	return nil
}

func (a *alteration) addConstraint(c *ast.AlterCommand) error {
	if slices.ContainsFunc(a.t.Constraints, func(x catalog.Constraint) bool { return x.Name == c.Constraint.Name }) {
		if c.IfNotExists {
			return nil
		}
		return sqlerr.At(c.Start, sqlerr.IllegalColumn, "Cannot add constraint %s: constraint with this name already exists", c.Constraint.Name)
	}
	schema, err := typed(a.t.Columns)
	if err != nil {
		return err
	}
	x, err := a.o.constraint(a.ctx, c.Constraint, schema)
	a.t.Constraints = append(a.t.Constraints, x)
	return err
}

func (a *alteration) dropConstraint(c *ast.AlterCommand) error {
	i := slices.IndexFunc(a.t.Constraints, func(x catalog.Constraint) bool { return x.Name == c.Name })
	if i < 0 {
		if c.IfExists {
			return nil
		}
		return sqlerr.At(c.Start, sqlerr.BadArguments, "Wrong constraint name. Cannot find constraint `%s` to drop", c.Name)
	}
	a.t.Constraints = slices.Delete(a.t.Constraints, i, i+1)
	return nil
}

func (a *alteration) settings(c *ast.AlterCommand) error {
	if a.t.Settings == nil {
		a.t.Settings = map[string]string{}
	}
	for _, s := range c.Settings {
		if s.Name == "index_granularity" || s.Name == "allow_nullable_key" || s.Name == settings.ShardingKey {
			return sqlerr.At(c.Start, sqlerr.ReadonlySetting, "Setting '%s' is readonly for storage '%s'", s.Name, a.t.Engine)
		}
		v, err := literal(s.Value)
		if err == nil {
			v, err = tableSetting(a.t, s.Name, v)
		}
		if err != nil {
			return positioned(err, s)
		}
		a.t.Settings[s.Name] = v
	}
	return nil
}

// recheck resolves every expression of the table over its columns as they are now.
func (a *alteration) recheck() error {
	schema, err := typed(a.t.Columns)
	if err != nil {
		return err
	}
	var texts []string
	for _, c := range a.t.Columns {
		texts = append(texts, c.Expr, c.TTL)
	}
	for _, c := range a.t.Constraints {
		texts = append(texts, c.Expr)
	}
	for _, x := range a.t.Indexes {
		texts = append(texts, x.Expr)
	}
	for _, sql := range texts {
		if err := a.resolves(sql, schema); err != nil {
			return err
		}
	}
	return nil
}

func (a *alteration) resolves(sql string, schema column.Schema) error {
	if sql == "" {
		return nil
	}
	e, err := parse.Expr(sql, parse.Limits{})
	if err != nil {
		return err
	}
	for _, x := range elements(e) {
		if _, err := analyze.Expr(a.ctx, x, schema, a.o.Analyze); err != nil {
			return sqlerr.Wrap(err, sqlerr.CodeOf(err), "in expression %s of the table", sql)
		}
	}
	return nil
}
