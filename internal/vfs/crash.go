package vfs

import (
	"math/rand/v2"
	"slices"
)

// CrashPolicy says what a power loss does to what was not synced.
type CrashPolicy int

const (
	// DropUnsynced loses all of it.
	DropUnsynced CrashPolicy = iota
	// KeepUnsynced keeps all of it, as when only the process died.
	KeepUnsynced
	// TearUnsynced decides by chance for every write, and every sector of a write, and how far
	// each directory's changes got.
	TearUnsynced
)

// String names the policy.
func (p CrashPolicy) String() string {
	return [...]string{"drop", "keep", "tear"}[p]
}

// sectorBytes is what disks write in one piece. A torn write is cut at sectors, and once more at
// any byte, because the contract promises nothing about sectors.
const sectorBytes = 512

// Crash returns what a new start of the machine finds. The same seed and history give the same
// result. The Mem itself is not changed: further crashes of it can be looked at.
func (m *Mem) Crash(policy CrashPolicy, seed uint64) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &crash{policy: policy, rng: rand.New(rand.NewPCG(seed, 0x6f6c617064)), copies: map[*node]*node{}}
	kept := c.keptOps(m.mu.journal)
	root := c.copyTree(m.mu.root, kept)
	out := newMem(root)
	out.mu.used = usedBytes(root)
	out.mu.limit = m.mu.limit
	return out
}

type crash struct {
	policy CrashPolicy
	rng    *rand.Rand
	copies map[*node]*node
}

// keptOps returns, by directory, the changes that survive: a prefix for each directory.
func (c *crash) keptOps(journal []*nameOp) map[*node][]nameEdit {
	cut := map[*node]bool{}
	kept := map[*node][]nameEdit{}
	for _, op := range journal {
		if op.touches(cut) || !c.survives() {
			op.mark(cut)
			continue
		}
		for _, e := range op.edits {
			kept[e.dir] = append(kept[e.dir], e)
		}
	}
	return kept
}

func (c *crash) survives() bool {
	switch c.policy {
	case KeepUnsynced:
		return true
	case DropUnsynced:
		return false
	default:
		return c.rng.IntN(3) > 0
	}
}

// copyTree rebuilds a directory or file as found after the crash, everything in it durable.
func (c *crash) copyTree(n *node, kept map[*node][]nameEdit) *node {
	if done, ok := c.copies[n]; ok {
		return done
	}
	out := &node{dir: n.dir, mod: n.mod}
	c.copies[n] = out
	if !n.dir {
		out.data = c.content(n)
		out.durable = slices.Clone(out.data)
		return out
	}
	names := map[string]*node{}
	for name, child := range n.durableNames {
		names[name] = child
	}
	for _, e := range kept[n] {
		if e.to == nil {
			delete(names, e.name)
		} else {
			names[e.name] = e.to
		}
	}
	out.names, out.durableNames = map[string]*node{}, map[string]*node{}
	for _, name := range sortedNames(names) {
		child := c.copyTree(names[name], kept)
		out.names[name], out.durableNames[name] = child, child
	}
	return out
}

func (c *crash) content(n *node) []byte {
	content := slices.Clone(n.durable)
	for _, op := range n.pending {
		switch {
		case !c.survives():
		case c.policy == TearUnsynced && op.data != nil && c.rng.IntN(2) == 0:
			content = c.tear(content, op)
		default:
			content = op.apply(content)
		}
	}
	return content
}

// tear applies some of the sectors of a write, the last of them up to any byte.
func (c *crash) tear(content []byte, op dataOp) []byte {
	for at := 0; at < len(op.data); {
		step := min(len(op.data)-at, sectorBytes-int((op.off+int64(at))%sectorBytes))
		keep := step
		switch c.rng.IntN(4) {
		case 0:
			keep = 0
		case 1:
			keep = c.rng.IntN(step + 1)
		}
		if keep > 0 {
			content = dataOp{off: op.off + int64(at), data: op.data[at : at+keep]}.apply(content)
		}
		at += step
	}
	return content
}

func usedBytes(n *node) int64 {
	used := int64(len(n.data))
	for _, child := range n.names {
		used += usedBytes(child)
	}
	return used
}
