// Package hits generates the table of the ClickBench benchmark: the page views of a web
// analytics service, 105 columns, deterministic from a seed.
//
// The real data set is 100 million rows that cannot be shipped with a test. The generated
// one keeps what decides the speed of a database over it:
//
//   - a few counters (sites) hold a large share of the rows, thousands hold the rest;
//   - two fifths of the hits come from heavy users, the others from users seen a few times;
//     region, browser, screen, phone and address depend on the user;
//   - URLs share long prefixes within a site, and 30 % of them come from a long tail;
//     Title depends on the URL, URLHash and RefererHash on the strings;
//   - seven eighths of SearchPhrase are empty; the others have a Zipf head and a long tail;
//   - most of MobilePhoneModel, AdvEngineID, Params and the UTM columns are empty or 0;
//   - rows arrive in the order of EventTime, give or take a minute, over July 2013 and with
//     the rhythm of a day.
//
// The constants in the 43 queries (CounterID 62, one UserID, one URLHash, one RefererHash)
// exist, with shares such that every query has a result from a million rows on; with fewer
// rows those that skip many groups or demand large ones are empty.
//
// No string holds a tab, a line break or a backslash, so that one TSV file can be read by
// engines that disagree about escapes.
package hits

import "github.com/olapd/olapd/bench/random"

// Row is one hit. Numbers, dates and times are in Ints, at their column's position; strings
// in Strings. Both are overwritten by the next call of Next.
type Row struct {
	Ints    [NumColumns]int64
	Strings [NumColumns][]byte
}

// The constants that the queries look for.
const (
	queryCounter     = 62
	queryUser        = 435090932899640449
	queryURLHash     = 2868770270353813622
	queryRefererHash = 3594120000172545465
	queryUserRank    = 5000 // its place among the heavy users: about 10 hits in a million
)

// Generator produces the rows of one table. It is not safe for concurrent use.
type Generator struct {
	seed    uint64
	rows    int64
	next    int64
	random  random.Stream
	row     Row
	site    site
	page    uint64 // key of the page: all that depends on the URL is derived from it
	user    uint64 // key of the user
	buffers [numBuffers][]byte
	*tables
}

// The strings of a row that are built, not picked.
const (
	urlBuffer = iota
	titleBuffer
	refererBuffer
	phraseBuffer
	numBuffers
)

// New returns a generator of rows hits. Rows depend on seed and on rows: the month is
// spread over the whole table.
func New(seed uint64, rows int64) *Generator {
	return &Generator{seed: seed, rows: rows, random: random.New(random.Mix(seed + random.Golden)), tables: sharedTables()}
}

// Next returns the next row, or nil after the last. The row is valid until the next call.
func (g *Generator) Next() *Row {
	if g.next >= g.rows {
		return nil
	}
	g.row.Ints[WatchID] = int64(1<<62 | mix62(uint64(g.next)+g.seed<<40))
	g.pickSite()
	g.pickUser()
	g.fillTime()
	g.fillUser()
	g.fillPage()
	g.fillSource()
	g.fillTimings()
	g.fillRare()
	g.next++
	return &g.row
}
