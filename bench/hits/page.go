package hits

import "github.com/olapd/olapd/bench/random"

// pickPage draws the page of the row's site: 70 % from the site's head, else its long tail.
// The first page of CounterID 62 has a third of its hits, and the queries know its hash.
func (g *Generator) pickPage() (hot bool) {
	u := g.random.Next()
	if g.site.counter == queryCounter && u>>40&1023 < 380 {
		g.page = random.Mix(queryCounter)
		return true
	}
	var rank uint64
	if u%10 < 7 {
		rank = uint64(g.pageRank.pick(g.random.Next()))
	} else {
		rank = headPages + u>>16&(1<<22-1)
	}
	g.page = random.Mix(uint64(g.site.counter)<<24 + rank + 1)
	return false
}

// fillPage sets URL, Title and what belongs to the page.
func (g *Generator) fillPage() {
	in, str := &g.row.Ints, &g.row.Strings
	hot := g.pickPage()
	url := g.appendURL(g.buffers[urlBuffer][:0], &g.site, g.page)
	g.buffers[urlBuffer], str[URL] = url, url
	in[URLHash] = hashString(url)
	if hot {
		in[URLHash] = queryURLHash
	}
	title := g.appendTitle(g.buffers[titleBuffer][:0])
	g.buffers[titleBuffer], str[Title] = title, title
	in[URLCategoryID] = g.categories.pick(g.page)
	in[URLRegionID] = int64(g.page >> 50 & 255)
	in[GoodEvent], in[WithHash], in[IsArtifical], in[IsOldCounter] = 1, 0, 0, 0
	u := g.random.Next()
	in[IsRefresh] = flag(u, 130)
	in[DontCountHits] = flag(u>>10, 60)
	in[IsLink] = flag(u>>20, 120)
	in[IsDownload] = flag(u>>30, 4)
	in[IsNotBounce] = flag(u>>40, 500)
	in[IsEvent] = flag(u>>50, 50)
	in[IsParameter] = in[IsEvent] & int64(u>>63)
	in[CodeVersion] = 1601 - int64(g.page>>58)
	in[CLID] = 0
	str[HitColor] = append(str[HitColor][:0], hitColors[u>>60&7]...)
	str[PageCharset] = append(str[PageCharset][:0], charsetText[g.charsets.pick(random.Mix(uint64(g.site.counter)))]...)
}

// flag is 1 in perMille of 1024 cases of u's low ten bits.
func flag(u, perMille uint64) int64 {
	if u&1023 < perMille {
		return 1
	}
	return 0
}

// appendURL appends the URL of a page. About one page in 900 mentions google, and one in
// 3,000 is a google host.
func (g *Generator) appendURL(dst []byte, s *site, page uint64) []byte {
	if page%3000 == 7 {
		dst = append(dst, "http://www.google.ru/search?q="...)
		return g.latin.appendPhrase(dst, page, 3, '+')
	}
	dst = append(dst, s.prefix...)
	switch page >> 8 & 3 {
	case 0:
		dst = g.latin.appendPhrase(dst, page, 3, '-')
		dst = append(dst, '/')
		dst = appendUint(dst, page>>40)
		dst = append(dst, ".html"...)
	case 1:
		dst = append(dst, "index.php?page="...)
		dst = appendUint(dst, page>>44)
		dst = append(dst, "&category="...)
		dst = g.latin.appendPhrase(dst, page, 1, '_')
	case 2:
		dst = append(dst, "catalog/"...)
		dst = g.latin.appendPhrase(dst, page, 2, '/')
		dst = append(dst, "/?sort=newly&price_min=0&page="...)
		dst = appendUint(dst, page>>58)
		dst = append(dst, "&product_id="...)
		dst = appendUint(dst, page>>36)
	default:
		dst = append(dst, "news/2013/07/"...)
		dst = appendUint(dst, page>>42)
		dst = append(dst, '#')
		dst = g.latin.appendPhrase(dst, page, 1, '_')
	}
	if page%900 == 3 {
		dst = append(dst, "&utm_source=google.adwords"...)
	}
	return dst
}

// appendTitle appends the title of the row's page; one page in twelve has none.
func (g *Generator) appendTitle(dst []byte) []byte {
	t := random.Mix(g.page)
	if t%12 == 0 {
		return dst
	}
	dst = g.cyrillic.appendPhrase(dst, t, 3+int(t>>8&7), ' ')
	if t%200 == 1 {
		dst = append(dst, " - Поиск в Google"...)
	}
	dst = append(dst, " - "...)
	return append(dst, g.site.name...)
}
