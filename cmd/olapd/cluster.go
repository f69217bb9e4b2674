package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/olapd/olapd/client"
	"github.com/olapd/olapd/internal/node"
)

const clusterUsage = `Usage:

  olapd cluster init --data DIR --address HOST:PORT …   make the node of a data directory, which is not running, the first of a cluster
  olapd cluster token                                   print a token for one more node to join with
  olapd cluster status                                  show nodes and shards
  olapd cluster leave NODE                              move a node's replicas elsewhere, then remove it
  olapd cluster replace NODE                            make the replicas of a node that is lost elsewhere, now
  olapd cluster keep NODE                               take a leave or replace back
  olapd cluster rebalance                               spread replicas evenly
  olapd cluster rebalance --data                        spread rows evenly over the shards
  olapd cluster cancel-moves                            let rows that have not moved yet stay
  olapd cluster shards N                                have N shards, more than now
  olapd cluster replicas N                              have N replicas of each shard

All but init ask a running node, with the options of olapd client (--host, --port, --user, --password) behind the command.
"olapd cluster init --help" says more. A new node joins with: olapd server --data DIR --join HOST:PORT --token TOKEN
`

// clusterQueries are what the commands ask of a node; %s is their argument.
var clusterQueries = map[string]string{
	"token":        "SYSTEM CLUSTER TOKEN",
	"rebalance":    "SYSTEM CLUSTER REBALANCE",
	"cancel-moves": "SYSTEM CLUSTER CANCEL MOVES",
	"leave":        "SYSTEM CLUSTER LEAVE '%s'",
	"replace":      "SYSTEM CLUSTER REPLACE '%s'",
	"keep":         "SYSTEM CLUSTER KEEP '%s'",
	"shards":       "SYSTEM CLUSTER SHARDS %s",
	"replicas":     "SYSTEM CLUSTER REPLICAS %s",
}

// statusQueries print the state of a cluster.
var statusQueries = []string{
	"SELECT name, address, http, state, is_reachable AS reachable, replicas, shards_led, feature_level AS level, cluster_feature_level AS cluster_level FROM system.nodes ORDER BY name FORMAT PrettyCompactNoEscapes",
	"SELECT shard, leader, arrayStringConcat(voters, ' ') AS replicas, arrayStringConcat(learners, ' ') AS coming, commit_index FROM system.shards ORDER BY shard FORMAT PrettyCompactNoEscapes",
	"SELECT move_id, table, part_name AS partition, from_shard, to_shard, state, rows FROM system.moves WHERE move_id > 0 AND state NOT IN ('done', 'cancelled') ORDER BY move_id FORMAT PrettyCompactNoEscapes",
	"SELECT group, node, missing_segments, commit_index - applied_index AS behind, error FROM system.raft_groups WHERE missing_segments > 0 OR error != '' OR NOT is_caught_up ORDER BY group, node FORMAT PrettyCompactNoEscapes",
}

// clusterMain runs olapd cluster.
func clusterMain(args []string, in io.Reader, out, errs io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		fmt.Fprint(out, clusterUsage)
		return 0
	}
	command, rest := args[0], args[1:]
	if command == "init" {
		err := node.InitCluster(rest, out)
		if err != nil && !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(errs, "olapd:", err)
			return 1
		}
		return 0
	}
	if command == "status" {
		for _, q := range statusQueries {
			if code := client.Main(append(rest[:len(rest):len(rest)], "-q", q), in, out, errs); code != 0 {
				return code
			}
		}
		return 0
	}
	q, ok := clusterQueries[command]
	if !ok {
		fmt.Fprintf(errs, "olapd: unknown command %q\n\n%s", "cluster "+command, clusterUsage)
		return 2
	}
	if command == "rebalance" && len(rest) > 0 && rest[0] == "--data" {
		q, rest = q+" 'data'", rest[1:]
	}
	if strings.Contains(q, "%s") {
		if len(rest) == 0 || strings.HasPrefix(rest[0], "-") {
			fmt.Fprintf(errs, "olapd: cluster %s needs an argument\n\n%s", command, clusterUsage)
			return 2
		}
		q = fmt.Sprintf(q, strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(rest[0]))
		rest = rest[1:]
	}
	return client.Main(append(rest[:len(rest):len(rest)], "-q", q), in, out, errs)
}
