package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/olapd/olapd/test/oracle"
)

// memoryRecord is the outcome of `bench memory`: one GROUP BY of almost as many groups as rows,
// under smaller and smaller limits.
type memoryRecord struct {
	environment
	Rows  int64       `json:"rows"`
	Query string      `json:"query"`
	Runs  []memoryRun `json:"runs"`
}

// memoryRun is a query in a fresh process.
type memoryRun struct {
	Engine  string  `json:"engine"`
	Limit   int64   `json:"limit_bytes"` // 0: none
	Elapsed float64 `json:"ms"`
	Idle    int64   `json:"idle_bytes"` // largest resident size before the query
	Peak    int64   `json:"peak_bytes"` // and after it
	Groups  int     `json:"result_rows"`
	Error   string  `json:"error,omitempty"`
}

// memoryQueryNumber is the query of hits with the most groups.
const memoryQueryNumber = 33

// memoryLimits are in bytes; 0 is none.
var memoryLimits = []int64{0, 2 << 30, 1 << 30, 512 << 20, 256 << 20, 128 << 20}

// memoryCache is what olapd may keep of decoded pages, which are not the query's.
const memoryCache = "8MiB"

func runMemory(args []string) error {
	var o machineOptions
	fs := flag.NewFlagSet("memory", flag.ContinueOnError)
	o.register(fs, 10_000_000)
	if err := o.parse(fs, args); err != nil {
		return err
	}
	s := suites["hits"]
	file, err := s.generate(o.dir, o.seed, o.rows)
	if err != nil {
		return err
	}
	sql, err := s.query(memoryQueryNumber, "olapd")
	if err != nil {
		return err
	}
	rec := memoryRecord{environment: newEnvironment(), Rows: o.rows, Query: sql}
	for _, name := range []string{"olapd", oracle.ClickHouse} {
		if !strings.Contains(o.only, name) {
			continue
		}
		e, err := loadedEngine(name, s, o, source{path: file, format: formatTSV, sent: true})
		if err != nil {
			rec.Runs = append(rec.Runs, memoryRun{Engine: name, Error: err.Error()})
			continue
		}
		if ours, ok := e.(*olapdEngine); ok {
			ours.arguments = []string{"--cache", memoryCache}
		}
		for _, limit := range memoryLimits {
			rec.Runs = append(rec.Runs, limitedRun(e, o.threads, sql, limit))
		}
	}
	fmt.Fprintln(os.Stdout, rec.table())
	return appendResult(o.results, "memory", rec)
}

// limitedRun starts the engine anew and runs the query under the limit.
func limitedRun(e engine, threads int, sql string, limit int64) (r memoryRun) {
	r = memoryRun{Engine: e.name(), Limit: limit}
	if err := e.open(threads); err != nil {
		r.Error = err.Error()
		return r
	}
	defer e.close()
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	_, _, err := e.query(ctx, "SELECT 1")
	r.Idle = e.peak()
	if err == nil {
		rows, elapsed, failure := e.query(ctx, fmt.Sprintf("%s\nSETTINGS max_memory_usage = %d", sql, limit))
		r.Elapsed, r.Groups, err = milliseconds(elapsed), len(rows), failure
	}
	if err != nil {
		r.Error = err.Error()
		_, _, _ = e.query(ctx, "SELECT 1") // ClickHouse's peak comes with an answer
	}
	r.Peak = e.peak()
	progress("%s, limit %d MiB: %.0f ms, peak %d MiB %s", r.Engine, limit>>20, r.Elapsed, r.Peak>>20, oneLine(r.Error))
	return r
}

func (r *memoryRecord) table() string {
	t := table{notes: []string{fmt.Sprintf("%s rows; `%s`.", grouped(r.Rows), strings.ReplaceAll(r.Query, "\n", " "))}, header: []string{"limit, MiB", "engine", "outcome", "ms", "peak − idle, MiB", "peak of the process, MiB"}}
	for _, run := range r.Runs {
		limit := "none"
		if run.Limit > 0 {
			limit = mebibytes(run.Limit)
		}
		outcome := "answered"
		switch {
		case strings.Contains(run.Error, "MEMORY_LIMIT_EXCEEDED"):
			outcome = "code 241"
		case run.Error != "":
			outcome = "failed"
			t.notes = append(t.notes, titles[run.Engine]+", limit "+limit+": "+oneLine(run.Error)+".")
		}
		t.add(limit, titles[run.Engine], outcome, msText(run.Elapsed), mebibytes(run.Peak-run.Idle), mebibytes(run.Peak))
	}
	return t.String()
}
