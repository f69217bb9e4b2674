package client

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzScript cuts and colours any text: it ends, it invents nothing, and reading in small pieces gives the same statements.
func FuzzScript(f *testing.F) {
	for _, text := range []string{
		"", ";", ";;;", "SELECT 1", "SELECT ';' ; SELECT 2", `SELECT 1\G SELECT 2\G`, "-- only a comment", "/* open", "SELECT 'open", "a\\", `\G`,
		"INSERT INTO t VALUES (1, ';'), (2, 'x'); SELECT 1", "INSERT INTO t FORMAT CSV\n1,2\n\nSELECT 1", "INSERT INTO t FORMAT CSV 1;\n;", "INSERT INTO t FORMAT CSV\n;\n",
		"INSERT INTO t FORMAT TSV\n\n\n", "SELECT `;`;\"", "$a$;$a$;", "SELECT 1 // ;\n;2", "\xff;\x00;é",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cut := func(s *script) (list []string) {
			for range len(text) + 1 {
				st, err := s.next()
				if errors.Is(err, io.EOF) {
					return list
				}
				if err != nil {
					t.Fatal(err)
				}
				if st.rest != nil || !strings.Contains(text, st.text) || st.text == "" {
					t.Fatalf("%q gives %q", text, st.text)
				}
				list = append(list, st.text)
			}
			t.Fatalf("%q has no end", text)
			return nil
		}
		whole, pieces := cut(textScript(text)), cut(newScript(iotest.OneByteReader(strings.NewReader(text))))
		if strings.Join(whole, "\x01") != strings.Join(pieces, "\x01") {
			t.Errorf("%q: %q whole, %q in pieces", text, whole, pieces)
		}
		complete(text)
		completions(text, text, names{}, "")
		if got := highlight(text); !strings.Contains(text, "\x1b") && len(got) < len(text) {
			t.Errorf("%q became %q", text, got)
		}
		takeClause(text, "INTO", "OUTFILE", "COMPRESSION", "LEVEL")
	})
}
