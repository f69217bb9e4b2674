package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// scaleRecord is the outcome of `bench scale`: what it costs to spread a table over nodes, and groups that have nothing to do.
type scaleRecord struct {
	environment
	Rows    int64        `json:"rows"`
	Runs    int          `json:"runs"`
	Queries []scaleQuery `json:"queries"`
	Idle    []scaleIdle  `json:"idle"`
}

// scaleQuery is one query on 1, 2 … nodes: the median time, the processor time of all nodes, and the bytes between them, each for one run.
type scaleQuery struct {
	Name   string    `json:"name"`
	Median []float64 `json:"median_ms"`
	CPU    []float64 `json:"cpu_ms"`
	Bytes  []int64   `json:"network_bytes"`
}

// scaleIdle is what three nodes do that nobody asks anything, each with a replica of every shard.
type scaleIdle struct {
	Shards int     `json:"shards"`
	CPU    float64 `json:"cpu_of_a_processor"` // of one node
	Peak   int64   `json:"peak_bytes"`         // of the node that has most
	Count  float64 `json:"count_ms"`           // the median of count() of an empty table on all shards
	Status float64 `json:"status_ms"`          // of a query that asks every node for its state
}

const (
	scaleTables = `CREATE TABLE visits (user UInt32, time DateTime, region UInt16, duration UInt32, url String, note String) ENGINE = MergeTree ORDER BY (region, time) SETTINGS sharding_key = 'user';
CREATE TABLE users (user UInt32, country LowCardinality(String)) ENGINE = MergeTree ORDER BY user SETTINGS sharding_key = 'user';
CREATE TABLE sites (url String, owner UInt32) ENGINE = MergeTree ORDER BY url SETTINGS sharding_key = 'owner'`
	// scaleUsers and scaleSites are how many there are for each hundred visits.
	scaleUsers, scaleSites = 10, 5
	// idleTime is how long idle nodes are watched; settleTime how long a cluster may take to begin.
	idleTime   = 15 * time.Second
	settleTime = 3 * time.Minute
)

// scaleQueries are a query of each way to be spread.
var scaleQueries = []struct{ name, sql string }{
	{"sums", "SELECT count(), sum(duration), avg(region), max(time) FROM visits"},
	{"few groups", "SELECT region, count(), avg(duration), uniq(user) FROM visits GROUP BY region ORDER BY region"},
	{"many groups", "SELECT url, count() AS n, sum(duration) FROM visits GROUP BY url ORDER BY n DESC, url LIMIT 10"},
	{"groups by the sharding key", "SELECT user, count() AS n, sum(duration) FROM visits GROUP BY user ORDER BY n DESC, user LIMIT 10"},
	{"exact distinct", "SELECT uniqExact(user) FROM visits"},
	{"ten rows of all columns", "SELECT * FROM visits ORDER BY duration DESC, user, time LIMIT 10"},
	{"one shard", "SELECT count(), sum(duration) FROM visits WHERE user = 77"},
	{"co-located join", "SELECT country, count(), sum(duration) FROM visits JOIN users USING (user) GROUP BY country ORDER BY country"},
	{"broadcast join", "SELECT owner % 10 AS o, count(), sum(duration) FROM visits JOIN sites USING (url) GROUP BY o ORDER BY o"},
	{"shuffled join", "SELECT owner % 10 AS o, count(), sum(duration) FROM visits JOIN sites USING (url) GROUP BY o ORDER BY o SETTINGS distributed_join = 'shuffle'"},
}

