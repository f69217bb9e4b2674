package function

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(&Scalar{Name: "printf", MinArgs: 1, MaxArgs: -1, Resolve: fixed("printf", types.TString, isText, anyOf(isStr, isPlainNum)), Eval: evalPrintf, Family: "strings", Doc: "Writes its arguments in a format of C's printf.", Example: "printf('%05.1f %s %x', 1.25, 'a', 255) → 001.2 a ff"})
}

// printfSpec is one conversion of a format, or text if verb is 0.
type printfSpec struct {
	text             []byte
	flags            []byte
	width, precision int // -1: not given
	size             int // of integers, in bits
	verb             byte
}

// maxPrintfWidth bounds what a format pads to.
const maxPrintfWidth = 1_000_000

// parsePrintf takes a format apart; ok is false if a conversion has no end.
func parsePrintf(f []byte) (specs []printfSpec, n int, ok bool) {
	var text []byte
	for i := 0; i < len(f); i++ {
		if f[i] != '%' {
			text = append(text, f[i])
			continue
		}
		if i++; i < len(f) && f[i] == '%' {
			text = append(text, '%')
			continue
		}
		if len(text) > 0 {
			specs, text = append(specs, printfSpec{text: text}), nil
		}
		p := printfSpec{width: -1, precision: -1, size: 64}
		for i < len(f) && bytes.IndexByte([]byte("-+ #0"), f[i]) >= 0 {
			p.flags = append(p.flags, f[i])
			i++
		}
		p.width, i = printfNumber(f, i)
		if i < len(f) && f[i] == '.' {
			if p.precision, i = printfNumber(f, i+1); p.precision < 0 {
				p.precision = 0
			}
		}
		for i < len(f) && bytes.IndexByte([]byte("hlzjtL"), f[i]) >= 0 {
			if f[i] == 'h' {
				p.size = max(8, min(p.size, 32)/2)
			}
			i++
		}
		if i >= len(f) || f[i] == '%' || max(p.width, p.precision) > maxPrintfWidth {
			return nil, 0, false
		}
		p.verb = f[i]
		specs, n = append(specs, p), n+1
	}
	if len(text) > 0 {
		specs = append(specs, printfSpec{text: text})
	}
	return specs, n, true
}

// printfNumber reads digits; the number is -1 if there are none, and more than is allowed if there are too many.
func printfNumber(f []byte, i int) (x, next int) {
	x = -1
	for ; i < len(f) && f[i]-'0' < 10; i++ {
		x = min(max(x, 0)*10+int(f[i]-'0'), maxPrintfWidth+1)
	}
	return x, i
}

