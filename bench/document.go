package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

// section is a part of a document that is made from the results: what stands between the lines
// <!-- bench NAME --> and <!-- bench end -->.
type section struct {
	name string
	text func(results string) (string, error)
}

// sections are all there are; each document holds some of them.
var sections = []section{
	{"short", shortSection},
	{"hits-1m", runSection("hits", 1_000_000)},
	{"hits-10m", runSection("hits", 10_000_000)},
	{"ssb", runSection("ssb", 6_000_000)},
	{"keys", runSection("keys", 5_000_000)},
	{"load-hits", tableSection("load-hits", "load", func(r *loadRecord) (environment, string) { return r.environment, r.table() })},
	{"load-ssb", tableSection("load-ssb", "load --suite ssb --rows 6000000", func(r *loadRecord) (environment, string) { return r.environment, r.table() })},
	{"insert", tableSection("insert", "insert", func(r *insertRecord) (environment, string) { return r.environment, r.tables() })},
	{"kafka", kafkaSection},
	{"clients", tableSection("clients", "clients", func(r *clientsRecord) (environment, string) { return r.environment, r.table() })},
	{"growth", tableSection("growth", "growth", func(r *growthRecord) (environment, string) { return r.environment, r.tables() })},
	{"memory", tableSection("memory", "memory", func(r *memoryRecord) (environment, string) { return r.environment, r.table() })},
	{"profile", tableSection("profile-hits", "profile", func(r *profileRecord) (environment, string) { return r.environment, r.tables() })},
	{"history", historySection},
}

// documents hold sections, at paths from the module's root.
var documents = []string{"README.md", "docs/benchmarks.md"}

const (
	sectionBegin = "<!-- bench "
	sectionClose = " -->"
	sectionEnd   = "<!-- bench end -->"
)

