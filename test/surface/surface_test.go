package surface

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/test/olapd"
	"github.com/olapd/olapd/test/oracle"
)

var (
	serverFlag  = flag.String("server", "", "olapd binary to start, or the URL of one that runs")
	writeFlag   = flag.Bool("write", false, "write the sections of docs/compatibility.md")
	rewriteFlag = flag.Bool("rewrite", false, "take the goldens from ClickHouse again")
)

const (
	goldenFile   = "testdata/golden.tsv"
	variantFile  = "testdata/variants.tsv"
	acceptedFile = "testdata/accepted.tsv"

	// statementTimeout bounds one statement; all are small.
	statementTimeout = 20 * time.Second
	// maxShown is how many differences are printed whole.
	maxShown = 400
	// tolerance is the relative difference allowed between numbers: libraries of mathematics differ in the last digit.
	tolerance = 1e-12
)

// all reads every section.
func all(t *testing.T) []entry {
	var out []entry
	for _, s := range sections {
		list, err := readSection(s.file)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, list...)
	}
	return out
}

// allVariants are the statements of all variants, in order.
func allVariants(entries []entry) []string {
	var out []string
	seen := map[string]bool{}
	for _, e := range entries {
		for _, s := range variants(e) {
			if !seen[s] {
				seen[s] = true
				out = append(out, s)
			}
		}
	}
	return out
}

// asker runs statements in one engine.
type asker func(statement, format string) string

