package cluster

import (
	"testing"
	"testing/synctest"
)

// TestScrubRepairs: a replica that finds a damaged file gets another from its peers.
func TestScrubRepairs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, id := threeReplicas(t, fences{})
		defer s.close()
		lead := s.mustLead()
		must(t, bulkInsert(t.Context(), lead, id, 1, 2, 3))
		seg := liveSegments(lead, id)[0]
		name := s.others(lead.g.node)[0]
		s.eventually("a copy on every replica", func() bool { return s.copies(seg) == 3 && len(liveSegments(s.nodes[name].Shard(1), id)) == 1 })
		disk, file := s.disks[name], s.nodes[name].shardDir(1)+"/"+seg.ID+".seg"
		f, err := disk.OpenReadWrite(file)
		must(t, err)
		_, err = f.WriteAt([]byte("damage"), int64(seg.Bytes)/2)
		must(t, err)
		must(t, f.Close())
		shard := s.nodes[name].Shard(1)
		found, err := shard.Scrub(t.Context(), id)
		if err != nil || len(found) != 1 || found[0].Segment.ID != seg.ID {
			t.Fatalf("found %v, %v", found, err)
		}
		if left, err := shard.Repaired(t.Context(), found); err != nil || len(left) > 0 || s.copies(seg) != 3 {
			t.Fatalf("after the repair %v are left, %v; %d copies", left, err, s.copies(seg))
		}
		if st := s.nodes[name].Status()[1]; st.Damaged != 0 || st.Missing != 0 {
			t.Fatalf("status %+v", st)
		}
		found, err = shard.Scrub(t.Context(), 0)
		if err != nil || len(found) > 0 {
			t.Fatalf("after the repair: found %v, %v", found, err)
		}
		requireKeys(t, shard, id, 1, 2, 3)
	})
}
