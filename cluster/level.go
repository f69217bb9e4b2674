package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/sqlerr"
)

// kindLevelRise is the kind of a LevelRise entry; see entry.go.
const kindLevelRise kind = 14

// levelRise is the body of a LevelRise entry: a topology of a higher level, of the version after the present one. Builds that know no levels do not know the
// kind, and end at it.
type levelRise struct{ to *Topology }

func (*levelRise) kind() kind { return kindLevelRise }

func (b *levelRise) append(dst []byte) ([]byte, error) {
	text, err := json.Marshal(b.to)
	if err != nil {
		return dst, fmt.Errorf("cluster: topology: %w", err)
	}
	return appendText(dst, text), nil
}

func (m *metaFSM) raiseLevel(b *levelRise) response {
	if b.to.Level > m.level {
		return response{fatal: tooOld(m.level, b.to.Level)}
	}
	if b.to.Level <= m.topology.Level {
		return response{err: fmt.Errorf("%w: from feature level %d to %d", ErrConflict, m.topology.Level, b.to.Level)}
	}
	return m.replaceTopology(b.to)
}

// tooOld is the error of a build that does not understand what its cluster uses.
func tooOld(own, level feature.Level) error {
	return sqlerr.New(sqlerr.UnsupportedMethod, "This build has feature level %d, and the cluster is at level %d: start one that has it", own, level)
}

// level is that of this node's build.
func (c *Config) level() feature.Level { return feature.Current - feature.Level(c.LevelsBehind) }

// Level is what the cluster uses: see package feature. A node alone uses what its build has.
func (n *Node) Level() feature.Level {
	if t := n.Topology(); !t.Alone() {
		return t.Level
	}
	return n.cfg.level()
}

// lowestLevel is that of the members, or a limit if they all have higher ones. Those that are lost do not count: a build that the cluster has left behind ends at
// the entry that says so.
func (t *Topology) lowestLevel(limit feature.Level) feature.Level {
	for _, m := range t.Nodes {
		if m.State != Lost {
			limit = min(limit, m.Level)
		}
	}
	return limit
}

// raiseLevel asks all nodes for the levels of their builds while the cluster's is lower than this one's, notes them, and raises the cluster's when all have
// answered with a higher one. This node leads the meta group.
func (n *Node) raiseLevel(ctx context.Context) {
	t := n.Topology()
	if t.Level >= n.cfg.level() {
		return
	}
	levels, all := n.levels(ctx, t)
	to := t.clone()
	noted := to.noteLevels(levels)
	var err error
	if lowest := to.lowestLevel(n.cfg.level()); all && lowest > t.Level {
		to.Level = lowest
		var r response
		if r, err = n.meta.g.commit(ctx, proposal{body: &levelRise{to}}); err == nil {
			err = r.err
		}
		if err == nil {
			n.cfg.Logger.Info("the cluster's feature level has risen", "from", t.Level, "to", lowest)
		}
	} else if noted {
		_, err = n.meta.ChangeTopology(ctx, func(t *Topology) (bool, error) { return !t.noteLevels(levels), nil })
	}
	if err != nil && !errors.Is(err, ErrConflict) && ctx.Err() == nil {
		n.meta.g.log.Warn("raising the feature level", "error", err)
	}
}

// levels asks the nodes that are not lost for their levels, all at once; all says that each has answered.
func (n *Node) levels(ctx context.Context, t *Topology) (levels map[string]feature.Level, all bool) {
	var mu sync.Mutex
	var work sync.WaitGroup
	levels, all = map[string]feature.Level{}, true
	for _, m := range t.Nodes {
		if m.State == Lost {
			continue
		}
		work.Go(func() {
			st, err := n.StatusOf(ctx, m.Name)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || len(st) == 0 {
				all = false
				return
			}
			levels[m.Name] = st[0].Level
		})
	}
	work.Wait()
	return levels, all
}

// noteLevels writes down what levels nodes have, of a copy, and reports whether any was another before.
func (t *Topology) noteLevels(levels map[string]feature.Level) (noted bool) {
	for i := range t.Nodes {
		m := &t.Nodes[i]
		if l, ok := levels[m.Name]; ok && l != m.Level {
			m.Level, noted = l, true
		}
	}
	return noted
}
