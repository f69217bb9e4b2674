package settings

// Queries over the shards of a cluster. A node alone has one shard, and what is said here of others does not matter there.
var (
	SkipUnavailable = boolean("skip_unavailable_shards", false,
		"Leave out shards that no node answers for, instead of an error. The answer names them: X-Olapd-Missing-Shards, missing_shards in JSON formats and in Settings of system.query_log.")
	SequentialConsistency = count("select_sequential_consistency", 0,
		"1: a read sees everything that was committed before it began, on whatever replica it reads. 0: what the replica has applied.")
	ReadAfter = text("String", "read_after_index", "",
		"Log indices that must have been applied where shards are read, as 'shard:index, …'.")
	MaxBroadcast = count("max_bytes_to_broadcast", 128<<20,
		"Bytes of the right side of a join that are sent to all shards; if there are more, the left side is fetched, and the join is made where the query is. 0: no limit.")
	UseHedged   = boolean("use_hedged_requests", true, "Ask another replica beside one that has not answered for hedged_connection_timeout_ms, for at most one request of twenty.")
	HedgedAfter = millis("hedged_connection_timeout_ms", "50", "Time after which another replica is asked; see use_hedged_requests.")
)
