package query

import (
	"context"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
)

func (x *statement) optimizeTable(s *ast.Optimize) error {
	if s.Cleanup {
		return sqlerr.At(s.Start, sqlerr.NotImplemented, "OPTIMIZE … CLEANUP is not implemented")
	}
	t, err := x.insertTable(s.Table)
	if err != nil {
		return err
	}
	if isTemporary(t) && t.Engine != "Memory" {
		return nil // rows in memory are as they should be
	}
	if t.Engine == "Memory" || t.Engine == "Null" {
		return sqlerr.At(s.Start, sqlerr.NotImplemented, "OPTIMIZE is not supported by storage %s", t.Engine)
	}
	id, err := x.partitionID(t, s.Partition)
	if err != nil {
		return err
	}
	if s.Deduplicate {
		by, err := x.deduplicateBy(t, s)
		if err != nil {
			return err
		}
		return x.e.deps.Store.Deduplicate(x.ctx, t, id, by)
	}
	return x.e.deps.Store.Optimize(x.ctx, t, id, s.Final)
}

// deduplicateBy are the columns in which rows must be equal to be one: all that are stored, or those that DEDUPLICATE BY lists, which may be *,
// COLUMNS and EXCEPT, and must hold all that a row's place depends on.
func (x *statement) deduplicateBy(t *catalog.Table, s *ast.Optimize) ([]string, error) {
	var stored, by []string
	for _, c := range t.Columns {
		if c.Default != catalog.Alias && c.Default != catalog.Ephemeral {
			stored = append(stored, c.Name)
		}
	}
	if s.DeduplicateBy == nil {
		return stored, nil
	}
	list := make([]string, len(s.DeduplicateBy))
	for i, e := range s.DeduplicateBy {
		if id, ok := e.(*ast.Ident); ok && !slices.Contains(stored, id.Parts[len(id.Parts)-1].Text) {
			return nil, sqlerr.At(s.Start, sqlerr.NoSuchColumnInTable, "There is no column with name `%s` in table %s.%s. There are columns: %s",
				ast.Format(id), t.Database, t.Name, strings.Join(stored, ", "))
		}
		list[i] = ast.Format(e)
	}
	n, err := x.internalPlan("SELECT " + strings.Join(list, ", ") + " FROM " + ast.QuoteIdent(t.Database) + "." + ast.QuoteIdent(t.Name))
	if err != nil {
		return nil, err
	}
	for _, f := range n.Schema() {
		if !slices.Contains(stored, f.Name) {
			return nil, sqlerr.At(s.Start, sqlerr.NoSuchColumnInTable, "There is no column %s in table %s.%s to deduplicate by", f.Name, t.Database, t.Name)
		}
		by = append(by, f.Name)
	}
	keys, err := x.keyColumns(t)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if !slices.Contains(by, k) && slices.Contains(stored, k) {
			return nil, sqlerr.At(s.Start, sqlerr.ThereIsNoColumn, "DEDUPLICATE BY must have column %s, which the table's ORDER BY, PARTITION BY or sharding key reads", k)
		}
	}
	return by, nil
}

func (x *statement) check(r *Result, s *ast.Check) error {
	if s.Partition != nil || s.Part != "" {
		return sqlerr.At(s.Start, sqlerr.NotImplemented, "CHECK TABLE of one partition or part is not implemented")
	}
	t, err := x.insertTable(s.Table)
	if err != nil {
		return err
	}
	results, err := x.e.deps.Store.Check(x.ctx, t)
	if err != nil {
		return err
	}
	if per, _ := x.set.Get("check_query_single_value_result"); per != "0" {
		ok := uint8(1)
		for _, c := range results {
			if !c.OK {
				ok = 0
			}
		}
		r.rows(column.Schema{{Name: "result", Type: types.TUInt8}}, column.NewBlock(column.NewBools([]uint8{ok})), s.Output)
		return nil
	}
	parts, messages, passed := column.NewStrings(), column.NewStrings(), column.NewBools(nil)
	for _, c := range results {
		parts.AppendString(c.Segment)
		messages.AppendString(c.Message)
		passed.Data = append(passed.Data, map[bool]uint8{true: 1}[c.OK])
	}
	r.rows(column.Schema{{Name: "part_path", Type: types.TString}, {Name: "is_passed", Type: types.TUInt8}, {Name: "message", Type: types.TString}},
		column.NewBlock(parts, passed, messages), s.Output)
	return nil
}

