package demo

import (
	"bytes"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// lockedBuffer is written by the reporter while the test runs.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// TestDemoTwice runs the demo twice on one directory: all that was produced is in events once, and in the rollups.
func TestDemoTwice(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	o := options{data: t.TempDir(), http: taken.Addr().String(), native: "127.0.0.1:0", kafka: "127.0.0.1:0", rate: 2000, partitions: 3, length: 2 * time.Second}
	var before int64
	for range 2 {
		out := &lockedBuffer{}
		d, err := open(t.Context(), o, out)
		if err != nil {
			t.Fatal(err)
		}
		if d.node.HTTPAddr() == o.http {
			t.Error("two listeners on", o.http)
		}
		if err := d.stream(t.Context()); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		before = checkDemo(t, d, before)
		start := time.Now()
		if err := d.close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("closing took %s", took)
		}
		t.Log(out)
	}
}

// checkDemo compares events with the topic and the rollups with events, and returns the number of rows.
func checkDemo(t *testing.T, d *demo, before int64) int64 {
	t.Helper()
	ctx := t.Context()
	ends, err := d.broker.ends(ctx)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := d.ask.numbers(ctx, "SELECT count(), uniqExact(_partition, _offset) FROM events")
	if err != nil {
		t.Fatal(err)
	}
	if n := rows[0][0]; n != sum(ends) || rows[0][1] != n || n < before+1000 || int64(d.before) != before {
		t.Errorf("rows %v, topic %v, before %d, opened behind %d", rows[0], ends, before, d.before)
	}
	for _, pair := range [][2]string{
		{"SELECT toStartOfMinute(time) AS m, country, device, count(), sum(revenue), countIf(status >= 500) FROM events GROUP BY m, country, device ORDER BY m, country, device",
			"SELECT minute, country, device, sum(events), sum(revenue), sum(errors) FROM events_by_minute GROUP BY minute, country, device ORDER BY minute, country, device"},
		{"SELECT toStartOfHour(time) AS h, url, count(), uniq(user_id) FROM events GROUP BY h, url ORDER BY h, url",
			"SELECT hour, url, countMerge(views), uniqMerge(users) FROM pages_by_hour GROUP BY hour, url ORDER BY hour, url"},
	} {
		base, err := d.ask.ask(ctx, pair[0])
		if err != nil {
			t.Fatal(err)
		}
		rollup, err := d.ask.ask(ctx, pair[1])
		if err != nil {
			t.Fatal(err)
		}
		if len(base) == 0 || len(base) != len(rollup) {
			t.Fatalf("%d rows, its rollup has %d: %s", len(base), len(rollup), pair[1])
		}
		for i := range base {
			if strings.Join(base[i], "\t") != strings.Join(rollup[i], "\t") {
				t.Errorf("%v, its rollup has %v", base[i], rollup[i])
			}
		}
	}
	for _, q := range questions {
		if rows, err := d.ask.ask(ctx, q.sql); err != nil || len(rows) != 1 || len(rows[0]) != 1 {
			t.Errorf("%s: %v, %v", q.title, rows, err)
		}
	}
	return rows[0][0]
}

// TestLocked refuses a directory in use.
func TestLocked(t *testing.T) {
	d := &demo{opts: options{data: t.TempDir()}}
	if err := d.openDir(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer d.close()
	err := run(t.Context(), d.opts, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "another demo") {
		t.Error(err)
	}
}

func TestOptions(t *testing.T) {
	for _, args := range [][]string{{"x"}, {"--rate", "-1"}, {"--rate", "x"}, {"--partitions", "0"}, {"--for", "-1s"}, {"--nosuch"}} {
		var out bytes.Buffer
		if code := Main(args, &out, &out); code != 2 || out.Len() == 0 {
			t.Errorf("%v: %d, %s", args, code, &out)
		}
	}
	if code := Main([]string{"--help"}, &bytes.Buffer{}, &bytes.Buffer{}); code != 0 {
		t.Error(code)
	}
}

// Freshness is settled by offset, per partition, in order.
func TestFreshness(t *testing.T) {
	ch := make(chan sample, 10)
	f := &freshness{samples: ch, waiting: map[int32][]sample{}}
	at := time.Now()
	for _, s := range []sample{{0, 5, at}, {1, 9, at}, {0, 7, at.Add(time.Second)}} {
		ch <- s
	}
	f.gather()
	f.visible(0, 4, at.Add(time.Second))
	if _, _, ok := f.take(); ok {
		t.Error("nothing was visible yet")
	}
	f.visible(0, 6, at.Add(2*time.Second))
	f.visible(1, 9, at.Add(3*time.Second))
	if p50, p99, ok := f.take(); !ok || p50 != 3*time.Second || p99 != 3*time.Second {
		t.Error(p50, p99, ok)
	}
	f.visible(0, 7, at.Add(3*time.Second))
	if p50, _, ok := f.take(); !ok || p50 != 2*time.Second {
		t.Error(p50, ok)
	}
}
