package ssb

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
	h := sha256.New()
	if err := Write(h, New(42, 5000)); err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(h.Sum(nil)[:8]), "c5b429ee925611f7"; got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}

// TestShape checks that every row has the table's columns and that the constants of the queries exist.
func TestShape(t *testing.T) {
	const rows = 100_000
	var b bytes.Buffer
	if err := Write(&b, New(1, rows)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != rows {
		t.Fatalf("%d rows, want %d", len(lines), rows)
	}
	columns := strings.Count(CreateDuckDB, "NOT NULL")
	seen := map[string]bool{}
	for i, l := range lines {
		fields := strings.Split(l, "\t")
		if len(fields) != columns {
			t.Fatalf("row %d has %d fields, want %d", i, len(fields), columns)
		}
		for _, f := range fields {
			seen[f] = true
		}
	}
	for _, want := range []string{"1992-01-01", "1998-08-02", "AMERICA", "UNITED KI1", "UNITED KI5", "UNITED STATES", "MFGR#12", "MFGR#14", "MFGR#2221", "MFGR#2228", "MFGR#2239"} {
		if !seen[want] {
			t.Errorf("no row holds %q", want)
		}
	}
}
