package format

import (
	"math"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	define(&Format{Name: "Vertical", ContentType: "text/plain; charset=UTF-8",
		out: func(w *output, s column.Schema, o Options) Writer { return &verticalWriter{output: w, schema: s, o: o} }})
	define(&Format{Name: "Markdown", ContentType: "text/markdown; charset=UTF-8",
		out: func(w *output, s column.Schema, o Options) Writer { return &markdownWriter{output: w, schema: s, o: o} }})
	define(&Format{Name: "XML", ContentType: "application/xml; charset=UTF-8",
		out: func(w *output, s column.Schema, o Options) Writer { return &xmlWriter{output: w, schema: s, o: o} }})
}

// readable says a large number in words: 12.35 million; empty for small ones.
func readable(text string) string {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(math.Abs(x) > prettyReadable) || math.IsInf(x, 0) || countDigits(text) > maxReadableDigits {
		return ""
	}
	units := []string{"", " thousand", " million", " billion", " trillion", " quadrillion", " quintillion", " sextillion", " septillion", " octillion", " nonillion", " decillion"}
	i := 0
	for ; math.Abs(x) >= 1000 && i < len(units)-1; i++ {
		x /= 1000
	}
	return strconv.FormatFloat(x, 'f', 2, 64) + units[i]
}

// maxReadableDigits is how long a number ClickHouse still reads back to say it in words.
const maxReadableDigits = 18

func countDigits(text string) int {
	n := 0
	for i := range len(text) {
		if text[i]-'0' < 10 {
			n++
		}
	}
	return n
}

// verticalWriter writes each value on a line of its own.
type verticalWriter struct {
	*output
	schema column.Schema
	o      Options
	rows   uint64
	wide   int
}

// Write implements Writer.
func (w *verticalWriter) Write(b *column.Block) error {
	for i := 0; i < b.N; i++ {
		w.row(b, i)
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

func (w *verticalWriter) row(b *column.Block, i int) {
	if w.rows > 0 {
		w.buf = append(w.buf, '\n')
	}
	w.rows++
	w.title("Row " + strconv.FormatUint(w.rows, 10) + ":")
	w.values(b, i)
}

func (w *verticalWriter) title(s string) {
	w.buf = append(append(append(w.buf, s...), '\n'), strings.Repeat("─", len(s))...)
	w.buf = append(w.buf, '\n')
}

func (w *verticalWriter) values(b *column.Block, i int) {
	if w.wide == 0 {
		for _, f := range w.schema {
			w.wide = max(w.wide, valuetext.Width(f.Name))
		}
	}
	for c, v := range b.Cols {
		name := w.schema[c].Name
		w.buf = append(append(append(w.buf, name...), ": "...), strings.Repeat(" ", w.wide-valuetext.Width(name))...)
		at := len(w.buf)
		if column.IsNull(v, i) {
			w.buf = append(w.buf, "ᴺᵁᴸᴸ"...)
		} else {
			w.buf = appendText(w.buf, v, i, &w.o)
			if in := w.schema[c].Type.Inner(); in.IsNumeric() {
				if tip := readable(string(w.buf[at:])); tip != "" {
					w.buf = append(append(w.buf, " -- "...), tip...)
				}
			}
		}
		w.buf = append(w.buf, '\n')
	}
}

// Totals implements Writer.
func (w *verticalWriter) Totals(b *column.Block) error {
	w.buf = append(w.buf, "\n\n"...)
	w.title("Totals:")
	w.values(b, 0)
	return nil
}

// Extremes implements Writer.
func (w *verticalWriter) Extremes(b *column.Block) error {
	for i, name := range []string{"Min:", "Max:"} {
		w.buf = append(w.buf, '\n')
		w.title(name)
		w.values(b, i)
	}
	return nil
}

// Close implements Writer.
func (w *verticalWriter) Close(Stats) error { return w.Flush() }

type markdownWriter struct {
	*output
	schema  column.Schema
	o       Options
	started bool
}

func (w *markdownWriter) start() {
	if w.started {
		return
	}
	w.started = true
	w.buf = append(w.buf, '|')
	for _, f := range w.schema {
		w.buf = append(appendMarkdown(append(w.buf, ' '), []byte(f.Name)), " |"...)
	}
	w.buf = append(w.buf, "\n|"...)
	for _, f := range w.schema {
		if right1(f.Type) {
			w.buf = append(w.buf, "-:|"...)
		} else {
			w.buf = append(w.buf, ":-|"...)
		}
	}
	w.buf = append(w.buf, '\n')
}

func appendMarkdown(dst, s []byte) []byte {
	for _, c := range appendTSV(nil, s) {
		if c == '|' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return dst
}

// Write implements Writer.
func (w *markdownWriter) Write(b *column.Block) error {
	w.start()
	for i := 0; i < b.N; i++ {
		w.buf = append(w.buf, '|')
		for _, v := range b.Cols {
			w.buf = append(w.buf, ' ')
			switch {
			case column.IsNull(v, i):
				w.buf = append(w.buf, `\N`...)
			case isNested(v):
				w.buf = appendText(w.buf, v, i, &w.o)
			default:
				w.buf = appendMarkdown(w.buf, appendText(nil, v, i, &w.o))
			}
			w.buf = append(w.buf, " |"...)
		}
		w.buf = append(w.buf, '\n')
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

// Totals implements Writer: the format has no place for them.
func (w *markdownWriter) Totals(*column.Block) error   { return nil }
func (w *markdownWriter) Extremes(*column.Block) error { return nil }

// Close implements Writer.
func (w *markdownWriter) Close(Stats) error {
	w.start()
	return w.Flush()
}
