package query

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

// inVirtualTime runs a test on a cluster of which node a has no shard, and b and c have all three; t has the numbers below 30,000.
func inVirtualTime(t *testing.T, test func(t *testing.T, s *spread)) {
	inVirtualTimeOn(t, layouts["all on one"], test)
}

// inVirtualTimeOn does so on nodes that have the shards as a layout says.
func inVirtualTimeOn(t *testing.T, layout [][]string, test func(t *testing.T, s *spread)) {
	synctest.Test(t, func(t *testing.T) {
		s := newSpreadAt(t, clock.Real(), layout...)
		for _, sql := range []string{"CREATE TABLE t (x UInt32) ENGINE = MergeTree ORDER BY x", "INSERT INTO t SELECT number FROM numbers(30000)"} {
			if out := s.run(Query{Text: sql}); out != "" {
				t.Fatal(out)
			}
		}
		test(t, s)
		s.unpinned(t)
		synctest.Wait()
	})
}

const sumOfT = "SELECT count(), sum(x) FROM t"

func (s *spread) is(t *testing.T, sql, want string, settings ...string) {
	t.Helper()
	q := Query{Text: sql, Settings: map[string]string{}}
	for i := 0; i < len(settings); i += 2 {
		q.Settings[settings[i]] = settings[i+1]
	}
	if got := s.run(q); got != want {
		t.Errorf("%s\n%s, want %s", sql, got, want)
	}
}

const allOfT = "30000\t449985000\n"

func TestSpreadDeadNode(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *spread) {
		s.net.Kill("b")
		s.is(t, sumOfT, allOfT)
		s.is(t, "SELECT count() FROM t AS l JOIN t AS r ON l.x = r.x WHERE l.x IN (SELECT x FROM t WHERE x < 10)", "10\n")
	})
}

func TestSpreadNoNode(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *spread) {
		s.net.Kill("b")
		s.net.Kill("c")
		out := s.run(Query{Text: sumOfT})
		if !strings.HasPrefix(out, "Code: 279.") || !strings.Contains(out, "shard 1 on b (") || !strings.Contains(out, "c (") {
			t.Errorf("%s", out)
		}
		s.is(t, sumOfT, "0\t0\n", "skip_unavailable_shards", "1")
		s.is(t, "SELECT Settings['missing_shards'] FROM system.query_log WHERE query LIKE 'SELECT count(), sum(x)%' AND type = 2", "1,2,3\n")
		r, err := s.s.Execute(context.Background(), Query{Text: sumOfT, Settings: map[string]string{"skip_unavailable_shards": "1"}})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if err := r.Run(func(*column.Block) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(r.MissingShards(), ","); got != "1,2,3" {
			t.Errorf("missing: %s", got)
		}
		var doc strings.Builder
		partial, err := s.s.Execute(context.Background(), Query{Text: sumOfT + " FORMAT JSON", Settings: map[string]string{"skip_unavailable_shards": "1"}})
		if err != nil {
			t.Fatal(err)
		}
		defer partial.Close()
		if err := partial.Render(&doc, "JSON"); err != nil || !strings.Contains(doc.String(), `"missing_shards": ["1", "2", "3"]`) {
			t.Errorf("%v: %s", err, doc.String())
		}
	})
}

func TestSpreadReplicaBehind(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *spread) {
		s.nodes[1].refuse = func() error { return sqlerr.New(sqlerr.AllConnectionTriesFailed, "behind") }
		s.is(t, sumOfT, allOfT)
	})
}

// TestSpreadSilentNode: messages to a node are held up. Another is asked beside it soon, or, without hedged requests, in its place later.
func TestSpreadSilentNode(t *testing.T) {
	for name, c := range map[string]struct {
		hedged   string
		from, to time.Duration
	}{"hedged": {"1", 50 * time.Millisecond, 60 * time.Millisecond}, "in its place": {"0", 10 * time.Second, 11 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T, s *spread) {
				s.net.Cut("a", "b")
				start := time.Now()
				s.is(t, sumOfT, allOfT, "use_hedged_requests", c.hedged)
				if took := time.Since(start); took < c.from || took > c.to {
					t.Errorf("took %s", took)
				}
				s.net.HealAll()
			})
		})
	}
}

// TestSpreadHedgeBudget: when every node is slow, few requests are doubled.
func TestSpreadHedgeBudget(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *spread) {
		var pins atomic.Int64
		for _, n := range s.nodes {
			n.refuse = func() error {
				pins.Add(1)
				time.Sleep(200 * time.Millisecond)
				return nil
			}
		}
		for range 100 {
			s.is(t, sumOfT, allOfT)
		}
		if n := pins.Load(); n < 101 || n > 107 {
			t.Errorf("100 queries pinned %d times", n)
		}
	})
}

// TestSpreadBreaks: a node is lost when it has pinned and before it has answered: another takes its place.
func TestSpreadBreaks(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *spread) {
		s.nodes[1].opened = func(ctx context.Context) error {
			s.net.Kill("b")
			<-ctx.Done()
			return context.Cause(ctx)
		}
		s.is(t, sumOfT, allOfT)
	})
}

// TestSpreadBreaksLate: what was read of a node that is lost cannot be taken back, nor read at the same instant elsewhere.
func TestSpreadBreaksLate(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *spread) {
		r, err := s.s.Execute(context.Background(), Query{Text: "SELECT x FROM t", Settings: map[string]string{"max_block_size": "100"}})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		rows := 0
		err = r.Run(func(b *column.Block) error {
			if rows += b.N; rows == 1000 {
				s.net.Kill("b")
			}
			return nil
		})
		if !sqlerr.Is(err, sqlerr.NetworkError) {
			t.Errorf("%d rows, then %v", rows, err)
		}
	})
}

