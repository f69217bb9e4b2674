// Package raftnet carries the messages of hashicorp/raft between nodes, over streams of package rpc. A Mux serves all groups of a
// node; each group has a Transport of it.
//
// # Streams
//
// Three methods keep apart what must not wait for each other:
//
//	raft.control    votes, pre-votes, heartbeats, leadership transfers: one stream to a node for all groups, answered in any order
//	raft.append     log entries: one stream to a node for each group that replicates to it, answered in order
//	raft.snapshot   one Raft snapshot: a request, its bytes in chunks, one answer
//
// What a node says only to be heard costs more than all else in a cluster of many groups that does nothing, and so is brought together. Heartbeats to
// one node wait 25 ms for those of other groups (beatHold), unless someone waits for their answers (Hurry). Messages without entries, which
// raft sends to each follower ten times a second, are left out while they repeat the one before (repeatAfter).
//
// # Messages
//
// Numbers are varints (uv unsigned, sv signed), text has a uv length in front.
//
//	message:  | u8 version = 1 | u8 kind | uv id | uv group | body |     an answer has its request's id and group
//	header:   | uv protocol version | text node | text address |         of every body
//
//	kind                   body
//	  1 AppendEntries      | header | uv term | uv previous index | uv previous term | uv commit index | uv entries | entries |
//	  2 RequestVote        | header | uv term | uv last index | uv last term | u8 1: leadership is being transferred |
//	  3 RequestPreVote     | header | uv term | uv last index | uv last term |
//	  4 TimeoutNow         | header |
//	  5 InstallSnapshot    | header | uv snapshot version | uv term | uv last index | uv last term | text configuration |
//	                       | uv configuration index | uv bytes |
//	 65 to 69, answers     | header | uv term … | as below
//	 65 AppendEntries      | header | uv term | uv last index | u8 1: success, 2: no need to wait before a retry |
//	 66, 67 the votes      | header | uv term | u8 1: granted |
//	 68 TimeoutNow         | header |
//	 69 InstallSnapshot    | header | uv term | u8 1: success |
//	127 refusal            | text |                                      raft's error, or there is no such group
//
//	entry:    | uv index | uv term | u8 type | sv appended at, Unix ns, 0: unknown | text data | text extensions |
//
// On raft.append each message has a byte in front: 0 whole, 1 a piece, 2 the last piece; only entries near the limit of a
// message need pieces. There are no checksums: TLS has its own, and entries are checksummed when they are stored.
//
// # What a caller may rely on
//
// Every wait ends: by its answer, a limit of time (limits.go), the transport's end, or the peer's. A pipeline's answers wait
// for their consumer without holding the sender, so that a consumer that has left cannot hold it for ever. A message that is sent twice, or
// answered twice, does no harm.
package raftnet
