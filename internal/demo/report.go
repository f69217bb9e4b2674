package demo

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

const (
	// reportInterval is the time between two lines.
	reportInterval = 3 * time.Second
	// checkedMinutes is how far back the check at the end looks: rows of a day would take it minutes.
	checkedMinutes = 5
)

// reporter prints how the node is doing, one line at a time.
type reporter struct {
	out   io.Writer
	ask   *asker
	fresh *freshness
	rows  int64 // at the last line
	at    time.Time
	turn  int // of the questions
}

// run prints a line every few seconds until ctx ends.
func (r *reporter) run(ctx context.Context) {
	r.rows, _ = r.ask.number(ctx, "SELECT count() FROM events") // 0 makes the first rate odd, nothing else
	r.at = time.Now()
	t := time.NewTicker(reportInterval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		line, err := r.line(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			line = "error: " + strings.ReplaceAll(err.Error(), "\n", " ")
		}
		fmt.Fprintln(r.out, time.Now().Format(time.TimeOnly), line)
	}
}

func (r *reporter) line(ctx context.Context) (string, error) {
	rows, err := r.ask.number(ctx, "SELECT count() FROM events")
	if err != nil {
		return "", err
	}
	now := time.Now()
	rate := float64(rows-r.rows) / now.Sub(r.at).Seconds()
	r.rows, r.at = rows, now
	segments, err := r.ask.number(ctx, "SELECT count() FROM system.parts WHERE active")
	if err != nil {
		return "", err
	}
	fresh := "visible after –"
	if p50, p99, ok := r.fresh.take(); ok {
		fresh = fmt.Sprintf("visible after p50 %3d ms p99 %3d ms", p50.Milliseconds(), p99.Milliseconds())
	}
	answer, err := r.question(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%13s rows  %8s rows/s  %s  %3d segments  %s", grouped(rows), grouped(int64(rate)), fresh, segments, answer), nil
}

// question asks the next question and tells the answer and how long it took.
func (r *reporter) question(ctx context.Context) (string, error) {
	q := questions[r.turn%len(questions)]
	r.turn++
	start := time.Now()
	rows, err := r.ask.ask(ctx, q.sql)
	if err != nil {
		return "", err
	}
	took := time.Since(start)
	answer := "none yet"
	if len(rows) > 0 {
		answer = strings.Join(rows[0], " ")
	}
	return fmt.Sprintf("%5.1f ms  %s: %s", float64(took.Microseconds())/1000, q.title, answer), nil
}

// grouped writes a number with commas.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// verdict is what the check at the end found.
type verdict struct {
	rows             int64 // in events
	checked          int64 // of the last minutes
	missing, doubled int64
	behind           int64 // in the topic, not yet in events
}

// verify waits until all events up to ends are visible, for a while, and looks for lost and doubled rows.
func verify(ctx context.Context, ask *asker, ends map[int32]int64) (verdict, error) {
	recent := fmt.Sprintf("FROM events WHERE time >= now() - INTERVAL %d MINUTE GROUP BY _partition", checkedMinutes)
	var v verdict
	for deadline := time.Now().Add(flushTimeout); ; time.Sleep(50 * time.Millisecond) {
		rows, err := ask.numbers(ctx, "SELECT _partition, max(_offset) "+recent)
		if err != nil {
			return v, err
		}
		v.behind = 0
		for _, r := range rows {
			v.behind += ends[int32(r[0])] - 1 - r[1]
		}
		if v.behind == 0 || time.Now().After(deadline) {
			break
		}
	}
	rows, err := ask.numbers(ctx, "SELECT count(), uniqExact(_offset), max(_offset) - min(_offset) + 1 "+recent)
	if err != nil {
		return v, err
	}
	for _, r := range rows {
		v.checked += r[0]
		v.doubled += r[0] - r[1]
		v.missing += r[2] - r[1]
	}
	v.rows, err = ask.number(ctx, "SELECT count() FROM events")
	return v, err
}
