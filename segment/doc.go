// Package segment is the immutable sorted unit of storage: one file that holds the columns
// of a run of rows, with the indexes that let a reader skip most of them.
//
// A Writer takes blocks of sorted rows and ends with a durable file; a Reader opens it,
// tells which granules a Condition can match (Prune), and decodes ranges of columns. Nothing in
// a file ever changes. Package page describes how vectors become bytes.
//
// # File, version 3
//
// Little-endian throughout. A chunk is a body and, behind it, 8 bytes: the 64-bit xxh3 of the
// body, seeded with the offset of the body in the file, so that a chunk in the wrong place is
// noticed too. Every byte of the file is in a chunk, the magic or the trailer; each is checked
// before any use.
//
//	+---------------------------------------------------------------------+
//	| magic       "olapseg" and u8 version = 2 or 3                       |
//	+---------------------------------------------------------------------+
//	| chunks      pages; dictionaries; column indexes; primary index;     |
//	|             skip indexes; bitmap indexes; last of all the footer    |
//	+---------------------------------------------------------------------+
//	| trailer     u64 offset of the footer, u32 its length, u32 zero,     |
//	| 56 bytes    xxh3-128 of all bytes before the trailer (low, high),   |
//	|             u64 xxh3 of the 32 bytes before, then 16 bytes:         |
//	|             "olapsegtrailer", u16 version = 2 or 3                  |
//	+---------------------------------------------------------------------+
//
// # Footer
//
// One JSON object (type footer): Meta without hash, the columns with their types and chunk
// references, the computed expressions, the sort key, the skip indexes, and the rows at
// which pages end. A reference is [offset, length] of a chunk's body. Unknown fields are ignored, so
// that a later minor addition stays readable; anything that changes meaning raises the version. Version 1 differs in that integers are never patched,
// version 2 in that there are no pages of paths; a Writer writes version 3 only where there are.
//
// # Rows, pages, granules
//
// Page p of every column holds the same rows. A page ends after PageRows rows (cut down to a multiple of the
// granule), or earlier when the buffered rows exceed a memory limit. Granule g is the rows
// [g*granularity, (g+1)*granularity): what indexes speak of. A page body is
//
//	+----------+--------------------------------------------------------------+
//	| u8 kind  | 0 vector  the page.Vector of the rows                        |
//	|          | 1 codes   stream[n] of dictionary codes (u32)                |
//	|          | 2 nulls   stream[n] of null flags, stream[n] of codes        |
//	|          | and codes                                                    |
//	|          | 3 paths   a directory, see below                             |
//	+----------+--------------------------------------------------------------+
//
// # Paths
//
// A column of JSON has pages of kind 3. The objects of a page are cut into what they have at each path: the paths of declared types and up to
// max_dynamic_paths of the others, those that most rows of the page have, get a chunk of their own, a body; one more chunk is the page.Vector of the
// objects that all other paths make. They lie end to end before the page, which is their directory:
//
//	u32 paths, P; stream[P] of lengths of their names (u32); u32 length, the names end to end, ascending
//	u64 offset of the first body; u32 bodies, P or, with one of other paths, P+1; stream[bodies] of their lengths (u32)
//	per path: u32 length, statistics
//	u32 other paths, O; stream[O] of the low 32 bits of the xxh3 of their names, ascending
//
// Statistics are u32 types, per type: u32 length, name; u32 values; u8 flags as in a column index; if there are bounds: u32 length, vector of the least
// value; u32 length, vector of the greatest, shortened as there. The body of a path is
//
//	u32 rows that have it, R; if not all n have: stream[R] of these rows (u32), ascending; page.Vector of R values of Dynamic
//
// # Dictionary
//
// A String or FixedString column (Nullable or not) has one dictionary for the whole segment, its values in the order
// of their first occurrence. Where the distinct values exceed three quarters of the rows so far, the
// dictionary is closed and this and later pages are plain vectors; a column whose first page is so has none.
//
//	header chunk  u32 entries, stream[entries] of lengths (u32), u64 bytes in total,
//	              u64 offset of the first block, stream[blocks] of block lengths (u32)
//	hash chunk    u64 xxh3 per entry
//	block chunks  64 KiB each of the entries' bytes end to end, as LZ4 or, if the length is the raw one, as they are
//
// # Column index
//
// One chunk a column or expression, G granules, P pages:
//
//	stream[P] of page offsets (u64), stream[P] of page lengths (u32)      (P is 0 for expressions)
//	u8: 1 if bounds follow
//	stream[G] of NULLs per granule (u32), stream[G] of flags (u8): 1 has bounds, 2 has NaN
//	u32 length, vector of the least value of each granule; u32 length, vector of the greatest
//
// Bounds leave out NULL and NaN. Bounds of strings over 128 bytes are shortened: the lower is cut, the upper cut and
// counted up, so that they still enclose.
//
// # Primary index
//
// One chunk: u32 G+1, then per key column u32 length, vector: the key of the first row of
// each granule and of the last row.
//
// # Skip indexes
//
// One chunk each, B blocks of so many granules. bloom_filter, tokenbf_v1, ngrambf_v1: u32 B, stream[B] of
// filter lengths in bytes (u32), the filters. A filter is 32-byte blocks of eight u32; a hash h sets in block
// ((h>>32)*blocks)>>32 the bit (u32(h)*salt[i])>>27 of each word i. set: u32 B, stream[B] of flags (u8: 1 too
// many values, 2 has NULL), stream[B] of counts (u32), u32 in total, u32 length, vector of the values.
//
// # Bitmap index
//
// One chunk a dictionary-coded column of at most maxBitmapValues values: u32 entries, stream[entries+1] of
// lengths (u32), as many Roaring bitmaps in their portable format: the rows of each value, last those of NULL.
package segment
