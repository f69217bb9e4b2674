package torture

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/olapd/olapd/internal/vfs"
)

// killPoint is a file operation that olapd dies at: one of the first most that match.
type killPoint struct {
	at   string // OP:PATH of internal/vfs
	most int
}

// killPoints are the operations that make something durable, of each kind of file that a node writes.
var killPoints = []killPoint{
	// The log of entries: records, syncs, a new file, an old one gone.
	{"write:.log", 150}, {"tear:.log", 150}, {"sync:.log", 150},
	{"create:next.tmp", 2}, {"write:next.tmp", 2}, {"sync:next.tmp", 2}, {"rename:next.tmp", 2}, {"remove:.log", 1}, {"syncdir:raft", 2},
	// Segments: flushed, inserted in bulk, merged, and deleted.
	{"create:.seg", 12}, {"write:.seg", 60}, {"tear:.seg", 60}, {"sync:.seg", 12}, {"syncdir:segments", 12}, {"remove:.seg", 12},
	// Raft snapshots.
	{"create:snapshots", 2}, {"write:snapshots", 6}, {"tear:snapshots", 6}, {"sync:snapshots", 4}, {"rename:snapshots", 2}, {"syncdir:snapshots", 6}, {"remove:snapshots", 2},
}

// env is the environment that arms a kill point at a random one of its operations.
func (k killPoint) env(r *rand.Rand) string {
	return fmt.Sprintf("%s=%s:%d", vfs.KillEnv, k.at, 1+r.IntN(k.most))
}

// deaths counts how olapd was killed.
type deaths struct {
	random int
	early  int // of the random ones: before it answered
	points map[string]int
	missed map[string]int // armed, but a random kill was faster
}

func (d *deaths) String() string {
	var hit []string
	n := 0
	for _, k := range killPoints {
		if c := d.points[k.at]; c > 0 {
			n += c
			hit = append(hit, fmt.Sprintf("%s ×%d", k.at, c))
		}
	}
	return fmt.Sprintf("%d at random moments (%d of them while starting), %d at %d of %d kill points (%s)", d.random, d.early, n, len(hit), len(killPoints), strings.Join(hit, ", "))
}
