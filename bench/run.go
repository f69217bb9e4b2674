package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/olapd/olapd/test/oracle"
)

// Timeouts after which a step of one engine has failed.
const (
	queryTimeout = 5 * time.Minute
	loadTimeout  = time.Hour
)

// runOptions are the flags of `bench run`.
type runOptions struct {
	machineOptions
	suite           string
	runs            int
	cold, oneThread bool
}

func parseRunOptions(args []string) (o runOptions, err error) {
	fs := flag.NewFlagSet("run", flag.ContinueOnError)
	o.register(fs, 1_000_000)
	fs.StringVar(&o.suite, "suite", "hits", "hits, ssb or keys")
	fs.IntVar(&o.runs, "runs", 5, "warm runs of each query; the first is not counted, unless it is the only one")
	fs.BoolVar(&o.cold, "cold", true, "measure each query as the first of a fresh process, too")
	fs.BoolVar(&o.oneThread, "one-thread", true, "measure each query with one thread, too")
	if err := o.parse(fs, args); err != nil {
		return o, err
	}
	if o.runs < 1 {
		return o, fmt.Errorf("run: want at least 1 run")
	}
	return o, nil
}

// runCompare is `bench run`: load, then the passes over the queries.
func runCompare(args []string) error {
	o, err := parseRunOptions(args)
	if err != nil {
		return err
	}
	s, err := suiteNamed(o.suite)
	if err != nil {
		return err
	}
	file, err := s.generate(o.dir, o.seed, o.rows)
	if err != nil {
		return err
	}
	engines := startEngines(o.machineOptions)
	defer func() { closeAll(engines) }()
	r := newRecord(s, o)
	engines = slices.DeleteFunc(engines, func(e engine) bool {
		return !r.load(e, o.machineOptions, source{path: file, format: formatTSV, sent: true})
	})
	if len(engines) == 0 {
		return errors.New("no engine to measure")
	}
	if o.cold {
		r.coldPass(engines, o.threads)
	}
	r.warmPass(engines, o.threads, o.runs)
	if o.oneThread && o.threads > 1 {
		r.oneThreadPass(engines)
	}
	r.Summary = r.summarize()
	r.print(os.Stdout)
	return appendResult(o.results, s.name, r)
}

// load fills the table, lets merges settle, measures, and closes the engine: the passes start
// with a fresh process. It returns false for an engine that failed.
func (r *record) load(e engine, o machineOptions, src source) bool {
	progress("%s: loading %d rows", e.name(), r.Rows)
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	p := &engineRecord{Version: e.version(), Errors: map[string]string{}}
	err := reset(ctx, e, r.suite)
	start := time.Now()
	if err == nil {
		err = e.load(ctx, r.suite, src)
	}
	p.Load = time.Since(start).Seconds()
	if err == nil {
		err = settle(ctx, e)
	}
	if err == nil {
		p.LoadPeak = e.peak()
		p.Disk, err = e.tableSize(ctx, r.suite.table)
	}
	e.close()
	if err == nil {
		err = markLoaded(e, r.suite, o)
	}
	if err != nil {
		progress("going on without %s: %v", e.name(), err)
		r.Failed = append(r.Failed, e.name()+": "+err.Error())
		return false
	}
	p.Directory = diskSize(e.path())
	r.Engines[e.name()] = p
	return true
}

// coldPass measures each query as the first of a process whose files are not in the page
// cache, one engine running at a time.
func (r *record) coldPass(engines []engine, threads int) {
	progress("cold runs")
	for q := 1; q <= r.suite.queries; q++ {
		for _, e := range engines {
			p := r.Engines[e.name()]
			p.Cold = append(p.Cold, r.cold(e, q, threads))
			e.close()
		}
	}
}

// cold measures query q in an engine that is closed; the page cache having stayed is noted.
func (r *record) cold(e engine, q, threads int) float64 {
	if err := forget(e.path()); err != nil && r.WarmCache == "" {
		r.WarmCache = err.Error()
		progress("the page cache stays: %v", err)
	}
	elapsed, err := first(e, r.suite, q, threads)
	if err != nil {
		r.Engines[e.name()].Errors[fmt.Sprintf("q%02d cold", q)] = err.Error()
		return failed
	}
	return milliseconds(elapsed)
}

