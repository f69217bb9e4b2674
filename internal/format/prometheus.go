package format

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	define(&Format{Name: "Prometheus", ContentType: "text/plain; version=0.0.4; charset=UTF-8",
		out: func(w *output, s column.Schema, o Options) Writer { return newPrometheusWriter(w, s, o) }})
}

// prometheusWriter writes samples in the text format of Prometheus: a row is a sample; rows of one name that follow each other are a metric.
type prometheusWriter struct {
	*output
	o                                          Options
	name, value, help, kind, labels, timestamp int // columns, -1: not there
	err                                        error
	metric                                     metric
}

// metric is the samples of one name.
type metric struct {
	name, help, kind string
	samples          []promSample
}

// maxSamples bounds those of one metric, which are in memory to be sorted.
const maxSamples = 1 << 20

type promSample struct {
	labels           [][2]string // by name
	timestamp, value string
}

func newPrometheusWriter(out *output, s column.Schema, o Options) Writer {
	w := &prometheusWriter{output: out, o: o}
	isText := func(t *types.Type) bool { return t.Kind == types.String }
	isNumber := func(t *types.Type) bool { return t.IsNumeric() }
	for _, c := range []struct {
		at       *int
		name     string
		required bool
		fits     func(t *types.Type) bool
	}{
		{&w.name, "name", true, isText}, {&w.value, "value", true, isNumber}, {&w.help, "help", false, isText}, {&w.kind, "type", false, isText},
		{&w.timestamp, "timestamp", false, func(t *types.Type) bool {
			return isNumber(t.WithoutNullable()) || t.WithoutNullable().Kind == types.Nothing
		}},
		{&w.labels, "labels", false, func(t *types.Type) bool { return t.Kind == types.Map && isText(t.Elems[0]) && isText(t.Elems[1]) }},
	} {
		*c.at = s.Index(c.name)
		switch {
		case w.err != nil:
		case *c.at < 0 && c.required:
			w.err = sqlerr.New(sqlerr.BadArguments, "Column '%s' is required for output format 'Prometheus'", c.name)
		case *c.at >= 0 && !c.fits(s[*c.at].Type):
			w.err = sqlerr.New(sqlerr.BadArguments, "Illegal type '%s' of column '%s' for output format 'Prometheus'", s[*c.at].Type, c.name)
		}
	}
	return w
}

// text is a value of a column as text; empty if there is no such column, or NULL.
func (w *prometheusWriter) text(b *column.Block, c, i int) string {
	if c < 0 || column.IsNull(b.Cols[c], i) {
		return ""
	}
	return string(appendText(nil, b.Cols[c], i, &w.o))
}

// Write implements Writer.
func (w *prometheusWriter) Write(b *column.Block) error {
	if w.err != nil {
		return w.err
	}
	for i := 0; i < b.N; i++ {
		name := w.text(b, w.name, i)
		if len(w.metric.samples) > 0 && name != w.metric.name {
			w.flushMetric()
			if err := w.spill(); err != nil {
				return err
			}
		}
		m := &w.metric
		if m.name = name; len(m.samples) >= maxSamples {
			return sqlerr.New(sqlerr.TooManyRowsOrBytes, "Metric %s has more than %d samples", name, maxSamples)
		}
		m.help, m.kind = cmp.Or(m.help, w.text(b, w.help, i)), cmp.Or(m.kind, w.text(b, w.kind, i))
		s := promSample{value: prometheusNumber(w.text(b, w.value, i)), timestamp: w.text(b, w.timestamp, i)}
		if s.timestamp == "0" {
			s.timestamp = ""
		}
		if w.labels >= 0 {
			s.labels = labelsOf(b.Cols[w.labels], i)
		}
		m.samples = append(m.samples, s)
	}
	return nil
}

func prometheusNumber(text string) string {
	switch text {
	case "inf":
		return "+Inf"
	case "-inf":
		return "-Inf"
	case "nan":
		return "NaN"
	}
	return text
}

