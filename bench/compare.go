package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/olapd/olapd/test/oracle"
)

// record is the outcome of `bench run`; its JSON form is one line of bench/results.
type record struct {
	environment
	suite     *suite
	Suite     string                   `json:"suite"`
	Rows      int64                    `json:"rows"`
	Seed      uint64                   `json:"seed"`
	Threads   int                      `json:"threads"`
	Runs      int                      `json:"runs"`
	Engines   map[string]*engineRecord `json:"engines"`
	Failed    []string                 `json:"failed,omitempty"` // engines that could not be loaded, and why
	Disagree  []string                 `json:"disagree,omitempty"`
	Empty     []string                 `json:"empty,omitempty"`            // queries without a row: too small a table
	WarmCache string                   `json:"page_cache_stays,omitempty"` // why cold runs are not
	Summary   map[string]passSummary   `json:"summary"`
}

// engineRecord is one engine's part. Times are in milliseconds, query 1 first; a failed
// query has -1.
type engineRecord struct {
	Version   string            `json:"version"`
	Load      float64           `json:"load_s"`
	LoadPeak  int64             `json:"peak_load_bytes"`
	Peak      int64             `json:"peak_bytes"`           // of the process that did the warm runs
	Disk      int64             `json:"disk_bytes"`           // the table, merges settled
	Directory int64             `json:"disk_directory_bytes"` // all files, logs and what waits for its removal too
	Cold      []float64         `json:"cold_ms,omitempty"`
	Warm      series            `json:"warm"`
	Cached    series            `json:"condition_cache,omitzero"` // with the query condition cache, where the engine has one
	OneThread series            `json:"one_thread,omitzero"`
	Errors    map[string]string `json:"errors,omitempty"`
}

// series is what a pass measured.
type series struct {
	Median []float64 `json:"median_ms"`
	Min    []float64 `json:"min_ms"`
}

const failed = -1

func newRecord(s *suite, o runOptions) *record {
	return &record{
		environment: newEnvironment(), suite: s, Suite: s.name, Rows: o.rows, Seed: o.seed, Threads: o.threads, Runs: o.runs,
		Engines: map[string]*engineRecord{},
	}
}

// add appends a query's times; the first of them, unless it is the only one, warmed up.
func (s *series) add(a answer) {
	if a.err != nil {
		s.Median, s.Min = append(s.Median, failed), append(s.Min, failed)
		return
	}
	warm := slices.Sorted(slices.Values(a.times[min(1, len(a.times)-1):]))
	s.Median = append(s.Median, (warm[(len(warm)-1)/2]+warm[len(warm)/2])/2)
	s.Min = append(s.Min, warm[0])
}

// names are the engines that took part, in the order of the tables.
func (r *record) names() (names []string) {
	for _, n := range engineNames {
		if p := r.Engines[n]; p != nil && len(p.Warm.Median) == r.suite.queries {
			names = append(names, n)
		}
	}
	return names
}

// titles are the engines' names for readers.
var titles = map[string]string{"olapd": "olapd", oracle.ClickHouse: "ClickHouse", oracle.DuckDB: "DuckDB"}

// title is an engine with its version. olapd's is the commit: version() is that of the ClickHouse it follows.
func (r *record) title(name string) string {
	if name == "olapd" {
		return titles[name]
	}
	return titles[name] + " " + r.Engines[name].Version
}

// print writes the tables.
func (r *record) print(w io.Writer) {
	fmt.Fprintf(w, "%s\n%s\n%s\n", r.summaryTable(), r.resourceTable(), r.queryTable())
	for _, line := range r.remarks() {
		fmt.Fprintln(w, line)
	}
}

// queryTable has a row per query: warm medians and their ratio, cold runs and one thread.
func (r *record) queryTable() string {
	names := r.names()
	t := table{header: []string{"query"}}
	for _, n := range names {
		t.header = append(t.header, titles[n])
		if n != oracle.DuckDB {
			t.header = append(t.header, "with cache")
		}
	}
	t.header = append(t.header, "ratio", "ratio, cache")
	for _, pass := range []string{passCold, passOneThread} {
		for _, n := range names {
			if r.times(pass, n) != nil {
				t.header = append(t.header, pass+" "+titles[n])
			}
		}
	}
	for q := range r.suite.queries {
		row := []string{fmt.Sprint(q + 1)}
		for _, n := range names {
			row = append(row, timeText(r.times(passWarm, n), q))
			if n != oracle.DuckDB {
				row = append(row, timeText(r.times(passCached, n), q))
			}
		}
		row = append(row, ratioText(r.ratio(passWarm, q)), ratioText(r.ratio(passCached, q)))
		for _, pass := range []string{passCold, passOneThread} {
			for _, n := range names {
				if ms := r.times(pass, n); ms != nil {
					row = append(row, timeText(ms, q))
				}
			}
		}
		t.add(row...)
	}
	return t.String()
}

// resourceTable has load, memory and disk.
func (r *record) resourceTable() string {
	names := r.names()
	t := table{header: []string{""}}
	for _, n := range names {
		t.header = append(t.header, r.title(n))
	}
	line := func(label string, value func(p *engineRecord) string) {
		row := []string{label}
		for _, n := range names {
			row = append(row, value(r.Engines[n]))
		}
		t.add(row...)
	}
	line("load from TSV, s", func(p *engineRecord) string { return fmt.Sprintf("%.1f", p.Load) })
	line("load, rows/s", func(p *engineRecord) string { return grouped(int64(float64(r.Rows) / p.Load)) })
	line("table on disk, MiB", func(p *engineRecord) string { return mebibytes(p.Disk) })
	line("directory on disk, MiB", func(p *engineRecord) string { return mebibytes(p.Directory) })
	line("peak memory of the load, MiB", func(p *engineRecord) string { return mebibytes(p.LoadPeak) })
	line("peak memory of the queries, MiB", func(p *engineRecord) string { return mebibytes(p.Peak) })
	line("failed queries", func(p *engineRecord) string { return fmt.Sprint(len(p.Errors)) })
	return t.String()
}

// remarks are the sentences under the tables.
func (r *record) remarks() (lines []string) {
	for _, pass := range []string{passWarm, passCached} {
		s, ok := r.Summary[pass]
		if !ok {
			continue
		}
		text := "none"
		if len(s.Slow) > 0 {
			text = strings.Join(s.Slow, ", ")
		}
		lines = append(lines, fmt.Sprintf("Slower than %.1f × the better peer (%s): %s.", slowRatio, pass, text))
	}
	for _, n := range r.names() {
		for _, q := range slices.Sorted(maps.Keys(r.Engines[n].Errors)) {
			lines = append(lines, fmt.Sprintf("%s failed %s: %s.", titles[n], q, oneLine(r.Engines[n].Errors[q])))
		}
	}
	for _, f := range r.Failed {
		lines = append(lines, "Could not be loaded: "+oneLine(f)+".")
	}
	if r.WarmCache != "" {
		lines = append(lines, "The cold runs are not cold: "+r.WarmCache+".")
	}
	agree := "Results agree on all queries."
	if len(r.Disagree) > 0 {
		agree = "Results differ: " + strings.Join(r.Disagree, ", ") + "."
	}
	lines = append(lines, agree)
	if len(r.Empty) > 0 {
		lines = append(lines, "Without a row, the table being so small: "+strings.Join(r.Empty, ", ")+".")
	}
	return lines
}