// templateFolder is where the files are that format_template_row and format_template_resultset name.
func templateFolder(t *testing.T) string {
	path, err := filepath.Abs("testdata/templates")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func askClickHouse(t *testing.T) asker {
	o := oracle.Start(t, oracle.ClickHouse)
	templates := templateFolder(t)
	if o == nil {
		t.Fatal("goldens come from ClickHouse, which is not installed")
	}
	return func(statement, format string) string {
		ctx, cancel := context.WithTimeout(context.Background(), statementTimeout)
		defer cancel()
		r, err := o.Query(ctx, expand(statement, "127.0.0.1", templates+"/"), format)
		var refused *oracle.Error
		if errors.As(err, &refused) {
			return fmt.Sprintf("error %d", refused.Code)
		}
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		return withoutProgress(string(r.Data), format)
	}
}

// withoutProgress leaves out how far a query is, and in what time, which is each server's own.
func withoutProgress(data, format string) string {
	if strings.HasSuffix(format, "WithProgress") {
		data, _, _ = strings.Cut(data, `{"progress"`)
	}
	return data
}

func askServer(t *testing.T) asker {
	if *serverFlag == "" {
		t.Skip("no server to ask: run `make surface`")
	}
	srv, err := olapd.Start(*serverFlag, t.TempDir(), "OLAPD_FORMAT_SCHEMAS="+templateFolder(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Stop)
	s := olapd.Session{Server: srv}
	return func(statement, format string) string {
		ctx, cancel := context.WithTimeout(context.Background(), statementTimeout)
		defer cancel()
		a, err := s.Run(ctx, expand(statement, srv.Native, ""), format)
		if err != nil {
			return "no answer: " + err.Error()
		}
		if a.Code != 0 {
			return fmt.Sprintf("error %d", a.Code)
		}
		return withoutProgress(a.Data, format)
	}
}

// TestNames walks the lists: what is said to run must go on running.
func TestNames(t *testing.T) {
	entries := all(t)
	if *rewriteFlag {
		ask, g := askClickHouse(t), goldens{}
		var statements []string
		for _, e := range entries {
			if _, done := g[key(e)]; !done {
				g[key(e)] = ask(e.statement, e.format)
				statements = append(statements, key(e))
			}
		}
		if err := g.write(goldenFile, statements); err != nil {
			t.Fatal(err)
		}
		return
	}
	g, err := readGoldens(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	ask := askServer(t)
	r := report{}
	for _, e := range entries {
		got := ask(e.statement, e.format)
		if filesOfTheirOwn[e.format] && !strings.HasPrefix(got, "error ") && sameContent(ask, e.format, got, g[key(e)]) {
			got = g[key(e)]
		}
		r.count(e, verdict(got, g[key(e)]))
		if !equal(got, g[key(e)]) {
			t.Logf("%s %s %s: %s\nwant %.300q\ngot  %.300q", e.section, e.tier, e.name, shorten(e.statement), g[key(e)], got)
		}
	}
	t.Log("\n" + r.summary())
	if *writeFlag {
		if err := r.write("../../docs/compatibility.md"); err != nil {
			t.Fatal(err)
		}
	}
	if lost := r.lost("../../docs/compatibility.md"); len(lost) > 0 {
		t.Errorf("docs/compatibility.md does not say that these fail: %s", strings.Join(lost, ", "))
	}
}

// key is what an entry's golden is filed under: the format is a part of what is asked.
func key(e entry) string {
	if e.format == "" {
		return e.statement
	}
	return e.statement + " -- " + e.format
}

// filesOfTheirOwn are formats whose bytes hold the writer's name or random marks, or are free in their order: what they say is compared.
var filesOfTheirOwn = map[string]bool{"Parquet": true, "Arrow": true, "ArrowStream": true, "Avro": true}

// sameContent says whether two files hold the same columns, types and rows, as the server reads them. That it reads ClickHouse's rightly is
// what the entries of input show; that ClickHouse reads olapd's, a test of internal/format.
func sameContent(ask asker, format, a, b string) bool {
	content := func(file string) string {
		return ask(fmt.Sprintf("SELECT * FROM format(%s, unhex('%x'))", format, file), "")
	}
	got := content(a)
	return !strings.HasPrefix(got, "error ") && got == content(b)
}

// verdict is what became of a statement.
func verdict(got, want string) string {
	switch {
	case equal(got, want) && !strings.HasPrefix(want, "error "):
		return runs
	case strings.HasPrefix(got, "error "):
		return "refused with code " + got[len("error "):]
	}
	return "differs"
}

// TestVariants compares all variants of the calls of functions.
func TestVariants(t *testing.T) {
	statements := allVariants(all(t))
	if *rewriteFlag {
		ask, g := askClickHouse(t), goldens{}
		for _, s := range statements {
			g[s] = ask(s, "")
		}
		if err := g.write(variantFile, statements); err != nil {
			t.Fatal(err)
		}
		return
	}
	g, err := readGoldens(variantFile)
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := readTSV(acceptedFile, 2)
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for _, a := range accepted {
		reasons[a[0]] = a[1]
	}
	ask := askServer(t)
	score := variantScore{}
	for _, s := range statements {
		want, ok := g[s]
		if !ok {
			t.Fatalf("no golden: run `make surface-rewrite`: %s", s)
		}
		got := ask(s, "")
		switch {
		case equal(got, want):
			score.agreed++
			if reasons[s] != "" {
				t.Errorf("%s agrees now: take it off %s", shorten(s), acceptedFile)
			}
		case got == "error 48":
			score.refused++
		case bothRefuse(got, want):
			score.otherCode++
		case reasons[s] != "":
			score.accepted++
		default:
			score.differed++
			if score.differed <= maxShown {
				t.Errorf("%s\nwant %.300q\ngot  %.300q", shorten(s), want, got)
			}
		}
	}
	t.Log(score.String())
	if *writeFlag {
		if err := score.write("../../docs/compatibility.md"); err != nil {
			t.Fatal(err)
		}
	}
}

// bothRefuse says that both engines refuse a statement, with other codes.
func bothRefuse(a, b string) bool {
	return strings.HasPrefix(a, "error ") && strings.HasPrefix(b, "error ")
}

func shorten(s string) string {
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return s
}

// equal compares two answers; numbers may differ by the tolerance.
func equal(a, b string) bool {
	if a == b {
		return true
	}
	if strings.HasPrefix(a, "error ") || strings.HasPrefix(b, "error ") {
		return false
	}
	isSep := func(c rune) bool { return strings.ContainsRune("\t\n,[](){}: ", c) }
	fa, fb := strings.FieldsFunc(a, isSep), strings.FieldsFunc(b, isSep)
	if len(fa) != len(fb) {
		return false
	}
	for i := range fa {
		if fa[i] == fb[i] {
			continue
		}
		x, errX := strconv.ParseFloat(fa[i], 64)
		y, errY := strconv.ParseFloat(fb[i], 64)
		if errX != nil || errY != nil || !strings.ContainsAny(fa[i], ".e") || !(math.Abs(x-y) <= tolerance*max(math.Abs(x), math.Abs(y))) {
			return false
		}
	}
	return true
}

func TestArguments(t *testing.T) {
	c, ok := callOf("SELECT f(g(1, 2), 'a,(', [1, 2]) FROM t", "f")
	if !ok || len(c.args) != 3 || c.args[0] != "g(1, 2)" || c.args[1] != "'a,('" {
		t.Errorf("%+v", c)
	}
	if c, ok = callOf("SELECT q(0.5)(x, y)", "q"); !ok || c.with([]string{"z"}) != "SELECT q(0.5)(z)" {
		t.Errorf("%+v", c)
	}
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(m.Run())
}