func labelsOf(v column.Vector, i int) [][2]string {
	m := column.Flatten(v.Slice(i, i+1)).(*column.Map)
	var out [][2]string
	for j := int(m.Off[0]); j < int(m.Off[1]); j++ {
		out = append(out, [2]string{column.Value(m.Keys, j).(string), column.Value(m.Vals, j).(string)})
	}
	slices.SortStableFunc(out, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return slices.CompactFunc(out, func(a, b [2]string) bool { return a[0] == b[0] })
}

func (s *promSample) label(name string) (string, bool) {
	for _, l := range s.labels {
		if l[0] == name {
			return l[1], true
		}
	}
	return "", false
}

// without returns the labels but for one.
func (s *promSample) without(name string) [][2]string {
	return slices.DeleteFunc(slices.Clone(s.labels), func(l [2]string) bool { return l[0] == name })
}

var helpEscape, labelEscape = strings.NewReplacer(`\`, `\\`, "\n", `\n`), strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// flushMetric writes the metric so far.
func (w *prometheusWriter) flushMetric() {
	m := &w.metric
	if m.help != "" {
		w.buf = append(w.buf, "# HELP "+m.name+" "+helpEscape.Replace(m.help)+"\n"...)
	}
	if m.kind != "" {
		w.buf = append(w.buf, "# TYPE "+m.name+" "+m.kind+"\n"...)
	}
	switch m.kind {
	case "histogram":
		m.sort("le")
		m.complete()
	case "summary":
		m.sort("quantile")
	}
	for i := range m.samples {
		w.sample(&m.samples[i])
	}
	w.buf = append(w.buf, '\n')
	w.metric = metric{samples: m.samples[:0]}
}

// sort orders the samples of a histogram or summary by the number that a label is; sum and count stand behind.
func (m *metric) sort(by string) {
	place := func(s *promSample) (int, float64) {
		if text, ok := s.label(by); ok {
			x, err := strconv.ParseFloat(text, 64)
			if err != nil {
				x = math.Inf(1)
			}
			return 0, x
		}
		if _, ok := s.label("sum"); ok {
			return 1, 0
		}
		return 2, 0
	}
	slices.SortStableFunc(m.samples, func(a, b promSample) int {
		ra, xa := place(&a)
		rb, xb := place(&b)
		return cmp.Or(cmp.Compare(ra, rb), cmp.Compare(xa, xb))
	})
}

// complete gives a histogram the count that its last bucket is, or the last bucket that its count is.
func (m *metric) complete() {
	last, count := -1, -1
	for i := range m.samples {
		if le, ok := m.samples[i].label("le"); ok && strings.EqualFold(strings.TrimPrefix(le, "+"), "inf") {
			last = i
		}
		if _, ok := m.samples[i].label("count"); ok {
			count = i
		}
	}
	switch {
	case last >= 0 && count < 0:
		s := m.samples[last]
		s.labels = append(s.without("le"), [2]string{"count", ""})
		m.samples = append(m.samples, s)
	case last < 0 && count >= 0:
		s := m.samples[count]
		s.labels = append(s.without("count"), [2]string{"le", "+Inf"})
		m.samples = append(m.samples, s)
	}
}

func (w *prometheusWriter) sample(s *promSample) {
	m, name, labels := &w.metric, w.metric.name, s.labels
	if m.kind == "histogram" || m.kind == "summary" {
		if _, ok := s.label("le"); ok && m.kind == "histogram" {
			name += "_bucket"
		}
		for _, part := range [...]string{"sum", "count"} {
			if _, ok := s.label(part); ok {
				name, labels = m.name+"_"+part, s.without(part)
				break
			}
		}
	}
	w.buf = append(w.buf, name...)
	for i, l := range labels {
		w.buf = append(w.buf, map[bool]byte{true: '{', false: ','}[i == 0])
		w.buf = append(w.buf, l[0]+`="`+labelEscape.Replace(l[1])+`"`...)
	}
	if len(labels) > 0 {
		w.buf = append(w.buf, '}')
	}
	w.buf = append(w.buf, " "+s.value...)
	if s.timestamp != "" {
		w.buf = append(w.buf, " "+s.timestamp...)
	}
	w.buf = append(w.buf, '\n')
}

// Totals implements Writer: the format has no place for them.
func (w *prometheusWriter) Totals(*column.Block) error   { return nil }
func (w *prometheusWriter) Extremes(*column.Block) error { return nil }

// Close implements Writer.
func (w *prometheusWriter) Close(Stats) error {
	if w.err != nil {
		return w.err
	}
	if len(w.metric.samples) > 0 {
		w.flushMetric()
	}
	return w.Flush()
}
