package virtual

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/parse"
)

func init() {
	fill("databases", databases)
	fill("tables", tables)
	fill("columns", columns)
	fill("data_skipping_indices", skipIndexes)
}

func databases(_ context.Context, s *Source, add func(row)) error {
	for _, d := range s.Catalog.Databases() {
		if IsVirtual(d.Name) || !s.showsDatabase(d.Name) { // system holds stored tables as well; it is said once, below
			continue
		}
		add(row{"name": d.Name, "engine": d.Engine, "uuid": uuid(d.UUID), "engine_full": d.Engine, "comment": d.Comment})
	}
	for _, name := range [...]string{informationSchemas[0], informationSchemas[1], "system"} {
		if s.showsDatabase(name) {
			add(row{"name": name, "engine": "Memory", "engine_full": "Memory"})
		}
	}
	return nil
}

// uuid parses the text of a UUID; a bad one is zero.
func uuid(text string) types.U128 {
	var u types.U128
	n := 0
	for i := range len(text) {
		c := text[i] | 0x20
		var d uint64
		switch {
		case c >= '0' && c <= '9':
			d = uint64(c - '0')
		case c >= 'a' && c <= 'f':
			d = uint64(c-'a') + 10
		default:
			continue
		}
		u.Hi, u.Lo = u.Hi<<4|u.Lo>>60, u.Lo<<4|d
		n++
	}
	if n != 32 {
		return types.U128{}
	}
	return u
}

func tables(ctx context.Context, s *Source, add func(row)) error {
	var sizes map[catalog.TableID]Size
	if s.Sizes != nil {
		var err error
		if sizes, err = s.Sizes(ctx); err != nil {
			return err
		}
	}
	for _, t := range s.Catalog.Tables("") {
		if !s.showsTable(t.Database, t.Name) {
			continue
		}
		r := tableRow(s, t)
		r["is_temporary"] = t.Database == ""
		if z, ok := sizes[t.ID]; ok {
			r["total_rows"], r["total_bytes"], r["total_bytes_uncompressed"] = z.Rows, z.Bytes, z.UncompressedBytes
			r["parts"], r["active_parts"], r["total_marks"] = z.Segments, z.Segments, z.Marks
		}
		add(r)
	}
	loaded.Do(load)
	for _, db := range informationSchemas {
		for _, name := range slices.Sorted(maps.Keys(information)) {
			for _, n := range [...]string{strings.ToUpper(name), name} {
				if s.showsTable(db, n) {
					add(row{"database": db, "name": n, "engine": "View"})
				}
			}
		}
	}
	for _, name := range systemNames() {
		if !s.showsTable("system", name) {
			continue
		}
		add(row{"database": "system", "name": name, "engine": "System" + camel(name), "engine_full": "", "create_table_query": "",
			"comment": "Tells of the running server."})
	}
	return nil
}