func TestSpreadCancel(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *spread) {
		ctx, cancel := context.WithCancel(context.Background())
		s.nodes[1].opened = func(ctx context.Context) error {
			cancel()
			<-ctx.Done()
			return context.Cause(ctx)
		}
		r, err := s.s.Execute(ctx, Query{Text: sumOfT})
		if err != nil {
			t.Fatal(err)
		}
		if err = r.Run(func(*column.Block) error { return nil }); !errors.Is(err, context.Canceled) && !sqlerr.Is(err, sqlerr.QueryWasCancelled) {
			t.Errorf("%v", err)
		}
		r.Close()
	})
}

// TestSpreadEarlyEnd: a query that has all it wants, or fails where it was asked, ends its fragments.
func TestSpreadEarlyEnd(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *spread) {
		s.is(t, "SELECT count() FROM (SELECT x FROM t LIMIT 7)", "7\n", "max_block_size", "2")
		s.is(t, "SELECT (SELECT x FROM t WHERE x = 3 LIMIT 1), count() FROM t", "3\t30000\n")
		if out := s.run(Query{Text: "SELECT throwIf(x = 500, 'no') FROM t", Settings: map[string]string{"max_block_size": "10"}}); !strings.HasPrefix(out, "Code: 395.") {
			t.Errorf("%s", out)
		}
	})
}

// TestSpreadOneInstant: rows that come while a query runs are in all of it or in nothing.
func TestSpreadOneInstant(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *spread) {
		writer, err := s.e.NewSession(SessionOptions{})
		if err != nil {
			t.Fatal(err)
		}
		h := &harness{m: s.m, e: s.e, s: writer}
		s.nodes[1].opened = func(context.Context) error {
			if out := h.run(Query{Text: "INSERT INTO t SELECT number FROM numbers(1000)"}); out != "" {
				t.Error(out)
			}
			return nil
		}
		s.is(t, "SELECT count() - (SELECT count() FROM t), (SELECT sum(x) FROM t) - sum(x) FROM t", "0\t0\n")
	})
}

func TestSpreadLimits(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *spread) {
		if out := s.run(Query{Text: sumOfT, Settings: map[string]string{"max_rows_to_read": "29999", "max_block_size": "1000"}}); !strings.HasPrefix(out, "Code: 158.") {
			t.Errorf("%s", out)
		}
		s.is(t, sumOfT, allOfT, "max_rows_to_read", "30000")
		r, err := s.s.Execute(context.Background(), Query{Text: sumOfT})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if err := r.Run(func(*column.Block) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if p := r.Progress(); p.ReadRows != 30000 || p.ReadBytes != 120000 {
			t.Errorf("read %d rows, %d bytes", p.ReadRows, p.ReadBytes)
		}
		s.nodes[1].opened = func(ctx context.Context) error {
			return clock.Real().Sleep(ctx, time.Minute)
		}
		if out := s.run(Query{Text: sumOfT, Settings: map[string]string{"max_execution_time": "2"}}); !strings.HasPrefix(out, "Code: 159.") {
			t.Errorf("%s", out)
		}
	})
}

// TestSpreadLargeBroadcast: a side of a join that is too large to be sent is joined where the query is, with the same answer.
func TestSpreadLargeBroadcast(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *spread) {
		for sql, want := range map[string]string{
			"SELECT count(), sum(r.x) FROM t AS l JOIN t AS r ON l.x = r.x WHERE l.x IN (SELECT x FROM t WHERE x < 100)":                     "100\t4950\n",
			"SELECT r.x % 2 AS g, count() FROM t AS l LEFT JOIN t AS r ON l.x = r.x + 29990 GROUP BY g ORDER BY g":                           "0\t29995\n1\t5\n",
			"SELECT sum(x) FROM (SELECT l.x FROM t AS l SEMI JOIN t AS r ON l.x = r.x WHERE l.x < 10 UNION ALL SELECT x FROM t WHERE x < 3)": "48\n",
			"SELECT l.x FROM t AS l JOIN t AS r ON l.x = r.x ORDER BY l.x DESC LIMIT 2":                                                      "29999\n29998\n",
		} {
			s.is(t, sql, want)
			s.is(t, sql, want, "max_bytes_to_broadcast", "1000")
		}
		if out := s.run(Query{Text: "EXPLAIN ANALYZE SELECT count() FROM t AS l JOIN t AS r ON l.x = r.x", Settings: map[string]string{"max_bytes_to_broadcast": "1000"}}); !strings.Contains(out, "too large") {
			t.Errorf("%s", out)
		}
	})
}

// TestSpreadPopulate: a view is filled with the rows of the instant before it was made, of all shards.
func TestSpreadPopulate(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *spread) {
		s.is(t, "CREATE MATERIALIZED VIEW v ENGINE = SummingMergeTree ORDER BY g POPULATE AS SELECT x % 3 AS g, count() AS n FROM t GROUP BY g", "")
		s.is(t, "INSERT INTO t VALUES (3), (4), (6)", "")
		s.is(t, "SELECT g, sum(n) FROM v GROUP BY g ORDER BY g", "0\t10002\n1\t10001\n2\t10000\n")
	})
}
