package node

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/virtual"
)

// Operate implements query.Operator: the commands of SYSTEM CLUSTER, on any node.
func (n *Node) Operate(ctx context.Context, command, argument string) (string, error) {
	m := n.cluster.Meta()
	switch command {
	case "TOKEN":
		return m.Grant(ctx)
	case "LEAVE":
		return "The replicas of " + argument + " are moving to other nodes; it is removed when they have.", m.SetState(ctx, argument, cluster.Leaving)
	case "REPLACE":
		return "The replicas of " + argument + " are made on other nodes; it must not come back.", m.SetState(ctx, argument, cluster.Lost)
	case "KEEP":
		return argument + " stays.", m.SetState(ctx, argument, cluster.Active)
	case "REBALANCE":
		if argument == "data" {
			return n.rebalanceData(ctx)
		}
		if argument != "" {
			return "", sqlerr.New(sqlerr.BadArguments, "SYSTEM CLUSTER REBALANCE takes 'data' or nothing, not %q", argument)
		}
		moved, err := m.Rebalance(ctx)
		return fmt.Sprintf("%d replicas move.", moved), err
	case "CANCEL MOVES":
		cancelled, err := m.CancelMoves(ctx, "SYSTEM CLUSTER CANCEL MOVES")
		return fmt.Sprintf("%d moves are undone.", cancelled), err
	case "SHARDS", "REPLICAS":
		count, err := strconv.Atoi(argument)
		if err != nil {
			return "", sqlerr.New(sqlerr.BadArguments, "SYSTEM CLUSTER %s takes a number, not %q", command, argument)
		}
		if command == "SHARDS" {
			return fmt.Sprintf("The cluster has %d shards.", count), n.cluster.SetShards(ctx, count)
		}
		return fmt.Sprintf("Shards get %d replicas.", count), m.SetReplicas(ctx, count)
	}
	return "", sqlerr.New(sqlerr.NotImplemented, "SYSTEM CLUSTER %s is not implemented: TOKEN, LEAVE 'node', REPLACE 'node', KEEP 'node', REBALANCE, REBALANCE 'data', CANCEL MOVES, SHARDS n, REPLICAS n", command)
}

// clusterNodes asks all nodes at once what they are doing.
func (n *Node) clusterNodes(ctx context.Context) ([]virtual.ClusterNode, error) {
	t := n.cluster.Topology()
	out := make([]virtual.ClusterNode, len(t.Nodes))
	var work sync.WaitGroup
	for i, m := range t.Nodes {
		out[i] = virtual.ClusterNode{Name: m.Name, Address: m.Address, HTTP: m.HTTP, Native: m.Native, State: string(m.State), Local: m.Name == n.cluster.Name(), Level: int(m.Level), ClusterLevel: int(n.cluster.Level())}
		work.Go(func() {
			all, err := n.cluster.StatusOf(ctx, m.Name)
			out[i].Reachable = err == nil
			if len(all) > 0 {
				out[i].Level = int(all[0].Level)
			}
			for _, st := range all {
				out[i].Groups = append(out[i].Groups, groupOf(st))
			}
		})
	}
	work.Wait()
	return out, ctx.Err()
}

func groupOf(st cluster.Status) virtual.ClusterGroup {
	g := virtual.ClusterGroup{Group: st.Group, Term: st.Term, Applied: st.Applied, Committed: st.Committed, Schema: st.Schema, Leader: st.Leader,
		LogBytes: st.LogBytes, Missing: st.Missing, CaughtUp: st.CaughtUp, Error: st.Error}
	for _, m := range st.Members {
		if m.Votes {
			g.Voters = append(g.Voters, m.Node)
		} else {
			g.Learners = append(g.Learners, m.Node)
		}
	}
	return g
}

func (n *Node) clusterShards() []virtual.ClusterShard {
	var out []virtual.ClusterShard
	for _, p := range n.cluster.Topology().Shards {
		out = append(out, virtual.ClusterShard{ID: p.ID, Replicas: p.Replicas})
	}
	return out
}

func (n *Node) clusterMoves() []virtual.ClusterMove {
	var out []virtual.ClusterMove
	top, cat := n.cluster.Topology(), n.cluster.Meta().Catalog()
	for _, x := range slices.Concat(top.PastMoves, top.Moves) {
		m := virtual.ClusterMove{ID: x.ID, Partition: x.Partition, State: string(x.State), From: x.From, To: x.To, Rows: x.Rows, Bytes: x.Bytes, Reason: x.Reason}
		if t := cat.ByID(x.Table); t != nil {
			m.Database, m.Table = t.Database, t.Name
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b virtual.ClusterMove) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
