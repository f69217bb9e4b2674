// Package mergetree stores the rows of all tables of one placement shard of a node: committed rows in
// memtables, older ones in sorted segments, and the background work that turns the former into the
// latter and many segments into few. It knows nothing of Raft, SQL or queries: expressions arrive as Go
// functions in a table's Spec.
//
// # State and views
//
// The state of a Store is a function of the sequence of Apply… calls alone: tables, their live
// segments (the manifest), and the rows not yet in a segment. One goroutine, the shard's
// state machine, makes these calls in log order. They do no I/O, read no clock and use no randomness, so every
// replica that applies the same entries holds the same rows. Publish makes all that was applied since the
// last Publish visible at once, across tables. A Snapshot pins one published state: an applied
// index with the memtable rows and segments of every table.
//
// A segment is named in the manifest by a small reference (Segment); its file, opened on first use,
// describes itself. A live segment whose file is missing or damaged is an error at read, never
// skipped.
//
// # Replicas
//
// Apply… never waits for a file. A replica that lacks the file of a segment that an edit added applies the edit, and its views
// go on showing the edit's inputs, which it keeps: segments, and memtable rows, up to a limit. Where there are no inputs, views name
// the segment, and reading it is ErrMissingSegment. Absent says what to fetch; Receive and OpenFile move files between stores.
//
// # Edits
//
// A flush, merge, bulk insert or dropped partition is one Edit: segments added, segments removed, rows of the
// memtable covered. The leader prepares files, makes them durable, and hands the Edit to the Committer; every replica
// applies it when its log entry commits. Edits are optimistic. An edit whose removes are no longer
// all live, or whose memtable range has moved, is rejected as a whole by ApplyEdit, on every replica alike;
// its author deletes the files and starts again.
//
// A mutation (Mutate) is one edit too: all segments that have rows to be changed, rewritten, instead of the old ones.
//
// # Order of rows
//
// Engines that keep one row of many (Replacing, Collapsing) depend on the order of commits. A segment
// covers a range of sequence numbers (Seq: log index and ordinal within the entry), ranges of live
// segments of one partition do not overlap, and a merge takes neighbours only. A segment that a bulk
// insert added behind unflushed memtable rows is merged only once those have been flushed; a flush is
// cut at the index of such a segment.
//
// # Files
//
// All segments lie in one directory as ID + ".seg". A removed segment's file is deleted when no
// snapshot holds it any more and Durable has been called with an index at or behind the edit that removed it: that is,
// when a restart is sure to come back to a state without it. A file on its way from another replica is ID + ".piece".
//
// The file of a segment that an edit may yet name, staged in some term of the shard's leaders, is deleted only when a later term has begun:
// see CleanOrphans.
//
// # Concurrency
//
// Apply…, Publish and DecodeState belong to one goroutine. Everything else may be called from any, and takes part in
// no batch: what was applied since the last Publish stays unseen. A
// memtable is appended to while readers hold earlier prefixes of it: they see only positions
// that are never written again.
package mergetree
