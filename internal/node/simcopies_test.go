package node

import (
	"context"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/olapd/olapd/cluster"
)

// watch lets time pass, and looks at the copies of segments meanwhile.
func (x *simRun) watch(d time.Duration) {
	for end := time.Now().Add(d); ; {
		left := time.Until(end)
		if left <= 0 || len(x.bad) > 0 {
			return
		}
		time.Sleep(min(left, copiesInterval))
		x.checkCopies()
	}
}

// copiesInterval is between looks at the copies: about as long as a replica takes to fetch what it lacks.
const copiesInterval = 50 * time.Millisecond

// checkCopies: the file of every live segment is on the disks of a majority, also on those of nodes that are down.
func (x *simRun) checkCopies() {
	for shard := range uint64(simShards) {
		for _, n := range x.s.nodes {
			if s := n.cluster.Shard(1 + shard); s != nil {
				if _, leads := s.Leader(); leads {
					x.checkCopiesOf(s)
				}
			}
		}
	}
}

// checkCopiesOf looks at the segments that are live at a shard's leader. Where some seem to be on too few disks, it has first to see that it leads and has applied all
// that is committed: what it believes live may have been merged away, and deleted on others.
func (x *simRun) checkCopiesOf(s *cluster.Shard) {
	if len(x.few(s)) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(x.t.Context(), 100*time.Millisecond)
	defer cancel()
	if s.Barrier(ctx) != nil {
		return
	}
	few := x.few(s)
	if len(few) == 0 {
		return
	}
	still := liveIn(s) // else merged away while this looked
	for id, copies := range few {
		if slices.Contains(still, id) {
			x.violated("%d of %d disks have segment %s, which is live in shard %d", copies, len(x.s.disks), id, s.ID())
		}
	}
}

// few are the segments that a replica takes for live and that are not on a majority of the disks, with how many have them.
func (x *simRun) few(s *cluster.Shard) map[string]int {
	out := map[string]int{}
	live := liveIn(s)
	if len(live) == 0 {
		return out
	}
	copies := x.copies(s.ID())
	for _, id := range live {
		if n := copies[id+".seg"]; n < 2 {
			out[id] = n
		}
	}
	return out
}

// copies are how many disks have each file of a shard's segments.
func (x *simRun) copies(shard uint64) map[string]int {
	out := map[string]int{}
	for _, disk := range x.s.disks {
		names, _ := disk.List(path.Join("/data", storeDir, fmt.Sprint("segments-", shard))) // a folder that is not there has none
		for _, name := range names {
			out[name]++
		}
	}
	return out
}

// liveIn are the IDs of the segments that a replica's manifest names; none while the replica lacks some and shows others instead.
func liveIn(s *cluster.Shard) (out []string) {
	if len(s.Store().Absent()) > 0 {
		return nil
	}
	snap := s.Store().Snapshot()
	defer snap.Close()
	for _, table := range snap.Tables() {
		for _, h := range snap.Table(table).Segments() {
			out = append(out, h.ID)
		}
	}
	return out
}
