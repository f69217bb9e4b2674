package diff

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/olapd/olapd/test/olapd"
	"github.com/olapd/olapd/test/oracle"
)

var (
	randomFlag = flag.Int("random", 300, "random statements per seed")
	seedFlag   = flag.Uint64("seed", 1, "first seed of the random statements")
	seedsFlag  = flag.Uint64("seeds", 2, "how many seeds")
)

// The seed and size of the random statements with goldens, testdata/corpus/random.txt.
const (
	goldenSeed    = 20240229
	goldenCount   = 150
	goldenFile    = "testdata/corpus/random.txt"
	floatRelative = 1e-9 // averages depend on the order of addition
)

// TestRandomGolden holds the random corpus file to its seed; with -rewrite it makes the file.
func TestRandomGolden(t *testing.T) {
	g := newGenerator(goldenSeed)
	var text strings.Builder
	var want []string
	for _, sql := range g.tables(true) {
		want = append(want, sql)
		fmt.Fprintf(&text, "exec\n%s\n----\n\n", sql)
	}
	for range goldenCount {
		s := g.statement()
		want = append(want, s.String())
		order := "sort "
		if s.limit > 0 {
			order = ""
		}
		fmt.Fprintf(&text, "query %sfloat=%g\n%s\n----\n\n", order, floatRelative, s)
	}
	if rewriting() {
		writeGolden(t, text.String())
	}
	var got []string
	datadriven.RunTest(t, goldenFile, func(_ *testing.T, d *datadriven.TestData) string {
		got = append(got, d.Input)
		return d.Expected
	})
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s is not what its seed generates: run `make test-diff-rewrite`", goldenFile)
	}
}

func writeGolden(t *testing.T, text string) {
	ch := oracle.Start(t, oracle.ClickHouse)
	if ch == nil {
		t.Fatal("goldens come from ClickHouse, which is not installed")
	}
	if err := os.WriteFile(goldenFile, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	runFile(t, goldenFile, peer{"ClickHouse", ch}, "random", &counts{}, nil)
}

// TestRandom compares random statements between ClickHouse and all other engines at hand.
func TestRandom(t *testing.T) {
	if testing.Short() {
		t.Log("random statements are compared with their goldens only, in TestCorpus/random")
		return
	}
	ch := oracle.Start(t, oracle.ClickHouse)
	if ch == nil {
		return
	}
	reference := peer{"ClickHouse", ch}
	var others []engine
	if *serverFlag != "" {
		srv, err := olapd.Start(*serverFlag, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer srv.Stop()
		others = append(others, &session{olapd.Session{Server: srv, ID: "diff-random"}})
	}
	if duck := oracle.Start(t, oracle.DuckDB); duck != nil {
		others = append(others, peer{"DuckDB", duck})
	}
	for seed := *seedFlag; seed < *seedFlag+*seedsFlag; seed++ {
		t.Run(fmt.Sprintf("seed%d", seed), func(t *testing.T) { runSeed(t, seed, reference, others) })
	}
}

func runSeed(t *testing.T, seed uint64, reference engine, others []engine) {
	var g *generator
	for _, e := range append([]engine{reference}, others...) {
		clickhouse := e.name() != "DuckDB"
		if clickhouse {
			useDatabase(t, e, fmt.Sprintf("seed%d", seed))
		}
		if e == reference { // which computes max(x - 75) as max(x) - 75, and that of no rows is not 0
			mustRun(t, e, "SET optimize_arithmetic_operations_in_aggregate_functions = 0")
		}
		g = newGenerator(seed) // both dialects of a seed get the same rows
		setup := g.tables(clickhouse)
		if !clickhouse {
			setup = append([]string{"DROP TABLE IF EXISTS t0", "DROP TABLE IF EXISTS t1"}, setup...)
		}
		for _, sql := range setup {
			if got := mustRun(t, e, sql); got.code != 0 {
				t.Fatalf("%s: %s: %s", e.name(), sql, got.message)
			}
		}
	}
	for range *randomFlag {
		s := g.statement()
		for _, e := range others {
			if !differs(t, s, reference, e) {
				continue
			}
			s = minimise(t, s, reference, e)
			t.Errorf("seed %d: %s\nClickHouse:\n%s%s:\n%s", seed, s, mustRun(t, reference, s.String()), e.name(), show(mustRun(t, e, s.String())))
		}
	}
}

// show is an outcome with its error's text.
func show(o outcome) string { return o.String() + o.message }

func mustRun(t *testing.T, e engine, sql string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), statementTimeout)
	defer cancel()
	got, err := e.run(ctx, sql, "")
	if err != nil {
		t.Fatalf("%s: %s: %v", e.name(), sql, err)
	}
	return got
}

// differs reports whether e gives another result than the reference. What olapd does not
// implement and what DuckDB refuses, or means otherwise, is not a difference.
func differs(t *testing.T, s *statement, reference, e engine) bool {
	r := rules{sort: s.limit == 0, float: floatRelative, header: 2}
	if e.name() != "DuckDB" {
		got := mustRun(t, e, s.String())
		return got.code != notImplemented && !r.equal(mustRun(t, reference, s.String()).String(), got.String())
	}
	if !s.portable() {
		return false
	}
	want, got := mustRun(t, reference, s.String()), mustRun(t, e, s.String())
	if want.code != 0 || got.code != 0 {
		return false
	}
	return !r.equal(anyTypes(want.String()), anyTypes(got.String()))
}

// anyTypes blanks the line of types, which differ between the dialects.
func anyTypes(data string) string {
	lines := strings.Split(data, "\n")
	if len(lines) > 1 {
		lines[1] = ""
	}
	return strings.Join(lines, "\n")
}

// minimise removes parts of s as long as the engines still differ.
func minimise(t *testing.T, s *statement, reference, e engine) *statement {
	for {
		next := (*statement)(nil)
		for _, c := range s.smaller() {
			if differs(t, c, reference, e) {
				next = c
				break
			}
		}
		if next == nil {
			return s
		}
		s = next
	}
}
