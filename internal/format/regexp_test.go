package format

import (
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/sqlerr"
)

func TestRegexp(t *testing.T) {
	s := schemaOf(t, "n", "UInt8", "s", "String", "x", "Nullable(Int32)")
	for _, c := range []struct {
		pattern, rule, in, want string
		skip                    bool
		code                    sqlerr.Code
	}{
		{pattern: `(\d+) (\S+) (\S+)`, rule: "Escaped", in: "1 a\\tb \\N\r\n2 c 5", want: `{"n":1,"s":"a\tb","x":null}` + "\n" + `{"n":2,"s":"c","x":5}` + "\n"},
		{pattern: `(\d+) (\S*) (\S+)`, rule: "Raw", in: "1 a\\tb 7\n", want: `{"n":1,"s":"a\\tb","x":7}` + "\n"},
		{pattern: `(\d+) (.+) (\S+)`, rule: "Quoted", in: "1 'a\\'b' NULL\n", want: `{"n":1,"s":"a'b","x":null}` + "\n"},
		{pattern: `(\d+);(.+);(\S+)`, rule: "CSV", in: "1;\"a\"\"b,\";3\n", want: `{"n":1,"s":"a\"b,","x":3}` + "\n"},
		{pattern: `(\d+) (".+") (\S+)`, rule: "JSON", in: "1 \"a\\n\" null\n", want: `{"n":1,"s":"a\n","x":null}` + "\n"},
		{pattern: `(\d+) (\S+) (\S+)`, rule: "Raw", in: strings.Repeat("no\n", 1<<20) + "1 a 2", skip: true, want: `{"n":1,"s":"a","x":2}` + "\n"},
		{pattern: `(\d+) (\S+) (\S+)`, rule: "Raw", in: "no\n1 a 2\nno", skip: true, want: `{"n":1,"s":"a","x":2}` + "\n"},
		{pattern: `(\d+) (\S+) (\S+)`, rule: "Raw", in: "1 a 2 and more\n", code: sqlerr.IncorrectData},
		{pattern: `(\d+) (\S+)`, rule: "Raw", in: "1 a\n", code: sqlerr.IncorrectData},
		{pattern: `(`, rule: "Raw", code: sqlerr.BadArguments},
		{rule: "Raw", code: sqlerr.BadArguments},
		{pattern: `(\d+) (\S+) (\S+)`, rule: "XML", code: sqlerr.BadArguments},
	} {
		o := Defaults()
		o.Regexp, o.RegexpRule, o.RegexpSkip = c.pattern, c.rule, c.skip
		got, err := readFile(t, "Regexp", []byte(c.in), s, o, 10)
		if sqlerr.CodeOf(err) != c.code && (err != nil || c.code != 0) || got != c.want {
			t.Errorf("%s of %.50q as %s: got %s (%v), want %s (%d)", c.pattern, c.in, c.rule, got, err, c.want, c.code)
		}
	}
}
