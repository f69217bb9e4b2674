package main

import (
	"bufio"
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/olapd/olapd/bench/hits"
	"github.com/olapd/olapd/test/oracle"
)

//go:embed queries/hits
var queryFiles embed.FS

const (
	queryCount   = 43
	queryTimeout = 10 * time.Minute // a query that takes longer is a failed one
)

// options are the flags of `bench run`.
type options struct {
	server, dir, results, only string
	rows                       int64
	seed                       uint64
	runs, threads              int
	cache                      bool
}

func parseOptions(args []string) (o options, err error) {
	fs := flag.NewFlagSet("run", flag.ContinueOnError)
	fs.StringVar(&o.server, "server", "bin/olapd", "olapd binary to start, or the URL of one that runs")
	fs.StringVar(&o.dir, "dir", ".cache/bench", "directory for the generated file and the tables")
	fs.StringVar(&o.results, "results", "bench/results/hits.jsonl", "file that gets one line for this run; empty for none")
	fs.StringVar(&o.only, "engines", "olapd,clickhouse,duckdb", "engines to compare")
	fs.Int64Var(&o.rows, "rows", 1_000_000, "rows of hits")
	fs.Uint64Var(&o.seed, "seed", 1, "seed of the generator")
	fs.IntVar(&o.runs, "runs", 5, "runs of each query; the first is the cold one and not in the median")
	fs.IntVar(&o.threads, "threads", 2, "threads each engine may use")
	fs.BoolVar(&o.cache, "condition-cache", false, "leave ClickHouse its query condition cache, which answers repeated filters")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if o.runs < 2 || o.rows < 1 || o.threads < 1 {
		return o, fmt.Errorf("want at least 2 runs, 1 row and 1 thread")
	}
	return o, nil
}

// runCompare is `bench run`.
func runCompare(args []string) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	file, err := generate(o)
	if err != nil {
		return err
	}
	engines := openEngines(o)
	defer func() {
		for _, e := range engines {
			e.close()
		}
	}()
	report := newReport(o)
	engines = loadAll(engines, file, report)
	if len(engines) == 0 {
		return errors.New("no engine to measure")
	}
	for q := 1; q <= queryCount; q++ {
		if err := report.measure(q, engines, o.runs); err != nil {
			return err
		}
	}
	report.finish(engines)
	report.print(os.Stdout)
	return report.append(o.results)
}

// generate writes hits as TSV, unless the file is there from an earlier run.
func generate(o options) (string, error) {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return "", err
	}
	file := filepath.Join(o.dir, fmt.Sprintf("hits-%d-%d.tsv", o.seed, o.rows))
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	f, err := os.Create(file + ".partial")
	if err != nil {
		return "", err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	if err := hits.Write(w, hits.New(o.seed, o.rows), hits.TSV); err != nil {
		return "", err
	}
	if err := w.Flush(); err != nil {
		return "", err
	}
	return file, os.Rename(file+".partial", file)
}

// openEngines starts what it can and says what it cannot.
func openEngines(o options) (engines []engine) {
	for _, name := range strings.Split(o.only, ",") {
		e, err := openEngine(name, o)
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: going on without %s: %v\n", name, err)
			continue
		}
		engines = append(engines, e)
	}
	return engines
}

func openEngine(name string, o options) (engine, error) {
	dir := filepath.Join(o.dir, name)
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if name == "olapd" {
		return openOlapd(o.server, dir, o.threads)
	}
	e, err := openPeer(name, dir, o.threads)
	if err == nil && name == oracle.ClickHouse && !o.cache {
		_, _, err = e.query(context.Background(), "SET use_query_condition_cache = 0")
	}
	return e, err
}

// loadAll fills each engine's table and drops the engines that fail.
func loadAll(engines []engine, file string, r *report) (loaded []engine) {
	for _, e := range engines {
		start := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		err := e.load(ctx, file)
		cancel()
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: going on without %s: %v\n", e.name(), err)
			e.close()
			continue
		}
		r.engine(e).Load = time.Since(start).Seconds()
		loaded = append(loaded, e)
	}
	return loaded
}

// queryText returns query q for an engine: its own variant where the dialect needs one.
func queryText(q int, engine string) (string, error) {
	name := fmt.Sprintf("q%02d.sql", q)
	if sql, err := queryFiles.ReadFile("queries/hits/" + engine + "/" + name); err == nil {
		return string(sql), nil
	}
	sql, err := queryFiles.ReadFile("queries/hits/" + name)
	return string(sql), err
}
