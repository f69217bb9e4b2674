package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/olapd/olapd/bench/cpuprofile"
)

// profileRecord is the outcome of `bench profile`.
type profileRecord struct {
	environment
	Suite  string         `json:"suite"`
	Rows   int64          `json:"rows"`
	Phases []profilePhase `json:"phases"`
}

// profilePhase is where olapd's time went while it did one thing. Shares are of its CPU time.
type profilePhase struct {
	Name       string            `json:"name"`
	Wall       float64           `json:"wall_s"`
	CPU        float64           `json:"cpu_s"`
	Collector  float64           `json:"garbage_collector"`
	Idle       float64           `json:"garbage_collector_on_idle_processors"`
	Allocation float64           `json:"allocation"`
	Packages   []cpuprofile.Line `json:"packages"`
	Functions  []cpuprofile.Line `json:"functions"`
	Error      string            `json:"error,omitempty"`
}

// How much of a profile is kept.
const (
	profilePackages  = 25
	profileFunctions = 40
)

// runProfile is `bench profile`: what olapd does while it loads, and while it answers all
// queries over and over.
func runProfile(args []string) error {
	var o machineOptions
	fs := flag.NewFlagSet("profile", flag.ContinueOnError)
	o.register(fs, 10_000_000)
	name := fs.String("suite", "hits", "hits, ssb or keys")
	runs := fs.Int("runs", 3, "runs of all queries")
	if err := o.parse(fs, args); err != nil {
		return err
	}
	s, err := suiteNamed(*name)
	if err != nil {
		return err
	}
	file, err := s.generate(o.dir, o.seed, o.rows)
	if err != nil {
		return err
	}
	e, err := profiledEngine(o)
	if err != nil {
		return err
	}
	defer e.close()
	rec := profileRecord{environment: newEnvironment(), Suite: s.name, Rows: o.rows}
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	load := profiled(e, "load from TSV, merges included", func() error {
		if err := reset(ctx, e, s); err != nil {
			return err
		}
		if err := e.load(ctx, s, source{path: file, format: formatTSV, sent: true}); err != nil {
			return err
		}
		return settle(ctx, e)
	})
	rec.Phases = append(rec.Phases, load, profiled(e, "queries", func() error { return allQueries(ctx, e, s, *runs) }))
	fmt.Fprintln(os.Stdout, rec.tables())
	return appendResult(o.results, "profile-"+s.name, rec)
}

// profiledEngine is an open olapd, empty, that serves profiles.
func profiledEngine(o machineOptions) (*olapdEngine, error) {
	made, err := newEngine("olapd", o)
	if err != nil {
		return nil, err
	}
	e := made.(*olapdEngine)
	if err := e.openAdmin(); err != nil {
		return nil, err
	}
	return e, e.open(o.threads)
}

func allQueries(ctx context.Context, e engine, s *suite, runs int) error {
	for range runs {
		for q := 1; q <= s.queries; q++ {
			sql, err := s.query(q, e.name())
			if err != nil {
				return err
			}
			if _, _, err := e.query(ctx, sql); err != nil {
				progress("q%d: %v", q, err)
			}
		}
	}
	return nil
}

// profileWindow is how long one profile is; a phase is covered by one after the other.
const profileWindow = 2 * time.Second

// profiled runs f and gathers profiles of the server until f returns.
func profiled(e *olapdEngine, name string, f func() error) profilePhase {
	progress("profile: %s", name)
	done := make(chan error, 1)
	start := time.Now()
	go func() { done <- f() }()
	var stacks []cpuprofile.Stack
	var failure error
	for running := true; running; {
		window, err := profileOf(e.admin)
		if err != nil {
			failure = fmt.Errorf("profile: %w", err)
			time.Sleep(profileWindow)
		}
		stacks = append(stacks, window...)
		select {
		case err := <-done:
			running = false
			if err != nil {
				failure = err
			}
		default:
		}
	}
	sum := cpuprofile.Add(stacks)
	p := profilePhase{
		Name: name, Wall: time.Since(start).Seconds(), CPU: float64(sum.Nanoseconds) / 1e9,
		Collector: sum.Collector, Idle: sum.Idle, Allocation: sum.Allocation,
		Packages: sum.Packages[:min(profilePackages, len(sum.Packages))], Functions: sum.Functions[:min(profileFunctions, len(sum.Functions))],
	}
	if failure != nil {
		p.Error = failure.Error()
	}
	return p
}

func profileOf(address string) ([]cpuprofile.Stack, error) {
	resp, err := http.Get(fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", address, int(profileWindow/time.Second)))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", resp.Status, oneLine(string(data)))
	}
	return cpuprofile.Parse(data)
}

// tables has, for each phase, the collector's share and the packages and functions with the most time.
func (r *profileRecord) tables() string {
	var b strings.Builder
	for _, p := range r.Phases {
		fmt.Fprintf(&b, "%s: %.1f s of CPU in %.1f s. Garbage collector %s (of it on idle processors %s), allocation %s.\n\n",
			p.Name, p.CPU, p.Wall, percent(p.Collector), percent(p.Idle), percent(p.Allocation))
		if p.Error != "" {
			fmt.Fprintf(&b, "Failed: %s.\n\n", oneLine(p.Error))
		}
		b.WriteString(profileTable("package", p.Packages, 15) + "\n" + profileTable("function", p.Functions, 25) + "\n")
	}
	return b.String()
}

func profileTable(what string, lines []cpuprofile.Line, most int) string {
	t := table{header: []string{what, "own", "with callees"}}
	for _, l := range lines[:min(most, len(lines))] {
		t.add("`"+strings.TrimPrefix(l.Name, "github.com/olapd/olapd/")+"`", percent(l.Own), percent(l.Total))
	}
	return t.String()
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }
