package format

import (
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

type xmlWriter struct {
	*output
	schema  column.Schema
	o       Options
	started bool
	closed  bool
	rows    uint64
	tags    []string
}

func (w *xmlWriter) add(s string) { w.buf = append(w.buf, s...) }

var xmlEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;")

func (w *xmlWriter) start() {
	if w.started {
		return
	}
	w.started = true
	w.add("<?xml version='1.0' encoding='UTF-8' ?>\n<result>\n\t<meta>\n\t\t<columns>\n")
	for i, f := range w.schema {
		w.add("\t\t\t<column>\n\t\t\t\t<name>" + xmlEscape.Replace(f.Name) + "</name>\n\t\t\t\t<type>" + xmlEscape.Replace(f.Type.String()) + "</type>\n\t\t\t</column>\n")
		w.tags = append(w.tags, "field")
		if isTag(f.Name) {
			w.tags[i] = f.Name
		}
	}
	w.add("\t\t</columns>\n\t</meta>\n\t<data>\n")
}

// isTag reports whether a column's name can be an element's.
func isTag(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && (c == '-' || c == '.' || c >= '0' && c <= '9')) {
			return false
		}
	}
	return s != ""
}

func (w *xmlWriter) row(b *column.Block, i int, name, indent string) {
	w.add(indent + "<" + name + ">\n")
	for c, v := range b.Cols {
		w.add(indent + "\t<" + w.tags[c] + ">")
		w.value(v, i)
		w.add("</" + w.tags[c] + ">\n")
	}
	w.add(indent + "</" + name + ">\n")
}

func (w *xmlWriter) value(v column.Vector, i int) {
	if column.IsNull(v, i) {
		w.add(`\N`)
		return
	}
	v, i = column.Own(v, i)
	switch x := column.Flatten(v.Slice(i, i+1)).(type) {
	case *column.Array:
		w.add("<array>")
		for j := x.Off[0]; j < x.Off[1]; j++ {
			w.element(x.Elem, int(j))
		}
		w.add("</array>")
	case *column.Tuple:
		w.add("<tuple>")
		for _, e := range x.Elems {
			w.element(e, 0)
		}
		w.add("</tuple>")
	case *column.Map:
		if x.Typ.Kind == types.JSON {
			w.add(xmlEscape.Replace(string(appendText(nil, x, 0, &w.o))))
			return
		}
		w.add("<map>")
		for j := x.Off[0]; j < x.Off[1]; j++ {
			w.add("<elem><key>")
			w.value(x.Keys, int(j))
			w.add("</key><value>")
			w.value(x.Vals, int(j))
			w.add("</value></elem>")
		}
		w.add("</map>")
	default:
		w.add(xmlEscape.Replace(string(appendText(nil, x, 0, &w.o))))
	}
}

func (w *xmlWriter) element(v column.Vector, i int) {
	w.add("<elem>")
	w.value(v, i)
	w.add("</elem>")
}

// Write implements Writer.
func (w *xmlWriter) Write(b *column.Block) error {
	w.start()
	for i := 0; i < b.N; i++ {
		w.row(b, i, "row", "\t\t")
		w.rows++
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

func (w *xmlWriter) endData() {
	w.start()
	if !w.closed {
		w.closed = true
		w.add("\t</data>\n")
	}
}

// Totals implements Writer.
func (w *xmlWriter) Totals(b *column.Block) error {
	w.endData()
	w.row(b, 0, "totals", "\t")
	return nil
}

// Extremes implements Writer.
func (w *xmlWriter) Extremes(b *column.Block) error {
	w.endData()
	w.add("\t<extremes>\n")
	w.row(b, 0, "min", "\t\t")
	w.row(b, 1, "max", "\t\t")
	w.add("\t</extremes>\n")
	return nil
}

// Close implements Writer.
func (w *xmlWriter) Close(s Stats) error {
	w.endData()
	w.add("\t<rows>" + strconv.FormatUint(w.rows, 10) + "</rows>\n")
	if s.HasLimit {
		w.add("\t<rows_before_limit_at_least>" + strconv.FormatUint(s.BeforeLimit, 10) + "</rows_before_limit_at_least>\n")
	}
	if w.o.WriteStatistics {
		w.add("\t<statistics>\n\t\t<elapsed>" + strconv.FormatFloat(s.Elapsed.Seconds(), 'f', -1, 64) + "</elapsed>\n\t\t<rows_read>" +
			strconv.FormatUint(s.ReadRows, 10) + "</rows_read>\n\t\t<bytes_read>" + strconv.FormatUint(s.ReadBytes, 10) + "</bytes_read>\n\t</statistics>\n")
	}
	w.add("</result>\n")
	return w.Flush()
}
