package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/olapd/olapd/test/oracle"
)

// workload is what a number of clients do to one engine at the same time: each takes the next
// body, until all have run once or, if Seconds is not 0, over and over for that long.
type workload struct {
	Setup   []string `json:"setup"`
	Session []string `json:"session"` // settings of each client of ClickHouse
	Prefix  string   `json:"prefix"`  // start of every statement
	Bodies  []string `json:"bodies"`  // rest of them, or their data
	Clients int      `json:"clients"`
	Seconds float64  `json:"seconds"`
	Check   string   `json:"check"` // a statement whose result is wanted afterwards
}

// outcome is how a workload went.
type outcome struct {
	Version   string    `json:"version"`
	Seconds   float64   `json:"seconds"`
	Latencies []float64 `json:"latencies_ms"`
	Check     string    `json:"check"`
	Error     string    `json:"error"` // of the first statement that failed; it ended the run
}

const workloadTimeout = 10 * time.Minute

//go:embed clients.py
var clientsScript string

// runClickHouse runs a workload in a ClickHouse on dir: the clients are threads of its process
// with a session each, and spend nothing on a network.
func (w *workload) runClickHouse(dir string) (o outcome, err error) {
	python, err := oracle.Python()
	if err != nil {
		return o, err
	}
	job, err := json.Marshal(w)
	if err != nil {
		return o, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), workloadTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "-c", clientsScript, dir)
	cmd.Env = append(os.Environ(), "TZ=UTC")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(job), os.Stderr
	out, err := cmd.Output()
	if len(out) == 0 && err != nil {
		return o, fmt.Errorf("clickhouse: %w", err)
	}
	return o, json.Unmarshal(out, &o) // an engine that does not end cleanly has answered all the same
}

// runOlapd runs a workload against an olapd that is open: the clients are goroutines of this
// process with a kept-alive HTTP connection each.
func (w *workload) runOlapd(e *olapdEngine) (o outcome, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), workloadTimeout)
	defer cancel()
	for _, sql := range w.Setup {
		if _, _, err := e.query(ctx, sql); err != nil {
			return o, err
		}
	}
	r := httpRun{workload: w, base: e.server.URL + "/", client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: w.Clients}}}
	defer r.client.CloseIdleConnections()
	if w.Prefix != "" {
		r.base += "?" + url.Values{"query": {strings.TrimSuffix(w.Prefix, "\n")}}.Encode()
	}
	start := time.Now()
	r.deadline = start.Add(time.Duration(w.Seconds * float64(time.Second)))
	var clients sync.WaitGroup
	for range w.Clients {
		clients.Go(func() { r.loop(ctx) })
	}
	clients.Wait()
	o.Version, o.Seconds, o.Latencies, o.Error = e.release, time.Since(start).Seconds(), r.latencies, r.failure
	if w.Check != "" {
		rows, _, err := e.query(ctx, w.Check)
		if err != nil {
			return o, err
		}
		o.Check = strings.Join(rows, "\n")
	}
	return o, nil
}

// httpRun is a workload under way over HTTP.
type httpRun struct {
	*workload
	base     string
	client   *http.Client
	deadline time.Time

	mu        sync.Mutex
	next      int
	latencies []float64
	failure   string
}

// take returns the next body; ok is false when there is none.
func (r *httpRun) take() (body string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.next
	r.next++
	switch {
	case r.failure != "":
		return "", false
	case r.Seconds > 0:
		return r.Bodies[n%len(r.Bodies)], time.Now().Before(r.deadline)
	case n < len(r.Bodies):
		return r.Bodies[n], true
	}
	return "", false
}

// loop is one client.
func (r *httpRun) loop(ctx context.Context) {
	var mine []float64
	failure := ""
	for body, ok := r.take(); ok && failure == ""; body, ok = r.take() {
		start := time.Now()
		if err := r.post(ctx, body); err != nil {
			failure = err.Error()
			break
		}
		mine = append(mine, milliseconds(time.Since(start)))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.latencies = append(r.latencies, mine...)
	if r.failure == "" {
		r.failure = failure
	}
}

func (r *httpRun) post(ctx context.Context, body string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.base, strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, oneLine(string(data)))
	}
	return err
}

// percentile returns the p-quantile of the latencies, in milliseconds; 0 if there are none.
func (o *outcome) percentile(p float64) float64 {
	if len(o.Latencies) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(o.Latencies))
	return sorted[min(int(p*float64(len(sorted))), len(sorted)-1)]
}
