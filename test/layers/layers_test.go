// Package layers holds the package table of ARCHITECTURE.md against the code: every package is in the table, imports
// only lower levels (or its own sub-packages and siblings named so), and every third-party module has its owners.
package layers

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/olapd/olapd/"

// pkg is what `go list` says of a package, with the module's prefix cut off.
type pkg struct {
	ImportPath string
	Imports    []string
}

// table is what ARCHITECTURE.md promises.
type table struct {
	level  map[string]int      // package or folder → level
	owners map[string][]string // third-party module → packages that may import it
}

// levelOf finds the level of a package by its longest listed prefix: sub-packages share their parent's line unless they have one.
func (t table) levelOf(p string) (int, string, bool) {
	for name := p; ; {
		if l, ok := t.level[name]; ok {
			return l, name, true
		}
		cut := strings.LastIndexByte(name, '/')
		if cut < 0 {
			return 0, "", false
		}
		name = name[:cut]
	}
}

// check returns what is wrong.
func (t table) check(pkgs []pkg) []string {
	var bad []string
	used := map[string]bool{}
	for _, p := range pkgs {
		level, line, ok := t.levelOf(p.ImportPath)
		if !ok {
			bad = append(bad, p.ImportPath+" is not in the table")
			continue
		}
		used[line] = true
		for _, im := range p.Imports {
			in, ours := strings.CutPrefix(im, module)
			if !ours {
				bad = append(bad, t.foreign(p.ImportPath, im)...)
				continue
			}
			l, other, ok := t.levelOf(in)
			if !ok || other == line || strings.HasPrefix(in, p.ImportPath+"/") {
				continue // not listed is said once; sub-packages belong to their parent
			}
			if l >= level {
				bad = append(bad, fmt.Sprintf("%s (level %d) imports %s (level %d)", p.ImportPath, level, in, l))
			}
		}
	}
	for name := range t.level {
		if !used[name] && !slices.ContainsFunc(pkgs, func(p pkg) bool { return strings.HasPrefix(p.ImportPath, name) }) {
			bad = append(bad, name+" is in the table, but there is no such package")
		}
	}
	slices.Sort(bad)
	return bad
}

func (t table) foreign(p, im string) []string {
	if !strings.Contains(strings.SplitN(im, "/", 2)[0], ".") {
		return nil // standard library
	}
	for m, owners := range t.owners {
		if im == m || strings.HasPrefix(im, m+"/") {
			for _, o := range owners {
				if p == o || strings.HasPrefix(p, o+"/") {
					return nil
				}
			}
			return []string{fmt.Sprintf("%s imports %s, which belongs to %s", p, im, strings.Join(owners, ", "))}
		}
	}
	return []string{fmt.Sprintf("%s imports %s, which has no owner in the table", p, im)}
}

// parse reads the two tables: | level | package | job | and | module | owners | …
func parse(r io.Reader) (table, error) {
	t := table{level: map[string]int{}, owners: map[string][]string{}}
	for s := bufio.NewScanner(r); s.Scan(); {
		cells := strings.Split(s.Text(), "|")
		if len(cells) < 4 {
			continue
		}
		first, second := strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
		level, err := strconv.Atoi(first)
		switch {
		case err == nil:
			for _, name := range quoted(second) {
				t.level[name] = level
			}
		case strings.HasPrefix(first, "`") && strings.Contains(first, "."):
			t.owners[quoted(first)[0]] = quoted(second)
		}
	}
	if len(t.level) == 0 || len(t.owners) == 0 {
		return t, fmt.Errorf("no tables found")
	}
	return t, nil
}

// quoted returns the words between backquotes.
func quoted(s string) []string {
	var out []string
	for i, part := range strings.Split(s, "`") {
		if i%2 == 1 {
			out = append(out, part)
		}
	}
	return out
}

func load(t *testing.T) (table, []pkg) {
	t.Helper()
	f, err := os.Open("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tab, err := parse(f)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Imports", "../../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var pkgs []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p pkg
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(p.ImportPath, module)
		pkgs = append(pkgs, p)
	}
	return tab, pkgs
}

func TestLayers(t *testing.T) {
	tab, pkgs := load(t)
	for _, bad := range tab.check(pkgs) {
		t.Error(bad)
	}
}

// The guard sees each kind of planted fault.
func TestGuardCatches(t *testing.T) {
	tab, pkgs := load(t)
	for name, planted := range map[string]pkg{
		"upward":    {"segment", []string{module + "query/exec"}},
		"sideways":  {"mergetree", []string{module + "query/plan"}},
		"foreign":   {"mergetree", []string{"github.com/hashicorp/raft"}},
		"ownerless": {"segment", []string{"example.com/left-pad"}},
		"unlisted":  {"utils", nil},
	} {
		if got := tab.check(append(slices.Clone(pkgs), planted)); len(got) <= len(tab.check(pkgs)) {
			t.Errorf("%s: the planted fault was not seen", name)
		}
	}
}
