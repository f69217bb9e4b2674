package torturecluster

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

// next is, by partition, the offset that the last check had seen everything below of.
type next map[string]int64

// checkEvents takes rows of eventsSQL. While messages come in to a table that is spread by a key, shards may be at different offsets.
func checkEvents(table string, rows [][]string, whole bool, before next) (bad []string, now next) {
	now = next{}
	for _, r := range rows {
		var n [5]int64
		for i, s := range r {
			v, err := strconv.ParseInt(s, 10, 64)
			if err != nil || i >= len(n) {
				return []string{fmt.Sprintf("%s: %q is no row of numbers", table, r)}, before
			}
			n[i] = v
		}
		count, distinct, least, greatest := n[1], n[2], n[3], n[4]
		if count != distinct {
			bad = append(bad, fmt.Sprintf("%s/%s: %d rows doubled (%d rows, %d offsets)", table, r[0], count-distinct, count, distinct))
		}
		if whole && (least != 0 || greatest+1 != distinct) {
			bad = append(bad, fmt.Sprintf("%s/%s: %d rows missing (offsets %d to %d, %d of them there)", table, r[0], greatest+1-distinct, least, greatest, distinct))
		}
		now[r[0]] = count
	}
	for p, n := range before {
		if now[p] < n {
			bad = append(bad, fmt.Sprintf("%s/%s: %d rows, were %d", table, p, now[p], n))
		}
	}
	return bad, now
}

// due returns the tokens that must be there from now on.
func (l *load) due(spread string) map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	due := map[string]bool{}
	for token, in := range l.mu.inserts[spread] {
		if in.acked {
			due[token] = true
		}
	}
	return due
}

// checkInserts holds the rows of insertsSQL against the inserts; due is what had to be there when the query began. An insert that is under way
// into a table that is spread by a key may be there on some shards.
func (l *load) checkInserts(spread string, rows [][]string, due map[string]bool) (bad []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	there := map[string]bool{}
	for _, r := range rows {
		in := l.mu.inserts[spread][r[0]]
		if in == nil {
			bad = append(bad, fmt.Sprintf("inserts_%s: rows of %q, which nobody inserted", spread, r[0]))
			continue
		}
		there[r[0]] = true
		want := []string{strconv.FormatInt(in.rows, 10), strconv.FormatInt(in.total, 10), strconv.FormatInt(in.rows, 10)}
		partly := spread == "keyed" && !due[r[0]] && r[1] == r[3]
		if !slices.Equal(r[1:], want) && !partly {
			bad = append(bad, fmt.Sprintf("inserts_%s: %s has rows, sum, distinct %v instead of %v", spread, r[0], r[1:], want))
		}
	}
	for token := range due {
		if !there[token] {
			bad = append(bad, fmt.Sprintf("inserts_%s: %s is gone, its %d rows were acknowledged", spread, token, l.mu.inserts[spread][token].rows))
		}
	}
	return bad
}

// checkRollup takes rows that come in pairs, of the base and of the rollup.
func checkRollup(name string, rows [][]string) (bad []string) {
	const most = 3 // differences that are shown
	for i := 0; i < len(rows) && len(bad) < most; i += 2 {
		if i+1 == len(rows) || rows[i][0] != "base" || rows[i+1][0] != "rollup" || !slices.Equal(rows[i][1:], rows[i+1][1:]) {
			bad = append(bad, fmt.Sprintf("%s: base and rollup differ: %q", name, rows[i:min(i+2, len(rows))]))
			if i+1 < len(rows) && rows[i][1] != rows[i+1][1] {
				i-- // one side has no such row
			}
		}
	}
	return bad
}

// ask is how a check reads: strongly, or what a node has.
type ask func(ctx context.Context, n *node, sql string) ([][]string, error)

func strongly(ctx context.Context, n *node, sql string) ([][]string, error) {
	return rowsStrong(ctx, n.at, sql)
}

func locally(ctx context.Context, n *node, sql string) ([][]string, error) {
	return rowsOf(ctx, n.at, sql)
}
