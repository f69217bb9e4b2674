package main

import (
	"bufio"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/olapd/olapd/test/olapd"
)

// threeQueries is a record of a suite of three queries, in which ClickHouse failed the last.
func threeQueries() *record {
	r := &record{suite: &suite{name: "three", queries: 3}, Rows: 1000, Engines: map[string]*engineRecord{
		"olapd":      {Version: "1", Load: 2, Warm: series{Median: []float64{1, 8, 3}}, Cold: []float64{2, 9, 4}},
		"clickhouse": {Version: "2", Load: 1, Warm: series{Median: []float64{2, 5, failed}}, Cached: series{Median: []float64{0.5, 5, failed}}, Errors: map[string]string{"q03": "no"}},
		"duckdb":     {Version: "3", Load: 1, Warm: series{Median: []float64{4, 2, 6}}},
	}}
	r.Summary = r.summarize()
	return r
}

func TestSummary(t *testing.T) {
	s := threeQueries().Summary
	warm := s[passWarm]
	if want := math.Cbrt(2 * 2 * 6); math.Abs(warm.Better-want) > 1e-9 {
		t.Errorf("better peer %v, want %v", warm.Better, want)
	}
	if want := math.Cbrt(1. / 2 * 8 / 2 * 3 / 6); math.Abs(warm.Ratio-want) > 1e-9 {
		t.Errorf("ratio %v, want %v", warm.Ratio, want)
	}
	if warm.Fastest["olapd"] != 2 || warm.Fastest["duckdb"] != 1 {
		t.Errorf("fastest %v", warm.Fastest)
	}
	if want := []string{"q2 4.00"}; !slices.Equal(warm.Slow, want) {
		t.Errorf("slow %v, want %v", warm.Slow, want)
	}
	if cached := s[passCached]; cached.Fastest["clickhouse"] != 1 || !slices.Equal(cached.Slow, []string{"q2 4.00", "q1 2.00"}) {
		t.Errorf("with the cache: %+v", cached)
	}
	if cold := s[passCold]; cold.Ratio != 0 || cold.Fastest["olapd"] != 3 {
		t.Errorf("cold, which only olapd has: %+v", cold)
	}
	if _, ok := s[passOneThread]; ok {
		t.Error("a pass that was not made is summed up")
	}
}

// TestPrintWithFailures prints a record with failed queries and without an engine.
func TestPrintWithFailures(t *testing.T) {
	r := threeQueries()
	var b strings.Builder
	r.print(&b)
	for _, want := range []string{"failed", "ClickHouse failed q03: no.", "Slower than 1.5 × the better peer (warm): q2 4.00."} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	delete(r.Engines, "olapd")
	r.Summary = r.summarize()
	r.print(&b)
}

func TestSeries(t *testing.T) {
	var s series
	s.add(answer{times: []float64{100, 4, 1, 2, 3}})
	s.add(answer{times: []float64{1}, err: errClosed})
	s.add(answer{times: []float64{7}})
	if !slices.Equal(s.Median, []float64{2.5, failed, 7}) || !slices.Equal(s.Min, []float64{1, failed, 7}) {
		t.Errorf("%+v", s)
	}
}

func TestExponent(t *testing.T) {
	a, b := growthSize{Rows: 10, Median: []float64{5, failed}}, growthSize{Rows: 1000, Median: []float64{50, 1}}
	if x, ok := exponent(a, b, 0); !ok || math.Abs(x-0.5) > 1e-9 {
		t.Errorf("%v %v", x, ok)
	}
	if _, ok := exponent(a, b, 1); ok {
		t.Error("an exponent of a failed query")
	}
}

// TestWorkload runs bodies once each from several clients, and ends at the first error.
func TestWorkload(t *testing.T) {
	bodies := strings.Split("a b c d e f g h i j", " ")
	for _, bad := range []string{"", "e"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			body, err := io.ReadAll(req.Body)
			if err != nil || string(body) == bad {
				http.Error(w, "Code: 62. no", http.StatusBadRequest)
			}
		}))
		w := workload{Prefix: "INSERT\n", Bodies: bodies, Clients: 3}
		out, err := w.runOlapd(&olapdEngine{server: olapd.At(server.URL)})
		server.Close()
		if err != nil {
			t.Fatal(err)
		}
		if bad == "" && (len(out.Latencies) != len(bodies) || out.Error != "") {
			t.Errorf("%d of %d ran, error %q", len(out.Latencies), len(bodies), out.Error)
		}
		if bad != "" && !strings.Contains(out.Error, "Code: 62") {
			t.Errorf("error %q", out.Error)
		}
	}
}

func TestLineLimit(t *testing.T) {
	from := bufio.NewReaderSize(strings.NewReader("a\nbb\nccc\ndddd\n"), 16)
	for _, want := range []string{"a\nbb\n", "ccc\ndddd\n", ""} {
		got, err := io.ReadAll(iotest.OneByteReader(&lineLimit{from: from, left: 2}))
		if err != nil || string(got) != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
}
