package segment

const (
	// Version is the newest file version, OldestVersion the first that Reader reads: version 2 has patched integer streams (see package page), version 3
	// has JSON path by path. Writer writes version 2 where there is none.
	Version, OldestVersion = 3, 1
	wholeVersion           = 2
	// PageRows is the most rows of a page: the decode unit. 64 Ki rows amortise the per-page costs (a checksum, a dispatch)
	// to nothing and still fit the second-level cache at a few bytes a row.
	PageRows = 1 << 16
	// DefaultGranularity is ClickHouse's index_granularity.
	DefaultGranularity = 8192
	// maxPageBytes ends a page early when so many bytes of rows are buffered: the writer's memory with very wide rows.
	maxPageBytes = 64 << 20
	// maxDictBytes and maxDictEntries end a dictionary early: readers that need all values hold it in memory whole. Ten million rows
	// of page titles take half of either.
	maxDictBytes   = 1 << 30
	maxDictEntries = 1 << 25
	// dictBudgetShare is the part of a memory budget, as its denominator, that the dictionaries of one segment being written may take.
	dictBudgetShare = 4
	// maxBitmapValues is the most distinct values of a column with a bitmap index. Row sets of rarer values are found about as
	// fast by scanning codes; and building costs a counting sort of each page by code.
	maxBitmapValues = 1024
	// maxBoundBytes is where string bounds are shortened.
	maxBoundBytes = 128
	// maxIndexGranularity bounds the granules of a skip index's block; more than any segment has.
	maxIndexGranularity = 1 << 30
	// maxRows is the most rows of a segment: row positions have 32 bits, the last value being spare.
	maxRows = 1<<32 - 2
	// maxFooter bounds the footer's size: some 100,000 columns.
	maxFooter = 64 << 20
	// maxChunk bounds any chunk: above the longest page (rows of one buffer) and dictionary part.
	maxChunk = 1<<31 - 1
	// maxColumns bounds columns and expressions.
	maxColumns = 100_000
)
