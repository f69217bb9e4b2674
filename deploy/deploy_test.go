// Package deploy holds what runs olapd elsewhere; its test renders and checks it.
package deploy

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"gopkg.in/yaml.v3"
)

// render renders the chart with the functions of Helm that it uses: a template that uses another one fails.
func render(t *testing.T, values map[string]any) map[string][]map[string]any {
	t.Helper()
	root := template.New("chart").Option("missingkey=error")
	root.Funcs(template.FuncMap{
		"include": func(name string, data any) (string, error) {
			var b bytes.Buffer
			err := root.ExecuteTemplate(&b, name, data)
			return b.String(), err
		},
		"nindent": func(n int, s string) string {
			return "\n" + strings.Repeat(" ", n) + strings.ReplaceAll(s, "\n", "\n"+strings.Repeat(" ", n))
		},
		"quote": func(v any) string {
			b, _ := yaml.Marshal(v)
			return `"` + strings.Trim(strings.TrimSpace(string(b)), `"`) + `"`
		},
		"toYaml": func(v any) (string, error) { b, err := yaml.Marshal(v); return strings.TrimSpace(string(b)), err },
	})
	files, err := filepath.Glob("helm/olapd/templates/*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if _, err := root.New(filepath.Base(f)).Parse(read(t, f)); err != nil {
			t.Fatal(err)
		}
	}
	out := map[string][]map[string]any{}
	for _, f := range files {
		if !strings.HasSuffix(f, ".yaml") {
			continue
		}
		var b bytes.Buffer
		if err := root.ExecuteTemplate(&b, filepath.Base(f), map[string]any{"Values": values, "Release": map[string]any{"Name": "shop"}}); err != nil {
			t.Fatal(err)
		}
		for _, doc := range documents(t, f, b.String()) {
			out[doc["kind"].(string)] = append(out[doc["kind"].(string)], doc)
		}
	}
	return out
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func documents(t *testing.T, name, text string) (out []map[string]any) {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(text))
	for {
		var doc map[string]any
		err := d.Decode(&doc)
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		out = append(out, doc)
	}
}

// at follows keys and positions into a document.
func at(t *testing.T, v any, path ...any) any {
	t.Helper()
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok || m[p] == nil {
				t.Fatalf("no %v of %v in %v", p, path, v)
			}
			v = m[p]
		case int:
			v = v.([]any)[p]
		}
	}
	return v
}

func TestChart(t *testing.T) {
	var values map[string]any
	if err := yaml.Unmarshal([]byte(read(t, "helm/olapd/values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	for _, class := range []string{"", "fast"} {
		values["storage"].(map[string]any)["className"] = class
		kinds := render(t, values)
		if len(kinds["Service"]) != 2 || len(kinds["StatefulSet"]) != 1 || len(kinds["PodDisruptionBudget"]) != 1 {
			t.Fatalf("%v", kinds)
		}
		set := kinds["StatefulSet"][0]
		if n := at(t, set, "spec", "replicas"); n != 3 {
			t.Errorf("%v nodes", n)
		}
		if a, b := at(t, set, "spec", "serviceName"), at(t, kinds["Service"][1], "metadata", "name"); a != b {
			t.Errorf("the set's names are of %v, the service is %v", a, b)
		}
		labels := at(t, set, "spec", "template", "metadata", "labels").(map[string]any)
		for _, s := range kinds["Service"] {
			for k, v := range at(t, s, "spec", "selector").(map[string]any) {
				if labels[k] != v {
					t.Errorf("a service selects %s=%v, pods have %v", k, v, labels)
				}
			}
		}
		script := at(t, set, "spec", "template", "spec", "containers", 0, "args", 0).(string)
		checkOptions(t, script)
		claim := at(t, set, "spec", "volumeClaimTemplates", 0, "spec").(map[string]any)
		if class == "" && claim["storageClassName"] != nil || class != "" && claim["storageClassName"] != class {
			t.Errorf("storage class %q: %v", class, claim)
		}
	}
}

var option = regexp.MustCompile(`--([a-z-]+)`)

// checkOptions holds the options in a script against those that the command has.
func checkOptions(t *testing.T, script string) {
	t.Helper()
	known := read(t, "../internal/node/config.go") + read(t, "../internal/node/clusterinit.go")
	client := []string{"host", "port", "password", "user"}
	found := option.FindAllStringSubmatch(script, -1)
	if len(found) == 0 {
		t.Errorf("no options in %q", script)
	}
	for _, m := range found {
		if !strings.Contains(known, `"`+m[1]+`"`) && !slices.Contains(client, m[1]) {
			t.Errorf("no command has the option --%s", m[1])
		}
	}
}

func TestCompose(t *testing.T) {
	doc := documents(t, "compose", read(t, "docker/compose.yml"))[0]
	services := at(t, doc, "services").(map[string]any)
	for _, name := range []string{"node1", "node2", "node3", "kafka"} {
		if services[name] == nil {
			t.Errorf("no service %s", name)
		}
	}
	for _, name := range []string{"node1", "node2"} {
		checkOptions(t, at(t, services, name, "command", 0).(string))
	}
}

// TestMetricsExist holds the alert rules to the metrics that docs/operations.md lists, which a test holds to /metrics.
func TestMetricsExist(t *testing.T) {
	docs := read(t, "../docs/operations.md")
	rules := read(t, "prometheus/alerts.yml")
	if len(documents(t, "alerts", rules)) != 1 {
		t.Error("not one document")
	}
	metrics := regexp.MustCompile(`olapd_[a-z0-9_]+`).FindAllString(rules, -1)
	if len(metrics) < 8 {
		t.Errorf("metrics %v", metrics)
	}
	for _, m := range metrics {
		if !strings.Contains(docs, "`"+m+"`") {
			t.Errorf("%s is no metric", m)
		}
	}
}

// TestAllParse: every YAML file is one.
func TestAllParse(t *testing.T) {
	err := filepath.WalkDir(".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !strings.Contains(name, "templates") && (strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml")) {
			documents(t, name, read(t, name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for key := range yamlKeys(t, "systemd/config.yaml") {
		if !strings.Contains(read(t, "../internal/node/config.go"), `yaml:"`+key+`"`) {
			t.Errorf("the example config has %s, which the server does not know", key)
		}
	}
}

func yamlKeys(t *testing.T, name string) map[string]any {
	t.Helper()
	return documents(t, name, read(t, name))[0]
}
