package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// growthRecord is the outcome of `bench growth`: olapd alone, on tables of growing size.
type growthRecord struct {
	environment
	Seed  uint64       `json:"seed"`
	Sizes []growthSize `json:"sizes"`
	Error string       `json:"error,omitempty"` // why a size is missing
}

// growthSize is one size of the table.
type growthSize struct {
	Rows     int64             `json:"rows"`
	Load     float64           `json:"load_s"` // generating the rows included
	LoadPeak int64             `json:"peak_load_bytes"`
	Peak     int64             `json:"peak_bytes"`
	Disk     int64             `json:"disk_bytes"`
	Median   []float64         `json:"median_ms"`
	Errors   map[string]string `json:"errors,omitempty"`
}

// runGrowth is `bench growth`. Rows go from the generator straight into the INSERT: fifty
// million of them are 36 GB of text.
func runGrowth(args []string) error {
	var o machineOptions
	fs := flag.NewFlagSet("growth", flag.ContinueOnError)
	o.register(fs, 1)
	sizes := fs.String("sizes", "1000000,10000000,50000000", "rows of the tables, growing")
	runs := fs.Int("runs", 4, "runs of each query; the first is not counted")
	if err := o.parse(fs, args); err != nil {
		return err
	}
	rec := growthRecord{environment: newEnvironment(), Seed: o.seed}
	for _, field := range strings.Split(*sizes, ",") {
		rows, err := strconv.ParseInt(field, 10, 64)
		if err != nil || *runs < 2 {
			return fmt.Errorf("growth: want sizes as numbers and at least 2 runs: %q", field)
		}
		o.rows = rows
		size, err := measureSize(o, *runs)
		if err != nil {
			rec.Error = fmt.Sprintf("%d rows: %v", rows, err)
			progress("%s", rec.Error)
			break
		}
		rec.Sizes = append(rec.Sizes, size)
	}
	if len(rec.Sizes) == 0 {
		return fmt.Errorf("growth: %s", rec.Error)
	}
	fmt.Fprintln(os.Stdout, rec.tables())
	return appendResult(o.results, "growth", rec)
}

func measureSize(o machineOptions, runs int) (g growthSize, err error) {
	s := suites["hits"]
	made, err := newEngine("olapd", o)
	if err != nil {
		return g, err
	}
	e := made.(*olapdEngine)
	defer os.RemoveAll(e.dir)
	defer e.close()
	if err := e.open(o.threads); err != nil {
		return g, err
	}
	progress("loading %d rows", o.rows)
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	start := time.Now()
	if err := streamRows(ctx, e, s, o); err != nil {
		return g, err
	}
	g = growthSize{Rows: o.rows, Load: time.Since(start).Seconds(), Errors: map[string]string{}}
	if err := settle(ctx, e); err != nil {
		return g, err
	}
	g.LoadPeak = e.peak()
	if g.Disk, err = e.tableSize(ctx, s.table); err != nil {
		return g, err
	}
	e.close()
	if err := e.open(o.threads); err != nil {
		return g, err
	}
	progress("%d rows loaded in %.0f s; queries", o.rows, g.Load)
	g.queries(e, s, o.threads, runs)
	g.Peak = e.peak()
	return g, nil
}

// growthBatch is the rows of one INSERT.
const growthBatch = 10_000_000

// streamRows inserts the table as the generator makes it.
func streamRows(ctx context.Context, e *olapdEngine, s *suite, o machineOptions) error {
	if err := reset(ctx, e, s); err != nil {
		return err
	}
	r, w := io.Pipe()
	defer r.Close() // ends the generator if the server stopped reading
	go func() { w.CloseWithError(s.write(w, o.seed, o.rows)) }()
	lines := bufio.NewReaderSize(r, 1<<20)
	for {
		if _, err := lines.Peek(1); errors.Is(err, io.EOF) {
			return nil
		}
		a, err := e.session.Insert(ctx, "INSERT INTO "+s.table+" FORMAT TSV", &lineLimit{from: lines, left: growthBatch})
		if err == nil && a.Code != 0 {
			err = fmt.Errorf("olapd: load: %s", a.Message)
		}
		if err != nil {
			return err
		}
	}
}

