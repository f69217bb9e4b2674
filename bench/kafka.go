package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/olapd/olapd/test/olapd"
)

// kafkaRecord is the outcome of `bench kafka`.
type kafkaRecord struct {
	environment
	Version     string  `json:"version"`
	Rows        int64   `json:"rows"`
	Bytes       int64   `json:"bytes"`
	Partitions  int     `json:"partitions"`
	Rate        int     `json:"rate,omitempty"` // messages a second that were produced; 0: all were there before
	Seconds     float64 `json:"seconds"`
	PerSecond   float64 `json:"rows_per_second"`
	LongestGap  float64 `json:"longest_gap_ms"`  // between two moments at which more rows were seen
	WorstDelay  float64 `json:"worst_delay_ms"`  // with a rate: from producing a row to seeing it, polled
	MedianDelay float64 `json:"median_delay_ms"` // with a rate
	PeakMemory  int64   `json:"peak_bytes"`
	Segments    int64   `json:"segments"`
	ServerCPU   float64 `json:"server_cpu_seconds"` // olapd's until all rows were seen
	BrokerCPU   float64 `json:"broker_cpu_seconds"` // the broker's in the same time, at a rate with producing
}

// kafkaSchema is what rows go through: the topic, a table, and a rollup of it.
func kafkaSchema(broker string) []string {
	columns := createEvents[strings.Index(createEvents, "(\n"):strings.Index(createEvents, "\n)")]
	with := columns + ",\n    produced Int64\n)"
	columns += "\n)"
	return []string{
		"CREATE TABLE events " + with + " ENGINE = MergeTree ORDER BY (country, time)",
		`CREATE MATERIALIZED VIEW events_by_minute ENGINE = SummingMergeTree ORDER BY (minute, country, device)
		AS SELECT toStartOfMinute(time) AS minute, country, device, count() AS events, sum(revenue) AS revenue, sum(duration) AS duration
		FROM events GROUP BY minute, country, device`,
		"CREATE TABLE events_queue " + columns + " ENGINE = Kafka SETTINGS kafka_broker_list = '" + broker +
			"', kafka_topic_list = '" + kafkaTopic + "', kafka_group_name = 'bench', kafka_format = 'JSONEachRow'",
		"CREATE MATERIALIZED VIEW events_feed TO events AS SELECT *, toUnixTimestamp64Milli(assumeNotNull(_timestamp_ms)) AS produced FROM events_queue",
	}
}

// runKafka is `bench kafka`: JSONEachRow from a broker in another process into a table with one rollup.
func runKafka(args []string) error {
	var o machineOptions
	fs := flag.NewFlagSet("kafka", flag.ContinueOnError)
	o.register(fs, 3_000_000)
	partitions := fs.Int("partitions", 4, "partitions of the topic")
	rate := fs.Int("rate", 0, "messages a second to produce while they are consumed; 0 has them all produced before")
	profile := fs.String("profile", "", "file for a CPU profile of olapd")
	if err := o.parse(fs, args); err != nil {
		return err
	}
	dir := filepath.Join(o.dir, "kafka")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	b, err := startBroker(brokerOptions{partitions: *partitions, rate: *rate, rows: o.rows, seed: o.seed})
	if err != nil {
		return err
	}
	defer b.stop()
	e := &olapdEngine{binary: o.server, dir: dir}
	if *profile != "" {
		if e.admin, err = olapd.FreeAddress(); err != nil {
			return err
		}
		e.arguments = []string{"--admin", e.admin}
	}
	if err := e.open(o.threads); err != nil {
		return err
	}
	defer e.close()
	rec := kafkaRecord{environment: newEnvironment(), Version: e.version(), Rows: o.rows, Bytes: b.bytes, Partitions: *partitions, Rate: *rate}
	if err := rec.measure(e, b, *profile); err != nil {
		return err
	}
	rec.print(os.Stdout)
	return appendResult(o.results, "kafka", rec)
}

// kafkaPoll is how often the rows are counted, and kafkaTimeout how long nothing may be added to them.
const (
	kafkaPoll    = 50 * time.Millisecond
	kafkaTimeout = 30 * time.Second
)

