package main

import (
	"bufio"
	"embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/olapd/olapd/bench/hits"
	"github.com/olapd/olapd/bench/keys"
	"github.com/olapd/olapd/bench/ssb"
	"github.com/olapd/olapd/test/oracle"
)

//go:embed queries
var queryFiles embed.FS

// suite is a benchmark: one generated table and the queries over it.
type suite struct {
	name, table string
	queries     int
	createCH    string // for olapd and ClickHouse
	createDuck  string
	write       func(w io.Writer, seed uint64, rows int64) error // as TSV
	ties        map[int][]int                                    // see agree
	// sameMeaning reports whether a query means the same to two engines; nil: all do.
	sameMeaning func(q int, a, b string) bool
}

var suites = map[string]*suite{
	"hits": {
		name: "hits", table: "hits", queries: 43, createCH: hits.CreateClickHouse, createDuck: hits.CreateDuckDB,
		write: func(w io.Writer, seed uint64, rows int64) error { return hits.Write(w, hits.New(seed, rows), hits.TSV) },
		ties:  hitsTies, sameMeaning: hitsSameMeaning,
	},
	"ssb": {
		name: "ssb", table: "lineorder_flat", queries: 13, createCH: ssb.CreateClickHouse, createDuck: ssb.CreateDuckDB,
		write: func(w io.Writer, seed uint64, rows int64) error { return ssb.Write(w, ssb.New(seed, rows)) },
	},
	"keys": {
		name: "keys", table: "keys", queries: 12, createCH: keys.CreateClickHouse, createDuck: keys.CreateDuckDB, write: keys.Write,
	},
}

// suiteNamed finds a suite.
func suiteNamed(name string) (*suite, error) {
	if s := suites[name]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("unknown suite %q (want hits, ssb or keys)", name)
}

// create returns the CREATE TABLE statement for an engine.
func (s *suite) create(engine string) string {
	if engine == oracle.DuckDB {
		return s.createDuck
	}
	return s.createCH
}

// query returns query q, from 1, for an engine: its own variant where the dialect needs one.
func (s *suite) query(q int, engine string) (string, error) {
	name := fmt.Sprintf("q%02d.sql", q)
	sql, err := queryFiles.ReadFile("queries/" + s.name + "/" + engine + "/" + name)
	if err != nil {
		sql, err = queryFiles.ReadFile("queries/" + s.name + "/" + name)
	}
	return strings.TrimSpace(string(sql)), err
}

// generate writes the table as TSV into dir, unless the file is there from an earlier run.
func (s *suite) generate(dir string, seed uint64, rows int64) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	file := filepath.Join(dir, fmt.Sprintf("%s-%d-%d.tsv", s.name, seed, rows))
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	progress("generating %s", file)
	f, err := os.Create(file + ".partial")
	if err != nil {
		return "", err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	if err := s.write(w, seed, rows); err != nil {
		return "", err
	}
	if err := w.Flush(); err != nil {
		return "", err
	}
	return file, os.Rename(file+".partial", file)
}
