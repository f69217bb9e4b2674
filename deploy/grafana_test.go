package deploy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/demo"
	"github.com/olapd/olapd/internal/node"
	"github.com/olapd/olapd/internal/vfs"
)

// dashboard is what of a dashboard's JSON the tests look at.
type dashboard struct {
	UID, Title string
	Templating struct{ List []variable }
	Panels     []struct {
		ID          int
		Type, Title string
		Datasource  source
		GridPos     struct{ X, Y, W, H int }
		Targets     []struct {
			Datasource               source
			RefID, QueryType, RawSQL string
			Format                   int
		}
	}
}

type source struct{ Type, UID string }

type variable struct {
	Name, Type, Query string
	Datasource        source
}

func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	files, err := filepath.Glob("grafana/dashboards/*.json")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	out := map[string]dashboard{}
	for _, f := range files {
		var d dashboard
		if err := json.Unmarshal([]byte(read(t, f)), &d); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		out[filepath.Base(f)] = d
	}
	return out
}

func TestDashboards(t *testing.T) {
	provisioned := documents(t, "datasources", read(t, "grafana/provisioning/datasources/olapd.yml"))[0]
	is := source{Type: at(t, provisioned, "datasources", 0, "type").(string), UID: at(t, provisioned, "datasources", 0, "uid").(string)}
	uids := map[string]bool{}
	for name, d := range dashboards(t) {
		if d.UID == "" || d.Title == "" || uids[d.UID] {
			t.Errorf("%s: identifier %q, title %q", name, d.UID, d.Title)
		}
		uids[d.UID] = true
		taken, ids := map[[2]int]bool{}, map[int]bool{}
		for _, v := range d.Templating.List {
			if v.Datasource != is {
				t.Errorf("%s: variable %s asks %v, provisioned is %v", name, v.Name, v.Datasource, is)
			}
		}
		for _, p := range d.Panels {
			if ids[p.ID] || p.Title == "" || len(p.Targets) == 0 || p.Datasource != is {
				t.Errorf("%s: panel %d %q asks %v", name, p.ID, p.Title, p.Datasource)
			}
			ids[p.ID] = true
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if x >= 24 || taken[[2]int{x, y}] {
						t.Fatalf("%s: panel %q does not fit where it is", name, p.Title)
					}
					taken[[2]int{x, y}] = true
				}
			}
			for _, q := range p.Targets {
				if series := p.Type == "timeseries"; q.Datasource != is || q.RefID == "" || series != (q.Format == 0) || series != (q.QueryType == "timeseries") {
					t.Errorf("%s: the query of panel %q is %+v", name, p.Title, q)
				}
			}
		}
	}
}

func TestGrafanaCompose(t *testing.T) {
	doc := documents(t, "compose", read(t, "grafana/compose.yml"))[0]
	services := at(t, doc, "services").(map[string]any)
	for _, name := range []string{"olapd", "kafka", "setup", "events", "grafana"} {
		if services[name] == nil {
			t.Errorf("no service %s", name)
		}
	}
	var words []string
	for _, w := range at(t, services, "olapd", "command").([]any) {
		words = append(words, w.(string))
	}
	checkOptions(t, strings.Join(words, " "))
	mounts := fmt.Sprint(at(t, services, "grafana", "volumes"))
	provider := documents(t, "dashboards", read(t, "grafana/provisioning/dashboards/olapd.yml"))[0]
	if path := at(t, provider, "providers", 0, "options", "path").(string); !strings.Contains(mounts, "./dashboards:"+path+":") {
		t.Errorf("dashboards are looked for in %s, mounted are %s", path, mounts)
	}
	source := at(t, documents(t, "datasources", read(t, "grafana/provisioning/datasources/olapd.yml"))[0], "datasources", 0)
	if at(t, source, "jsonData", "host") != "olapd" || at(t, source, "jsonData", "port") != 9000 {
		t.Errorf("the datasource asks %v", at(t, source, "jsonData"))
	}
	if !strings.Contains(statements(t)[1], "USER IF NOT EXISTS "+at(t, source, "jsonData", "username").(string)+" ") {
		t.Errorf("setup makes another user than the datasource's: %s", statements(t)[1])
	}
}

