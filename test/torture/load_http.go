package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/olapd/olapd/test/olapd"
)

// outcome is what the writer of an INSERT knows of it.
type outcome int

const (
	unknown  outcome = iota // under way, or given up after an error
	acked                   // the server said so
	wasThere                // unknown to its writer, but a check has seen it
)

// insert is one INSERT with its token.
type insert struct {
	rows    int64
	total   int64
	outcome outcome
}

// ledger is what every INSERT should have left.
type ledger struct {
	mu struct {
		sync.Mutex
		inserts   map[string]*insert
		retries   int // of inserts whose outcome was unknown
		repeats   int // of inserts that were acknowledged
		givenUp   int
		acked     int
		ackedRows int64
	}
	cycle func() int
}

func newLedger(cycle func() int) *ledger {
	l := &ledger{cycle: cycle}
	l.mu.inserts = map[string]*insert{}
	return l
}

// begin enters an INSERT before it is sent. Tokens sort by cycle.
func (l *ledger) begin(writer, n int, rows, total int64) string {
	token := fmt.Sprintf("%s%d-%d", cyclePrefix(l.cycle()), writer, n)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.inserts[token] = &insert{rows: rows, total: total}
	return token
}

func cyclePrefix(cycle int) string { return fmt.Sprintf("c%06d-", max(cycle, 0)) }

func (l *ledger) ack(token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if in := l.mu.inserts[token]; in.outcome != acked {
		in.outcome = acked
		l.mu.acked++
		l.mu.ackedRows += in.rows
	}
}

func (l *ledger) note(count *int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*count++
}

const (
	smallRows = 20   // at most, of most inserts
	largeRows = 6000 // of the others: more bytes than travel in the log
	// pauseInserts is between two inserts of a writer.
	pauseInserts = 15 * time.Millisecond
)

// httpLoad inserts over HTTP until ctx ends, each with a token. An unknown outcome is retried with the token, or given up.
func (l *ledger) httpLoad(ctx context.Context, srv *olapd.Server, writer int, seed uint64) {
	s := &olapd.Session{Server: srv}
	r := rand.New(rand.NewPCG(seed, uint64(writer)))
	for n := 0; ctx.Err() == nil; n++ {
		rows := 1 + r.IntN(smallRows)
		if n%100 == 50 {
			rows = largeRows
		}
		values := make([]int64, rows)
		total := int64(0)
		for i := range values {
			values[i] = int64(r.IntN(1000))
			total += values[i]
		}
		token := l.begin(writer, n, int64(rows), total)
		l.send(ctx, s, token, body(token, values), r)
		sleep(ctx, pauseInserts)
	}
}

// body is the rows of an INSERT as TSV, about 110 bytes each.
func body(token string, values []int64) string {
	var b strings.Builder
	for i, v := range values {
		fmt.Fprintf(&b, "%s\t%d\t%d\t%x%x\n", token, i, v, token, token)
	}
	return b.String()
}

// send retries an INSERT until it is acknowledged, or gives up.
func (l *ledger) send(ctx context.Context, s *olapd.Session, token, rows string, r *rand.Rand) {
	const timeout = 10 * time.Second
	for ctx.Err() == nil {
		try, cancel := context.WithTimeout(ctx, timeout)
		a, err := s.Insert(try, fmt.Sprintf("INSERT INTO inserts SETTINGS insert_deduplication_token = '%s' FORMAT TSV", token), strings.NewReader(rows))
		cancel()
		if err == nil && a.Code == 0 {
			l.ack(token)
			if r.IntN(20) > 0 {
				return
			}
			l.note(&l.mu.repeats) // once more, as a client does that missed the answer: nothing may change
			continue
		}
		if r.IntN(8) == 0 {
			l.note(&l.mu.givenUp)
			return
		}
		l.note(&l.mu.retries)
		sleep(ctx, time.Duration(20+r.IntN(80))*time.Millisecond)
	}
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
