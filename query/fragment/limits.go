package fragment

import "time"

const (
	// maxDepth bounds the nesting of a decoded plan and of its expressions, which recursion follows: as deep as the parser lets a query be, several times.
	maxDepth = 10_000
	// maxFragment bounds the bytes of an encoded plan: a query of the largest size with a list of a million values in it.
	maxFragment = 256 << 20
	// maxMessage bounds what one message is put together of: a block of states, each of which may be large. blockcodec's own limit is above.
	maxMessage = 1 << 30
	// pieceBytes is how long the pieces are that messages travel in: well below what a network refuses, and large enough to cost nothing.
	pieceBytes = 1 << 20
	// sendBytes is the size from which a block is cut in two before it is sent, so that both sides hold little at once.
	sendBytes = 4 << 20
	// maxShards bounds the shards that a request may name.
	maxShards = 1 << 16
	// maxSettings bounds the settings that a request may change: more than there are.
	maxSettings = 1 << 14
	// maxShuffles bounds the shuffles of a fragment: two for each join of the largest query that anyone writes, many times.
	maxShuffles = 1 << 10
	// reportEvery is the time between two reports of what a fragment has read, while it yields no rows.
	reportEvery = 100 * time.Millisecond
	// minHedge is the least time after which another replica is asked beside one that has not answered.
	minHedge = 20 * time.Millisecond
	// hedgeShare is the part of all requests, as one over it, that may be such second ones.
	hedgeShare = 20
	// openTimeout is how long a node may take to pin its shards before another is asked in its place.
	openTimeout = 10 * time.Second
	// lastWord is how long a fragment that ends early may take to tell the others of its shuffle why: without it they report that its rows have ended too early,
	// and whose error the query gets is chance.
	lastWord = time.Second
)
