package hits

import "github.com/olapd/olapd/bench/random"

// What a row's columns are derived from, one function a group of columns. A key is 64
// mixed bits; disjoint bit fields of it serve as independent draws.

func (g *Generator) pickSite() {
	g.site = g.sites[g.siteRank.pick(g.random.Next())]
	g.row.Ints[CounterID] = g.site.counter
	g.row.Ints[CounterClass] = g.site.class
}

// pickUser draws two fifths of the hits from the heavy users and the others from a pool of
// a sixth of the rows.
func (g *Generator) pickUser() {
	u := g.random.Next()
	var rank uint64
	if u%5 < 2 {
		rank = uint64(g.userRank.pick(g.random.Next()))
	} else {
		rank = headUsers + (u>>8)%uint64(g.rows/6+1)
	}
	g.user = random.Mix(rank + 0x5eed)
	id := int64(mix62(rank + 77))
	if rank == queryUserRank {
		id = queryUser
	}
	g.row.Ints[UserID] = id
}

// firstDay is 2013-07-02, the first day of the real data; they cover 30 days.
const (
	firstDay = 15888
	days     = 30
)

func (g *Generator) fillTime() {
	in := &g.row.Ints
	at := uint64(g.next) * days * g.dayWeight * 3600 / uint64(g.rows) // in (weight, second) units
	day := at / (g.dayWeight * 3600)
	at %= g.dayWeight * 3600
	h := 23
	for g.hours[h]*3600 > at {
		h--
	}
	second := uint64(h)*3600 + (at-g.hours[h]*3600)/hourWeights[h] + uint64(g.random.Below(60))
	if second >= secondsOfDay {
		second = secondsOfDay - 1
	}
	in[EventDate] = int64(firstDay + day)
	in[EventTime] = in[EventDate]*secondsOfDay + int64(second)
	zone := int64(g.user>>20&3) + 3
	in[ClientTimeZone] = zone * 60
	in[ClientEventTime] = in[EventTime] + int64(g.user>>9&2047) - 1024
	in[LocalEventTime] = in[EventTime] + (zone-4)*3600
}

var (
	phoneModels = []string{"iPad", "iPhone", "N8-00", "GT-I9100", "A500", "HTC Desire", "LT18i", "E52-1", "GT-P5100", "Lumia 800", "5230", "ARCHOS 80", "GT-S5830", "C6-01", "X10i", "MediaPad"}
	phoneRank   = newChoice(zipf(len(phoneModels), 1))
	languages   = []string{"ru", "ru", "ru", "en", "uk", "ru", "tr", "de"}
	countries   = []string{"RU", "RU", "RU", "US", "UA", "KZ", "TR", "DE"}
	charsetText = []string{"windows-1251;charset", "utf-8", ""}
	hitColors   = []string{"5", "F", "E", "R", "S", "G", "T", "D"}
	minors      = []string{"0", "1", "2", "3", "5", "6", "8", "11"}
)

// fillUser sets what depends on the user alone, or nearly.
func (g *Generator) fillUser() {
	in, str, key := &g.row.Ints, &g.row.Strings, random.Mix(g.user)
	in[RegionID] = int64(1 + random.Mix(uint64(g.regionRank.pick(g.user)))%90000)
	in[ClientIP] = int64(int32(key>>3&0x3fffffff) - 1<<28)
	in[RemoteIP] = in[ClientIP]
	in[IPNetworkID] = int64(key >> 40 & 0x3fffff)
	in[OS] = g.systems.pick(key)
	in[UserAgent] = g.agents.pick(random.Mix(key))
	in[UserAgentMajor] = int64(key>>4&15) + 8
	in[FUniqID] = int64(key >> 1)
	in[JavaEnable] = int64(key>>5&7) >> 2 & 1
	in[CookieEnable], in[JavascriptEnable] = 1, 1
	in[FlashMajor], in[FlashMinor] = 11-int64(key>>7&3)/3, int64(key>>9&7)
	in[NetMajor], in[NetMinor] = int64(key>>12&3), 0
	in[SilverlightVersion1] = int64(key>>14&3) + 2
	in[SilverlightVersion3] = in[SilverlightVersion1] * 10000
	in[Age], in[Sex], in[Income] = int64(key>>16&63), int64(key>>22%3), int64(key>>24&3)
	in[Interests], in[Robotness] = int64(key>>26&0x3fff), int64(key>>61)/7*int64(key>>50&63)
	screen := g.screens.pick(key * random.Golden)
	in[ResolutionWidth], in[ResolutionHeight], in[ResolutionDepth] = screen>>16, screen&0xffff, 32-int64(key>>30&7)/7*8
	width := screen >> 16
	if width == 0 {
		width = 1000
	}
	w := g.random.Next()
	in[WindowClientWidth] = width - int64(w>>8&511)
	in[WindowClientHeight] = int64(w>>20&511) + 300 + int64(w>>32&127)
	str[UserAgentMinor] = append(str[UserAgentMinor][:0], minors[key>>33&7]...)
	str[FlashMinor2] = append(str[FlashMinor2][:0], "700.224"[:3+4*(key>>36&1)]...)
	str[BrowserLanguage] = append(str[BrowserLanguage][:0], languages[key>>41&7]...)
	str[BrowserCountry] = append(str[BrowserCountry][:0], countries[key>>41&7]...)
	g.fillPhone(key)
}

// fillPhone gives one user in eighteen a phone.
func (g *Generator) fillPhone(key uint64) {
	in, str := &g.row.Ints, &g.row.Strings
	in[MobilePhone], in[IsMobile] = 0, 0
	str[MobilePhoneModel] = str[MobilePhoneModel][:0]
	if (key>>44)%18 != 0 {
		return
	}
	m := phoneRank.pick(random.Mix(key + 1))
	in[IsMobile], in[MobilePhone] = 1, int64(m%7)+1
	str[MobilePhoneModel] = append(str[MobilePhoneModel], phoneModels[m]...)
}

// fillTimings sets counters of milliseconds: mostly unknown (0), else short.
func (g *Generator) fillTimings() {
	in, u := &g.row.Ints, g.random.Next()
	for _, c := range [...]int{SendTiming, DNSTiming, ConnectTiming, ResponseStartTiming, ResponseEndTiming, FetchTiming} {
		in[c] = 0
	}
	in[HID] = int64(int32(u >> 32))
	in[WindowName] = int64(u>>4&0xffff) - 1
	in[HistoryLength] = int64(u>>20&31) + 1
	if u&3 != 0 {
		in[OpenerName] = -1
		return
	}
	in[OpenerName] = int64(u >> 9 & 0xffff)
	v := g.random.Next()
	in[SendTiming] = int64(v & 255)
	in[DNSTiming] = int64(v >> 8 & 63)
	in[ConnectTiming] = int64(v >> 14 & 127)
	in[ResponseStartTiming] = int64(v >> 21 & 1023)
	in[ResponseEndTiming] = in[ResponseStartTiming] + int64(v>>31&511)
	in[FetchTiming] = in[ResponseEndTiming] + int64(v>>40&2047)
}
