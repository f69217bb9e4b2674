package mergetree

import "time"

// Defaults of Settings and Options.
const (
	// DefaultFlushRows and DefaultFlushBytes end a memtable: one segment of a megarow costs about a second of
	// one core to sort and write, and the log behind it stays short.
	DefaultFlushRows  = 1 << 20
	DefaultFlushBytes = 128 << 20
	// DefaultFlushAge bounds the log that a restart replays when a table is written to slowly.
	DefaultFlushAge = 60 * time.Second
	// DefaultMaxMergeBytes is where merging more saves nothing a reader would notice.
	DefaultMaxMergeBytes = 16 << 30
	// DefaultMemtableLimit is the memory of all memtables at which Pressure reaches 1.
	DefaultMemtableLimit = 1 << 30
)

const (
	// chunkRows and chunkBytes end a chunk of a memtable: a page of rows, and well under the 4 GiB that
	// offsets within a vector can express.
	chunkRows  = 1 << 16
	chunkBytes = 256 << 20
	// mergeRows and mergeBytes bound what a merge reads of one input at a time, and the blocks it writes.
	mergeRows  = 8192
	mergeBytes = 16 << 20
	// maxFanIn is the most inputs of one merge: each holds a block of every column in memory.
	maxFanIn = 16
	// flushRowsMax bounds the rows of one flush: its whole input is sorted in memory.
	flushRowsMax = 4 << 20
	// runRows and runBytes bound a sorted run of a bulk insert, which is held in memory.
	runRows  = 1 << 20
	runBytes = 256 << 20
	// retryPause is how long background work waits after a failure before it tries the table again.
	retryPause = 5 * time.Second
	// tick is how often background work looks for something to do when nothing wakes it.
	tick = 500 * time.Millisecond
)