// runScale is `bench scale`.
func runScale(args []string) error {
	var o machineOptions
	fs := flag.NewFlagSet("scale", flag.ContinueOnError)
	o.register(fs, 1_000_000)
	runs := fs.Int("runs", 15, "runs of each query; the first is not counted")
	most := fs.Int("nodes", 3, "the largest number of nodes; 0 for no queries")
	idle := fs.String("idle", "1,64", "numbers of shards of idle nodes; empty for none")
	if err := o.parse(fs, args); err != nil {
		return err
	}
	if *runs < 2 || *most < 0 {
		return fmt.Errorf("scale: want at least 2 runs")
	}
	rec := &scaleRecord{environment: newEnvironment(), Rows: o.rows, Runs: *runs}
	for _, q := range scaleQueries {
		rec.Queries = append(rec.Queries, scaleQuery{Name: q.name})
	}
	var first []string
	for nodes := 1; nodes <= *most; nodes++ {
		answers, err := rec.measureNodes(o, nodes, *runs)
		if err != nil {
			return fmt.Errorf("scale: %d nodes: %w", nodes, err)
		}
		if nodes == 1 {
			first = answers
		}
		for i, a := range answers {
			if a != first[i] {
				return fmt.Errorf("scale: %q on %d nodes is\n%s\non one\n%s", scaleQueries[i].name, nodes, a, first[i])
			}
		}
	}
	for _, field := range strings.FieldsFunc(*idle, func(r rune) bool { return r == ',' }) {
		shards, err := strconv.Atoi(field)
		if err != nil || shards < 1 {
			return fmt.Errorf("scale: not a number of shards: %q", field)
		}
		i, err := measureIdle(o, shards)
		if err != nil {
			return fmt.Errorf("scale: %d idle shards: %w", shards, err)
		}
		rec.Idle = append(rec.Idle, i)
	}
	fmt.Fprintln(os.Stdout, rec.tables())
	return appendResult(o.results, "scale", rec)
}

// measureNodes runs the queries on a table spread over nodes, a shard each, and returns their answers.
func (r *scaleRecord) measureNodes(o machineOptions, nodes, runs int) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	c, err := beginScale(ctx, o, nodes, nodes, 1)
	if err != nil {
		return nil, err
	}
	defer c.close()
	progress("%d nodes: %d rows", nodes, o.rows)
	users, sites := max(o.rows*scaleUsers/100, 100), max(o.rows*scaleSites/100, 1)
	for _, sql := range append(strings.Split(scaleTables, ";"),
		fmt.Sprintf("INSERT INTO visits SELECT cityHash64(number) %% %d, toDateTime('2026-01-01') + number %% 8640000, number * 7 %% 500, cityHash64(number, 1) %% 100000, "+
			"concat('https://example.org/', toString(cityHash64(number, 2) %% %d)), repeat(hex(cityHash64(number, 3)), 12) FROM numbers(%d)", users, sites, o.rows),
		fmt.Sprintf("INSERT INTO users SELECT number, ['de', 'fr', 'us', 'in', 'br'][number %% 5 + 1] FROM numbers(%d)", users),
		fmt.Sprintf("INSERT INTO sites SELECT concat('https://example.org/', toString(number)), cityHash64(number) %% 1000 FROM numbers(%d)", sites),
		"OPTIMIZE TABLE visits FINAL", "OPTIMIZE TABLE users FINAL", "OPTIMIZE TABLE sites FINAL") {
		if _, err := c.ask(ctx, sql); err != nil {
			return nil, err
		}
	}
	var answers []string
	for i, q := range scaleQueries {
		a, err := r.Queries[i].measure(ctx, c, q.sql, runs)
		if err != nil {
			return nil, err
		}
		answers = append(answers, a)
	}
	return answers, nil
}

func beginScale(ctx context.Context, o machineOptions, nodes, shards, replicas int) (*scaleNodes, error) {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	return startScale(ctx, o, nodes, shards, replicas)
}

// measure runs one query, the first time uncounted.
func (q *scaleQuery) measure(ctx context.Context, c *scaleNodes, sql string, runs int) (string, error) {
	rows, err := c.ask(ctx, sql)
	if err != nil {
		return "", err
	}
	var ms []float64
	cpu := c.cpu()
	for range runs - 1 {
		start := time.Now()
		if _, err := c.ask(ctx, sql); err != nil {
			return "", err
		}
		ms = append(ms, float64(time.Since(start))/1e6)
	}
	q.CPU = append(q.CPU, float64(c.cpu()-cpu)/1e6/float64(runs-1))
	q.Median = append(q.Median, median(ms))
	bytes, err := c.networkBytes(ctx, sql)
	q.Bytes = append(q.Bytes, bytes)
	return strings.Join(rows, "\n"), err
}

