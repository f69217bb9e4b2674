package format

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// TestFastValues holds the fast readers against the general parser: what they take, it reads as the same value, and what
// they leave has left no trace.
func TestFastValues(t *testing.T) {
	texts := []string{
		"", "-", "+1", "0", "-0", "007", "1", "-1", "127", "128", "-128", "-129", "255", "256", "32767", "32768", "65535", "65536", "2147483647", "2147483648",
		"4294967295", "4294967296", "999999999999999999", "-999999999999999999", "9223372036854775807", "18446744073709551615", "1.", ".5", "-.5", "0.5", "-0.0", "1.5.2",
		"0.1", "0.3", "123456.789012345", "999999999999999", "9999999999999999", "99999999999999.9", "1e5", "nan", "0x1p3", "1_0",
		"1970-01-01", "2026-02-28", "2026-02-29", "2024-02-29", "2100-02-29", "2149-06-06", "2149-06-07", "0000-01-01", "1900-01-01", "2026-13-01", "2026-00-10", "2026-04-31", "2026-4-3",
		"1970-01-01 00:00:00", "2026-03-29 02:30:00", "2026-10-25 02:30:00", "2106-02-07 06:28:15", "2106-02-07 06:28:16", "9999-12-31 23:59:59", "2026-01-01T00:00:00", "2026-01-01 24:00:00",
		"2026-01-01 00:60:00", "2026-01-01 00:00:60", "2026-02-30 00:00:00", "1234567890",
	}
	r := rand.New(rand.NewPCG(1, 2))
	const alphabet = "0123456789.-"
	for range 20000 {
		b := make([]byte, 1+r.IntN(20))
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		texts = append(texts, string(b))
	}
	for _, zone := range []string{"UTC", "Europe/Berlin"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		o := Defaults()
		o.Zone = loc
		for _, name := range []string{"UInt8", "UInt16", "UInt32", "UInt64", "Int8", "Int16", "Int32", "Int64", "Float64", "Float32", "Bool", "Date", "Date32", "DateTime", "DateTime64(3)",
			"DateTime('America/New_York')", "Decimal(9, 2)", "IPv4", "Enum8('1' = 2)", "Nullable(Int32)", "String"} {
			typ, err := types.Parse(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range texts {
				fast, slow := column.New(typ, 1), column.New(typ, 1)
				if !fastValue(fast, typ, []byte(text), &o) {
					if fast.Len() != 0 {
						t.Fatalf("%s %q: refused, but something was appended", name, text)
					}
					continue
				}
				if err := parseText(slow, typ, []byte(text), &o); err != nil {
					t.Fatalf("%s %q: taken, but the parser says %v", name, text, err)
				}
				got, want := valuetext.AppendText(nil, fast, 0, loc), valuetext.AppendText(nil, slow, 0, loc)
				if fast.Len() != 1 || string(got) != string(want) {
					t.Fatalf("%s %q in %s: %s, the parser reads %s", name, text, zone, got, want)
				}
			}
		}
	}
}
