package cluster

import (
	"cmp"
	"slices"

	"github.com/hashicorp/raft"
)

// placeReplicas makes the wanted placement of replicas fit the nodes, in place, and reports whether it changed anything: replicas of nodes
// that are leaving or lost move to others, shards with too few replicas get more, one replica moves from the fullest to the
// emptiest node if they differ by two or more, and preferred leaders spread. It is a function of the topology alone.
//
// A replica that is no longer wanted goes only when those that are have its data: see nextChange.
func placeReplicas(t *Topology) bool {
	before := make([][]string, len(t.Shards))
	for i := range t.Shards {
		before[i] = slices.Clone(t.Shards[i].Replicas)
	}
	load := loads(t)
	for i := range t.Shards {
		repair(t, &t.Shards[i], load)
	}
	balance(t, load)
	spreadLeaders(t)
	return !slices.EqualFunc(before, t.Shards, func(a []string, b Placement) bool { return slices.Equal(a, b.Replicas) })
}

// loads counts the replicas wanted on each active node.
func loads(t *Topology) map[string]int {
	load := map[string]int{}
	for _, m := range t.Nodes {
		if m.State == Active {
			load[m.Name] = 0
		}
	}
	for _, s := range t.Shards {
		for _, r := range s.Replicas {
			if _, active := load[r]; active {
				load[r]++
			}
		}
	}
	return load
}

// emptiest returns the active node with the fewest replicas that has none of the shard; empty if there is none.
func emptiest(t *Topology, s *Placement, load map[string]int) string {
	best := ""
	for _, m := range t.Nodes {
		n, active := load[m.Name]
		if active && !slices.Contains(s.Replicas, m.Name) && (best == "" || n < load[best]) {
			best = m.Name
		}
	}
	return best
}

// repair moves a shard's replicas off nodes that are not active and adds missing ones. A replica stays where it is while no
// other node can take it, unless others suffice.
func repair(t *Topology, s *Placement, load map[string]int) {
	for i, r := range s.Replicas {
		if _, active := load[r]; active {
			continue
		}
		if to := emptiest(t, s, load); to != "" {
			s.Replicas[i] = to
			load[to]++
		}
	}
	if kept := activeOf(s, load); len(kept) > 0 {
		s.Replicas = kept
	}
	for len(s.Replicas) < t.Replicas {
		to := emptiest(t, s, load)
		if to == "" {
			return
		}
		s.Replicas = append(s.Replicas, to)
		load[to]++
	}
}

func activeOf(s *Placement, load map[string]int) []string {
	return slices.DeleteFunc(slices.Clone(s.Replicas), func(r string) bool { _, active := load[r]; return !active })
}

// balance moves one replica from the fullest to the emptiest node, if that makes them more alike.
func balance(t *Topology, load map[string]int) {
	names := make([]string, 0, len(load))
	for _, m := range t.Nodes {
		if _, active := load[m.Name]; active {
			names = append(names, m.Name)
		}
	}
	if len(names) < 2 {
		return
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(load[a], load[b]) })
	to, from := names[0], names[len(names)-1]
	if load[from]-load[to] < 2 {
		return
	}
	for i := range t.Shards {
		s := &t.Shards[i]
		if at := slices.Index(s.Replicas, from); at >= 0 && !slices.Contains(s.Replicas, to) {
			s.Replicas[at] = to
			return
		}
	}
}

// spreadLeaders puts another replica first where a node is the preferred leader of two shards more than the replica's.
func spreadLeaders(t *Topology) {
	leads := map[string]int{}
	for _, s := range t.Shards {
		leads[s.Replicas[0]]++
	}
	for i := range t.Shards {
		s := &t.Shards[i]
		least := slices.MinFunc(s.Replicas, func(a, b string) int { return cmp.Compare(leads[a], leads[b]) })
		if first := s.Replicas[0]; leads[first]-leads[least] >= 2 {
			at := slices.Index(s.Replicas, least)
			s.Replicas[0], s.Replicas[at] = least, first
			leads[first]--
			leads[least]++
		}
	}
}

// wantedVoters returns which nodes should vote in the meta group: those that do as long as they are active, then others, up to
// three, or five where shards have so many replicas.
func wantedVoters(t *Topology, have []raft.Server) []string {
	target := 3
	if t.Replicas >= 5 {
		target = 5
	}
	var out []string
	add := func(name string) {
		if m := t.Member(name); m != nil && m.State == Active && len(out) < target && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, s := range have {
		if s.Suffrage == raft.Voter {
			add(string(s.ID))
		}
	}
	for _, m := range t.Nodes {
		add(m.Name)
	}
	return out
}

// change is one step of a group's membership.
type change struct {
	do   changeKind
	node string
}

type changeKind int

const (
	noChange changeKind = iota
	notReady            // of the nodes that should vote, those that do not yet lack something
	addNonvoter
	addVoter
	demote
	remove
	handOver // the leadership, as this node is to go
)

// nextChange returns the next step from the members that a group has to those wanted, as seen by its leader. Nodes come in as nonvoters and
// vote when ready says that they hold all the group's data; nobody that votes goes before all wanted voters do: so every commit keeps
// a majority that has it.
func nextChange(have []raft.Server, voters, others []string, self string, ready func(string) bool) change {
	suffrage := map[string]raft.ServerSuffrage{}
	for _, s := range have {
		suffrage[string(s.ID)] = s.Suffrage
	}
	missing := false
	for _, name := range slices.Concat(voters, others) {
		if _, ok := suffrage[name]; !ok {
			return change{addNonvoter, name}
		}
	}
	for _, name := range voters {
		if suffrage[name] == raft.Voter {
			continue
		}
		missing = true
		if ready(name) {
			return change{addVoter, name}
		}
	}
	for _, s := range have {
		name := string(s.ID)
		switch {
		case slices.Contains(voters, name), s.Suffrage == raft.Voter && missing:
		case name == self:
			return change{handOver, voters[0]}
		case !slices.Contains(others, name):
			return change{remove, name}
		case s.Suffrage == raft.Voter:
			return change{demote, name}
		}
	}
	if missing {
		return change{do: notReady}
	}
	return change{}
}