// measure makes the tables and waits until all rows are there, in the table and in the rollup.
func (r *kafkaRecord) measure(e *olapdEngine, b *brokerProcess, profile string) error {
	ctx := context.Background()
	for _, sql := range kafkaSchema(b.address) {
		if _, _, err := e.query(ctx, sql); err != nil {
			return err
		}
	}
	if profile != "" {
		wait := writeProfile(e.admin, profile)
		defer wait()
	}
	start, ours, brokers := time.Now(), e.server.CPU(), olapd.CPU(b.cmd.Process.Pid)
	if err := b.begin(); err != nil {
		return err
	}
	var delays []float64
	seen, last := int64(0), start
	for seen < r.Rows {
		time.Sleep(kafkaPoll)
		n, produced, err := kafkaProgress(ctx, e)
		if err != nil {
			return err
		}
		now := time.Now()
		if n > seen {
			r.LongestGap = max(r.LongestGap, now.Sub(last).Seconds()*1000)
			seen, last = n, now
		} else if now.Sub(last) > kafkaTimeout {
			return fmt.Errorf("kafka: %d of %d rows, and no more for %s", seen, r.Rows, kafkaTimeout)
		}
		if r.Rate > 0 && produced > 0 && seen < r.Rows {
			delays = append(delays, float64(now.UnixMilli()-produced))
		}
	}
	r.Seconds = last.Sub(start).Seconds()
	r.PerSecond = float64(r.Rows) / r.Seconds
	r.ServerCPU, r.BrokerCPU = (e.server.CPU() - ours).Seconds(), (olapd.CPU(b.cmd.Process.Pid) - brokers).Seconds()
	if len(delays) > 0 {
		slices.Sort(delays)
		r.MedianDelay, r.WorstDelay = delays[len(delays)/2], delays[len(delays)-1]
	}
	r.PeakMemory = e.peak()
	return r.check(ctx, e)
}

// kafkaProgress is the rows seen and the newest one's time of production, in Unix milliseconds.
func kafkaProgress(ctx context.Context, e *olapdEngine) (rows, produced int64, err error) {
	out, _, err := e.query(ctx, "SELECT count(), max(produced) FROM events")
	if err == nil {
		_, err = fmt.Sscan(strings.Join(out, ""), &rows, &produced)
	}
	return rows, produced, err
}

// check holds the rollup to the table, and each row to have come once.
func (r *kafkaRecord) check(ctx context.Context, e *olapdEngine) error {
	out, _, err := e.query(ctx, "SELECT (SELECT (count(), sum(duration)) FROM events) = (SELECT (sum(events), sum(duration)) FROM events_by_minute), (SELECT count() FROM events), "+
		"(SELECT count() FROM system.parts WHERE active AND table = 'events')")
	if err != nil {
		return err
	}
	var same int
	var rows int64
	if _, err := fmt.Sscan(strings.Join(out, ""), &same, &rows, &r.Segments); err != nil {
		return err
	}
	if same != 1 || rows != r.Rows {
		return fmt.Errorf("kafka: %d rows of %d; the rollup agrees with the table: %d", rows, r.Rows, same)
	}
	return nil
}

func (r *kafkaRecord) print(w io.Writer) {
	fmt.Fprintf(w, "%d messages of %d bytes in %d partitions: %.2f s, %.0f rows/s, %d MB at most; more rows seen every %.0f ms at least; %d segments\n",
		r.Rows, r.Bytes/max(r.Rows, 1), r.Partitions, r.Seconds, r.PerSecond, r.PeakMemory>>20, r.LongestGap, r.Segments)
	fmt.Fprintf(w, "CPU: olapd %.2f s, %.2f µs a row; the broker %.2f s\n", r.ServerCPU, r.ServerCPU*1e6/float64(r.Rows), r.BrokerCPU)
	if r.Rate > 0 {
		fmt.Fprintf(w, "produced at %d a second: seen after %.0f ms at the median, %.0f ms at most\n", r.Rate, r.MedianDelay, r.WorstDelay)
	}
}

// writeProfile takes a CPU profile into a file; the function returned waits for it.
func writeProfile(admin, file string) func() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := copyProfile(admin, file); err != nil {
			fmt.Fprintln(os.Stderr, "bench: profile:", err)
		}
	}()
	return func() { <-done }
}

func copyProfile(admin, file string) error {
	resp, err := http.Get(fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", admin, int(profileWindow/time.Second)))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, resp.Body)
	return errors.Join(err, f.Close())
}
