package docs

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/query/settings"
)

var rewrite = flag.Bool("rewrite", false, "write the generated parts of the documents anew")

// TestGenerated holds the generated parts of docs/sql.md to what is declared.
func TestGenerated(t *testing.T) {
	const name = "../../docs/sql.md"
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for part, content := range map[string]string{
		"formats": formats(), "settings": settingsTable(settings.All()), "table settings": settingsTable(settings.MergeTree()),
	} {
		head, rest, ok := strings.Cut(text, "<!-- generated: "+part+" -->\n")
		was, tail, ended := strings.Cut(rest, "<!-- end -->")
		if !ok || !ended {
			t.Fatalf("%s has no part %s", name, part)
		}
		if was != content && !*rewrite {
			t.Errorf("%s: the part %s is not what is declared; run go test ./test/docs -run TestGenerated -rewrite", name, part)
		}
		text = head + "<!-- generated: " + part + " -->\n" + content + "<!-- end -->" + tail
	}
	if *rewrite {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func formats() string {
	var both, in, out []string
	for _, f := range format.All() {
		switch {
		case f.Input() && f.Output():
			both = append(both, f.Name)
		case f.Input():
			in = append(in, f.Name)
		default:
			out = append(out, f.Name)
		}
	}
	line := func(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }
	return fmt.Sprintf("- In and out: %s.\n- Only in: %s.\n- Only out: %s.\n", line(both), line(in), line(out))
}

func settingsTable(list []*settings.Setting) string {
	var b strings.Builder
	b.WriteString("| setting | default | |\n|---|---|---|\n")
	for _, s := range list {
		if s.NoEffect || s.AliasFor != "" {
			continue
		}
		def := s.Default
		if def == "" {
			def = "(empty)"
		}
		def = strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(def)
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Name, strings.ReplaceAll(def, "|", "\\|"), strings.ReplaceAll(s.Description, "|", "\\|"))
	}
	return b.String()
}

// TestMetricsAreListed holds docs/operations.md to /metrics.
func TestMetricsAreListed(t *testing.T) {
	s := start(t)
	res, err := http.Get("http://" + s.addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		rest, ok := strings.CutPrefix(line, "# HELP olapd_")
		if !ok {
			continue
		}
		n++
		name, _, _ := strings.Cut(rest, " ")
		if !strings.Contains(string(doc), "`olapd_"+name+"`") {
			t.Errorf("docs/operations.md does not list olapd_%s", name)
		}
	}
	if n == 0 {
		t.Error("/metrics shows nothing of olapd")
	}
}
