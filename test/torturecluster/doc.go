// Package torturecluster lets a cluster of real olapd processes suffer while Kafka and HTTP clients write to it, and holds what it answers
// against what was written.
//
//	go test ./test/torturecluster -server=$PWD/bin/olapd -faults 8 -v
//
// Three nodes with two shards of three replicas run as processes, a Kafka broker in this one. What the nodes say to each other goes through
// proxies of this process, which see by the kernel's tables which node has opened a connection, and can so hold up what any node sends
// to any other. TLS between the nodes is untouched. With the right to mount, each node's data lies on a small file system of its own.
//
// # Faults
//
// One at a time, each for some seconds, then it is undone: SIGKILL (half of the restarts end at a kill point, OLAPD_KILL_AT, and are
// repeated), SIGSTOP and SIGCONT, a clean restart, a node cut off from all, two nodes cut off from each other, a node that hears
// nothing, all connections broken, a full disk, a disk on which each sync takes 20 to 300 ms (OLAPD_SLOW_DISK, package internal/vfs).
//
// TestRollingRestart restarts all nodes in order instead, one after the other, while clients ask what takes several nodes to answer: no statement fails.
//
// # What is checked after every fault, by strong reads
//
//   - every partition of the topic is there without hole and overlap, and nothing that was visible is gone;
//   - an INSERT that was acknowledged is there once, whichever nodes it was retried on with its token; one that was not, once or not at all;
//   - on every node every rollup has what the same query over its base table gives, and all nodes show the same schema.
//
// At the end every message is there once, also in the table that is spread by a key, every acknowledged INSERT, and on every node without strong reads
// too; and the history of inserts and strong reads is linearizable (package linear).
package torturecluster
