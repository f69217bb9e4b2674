package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/olapd/olapd/test/oracle"
)

var errClosed = errors.New("the engine is closed")

// peerEngine is ClickHouse or DuckDB in a child process; its times are taken inside the
// child and leave out the pipe.
type peerEngine struct {
	engine, dir string
	oracle      *oracle.Oracle
	release     string
	most        int64
}

func (e *peerEngine) name() string    { return e.engine }
func (e *peerEngine) version() string { return e.release }
func (e *peerEngine) path() string    { return e.dir }
func (e *peerEngine) peak() int64     { return e.most }

func (e *peerEngine) open(threads int) error {
	o, err := oracle.Open(oracle.Config{Engine: e.engine, Dir: e.dir, Threads: threads})
	if err != nil {
		return err
	}
	e.oracle, e.release, e.most = o, o.Version, 0
	if e.engine == oracle.ClickHouse {
		// Off, unless a query turns it on: it answers repeated filters. Parquet's types would all be Nullable.
		_, _, err = e.query(context.Background(), "SET use_query_condition_cache = 0, schema_inference_make_columns_nullable = 0")
	}
	return err
}

func (e *peerEngine) close() {
	if e.oracle != nil {
		_ = e.oracle.Close() // its answers were given
		e.oracle = nil
	}
}

func (e *peerEngine) load(ctx context.Context, s *suite, src source) error {
	_, _, err := e.query(ctx, e.loadStatement(s.table, src))
	if err == nil && e.engine == oracle.DuckDB {
		_, _, err = e.query(ctx, "CHECKPOINT")
	}
	return err
}

func (e *peerEngine) loadStatement(table string, src source) string {
	path := strings.ReplaceAll(src.path, "'", "''")
	switch {
	case e.engine == oracle.ClickHouse:
		return "INSERT INTO " + table + " SELECT * FROM file('" + path + "', " + src.format + ")"
	case src.format == formatParquet:
		return "INSERT INTO " + table + " SELECT * FROM read_parquet('" + path + "')"
	}
	return "COPY " + table + " FROM '" + path + "' (DELIMITER '\t', HEADER false, QUOTE '', ESCAPE '', NULLSTR '\\N')"
}

func (e *peerEngine) query(ctx context.Context, sql string) ([]string, time.Duration, error) {
	if e.oracle == nil {
		return nil, 0, errClosed
	}
	r, err := e.oracle.Query(ctx, sql, "TSVWithNamesAndTypes")
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", e.engine, err)
	}
	e.most = max(e.most, r.Peak)
	return splitRows(string(r.Data), 2), r.Elapsed, nil
}

// tableSize of DuckDB, which has one file, is the file's size after a CHECKPOINT.
func (e *peerEngine) tableSize(ctx context.Context, table string) (int64, error) {
	if e.engine == oracle.DuckDB {
		return diskSize(e.dir), nil
	}
	rows, _, err := e.query(ctx, activeBytes(table))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.Join(rows, ""), 10, 64)
}
