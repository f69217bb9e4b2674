package analyze

import (
	"errors"
	"sort"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
)

// maxHints is how many names a message offers, as ClickHouse does.
const maxHints = 2

// maybe returns " Maybe you meant: [...]" with the known names that are few typing errors away, or "".
func maybe(name string, known []string) string {
	type near struct {
		name     string
		distance int
	}
	limit := 1 + len(name)/4 // a quarter of the letters may be wrong
	var found []near
	seen := map[string]bool{name: true}
	for _, k := range known {
		if seen[k] || len(k) > len(name)+limit || len(name) > len(k)+limit {
			continue
		}
		seen[k] = true
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d <= limit {
			found = append(found, near{k, d})
		}
	}
	if len(found) == 0 {
		return ""
	}
	sort.Slice(found, func(i, j int) bool {
		if found[i].distance != found[j].distance {
			return found[i].distance < found[j].distance
		}
		return found[i].name < found[j].name
	})
	var parts []string
	for _, f := range found[:min(len(found), maxHints)] {
		parts = append(parts, "'"+f.name+"'")
	}
	return ". Maybe you meant: [" + strings.Join(parts, ",") + "]"
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

// at gives an error with a code the place in the text it speaks of, unless it has one.
func at(err error, n ast.Node) error {
	var e *sqlerr.Error
	if err == nil || !errors.As(err, &e) || e.Pos >= 0 || n.Span().End == 0 {
		return err
	}
	return &sqlerr.Error{Code: e.Code, Msg: e.Msg, Pos: n.Span().Start, Cause: e.Cause}
}
