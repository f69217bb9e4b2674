package virtual

import (
	"context"
	"net"
	"slices"
	"strconv"
)

// ClusterNode is a node of the cluster.
type ClusterNode struct {
	Name, Address, HTTP, Native, State string
	Local                              bool
	// Level is the feature level of its build, as last heard of; ClusterLevel is the cluster's.
	Level, ClusterLevel int
	// Reachable says that the node has answered just now; Groups is what it said.
	Reachable bool
	Groups    []ClusterGroup
}

// ClusterGroup is a Raft group on a node: 0 is the meta group, others are shards.
type ClusterGroup struct {
	Group, Term, Applied, Committed, Schema uint64 // Term: in which the node leads it; 0: it does not
	Leader                                  string
	Voters, Learners                        []string
	LogBytes                                int64
	Missing                                 int // segments whose files are still to come
	CaughtUp                                bool
	Error                                   string
}

// ClusterShard is where a shard's replicas are wanted.
type ClusterShard struct {
	ID       uint64
	Replicas []string
}

// ClusterMove is a move of a partition's rows from one shard to another.
type ClusterMove struct {
	ID               uint64
	Database, Table  string // empty: it has been dropped
	Partition, State string
	From, To         uint64
	Rows, Bytes      uint64
	Reason           string // why it was cancelled
}

func init() {
	fill("clusters", clusters)
	fill("nodes", func(ctx context.Context, s *Source, add func(row)) error {
		all, err := gathered(ctx, s.Nodes)
		for _, n := range all {
			led := 0
			for _, g := range n.Groups {
				if g.Term != 0 && g.Group != 0 {
					led++
				}
			}
			add(row{"name": n.Name, "address": n.Address, "http": n.HTTP, "native": n.Native, "state": n.State, "is_local": n.Local, "is_reachable": n.Reachable,
				"replicas": max(0, len(n.Groups)-1), "shards_led": led, "feature_level": n.Level, "cluster_feature_level": n.ClusterLevel})
		}
		return err
	})
	fill("raft_groups", func(ctx context.Context, s *Source, add func(row)) error {
		all, err := gathered(ctx, s.Nodes)
		for _, n := range all {
			for _, g := range n.Groups {
				add(row{"group": g.Group, "node": n.Name, "is_leader": g.Term != 0, "leader": g.Leader, "term": g.Term, "voters": g.Voters, "learners": g.Learners,
					"applied_index": g.Applied, "commit_index": g.Committed, "schema_version": g.Schema, "log_bytes": g.LogBytes,
					"missing_segments": g.Missing, "is_caught_up": g.CaughtUp, "error": g.Error})
			}
		}
		return err
	})
	fill("shards", shardsTable)
	fill("moves", moves)
}

// shardsTable shows each shard as its leader sees it.
func shardsTable(ctx context.Context, s *Source, add func(row)) error {
	nodes, err := gathered(ctx, s.Nodes)
	if err != nil {
		return err
	}
	for _, p := range list(s.Shards) {
		r := row{"shard": p.ID, "replicas": p.Replicas, "preferred_leader": p.Replicas[0]}
		if at, g := leaderOf(nodes, p.ID); at != nil {
			r["leader"], r["voters"], r["learners"], r["term"], r["commit_index"] = at.Name, g.Voters, g.Learners, g.Term, g.Committed
		}
		add(r)
	}
	return nil
}

func leaderOf(nodes []ClusterNode, group uint64) (*ClusterNode, *ClusterGroup) {
	for i := range nodes {
		for j := range nodes[i].Groups {
			if g := &nodes[i].Groups[j]; g.Group == group && g.Term != 0 {
				return &nodes[i], g
			}
		}
	}
	return nil, nil
}

// clusters shows the one cluster there is as ClickHouse shows its own.
func clusters(ctx context.Context, s *Source, add func(row)) error {
	nodes, err := gathered(ctx, s.Nodes)
	if err != nil {
		return err
	}
	byName := map[string]ClusterNode{}
	for _, n := range nodes {
		byName[n.Name] = n
	}
	for _, p := range list(s.Shards) {
		for i, name := range p.Replicas {
			n := byName[name]
			host, port, _ := net.SplitHostPort(n.Native)
			if host == "" {
				host, _, _ = net.SplitHostPort(n.Address)
			}
			if host == "" {
				host = s.Host
			}
			number, err := strconv.Atoi(port)
			if err != nil {
				number = 9000
			}
			add(row{"cluster": clusterName, "shard_num": p.ID, "shard_name": strconv.FormatUint(p.ID, 10), "shard_weight": 1, "internal_replication": 1, "replica_num": i + 1,
				"host_name": host, "host_address": host, "port": number, "is_local": n.Local, "user": "default", "is_active": n.Reachable,
				"feature_level": n.Level, "cluster_feature_level": n.ClusterLevel})
		}
	}
	return nil
}

// moves shows moves of partitions between shards, and replicas that are being made or are still to go, as moves of a shard.
func moves(ctx context.Context, s *Source, add func(row)) error {
	for _, m := range list(s.Moves) {
		add(row{"database": m.Database, "table": m.Table, "part_name": m.Partition, "part_size": m.Bytes, "target_disk_name": "shard " + strconv.FormatUint(m.To, 10),
			"move_id": m.ID, "state": m.State, "from_shard": m.From, "to_shard": m.To, "rows": m.Rows, "reason": m.Reason})
	}
	nodes, err := gathered(ctx, s.Nodes)
	if err != nil {
		return err
	}
	for _, p := range list(s.Shards) {
		_, g := leaderOf(nodes, p.ID)
		if g == nil {
			continue
		}
		for _, want := range p.Replicas {
			if !slices.Contains(g.Voters, want) {
				add(row{"part_name": "shard " + strconv.FormatUint(p.ID, 10), "target_disk_name": want, "state": "replicating"})
			}
		}
	}
	return nil
}
