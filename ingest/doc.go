// Package ingest consumes Kafka topics exactly once: messages become a block of rows, and the rows, the
// offsets they came from and the messages that could not be read reach the shard in one commit.
//
// # One consumer, many sessions
//
// A Consumer belongs to one table of the Kafka engine and runs on the leader of the table's shard. It works in
// sessions. A session reads term and cursors from the Committer ONCE, looks up the topics, decides with plan
// where each partition starts, and consumes from there:
//
//	poll ──► decode, per partition in parallel ──► batch (rows, bytes, age) ──► commit, one after another
//	                                                                               │
//	                          copy of the cursors to the consumer group ◄──────────┘ (for lag tools only)
//
// Decoding goes on while a batch commits. A commit that fails in any way, its outcome known or not, ends the session;
// the next one starts from the cursors that the shard then has. So do a new term, new partitions and
// fetch errors. Nothing is ever resumed from memory.
//
// # What a batch promises
//
//   - Every range continues where the previous accepted range of its (topic id, partition) ended, and every record in
//     the batch lies in [Start, End) of its range.
//   - A partition seen for the first time gets its start committed, as an empty range, before any record of it.
//   - Offsets of transaction markers, aborted records and compacted records lie inside ranges and carry no rows.
//   - A message gives all of its rows or, if it cannot be read, one DeadLetter and no row. A tombstone gives nothing.
//
// # When Kafka lost something
//
// A log that no longer holds the next offset (retention), a topic deleted and created again (another topic id) halt
// the partition with a reason in Status, or, with kafka_on_data_loss = 'skip', are committed as an explicit gap.
// A log that ends before the cursor (truncated) always halts: its offsets would be given out twice. Other
// partitions go on.
//
// A partition without a cursor starts where kafka_auto_offset_reset says, 'earliest' by default. Partitions added to
// a topic that is already being consumed always start at their beginning, or their first rows would be lost.
package ingest
