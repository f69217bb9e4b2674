package torturecluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// checkNode holds everything that a node answers against what was written. whole: nobody writes any more.
func (x *torture) checkNode(ctx context.Context, n *node, ask ask, whole bool) (bad []string, err error) {
	for _, s := range spreads {
		rows, err := ask(ctx, n, eventsSQL(s.name))
		if err != nil {
			return bad, err
		}
		found, now := checkEvents("events_"+s.name, rows, whole || s.name == "plain", x.seen[s.name])
		x.seen[s.name] = now
		bad = append(bad, found...)
		due := x.load.due(s.name)
		if rows, err = ask(ctx, n, insertsSQL(s.name)); err != nil {
			return bad, err
		}
		bad = append(bad, x.load.checkInserts(s.name, rows, due)...)
		for _, sql := range rollups {
			sql = strings.ReplaceAll(sql, "%s", s.name)
			if rows, err = ask(ctx, n, sql); err != nil {
				return bad, err
			}
			bad = append(bad, checkRollup(s.name, rows)...)
		}
	}
	return bad, nil
}

// checkSchemas compares what all nodes show, until it is the same: one of them may have heard of a change sooner.
func (x *torture) checkSchemas(ctx context.Context) (bad []string, err error) {
	const tries, between = 20, 250 * time.Millisecond
	for range tries {
		bad = nil
		var first [][]string
		for i, n := range x.fleet.nodes {
			rows, err := rowsOf(ctx, n.at, schemaSQL)
			if err != nil {
				return nil, err
			}
			if i == 0 {
				first = rows
			}
			if !slices.EqualFunc(first, rows, slices.Equal) {
				bad = append(bad, fmt.Sprintf("%s shows another schema than %s: %q and %q", n.name, x.fleet.nodes[0].name, rows, first))
			}
		}
		if bad == nil {
			return nil, nil
		}
		sleep(ctx, between)
	}
	return bad, nil
}
