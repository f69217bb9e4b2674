package query

import (
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestSpreadCorpus runs the statements of the corpus that is held against ClickHouse on one node and over shards, and compares.
func TestSpreadCorpus(t *testing.T) {
	files, err := filepath.Glob("../test/diff/testdata/corpus/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for i, file := range files {
		area := strings.TrimSuffix(filepath.Base(file), ".txt")
		if area == "ddl" {
			continue // the store of this test does not convert what ALTER has changed the type of
		}
		layout := []string{"one shard here", "none here"}[i%2]
		t.Run(area, func(t *testing.T) {
			one, many := newHarness(t), newSpread(t, layouts[layout]...)
			datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
				want, got := one.run(Query{Text: d.Input}), many.run(Query{Text: d.Input})
				if !agree(d.Input, want, got) {
					t.Errorf("%s: %s\none node:\n%sover shards:\n%s", d.Pos, d.Input, want, got)
				}
				return d.Expected
			})
		})
	}
}

// anyAnswer are queries whose answer depends on the order of rows, or on where they are.
var anyAnswer = []string{" any ", "any(", "anystate(", "anylast(", "first_value(", "grouparray(", "rownumberinallblocks("}

// agree reports whether two answers are the same up to the order of rows, the last digits of sums of floats and the words of an error.
func agree(sql, want, got string) bool {
	if want == got || sameRows(want, got) || errorCode(want) != "" && errorCode(want) == errorCode(got) {
		return true
	}
	if slices.ContainsFunc(anyAnswer, func(s string) bool { return strings.Contains(strings.ToLower(sql), s) }) {
		return true
	}
	x, y := strings.FieldsFunc(want, separator), strings.FieldsFunc(got, separator)
	slices.Sort(x)
	slices.Sort(y)
	return slices.EqualFunc(x, y, near)
}

func separator(r rune) bool { return strings.ContainsRune("\t\n,()[]", r) }

func near(a, b string) bool {
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return a == b || err1 == nil && err2 == nil && math.Abs(x-y) <= 1e-9*math.Max(math.Abs(x), math.Abs(y))
}

func errorCode(s string) string {
	if code, _, ok := strings.Cut(s, "."); ok && strings.HasPrefix(code, "Code: ") {
		return code
	}
	return ""
}