// statements are those that setup runs: the demo's schema, and Grafana's user with the password "grafana".
func statements(t *testing.T) []string {
	t.Helper()
	doc := documents(t, "compose", read(t, "grafana/compose.yml"))[0]
	script := at(t, doc, "services", "setup", "command", 0).(string)
	m := regexp.MustCompile(`(?s)olapd client --host olapd -q "(.*?)"\n`).FindStringSubmatch(script)
	if m == nil || !strings.Contains(script, "olapd demo --schema --kafka kafka:9092 | olapd client --host olapd") {
		t.Fatalf("%s", script)
	}
	var schema, errs strings.Builder
	if code := demo.Main([]string{"--schema", "--kafka", "127.0.0.1:1"}, &schema, &errs); code != 0 { // nothing listens there
		t.Fatal(errs.String())
	}
	return []string{schema.String(), strings.ReplaceAll(m[1], "$$OLAPD_GRAFANA_PASSWORD", "grafana")}
}

// page is what a person looks at: a time range, a resolution and the values of variables; none of a variable means all.
type page struct {
	from, to  time.Time
	interval  time.Duration
	variables map[string][]string
}

var (
	conditional = regexp.MustCompile(`\$__conditionalAll\((.*?), \$(\w+)\)`)
	quoted      = regexp.MustCompile(`\$\{(\w+):singlequote\}`)
	withColumn  = regexp.MustCompile(`\$__(timeFilter|timeFilter_ms|timeInterval|timeInterval_ms)\((\w+)\)`)
	bare        = regexp.MustCompile(`\$__(fromTime|toTime|interval_s)\b`)
)

// expand replaces the variables and macros in a query, as Grafana and the datasource plugin do before it is sent.
func (p page) expand(sql string) string {
	seconds := int(max(p.interval.Seconds(), 1))
	sql = conditional.ReplaceAllStringFunc(sql, func(s string) string {
		m := conditional.FindStringSubmatch(s)
		if len(p.variables[m[2]]) == 0 {
			return "1=1"
		}
		return m[1]
	})
	sql = quoted.ReplaceAllStringFunc(sql, func(s string) string {
		return "'" + strings.Join(p.variables[quoted.FindStringSubmatch(s)[1]], "','") + "'"
	})
	sql = withColumn.ReplaceAllStringFunc(sql, func(s string) string {
		m := withColumn.FindStringSubmatch(s)
		switch c := m[2]; m[1] {
		case "timeFilter":
			return fmt.Sprintf("%s >= toDateTime(%d) AND %s <= toDateTime(%d)", c, p.from.Unix(), c, p.to.Unix())
		case "timeFilter_ms":
			return fmt.Sprintf("%s >= fromUnixTimestamp64Milli(%d) AND %s <= fromUnixTimestamp64Milli(%d)", c, p.from.UnixMilli(), c, p.to.UnixMilli())
		case "timeInterval":
			return fmt.Sprintf("toStartOfInterval(toDateTime(%s), INTERVAL %d second)", c, seconds)
		default:
			return fmt.Sprintf("toStartOfInterval(toDateTime64(%s, 3), INTERVAL %d millisecond)", c, p.interval.Milliseconds())
		}
	})
	return bare.ReplaceAllStringFunc(sql, func(s string) string {
		return map[string]string{"$__fromTime": fmt.Sprintf("toDateTime(%d)", p.from.Unix()), "$__toTime": fmt.Sprintf("toDateTime(%d)", p.to.Unix()), "$__interval_s": fmt.Sprint(seconds)}[s]
	})
}

// answer is a result in the format JSONCompact.
type answer struct {
	Meta []struct{ Name, Type string }
	Data [][]any
}

// ask runs a statement; it must be right.
func ask(t *testing.T, n *node.Node, user, password, sql string) answer {
	t.Helper()
	resp, err := http.Post("http://"+n.HTTPAddr()+"/?"+url.Values{"user": {user}, "password": {password}, "default_format": {"JSONCompact"}}.Encode(), "", strings.NewReader(sql))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s\n%s %v", sql, b, err)
	}
	var a answer
	if len(b) > 0 {
		if err := json.Unmarshal(b, &a); err != nil {
			t.Fatalf("%s\n%s: %v", sql, b, err)
		}
	}
	return a
}

