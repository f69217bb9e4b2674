package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/olapd/olapd/bench/random"
	"github.com/olapd/olapd/test/oracle"
)

// clientsRecord is the outcome of `bench clients`.
type clientsRecord struct {
	environment
	Rows    int64       `json:"rows"`
	Scanned string      `json:"scanned_rows"` // by a query
	Query   string      `json:"query"`
	Runs    []clientRun `json:"runs"`
}

// clientRun is one engine under a number of clients.
type clientRun struct {
	Engine    string  `json:"engine"`
	Version   string  `json:"version"`
	Clients   int     `json:"clients"`
	Seconds   float64 `json:"seconds"`
	Queries   int     `json:"queries"`
	PerSecond float64 `json:"queries_per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	Error     string  `json:"error,omitempty"`
}

// The dashboard: some counters, each over a week that starts on some day.
const (
	dashboardQuery = "SELECT toStartOfHour(EventTime) AS hour, count() AS views, uniq(UserID) AS users, avg(ResolutionWidth) AS width, sum(IsRefresh) AS refreshes " +
		"FROM hits WHERE CounterID = %d AND EventDate >= '2013-07-%02d' AND EventDate <= '2013-07-%02d' GROUP BY hour ORDER BY hour"
	dashboardScan = "SELECT count() AS n FROM hits WHERE CounterID = %d AND EventDate >= '2013-07-%02d' AND EventDate <= '2013-07-%02d'"
	dashboards    = 500 // different queries
)

// dashboardCounters are the largest counters of the generated table, down to about 1 % of the rows.
var dashboardCounters = []int{3922, 199550, 105857, 62, 46429, 225510, 122612, 244045, 233773, 178321, 245438, 230962}

// dashboardQueries are the same for every engine.
func dashboardQueries(seed uint64, format string) (list []string) {
	r := random.New(seed)
	for range dashboards {
		counter, day := dashboardCounters[r.Below(uint32(len(dashboardCounters)))], 2+r.Below(24)
		list = append(list, fmt.Sprintf(format, counter, day, day+6))
	}
	return list
}

// runClients is `bench clients`: many clients ask for dashboards at the same time.
func runClients(args []string) error {
	var o machineOptions
	fs := flag.NewFlagSet("clients", flag.ContinueOnError)
	o.register(fs, 10_000_000)
	seconds := fs.Float64("seconds", 10, "how long each number of clients asks")
	most := fs.Int("clients", 100, "the largest number of clients")
	if err := o.parse(fs, args); err != nil {
		return err
	}
	s := suites["hits"]
	file, err := s.generate(o.dir, o.seed, o.rows)
	if err != nil {
		return err
	}
	rec := clientsRecord{environment: newEnvironment(), Rows: o.rows, Query: fmt.Sprintf(dashboardQuery, 62, 2, 8)}
	for _, name := range []string{"olapd", oracle.ClickHouse} {
		if !strings.Contains(o.only, name) {
			continue
		}
		e, err := loadedEngine(name, s, o, source{path: file, format: formatTSV, sent: true})
		if err != nil {
			rec.Runs = append(rec.Runs, clientRun{Engine: name, Error: err.Error()})
			continue
		}
		if rec.Scanned == "" {
			rec.Scanned = scannedRows(e, o)
		}
		for _, n := range clientCounts(*most) {
			run := clientRun{Engine: name, Clients: n}
			run.measure(e, o, *seconds)
			progress("%s, %d clients: %.0f queries/s %s", name, n, run.PerSecond, run.Error)
			rec.Runs = append(rec.Runs, run)
		}
	}
	fmt.Fprintln(os.Stdout, rec.table())
	return appendResult(o.results, "clients", rec)
}

// clientCounts are 1, 8 and the largest number.
func clientCounts(most int) (list []int) {
	for _, n := range []int{1, 8} {
		if n < most {
			list = append(list, n)
		}
	}
	return append(list, most)
}

// scannedRows says how many rows the dashboards cover.
func scannedRows(e engine, o machineOptions) string {
	if err := e.open(o.threads); err != nil {
		return "unknown: " + oneLine(err.Error())
	}
	defer e.close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	const sample = 50
	parts := dashboardQueries(o.seed, dashboardScan)[:sample]
	rows, _, err := e.query(ctx, "SELECT round(avg(n)), max(n) FROM ("+strings.Join(parts, " UNION ALL ")+")")
	if err != nil {
		return "unknown: " + oneLine(err.Error())
	}
	average, most, _ := strings.Cut(strings.Join(rows, ""), "\t")
	return average + " on average, " + most + " at most"
}

func (r *clientRun) measure(e engine, o machineOptions, seconds float64) {
	w := workload{
		Session: []string{fmt.Sprintf("SET max_threads = %d", o.threads)},
		Bodies:  dashboardQueries(o.seed, dashboardQuery), Clients: r.Clients, Seconds: seconds,
	}
	out, err := w.runOn(e, o.threads)
	if err != nil {
		out.Error = err.Error()
	}
	r.Version, r.Seconds, r.Queries, r.P50, r.P99, r.Error = out.Version, out.Seconds, len(out.Latencies), out.percentile(0.5), out.percentile(0.99), out.Error
	if out.Seconds > 0 {
		r.PerSecond = float64(r.Queries) / out.Seconds
	}
}

func (r *clientsRecord) table() string {
	t := table{notes: []string{fmt.Sprintf("%s rows in the table; in the range of a query: %s. The queries are like `%s`.", grouped(r.Rows), r.Scanned, r.Query)},
		header: []string{"engine", "clients", "queries/s", "p50 ms", "p99 ms"}}
	for _, run := range r.Runs {
		if run.Error != "" {
			t.fail(run.Error, titles[run.Engine], fmt.Sprint(run.Clients))
			continue
		}
		t.add(titles[run.Engine], fmt.Sprint(run.Clients), fmt.Sprintf("%.0f", run.PerSecond), msText(run.P50), msText(run.P99))
	}
	return t.String()
}
