package raftlog

const (
	// defaultSegmentBytes is the size that files grow to: seconds of full load, so that rotation
	// costs nothing and removal gives space back in small steps.
	defaultSegmentBytes = 64 << 20
	// firstSegmentBytes is the first file's size, and each next one is twice as long as the one before
	// it: a node that is hardly written to keeps no 128 MiB for its log. It has room for a batch.
	firstSegmentBytes = 4 << 20
	// minSegmentBytes lets tests rotate often.
	minSegmentBytes = 2 << 10
	// maxSegmentBytes keeps offsets in 32 bits, with room for one record of the largest size.
	maxSegmentBytes = 1 << 30
	// maxRecordBytes bounds one entry. Raft entries of olapd are at most some MiB; a length
	// beyond this in a file is damage.
	maxRecordBytes = 256 << 20
	// maxRequestBytes bounds the entries of one call, so that offsets in a file fit 32 bits.
	maxRequestBytes = 1 << 30
	// maxBatchBytes bounds what is written before a sync, and so the wait of the first caller.
	maxBatchBytes = 4 << 20
	// headroomBytes of a file are kept for deletes and sets.
	headroomBytes = 256 << 10
	// defaultCacheBytes holds the entries that followers and the state machine still read.
	defaultCacheBytes = 32 << 20
	// cacheEntryOverhead is an entry's cost in the cache beside its bytes.
	cacheEntryOverhead = 160
	// maxKeyBytes, maxValueBytes and maxKeys bound the stable store of a group, which every file
	// repeats. Raft itself keeps three keys.
	maxKeyBytes   = 256
	maxValueBytes = 16 << 10
	maxKeys       = 256
	// queueRequests is how many callers can wait without blocking on the channel itself.
	queueRequests = 1024
	// moveShare: a file with less than this part of it live is worth moving.
	moveShare = 4
	// garbageFiles beyond the live size force moving whatever the share.
	garbageFiles = 4
)
