package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/olapd/olapd/test/oracle"
)

// loadRecord is the outcome of `bench load`.
type loadRecord struct {
	environment
	Suite string    `json:"suite"`
	Rows  int64     `json:"rows"`
	Seed  uint64    `json:"seed"`
	Runs  []loadRun `json:"runs"`
}

// loadRun is one engine loading one file, several times.
type loadRun struct {
	Engine  string    `json:"engine"`
	Version string    `json:"version"`
	Format  string    `json:"format"`
	Sent    bool      `json:"sent,omitempty"` // see source
	Bytes   int64     `json:"bytes"`          // of the file
	Seconds []float64 `json:"seconds"`
	Peak    int64     `json:"peak_bytes"` // the largest
	Error   string    `json:"error,omitempty"`
}

// runLoad is `bench load`: the table from a TSV and from a Parquet file, which the engines read, and which olapd's clients send.
func runLoad(args []string) error {
	var o machineOptions
	fs := flag.NewFlagSet("load", flag.ContinueOnError)
	o.register(fs, 1_000_000)
	name := fs.String("suite", "hits", "hits, ssb or keys")
	runs := fs.Int("runs", 3, "loads of each file by each engine, in turn; the median counts")
	if err := o.parse(fs, args); err != nil {
		return err
	}
	s, err := suiteNamed(*name)
	if err != nil {
		return err
	}
	sources, err := loadSources(s, o)
	if err != nil {
		return err
	}
	rec := loadRecord{environment: newEnvironment(), Suite: s.name, Rows: o.rows, Seed: o.seed}
	for _, src := range sources {
		info, err := os.Stat(src.path)
		if err != nil {
			return err
		}
		var group []loadRun
		for _, n := range strings.Split(o.only, ",") {
			group = append(group, loadRun{Engine: n, Format: src.format, Bytes: info.Size()})
			if n == "olapd" {
				group = append(group, loadRun{Engine: n, Format: src.format, Bytes: info.Size(), Sent: true})
			}
		}
		for range *runs {
			for i := range group {
				group[i].measure(s, o, src)
			}
		}
		rec.Runs = append(rec.Runs, group...)
	}
	fmt.Fprintln(os.Stdout, rec.table())
	return appendResult(o.results, "load-"+s.name, rec)
}

// loadSources returns the TSV file, and a Parquet file that DuckDB writes from it.
func loadSources(s *suite, o machineOptions) ([]source, error) {
	tsv, err := s.generate(o.dir, o.seed, o.rows)
	if err != nil {
		return nil, err
	}
	sources := []source{{path: tsv, format: formatTSV}}
	parquet := strings.TrimSuffix(tsv, ".tsv") + ".parquet"
	if _, err := os.Stat(parquet); err == nil {
		return append(sources, source{path: parquet, format: formatParquet}), nil
	}
	progress("writing %s", parquet)
	o.dir = filepath.Join(o.dir, "writer")
	e, err := newEngine(oracle.DuckDB, o)
	if err == nil {
		err = e.open(o.threads)
	}
	if err != nil {
		progress("no Parquet file: %v", err)
		return sources, nil
	}
	defer os.RemoveAll(o.dir)
	defer e.close()
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	if err := reset(ctx, e, s); err != nil {
		return nil, err
	}
	if err := e.load(ctx, s, sources[0]); err != nil {
		return nil, err
	}
	_, _, err = e.query(ctx, "COPY "+s.table+" TO '"+strings.ReplaceAll(parquet, "'", "''")+".partial' (FORMAT parquet)")
	if err != nil {
		return nil, err
	}
	return append(sources, source{path: parquet, format: formatParquet}), os.Rename(parquet+".partial", parquet)
}

// measure loads once more, unless the engine has failed.
func (r *loadRun) measure(s *suite, o machineOptions, src source) {
	if r.Error != "" {
		return
	}
	seconds, err := r.once(s, o, src)
	if err != nil {
		r.Error = err.Error()
	}
	r.Seconds = append(r.Seconds, seconds)
	progress("%s, %s, sent %t: %.2f s %s", r.Engine, r.Format, r.Sent, seconds, r.Error)
}

func (r *loadRun) once(s *suite, o machineOptions, src source) (float64, error) {
	e, err := newEngine(r.Engine, o)
	if err != nil {
		return 0, err
	}
	if err := e.open(o.threads); err != nil {
		return 0, err
	}
	defer e.close()
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	if err := reset(ctx, e, s); err != nil {
		return 0, err
	}
	src.sent = r.Sent
	start := time.Now()
	if err := e.load(ctx, s, src); err != nil {
		return 0, err
	}
	seconds := time.Since(start).Seconds()
	r.Version, r.Peak = e.version(), max(r.Peak, e.peak())
	rows, _, err := e.query(ctx, "SELECT count(*) FROM "+s.table)
	if err == nil && strings.Join(rows, "") != fmt.Sprint(o.rows) {
		err = errors.New("the table has " + strings.Join(rows, "") + " rows")
	}
	return seconds, err
}

// median of the seconds.
func (r *loadRun) median() float64 {
	sorted := slices.Sorted(slices.Values(r.Seconds))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func (r *loadRecord) table() string {
	t := table{header: []string{r.Suite + ": load", "engine", "median s", "rows/s", "MB/s", "peak MiB"}}
	for _, run := range r.Runs {
		label := fmt.Sprintf("%s, %s MB", run.Format, grouped(run.Bytes/1e6))
		if run.Sent {
			label += ", sent over HTTP"
		}
		if run.Error != "" {
			t.fail(run.Error, label, titles[run.Engine])
			continue
		}
		s := run.median()
		t.add(label, titles[run.Engine], fmt.Sprintf("%.2f", s), grouped(int64(float64(r.Rows)/s)), fmt.Sprintf("%.0f", float64(run.Bytes)/s/1e6), mebibytes(run.Peak))
	}
	return t.String()
}
