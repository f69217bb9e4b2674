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

// checkCopiesOf looks at the segments that are live at a shard's leader. It has first to see that it leads and has applied all that is committed: what
// it believes live may have been merged away, and deleted on others.
func (x *simRun) checkCopiesOf(s *cluster.Shard) {
	ctx, cancel := context.WithTimeout(x.t.Context(), 100*time.Millisecond)
	defer cancel()
	if s.Barrier(ctx) != nil {
		return
	}
	few := map[string]int{}
	for _, id := range liveIn(s) {
		copies := 0
		for name := range x.s.disks {
			if _, err := x.s.disks[name].Stat(path.Join("/data", storeDir, fmt.Sprint("segments-", s.ID()), id+".seg")); err == nil {
				copies++
			}
		}
		if copies < 2 {
			few[id] = copies
		}
	}
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
