package analyze

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/sqlerr"
)

// goldenCase is a statement and the columns (name, tab, type) or "error CODE" that ClickHouse answers.
type goldenCase struct {
	sql, want string
}

func readGolden(t testing.TB, path string) []goldenCase {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []goldenCase
	for _, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n>") {
		var sql, want []string
		for i, line := range strings.Split(">"+strings.TrimPrefix(block, ">"), "\n") {
			if rest, ok := strings.CutPrefix(line, "> "); ok && len(want) == 0 || i == 0 {
				sql = append(sql, rest)
			} else {
				want = append(want, line)
			}
		}
		out = append(out, goldenCase{strings.Join(sql, "\n"), strings.TrimSpace(strings.Join(want, "\n"))})
	}
	return out
}

// TestGolden compares names, types and error codes with ClickHouse's (testdata/golden.py writes them). Where
// olapd means to differ, testdata/deviations.golden says how.
func TestGolden(t *testing.T) {
	opts := testOptions(testCatalog(t))
	ours := map[string]string{}
	for _, c := range readGolden(t, "testdata/deviations.golden") {
		ours[c.sql] = c.want
	}
	files, _ := filepath.Glob("testdata/*.golden")
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".golden")
		if name == "deviations" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for _, c := range readGolden(t, f) {
				want := c.want
				if w, ok := ours[c.sql]; ok {
					want = w
				}
				if got := answer(c.sql, opts); got != want {
					t.Errorf("%s\ngot  %s\nwant %s", c.sql, got, strings.ReplaceAll(want, "\n", " | "))
				}
			}
		})
	}
}

func answer(sql string, opts Options) string {
	n, err := analyzeText(sql, opts)
	if err != nil {
		if os.Getenv("VERBOSE") != "" {
			return fmt.Sprintf("error %d %v", sqlerr.CodeOf(err), err)
		}
		return fmt.Sprintf("error %d", sqlerr.CodeOf(err))
	}
	var lines []string
	for _, f := range n.Schema() {
		lines = append(lines, f.Name+"\t"+f.Type.String())
	}
	return strings.Join(lines, "\n")
}
