package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report is the outcome of a run; its JSON form is one line of bench/results.
type report struct {
	Date      string                   `json:"date"`
	Commit    string                   `json:"commit"`
	CPU       string                   `json:"cpu"`
	Cores     int                      `json:"cores"`
	Go        string                   `json:"go"`
	Rows      int64                    `json:"rows"`
	Seed      uint64                   `json:"seed"`
	Threads   int                      `json:"threads"`
	Cache     bool                     `json:"condition_cache"`
	Engines   map[string]*engineReport `json:"engines"`
	Disagree  []string                 `json:"disagree,omitempty"`
	Empty     []string                 `json:"empty,omitempty"` // queries without a row: too small a table
	Geometric map[string]float64       `json:"geometric_mean_ms"`
	Best      float64                  `json:"better_peer_geometric_mean_ms,omitempty"`
}

// engineReport is one engine's part. Times are in milliseconds, query 1 first; a failed
// query has -1.
type engineReport struct {
	Version string            `json:"version"`
	Load    float64           `json:"load_s"`
	Peak    int64             `json:"peak_bytes"`
	Disk    int64             `json:"disk_bytes"`
	Cold    []float64         `json:"cold_ms"`
	Median  []float64         `json:"median_ms"`
	Min     []float64         `json:"min_ms"`
	Errors  map[string]string `json:"errors,omitempty"`
}

const failed = -1

func newReport(o options) *report {
	return &report{
		Date: time.Now().UTC().Format(time.RFC3339), Commit: commit(), CPU: cpuModel(), Cores: runtime.NumCPU(),
		Go: runtime.Version(), Rows: o.rows, Seed: o.seed, Threads: o.threads, Cache: o.cache,
		Engines: map[string]*engineReport{}, Geometric: map[string]float64{},
	}
}

// engine returns the part of e, made at first use.
func (r *report) engine(e engine) *engineReport {
	if r.Engines[e.name()] == nil {
		r.Engines[e.name()] = &engineReport{Version: e.version(), Errors: map[string]string{}}
	}
	return r.Engines[e.name()]
}

// measure runs query q in all engines, in turn, runs times: what disturbs the machine then
// disturbs all of them alike.
func (r *report) measure(q int, engines []engine, runs int) error {
	times := make([][]float64, len(engines))
	rows := make([][]string, len(engines))
	errs := make([]error, len(engines))
	for range runs {
		for i, e := range engines {
			if errs[i] != nil {
				continue
			}
			sql, err := queryText(q, e.name())
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
			var elapsed time.Duration
			rows[i], elapsed, errs[i] = e.query(ctx, sql)
			cancel()
			times[i] = append(times[i], float64(elapsed.Microseconds())/1000)
		}
	}
	for i, e := range engines {
		r.engine(e).add(q, times[i], errs[i])
	}
	r.check(q, engines, rows, errs)
	return nil
}

func (p *engineReport) add(q int, times []float64, err error) {
	if err != nil {
		p.Errors[fmt.Sprintf("q%02d", q)] = err.Error()
		p.Cold, p.Median, p.Min = append(p.Cold, failed), append(p.Median, failed), append(p.Min, failed)
		return
	}
	warm := slices.Sorted(slices.Values(times[1:]))
	p.Cold = append(p.Cold, times[0])
	p.Median = append(p.Median, (warm[(len(warm)-1)/2]+warm[len(warm)/2])/2)
	p.Min = append(p.Min, warm[0])
}

// check compares the results of the engines that have one with the first of them.
func (r *report) check(q int, engines []engine, rows [][]string, errs []error) {
	first := slices.Index(errs, nil)
	if first < 0 {
		return
	}
	if len(rows[first]) == 0 {
		r.Empty = append(r.Empty, fmt.Sprintf("q%02d", q))
	}
	for i := first + 1; i < len(engines); i++ {
		if errs[i] == nil && sameMeaning(q, engines[first], engines[i]) && !agree(q, rows[first], rows[i]) {
			r.Disagree = append(r.Disagree, fmt.Sprintf("q%02d %s/%s", q, engines[first].name(), engines[i].name()))
			show(q, engines[first].name(), rows[first])
			show(q, engines[i].name(), rows[i])
		}
	}
}

