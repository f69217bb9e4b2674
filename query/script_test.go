package query

import (
	"io"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/olapd/olapd/internal/types"
)

func mustType(s string) *types.Type {
	t, err := types.Parse(s)
	if err != nil {
		panic(err)
	}
	return t
}

// TestScripts runs SQL scripts: each block is one statement ("sql"), several ("exec", one a line, only errors shown), or
// a statement whose data streams in behind it ("data": the first line is the statement).
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		h := newHarness(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return runScript(t, h, d) })
	})
}

func runScript(t *testing.T, h *harness, d *datadriven.TestData) string {
	q := Query{Text: d.Input, Params: map[string]string{}}
	for _, a := range d.CmdArgs {
		switch {
		case a.Key == "get":
			q.ReadOnly = true
		case a.Key == "user":
			h = h.as(t, a.Vals[0])
		case strings.HasPrefix(a.Key, "param_"):
			q.Params[strings.TrimPrefix(a.Key, "param_")] = strings.Join(a.Vals, ",")
		default:
			if q.Settings == nil {
				q.Settings = map[string]string{}
			}
			q.Settings[a.Key] = strings.Join(a.Vals, ",")
		}
	}
	switch d.Cmd {
	case "sql":
		return h.run(q)
	case "exec":
		out := ""
		for line := range strings.SplitSeq(d.Input, ";\n") {
			q.Text = strings.TrimSuffix(line, ";")
			out += h.run(q)
		}
		return out
	case "data":
		text, data, _ := strings.Cut(d.Input, "\n")
		q.Text, q.Body = text, io.NopCloser(strings.NewReader(data))
		return h.run(q)
	}
	t.Fatalf("unknown command %s", d.Cmd)
	return ""
}
