package format

import (
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// frame is the characters a Pretty format draws with.
type frame struct {
	head, compact, space bool
}

func init() {
	for _, k := range []struct {
		name  string
		frame frame
		mono  bool
	}{{"Pretty", frame{head: true}, false}, {"PrettyCompact", frame{compact: true}, false}, {"PrettySpace", frame{space: true}, false}} {
		for _, escapes := range []string{"", "NoEscapes"} {
			for _, mono := range []string{"", "MonoBlock"} {
				define(&Format{Name: k.name + escapes + mono, ContentType: "text/plain; charset=UTF-8",
					out: func(w *output, s column.Schema, o Options) Writer {
						return &prettyWriter{output: w, schema: s, o: o, frame: k.frame, mono: mono != ""}
					}}, k.name+mono+escapes)
			}
		}
	}
}

const (
	// prettyFooterRows is from how many rows on the names are repeated below (output_format_pretty_display_footer_column_names_min_rows).
	prettyFooterRows = 50
	// prettyMaxPad bounds the width to which a column is padded (output_format_pretty_max_column_pad_width).
	prettyMaxPad = 250
	// prettyMonoRows is how many rows MonoBlock gathers before it draws.
	prettyMonoRows = 10000
	// prettyReadable is the least single number that gets its size in words behind it (output_format_pretty_single_large_number_tip_threshold).
	prettyReadable = 1_000_000
)

type prettyWriter struct {
	*output
	schema  column.Schema
	o       Options
	frame   frame
	mono    bool
	rows    int // shown so far
	total   int
	pending []*column.Block
	held    int
}

// Write implements Writer.
func (w *prettyWriter) Write(b *column.Block) error {
	w.total += b.N
	if over := w.rows + w.held + b.N - w.o.PrettyMaxRows; over > 0 {
		b = b.Slice(0, max(0, b.N-over))
	}
	if b.N == 0 {
		return nil
	}
	if w.mono || w.held+b.N <= prettyMonoRows { // small blocks are drawn as one table
		w.pending = append(w.pending, b)
		if w.held += b.N; w.held < prettyMonoRows {
			return nil
		}
	} else {
		w.pending, w.held = append(w.pending, b), w.held+b.N
	}
	return w.drain()
}

func (w *prettyWriter) drain() error {
	if w.held == 0 {
		return nil
	}
	w.draw(w.pending, w.rows)
	w.rows += w.held
	w.pending, w.held = nil, 0
	return w.spill()
}

// Totals implements Writer.
func (w *prettyWriter) Totals(b *column.Block) error   { return w.section("Totals:", b) }
func (w *prettyWriter) Extremes(b *column.Block) error { return w.section("Extremes:", b) }

func (w *prettyWriter) section(title string, b *column.Block) error {
	if err := w.drain(); err != nil {
		return err
	}
	w.buf = append(append(append(w.buf, '\n'), title...), '\n')
	w.draw([]*column.Block{b}, 0)
	return nil
}

// Close implements Writer.
func (w *prettyWriter) Close(Stats) error {
	if err := w.drain(); err != nil {
		return err
	}
	if w.total > w.rows {
		w.buf = appendUint(append(w.buf, "  Showed "...), uint64(w.rows))
		w.buf = append(appendUint(append(w.buf, " out of "...), uint64(w.total)), " rows.\n"...)
	}
	return w.Flush()
}

// table is the texts of a drawing by column, and each column's width.
type table struct {
	cells [][]string
	wide  []int
	rows  int
	// longest is the width of the longest value of each column, and of its name; lines says that there are values of several lines.
	longest []int
	lines   bool
}

// Wide tables of few rows are written as the Vertical format does (output_format_pretty_fallback_to_vertical…): from so many columns, up to so many
// rows, and where the columns are so wide together or a value has several lines.
const (
	verticalColumns = 5
	verticalRows    = 10
	verticalWidth   = 250
)

// vertical reports whether the table is to be written as the Vertical format does.
func (t table) vertical() bool {
	sum := 0
	for _, n := range t.longest {
		sum += n
	}
	return len(t.wide) >= verticalColumns && t.rows <= verticalRows && (sum >= verticalWidth || t.lines)
}

func (w *prettyWriter) texts(blocks []*column.Block) table {
	t := table{cells: make([][]string, len(w.schema)), wide: make([]int, len(w.schema)), longest: make([]int, len(w.schema))}
	for c, f := range w.schema {
		t.wide[c], t.longest[c] = valuetext.Width(f.Name), valuetext.Width(f.Name)
		for _, b := range blocks {
			for i := 0; i < b.N; i++ {
				s := "ᴺᵁᴸᴸ"
				if !column.IsNull(b.Cols[c], i) {
					s = string(appendText(nil, b.Cols[c], i, &w.o))
				}
				t.lines = t.lines || strings.Contains(s, "\n")
				t.cells[c] = append(t.cells[c], s)
				t.longest[c] = max(t.longest[c], valuetext.Width(s))
				for line := range strings.SplitSeq(s, "\n") {
					t.wide[c] = max(t.wide[c], min(valuetext.Width(line), prettyMaxPad))
				}
			}
		}
		t.rows = len(t.cells[c])
	}
	return t
}

func (w *prettyWriter) draw(blocks []*column.Block, before int) {
	t := w.texts(blocks)
	if t.vertical() {
		w.drawVertical(blocks, before)
		return
	}
	number := 0 // width of the row numbers with their dot
	if w.o.PrettyRowNums {
		number = len(appendUint(nil, uint64(before+t.rows))) + 2
		if before+t.rows < 10 {
			number = 3
		}
	}
	pad := strings.Repeat(" ", number)
	w.top(t, pad)
	for i := 0; i < t.rows; i++ {
		if w.o.PrettyRowNums {
			n := string(appendUint(nil, uint64(before+i+1))) + ". "
			w.add(strings.Repeat(" ", max(0, number-len(n))) + n)
		}
		w.row(t, i, pad)
		if w.frame.head && i < t.rows-1 {
			w.add(pad)
			w.rule(t, "├", "─", "┼", "┤")
		}
	}
	w.bottom(t, pad)
}

func (w *prettyWriter) add(s string) { w.buf = append(w.buf, s...) }

// rule draws a horizontal line.
func (w *prettyWriter) rule(t table, left, line, cross, right string) {
	w.add(left)
	for c, n := range t.wide {
		if c > 0 {
			w.add(cross)
		}
		w.add(strings.Repeat(line, n+2))
	}
	w.add(right + "\n")
}

// names draws the line of column names between the given characters.
func (w *prettyWriter) names(t table, left, fill, cross, right string) {
	w.add(left)
	for c, f := range w.schema {
		if c > 0 {
			w.add(cross)
		}
		gap := strings.Repeat(fill, t.wide[c]-valuetext.Width(f.Name))
		if right1(f.Type) {
			w.add(fill + gap + f.Name)
		} else {
			w.add(fill + f.Name + gap)
		}
		if !w.frame.space || c < len(w.schema)-1 {
			w.add(fill)
		}
	}
	w.add(right + "\n")
}

// right1 reports whether values of t are aligned to the right.
func right1(t *types.Type) bool {
	in := t.Inner()
	return in.IsNumeric() && in.Kind != types.Bool || in.IsDateOrTime() || in.IsTime() || in.Kind == types.Interval
}

func (w *prettyWriter) top(t table, pad string) {
	w.add(pad)
	switch {
	case w.frame.head:
		w.rule(t, "┏", "━", "┳", "┓")
		w.add(pad)
		w.names(t, "┃", " ", "┃", "┃")
		w.add(pad)
		w.rule(t, "┡", "━", "╇", "┩")
	case w.frame.compact:
		w.names(t, "┌", "─", "┬", "┐")
	default:
		w.names(t, "", " ", " ", "")
		w.add("\n")
	}
}

func (w *prettyWriter) bottom(t table, pad string) {
	footer := t.rows > prettyFooterRows
	switch {
	case w.frame.space:
		return
	case w.frame.head && footer:
		w.add(pad)
		w.rule(t, "┢", "━", "╈", "┪")
		w.add(pad)
		w.names(t, "┃", " ", "┃", "┃")
		w.add(pad)
		w.rule(t, "┗", "━", "┻", "┛")
	case footer:
		w.add(pad)
		w.names(t, "└", "─", "┴", "┘")
	default:
		w.add(pad)
		w.rule(t, "└", "─", "┴", "┘")
	}
}

// row draws a row, of values of several lines as many as the longest has; the lines of one are tied by arrows.
func (w *prettyWriter) row(t table, i int, pad string) {
	for line, more := 0, true; more; line++ {
		if line > 0 {
			w.add(pad)
		}
		more = w.line(t, i, line)
		if line == 0 {
			if tip := w.tip(t, i); tip != "" {
				w.add(" -- " + tip)
			}
		}
		w.add("\n")
	}
}

// line draws one line of a row and reports whether there are more.
func (w *prettyWriter) line(t table, i, line int) (more bool) {
	bar := "│"
	if w.frame.space {
		bar = ""
	}
	w.add(bar)
	for c, f := range w.schema {
		if c > 0 {
			if w.frame.space {
				w.add(" ")
			} else {
				w.add("│")
			}
		}
		s, before, behind := "", " ", " "
		if lines := strings.Split(t.cells[c][i], "\n"); line < len(lines) {
			s = lines[line]
			if line > 0 {
				before = "↳"
			}
			if line+1 < len(lines) {
				more, behind = true, "↴"
			}
		}
		gap := strings.Repeat(" ", max(0, t.wide[c]-valuetext.Width(s)))
		if right1(f.Type) {
			w.add(before + gap + s + behind)
		} else {
			w.add(before + s + gap + behind)
		}
	}
	w.add(bar)
	return more
}

// drawVertical writes rows as the Vertical format does.
func (w *prettyWriter) drawVertical(blocks []*column.Block, before int) {
	v := verticalWriter{output: w.output, schema: w.schema, o: w.o, rows: uint64(before)}
	for _, b := range blocks {
		for i := range b.N {
			v.row(b, i)
		}
	}
}

// tip is the size in words of the one number of a result that is nothing else.
func (w *prettyWriter) tip(t table, i int) string {
	if len(w.schema) != 1 || t.rows != 1 || w.rows > 0 || !w.schema[0].Type.Inner().IsNumeric() || w.schema[0].Type.Inner().Kind == types.Bool {
		return ""
	}
	return readable(t.cells[0][i])
}