// networkBytes is what the last run of a query sent between nodes.
func (c *scaleNodes) networkBytes(ctx context.Context, sql string) (int64, error) {
	rows, err := c.ask(ctx, "SELECT argMax(ProfileEvents['NetworkSendBytes'] + ProfileEvents['NetworkReceiveBytes'], event_time_microseconds) FROM system.query_log "+
		"WHERE type = 'QueryFinish' AND query = '"+strings.ReplaceAll(sql, "'", "\\'")+"'")
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.Join(rows, ""), 10, 64)
}

// measureIdle watches three nodes that have nothing to do.
func measureIdle(o machineOptions, shards int) (i scaleIdle, err error) {
	const nodes = 3
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	i.Shards = shards
	progress("%d nodes, %d shards, idle", nodes, shards)
	c, err := beginScale(ctx, o, nodes, shards, nodes)
	if err != nil {
		return i, err
	}
	defer c.close()
	if _, err := c.ask(ctx, "CREATE TABLE empty (x UInt32) ENGINE = MergeTree ORDER BY x"); err != nil {
		return i, err
	}
	cpu, start := c.cpu(), time.Now()
	time.Sleep(idleTime)
	i.CPU = float64(c.cpu()-cpu) / float64(time.Since(start)) / nodes
	for _, s := range c.servers {
		i.Peak = max(i.Peak, s.Peak())
	}
	if i.Count, err = c.median(ctx, "SELECT count() FROM empty WHERE x > 3"); err != nil {
		return i, err
	}
	i.Status, err = c.median(ctx, "SELECT count() FROM system.raft_groups")
	return i, err
}

// median is the time of a query, of some runs.
func (c *scaleNodes) median(ctx context.Context, sql string) (float64, error) {
	var ms []float64
	for range 21 {
		start := time.Now()
		if _, err := c.ask(ctx, sql); err != nil {
			return 0, err
		}
		ms = append(ms, float64(time.Since(start))/1e6)
	}
	return median(ms), nil
}

func (r *scaleRecord) tables() string {
	var parts []string
	if len(r.Queries[0].Median) > 0 {
		parts = append(parts, r.queryTable())
	}
	if len(r.Idle) > 0 {
		idle := table{header: []string{"idle, of three nodes", "CPU of one", "MiB", "count(), ms", "state of all, ms"}}
		for _, i := range r.Idle {
			idle.add(fmt.Sprintf("%d shards", i.Shards), fmt.Sprintf("%.2f %%", 100*i.CPU), mebibytes(i.Peak), msText(i.Count), msText(i.Status))
		}
		parts = append(parts, idle.String())
	}
	return strings.Join(parts, "\n")
}

func (r *scaleRecord) queryTable() string {
	t := table{header: []string{"query"}}
	last := len(r.Queries[0].Median)
	head := func(text string, from int) {
		for n := from; n <= last; n++ {
			t.header = append(t.header, fmt.Sprintf(text, n))
		}
	}
	head("ms, %d", 1)
	t.header = append(t.header, "CPU ms, 1")
	head("CPU, %d : 1", 2)
	head("bytes, %d", 2)
	for _, q := range r.Queries {
		row := []string{q.Name}
		for _, ms := range q.Median {
			row = append(row, msText(ms))
		}
		row = append(row, msText(q.CPU[0]))
		for _, cpu := range q.CPU[1:] {
			row = append(row, ratioText(cpu/max(q.CPU[0], 0.001)))
		}
		for _, b := range q.Bytes[1:] {
			row = append(row, grouped(b))
		}
		t.add(row...)
	}
	return t.String()
}

// median is the middle of times; it puts them in order.
func median(ms []float64) float64 {
	slices.Sort(ms)
	return ms[len(ms)/2]
}