func systemNames() []string {
	var names []string
	for n := range system {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// camel is the engine's name of a system table: data_type_families → DataTypeFamilies.
func camel(name string) string {
	var b strings.Builder
	for p := range strings.SplitSeq(name, "_") {
		b.WriteString(strings.ToUpper(p[:1]) + p[1:])
	}
	return b.String()
}

func tableRow(s *Source, t *catalog.Table) row {
	primary := t.PrimaryKey
	if len(primary) == 0 {
		primary = t.SortKey
	}
	r := row{
		"database": t.Database, "name": t.Name, "uuid": uuid(t.UUID), "engine": t.Engine, "metadata_modification_time": time.Unix(0, t.Created),
		"metadata_version": t.Version, "create_table_query": func() any { return parse.Shown(define.CreateLine(t, s.Catalog)) },
		"engine_full": func() any { return define.EngineFull(t) }, "as_select": func() any { return shownSelect(t) },
		"partition_key": parse.ShownExpr(t.PartitionBy), "sorting_key": shownKey(t.SortKey), "primary_key": shownKey(primary), "sampling_key": parse.ShownExpr(t.SampleBy),
		"comment": t.Comment, "has_own_data": t.Kind == catalog.KindTable,
	}
	if define.IsMergeTree(t) {
		r["storage_policy"] = "default"
	}
	var dbs, names []string
	for _, d := range s.Catalog.RollupsOf(t.ID) {
		dbs, names = append(dbs, d.Database), append(names, d.Name)
	}
	if dbs != nil {
		r["dependencies_database"], r["dependencies_table"] = dbs, names
	}
	if target := s.Catalog.ByID(t.Target); t.Kind == catalog.KindRollup && target != nil {
		r["target_database"], r["target_table"] = target.Database, target.Name
	}
	return r
}

// shownKey is a key without the secrets that its expressions may have.
func shownKey(key []string) string {
	shown := make([]string, len(key))
	for i, e := range key {
		shown[i] = parse.ShownExpr(e)
	}
	return define.KeyText(shown)
}

func columns(ctx context.Context, s *Source, add func(row)) error {
	sizes := columnSizes(ctx, s)
	for _, t := range s.Catalog.Tables("") {
		keys := [4]map[string]bool{named(t.PartitionBy), named(t.SortKey...), named(t.PrimaryKey...), named(t.SampleBy)}
		if len(t.PrimaryKey) == 0 {
			keys[2] = keys[1]
		}
		for i, c := range t.Columns {
			if !s.showsColumn(t.Database, t.Name, c.Name) {
				continue
			}
			typ, err := types.Parse(c.Type)
			if err != nil {
				return err
			}
			r := columnRow(t.Database, t.Name, c.Name, typ, i+1)
			r["default_kind"], r["default_expression"], r["comment"], r["compression_codec"] = string(c.Default), parse.ShownExpr(c.Expr), c.Comment, c.Codec
			r["data_compressed_bytes"] = func() any { return sizes()[sizeKey{t.ID, c.Name}].Bytes }
			r["data_uncompressed_bytes"] = func() any { return sizes()[sizeKey{t.ID, c.Name}].UncompressedBytes }
			for k, col := range []string{"is_in_partition_key", "is_in_sorting_key", "is_in_primary_key", "is_in_sampling_key"} {
				r[col] = keys[k][c.Name]
			}
			add(r)
		}
	}
	loaded.Do(load)
	for _, name := range systemNames() {
		if !s.showsTable("system", name) {
			continue
		}
		for i, f := range system[name].columns {
			r := columnRow("system", name, f.Name, f.Type, i+1)
			if a := system[name].alias[i]; a != "" {
				r["default_kind"], r["default_expression"] = "ALIAS", a
			}
			add(r)
		}
	}
	return nil
}

// named is the columns that expressions read.
func named(exprs ...string) map[string]bool {
	out := map[string]bool{}
	for _, sql := range exprs {
		if sql == "" {
			continue
		}
		e, err := parse.Expr(sql, parse.Limits{})
		if err != nil {
			continue
		}
		ast.Walk(e, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				out[id.Last()] = true
			}
			return true
		})
	}
	return out
}

func columnRow(db, table, name string, t *types.Type, position int) row {
	r := row{"database": db, "table": table, "name": name, "type": t.String(), "position": position}
	in := t.Inner()
	switch {
	case in.Kind == types.FixedString:
		r["character_octet_length"] = in.Width()
	case in.Kind == types.Decimal:
		r["numeric_precision"], r["numeric_precision_radix"], r["numeric_scale"] = in.N, 10, in.Scale
	case in.IsFloat():
		r["numeric_precision"], r["numeric_precision_radix"] = 8*in.Width(), 2
	case in.IsInteger() && in.Kind != types.Bool:
		r["numeric_precision"], r["numeric_precision_radix"], r["numeric_scale"] = 8*in.Width(), 2, 0
	case in.Kind == types.DateTime:
		r["datetime_precision"] = 0
	case in.Kind == types.DateTime64:
		r["datetime_precision"] = in.Scale
	}
	return r
}

func skipIndexes(_ context.Context, s *Source, add func(row)) error {
	for _, t := range s.Catalog.Tables("") {
		if !s.showsTable(t.Database, t.Name) {
			continue
		}
		for _, i := range t.Indexes {
			typ, _, _ := strings.Cut(i.Type, "(")
			add(row{"database": t.Database, "table": t.Name, "name": i.Name, "type": typ, "type_full": i.Type, "expr": parse.ShownExpr(i.Expr),
				"creation": "Explicit", "granularity": i.Granularity})
		}
	}
	return nil
}

// shownSelect is the query of a view, without secrets.
func shownSelect(t *catalog.Table) string {
	if define.IsExternal(t) {
		return ""
	}
	return parse.Shown(t.Select)
}
