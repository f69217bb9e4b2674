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

// tuning is sizes that tests make small, so that few rows cross many boundaries.
type tuning struct {
	// chunkRows ends a chunk of a memtable: a page of rows.
	chunkRows int
	// adoptRows is the rows from which on a block becomes a chunk as it is; 0: never. With fewer rows readers of many small
	// chunks lose what the copy saves.
	adoptRows int
	// mergeRows bounds what a merge reads of one input at a time, and about the blocks it writes.
	mergeRows int
	// flushRows bounds the rows of one flush: its whole input is sorted in memory.
	flushRows int
	// runRows bounds a sorted run of a bulk insert, which is held in memory.
	runRows int
}

var defaultTuning = tuning{chunkRows: 1 << 16, adoptRows: 1 << 13, mergeRows: 1 << 14, flushRows: 4 << 20, runRows: 1 << 20}

const (
	// chunkBytes ends a chunk too: well under the 4 GiB that offsets within a vector can express.
	chunkBytes = 256 << 20
	// mergeBytes bounds what a merge reads of one input at a time.
	mergeBytes = 16 << 20
	// maxFanIn is the most inputs of one merge: each holds a block of every column in memory.
	maxFanIn = 16
	// runBytes bounds a sorted run of a bulk insert: with the run being gathered, the one being written and its sorted copy, an
	// insert of any size takes about 256 MiB.
	runBytes = 80 << 20
	// heldShare of the memtables' limit is what rows may take that a replica keeps for want of the segments they went to.
	heldShare = 2
	// maxHeld is the most edits of a table that views hide: who is so far behind serves nothing sensible from their inputs, which take
	// as much disk again.
	maxHeld = 256
	// reservedBytes of the disk stay free of files from other replicas: the log and this replica's own work go first.
	reservedBytes = 64 << 20
	// retryPause is how long background work waits after a failure before it tries the table again.
	retryPause = 5 * time.Second
	// tick is how often background work looks for something to do when nothing wakes it.
	tick = 500 * time.Millisecond
)