// noOps are SYSTEM commands that speak of what olapd does not have or does by itself.
var noOps = []string{
	"FLUSH LOGS", "FLUSH ASYNC INSERT QUEUE", "RELOAD CONFIG", "RELOAD USERS", "SYNC REPLICA", "SYNC DATABASE REPLICA",
	"DROP MARK CACHE", "DROP UNCOMPRESSED CACHE", "DROP DNS CACHE", "DROP QUERY CACHE", "DROP COMPILED EXPRESSION CACHE", "DROP FORMAT SCHEMA CACHE",
	"DROP FILESYSTEM CACHE", "DROP QUERY CONDITION CACHE", "DROP MMAP CACHE", "DROP INDEX MARK CACHE", "DROP INDEX UNCOMPRESSED CACHE", "DROP PAGE CACHE",
	"DROP SCHEMA CACHE", "RESTART REPLICA", "RESTART REPLICAS", "RESTORE REPLICA", "START FETCHES", "STOP FETCHES", "START REPLICATION QUEUES",
	"STOP REPLICATION QUEUES", "START REPLICATED SENDS", "STOP REPLICATED SENDS", "START DISTRIBUTED SENDS", "STOP DISTRIBUTED SENDS", "FLUSH DISTRIBUTED",
	"RELOAD FUNCTIONS", "SYNC FILE CACHE", "JEMALLOC PURGE", "START MOVES", "STOP MOVES", "UNFREEZE", "WAIT LOADING PARTS", "CLEAR MARK CACHE", "CLEAR QUERY CACHE",
}

func (x *statement) system(r *Result, s *ast.System) error {
	if strings.HasPrefix(s.Command, clusterPrefix) {
		return x.operate(r, s)
	}
	switch s.Command {
	case "RELOAD DICTIONARY":
		return x.reloadDictionary(s.Table)
	case "RELOAD DICTIONARIES":
		return x.reloadDictionaries()
	}
	if f, ok := refreshCommands[s.Command]; ok {
		return x.systemView(s, f)
	}
	var t *catalog.Table
	if !s.Table.Table.IsZero() {
		var err error
		if t, err = x.insertTable(s.Table); err != nil {
			return err
		}
	}
	store := x.e.deps.Store
	switch s.Command {
	case "STOP MERGES":
		return store.SetMerges(t, false)
	case "START MERGES":
		return store.SetMerges(t, true)
	case "FLUSH TABLE":
		return store.Flush(x.ctx, t)
	case "SCRUB":
		return x.scrub(r, t)
	}
	if slices.Contains(noOps, s.Command) || strings.HasPrefix(s.Command, "FLUSH LOGS ") || strings.HasPrefix(s.Command, "DROP ") && strings.HasSuffix(s.Command, " CACHE") {
		return nil
	}
	return sqlerr.At(s.Start, sqlerr.NotImplemented, "SYSTEM %s is not implemented", s.Command)
}

// scrub verifies the segments of this node, and shows what it found, a row for each table and shard.
func (x *statement) scrub(r *Result, t *catalog.Table) error {
	results, err := x.e.deps.Store.Scrub(x.ctx, t)
	if err != nil {
		return err
	}
	databases, tables, errs := column.NewStrings(), column.NewStrings(), column.NewStrings()
	var shards, segments, damaged, repaired, missing []uint64
	for _, s := range results {
		databases.AppendString(s.Table.Database)
		tables.AppendString(s.Table.Name)
		errs.AppendString(strings.Join(s.Errors, "; "))
		shards, segments, damaged = append(shards, s.Shard), append(segments, s.Segments), append(damaged, s.Damaged)
		repaired, missing = append(repaired, s.Repaired), append(missing, s.Missing)
	}
	count := func(of []uint64) column.Vector { return column.NewNum(types.TUInt64, of) }
	r.rows(column.Schema{{Name: "shard", Type: types.TUInt64}, {Name: "database", Type: types.TString}, {Name: "table", Type: types.TString},
		{Name: "segments", Type: types.TUInt64}, {Name: "damaged", Type: types.TUInt64}, {Name: "repaired", Type: types.TUInt64},
		{Name: "missing", Type: types.TUInt64}, {Name: "errors", Type: types.TString}},
		column.NewBlock(count(shards), databases, tables, count(segments), count(damaged), count(repaired), count(missing), errs), ast.Output{})
	return nil
}

// kill cancels the queries of system.processes for which the condition holds.
func (x *statement) kill(r *Result, s *ast.Kill) error {
	if s.Kind != ast.KillQuery {
		return sqlerr.At(s.Start, sqlerr.NotImplemented, "KILL MUTATION is not implemented: there are no mutations")
	}
	found, err := x.internal("SELECT query_id, user, query FROM system.processes WHERE " + ast.Format(s.Where) + " AND query_id != " + types.QuoteString(x.q.id))
	if err != nil {
		return err
	}
	status := column.NewStrings()
	for i := range found.N {
		id := column.Value(found.Cols[0], i).(string)
		state := "waiting"
		q := x.e.procs.find(id)
		if q != nil && q.user != x.q.user {
			if err := x.access.Check(access.On("KILL QUERY", "", ""), false); err != nil {
				return err
			}
		}
		if !s.Test && q != nil {
			q.stop(killed())
			if s.Sync {
				if err := x.awaitEnd(q); err != nil {
					return err
				}
				state = "finished"
			}
		}
		status.AppendString(state)
	}
	r.rows(column.Schema{{Name: "kill_status", Type: types.TString}, {Name: "query_id", Type: types.TString}, {Name: "user", Type: types.TString},
		{Name: "query", Type: types.TString}}, &column.Block{Cols: append([]column.Vector{status}, found.Cols...), N: found.N}, s.Output)
	return nil
}

func (x *statement) awaitEnd(q *running) error {
	select {
	case <-q.done:
		return nil
	case <-x.ctx.Done():
		return context.Cause(x.ctx)
	}
}
