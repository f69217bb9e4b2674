package play

import (
	"context"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/test/olapd"
)

var (
	serverFlag = flag.String("server", "", "olapd binary whose page is looked at")
	shotsFlag  = flag.String("shots", "", "directory to write screenshots into")
)

const (
	width, height = 1280, 800

	schema = `CREATE TABLE visits (time DateTime, country LowCardinality(String), user UInt64, ms UInt32, price Decimal(10, 2), url String COMMENT 'without the host')
ENGINE = MergeTree PARTITION BY toYYYYMM(time) ORDER BY (country, time)`
	data = `INSERT INTO visits SELECT toDateTime('2026-10-01 00:00:00') + number, ['DE', 'FR', 'US', 'JP', 'BR'][cityHash64(number) % 5 + 1], cityHash64(number, 1) % 10000,
cityHash64(number, 2) % 800, (cityHash64(number, 3) % 10000) / 100, concat('/page/', toString(cityHash64(number, 4) % 500)) FROM numbers(200000)`
)

// page is the page under test with its server.
type page struct {
	*Browser
	t      *testing.T
	server *olapd.Server
}

func (p *page) must(err error) {
	p.t.Helper()
	if err != nil {
		p.shot("failed")
		p.t.Fatal(err)
	}
}

// is waits until a condition in JavaScript holds.
func (p *page) is(condition string) {
	p.t.Helper()
	p.must(p.Wait(condition))
}

func (p *page) do(js string) {
	p.t.Helper()
	p.must(p.Eval(js+"; undefined", nil))
}

func (p *page) text(js string) string {
	p.t.Helper()
	var s string
	p.must(p.Eval("String("+js+")", &s))
	return s
}

func (p *page) press(key string, modifiers int) {
	p.t.Helper()
	p.must(p.Press(key, modifiers))
}

// write puts a statement into the editor as a person would: all chosen, then typed over.
func (p *page) write(sql string) {
	p.t.Helper()
	p.do(`document.getElementById("sql").focus(); document.getElementById("sql").select()`)
	p.must(p.Type(sql))
	p.press("Escape", 0) // no completion
}

// run runs a statement and waits until its answer is in the document: the table is drawn a frame after its rows came.
func (p *page) run(sql string) {
	p.t.Helper()
	p.write(sql)
	p.press("Enter", Ctrl)
	p.is(`!document.getElementById("run").disabled && (document.getElementById("status").textContent !== "" || !document.getElementById("error").hidden) && !document.querySelector("#result[aria-busy]")`)
}

func (p *page) shot(name string) {
	if *shotsFlag == "" {
		return
	}
	png, err := p.Screenshot()
	if err == nil {
		err = os.WriteFile(filepath.Join(*shotsFlag, name+".png"), png, 0o644)
	}
	if err != nil {
		p.t.Errorf("screenshot %s: %v", name, err)
	}
}

// open shows the page anew.
func (p *page) open(path string) {
	p.t.Helper()
	p.must(p.Go("about:blank"))
	p.must(p.Go(p.server.URL + path))
	p.is(`document.querySelector("#schema [role=treeitem]")`)
	p.do(at)
}

// at finds an item of the schema browser by its path.
const at = `window.at = path => [...document.querySelectorAll("#schema [role=treeitem]")].find(e => e.dataset.key === path)`

func (p *page) sql(statement string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	a, err := (&olapd.Session{Server: p.server}).Run(ctx, statement, "TSV")
	if err != nil || a.Code != 0 {
		p.t.Fatalf("%s: %v %s", statement, err, a.Message)
	}
	return a.Data
}

// browse starts a browser, or says why the test is not run.
func browse(t *testing.T) *Browser {
	t.Helper()
	if *serverFlag == "" {
		t.Skip("not run: -server=PATH names the olapd binary (make test-play)")
	}
	path := Find()
	if path == "" {
		t.Skipf("not run: no browser is installed, of %s", strings.Join(browsers, ", "))
	}
	browser, err := Open(path, t.TempDir(), width, height)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(browser.Close)
	return browser
}

