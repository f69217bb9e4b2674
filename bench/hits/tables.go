package hits

import (
	"sync"

	"github.com/olapd/olapd/bench/random"
)

// site is what one counter measures.
type site struct {
	counter int64
	domain  string
	prefix  string // start of its pages' URLs
	name    string // end of its pages' titles
	class   int64
}

const (
	siteCount    = 6000
	headPages    = 4096 // pages of a site with a Zipf share; the others are the long tail
	headUsers    = 65536
	headPhrases  = 65536
	regionCount  = 5000
	secondsOfDay = 86400
)

// tables are the distributions all generators share.
type tables struct {
	sites               []site
	siteRank            *choice
	pageRank            *choice
	userRank            *choice
	phraseRank          *choice
	regionRank          *choice
	latin, cyrillic     *vocabulary
	hours               [24]uint64 // cumulative weight before each hour
	dayWeight           uint64
	screens             few
	agents, systems     few
	traffic, engines    few
	adverts, categories few
	charsets            few
}

var sharedTables = sync.OnceValue(buildTables)

// topSites are the counters with a share of their own, in units of 0.01 % of the rows.
// Two exceed a tenth, so that HAVING COUNT(*) > 100000 selects something in a million rows.
var topSites = []struct{ counter, share uint64 }{
	{3922, 1350}, {199550, 1080}, {105857, 700}, {queryCounter, 600}, {46429, 420}, {225510, 300},
	{122612, 260}, {244045, 220}, {233773, 180}, {178321, 150}, {245438, 140}, {230962, 120},
}

// hourWeights is the rhythm of a day.
var hourWeights = [24]uint64{14, 9, 6, 4, 4, 5, 9, 17, 29, 40, 46, 48, 48, 48, 49, 48, 47, 45, 43, 43, 45, 46, 39, 25}

func buildTables() *tables {
	t := &tables{
		pageRank:   newChoice(zipf(headPages, 8)),
		userRank:   newChoice(zipf(headUsers, 50)),
		phraseRank: newChoice(zipf(headPhrases, 12)),
		regionRank: newChoice(zipf(regionCount, 3)),
		latin:      newVocabulary(latinWords, latinSyllables, 1),
		cyrillic:   newVocabulary(cyrillicWords, cyrillicSyllables, 2),
		screens:    newFew(1366<<16|768, 26, 1920<<16|1080, 15, 1280<<16|1024, 14, 1280<<16|800, 9, 1024<<16|768, 8, 1440<<16|900, 7, 1600<<16|900, 7, 1680<<16|1050, 6, 1280<<16|720, 2, 1152<<16|864, 2, 768<<16|1024, 1, 320<<16|480, 1, 0, 2),
		agents:     newFew(2, 30, 3, 9, 4, 12, 5, 3, 7, 25, 41, 9, 42, 2, 50, 3, 57, 1, 82, 1),
		systems:    newFew(2, 3, 3, 18, 44, 55, 84, 4, 105, 9, 123, 3, 170, 2, 209, 1),
		traffic:    newFew(-1, 38, 0, 9, 1, 14, 3, 5, 4, 1, 5, 2, 6, 26, 7, 3, 8, 1),
		engines:    newFew(2, 58, 3, 26, 4, 6, 13, 3, 36, 2, 40, 1, 69, 1),
		adverts:    newFew(2, 60, 27, 20, 13, 8, 45, 4, 44, 3, 3, 2, 62, 1, 52, 1, 50, 1),
		categories: newFew(0, 50, 8, 4, 9, 7, 1, 3, 9500, 6, 9911, 5, 10813, 4, 11132, 3, 15014, 2, 16000, 6, 9282, 5),
		charsets:   newFew(0, 55, 1, 38, 2, 7),
	}
	t.buildSites()
	for h, w := range hourWeights {
		t.hours[h] = t.dayWeight
		t.dayWeight += w
	}
	return t
}

func (t *tables) buildSites() {
	zones := []string{"ru", "ru", "ru", "com", "ua", "net", "com.tr", "su"}
	weights := zipf(siteCount, 30)
	var tail uint64
	for _, w := range weights[len(topSites):] {
		tail += w
	}
	var named uint64
	for _, s := range topSites {
		named += s.share
	}
	for i, s := range topSites {
		weights[i] = tail / (10000 - named) * s.share
	}
	r := random.New(3)
	for i := range weights {
		s := site{counter: int64(100 + i*37 + int(r.Below(37))), class: int64(r.Below(3)) - 1}
		if i < len(topSites) {
			s.counter = int64(topSites[i].counter)
		}
		key := r.Next()
		s.name = string(t.cyrillic.appendPhrase(nil, key, 2, ' '))
		s.domain = string(t.latin.appendPhrase(nil, key, 1+int(r.Below(2)), '-')) + "." + zones[r.Below(uint32(len(zones)))]
		if r.Below(3) == 0 {
			s.domain = "www." + s.domain
		}
		s.prefix = "http://" + s.domain + "/"
		if r.Below(2) == 0 {
			s.prefix += string(t.latin.appendPhrase(nil, key+7, 1, '-')) + "/"
		}
		t.sites = append(t.sites, s)
	}
	t.siteRank = newChoice(weights)
}
