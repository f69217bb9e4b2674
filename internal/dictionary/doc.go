// Package dictionary holds dictionaries in memory: rows of a key and attributes, found by their keys.
//
// A Shape says what a dictionary looks like, from its definition alone. A Builder gathers rows of a source, in the order
//
//	key columns · range columns (from, to) of a range layout · attributes
//
// and makes them Data, which is immutable and safe for concurrent use: row i of each attribute's vector is that of the i-th
// key, and one more value behind the last is the attribute's default, so that a lookup is row numbers and a gather.
// How keys are found follows from the layout:
//
//	flat     an array by key, up to max_array_size
//	hashed   a table with linear probing over the keys (one UInt64, or any columns)
//	range    hashed, then a search among the intervals of the key
//	ip trie  a table per length of prefix, the longest first
//
// A Registry keeps the Data of all dictionaries of a process: it loads them when they are first asked for, one load at a
// time each, reloads them by their lifetimes, and accounts for their memory.
package dictionary
