package virtual

import (
	"context"
	"sync"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/query/parse"
)

func init() {
	fill("parts_columns", partsColumns)
	fill("completions", completions)
}

type sizeKey struct {
	table  catalog.TableID
	column string
}

// columnSizes are what columns take in all segments that lie here, gathered when first asked for; none where they cannot be read.
func columnSizes(ctx context.Context, s *Source) func() map[sizeKey]PartColumn {
	return sync.OnceValue(func() map[sizeKey]PartColumn {
		out := map[sizeKey]PartColumn{}
		parts, err := gathered(ctx, s.PartColumns)
		if err != nil {
			return out
		}
		for _, p := range parts {
			for _, c := range p.Columns {
				k := sizeKey{p.Table, c.Name}
				sum := out[k]
				sum.Bytes += c.Bytes
				sum.UncompressedBytes += c.UncompressedBytes
				out[k] = sum
			}
		}
		return out
	})
}

func partsColumns(ctx context.Context, s *Source, add func(row)) error {
	all, err := gathered(ctx, s.PartColumns)
	for _, p := range all {
		t := s.Catalog.ByID(p.Table)
		if t == nil {
			continue
		}
		for i, c := range p.Columns {
			if !s.showsColumn(t.Database, t.Name, c.Name) {
				continue
			}
			r := row{
				"partition": p.Partition, "name": p.Name, "uuid": uuid(p.UUID), "part_type": "Wide", "active": 1, "marks": p.Marks, "rows": p.Rows,
				"bytes_on_disk": p.BytesOnDisk, "data_compressed_bytes": p.CompressedBytes, "data_uncompressed_bytes": p.UncompressedBytes,
				"modification_time": p.Modified, "refcount": p.Refs, "partition_id": p.PartitionID, "min_block_number": p.MinBlock,
				"max_block_number": p.MaxBlock, "level": p.Level, "database": t.Database, "table": t.Name, "engine": t.Engine, "disk_name": p.Disk,
				"path": p.Path, "column": c.Name, "type": c.Type, "column_position": i + 1, "column_bytes_on_disk": c.Bytes,
				"column_data_compressed_bytes": c.Bytes, "column_data_uncompressed_bytes": c.UncompressedBytes, "serialization_kind": "Default",
				"column_modification_time": p.Modified,
			}
			if d := t.Column(c.Name); d != nil {
				r["default_kind"], r["default_expression"] = string(d.Default), parse.ShownExpr(d.Expr)
			}
			add(r)
		}
	}
	return err
}

// completions are the words an editor may propose, each with its kind and what it belongs to.
func completions(ctx context.Context, s *Source, add func(row)) error {
	for _, list := range []struct{ table, column, kind, belongs string }{
		{"databases", "name", "database", ""}, {"tables", "name", "table", "database"}, {"columns", "name", "column", "table"},
		{"functions", "name", "function", ""}, {"table_engines", "name", "table engine", ""}, {"formats", "name", "format", ""},
		{"table_functions", "name", "table function", ""}, {"data_type_families", "name", "data type", ""}, {"settings", "name", "setting", ""},
		{"merge_tree_settings", "name", "merge tree setting", ""}, {"keywords", "keyword", "keyword", ""},
	} {
		f := fillers[list.table]
		if f == nil {
			continue
		}
		err := f(ctx, s, func(r row) {
			out := row{"word": r[list.column], "context": list.kind}
			if aggregate, _ := r["is_aggregate"].(bool); aggregate {
				out["context"] = "aggregate function"
			}
			if list.belongs != "" {
				out["belongs"] = r[list.belongs]
			}
			add(out)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
