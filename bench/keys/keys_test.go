package keys

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

// TestGoldenBytes holds the generator to the same bytes on every machine. A change of this
// hash makes all recorded benchmark results incomparable: change it knowingly.
func TestGoldenBytes(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, 42, 5000); err != nil {
		t.Fatal(err)
	}
	h := sha256.Sum256(b.Bytes())
	if got, want := hex.EncodeToString(h[:8]), "35fb594f8a95f08f"; got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}

// TestDistinct checks how many values the columns have.
func TestDistinct(t *testing.T) {
	const rows = 300_000
	var b bytes.Buffer
	if err := Write(&b, 1, rows); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	seen := make([]map[string]bool, strings.Count(CreateDuckDB, "NOT NULL"))
	for _, l := range lines {
		fields := strings.Split(l, "\t")
		if len(fields) != len(seen) {
			t.Fatalf("%q has %d fields, want %d", l, len(fields), len(seen))
		}
		for i, f := range fields {
			if seen[i] == nil {
				seen[i] = map[string]bool{}
			}
			seen[i][f] = true
		}
	}
	if len(lines) != rows {
		t.Fatalf("%d rows, want %d", len(lines), rows)
	}
	for i, want := range []int{rows, rows / rowsPerUser, cities, rows / rowsPerUser, rows / rowsPerURL, rows, maxAmount} {
		if got := len(seen[i]); got > want || got < want*9/10 {
			t.Errorf("column %d has %d values, want about %d", i, got, want)
		}
	}
}
