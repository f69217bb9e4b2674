package query

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func wantCode(t *testing.T, err error, code sqlerr.Code) {
	t.Helper()
	if !sqlerr.Is(err, code) {
		t.Fatalf("error %v, want code %d", err, code)
	}
}

// endless starts a query that only its cancellation ends, and returns what ends it and how it ended.
func (h *harness) endless(t *testing.T, ctx context.Context, q Query) (<-chan error, *Result) {
	t.Helper()
	q.Text = "SELECT count() FROM system.numbers WHERE number != 1"
	r, err := h.s.Execute(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		err := r.Run(func(*column.Block) error { return nil })
		r.Close()
		done <- err
	}()
	return done, r
}

func TestKillQuery(t *testing.T) {
	h := newHarness(t)
	done, _ := h.endless(t, context.Background(), Query{ID: "victim"})
	got := h.run(Query{Text: "KILL QUERY WHERE query_id = 'victim' SYNC"})
	if !strings.HasPrefix(got, "finished\tvictim\tdefault\t") {
		t.Errorf("KILL QUERY answers %q", got)
	}
	wantCode(t, <-done, sqlerr.QueryWasCancelled)
	if h.e.Running() != 0 {
		t.Errorf("%d queries run", h.e.Running())
	}
	if h.e.Kill("nobody") {
		t.Error("a query that is not there was killed")
	}
}

func TestContextEndsQuery(t *testing.T) {
	h := newHarness(t)
	ctx, cancel := context.WithCancel(context.Background())
	done, _ := h.endless(t, ctx, Query{})
	cancel()
	wantCode(t, <-done, sqlerr.QueryWasCancelled)
}

