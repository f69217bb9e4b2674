// Package surface measures how much of ClickHouse's SQL surface runs.
//
// testdata/SECTION.tsv lists names: tier (T1 what must work, T2 what is expected soon after, T3 what is nice to have), name, a
// statement that uses it, and the format of the answer where that matters. testdata/golden.tsv holds what ClickHouse
// answers to each, taken by `make surface-rewrite` and from nowhere else. A name runs if its statement answers what ClickHouse does; else it
// differs, or is refused with an error code. `make surface` walks the lists and writes the shares into docs/compatibility.md.
//
// variants.go makes more statements of those of functions: each argument NULL, empty, extreme, of a wrong type, in a column, and calls
// with too few and too many. Their goldens are testdata/variants.tsv; differences that are accepted stand in testdata/accepted.tsv with reasons.
package surface

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// sections are the lists, in the order of the report.
var sections = []struct{ file, title string }{
	{"types", "Data types"},
	{"functions", "Scalar functions"},
	{"aggregates", "Aggregate functions"},
	{"combinators", "Combinators of aggregate functions"},
	{"window", "Window functions"},
	{"table_functions", "Table functions"},
	{"formats", "Formats"},
	{"settings", "Settings"},
}

// entry is a name of the surface and the statement that shows it.
type entry struct {
	section, tier, name, statement, format string
}

// rows is what {rows} stands for in statements: the data that aggregate functions are shown with.
const rows = "(SELECT number AS n, number % 5 AS k, if(number % 7 = 0, NULL, toInt32(number) - 5) AS x, toString(number % 6) AS s, " +
	"toFloat64(number) / 4 AS f, toDateTime(1000 + number * 10, 'UTC') AS t FROM numbers(20))"

// expand is a statement as it is run by a server whose own address, for the native protocol, is self, and that finds files of templates behind
// the path templates.
func expand(statement, self, templates string) string {
	return strings.NewReplacer("{rows}", rows, "{self}", self, "{templates}", templates).Replace(statement)
}

// maxLine bounds a line of the lists: the longest hold a whole file of a format as hexadecimal digits.
const maxLine = 1 << 20

// readTSV returns the fields of each line of a file; # begins a comment.
func readTSV(path string, fields int) ([][]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("surface: %w", err)
	}
	defer f.Close()
	var out [][]string
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		row := strings.Split(line, "\t")
		if len(row) < fields {
			return nil, fmt.Errorf("surface: %s:%d: %d fields, want %d", path, n, len(row), fields)
		}
		out = append(out, row)
	}
	return out, lines.Err()
}

// readSection returns the entries of a list.
func readSection(section string) ([]entry, error) {
	lines, err := readTSV(filepath.Join("testdata", section+".tsv"), 3)
	if err != nil {
		return nil, err
	}
	var out []entry
	for _, r := range lines {
		e := entry{section: section, tier: r[0], name: r[1], statement: r[2]}
		if len(r) > 3 {
			e.format = r[3]
		}
		out = append(out, e)
	}
	return out, nil
}

// goldens are outcomes by statement: data, or "error CODE".
type goldens map[string]string

func readGoldens(path string) (goldens, error) {
	lines, err := readTSV(path, 2)
	if err != nil {
		return nil, err
	}
	g := goldens{}
	for _, r := range lines {
		text, err := strconv.Unquote(r[1])
		if err != nil {
			return nil, fmt.Errorf("surface: %s: %q: %w", path, r[1], err)
		}
		g[r[0]] = text
	}
	return g, nil
}

// write stores the outcomes of statements in their order.
func (g goldens) write(path string, statements []string) error {
	var b strings.Builder
	for _, s := range statements {
		fmt.Fprintf(&b, "%s\t%s\n", s, strconv.Quote(g[s]))
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("surface: %w", err)
	}
	return nil
}
