package torture

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/test/olapd"
)

// rowsOf runs a query and returns its rows, split at tabs.
func rowsOf(ctx context.Context, srv *olapd.Server, sql string) ([][]string, error) {
	a, err := (&olapd.Session{Server: srv}).Run(ctx, sql, "TSV")
	if err != nil {
		return nil, err
	}
	if a.Code != 0 {
		return nil, fmt.Errorf("code %d: %s\nin: %s", a.Code, strings.TrimSpace(a.Message), sql)
	}
	var rows [][]string
	for line := range strings.Lines(a.Data) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows, nil
}

// numbersOf is rowsOf for whole numbers.
func numbersOf(ctx context.Context, srv *olapd.Server, sql string) ([][]int64, error) {
	rows, err := rowsOf(ctx, srv, sql)
	if err != nil {
		return nil, err
	}
	out := make([][]int64, len(rows))
	for i, row := range rows {
		for _, s := range row {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("%q is no number, in the answer to %s", s, sql)
			}
			out[i] = append(out[i], n)
		}
	}
	return out, nil
}

const (
	topicSQL = `SELECT p, count(), uniqExact(o), min(o), max(o), 0 FROM events GROUP BY p ORDER BY p`
	mixedSQL = `SELECT p, count(), uniqExact(o), min(o), max(o), sum(dead) FROM (
    SELECT p, o, 0 AS dead FROM mixed UNION ALL
    SELECT toUInt64(kafka_partition) AS p, toInt64(kafka_offset) AS o, 1 AS dead FROM system.dead_letter_queue WHERE table = 'mixed_queue'
) GROUP BY p ORDER BY p`
)

// offsets holds what was visible of a topic against what was before.
type offsets struct {
	name string
	next map[int64]int64 // by partition, at the last check
	dead int64
}

// check takes rows of partition, count, distinct, least and greatest offset, dead letters.
func (o *offsets) check(rows [][]int64) []string {
	var bad []string
	seen, dead := map[int64]int64{}, int64(0)
	for _, r := range rows {
		p, n, distinct, least, greatest := r[0], r[1], r[2], r[3], r[4]
		if n != distinct {
			bad = append(bad, fmt.Sprintf("%s/%d: %d rows doubled (%d rows, %d offsets)", o.name, p, n-distinct, n, distinct))
		}
		if least != 0 || greatest-least+1 != distinct {
			bad = append(bad, fmt.Sprintf("%s/%d: %d rows missing (offsets %d to %d, %d of them there)", o.name, p, greatest+1-distinct, least, greatest, distinct))
		}
		seen[p] = greatest + 1
		dead += r[5]
	}
	for p, next := range o.next {
		if seen[p] < next {
			bad = append(bad, fmt.Sprintf("%s/%d: visible up to %d, was up to %d", o.name, p, seen[p], next))
		}
	}
	if dead < o.dead {
		bad = append(bad, fmt.Sprintf("%s: %d dead letters, were %d", o.name, dead, o.dead))
	}
	o.next, o.dead = seen, dead
	return bad
}

// total is the number of rows and dead letters at the last check.
func (o *offsets) total() (n int64) {
	for _, next := range o.next {
		n += next
	}
	return n
}

// against compares the last check with the ends of the topic.
func (o *offsets) against(ends map[int64]int64) []string {
	var bad []string
	for p, end := range ends {
		if o.next[p] != end {
			bad = append(bad, fmt.Sprintf("%s/%d: %d rows, the topic has %d messages", o.name, p, o.next[p], end))
		}
	}
	return bad
}

// sql asks for a pair in one statement, so that both are of one moment. A pair over inserts looks at tokens from the given one on.
func (p pair) sql(token string) string {
	with := func(s string) string { return strings.ReplaceAll(s, "%s", token) }
	return "SELECT 'base' AS w, a, b, c, d, e FROM (" + with(p.base) + ") UNION ALL SELECT 'rollup', * FROM (" + with(p.rollup) + ")"
}

// check takes the rows of sql.
func (p pair) check(rows [][]string) []string {
	const most = 5 // differences that are shown
	sides := map[string]map[string]bool{"base": {}, "rollup": {}}
	for _, r := range rows {
		sides[r[0]][strings.Join(r[1:], " ")] = true
	}
	var bad []string
	for _, d := range [][2]string{{"base", "rollup"}, {"rollup", "base"}} {
		for _, row := range slices.Sorted(maps.Keys(sides[d[0]])) {
			if !sides[d[1]][row] && len(bad) < most {
				bad = append(bad, fmt.Sprintf("%s: only the %s has %q", p.name, d[0], row))
			}
		}
	}
	if n := len(rows); n != len(sides["base"])+len(sides["rollup"]) {
		bad = append(bad, fmt.Sprintf("%s: some of %d rows are there twice", p.name, n))
	}
	return bad
}

const insertsSQL = `SELECT token, count(), sum(v), uniqExact(i) FROM inserts WHERE token >= '%s' GROUP BY token`

// due returns the tokens from the given one on that must be there from now on.
func (l *ledger) due(from string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var due []string
	for token, in := range l.mu.inserts {
		if token >= from && in.outcome != unknown {
			due = append(due, token)
		}
	}
	return due
}

// check holds the rows of insertsSQL against the ledger; due is what had to be there when the query began.
func (l *ledger) check(rows [][]string, due []string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var bad []string
	there := map[string]bool{}
	for _, r := range rows {
		in := l.mu.inserts[r[0]]
		if in == nil {
			bad = append(bad, fmt.Sprintf("inserts: rows of %q, which nobody inserted", r[0]))
			continue
		}
		there[r[0]] = true
		want := []string{strconv.FormatInt(in.rows, 10), strconv.FormatInt(in.total, 10), strconv.FormatInt(in.rows, 10)}
		if !slices.Equal(r[1:], want) {
			bad = append(bad, fmt.Sprintf("inserts: %s has rows, sum, distinct %v instead of %v", r[0], r[1:], want))
		}
		if in.outcome == unknown {
			in.outcome = wasThere
		}
	}
	for _, token := range due {
		if !there[token] {
			bad = append(bad, fmt.Sprintf("inserts: %s is gone, its %d rows were %s", token, l.mu.inserts[token].rows,
				[]string{"unknown", "acknowledged", "visible"}[l.mu.inserts[token].outcome]))
		}
	}
	return bad
}
