package format

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// TestPlainFields holds what is read in place to the parser of valuetext: numbers of every length, at the bounds of each type.
func TestPlainFields(t *testing.T) {
	texts := []string{"", "-", "0", "-0", "00000000", "127", "128", "-128", "-129", "255", "256", "65535", "65536", "4294967295", "4294967296", "9223372036854775807",
		"9223372036854775808", "-9223372036854775808", "9999999999999999999", "10000000000000000000", "18446744073709551615", "18446744073709551616", "12345678x",
		"1234567:", "/2345678", "12345678.5", "0.99", "-12.5", "1e5", "+1", " 1"}
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 21 {
		for range 20 {
			text := ""
			for range n {
				text += fmt.Sprint(r.IntN(10))
			}
			texts = append(texts, text, "-"+text)
		}
	}
	o := Defaults()
	for _, name := range []string{"UInt8", "UInt16", "UInt32", "UInt64", "Int8", "Int16", "Int32", "Int64", "Float64"} {
		typ, err := types.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		field := plainFields(column.Schema{{Name: "x", Type: typ}}, &o)[0]
		for _, text := range texts {
			fast, slow := column.New(typ, 1), column.New(typ, 1)
			n := field.take(fast, []byte(text+",12345678"), jsonEnds)
			if n == 0 {
				if fast.Len() != 0 {
					t.Fatalf("%s %q: refused, but something was appended", name, text)
				}
				continue
			}
			if err := parseText(slow, typ, []byte(text), &o); err != nil {
				t.Fatalf("%s %q: taken, but the parser says %v", name, text, err)
			}
			got, want := valuetext.AppendText(nil, fast, 0, o.Zone), valuetext.AppendText(nil, slow, 0, o.Zone)
			if n != len(text) || string(got) != string(want) {
				t.Fatalf("%s %q: %d bytes, %s; the parser reads %s", name, text, n, got, want)
			}
		}
	}
}