func evalPrintf(c *Call) (column.Vector, error) {
	format, out := stringsOf(c.Args[0]), stringResult(c)
	args := make([]printfArg, len(c.Args))
	for k := range args {
		args[k] = newPrintfArg(c.Args[k], c.Types[k], c.Rows)
	}
	var specs []printfSpec
	for i := range c.Rows {
		f := format.row(i)
		if i == 0 || !format.isConst() {
			n, ok := 0, false
			specs, n, ok = parsePrintf(f)
			if !ok || n != len(c.Args)-1 || len(f) == 0 {
				return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Number of arguments for function printf doesn't match: passed %d, but format is %.100s", len(c.Args), f)
			}
		}
		arg := 0
		for _, p := range specs {
			if p.verb == 0 {
				out.Data = append(out.Data, p.text...)
				continue
			}
			arg++
			if err := c.checkSize(out, int64(max(p.width, p.precision, 0)), "printf"); err != nil {
				return nil, err
			}
			var ok bool
			if out.Data, ok = p.append(out.Data, &args[arg], i); !ok {
				return nil, sqlerr.New(sqlerr.BadArguments, "Bad format %.100s in function printf: %%%c does not take %s", f, p.verb, c.Types[arg])
			}
		}
		if err := c.endBounded(out, "printf"); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// printfArg is an argument as one of the three kinds that conversions take.
type printfArg struct {
	kind   byte // 's', 'f' or 'd'
	texts  strArg
	floats broadcast[float64]
	ints   broadcast[int64]
}

func newPrintfArg(v column.Vector, t *types.Type, rows int) printfArg {
	switch {
	case t.IsString():
		return printfArg{kind: 's', texts: stringsOf(v)}
	case t.IsFloat():
		return printfArg{kind: 'f', floats: numArg[float64](v, rows)}
	}
	return printfArg{kind: 'd', ints: numArg[int64](v, rows)}
}

// append writes row i of an argument; ok is false if the conversion is not for its kind.
func (p *printfSpec) append(dst []byte, a *printfArg, i int) ([]byte, bool) {
	switch {
	case a.kind == 's':
		if p.verb != 's' {
			return dst, false
		}
		s := a.texts.row(i)
		if p.precision >= 0 {
			s = cut(s, 0, int64(p.precision), true)
		}
		return p.pad(dst, nil, s, false), true
	case a.kind == 'f':
		text, ok := p.float(a.floats.at(i))
		if !ok {
			return dst, false
		}
		return p.number(dst, text), true
	case p.verb == 'c':
		return p.pad(dst, nil, []byte{byte(a.ints.at(i))}, false), true
	}
	text, ok := p.integer(a.ints.at(i))
	if !ok {
		return dst, false
	}
	return p.number(dst, text), true
}

func (p *printfSpec) has(flag byte) bool { return bytes.IndexByte(p.flags, flag) >= 0 }

// integer writes the digits with a minus in front and what # asks for.
func (p *printfSpec) integer(x int64) (text []byte, ok bool) {
	u := uint64(x) << (64 - p.size) >> (64 - p.size)
	prefix := ""
	switch p.verb {
	case 'd', 'i':
		if x = x << (64 - p.size) >> (64 - p.size); x < 0 {
			prefix = "-"
		}
		text = strconv.AppendUint(nil, absInt(x), 10)
	case 'u':
		text = strconv.AppendUint(nil, u, 10)
	case 'o':
		text = strconv.AppendUint(nil, u, 8)
		if p.has('#') && u != 0 {
			prefix = "0"
		}
	case 'x', 'X':
		text = strconv.AppendUint(nil, u, 16)
		if p.has('#') && u != 0 {
			prefix = "0x"
		}
	default:
		return nil, false
	}
	for len(text) < p.precision {
		text = append([]byte("0"), text...)
	}
	text = append([]byte(prefix), text...)
	if p.verb == 'X' {
		text = appendUpper(nil, text)
	}
	return text, true
}

// float writes as C does: six digits behind the point, or of %g in all, if no precision is given.
func (p *printfSpec) float(x float64) (text []byte, ok bool) {
	verb, precision := p.verb|32, p.precision
	switch verb {
	case 'e', 'f', 'g':
		if precision < 0 {
			precision = 6
		}
		if verb == 'g' && precision == 0 {
			precision = 1
		}
	case 'a':
	default:
		return nil, false
	}
	switch {
	case math.IsNaN(x):
		text = []byte("nan")
	case math.IsInf(x, 0):
		text = []byte("-inf")[b2u(x > 0):]
	case verb == 'a':
		if text = strconv.AppendFloat(nil, x, 'x', precision, 64); len(text) > 2 && text[len(text)-2] == '0' && (text[len(text)-3] == '+' || text[len(text)-3] == '-') {
			text = append(text[:len(text)-2], text[len(text)-1]) // an exponent of one digit
		}
	case verb == 'g':
		text = fmt.Appendf(nil, "%.*g", precision, x)
	default:
		text = strconv.AppendFloat(nil, x, verb, precision, 64)
	}
	if p.verb&32 == 0 {
		text = appendUpper(nil, text)
	}
	return text, true
}

// number puts a sign in front where a flag asks for it, and pads.
func (p *printfSpec) number(dst, text []byte) []byte {
	var sign []byte
	switch {
	case text[0] == '-':
		sign, text = text[:1], text[1:]
	case bytes.IndexByte([]byte("uoxX"), p.verb) >= 0:
	case p.has('+'):
		sign = []byte{'+'}
	case p.has(' '):
		sign = []byte{' '}
	}
	return p.pad(dst, sign, text, p.has('0') && text[len(text)-1] != 'f' && text[len(text)-1] != 'n')
}

func (p *printfSpec) pad(dst, sign, text []byte, zeros bool) []byte {
	fill := max(p.width-len(sign)-utf8.RuneCount(text), 0)
	switch {
	case p.has('-'):
		dst = append(append(dst, sign...), text...)
		return append(dst, bytes.Repeat([]byte{' '}, fill)...)
	case zeros:
		dst = append(dst, sign...)
		if n := len(text); n > 1 && text[0] == '0' && text[1]|32 == 'x' {
			dst, text = append(dst, text[:2]...), text[2:]
		}
		return append(append(dst, bytes.Repeat([]byte{'0'}, fill)...), text...)
	}
	return append(append(append(dst, bytes.Repeat([]byte{' '}, fill)...), sign...), text...)
}
