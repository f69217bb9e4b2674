// Package fragment runs a plan on several nodes: it cuts the plan into what every shard does with its own rows and what is done once,
// carries the former to the nodes that have the shards, and brings their rows back.
//
// # Cutting
//
// Cut puts an Exchange over each largest part of a plan that gives the same rows when it is run for each shard alone: scans, filters,
// projections, ARRAY JOIN, joins that keep no rows of their right side for themselves, whose right side becomes a Broadcast. Above such a part,
// aggregation, DISTINCT, LIMIT BY, LIMIT and top-k are done twice: for each shard below the Exchange, as states or as what may still be of
// use, and once above it. A join whose sides are both large is shuffled (shuffled.go): both become Shuffles, by its keys, and it stays
// below the Exchange. So are the states of an aggregation with many groups (groups.go): a Shuffle takes the place of the Exchange between its two steps, and
// what is above stays in the fragment too. Everything else stays on the node that has the query. Subqueries of IN are run there once, and their rows travel too.
//
// # Encoding
//
// A plan travels as bytes, not as SQL: what it means was settled where it was analyzed. All numbers are unsigned varints unless said otherwise, a
// text is its length and its bytes, a type is its name, the first time, and its number, ever after.
//
//	+---------+------------------------------------------------------------+
//	| u8      | node: u8 kind, fields, inputs                              |
//	| version | expression: u8 kind, fields, arguments                     |
//	+---------+------------------------------------------------------------+
//
// A scan names its table by ID and its columns by name and type; a function is its name and the types it was bound to (function.Signature); an
// aggregate is its name, its parameters and the types of its arguments, and is bound anew, or, where it merges shuffled states, as that which made them; constants are blocks of one row (blockcodec); a Broadcast
// is its number among those of the fragment. Decode takes any bytes and gives a plan or an error.
//
// The states of a partial aggregate are columns of their function's own type (function.PlainType), where its field has that type: of count, sum, avg, min and
// the like. Else, and from nodes of older versions, they are bytes.
//
// # Running
//
// A fragment runs on one node for all the shards that are read there, over one stream: request and rows of Broadcasts there,
// blocks and at last a report back (message.go). The first stream of a query to a node pins the shards' rows at one instant, and stays
// open as long as the query: all fragments of a query read the same rows. A node that cannot be reached before that is replaced by another that
// has a replica (link.go); later the query ends with an error.
//
// A fragment with Shuffles runs on nodes that know each other (shuffle.go): each has a part of the keys, opens a stream to every other for each
// Shuffle, sends the rows of that node's part, and says when they are all. Streams find the fragment by the node and the name of the query, the number of the
// fragment, and the part. What arrives is taken at once, into memory or files, so that nobody who sends waits for another's work.
//
// A fragment that is a top-k of wide rows may be late (offer.go): it sends the sort keys of its rows, waits for the positions of those that are wanted, and reads and
// sends the other columns of these.
package fragment
