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
		"Bytes of the right side of a join that are sent to all nodes; if there are more, both sides are shuffled: each node gets the rows of some keys. 0: no limit.")
	MaxBroadcastRows = count("distributed_plan_max_rows_to_broadcast", 0, "Rows of the right side of a join that are sent to all nodes; see max_bytes_to_broadcast. 0: no limit but that.")
	DistributedJoin  = text("String", "distributed_join", "auto",
		"How tables are joined whose rows with equal keys are not known to be on one node: broadcast sends the right side to all, or fetches both sides where that cannot be; shuffle "+
			"sends rows of both sides to where those of their keys are; auto takes the former up to max_bytes_to_broadcast.", "auto", "broadcast", "shuffle")
	DistributedGroups = text("String", "distributed_group_by", "auto",
		"Where the groups of a GROUP BY are put together that may be on several nodes: merge does it where the query is; shuffle gives each node its share of the groups, and it does "+
			"HAVING and ORDER BY … LIMIT with these too; auto shuffles from about group_by_two_level_threshold groups on.", "auto", "merge", "shuffle")
	ManyGroups  = count("group_by_two_level_threshold", 100_000, "Groups from which a GROUP BY over several nodes is shuffled; see distributed_group_by. 0: it never is.")
	UseHedged   = boolean("use_hedged_requests", true, "Ask another replica beside one that has not answered for hedged_connection_timeout_ms, for at most one request of twenty.")
	HedgedAfter = millis("hedged_connection_timeout_ms", "50", "Time after which another replica is asked; see use_hedged_requests.")
)
