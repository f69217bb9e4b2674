// Package cluster makes changes of a node's data ordered, durable and replicated: Raft groups, the entries in
// their logs, and the state machines that apply them. It is the only importer of hashicorp/raft, beside its log store
// in cluster/raftlog.
//
// # Groups
//
// A Node runs the meta group (id 0), whose state is the catalog, and shard groups (ids from 1), each of which holds rows
// of all tables in a mergetree.Store, with the Kafka cursors and deduplication tokens that were committed together with
// them. On a single node every group has one member and elects itself in under 100 ms; the code is the
// same. All groups share one log (package raftlog): their appends share syncs.
//
// # Entries
//
// Everything that changes is one entry of a group's log; its effects appear together or not at all. Numbers are
// little-endian, uv is an unsigned and sv a signed varint, text and bytes have a uv length in front.
//
//	entry:  | u8 version = 1 | u8 kind | uv group | uv term | uv schema version | sv leader's time, Unix ns | uv request id | body |
//
//	kind                body
//	 1 BeginTerm        | text node |
//	 2 AppendRows       | claims | uv tables | per table: uv id, bytes block (package blockcodec) |
//	 3 CommitSegments   | claims | uv edits | edits (mergetree.AppendEdit) |
//	 4 DropSegments     | uv tables | per table: uv id | whose rows all go
//	 5 ApplySchema      | uv tables | per table: bytes JSON | uv dropped | per dropped: uv id |
//	 6 DedupTrim        | uv table | sv time: tokens committed before it are forgotten, Unix ns |
//	 7 SourceAcquire    | uv source | text topic | 16 bytes topic id | uv partition | sv next offset |
//	 8 SourceRelease    | the same; next must be the stored one |
//	 9 CatalogChange    | bytes JSON of a catalog.Delta |
//	10 TopologyChange   | bytes JSON of a Topology, of the version after the present one |
//	11 AccessChange     | the access state that follows the present one, as internal/access stores it |
//	12 StateHash        | uv index of the entry that marked the state, 0: this one does | uv version | 16 bytes hash |
//	13 MoveStep         | u8 act | uv move | uv topology version | edit | see shardmoves.go
//	14 LevelRise        | bytes JSON of a Topology, of the version after the present one and a higher level | see level.go
//	15 HandTokens       | uv table | uv tokens | per token: text id, 16 bytes hash, sv time | see handtokens.go
//
//	claims: | uv ranges | per range: uv source, text topic, 16 bytes topic id, uv partition, u8 flags (1 gap),
//	        |   sv expect (with a gap), sv start, sv end, sv first, sv last |
//	        | uv tokens | per token: uv table, text id, 16 bytes hash |
//
// The time is the leader's clock, so that replicas that apply the entry need none.
//
// # Rules of the state machines
//
// Apply is deterministic and does no I/O. In this order:
//
//  1. An entry whose term is not that of its log entry, or before which the term's BeginTerm was not applied, has no effect.
//  2. If one of an entry's tokens is known, the entry has no effect, and its proposer gets the result of the first.
//  3. A source range must start at the stored next offset of its partition (any start will do where none is stored), under the same
//     topic id; a gap names the offset it expects, and may leave some out or follow a topic made anew. Otherwise: ErrCursorMoved.
//  4. Rows and segments derived under a schema version are refused with ErrSchemaChanged when one of their tables, or a rollup that
//     reads it, has changed since, or while one of them is held: its rows are about to be read on other shards (growth.go).
//  5. Edits must fit the manifest: mergetree.ErrEditRejected.
//
// An entry that cannot be decoded, or a table that cannot be compiled, stops the replica: reads go on, writes fail with
// ErrStopped, and no entry is skipped.
//
// # Acknowledgements
//
// Any node of a cluster takes commits, changes of the catalog and barriers: where another node leads the group they go to that one
// (forwardwire.go), which proposes them under its own term. A commit with a token is made again when its outcome is unknown.
//
// A nil error means: committed, durable, applied here and visible. ErrUnknown means that nobody knows; every other error means no
// effect, now or later. Waits end with their context, and with the node.
//
// # Segments on several replicas
//
// Segments are built where the shard is led. Before an entry names them, the leader asks the other voters to fetch their files
// (staging.go), and proposes once a majority has them, durable; a group of one member asks nobody. Applying never waits for a file: a
// replica that lacks one shows the edit's inputs, or cannot be read (mergetree.ErrMissingSegment), and fetches it from whoever
// has it (fetch.go): whole files, in checksummed pieces, gone on with where they stopped, checked against the manifest's hash, and
// only then shown.
//
// A staged file is deleted when no manifest names it and a later term than that of its staging has begun, which means that everything proposed
// before has been applied; or when the entry that names it was refused. Neither time nor a restart deletes anything (stagingorphans.go).
//
// Replicas compare hashes of their states (statehash.go): one that differs from its leader stops. Each reads all of its files now and
// then, and replaces damaged ones by its peers' (scrub.go).
//
// # Raft snapshots
//
// A group's Raft snapshot holds its whole state: for a shard the manifest, cursors, tokens, tables and the rows of the
// memtables. It is taken when the log since the last one is long, sooner when a flush has just emptied a memtable; the
// log before it is then deleted.
package cluster