// lineLimit reads the next lines and then ends.
type lineLimit struct {
	from *bufio.Reader
	left int64 // lines
}

func (l *lineLimit) Read(p []byte) (int, error) {
	if l.left == 0 {
		return 0, io.EOF
	}
	if _, err := l.from.Peek(1); err != nil {
		return 0, err
	}
	window, _ := l.from.Peek(min(len(p), l.from.Buffered())) // is there already
	n := 0
	for n < len(window) && l.left > 0 {
		end := bytes.IndexByte(window[n:], '\n')
		if end < 0 {
			n = len(window)
			break
		}
		n += end + 1
		l.left--
	}
	copy(p, window[:n])
	return l.from.Discard(n)
}

func (g *growthSize) queries(e engine, s *suite, threads, runs int) {
	var times series
	for q := 1; q <= s.queries; q++ {
		var a answer
		for range runs {
			a.run(s, q, lane{e, "", &times})
		}
		times.add(a)
		if a.err != nil {
			g.Errors[fmt.Sprintf("q%02d", q)] = a.err.Error()
			if err := revive(e, threads); err != nil {
				progress("olapd does not start again: %v", err)
			}
		}
	}
	g.Median = times.Median
}

// exponent tells how a query's time grows between two sizes: 1 is as the rows do.
func exponent(a, b growthSize, q int) (x float64, ok bool) {
	if a.Median[q] <= 0 || b.Median[q] <= 0 {
		return 0, false
	}
	return math.Log(b.Median[q]/a.Median[q]) / math.Log(float64(b.Rows)/float64(a.Rows)), true
}

func (r *growthRecord) tables() string {
	sums := table{header: []string{"rows"}}
	for _, g := range r.Sizes {
		sums.header = append(sums.header, grouped(g.Rows))
	}
	line := func(label string, value func(g growthSize) string) {
		row := []string{label}
		for _, g := range r.Sizes {
			row = append(row, value(g))
		}
		sums.add(row...)
	}
	line("geometric mean, ms", func(g growthSize) string { return fmt.Sprintf("%.2f", geometricMean(g.Median)) })
	line("load, generating included, s", func(g growthSize) string { return fmt.Sprintf("%.1f", g.Load) })
	line("table on disk, MiB", func(g growthSize) string { return mebibytes(g.Disk) })
	line("peak memory of the load, MiB", func(g growthSize) string { return mebibytes(g.LoadPeak) })
	line("peak memory of the queries, MiB", func(g growthSize) string { return mebibytes(g.Peak) })
	line("failed queries", func(g growthSize) string { return fmt.Sprint(len(g.Errors)) })
	if r.Error != "" {
		sums.notes = append(sums.notes, "Missing: "+oneLine(r.Error)+".")
	}
	return sums.String() + "\n" + r.queryTable()
}

// queryTable has the medians, and the exponents from each size to the next.
func (r *growthRecord) queryTable() string {
	t := table{header: []string{"query"}}
	for _, g := range r.Sizes {
		t.header = append(t.header, grouped(g.Rows)+", ms")
	}
	var steep []string
	for i := 1; i < len(r.Sizes); i++ {
		t.header = append(t.header, fmt.Sprintf("exponent to %s", grouped(r.Sizes[i].Rows)))
	}
	for q := range r.Sizes[0].Median {
		row := []string{fmt.Sprint(q + 1)}
		for _, g := range r.Sizes {
			row = append(row, msText(g.Median[q]))
		}
		for i := 1; i < len(r.Sizes); i++ {
			x, ok := exponent(r.Sizes[i-1], r.Sizes[i], q)
			if !ok {
				row = append(row, "")
				continue
			}
			row = append(row, fmt.Sprintf("%.2f", x))
			if x > steepExponent {
				steep = append(steep, fmt.Sprintf("q%d %.2f to %s", q+1, x, grouped(r.Sizes[i].Rows)))
			}
		}
		t.add(row...)
	}
	text := "none"
	if len(steep) > 0 {
		text = strings.Join(steep, ", ")
	}
	t.notes = append(t.notes, fmt.Sprintf("Growing faster than the rows (exponent above %.2f): %s.", steepExponent, text))
	return t.String()
}

// steepExponent leaves room for the noise of the machine above 1.
const steepExponent = 1.05