// first opens an engine and runs query q.
func first(e engine, s *suite, q, threads int) (elapsed time.Duration, err error) {
	sql, err := s.query(q, e.name())
	if err != nil {
		return 0, err
	}
	if err := e.open(threads); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	if _, _, err := e.query(ctx, "SELECT 1"); err != nil {
		return 0, err
	}
	_, elapsed, err = e.query(ctx, sql)
	return elapsed, err
}

// lane is one column of measurements: an engine with what is appended to its queries.
type lane struct {
	engine
	suffix string
	times  *series
}

// withCache lets a query use the condition cache, which is off else.
const withCache = "\nSETTINGS use_query_condition_cache = 1"

// warmPass measures all engines, and besides those that have a query condition cache with it.
func (r *record) warmPass(engines []engine, threads, runs int) {
	progress("warm runs")
	var lanes, cached []lane
	for _, e := range engines {
		p := r.Engines[e.name()]
		lanes = append(lanes, lane{e, "", &p.Warm})
		if e.name() != oracle.DuckDB {
			// Last in turn: right behind the one without, it would find the processor's caches filled.
			cached = append(cached, lane{e, withCache, &p.Cached})
		}
	}
	lanes = append(lanes, cached...)
	r.pass(engines, lanes, threads, runs, true)
	for _, e := range engines {
		r.Engines[e.name()].Peak = e.peak()
		e.close()
	}
}

// oneThreadRuns are fewer than the warm runs, as they take twice as long each: the second counts.
const oneThreadRuns = 2

func (r *record) oneThreadPass(engines []engine) {
	progress("runs with one thread")
	var lanes []lane
	for _, e := range engines {
		lanes = append(lanes, lane{e, "", &r.Engines[e.name()].OneThread})
	}
	r.pass(engines, lanes, 1, oneThreadRuns, false)
	closeAll(engines)
}

// pass runs every query in all lanes, in turn, runs times: what disturbs the machine then
// disturbs all of them alike.
func (r *record) pass(engines []engine, lanes []lane, threads, runs int, check bool) {
	for _, e := range engines {
		if err := revive(e, threads); err != nil {
			progress("%s does not start: %v", e.name(), err)
		}
	}
	for q := 1; q <= r.suite.queries; q++ {
		answers := make([]answer, len(lanes))
		for range runs {
			for i, l := range lanes {
				answers[i].run(r.suite, q, l)
			}
		}
		for i, l := range lanes {
			l.times.add(answers[i])
			if answers[i].err != nil {
				r.Engines[l.name()].Errors[fmt.Sprintf("q%02d", q)] = answers[i].err.Error()
				if err := revive(l.engine, threads); err != nil {
					progress("%s does not start again: %v", l.name(), err)
				}
			}
		}
		if check {
			r.check(q, lanes, answers)
		}
	}
}

// answer is what a lane made of a query.
type answer struct {
	times []float64
	rows  []string
	err   error
}

// run asks once more, unless the query has failed.
func (a *answer) run(s *suite, q int, l lane) {
	if a.err != nil {
		return
	}
	sql, err := s.query(q, l.name())
	if err != nil {
		a.err = err
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	var elapsed time.Duration
	a.rows, elapsed, a.err = l.query(ctx, sql+l.suffix)
	a.times = append(a.times, milliseconds(elapsed))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// check compares the results of the lanes that have one with the first of them.
func (r *record) check(q int, lanes []lane, answers []answer) {
	first := slices.IndexFunc(answers, func(a answer) bool { return a.err == nil })
	if first < 0 {
		return
	}
	if len(answers[first].rows) == 0 {
		r.Empty = append(r.Empty, fmt.Sprintf("q%02d", q))
	}
	for i := first + 1; i < len(lanes); i++ {
		a, b := lanes[first].name(), lanes[i].name()
		if answers[i].err != nil || r.suite.sameMeaning != nil && !r.suite.sameMeaning(q, a, b) {
			continue
		}
		if !agree(r.suite.ties, q, answers[first].rows, answers[i].rows) {
			r.Disagree = append(r.Disagree, fmt.Sprintf("q%02d %s/%s", q, a, b))
			show(q, a, answers[first].rows)
			show(q, b, answers[i].rows)
		}
	}
}

// show prints the start of a disputed result.
func show(q int, name string, rows []string) {
	const most, width = 5, 200
	progress("q%02d differs; %s has %d rows:", q, name, len(rows))
	for _, row := range rows[:min(most, len(rows))] {
		progress("  %.*s", width, row)
	}
}
