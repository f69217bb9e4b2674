package virtual

import (
	"context"
	"strings"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/dictionary"
	"github.com/olapd/olapd/query/define"
	"github.com/olapd/olapd/query/exec"
)

func init() { fill("dictionaries", dictionaries) }

func dictionaries(_ context.Context, s *Source, add func(row)) error {
	var infos map[catalog.TableID]dictionary.Info
	if s.Dictionaries != nil {
		infos = s.Dictionaries()
	}
	for _, t := range s.Catalog.Tables("") {
		if t.Kind == catalog.KindDictionary && s.showsTable(t.Database, t.Name) {
			add(dictionaryRow(t, infos[t.ID]))
		}
	}
	return nil
}

func dictionaryRow(t *catalog.Table, i dictionary.Info) row {
	d := t.Dictionary
	var keys, keyTypes, names, types []string
	for _, k := range d.Key {
		keys, keyTypes = append(keys, k), append(keyTypes, t.Column(k).Type)
	}
	isKey := func(name string) bool {
		for _, k := range append([]string{d.RangeMin, d.RangeMax}, d.Key...) {
			if k == name {
				return true
			}
		}
		return false
	}
	for _, c := range t.Columns {
		if !isKey(c.Name) {
			names, types = append(names, c.Name), append(types, c.Type)
		}
	}
	r := row{"database": t.Database, "name": t.Name, "uuid": uuid(t.UUID), "origin": t.UUID, "status": status(i), "type": define.LayoutName(d),
		"key.names": keys, "key.types": keyTypes, "attribute.names": names, "attribute.types": types, "bytes_allocated": i.Bytes, "query_count": i.Asked,
		"element_count": i.Rows, "source": sourceName(t), "lifetime_min": d.MinLifetime, "lifetime_max": d.MaxLifetime, "error_count": i.Failures,
		"loading_duration": i.Took.Seconds(), "comment": t.Comment}
	if i.Loaded {
		r["hit_rate"], r["load_factor"] = 1.0, 0.5
	}
	if i.Asked > 0 {
		r["found_rate"] = float64(i.Found) / float64(i.Asked)
	}
	if i.Error != nil {
		r["last_exception"] = i.Error.Error()
	}
	if !i.Started.IsZero() {
		r["loading_start_time"] = i.Started
	}
	if !i.Updated.IsZero() {
		r["last_successful_update_time"] = i.Updated
	}
	return r
}

func status(i dictionary.Info) string {
	switch {
	case i.Loaded && i.Loading:
		return "LOADED_AND_RELOADING"
	case i.Loading && i.Failed:
		return "FAILED_AND_RELOADING"
	case i.Loading:
		return "LOADING"
	case i.Loaded:
		return "LOADED"
	case i.Failed:
		return "FAILED"
	}
	return "NOT_LOADED"
}

// sourceName is what a dictionary's source is called.
func sourceName(t *catalog.Table) string {
	src := &t.Dictionary.Source
	switch src.Name {
	case "clickhouse":
		db, _ := src.Param("db")
		if db == "" {
			db = t.Database
		}
		table, _ := src.Param("table")
		return "ClickHouse: " + db + "." + table
	case "file":
		path, _ := src.Param("path")
		format, _ := src.Param("format")
		return "File: " + path + " " + format
	}
	return strings.ToUpper(src.Name[:1]) + src.Name[1:]
}

// Lazy is a table whose rows are made when it is read; rows returns all of them, in the columns of schema.
func Lazy(name string, schema column.Schema, rows func(ctx context.Context) (*column.Block, error)) *Table {
	return &Table{name: name, schema: schema, open: func(ctx context.Context, cols []int) (exec.Scanner, error) {
		b, err := rows(ctx)
		if err != nil {
			return nil, err
		}
		out := &column.Block{N: b.N}
		for _, c := range cols {
			out.Cols = append(out.Cols, b.Cols[c])
		}
		return &blockScanner{block: out}, nil
	}}
}