// TestDashboardQueries runs the query of every panel and variable, as Grafana's user, on a node with some of the demo's events.
func TestDashboardQueries(t *testing.T) {
	cfg := node.DefaultConfig()
	cfg.Data, cfg.HTTP, cfg.LogLevel, cfg.FS, cfg.Memory = "data", "127.0.0.1:0", "error", vfs.NewMem(), 1<<30
	n, err := node.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		http.DefaultClient.CloseIdleConnections()
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, script := range statements(t) {
		for _, sql := range strings.Split(script, ";") {
			if strings.TrimSpace(sql) != "" {
				ask(t, n, "default", "", sql)
			}
		}
	}
	ask(t, n, "default", "", `INSERT INTO events SELECT now64(3) - number / 10, ['view', 'order'][number % 2 + 1], number % 50, generateUUIDv4(), concat('/product/', toString(number % 7)), '',
		['DE', 'FR', 'US'][number % 3 + 1], ['phone', 'desktop'][number % 2 + 1], ['Firefox', 'Chrome'][number % 2 + 1], if(number % 20 = 0, 500, 200), number % 300, number % 2 * 9.99, 0, number
		FROM numbers(3000)`)
	adHoc := ask(t, n, "grafana", "grafana", `SELECT count() FROM events settings limit = 10000, additional_table_filters={'default.events' : ' country = \'DE\' '}`)
	if adHoc.Data[0][0] != 1000.0 {
		t.Errorf("with an ad-hoc filter: %v", adHoc.Data)
	}
	now := time.Now()
	pages := []page{
		{from: now.Add(-time.Hour), to: now.Add(time.Minute), interval: 10 * time.Second},
		{from: now.Add(-5 * time.Minute), to: now.Add(time.Minute), interval: 200 * time.Millisecond, variables: map[string][]string{"country": {"DE", "FR"}}},
	}
	for name, d := range dashboards(t) {
		for _, v := range d.Templating.List {
			if v.Type == "query" && len(ask(t, n, "grafana", "grafana", v.Query).Data) != 3 {
				t.Errorf("%s: variable %s has no values", name, v.Name)
			}
		}
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				for _, on := range pages {
					sql := on.expand(q.RawSQL)
					if strings.Contains(sql, "$") {
						t.Errorf("%s, %s: %s is left", name, p.Title, sql)
						continue
					}
					checkPanel(t, name, p.Title, p.Type, ask(t, n, "grafana", "grafana", sql))
				}
			}
		}
	}
}

// empties are the panels that have nothing to show on this node.
var empties = []string{"Failed queries by code", "Merges that run", "Partitions", "The last unreadable messages", "Inserts that failed", "Raft groups: one row for each replica", "Nodes", "Shards"}

func checkPanel(t *testing.T, name, title, kind string, a answer) {
	t.Helper()
	if len(a.Data) == 0 && !slices.Contains(empties, title) {
		t.Errorf("%s, %s: no rows", name, title)
	}
	if kind != "timeseries" {
		return
	}
	if !strings.HasPrefix(a.Meta[0].Type, "DateTime") {
		t.Errorf("%s, %s: the first column is a %s, no time", name, title, a.Meta[0].Type)
	}
	if last := a.Meta[len(a.Meta)-1].Type; !regexp.MustCompile(`^(U?Int|Float|Decimal)`).MatchString(last) {
		t.Errorf("%s, %s: the last column is a %s, no number", name, title, last)
	}
}

// The expander is held to what the plugin's documentation says of its macros.
func TestExpand(t *testing.T) {
	p := page{from: time.Unix(100, 0), to: time.Unix(200, 5e6), interval: 1500 * time.Millisecond, variables: map[string][]string{"c": {"a", "b"}}}
	for sql, want := range map[string]string{
		"$__timeFilter(t)":                                   "t >= toDateTime(100) AND t <= toDateTime(200)",
		"$__timeFilter_ms(t)":                                "t >= fromUnixTimestamp64Milli(100000) AND t <= fromUnixTimestamp64Milli(200005)",
		"$__timeInterval(t) / $__interval_s":                 "toStartOfInterval(toDateTime(t), INTERVAL 1 second) / 1",
		"$__timeInterval_ms(t)":                              "toStartOfInterval(toDateTime64(t, 3), INTERVAL 1500 millisecond)",
		"$__fromTime $__toTime":                              "toDateTime(100) toDateTime(200)",
		"$__conditionalAll(c IN (${c:singlequote}), $c) AND": "c IN ('a','b') AND",
		"$__conditionalAll(d IN (${d:singlequote}), $d) AND": "1=1 AND",
		"$__other(x)":                                        "$__other(x)",
	} {
		if got := p.expand(sql); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
}
