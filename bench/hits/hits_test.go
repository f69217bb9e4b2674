package hits

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"regexp"
	"testing"
)

// TestGoldenBytes holds the generator to the same bytes on every machine. A change of these
// hashes makes all recorded benchmark results incomparable: change them knowingly.
func TestGoldenBytes(t *testing.T) {
	golden := map[Format]string{
		TSV:         "95e24a7d79ae1bb2",
		CSV:         "76f400e559e23240",
		JSONEachRow: "ee48791672cfe19f",
		RowBinary:   "2d559e77ecc20f52",
	}
	for f, want := range golden {
		h := sha256.New()
		if err := Write(h, New(42, 5000), f); err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(h.Sum(nil)[:8]); got != want {
			t.Errorf("format %d: hash %s, want %s", f, got, want)
		}
	}
}

func TestSeedsDiffer(t *testing.T) {
	var a, b bytes.Buffer
	if err := Write(&a, New(1, 10), TSV); err != nil {
		t.Fatal(err)
	}
	if err := Write(&b, New(2, 10), TSV); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two seeds gave the same rows")
	}
}

// TestInvariants checks what the loader and the queries lean on.
func TestInvariants(t *testing.T) {
	const rows = 200_000
	g := New(7, rows)
	watch := make(map[int64]bool, rows)
	urlOf := map[int64]string{}
	var hotURL, hotReferer, user, phrases int
	for r := g.Next(); r != nil; r = g.Next() {
		if watch[r.Ints[WatchID]] {
			t.Fatalf("WatchID %d twice", r.Ints[WatchID])
		}
		watch[r.Ints[WatchID]] = true
		if u, ok := urlOf[r.Ints[URLHash]]; ok && u != string(r.Strings[URL]) {
			t.Fatalf("URLHash %d for %q and %q", r.Ints[URLHash], u, r.Strings[URL])
		}
		urlOf[r.Ints[URLHash]] = string(r.Strings[URL])
		checkTypes(t, r)
		if r.Ints[EventDate] != r.Ints[EventTime]/secondsOfDay {
			t.Fatalf("EventDate %d, EventTime %d", r.Ints[EventDate], r.Ints[EventTime])
		}
		hotURL += count(r.Ints[URLHash] == queryURLHash)
		hotReferer += count(r.Ints[RefererHash] == queryRefererHash)
		user += count(r.Ints[UserID] == queryUser)
		phrases += count(len(r.Strings[SearchPhrase]) > 0)
	}
	if hotURL < 3000 || hotReferer < 1000 || user == 0 || phrases < rows/10 || phrases > rows/6 {
		t.Errorf("hot URL %d, hot referer %d, user %d, phrases %d", hotURL, hotReferer, user, phrases)
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// checkTypes checks that every number fits its column and no string needs escaping in TSV.
func checkTypes(t *testing.T, r *Row) {
	t.Helper()
	for i, c := range Columns {
		v := r.Ints[i]
		switch {
		case c.Kind == Int16 && v != int64(int16(v)), c.Kind == Int32 && v != int64(int32(v)):
			t.Fatalf("%s: %d does not fit", c.Name, v)
		case c.Kind == Date && (v < june30 || v > august2):
			t.Fatalf("%s: day %d", c.Name, v)
		case c.Kind == String && bytes.ContainsAny(r.Strings[i], "\t\n\r\\\x00"):
			t.Fatalf("%s: %q", c.Name, r.Strings[i])
		}
	}
}

func TestDDLMatchesColumns(t *testing.T) {
	for _, ddl := range []string{CreateClickHouse, CreateDuckDB} {
		names := regexp.MustCompile(`(?m)^    (\w+) .* NOT NULL`).FindAllStringSubmatch(ddl, -1)
		if len(names) != NumColumns {
			t.Fatalf("%d columns in the DDL, want %d", len(names), NumColumns)
		}
		for i, c := range Columns {
			if names[i][1] != c.Name {
				t.Errorf("column %d is %s in the DDL, want %s", i, names[i][1], c.Name)
			}
		}
	}
}

func TestParseFormat(t *testing.T) {
	for name, want := range map[string]Format{"tsv": TSV, "csv": CSV, "jsoneachrow": JSONEachRow, "rowbinary": RowBinary} {
		if got, err := ParseFormat(name); err != nil || got != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := ParseFormat("orc"); err == nil {
		t.Error("orc accepted")
	}
}

func BenchmarkWrite(b *testing.B) {
	for name, f := range map[string]Format{"tsv": TSV, "jsoneachrow": JSONEachRow, "rowbinary": RowBinary} {
		b.Run(name, func(b *testing.B) {
			if err := Write(io.Discard, New(1, int64(b.N)), f); err != nil {
				b.Fatal(err)
			}
		})
	}
}
