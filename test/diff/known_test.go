package diff

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"
)

// knownFile lists the differences from ClickHouse that are accepted for now, each with its reason.
const knownFile = "testdata/known_differences.tsv"

// known are the accepted differences by area and statement. They are counted apart and shown, and so are entries
// that no statement needs any more, to be removed.
type known struct {
	reasons map[string]string
	used    map[string]int
}

func knownKey(area, statement string) string { return area + "\t" + strings.TrimSpace(statement) }

// readKnown reads lines of area, statement (line breaks as spaces) and reason, separated by tabs; # begins a comment.
func readKnown(t *testing.T) *known {
	text, err := os.ReadFile(knownFile)
	if err != nil {
		t.Fatal(err)
	}
	k := &known{reasons: map[string]string{}, used: map[string]int{}}
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 3 || f[2] == "" {
			t.Fatalf("%s:%d: want area, statement and reason", knownFile, i+1)
		}
		k.reasons[knownKey(f[0], f[1])] = f[2]
	}
	return k
}

// accepts reports whether the difference of a statement is a known one.
func (k *known) accepts(area, statement string) bool {
	key := knownKey(area, strings.ReplaceAll(statement, "\n", " "))
	if k.reasons[key] == "" {
		return false
	}
	k.used[key]++
	return true
}

// report shows the known differences met, and the entries that agree by now.
func (k *known) report(t *testing.T) {
	var b strings.Builder
	var stale []string
	for key, reason := range k.reasons {
		if k.used[key] == 0 {
			stale = append(stale, key)
			continue
		}
		fmt.Fprintf(&b, "%s\n    %s\n", key, reason)
	}
	if b.Len() > 0 {
		t.Logf("known differences:\n%s", b.String())
	}
	sort.Strings(stale)
	for _, key := range stale {
		t.Logf("%s: this does not differ any more, remove it: %s", knownFile, key)
	}
}
