package raftnet

import (
	"time"

	"github.com/olapd/olapd/cluster/rpc"
)

const (
	// controlTimeout bounds a vote or heartbeat: behind it an election has begun anyway.
	controlTimeout = time.Second
	// appendTimeout bounds the wait for the answer to entries: a follower's disk can be that slow.
	appendTimeout = 10 * time.Second
	// snapshotStall bounds a step of a Raft snapshot's transfer, restoreTimeout what the follower does with it.
	snapshotStall  = 10 * time.Second
	restoreTimeout = 5 * time.Minute
	// firstPause and lastPause are between attempts to reach a node with entries, within appendTimeout: raft itself would
	// wait for up to ten seconds after some failures, though the node is back.
	firstPause = 20 * time.Millisecond
	lastPause  = 500 * time.Millisecond

	// beatHold is how long a heartbeat waits for those of other groups to the same node, which are then one write of the connection: little beside
	// the 100 to 200 ms between two of a group, and the 500 after which a leader gives up that hears of nobody.
	beatHold = 25 * time.Millisecond
	// repeatAfter is how long raft's empty messages, by which followers learn what is committed, are left out when they say what the one before said: one
	// is sent even then, should the other side have closed and opened the group meanwhile.
	repeatAfter = time.Second

	// maxAppendBytes is where a message of entries ends, however many raft has to send: some milliseconds of a network.
	maxAppendBytes = 4 << 20
	// maxAppendMessage bounds what pieces may add up to: an entry of 16 MiB, and what is around it.
	maxAppendMessage = rpc.MaxMessage + maxAppendBytes
	// maxInflight is how many messages of entries wait for answers in a pipeline.
	maxInflight = 32
	// maxControl is how many control messages of one node are served at once.
	maxControl = 256
	// snapshotChunk is a message of a Raft snapshot's bytes.
	snapshotChunk = 256 << 10
	// maxName bounds names and addresses, maxText errors and configurations.
	maxName = 4 << 10
	maxText = 1 << 20
	// maxEntries bounds the entries of a message: raft is configured with less.
	maxEntries = 1 << 16
)
