package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// table is a Markdown table, laid out to be read in a terminal as well. All columns but the
// first are right-aligned.
type table struct {
	header []string
	rows   [][]string
	notes  []string // sentences under it
}

func (t *table) add(row ...string) { t.rows = append(t.rows, row) }

// fail adds a row that ends in "failed", and says why in a note.
func (t *table) fail(reason string, cells ...string) {
	t.notes = append(t.notes, strings.Join(cells, ", ")+": "+oneLine(reason)+".")
	row := append(cells, "failed")
	t.add(append(row, make([]string, len(t.header)-len(row))...)...)
}

func (t *table) String() string {
	width := make([]int, len(t.header))
	for _, row := range append([][]string{t.header}, t.rows...) {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell), 4)
		}
	}
	var b strings.Builder
	line := func(row []string) {
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				b.WriteString("| " + cell + pad + " |")
			} else {
				b.WriteString(" " + pad + cell + " |")
			}
		}
		b.WriteByte('\n')
	}
	line(t.header)
	for i, w := range width {
		if i == 0 {
			b.WriteString("|" + strings.Repeat("-", w+2) + "|")
		} else {
			b.WriteString(strings.Repeat("-", w+1) + ":|")
		}
	}
	b.WriteByte('\n')
	for _, row := range t.rows {
		line(row)
	}
	for _, n := range t.notes {
		b.WriteString("\n" + n + "\n")
	}
	return b.String()
}

func timeText(ms []float64, q int) string {
	if ms == nil {
		return ""
	}
	return msText(ms[q])
}

func msText(ms float64) string {
	switch {
	case ms < 0:
		return "failed"
	case ms >= 100:
		return fmt.Sprintf("%.0f", ms)
	case ms >= 10:
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.2f", ms)
}

func ratioText(ratio float64) string {
	if ratio < 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", ratio)
}

const mebibyte = 1 << 20

func mebibytes(n int64) string { return grouped((n + mebibyte/2) / mebibyte) }

// grouped writes a number with commas between its thousands.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// oneLine is the start of an error's text, fit for a sentence.
func oneLine(text string) string {
	const most = 240
	text, _, _ = strings.Cut(text, "\n")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return strings.TrimRight(text, ". ")
}
