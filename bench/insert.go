package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/olapd/olapd/bench/hits"
	"github.com/olapd/olapd/test/oracle"
)

// insertRecord is the outcome of `bench insert`.
type insertRecord struct {
	environment
	Runs []insertRun `json:"runs"`
}

// insertRun is one engine taking one kind of INSERT.
type insertRun struct {
	Table     string  `json:"table"`
	Engine    string  `json:"engine"`
	Version   string  `json:"version"`
	Sync      string  `json:"sync"` // what is on disk when an INSERT returns
	Batch     int     `json:"batch_rows"`
	Clients   int     `json:"clients"`
	Rows      int     `json:"rows"`
	Bytes     int64   `json:"bytes"`
	PerSecond float64 `json:"rows_per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	Error     string  `json:"error,omitempty"`
}

// insertTarget is an engine in one of its ways of keeping a row.
type insertTarget struct {
	engine, sync string
	fsync        bool // of ClickHouse: fsync_after_insert
}

var insertTargets = []insertTarget{
	{"olapd", "the rows: one fsync for all that wait", false},
	{oracle.ClickHouse, "nothing: its default", false},
	{oracle.ClickHouse, "fsync_after_insert", true},
}

// insertTable is a table whose rows are inserted as JSONEachRow.
type insertTable struct {
	name   string
	create string // with fsync_after_insert = 1
	rows   func(seed uint64, n int) []string
	factor int // times --rows are inserted: narrow rows need more of them to last as long
}

var insertTables = []insertTable{
	{"hits", hits.CreateClickHouse, hitsRows, 1},
	{"events", createEvents, eventRows, 5},
}

// runInsert is `bench insert`: JSONEachRow in batches, from one client and from several.
func runInsert(args []string) error {
	var o machineOptions
	fs := flag.NewFlagSet("insert", flag.ContinueOnError)
	o.register(fs, 50_000)
	if err := o.parse(fs, args); err != nil {
		return err
	}
	rec := insertRecord{environment: newEnvironment()}
	for _, t := range insertTables {
		lines := t.rows(o.seed, int(o.rows)*t.factor)
		for _, batch := range []int{1_000, 10_000} {
			bodies := batches(lines, batch)
			for _, clients := range []int{1, 8} {
				for _, target := range insertTargets {
					if !strings.Contains(o.only, target.engine) {
						continue
					}
					run := insertRun{Table: t.name, Engine: target.engine, Sync: target.sync, Batch: batch, Clients: clients, Rows: len(lines)}
					if err := run.measure(o, t, target, bodies); err != nil {
						run.Error = err.Error()
					}
					rec.Runs = append(rec.Runs, run)
					progress("%s, %s (%s), %d × %d: %.0f rows/s %s", t.name, run.Engine, run.Sync, clients, batch, run.PerSecond, run.Error)
				}
			}
		}
	}
	fmt.Fprintln(os.Stdout, rec.tables())
	return appendResult(o.results, "insert", rec)
}

// measure runs the INSERTs into a new table of a new engine.
func (r *insertRun) measure(o machineOptions, t insertTable, target insertTarget, bodies []string) error {
	for _, b := range bodies {
		r.Bytes += int64(len(b))
	}
	create := t.create
	if target.engine == oracle.ClickHouse && !target.fsync {
		create = strings.Replace(create, "fsync_after_insert = 1", "fsync_after_insert = 0", 1)
	}
	w := workload{
		Setup:  []string{"DROP TABLE IF EXISTS " + t.name, create},
		Prefix: "INSERT INTO " + t.name + " FORMAT JSONEachRow\n", Bodies: bodies, Clients: r.Clients, Check: "SELECT count() FROM " + t.name,
	}
	e, err := newEngine(target.engine, o)
	if err != nil {
		return err
	}
	out, err := w.runOn(e, o.threads)
	if err != nil {
		return err
	}
	r.Version, r.PerSecond, r.P50, r.P99, r.Error = out.Version, float64(r.Rows)/out.Seconds, out.percentile(0.5), out.percentile(0.99), out.Error
	if out.Check != fmt.Sprint(r.Rows) {
		return fmt.Errorf("the table has %s rows; %d were inserted", out.Check, r.Rows)
	}
	return nil
}

// runOn runs a workload on what the engine's directory holds. The engine is closed before and after.
func (w *workload) runOn(e engine, threads int) (outcome, error) {
	ours, ok := e.(*olapdEngine)
	if !ok {
		return w.runClickHouse(e.path())
	}
	if err := ours.open(threads); err != nil {
		return outcome{}, err
	}
	defer ours.close()
	return w.runOlapd(ours)
}

// hitsRows returns rows of hits as lines of JSONEachRow.
func hitsRows(seed uint64, n int) []string {
	g := hits.New(seed, int64(n))
	lines := make([]string, 0, n)
	var buf []byte
	for row := g.Next(); row != nil; row = g.Next() {
		buf = hits.AppendRow(buf[:0], row, hits.JSONEachRow)
		lines = append(lines, string(buf))
	}
	return lines
}

// batches joins the lines, size a batch.
func batches(lines []string, size int) (bodies []string) {
	for at := 0; at < len(lines); at += size {
		var b bytes.Buffer
		for _, l := range lines[at:min(at+size, len(lines))] {
			b.WriteString(l)
		}
		bodies = append(bodies, b.String())
	}
	return bodies
}

// tables has a table per inserted table, a row per batch size and number of clients.
func (r *insertRecord) tables() string {
	var b strings.Builder
	for _, t := range insertTables {
		out := table{header: []string{t.name + ": INSERT", "clients", "engine", "on disk when it returns", "rows/s", "MB/s", "p50 ms", "p99 ms"}}
		for _, run := range r.Runs {
			if run.Table != t.name {
				continue
			}
			row := []string{grouped(int64(run.Batch)) + " rows", fmt.Sprint(run.Clients), titles[run.Engine], run.Sync}
			if run.Error != "" {
				out.fail(run.Error, row...)
				continue
			}
			mb := float64(run.Bytes) / float64(run.Rows) * run.PerSecond / 1e6
			out.add(append(row, grouped(int64(run.PerSecond)), fmt.Sprintf("%.1f", mb), msText(run.P50), msText(run.P99))...)
		}
		b.WriteString(out.String() + "\n")
	}
	return b.String()
}
