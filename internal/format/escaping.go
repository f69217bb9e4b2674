package format

import (
	"bytes"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// An escaping rule is the form of one value in the formats whose delimiters are settings: Escaped as in TabSeparated, Quoted as in Values, CSV, JSON,
// XML (out only) and Raw, as it is.
var escapingRules = []string{"Escaped", "Quoted", "CSV", "JSON", "XML", "Raw"}

// ruleWriter appends values by escaping rules.
type ruleWriter struct {
	o   Options
	csv csvWriter
	xml xmlWriter
	tmp []byte
}

func newRuleWriter(o Options) *ruleWriter {
	return &ruleWriter{o: o, csv: csvWriter{o: o}, xml: xmlWriter{output: &output{}, o: o}}
}

// append appends value i of v, of declared type t.
func (w *ruleWriter) append(dst []byte, rule string, v column.Vector, i int, t *types.Type) []byte {
	switch rule {
	case "Quoted":
		if column.IsNull(v, i) {
			return append(dst, "NULL"...)
		}
		return valuetext.AppendQuoted(dst, v, i, w.o.Zone)
	case "CSV":
		dst, w.tmp = w.csv.value(dst, w.tmp, v, i)
	case "JSON":
		dst = appendJSON(dst, v, i, t, &w.o, -1)
	case "XML":
		w.xml.buf = w.xml.buf[:0]
		w.xml.value(v, i)
		dst = append(dst, w.xml.buf...)
	default:
		dst, w.tmp = appendTSVValue(dst, w.tmp, v, i, rule == "Raw" || t.Inner().IsNumeric(), &w.o)
	}
	return dst
}

// name appends the name of a column or type, as it stands in a header.
func (w *ruleWriter) name(dst []byte, rule, text string) []byte {
	return w.append(dst, rule, column.NewConst(types.TString, text, 1), 0, types.TString)
}

// fieldEnd returns the length of the field that data begins with, up to the first of what may stand behind it; without any of that the
// field goes to the end of the line. Quotes and, where the rule has them, brackets hide what they enclose.
func fieldEnd(data []byte, eof bool, rule string, ends [][]byte) (int, error) {
	depth := 0
	for i := 0; i < len(data); i++ {
		c := data[i]
		if depth == 0 {
			for _, e := range ends {
				if bytes.HasPrefix(data[i:], e) {
					return i, nil
				}
			}
		}
		switch rule {
		case "Quoted", "JSON":
			switch c {
			case '\'', '"':
				if n := quotedLength(data[i:]); n > 0 {
					i += n - 1
				} else {
					i = len(data)
				}
			case '(', '[', '{':
				depth++
			case ')', ']', '}':
				depth--
			case '\n':
				if depth <= 0 && len(ends) == 0 {
					return i, nil
				}
			}
			continue
		case "CSV":
			if i == 0 && (c == '"' || c == '\'') {
				if i = closingQuote(data); i < 0 {
					i = len(data)
				}
				continue
			}
		case "Escaped":
			if c == '\\' {
				i++
				continue
			}
		}
		if c == '\n' || c == '\r' && rule == "CSV" {
			return i, nil
		}
	}
	if !eof {
		return 0, errShort
	}
	return len(data), nil
}

// quotedLength is the length of a literal between quotes with backslash escapes; 0 if it does not end.
func quotedLength(data []byte) int {
	for i := 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case data[0]:
			return i + 1
		}
	}
	return 0
}

// closingQuote is where a field of CSV between quotes ends, those inside doubled; -1 if it does not.
func closingQuote(data []byte) int {
	for i := 1; i < len(data); i++ {
		if data[i] != data[0] {
			continue
		}
		if i+1 < len(data) && data[i+1] == data[0] {
			i++
			continue
		}
		return i
	}
	return -1
}

// delimitedReader is fieldReader for fields whose ends are known: CSV has no delimiter of its own.
func delimitedReader(s column.Schema, o Options, rule string) func(r *Rows, c int, field []byte) error {
	if rule != "CSV" {
		return fieldReader(s, o, rule)
	}
	d := newCSVReader(s, o, head{})
	return func(r *Rows, c int, field []byte) error {
		text, quoted, err := d.whole(field)
		if err != nil {
			return inField(err, s[c])
		}
		return d.value(r, c, text, quoted)
	}
}

// whole is the content of a field that is all of data, and whether it was quoted.
func (d *csvReader) whole(field []byte) ([]byte, bool, error) {
	field = bytes.Trim(field, " \t")
	if len(field) == 0 || field[0] != '"' && field[0] != '\'' {
		return field, false, nil
	}
	text, n, err := d.quoted(field, 0, true)
	if err == nil && n < len(field) {
		err = sqlerr.New(sqlerr.CannotParseInputAssertionFailed, "Cannot parse input: %q stands behind a quoted field", field[n:])
	}
	return text, true, err
}