// runReport is `bench report`: the tables of the documents, from the last results.
func runReport(args []string) error {
	fs := flag.NewFlagSet("report", flag.ContinueOnError)
	results := fs.String("results", resultsDir, "directory of the results")
	if err := fs.Parse(args); err != nil {
		return err
	}
	for _, path := range documents {
		old, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text, err := fillSections(string(old), *results)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if text == string(old) {
			continue
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
		progress("%s is up to date with %s", path, *results)
	}
	return nil
}

// fillSections returns a document with its sections made anew.
func fillSections(document, results string) (string, error) {
	var out strings.Builder
	lines := strings.SplitAfter(document, "\n")
	for i := 0; i < len(lines); i++ {
		out.WriteString(lines[i])
		name, ok := sectionName(lines[i])
		if !ok {
			continue
		}
		for i++; i < len(lines) && strings.TrimSpace(lines[i]) != sectionEnd; i++ {
		}
		if i == len(lines) {
			return "", fmt.Errorf("section %s does not end", name)
		}
		text, err := sectionText(name, results)
		if err != nil {
			return "", err
		}
		out.WriteString("\n" + strings.TrimSpace(text) + "\n\n" + lines[i])
	}
	return out.String(), nil
}

func sectionName(line string) (string, bool) {
	name, ok := strings.CutPrefix(strings.TrimSpace(line), sectionBegin)
	if !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(name, sectionClose)
	return name, ok && name != "end"
}

func sectionText(name, results string) (string, error) {
	for _, s := range sections {
		if s.name == name {
			return s.text(results)
		}
	}
	return "", fmt.Errorf("unknown section %q", name)
}

// tableSection is the last result in a file, under what it was measured with.
func tableSection[R any](file, command string, render func(*R) (environment, string)) func(string) (string, error) {
	return func(results string) (string, error) {
		r, err := lastResult(results, file, func(*R) bool { return true })
		if err != nil {
			return "", err
		}
		if r == nil {
			return missing(command), nil
		}
		env, text := render(r)
		return env.String() + "\n\n" + text, nil
	}
}

// runSection is the last result of `bench run` for a suite and a number of rows.
func runSection(name string, rows int64) func(string) (string, error) {
	return func(results string) (string, error) {
		r, err := lastRun(results, name, rows)
		if err != nil {
			return "", err
		}
		if r == nil {
			return missing(fmt.Sprintf("run --suite %s --rows %d", name, rows)), nil
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s %s rows, %d threads, %d warm runs.\n\n%s\n%s\n", r.environment, grouped(r.Rows), r.Threads, r.Runs, r.summaryTable(), r.resourceTable())
		for _, line := range r.remarks() {
			fmt.Fprintf(&b, "- %s\n", line)
		}
		b.WriteString("\n" + r.queryTable())
		return b.String(), nil
	}
}

// lastRun finds the last run of a suite over so many rows with all passes; nil if there is none.
func lastRun(results, name string, rows int64) (*record, error) {
	s, err := suiteNamed(name)
	if err != nil {
		return nil, err
	}
	return lastResult(results, name, func(r *record) bool {
		r.suite = s
		return r.Rows == rows && r.Summary != nil && len(r.names()) > 0
	})
}

// historyRows is how many runs of a suite the history shows.
const historyRows = 15

// historySection has a row for each of the last runs.
func historySection(results string) (string, error) {
	t := table{header: []string{"run", "commit", "suite", "rows", "olapd, ms", "better peer, ms", "ratio", "fastest on", "slower than 1.5 ×"}}
	for _, name := range []string{"hits", "ssb", "keys"} {
		list, err := allResults[record](results, name)
		if err != nil {
			return "", err
		}
		list = slices.DeleteFunc(list, func(r *record) bool { return r.Summary == nil }) // of an older form
		for _, r := range list[max(0, len(list)-historyRows):] {
			s := r.Summary[passWarm]
			t.add(strings.Replace(strings.TrimSuffix(r.Date, "Z"), "T", " ", 1), r.Commit, r.Suite, grouped(r.Rows), fmt.Sprintf("%.2f", s.Geometric["olapd"]),
				fmt.Sprintf("%.2f", s.Better), fmt.Sprintf("%.2f", s.Ratio), fmt.Sprint(s.Fastest["olapd"]), fmt.Sprint(len(s.Slow)))
		}
	}
	return t.String(), nil
}

func missing(command string) string { return "No run is recorded: `go run ./bench " + command + "`." }

// String says when, of what and where, as a sentence.
func (e environment) String() string {
	return fmt.Sprintf("%s, commit %s, `%s`; %s, %d cores, %d GiB, %s, %s.",
		strings.Replace(strings.TrimSuffix(e.Date, "Z"), "T", " ", 1)+" UTC", e.Commit, e.Command, e.CPU, e.Cores, (e.Memory+1<<29)>>30, e.System, e.Go)
}

// shortSection is the README's table: the largest recorded runs of the suites.
func shortSection(results string) (string, error) {
	h, err := lastRun(results, "hits", 10_000_000)
	if err == nil && h == nil {
		h, err = lastRun(results, "hits", 1_000_000)
	}
	if err != nil {
		return "", err
	}
	if h == nil {
		return missing("run"), nil
	}
	ssb, err := lastRun(results, "ssb", 6_000_000)
	if err != nil {
		return "", err
	}
	t := table{header: []string{""}}
	for _, n := range h.names() {
		t.header = append(t.header, h.title(n))
	}
	t.shortRows(h, "ClickBench's 43 queries, "+grouped(h.Rows)+" rows")
	if ssb != nil {
		t.shortRows(ssb, "Star Schema Benchmark, 13 queries, "+grouped(ssb.Rows)+" rows")
	}
	many, err := lastRun(results, "keys", 5_000_000)
	if err != nil {
		return "", err
	}
	if many != nil {
		t.shortRows(many, "many distinct keys, 12 queries, "+grouped(many.Rows)+" rows")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n", h.environment, t.String())
	for _, line := range h.remarks() {
		fmt.Fprintf(&b, "%s\n", line)
	}
	return b.String(), nil
}

// shortRows adds the rows of a run, for the engines in the header.
func (t *table) shortRows(r *record, title string) {
	names := r.names()
	if len(names) != len(t.header)-1 {
		return // not of the same engines
	}
	line := func(label string, value func(n string) string) {
		row := []string{label}
		for _, n := range names {
			row = append(row, value(n))
		}
		t.add(row...)
	}
	for i, pass := range passes {
		s, ok := r.Summary[pass]
		if !ok {
			continue
		}
		label := "… " + pass
		if i == 0 {
			label = title + ": geometric mean, warm"
		}
		line(label, func(n string) string { return msText(s.Geometric[n]) + " ms" })
		if i == 0 {
			line("… fastest of the three on", func(n string) string { return fmt.Sprintf("%d of %d", s.Fastest[n], r.suite.queries) })
		}
	}
	line("… load from TSV", func(n string) string { return grouped(int64(float64(r.Rows)/r.Engines[n].Load)) + " rows/s" })
	line("… peak memory of the queries", func(n string) string { return mebibytes(r.Engines[n].Peak) + " MiB" })
	line("… table on disk", func(n string) string { return mebibytes(r.Engines[n].Disk) + " MiB" })
}
