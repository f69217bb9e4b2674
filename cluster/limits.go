package cluster

import "time"

// Limits and defaults, each with its reason.
const (
	// LogRowsBytes is about where rows stop travelling in the log: larger inserts are built into segments first
	// (mergetree.Store.BuildSegments) and committed by their names, or every row would be written twice. Segments of a few
	// megabytes cost more than that: with 512 KiB here, INSERTs of 1,000 wide rows (2.3 MB) and of 10,000 narrow ones
	// (2.8 MB) took twice as long as through the log, and each left a segment or one a partition to merge.
	LogRowsBytes = 4 << 20
	// MaxEntryBytes is the largest entry proposed: a block of MaxEntryBytes is applied in some milliseconds, and nothing
	// else is applied meanwhile.
	MaxEntryBytes = 16 << 20
	// maxTables, maxRanges and maxTokens bound the lists of an entry; each element takes a few bytes at least.
	maxTables = 1 << 16
	maxRanges = 1 << 16
	maxTokens = 1 << 16
	// MaxTokenBytes bounds a deduplication token: a hash or what a user made up.
	MaxTokenBytes = 4 << 10
	// maxWayBytes bounds what is in front of a token in a table that has grown, one number of up to four digits for each time; maxTokenID both.
	maxWayBytes = 8 << 10
	maxTokenID  = maxWayBytes + 1 + MaxTokenBytes
	// maxHandedTokens is how many tokens one shard gives to another at once: an entry of some 100 KB, or 12 MB if they are as long as they may be.
	maxHandedTokens = 1000
	// maxName bounds topics and node names.
	maxName = 4 << 10
	// maxTableJSON bounds the description of one table in an entry.
	maxTableJSON = 16 << 20

	// MaxShards, maxReplicas and maxNodes bound a cluster: a group on a node takes some goroutines and a few MB, and every node knows all
	// others.
	MaxShards   = 1024
	maxReplicas = 7
	maxNodes    = 1024

	// DefaultTokenWindow is how many tokens a table remembers, unless its settings say otherwise
	// (replicated_deduplication_window).
	DefaultTokenWindow = 10_000
	// maxTokenWindow bounds what a table may ask for: a token takes some 150 bytes.
	maxTokenWindow = 1 << 20

	// maxInflight is the most proposals under way in a group: raft buffers as many without blocking, and makes room for as many with every message,
	// also those that are sent to each follower ten times a second when nothing happens: 8 bytes an entry.
	maxInflight = 256
	// DefaultInflightBytes bounds the bytes of the proposals under way in a group.
	DefaultInflightBytes = 64 << 20
	// DefaultSnapshotBytes of log since the last Raft snapshot bring on the next: what a restart replays, under a second.
	DefaultSnapshotBytes = 64 << 20
	// flushShare: after a flush a snapshot is small, and worth taking at this part of DefaultSnapshotBytes already.
	flushShare = 8
	// trailingLogs is how many entries stay in the log behind a snapshot, for followers that are just behind.
	trailingLogs = 128
	// snapshotsKept is the newest and one to fall back on.
	snapshotsKept = 2

	// maxMoves bounds the moves of partitions that wait or run: all shards may move one to another. The topology, which has some 200 bytes of each, is one
	// entry at every change.
	maxMoves = MaxShards
	// growthRounds is how many rounds of a growth's moves the topology has room for: see Topology.target.
	growthRounds = 8
	// maxStops bounds the partitions of a Kafka table that all shards stop at: each is some 120 bytes of an entry in every shard's log.
	maxStops = 4096
	// pastMoves is how many ended moves are remembered, for system.moves.
	pastMoves = 64
	// maxMoveSegments bounds the segments of one move: a share of the most that an edit takes.
	maxMoveSegments = 4096
	// freezeAttempts is how often segments are picked anew because they were merged meanwhile.
	freezeAttempts = 16

	// electionTimeout is how long a group of one member waits before it elects itself: nobody else can.
	electionTimeout = 40 * time.Millisecond
	// failoverTimeout is how long a follower waits for its leader before it stands for election: some times what a busy disk or
	// a garbage collection holds up a node, and most of the time in which nothing can be written after a leader's death.
	failoverTimeout = time.Second
	// leaderWait is how long a proposal waits for this node to lead.
	leaderWait = 5 * time.Second
	// leaderPatience is how long a commit waits for a group to have a leader: an election takes some failoverTimeouts.
	leaderPatience = 15 * time.Second
	// conflictAttempts is how often a change is made again because that of another node came between: one of them always succeeds.
	conflictAttempts = 64
	// leaderPoll is how often one who waits looks whether another node leads.
	leaderPoll = 100 * time.Millisecond
	// forwardTimeout bounds the wait for a leader's answer; after it the outcome is unknown.
	forwardTimeout = 10 * time.Second
	// enqueueTimeout bounds the wait for raft's queue, which has room for maxInflight.
	enqueueTimeout = 30 * time.Second
	// drainTimeout is how long closing waits for proposals under way before it stops raft under them.
	drainTimeout = 5 * time.Second
	// leaveTimeout is how long closing waits until other replicas lead: longer than an election takes.
	leaveTimeout = 2 * time.Second
	// openPatience is how long a start waits for a group's leader before it goes on with what the node knows.
	openPatience = 10 * time.Second
	// catchUpPoll is how often a start looks whether a group has caught up.
	catchUpPoll = 10 * time.Millisecond
	// memberInterval is how often the leaders of groups look at their members and nodes at their replicas, beside changes of the topology.
	memberInterval = time.Second
	// voterPoll is how often the leader of the meta group looks whether a node that is to vote has all that was committed: little data, and of two
	// voters neither may be lost.
	voterPoll = 50 * time.Millisecond
	// lagLooks is how often a node is asked, a voterPoll apart, whether it has what was committed: followers learn of that within 100 ms.
	lagLooks = 4
	// memberTimeout bounds the wait for raft's queue with a change of members.
	memberTimeout = 10 * time.Second
	// handOverAfter is how long a leader leads before it hands over to the preferred one, so that leaderships do not fly to and fro.
	handOverAfter = 10 * time.Second
	// askTimeout bounds short questions between nodes.
	askTimeout = 2 * time.Second
	// hashInterval is between comparisons of the replicas' states, which cost about a second of one core for each gigabyte of memtables.
	hashInterval = time.Minute
	// hashPatience is how long a leader waits for the hash of its own state.
	hashPatience = time.Minute
	// scrubInterval is between the ends and beginnings of scrubs: bits rot over months.
	scrubInterval = 24 * time.Hour
	// scrubRate is the bytes a second that a scrub reads, little beside what queries do: 700 GB a day.
	scrubRate = 8 << 20
	// repairPatience is how long a scrub that was asked for waits for what it found damaged, looking each repairPoll: the transfer of a large segment.
	repairPatience = time.Minute
	repairPoll     = 100 * time.Millisecond
	// fetchChunk is the bytes of a file in one message.
	fetchChunk = 1 << 20
	// fetchSlots is how many files a node fetches at once: more would make each later.
	fetchSlots = 4
	// fetchRate bounds the bytes a second that a node fetches: disks and networks serve queries and Raft as well.
	fetchRate = 256 << 20
	// fetchPauseMax is the longest pause between attempts to fetch what no replica has just then.
	fetchPauseMax = 15 * time.Second
	// stallTimeout is how long the other side of a transfer may be silent.
	stallTimeout = 10 * time.Second
	// progressPause is between messages that say that a replica is still fetching what it is asked to stage.
	progressPause = time.Second
	// stagePatience is how long segments wait for a majority of the replicas before their commit fails: a replica's restart, and the
	// transfer of a large segment.
	stagePatience = 10 * time.Minute
	// stagePause is between attempts to stage on a replica.
	stagePause = 500 * time.Millisecond
	// orphanInterval is how often a replica looks whether a term has begun since it last deleted orphaned files.
	orphanInterval = time.Second
	// retryPause is between attempts of work that the leader owes: a term's beginning, a schema.
	retryPause = 50 * time.Millisecond
	// fullPause is between attempts to write to a full disk.
	fullPause = 100 * time.Millisecond
	// stallAfter is how long a full disk may hold up those who wait for a commit before they are told.
	stallAfter = 2 * time.Second
	// upkeepInterval is how often a group looks whether a Raft snapshot is due.
	upkeepInterval = 200 * time.Millisecond
	// snapshotRetry is between attempts of a Raft snapshot that fails.
	snapshotRetry = 5 * time.Second
	// pressurePause is how often a writer that waits for memtables to be flushed looks again.
	pressurePause = 5 * time.Millisecond
)
