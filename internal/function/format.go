package function

import (
	"bytes"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(&Scalar{Name: "format", MinArgs: 2, MaxArgs: -1, ConstArgs: []int{0}, Resolve: resolveFormat, Eval: evalFormat, Family: "strings", Doc: "Fills a pattern of {} or {0} with its arguments.", Example: "format('{}-{}', 'a', 'b') → a-b"})
}

func resolveFormat(_ *Env, args []Arg) (*types.Type, error) {
	pattern, ok := constString(args, 0)
	if !ok {
		return nil, illegal("format", 0, args[0].Type)
	}
	_, err := parseFormat([]byte(pattern), len(args)-1)
	return types.TString, err
}

// formatPart is text, or argument arg if text is nil.
type formatPart struct {
	text []byte
	arg  int
}

func parseFormat(s []byte, n int) ([]formatPart, error) {
	var parts []formatPart
	var text []byte
	next, plain, numbered := 0, false, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '{' && c != '}' || i+1 < len(s) && s[i+1] == c {
			if c == '{' || c == '}' {
				i++
			}
			text = append(text, c)
			continue
		}
		end := bytes.IndexByte(s[i:], '}')
		if c == '}' || end < 0 {
			return nil, sqlerr.New(sqlerr.BadArguments, "Unbalanced braces in the pattern of function format")
		}
		if i+end+1 < len(s) && s[i+end+1] == '}' { // a doubled brace stands for itself here too
			return nil, sqlerr.New(sqlerr.BadArguments, "Not a number in curly braces at position %d", i+1)
		}
		arg := next
		if inside := s[i+1 : i+end]; len(inside) > 0 {
			numbered, arg = true, 0
			for _, d := range inside {
				if d-'0' > 9 || arg > n {
					return nil, sqlerr.New(sqlerr.BadArguments, "Not a number in curly braces: %q", inside)
				}
				arg = arg*10 + int(d-'0')
			}
		} else {
			plain = true
			next++
		}
		if plain && numbered {
			return nil, sqlerr.New(sqlerr.BadArguments, "Cannot switch between automatic and manual numbering in function format")
		}
		if arg >= n {
			return nil, sqlerr.New(sqlerr.BadArguments, "Argument %d of the pattern is too big for the %d arguments of function format", arg, n)
		}
		if text != nil {
			parts, text = append(parts, formatPart{text: text}), nil
		}
		parts = append(parts, formatPart{arg: arg})
		i += end
	}
	if text != nil {
		parts = append(parts, formatPart{text: text})
	}
	return parts, nil
}

func evalFormat(c *Call) (column.Vector, error) {
	parts, err := parseFormat(stringsOf(c.Args[0]).row(0), len(c.Args)-1)
	if err != nil {
		return nil, err
	}
	args, err := texts(c, c.Args[1:])
	if err != nil {
		return nil, err
	}
	out := stringResult(c)
	for i := range c.Rows {
		for _, p := range parts {
			b := p.text
			if b == nil {
				b = args[p.arg].row(i)
			}
			out.Data = append(out.Data, b...)
		}
		if err := c.endBounded(out, "format"); err != nil {
			return nil, err
		}
	}
	return out, nil
}
