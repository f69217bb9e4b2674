package node

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// simOffsets begins a question for each partition's rows that are there more than once, and for the offsets that are there, in order.
const simOffsets = "SELECT toString(p), count() - uniqExact(o), arrayStringConcat(arraySort(groupUniqArray(o)), ' ') FROM "

// committed is how far the partitions of the plain feed are committed, and all offsets so far at which a shard has handed one to another, as partition/offset.
func (l *simLoad) committed() (next map[string]int64, handed map[string]bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next = map[string]int64{}
	for _, n := range l.mu.nodes {
		queue := n.cluster.Meta().Catalog().Table("default", "queue_plain")
		if queue == nil {
			continue
		}
		for _, shard := range n.cluster.Shards() {
			for at, cur := range shard.Cursors(queue.ID).Cursors {
				p := fmt.Sprint(at.Partition)
				next[p] = max(next[p], cur.Next)
				if cur.Released {
					l.mu.handed[fmt.Sprint(p, "/", cur.Next)] = true
				}
			}
		}
	}
	return next, maps.Clone(l.mu.handed)
}

// holes are the offsets missing among those of a partition. All below committed were there before the question. Behind it a shard that has handed the
// partition over may have been read before one that went on: what is missing then ends where that one began.
func holes(partition, offsets string, committed int64, handed map[string]bool) (out []string) {
	next := int64(0)
	for _, text := range append(strings.Fields(offsets), fmt.Sprint(committed)) {
		o, _ := strconv.ParseInt(text, 10, 64) // all are numbers
		if next < o && (next < committed || !handed[partition+"/"+text]) {
			out = append(out, fmt.Sprint(next, " to ", o-1))
		}
		next = max(next, o+1)
	}
	return out
}