// show prints the start of a disputed result.
func show(q int, name string, rows []string) {
	const most, width = 5, 200
	fmt.Fprintf(os.Stderr, "bench: q%02d differs; %s has %d rows:\n", q, name, len(rows))
	for _, row := range rows[:min(most, len(rows))] {
		fmt.Fprintf(os.Stderr, "  %.*s\n", width, row)
	}
}

// finish sums up when all queries have run.
func (r *report) finish(engines []engine) {
	for _, e := range engines {
		p := r.engine(e)
		p.Peak, p.Disk = e.peak(), e.disk()
		r.Geometric[e.name()] = geometricMean(p.Median)
	}
	best := make([]float64, queryCount)
	for q := range best {
		best[q] = r.bestPeer(q)
	}
	r.Best = geometricMean(best)
}

// bestPeer returns the median of the better peer for query index q, or failed.
func (r *report) bestPeer(q int) float64 {
	best := float64(failed)
	for name, p := range r.Engines {
		if name != "olapd" && q < len(p.Median) && p.Median[q] >= 0 && (best < 0 || p.Median[q] < best) {
			best = p.Median[q]
		}
	}
	return best
}

// geometricMean leaves out failed queries; 0 if all are.
func geometricMean(ms []float64) float64 {
	const floor = 0.001 // one microsecond, the clock's step
	var sum float64
	n := 0
	for _, t := range ms {
		if t >= 0 {
			sum += math.Log(max(t, floor))
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return math.Exp(sum / float64(n))
}

// print writes the table: medians in milliseconds, and olapd's ratio to the better peer.
func (r *report) print(out io.Writer) {
	names := []string{}
	for _, n := range []string{"olapd", "clickhouse", "duckdb"} {
		if r.Engines[n] != nil && len(r.Engines[n].Median) == queryCount {
			names = append(names, n)
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "query\t%s\tolapd/better peer\t\n", strings.Join(names, "\t"))
	for q := range queryCount {
		fmt.Fprintf(w, "%d\t", q+1)
		for _, n := range names {
			fmt.Fprintf(w, "%s\t", milliseconds(r.Engines[n].Median[q]))
		}
		fmt.Fprintf(w, "%s\t\n", r.ratio(q))
	}
	r.printSums(w, names)
	_ = w.Flush() // to the standard output: there is nobody else to tell
	for _, n := range names {
		for q, e := range r.Engines[n].Errors {
			fmt.Fprintf(out, "%s %s failed: %.300s\n", n, q, e)
		}
	}
	fmt.Fprintf(out, "results differ: %d %s\n", len(r.Disagree), strings.Join(r.Disagree, ", "))
	fmt.Fprintf(out, "results empty: %d %s\n", len(r.Empty), strings.Join(r.Empty, ", "))
}

func (r *report) printSums(w io.Writer, names []string) {
	line := func(label string, value func(name string) string) {
		fmt.Fprintf(w, "%s\t", label)
		for _, n := range names {
			fmt.Fprintf(w, "%s\t", value(n))
		}
		fmt.Fprint(w, "\t\n")
	}
	const mib = 1 << 20
	line("geometric mean", func(n string) string { return milliseconds(r.Geometric[n]) })
	line("failed", func(n string) string { return fmt.Sprint(len(r.Engines[n].Errors)) })
	line("load, s", func(n string) string { return fmt.Sprintf("%.1f", r.Engines[n].Load) })
	line("peak memory, MiB", func(n string) string { return fmt.Sprint(r.Engines[n].Peak / mib) })
	line("disk, MiB", func(n string) string { return fmt.Sprint(r.Engines[n].Disk / mib) })
	fmt.Fprintf(w, "better peer\t%s\t\n", milliseconds(r.Best))
}

func (r *report) ratio(q int) string {
	ours, peer := r.Engines["olapd"], r.bestPeer(q)
	if ours == nil || q >= len(ours.Median) || ours.Median[q] < 0 || peer <= 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", ours.Median[q]/peer)
}

func milliseconds(ms float64) string {
	if ms < 0 {
		return "failed"
	}
	return fmt.Sprintf("%.2f", ms)
}

// append adds the report as one JSON line to a file.
func (r *report) append(path string) error {
	if path == "" {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Write(append(line, '\n'))
	return err
}

func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return string(bytes.TrimSpace(out))
}

func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	_, after, _ := strings.Cut(string(info), "model name")
	line, _, _ := strings.Cut(after, "\n")
	return strings.Trim(line, "\t :")
}