// quiet holds the page to what must never happen: an error in the console, a violation of the security policy, a request
// to anywhere else.
func (p *page) quiet() {
	for _, c := range p.Complaints() {
		p.t.Errorf("the page complains: %s", c)
	}
	asked := p.Requests()
	if len(asked) == 0 {
		p.t.Error("no request was seen")
	}
	for _, u := range asked {
		if !strings.HasPrefix(u, p.server.URL+"/") && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "blob:"+p.server.URL) && u != "about:blank" {
			p.t.Errorf("the page asks %s", u)
		}
	}
}

// TestPlay walks through the page as a user does.
func TestPlay(t *testing.T) {
	browser := browse(t)
	server, err := olapd.Start(*serverFlag, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	p := &page{Browser: browser, t: t, server: server}
	p.sql(schema)
	p.sql(data)
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			q := &page{Browser: browser, t: t, server: server}
			step.walk(q)
		})
	}
	p.quiet()
}

// TestFaultsAreSeen plants what quiet is to find.
func TestFaultsAreSeen(t *testing.T) {
	browser := browse(t)
	server, err := olapd.Start(*serverFlag, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	p := &page{Browser: browser, t: t, server: server}
	p.open("/play")
	p.quiet()
	p.do(`console.error("planted"); setTimeout(() => { throw new Error("thrown") }); document.body.insertAdjacentHTML("beforeend", "<style>b { color: red }</style>")`)
	p.do(`fetch("http://192.0.2.1/").catch(() => {})`)
	for _, want := range []string{"planted", "thrown", "style-src", "connect-src"} {
		for deadline := time.Now().Add(waitTimeout); !strings.Contains(strings.Join(p.Complaints(), "\n"), want); time.Sleep(pollEvery) {
			if time.Now().After(deadline) {
				t.Fatalf("%s is not seen in %q", want, p.Complaints())
			}
		}
	}
}

// TestIngestion looks at the live page of the demo, where a broker has a stream of events.
func TestIngestion(t *testing.T) {
	browser := browse(t)
	var addresses []string
	for range 3 {
		a, err := olapd.FreeAddress()
		if err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, a)
	}
	demo := exec.Command(*serverFlag, "demo", "-data", t.TempDir(), "-http", addresses[0], "-kafka", addresses[1], "-native", addresses[2], "-rate", "300", "-for", "2m")
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = demo.Process.Kill() // fails only if it has ended already
		_ = demo.Wait()         // killed: its status says nothing
	}()
	p := &page{Browser: browser, t: t, server: olapd.At("http://" + addresses[0])}
	for deadline := time.Now().Add(waitTimeout); ; time.Sleep(pollEvery) {
		res, err := http.Get(p.server.URL + "/ping")
		if err == nil {
			_ = res.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	p.open("/play?live")
	const row = `[...(document.querySelector("#cards [data-name=kafka] tbody tr")?.cells || [])].map(c => c.textContent)`
	p.is(row + `[0] === "default.events_queue"`)
	p.is(`[...document.querySelectorAll("#cards [data-name=tables] td")].some(c => c.textContent === "default.events_by_minute (rollup)")`)
	p.is(`parseFloat(` + row + `[3]) > 0 && ` + row + `[1] === "running" && ` + row + `[2] === "4"`)
	p.is(`document.querySelector(".figure[data-name='Rows stored'] b").textContent !== "0/s" && document.querySelectorAll(".figure .spark path").length >= 8`)
	p.shot("ingestion")
	p.quiet()
}

var steps = []struct {
	name string
	walk func(*page)
}{
	{"run", runs}, {"errors", fails}, {"completion", completes}, {"statements", several}, {"scrolling", scrolls}, {"formats", otherFormats},
	{"chart", draws}, {"explain", explains}, {"download and copy", saves}, {"schema", browses}, {"progress and cancel", cancels}, {"history and link", remembers}, {"live", watches}, {"user", asks}, {"narrow", narrow},
}

func (p *page) equal(js, want string) {
	p.t.Helper()
	if got := p.text(js); got != want {
		p.shot("failed")
		p.t.Errorf("%s is %q, not %q", js, got, want)
	}
}

const cells = `[...document.querySelectorAll("#result tbody tr[data-row]")].map(r => [...r.cells].slice(1).map(c => c.textContent).join("|")).join(" ")`

func runs(p *page) {
	p.open("/play")
	p.run("SELECT number AS n, if(number = 1, NULL, 'x' || number) AS s, 18446744073709551615 AS big FROM numbers(3)")
	p.is(`document.querySelectorAll("#result tbody tr[data-row]").length === 3`)
	p.equal(cells, "0|x0|18446744073709551615 1|NULL|18446744073709551615 2|x2|18446744073709551615")
	p.equal(`document.getElementById("status").textContent.startsWith("3 rows · ")`, "true")
	p.do(`document.querySelector("#result th[data-column='0']").click(); document.querySelector("#result th[data-column='0']").click()`)
	p.is(`document.querySelector("#result tr[data-row='0'] td[data-column='0']").textContent === "2"`)
	p.run("SELECT country, count() AS visits, uniq(user) AS users, round(avg(ms), 1) AS ms, sum(price) AS revenue, max(time) AS last FROM visits GROUP BY country ORDER BY country")
	p.is(`document.querySelectorAll("#result tbody tr[data-row]").length === 5`)
	p.shot("table")
}

func fails(p *page) {
	p.run("SELECT 'ä', count()\nFROM visits\nWHEREE country = 'DE'")
	p.equal(`document.querySelector("#error .code").textContent`, "SYNTAX_ERROR 62")
	p.equal(`document.querySelector("#error mark").textContent`, "country")
	p.equal(`document.querySelector("#editor .wrong").textContent`, "country")
	p.equal(`document.getElementById("sql").selectionStart`, "39")
	p.shot("error")
	p.run("SELECT 1;\nSELECT nosuch FROM visits")
	p.equal(`document.querySelector("#error .code").textContent`, "UNKNOWN_IDENTIFIER 47")
	p.equal(`document.querySelector("#editor .wrong").textContent`, "nosuch")
	p.do(`document.getElementById("sql").setSelectionRange(0, 0)`)
	p.press("Enter", Ctrl)
	p.is(`document.getElementById("error").hidden && !document.querySelector("#editor .wrong") && document.querySelector("#result td.n")`)
	p.run("SELECT throwIf(number = 3000000, 'too far') FROM numbers(4000000)") // behind rows that were sent
	p.equal(`document.querySelector("#error .code").textContent`, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO 395")
}

func completes(p *page) {
	p.write("SELECT cou")
	p.press(" ", Ctrl)
	p.is(`[...document.querySelectorAll("#completions li span")].some(s => s.textContent === "count")`)
	p.write("SELECT  FROM visits")
	p.do(`document.getElementById("sql").setSelectionRange(7, 7)`)
	p.must(p.Type("co"))
	p.is(`document.querySelector("#completions li[aria-selected] span")?.textContent === "country"`)
	p.shot("completion")
	p.press("Enter", 0)
	p.equal(`document.getElementById("sql").value`, "SELECT country FROM visits")
	p.write("SELECT v. FROM visits AS v")
	p.do(`document.getElementById("sql").setSelectionRange(9, 9)`)
	p.press(" ", Ctrl)
	p.is(`document.querySelectorAll("#completions li").length === 6`)
	p.press("Escape", 0)
	p.is(`document.getElementById("completions").hidden`)
	p.write("SELECT * FROM sys")
	p.press(" ", Ctrl)
	p.is(`[...document.querySelectorAll("#completions li span")].some(s => s.textContent === "system")`)
	p.press("Escape", 0)
}

// several statements: the one under the cursor runs, or those that are chosen.
func several(p *page) {
	p.write("SELECT 'a;b' AS one; -- SELECT 0;\nSELECT 2 AS two;\nSELECT 3 AS three")
	p.do(`document.getElementById("sql").setSelectionRange(40, 40)`)
	p.press("Enter", Ctrl)
	p.is(`document.querySelector("#result th[data-column]")?.firstChild.textContent === "two"`)
	p.equal(cells, "2")
	p.do(`document.getElementById("sql").setSelectionRange(0, 0)`)
	p.press("Enter", Ctrl)
	p.is(`document.querySelector("#result td[data-column]")?.textContent === "a;b"`)
	p.do(`document.getElementById("sql").select()`)
	p.press("Enter", Ctrl)
	p.is(`document.querySelector("#result td[data-column]")?.textContent === "3"`)
}

func scrolls(p *page) {
	p.run("SELECT number, toString(number * 7) AS s, now() AS t FROM numbers(150000)")
	p.is(`/^first 100,000 rows/.test(document.getElementById("status").textContent)`)
	p.do(`document.getElementById("result").scrollTop = 1e9`)
	p.is(`[...document.querySelectorAll("#result td[data-column='0']")].at(-1).textContent === "99999"`)
	p.equal(`document.querySelectorAll("#result tr").length < 100`, "true")
	p.do(`document.querySelector("#result th[data-column='1']").click(); document.getElementById("result").scrollTop = 0`)
	p.is(`document.querySelectorAll("#result td[data-column='1']")[1].textContent === "100002"`) // as text: 0, 100002, …
	p.do(`document.querySelector("#result td[data-column='0']").click(); document.getElementById("result").focus()`)
	p.press("End", 0)
	p.is(`document.querySelector("#result td[aria-selected]")?.parentElement.dataset.row === "99999"`)
}

func otherFormats(p *page) {
	p.run("SELECT 1 AS a FORMAT JSONEachRow")
	p.equal(`document.querySelector("#result pre").textContent`, "{\"a\":1}\n")
	p.run("SELECT 1 AS a FORMAT Parquet")
	p.equal(`/^Parquet, .*not text/.test(document.querySelector("#result .note").textContent)`, "true")
	p.run("CREATE TABLE made_here (a UInt8) ENGINE = MergeTree ORDER BY a")
	p.equal(`document.getElementById("status").textContent.startsWith("Done")`, "true")
}

func draws(p *page) {
	p.run("SELECT toStartOfHour(time) AS hour, country, count() AS visits FROM visits GROUP BY ALL ORDER BY hour, country")
	p.do(`document.getElementById("as-chart").click()`)
	p.is(`document.querySelectorAll("#chart path.line").length === 5 && document.getElementById("result").hidden`)
	p.equal(`[...document.querySelectorAll("#chart .legend .key")].map(k => k.textContent).join()`, "BR,DE,FR,JP,US")
	p.equal(`/^(10-0[1-3]|\d\d:00)$/.test(document.querySelector("#chart text.x").textContent)`, "true")
	p.do(`const g = document.querySelector("#chart svg"), r = g.getBoundingClientRect();
		g.dispatchEvent(new PointerEvent("pointermove", { clientX: r.left + r.width / 2, clientY: r.top + 50 }))`)
	p.equal(`document.querySelectorAll("#chart .tip:not([hidden]) .key").length`, "5")
	p.shot("chart-lines")
	p.do(`document.querySelector("#chart .legend .key").click()`)
	p.is(`document.querySelectorAll("#chart path.line").length === 4`)
	p.run("SELECT url, count() AS visits, uniq(user) AS users FROM visits GROUP BY url ORDER BY visits DESC, url LIMIT 12")
	p.is(`document.querySelectorAll("#chart rect.bar").length === 24`) // the view stays
	p.equal(`(() => { const b = [...document.querySelectorAll("#chart rect.c0")].map(r => +r.getAttribute("width")); return b.every((w, i) => i === 0 || w <= b[i - 1]) && b[0] > 100; })()`, "true")
	p.shot("chart-bars")
	p.run("SELECT count() AS visits, uniq(user) AS users, round(avg(ms), 2) AS ms, sum(price) AS revenue FROM visits")
	p.is(`document.querySelectorAll("#chart .tile").length === 4`)
	p.equal(`document.querySelector("#chart .tile b").textContent`, "200,000")
	p.shot("chart-value")
	p.run("SELECT number, sin(number / 5000) AS y FROM numbers(60000)") // thinned: no longer a path than there are pixels for
	p.is(`document.querySelector("#chart path.line")?.getAttribute("d").length < 200000`)
	p.run("SELECT 'no number' AS s")
	p.is(`document.getElementById("views").hidden && !document.getElementById("result").hidden`)
	p.do(`document.getElementById("as-table").click()`)
}

func explains(p *page) {
	p.write("SELECT v.country, count() AS visits, max(t.top) FROM visits AS v JOIN (SELECT country, max(ms) AS top FROM visits GROUP BY country) AS t ON v.country = t.country WHERE v.country = 'DE' GROUP BY v.country ORDER BY visits DESC FORMAT CSV")
	p.do(`document.getElementById("explain").click()`)
	p.is(`!document.getElementById("picture").hidden && document.querySelectorAll("#picture .op").length >= 6`)
	p.equal(`document.querySelectorAll("#picture .edge").length === document.querySelectorAll("#picture .op").length - 1`, "true")
	p.equal(`document.querySelector("#picture .op b").textContent`, "Sort")
	p.equal(`/^1 rows; read /.test(document.querySelector("#picture p").textContent)`, "true")
	p.equal(`[...document.querySelectorAll("#picture .op")].filter(o => o.querySelector("b").textContent === "Scan").length`, "2")
	p.equal(`/^\d+ of 2\d granules read · primary −\d+$/.test(document.querySelector("#picture .spared small").textContent)`, "true")
	p.equal(`[...document.querySelectorAll("#picture .op")].every(o => o.querySelector(".foot"))`, "true")
	p.equal(`(() => { const b = [...document.querySelectorAll("#picture .op")].map(o => o.getBoundingClientRect());
		return b.some((x, i) => b.some((y, k) => i < k && x.left < y.right && y.left < x.right && x.top < y.bottom && y.top < x.bottom)); })()`, "false")
	p.shot("explain")
	p.do(`document.getElementById("as-table").click()`)
	p.is(`document.querySelector("#result td[data-column]").textContent.startsWith("Sort visits desc (1 rows")`)
	p.write("SELECT nosuch FROM visits")
	p.do(`document.getElementById("explain").click()`)
	p.is(`document.querySelector("#error .code")?.textContent === "UNKNOWN_IDENTIFIER 47"`)
	p.equal(`document.querySelector("#editor .wrong").textContent`, "nosuch")
}

func saves(p *page) {
	dir := p.t.TempDir()
	p.must(p.Downloads(dir))
	p.run("SELECT number AS n, 'a,b' AS s FROM numbers(3)")
	p.do(`document.getElementById("copy").click()`)
	p.is(`document.getElementById("status").textContent === "Copied 3 rows"`)
	for format, want := range map[string]string{"CSVWithNames": "\"n\",\"s\"\n0,\"a,b\"\n1,\"a,b\"\n2,\"a,b\"\n", "JSONEachRow": "{\"n\":0,\"s\":\"a,b\"}\n{\"n\":1,\"s\":\"a,b\"}\n{\"n\":2,\"s\":\"a,b\"}\n", "Parquet": "PAR1"} {
		p.do(`{ const d = document.getElementById("download"); d.value = "` + format + `"; d.dispatchEvent(new Event("change")) }`)
		p.saved(dir, want)
	}
}

// saved waits for one more file in dir that begins so.
func (p *page) saved(dir, want string) {
	p.t.Helper()
	var seen []string
	for deadline := time.Now().Add(waitTimeout); time.Now().Before(deadline); time.Sleep(pollEvery) {
		files, err := filepath.Glob(filepath.Join(dir, "olapd-*"))
		p.must(err)
		seen = seen[:0]
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err == nil && strings.HasPrefix(string(b), want) {
				return
			}
			seen = append(seen, f+": "+string(b))
		}
	}
	p.t.Errorf("no file begins with %q: %q", want, seen)
}

func browses(p *page) {
	p.open("/play")
	p.is(`at("default\nmade_here")`)
	p.do(`at("default\nvisits").click()`)
	p.is(`document.querySelectorAll("#schema .column").length === 6`)
	p.equal(`at("default\nvisits").querySelector("small").textContent`, "200 k")
	p.equal(`at("default\nvisits\nprice").querySelector("small").textContent`, "Decimal(10, 2)")
	p.do(`document.getElementById("sql").focus(); document.getElementById("sql").select()`)
	p.must(p.Type("SELECT "))
	p.do(`at("default\nvisits\nurl").click()`)
	p.equal(`document.getElementById("sql").value`, "SELECT url")
	p.do(`document.querySelector("#schema [data-ddl]").click()`)
	p.is(`document.getElementById("sql").value.includes("CREATE TABLE default.visits")`)
	p.shot("schema")
	p.do(`document.getElementById("filter").value = "vis"; document.getElementById("filter").dispatchEvent(new Event("input"))`)
	p.is(`!at("default\nmade_here") && at("default\nvisits")`)
	p.do(`document.querySelector("#schema [role=treeitem]").focus()`)
	p.press("ArrowDown", 0)
	p.equal(`document.activeElement.getAttribute("aria-level")`, "2")
}

func cancels(p *page) {
	p.write("SELECT sum(cityHash64(number, toString(number))) FROM numbers(100000000000)")
	p.press("Enter", Ctrl)
	p.is(`/rows of 100 G.*rows\/s/.test(document.getElementById("status").textContent) && !document.getElementById("progress").hidden`)
	p.shot("progress")
	p.do(`document.getElementById("cancel").click()`)
	p.is(`document.getElementById("cancel").disabled && document.querySelector("#error .code")?.textContent === "Cancelled"`)
	for deadline := time.Now().Add(waitTimeout); p.sql("SELECT count() FROM system.processes WHERE query LIKE '%cityHash64(number, toString%' AND query_id LIKE 'play-%'") != "0\n"; {
		if time.Now().After(deadline) {
			p.t.Fatal("the query runs on")
		}
		time.Sleep(pollEvery)
	}
}

func remembers(p *page) {
	p.run("SELECT 'kept in history' AS it")
	p.is(`location.hash.includes("kept")`)
	p.open("/play#" + "SELECT%20'from%20a%20link'")
	p.equal(`document.getElementById("sql").value`, "SELECT 'from a link'")
	p.do(`document.getElementById("tab-history").click()`)
	p.is(`document.querySelector("#history button").textContent === "SELECT 'kept in history' AS it"`)
	p.shot("history")
	p.do(`document.querySelector("#history button").click()`)
	p.is(`document.getElementById("sql").value.endsWith("SELECT 'kept in history' AS it")`)
	p.do(`document.getElementById("tab-schema").click()`)
	p.run("CREATE USER hush IDENTIFIED WITH sha256_password BY 'very hidden'")
	p.run("DROP USER hush")
	p.is(`location.hash.includes("DROP")`)
	p.equal(`JSON.stringify(localStorage).includes("very hidden")`, "false")
}

// watches looks at the live page while rows come in and a query runs, and kills that.
func watches(p *page) {
	p.do(`document.getElementById("go-live").click()`)
	p.is(`document.querySelector("#cards [data-name=tables] td")?.textContent === "default.visits"`)
	p.equal(`location.search + document.getElementById("query-page").hidden`, "?livetrue")
	ended := make(chan olapd.Answer, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		a, err := (&olapd.Session{Server: p.server}).Run(ctx, "SELECT sum(sipHash64(number)) FROM numbers(100000000000)", "TSV")
		if err != nil {
			a.Message = err.Error()
		}
		ended <- a
	}()
	p.is(`document.querySelector("#cards [data-name=queries] button[data-kill]")`)
	p.sql("INSERT INTO visits (time, country) SELECT now(), 'XX' FROM numbers(1000)")
	p.is(`document.querySelector("#cards [data-name=tables] td.n").textContent === "201,000"`)
	p.is(`document.querySelectorAll(".figure .spark path").length >= 5`)
	p.shot("live")
	p.do(`document.querySelector("#cards [data-name=queries] button[data-kill]").click()`)
	if a := <-ended; a.Code != 394 {
		p.t.Errorf("the killed query ended with %d %s", a.Code, a.Message)
	}
	p.is(`!document.querySelector("#cards [data-name=queries] button")`)
	p.do(`document.getElementById("live-pause").click()`)
	p.equal(`document.getElementById("live-pause").textContent`, "Go on")
	p.do(`document.getElementById("live-pause").click()`)
	p.open("/play?live")
	p.is(`!document.getElementById("live-page").hidden && document.querySelector("#cards [data-name=nodes] td")`)
	p.do(`document.getElementById("go-query").click()`)
	p.is(`document.getElementById("live-page").hidden && location.search === ""`)
	if got := p.sql("SELECT count() FROM system.query_log WHERE query LIKE '%FROM system.events WHERE event IN%' AND query NOT LIKE '%query_log%'"); got != "0\n" {
		p.t.Errorf("the page's own queries are in the query log: %s", got)
	}
}

// asks logs in as users with fewer rights: they see fewer things, and no broken page.
func asks(p *page) {
	p.sql("CREATE USER reader IDENTIFIED WITH sha256_password BY 'secret' SETTINGS readonly = 1")
	p.sql("CREATE DATABASE hidden")
	p.sql("GRANT SELECT(country, ms) ON default.visits TO reader")
	login := func(user, password string) {
		p.do(`document.getElementById("user").value = "` + user + `"; document.getElementById("password").value = "` + password + `"; document.getElementById("login").dispatchEvent(new Event("change"))`)
	}
	login("reader", "wrong")
	p.is(`document.getElementById("login").classList.contains("refused") && !document.querySelector("#schema [role=treeitem]")`)
	p.do(`document.getElementById("server").textContent = ""`)
	login("reader", "") // 401: the browser has no say in it
	p.is(`/wrong/.test(document.getElementById("server").textContent)`)
	login("reader", "secret")
	p.is(`!document.getElementById("login").classList.contains("refused") && document.querySelector("#schema [data-key='default']")`)
	p.equal(`document.querySelector("#schema [data-key='hidden']")`, "null")
	p.run("SELECT currentUser(), count(country) FROM visits")
	p.equal(cells, "reader|201000")
	p.run("SELECT url FROM visits")
	p.equal(`document.querySelector("#error .code").textContent`, "ACCESS_DENIED 497")
	p.equal(`JSON.stringify(localStorage).includes("secret")`, "false")
	p.do(`document.getElementById("go-live").click()`)
	p.is(`document.querySelector("#cards [data-name=queries]")`)
	p.equal(`document.querySelector("#cards [data-name=nodes]") || document.getElementById("live-state").className.includes("bad")`, "false")
	p.do(`document.getElementById("go-query").click()`)
	// The answer to a name that was typed over comes late, and counts no more.
	p.do(`{ const real = fetch; let n = 0; window.fetch = async (...a) => { if (n++ === 0) await new Promise(r => setTimeout(r, 500)); return real(...a); } }`)
	login("reader", "wrong again")
	login("default", "")
	p.is(`document.querySelector("#schema [data-key='hidden']")`)
	time.Sleep(1500 * time.Millisecond)
	p.equal(`document.getElementById("login").classList.contains("refused")`, "false")
}

func narrow(p *page) {
	p.must(p.Resize(800, 600))
	p.do(`localStorage.setItem("olapd.theme", '"dark"')`)
	p.open("/play")
	p.run("SELECT time, country, user, ms, price, url FROM visits WHERE country = 'DE' ORDER BY time LIMIT 1000")
	p.is(`document.querySelectorAll("#result tbody tr[data-row]").length > 10`)
	p.equal(`document.documentElement.scrollWidth <= 800 && document.documentElement.scrollHeight <= 600`, "true")
	p.shot("narrow")
	p.do(`localStorage.removeItem("olapd.theme")`)
	p.must(p.Resize(width, height))
}