func TestSameID(t *testing.T) {
	h := newHarness(t)
	done, _ := h.endless(t, context.Background(), Query{ID: "x"})
	_, err := h.s.Execute(context.Background(), Query{ID: "x", Text: "SELECT 1"})
	wantCode(t, err, sqlerr.QueryWithSameIDIsAlreadyRunning)
	r, err := h.s.Execute(context.Background(), Query{ID: "x", Text: "SELECT 1", Settings: map[string]string{"replace_running_query": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	wantCode(t, <-done, sqlerr.QueryWasCancelled)
}

func TestTimeout(t *testing.T) {
	for mode, code := range map[string]sqlerr.Code{"throw": sqlerr.TimeoutExceeded, "break": sqlerr.OK} {
		h := newHarness(t)
		clk := h.e.deps.Clock.(*clock.Manual)
		done, _ := h.endless(t, context.Background(), Query{Settings: map[string]string{"max_execution_time": "2.5", "timeout_overflow_mode": mode}})
		clk.Advance(2 * time.Second)
		if h.e.Running() != 1 {
			t.Error("the query ended early")
		}
		clk.Advance(time.Second)
		err := <-done
		if code != sqlerr.OK {
			wantCode(t, err, code)
		} else if err != nil {
			t.Errorf("mode %s: %v", mode, err)
		}
	}
}

func TestTooManyQueries(t *testing.T) {
	h := newHarness(t)
	h.e.procs.max = 1
	done, _ := h.endless(t, context.Background(), Query{ID: "x"})
	_, err := h.s.Execute(context.Background(), Query{Text: "SELECT 1"})
	wantCode(t, err, sqlerr.TooManySimultaneousQueries)
	h.e.Kill("x")
	<-done
	if got := h.run(Query{Text: "SELECT 1"}); got != "1\n" {
		t.Error(got)
	}
}

// chunks is a body of n equal lines, a line a read at most.
type chunks struct {
	line string
	n    int
	at   int
}

func (c *chunks) Read(p []byte) (int, error) {
	if c.n == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.line[c.at:])
	if c.at += n; c.at == len(c.line) {
		c.at, c.n = 0, c.n-1
	}
	return n, nil
}

// TestBody streams statement and data of one text in many small reads: more than max_query_size of data is fine.
func TestBody(t *testing.T) {
	h := newHarness(t)
	h.run(Query{Text: "CREATE TABLE b (x UInt64, s String) ENGINE = Memory"})
	const rows = 50_000
	body := io.MultiReader(strings.NewReader("INSERT INTO b "), strings.NewReader("FORMAT CSV\n"), &chunks{line: "1,\"some text of a row\"\n", n: rows})
	r, err := h.s.Execute(context.Background(), Query{Body: body, Settings: map[string]string{"max_insert_block_size": "1000"}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Written.Rows != rows || r.Schema != nil || r.Kind != "Insert" {
		t.Errorf("written %+v, schema %v, kind %s", r.Written, r.Schema, r.Kind)
	}
	r.Close()
	if got := h.run(Query{Text: "SELECT sum(x) FROM b"}); got != "50000\n" {
		t.Error(got)
	}
	_, err = h.s.Execute(context.Background(), Query{Body: io.MultiReader(strings.NewReader("SELECT 1 "), &chunks{line: strings.Repeat(" ", 4096), n: 1000})})
	wantCode(t, err, sqlerr.QueryIsTooLarge)
}

// TestInsertIsAllOrNothing: an error in the data, after blocks went to the writer, leaves no row.
func TestInsertIsAllOrNothing(t *testing.T) {
	h := newHarness(t)
	h.run(Query{Text: "CREATE TABLE b (x UInt64) ENGINE = Memory"})
	body := strings.NewReader(strings.Repeat("1\n", 100) + "no number\n")
	_, err := h.s.Execute(context.Background(), Query{Text: "INSERT INTO b FORMAT TSV", Body: body, Settings: map[string]string{"max_insert_block_size": "10"}})
	wantCode(t, err, sqlerr.CannotParseText)
	if got := h.run(Query{Text: "SELECT count() FROM b"}); got != "0\n" {
		t.Error(got)
	}
}

// TestConcurrently runs all kinds of statements at once; run with -race.
func TestConcurrently(t *testing.T) {
	h := newHarness(t)
	h.run(Query{Text: "CREATE TABLE c (x UInt64) ENGINE = MergeTree ORDER BY x"})
	statements := []string{
		"INSERT INTO c SELECT number FROM numbers(10)", "SELECT count(), sum(x) FROM c", "SELECT * FROM system.processes", "SELECT count() FROM system.columns",
		"SET max_threads = 2", "SHOW TABLES", "CREATE TABLE IF NOT EXISTS d AS c", "DROP TABLE IF EXISTS d", "SELECT * FROM system.query_log", "SELECT nope",
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for k := range 40 {
				h.run(Query{Text: statements[(i*3+k)%len(statements)]})
			}
		}()
	}
	wg.Wait()
	if n := h.e.Running(); n != 0 {
		t.Errorf("%d queries are left", n)
	}
	if used := h.e.deps.Budget.Used(); used != 0 {
		t.Errorf("%d bytes are still reserved", used)
	}
}

// TestTotalsAndExtremes holds what stands beside the rows.
func TestTotalsAndExtremes(t *testing.T) {
	h := newHarness(t)
	r, err := h.s.Execute(context.Background(), Query{Text: "SELECT number % 2 AS k, count() FROM numbers(5) GROUP BY k WITH TOTALS ORDER BY k LIMIT 1",
		Settings: map[string]string{"extremes": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Run(func(*column.Block) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if r.Totals() == nil || column.Value(r.Totals().Cols[1], 0) != uint64(5) {
		t.Errorf("totals %v", r.Totals())
	}
	if r.Extremes() == nil || r.Extremes().N != 2 {
		t.Errorf("extremes %v", r.Extremes())
	}
	st := r.Stats()
	if !st.HasLimit || st.BeforeLimit != 2 || st.ReadRows != 5 {
		t.Errorf("stats %+v", st)
	}
}

// FuzzExecute executes any text: no panic, and every error has a code of a client's making.
func FuzzExecute(f *testing.F) {
	for _, s := range []string{"SELECT 1", "CREATE TABLE t (x UInt8) ENGINE = Memory", "INSERT INTO t VALUES (1)", "SHOW TABLES", "EXPLAIN SELECT 1",
		"ALTER TABLE t ADD COLUMN y String", "CREATE MATERIALIZED VIEW v ENGINE = Memory AS SELECT x FROM t", "DESCRIBE t", "KILL QUERY WHERE 1", "SET limit = 1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h := newHarness(t)
		h.run(Query{Text: "CREATE TABLE t (x UInt8, s String) ENGINE = MergeTree ORDER BY x"})
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		r, err := h.s.Execute(ctx, Query{Text: text, Settings: map[string]string{"max_rows_to_read": "100000", "max_memory_usage": "100000000"}})
		if err == nil {
			err = r.Render(io.Discard, "TSV")
			r.Close()
		}
		if sqlerr.Is(err, sqlerr.LogicalError) {
			t.Fatalf("%q: %v", text, err)
		}
	})
}

// TestTemporaryTables checks that a session's tables are its own and that their memory is given back.
func TestTemporaryTables(t *testing.T) {
	h := newHarness(t)
	used := h.e.deps.Budget.Used()
	h.run(Query{Text: "CREATE TEMPORARY TABLE own (x UInt64)"})
	h.run(Query{Text: "INSERT INTO own SELECT number FROM numbers(1000)"})
	if h.e.deps.Budget.Used() == used {
		t.Error("the rows are not counted")
	}
	other, err := h.e.NewSession(SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Execute(context.Background(), Query{Text: "SELECT * FROM own"}); sqlerr.CodeOf(err) != sqlerr.UnknownTable {
		t.Errorf("another session sees the table: %v", err)
	}
	h.run(Query{Text: "DROP TABLE own"})
	if n := h.e.deps.Budget.Used(); n != used {
		t.Errorf("%d bytes are left of a dropped table", n-used)
	}
}
