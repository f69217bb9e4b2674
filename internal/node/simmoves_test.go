package node

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
)

// simMoved are the tables whose rows move between shards in simulations: bases and rollups.
var simMoved = []string{"events_plain", "inserts_plain", "kinds_plain", "tokens_plain"}

// move moves rows between shards, now and then cancels that, and rewrites all rows of a table meanwhile.
func (l *simLoad) move(ctx context.Context, r *rand.Rand) {
	for ctx.Err() == nil {
		table := simMoved[r.IntN(len(simMoved))]
		sql := fmt.Sprintf("ALTER TABLE %s MOVE PARTITION tuple() TO SHARD '%d'", table, 1+r.IntN(2))
		switch r.IntN(10) {
		case 0:
			sql = "SYSTEM CLUSTER CANCEL MOVES"
		case 1:
			sql = "ALTER TABLE events_plain UPDATE kind = concat(kind, '') WHERE id % 3 = 0" // the same rows in other segments
		case 2:
			_ = l.rebalance(ctx, r)
			continue
		}
		try, cancel := context.WithTimeout(ctx, time.Duration(1+r.IntN(30))*time.Second)
		_, _ = rowsIn(try, l.any(r), sql) // fails while leaders change; a move goes on without who has asked for it
		cancel()
		time.Sleep(time.Duration(r.IntN(l.x.rests)) * time.Millisecond)
	}
}

// simMostShards is how many shards a cluster gets whose tables grow.
const simMostShards = 7

// grow adds shards, and lets tables grow on them while rows of others move.
func (l *simLoad) grow(ctx context.Context, r *rand.Rand) {
	for shards := simShards + 1; ctx.Err() == nil; {
		more := r.IntN(3) == 0 && shards <= simMostShards
		for end := time.Now().Add(simTry); ctx.Err() == nil && time.Now().Before(end); time.Sleep(100 * time.Millisecond) { // moves are under way mostly
			if !more {
				if l.rebalance(ctx, r) == nil {
					break
				}
				continue
			}
			try, cancel := context.WithTimeout(ctx, simTry)
			_, err := rowsIn(try, l.any(r), fmt.Sprint("SYSTEM CLUSTER SHARDS ", shards))
			cancel()
			if err == nil {
				shards++
				break
			}
		}
		time.Sleep(time.Duration(r.IntN(2*l.x.rests)) * time.Millisecond)
	}
}

// rebalance lets rows move and tables grow.
func (l *simLoad) rebalance(ctx context.Context, r *rand.Rand) error {
	l.growing <- struct{}{}
	defer func() { <-l.growing }()
	try, cancel := context.WithTimeout(ctx, simTry)
	defer cancel()
	_, err := rowsIn(try, l.any(r), "SYSTEM CLUSTER REBALANCE 'data'")
	if err != nil && !sqlerr.Is(err, sqlerr.BadArguments) && !sqlerr.Is(err, sqlerr.NotImplemented) {
		time.Sleep(2 * longestPause) // it may begin yet
	}
	return err
}

// watch reads while everything goes on: what is answered has each row once, also where it is old.
func (l *simLoad) watch(ctx context.Context, r *rand.Rand) {
	for ctx.Err() == nil {
		n := l.any(r)
		try, cancel := context.WithTimeout(ctx, simTry)
		rows, err := rowsIn(try, n, simOffsets+"events_plain GROUP BY p")
		doubled, _ := rowsIn(try, n, "SELECT token, count() - uniqExact(id) AS d FROM inserts_keyed GROUP BY token HAVING d != 0 LIMIT 3")
		cancel()
		_, handed := l.committed()
		l.mu.Lock()
		if err == nil {
			l.mu.reads++
		}
		for _, row := range rows {
			if missing := holes(row[0], row[2], 0, handed); row[1] != "0" || len(missing) > 0 {
				l.mu.wrong = append(l.mu.wrong, fmt.Sprintf("%s: while others worked, partition %s of events_plain had %s rows doubled, and missing were %q", n.cfg.node, row[0], row[1], missing))
			}
		}
		if len(doubled) > 0 {
			l.mu.wrong = append(l.mu.wrong, fmt.Sprintf("%s: while others worked, tokens of inserts_keyed had doubled rows: %q", n.cfg.node, doubled))
		}
		l.mu.Unlock()
		time.Sleep(time.Duration(r.IntN(2*l.x.idle)) * time.Millisecond)
	}
}

// moved takes what watch has seen, and how many moves have ended.
func (x *simRun) moved() {
	x.load.mu.Lock()
	defer x.load.mu.Unlock()
	for _, w := range x.load.mu.wrong {
		x.violated("%s", w)
	}
	x.load.mu.wrong = nil
	x.totals.reads = x.load.mu.reads
	for _, n := range x.s.nodes {
		top := n.cluster.Topology()
		growths := 0
		for _, g := range top.Grown {
			growths += len(g.Spread) - 1
		}
		x.totals.growths = max(x.totals.growths, growths)
		if t := n.cluster.Meta().Catalog().Table("default", "events_keyed"); t != nil && len(t.Spread) > 0 {
			x.totals.fed = max(x.totals.fed, len(t.Spread)-1)
		}
		x.totals.moves = max(x.totals.moves, int(top.NextMove)-1-len(top.Moves))
	}
}
