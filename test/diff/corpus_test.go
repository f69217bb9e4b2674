package diff

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/olapd/olapd/test/olapd"
	"github.com/olapd/olapd/test/oracle"
)

var (
	serverFlag = flag.String("server", "", "olapd binary to start, or the URL of one that runs, to compare with the goldens")
	minFlag    = flag.Int("minqueries", 400, "fewest queries the corpus must have")
)

// statementTimeout bounds one statement of the corpus; all are small.
const statementTimeout = 20 * time.Second

func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	sum := &tally{}
	if *serverFlag != "" {
		srv, err := olapd.Start(*serverFlag, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer srv.Stop()
		k := readKnown(t)
		for _, file := range files {
			area := strings.TrimSuffix(filepath.Base(file), ".txt")
			t.Run(area, func(t *testing.T) {
				runFile(t, file, &session{olapd.Session{Server: srv, ID: "diff-" + area}}, area, sum.of(area), k)
			})
		}
		sum.log(t)
		if flag.Lookup("test.run").Value.String() == "" {
			k.report(t)
		}
		return
	}
	ch := oracle.Start(t, oracle.ClickHouse)
	if ch == nil && rewriting() {
		t.Fatal("goldens come from ClickHouse, which is not installed")
	}
	for _, file := range files {
		area := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(area, func(t *testing.T) {
			var e engine
			if ch != nil {
				e = peer{"ClickHouse", ch}
			}
			runFile(t, file, e, area, sum.of(area), nil)
		})
	}
	if n := sum.total().queries; n < *minFlag && !testing.Short() && flag.Lookup("test.run").Value.String() == "" {
		t.Errorf("the corpus has %d queries, want %d", n, *minFlag)
	}
	sum.log(t)
}

func rewriting() bool { return flag.Lookup("rewrite").Value.String() == "true" }

// runFile runs one corpus file; with a nil engine it only checks that the file parses. k is nil where no difference is accepted.
func runFile(t *testing.T, file string, e engine, area string, n *counts, k *known) {
	if e != nil {
		useDatabase(t, e, area)
	}
	var failures []string // reported at the end: datadriven stops at the first
	datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd != "exec" && d.Cmd != "query" {
			d.Fatalf(t, "unknown directive %q", d.Cmd)
		}
		n.queries += btoi(d.Cmd == "query")
		if e == nil {
			return d.Expected
		}
		ctx, cancel := context.WithTimeout(context.Background(), statementTimeout)
		defer cancel()
		r, format := parseRules(t, d)
		got, err := e.run(ctx, d.Input, format)
		if err != nil {
			t.Fatalf("%s: %v", d.Pos, err)
		}
		if rewriting() {
			if r.equal(d.Expected, terminated(got.String())) {
				return d.Expected // a different order or last digit is no reason for a diff
			}
			return got.String()
		}
		f := n.judge(d, e.name(), got, r)
		if f != "" && k != nil && k.accepts(area, d.Input) {
			n.differed--
			n.known++
			return d.Expected
		}
		if f != "" {
			failures = append(failures, f)
		}
		return d.Expected
	})
	for _, f := range failures {
		t.Error(f)
	}
}

// terminated is s as datadriven hands it back: ending in a line break.
func terminated(s string) string { return strings.TrimSuffix(s, "\n") + "\n" }

// useDatabase gives the session an empty database named after the area.
func useDatabase(t *testing.T, e engine, area string) {
	db := "diff_" + area
	statements := []string{"DROP DATABASE IF EXISTS " + db, "CREATE DATABASE " + db}
	s, isSession := e.(*session)
	if !isSession {
		statements = append(statements, "USE "+db)
	}
	for _, sql := range statements {
		ctx, cancel := context.WithTimeout(context.Background(), statementTimeout)
		got, err := e.run(ctx, sql, "")
		cancel()
		if err != nil || got.code != 0 {
			t.Fatalf("%s: %v %s", sql, err, got.message)
		}
	}
	if isSession {
		s.Database = db
	}
}

func parseRules(t *testing.T, d *datadriven.TestData) (r rules, format string) {
	r.header = 2
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "sort":
			r.sort = true
		case "float":
			f, err := strconv.ParseFloat(a.SingleVal(t), 64)
			if err != nil {
				d.Fatalf(t, "float: %v", err)
			}
			r.float = f
		case "format":
			format = a.SingleVal(t)
		default:
			d.Fatalf(t, "unknown argument %q", a.Key)
		}
	}
	return r, format
}

// counts is the score of one area.
type counts struct {
	queries, agreed, unsupported, known, differed int
	refused                                       []string // what is not implemented, with olapd's words
}

// judge compares one outcome with its golden, counts it and describes a difference.
func (n *counts) judge(d *datadriven.TestData, who string, got outcome, r rules) string {
	switch {
	case r.equal(d.Expected, terminated(got.String())):
		n.agreed++
	case got.code == notImplemented:
		n.unsupported++
		n.refused = append(n.refused, d.Input+"\n    "+got.message)
	default:
		n.differed++
		return fmt.Sprintf("%s: %s\n%s differs; want:\n%sgot:\n%s%s", d.Pos, d.Input, who, d.Expected, got, got.message)
	}
	return ""
}

// tally is the score by area.
type tally struct{ areas map[string]*counts }

func (s *tally) of(area string) *counts {
	if s.areas == nil {
		s.areas = map[string]*counts{}
	}
	if s.areas[area] == nil {
		s.areas[area] = &counts{}
	}
	return s.areas[area]
}

func (s *tally) total() (n counts) {
	for _, c := range s.areas {
		n.queries += c.queries
		n.agreed += c.agreed
		n.unsupported += c.unsupported
		n.known += c.known
		n.differed += c.differed
	}
	return n
}

func (s *tally) log(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, "%-24s %8s %8s %12s %6s %9s\n", "area", "queries", "agreed", "unsupported", "known", "differed")
	line := func(area string, c counts) {
		fmt.Fprintf(&b, "%-24s %8d %8d %12d %6d %9d\n", area, c.queries, c.agreed, c.unsupported, c.known, c.differed)
	}
	var areas []string
	for a := range s.areas {
		areas = append(areas, a)
	}
	sort.Strings(areas)
	for _, a := range areas {
		line(a, *s.areas[a])
	}
	line("total", s.total())
	for _, a := range areas {
		for _, r := range s.areas[a].refused {
			fmt.Fprintf(&b, "not implemented: %s: %s\n", a, r)
		}
	}
	t.Logf("\n%s", b.String())
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
