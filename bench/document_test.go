package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocumentsAreUpToDate holds the tables of the documents to the last results: `bench report`
// makes them, nobody types them.
func TestDocumentsAreUpToDate(t *testing.T) {
	root := ".."
	for _, path := range documents {
		old, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(old), sectionBegin) {
			t.Errorf("%s has no section", path)
		}
		text, err := fillSections(string(old), filepath.Join(root, resultsDir))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if text != string(old) {
			t.Errorf("%s is not what the last results say: run `go run ./bench report`", path)
		}
	}
}

func TestEverySectionIsInADocument(t *testing.T) {
	var all strings.Builder
	for _, path := range documents {
		text, err := os.ReadFile(filepath.Join("..", path))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, s := range sections {
		if !strings.Contains(all.String(), sectionBegin+s.name+sectionClose) {
			t.Errorf("section %s is in no document", s.name)
		}
	}
}

func TestFillSections(t *testing.T) {
	results := t.TempDir()
	for _, c := range []struct{ in, want string }{
		{"a\n", "a\n"},
		{"a\n<!-- bench memory -->\nold\nold\n<!-- bench end -->\nb\n", "a\n<!-- bench memory -->\n\nNo run is recorded: `go run ./bench memory`.\n\n<!-- bench end -->\nb\n"},
	} {
		got, err := fillSections(c.in, results)
		if err != nil || got != c.want {
			t.Errorf("%q: %q %v", c.in, got, err)
		}
		again, err := fillSections(got, results)
		if err != nil || again != got {
			t.Errorf("%q: not stable: %q %v", c.in, again, err)
		}
	}
	for _, bad := range []string{"<!-- bench memory -->\n", "<!-- bench nothing -->\n<!-- bench end -->\n"} {
		if _, err := fillSections(bad, results); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestTable(t *testing.T) {
	tab := table{header: []string{"a", "ms"}}
	tab.add("×", "1.00")
	tab.fail("Code: 48\nmore", "long name")
	want := "| a         |     ms |\n|-----------|-------:|\n| ×         |   1.00 |\n| long name | failed |\n\nlong name: Code: 48.\n"
	if got := tab.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1000: "-1,000", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
