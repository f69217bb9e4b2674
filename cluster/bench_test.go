package cluster

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/vfs"
)

// BenchmarkAppend commits one row an entry from 64 clients, on a disk, with flushes and Raft snapshots as they come.
func BenchmarkAppend(b *testing.B) {
	for name, clients := range map[string]int{"clients=1": 1, "clients=64": 64} {
		b.Run(name, func(b *testing.B) {
			cfg := testConfig(vfs.Disk())
			cfg.Dir, cfg.LogSegment, cfg.NoBackground = b.TempDir(), 0, false
			n := testNode(b, cfg)
			c, ids := create(b, n, testTable("a"))
			s := n.Shards()[0]
			var next atomic.Int64
			var slowest atomic.Int64
			var work sync.WaitGroup
			b.ResetTimer()
			for range clients {
				work.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						start := time.Now()
						if _, err := s.Append(context.Background(), Batch{Claims: Claims{Schema: c.Version}, Rows: []TableRows{{ids[0], testBlock(uint64(i))}}}); err != nil {
							b.Error(err)
							return
						}
						if d := int64(time.Since(start)); d > slowest.Load() {
							slowest.Store(d)
						}
					}
				})
			}
			work.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
			b.ReportMetric(float64(slowest.Load())/1e6, "ms-slowest")
		})
	}
}
