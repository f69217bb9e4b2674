// Package raftlog is the one log of a node: the entries, terms and votes of all of its Raft
// groups in one sequence of files, so that many groups share one write and one sync.
//
// A Log is a directory of preallocated files. One goroutine writes: it takes what all groups
// have asked for meanwhile as one batch, writes it at the end of the newest file, syncs, changes
// the index in memory, and answers. Log.Group gives a raft.LogStore and raft.StableStore.
//
// # Files
//
// Files are named by their number, 00000001.log and on, without a gap. next.tmp is the reserve:
// space for the next file, taken while there still is some. Integers are little-endian.
//
//	file:   | header 40 | checkpoint batch | batch | batch | … | zeros |
//	batch:  | record | record | … | record with flag last |
//
//	header: | 0 version u8 = 1 | 1 "olapdrl" | 8 file number u64                       |
//	        | 16 end of the records of the file before u64, 0 if there was none          |
//	        | 24 number of the first batch u64 | 32 CRC-32C of bytes 0–31 u32 | 36 zero  |
//
//	record: | 0 CRC-32C of bytes 4 to the end of the payload u32 | 4 payload length u32  |
//	        | 8 batch number u64 | 16 group u64 | 24 kind u8 | 25 flags u8 | 26 zero      |
//	        | 32 payload | zeros up to a multiple of 8                                    |
//
//	flags:  1 last record of its batch
//
//	kind             payload
//	1 entry          | 0 index u64 | 8 term u64 | 16 appended at, Unix ns i64, 0 if unknown |
//	                 | 24 raft.LogType u8 | 25 zero | 28 length of extensions u32           |
//	                 | 32 extensions | data                                                 |
//	2 moved entry    as 1: a live entry of a file about to be removed, written again
//	3 delete         | 0 first index u64 | 8 last index u64 |, inclusive
//	4 set            | 0 key length u32 | 4 key | value |
//	5 checkpoint     | 0 first index u64 | 8 last index u64 | 16 number of keys u32 | 20 zero |
//	                 | { key length u32 | value length u32 | key | value } … by key       |
//	6 checkpoint end | 0 number of groups u32 |, group 0
//	7 drop           empty: the group has nothing any more
//
// Batch numbers go up by one from batch to batch, across files. The first batch of a file
// states what each group holds at that point: the range of its live entries and all its keys.
// So a file can be removed when none of its entries is live. Files go oldest first; the few
// live entries of an idle group that hold back the oldest are moved to the newest.
//
// # After a crash
//
// A batch counts when all of its records are there: StoreLogs is atomic. A new file gets its name
// only after its header and checkpoint are synced, and is written to only after the name is.
// Thus only the last batch of the last file can be torn; Open cuts it off and says so in
// Recovery. Everything else that does not check out is ErrCorrupt: a bad record with a later
// batch behind it, a missing file, a file that does not end where the next one says, a
// checkpoint that differs from what the files before it add up to, a live entry that is nowhere.
// What cannot be told from a torn write is damage to exactly the last batch.
//
// # When the disk fails
//
// A full disk: space is reserved before it is needed, so StoreLogs fails before anything is
// written, and goes on once there is space. Deletes and sets, which Raft cannot do without, may
// use a headroom in each file. A failed write gives up the file; the next batch goes to a new
// one. A failed sync poisons the Log: what is on the disk is unknown, so every later write fails
// with ErrPoisoned, until the process has been started again and has read what is really there.
package raftlog
