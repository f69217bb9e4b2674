package ingest

import "time"

const (
	// defaultFlush is how long rows wait for company. Freshness is at least half of it at the median; five commits a
	// second cost little.
	defaultFlush = 200 * time.Millisecond
	// defaultBlockRows is the batch size in rows, as ClickHouse's max_insert_block_size / 16: a quarter second of 250,000 rows/s.
	defaultBlockRows = 65536
	// maxBatchBytes ends a batch by the bytes of its messages, whatever their number.
	maxBatchBytes = 8 << 20
	// pollRecords bounds what one poll returns, so that a batch overshoots its bounds by little.
	pollRecords = 16384
	// fetchBytes and fetchPartitionBytes bound what a broker returns at once, and so what is buffered per broker.
	fetchBytes          = 16 << 20
	fetchPartitionBytes = 4 << 20
	// defaultBuffered is the limit of a consumer's own budget.
	defaultBuffered = 256 << 20
	// costPerByte is the memory reserved per byte of message: the fetched bytes and about twice as much in builders that grow by doubling.
	costPerByte = 3
	// recordOverhead is the memory of a record beside its bytes: the client's struct and the virtual columns.
	recordOverhead = 300
	// commitQueue is how many batches wait for the one that commits; one is enough to keep the committer busy.
	commitQueue = 1
	// minBackoff and maxBackoff bound the pause between failed sessions.
	minBackoff = 100 * time.Millisecond
	maxBackoff = 10 * time.Second
	// defaultDiscover is how often topics are looked up for new partitions, new ids and lag.
	defaultDiscover = 5 * time.Second
	// adminTimeout bounds one look-up, so that a broker that hangs becomes visible as an error.
	adminTimeout = 15 * time.Second
	// groupInterval is the least time between two copies of the cursors to the consumer group.
	groupInterval = time.Second
	// closeTimeout bounds the last copy on the way out.
	closeTimeout = 2 * time.Second
	// keptExceptions is how many errors Status shows, as in ClickHouse.
	keptExceptions = 10
	// maxSchemas bounds the cache of registry schemas: ids come from messages.
	maxSchemas = 1000
	// maxPoison bounds the messages remembered as uncommittable until their dead letters are committed.
	maxPoison = 1000
)
