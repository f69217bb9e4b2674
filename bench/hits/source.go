package hits

import "github.com/olapd/olapd/bench/random"

// fillSource sets where the visitor came from: search phrase, referer and traffic source.
func (g *Generator) fillSource() {
	in, str := &g.row.Ints, &g.row.Strings
	u := g.random.Next()
	in[SearchEngineID], in[AdvEngineID] = 0, 0
	in[RefererCategoryID], in[RefererRegionID] = 0, 0
	phrase := g.buffers[phraseBuffer][:0]
	referer := g.buffers[refererBuffer][:0]
	hot := false
	switch {
	case u&1023 < 132:
		phrase, referer = g.appendSearch(phrase, referer, u>>10)
	case g.site.counter == queryCounter && u&1023 < 350:
		referer = append(g.appendURL(referer, &g.site, queryCounter), "?from=main"...)
		hot = true
		in[TraficSourceID] = g.traffic.pick(random.Mix(u))
	case u&1023 < 330: // came without a referer
		in[TraficSourceID] = 0
	case u&1023 < 740: // from another page of the site
		in[TraficSourceID] = -1
		referer = g.appendURL(referer, &g.site, random.Mix(uint64(g.site.counter)<<24+uint64(g.pageRank.pick(random.Mix(u)))+1))
	default:
		in[TraficSourceID] = g.traffic.pick(random.Mix(u))
		from := &g.sites[g.siteRank.pick(random.Mix(u+1))]
		referer = g.appendURL(referer, from, random.Mix(u>>40))
		in[RefererCategoryID] = g.categories.pick(random.Mix(u + 2))
		in[RefererRegionID] = int64(u >> 30 & 255)
	}
	if flag(u>>12, 7) == 1 {
		in[AdvEngineID], in[TraficSourceID] = g.adverts.pick(random.Mix(u+3)), 3
	}
	g.buffers[phraseBuffer], str[SearchPhrase] = phrase, phrase
	g.buffers[refererBuffer], str[Referer] = referer, referer
	in[RefererHash] = hashString(referer)
	if hot {
		in[RefererHash] = queryRefererHash
	}
}

// appendSearch makes the row a visit from a search engine: half of the phrases are from the
// Zipf head, the others from eight million rare ones.
func (g *Generator) appendSearch(phrase, referer []byte, u uint64) (_, _ []byte) {
	in := &g.row.Ints
	var key uint64
	if u&1 == 0 {
		key = uint64(g.phraseRank.pick(random.Mix(u)))
	} else {
		key = headPhrases + u>>1&(1<<23-1)
	}
	key = random.Mix(key + 11)
	words := 1 + int(key>>60)*5/16
	phrase = g.cyrillic.appendPhrase(phrase, key, words, ' ')
	if key%40 == 0 {
		phrase = append(phrase, " google"...)
	}
	in[SearchEngineID], in[TraficSourceID] = g.engines.pick(random.Mix(u+5)), 2
	if in[SearchEngineID] == 3 {
		referer = append(referer, "http://www.google.ru/search?q="...)
	} else {
		referer = append(referer, "http://yandex.ru/yandsearch?text="...)
	}
	referer = g.latin.appendPhrase(referer, key, words, '+')
	referer = append(referer, "&lr="...)
	return phrase, appendUint(referer, key>>50)
}

var (
	networks   = []string{"vkontakte", "facebook", "twitter", "odnoklassniki"}
	currencies = []string{"RUB", "USD", "UAH", "EUR"}
	utmMedia   = []string{"cpc", "banner", "email", "social"}
)

// fillRare sets the columns that are empty in almost every row.
func (g *Generator) fillRare() {
	in, str := &g.row.Ints, &g.row.Strings
	for _, c := range rareStrings {
		str[c] = str[c][:0]
	}
	for _, c := range rareInts {
		in[c] = 0
	}
	u := g.random.Next()
	if u&1023 < 300 {
		str[OriginalURL] = append(str[OriginalURL], str[URL]...)
	}
	if u>>10&1023 < 90 {
		str[Params] = appendUint(append(str[Params], `{"auth":false,"item":`...), u>>50)
		str[Params] = append(str[Params], '}')
	}
	if u>>20&1023 < 30 {
		str[UTMSource] = g.latin.appendPhrase(str[UTMSource], u>>57, 1, ' ')
		str[UTMMedium] = append(str[UTMMedium], utmMedia[u>>40&3]...)
		str[UTMCampaign] = g.latin.appendPhrase(str[UTMCampaign], u>>55, 2, '_')
		str[UTMContent] = appendUint(str[UTMContent], u>>52)
		str[UTMTerm] = g.cyrillic.appendPhrase(str[UTMTerm], u>>53, 2, ' ')
		in[HasGCLID] = int64(u >> 42 & 1)
	}
	switch u >> 30 & 1023 {
	case 0, 1, 2:
		str[SocialNetwork] = append(str[SocialNetwork], networks[u>>40&3]...)
		str[SocialAction] = append(str[SocialAction], "like"...)
	case 3, 4:
		str[SocialSourcePage] = append(str[SocialSourcePage], str[Referer]...)
		in[SocialSourceNetworkID] = int64(u>>40&3) + 1
	case 5, 6, 7:
		in[ParamPrice], in[ParamCurrencyID] = int64(u>>44)*100, int64(u>>40&3)+1
		str[ParamOrderID] = appendUint(str[ParamOrderID], u>>38)
		str[ParamCurrency] = append(str[ParamCurrency], currencies[u>>40&3]...)
	case 8, 9, 10, 11:
		str[OpenstatServiceName] = append(str[OpenstatServiceName], "direct.yandex.ru"...)
		str[OpenstatCampaignID] = appendUint(str[OpenstatCampaignID], u>>44)
		str[OpenstatAdID] = appendUint(str[OpenstatAdID], u>>42)
		str[OpenstatSourceID] = append(str[OpenstatSourceID], "yandex.ru:premium"...)
	case 12:
		str[FromTag] = g.latin.appendPhrase(str[FromTag], u>>58, 1, ' ')
	case 13, 14:
		in[HTTPError] = 404
	}
}

var (
	rareStrings = [...]int{Params, OriginalURL, SocialNetwork, SocialAction, SocialSourcePage, ParamOrderID, ParamCurrency,
		OpenstatServiceName, OpenstatCampaignID, OpenstatAdID, OpenstatSourceID, UTMSource, UTMMedium, UTMCampaign, UTMContent, UTMTerm, FromTag}
	rareInts = [...]int{HTTPError, SocialSourceNetworkID, ParamPrice, ParamCurrencyID, HasGCLID}
)
