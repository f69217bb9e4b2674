package demo

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// Sizes of the made-up world.
const (
	users    = 1 << 20 // visitors; few of them come often
	products = 5000
	articles = 800
	visits   = 4096 // under way at once
)

// weighted is a value and how often it comes, relative to its neighbours.
type weighted struct {
	value  string
	weight int
}

var (
	countries = []weighted{
		{"US", 310}, {"IN", 140}, {"DE", 95}, {"GB", 80}, {"BR", 70}, {"FR", 60}, {"JP", 50}, {"CA", 40}, {"NL", 30}, {"ES", 28}, {"IT", 26},
		{"PL", 20}, {"AU", 18}, {"MX", 15}, {"SE", 12}, {"KR", 11}, {"TR", 10}, {"ID", 9}, {"CH", 8}, {"AT", 6}, {"DK", 4}, {"NO", 4}, {"NZ", 2}, {"IS", 1},
	}
	devices  = []weighted{{"mobile", 58}, {"desktop", 36}, {"tablet", 5}, {"tv", 1}}
	browsers = map[string][]weighted{
		"mobile":  {{"Chrome", 60}, {"Safari", 30}, {"Samsung Internet", 7}, {"Firefox", 3}},
		"desktop": {{"Chrome", 65}, {"Edge", 13}, {"Safari", 11}, {"Firefox", 9}, {"Opera", 2}},
		"tablet":  {{"Safari", 60}, {"Chrome", 40}},
		"tv":      {{"Chrome", 70}, {"Opera", 30}},
	}
	referers = []weighted{
		{"", 40}, {"https://www.google.com/", 34}, {"https://www.bing.com/", 5}, {"https://news.ycombinator.com/", 4}, {"https://www.reddit.com/", 6},
		{"https://duckduckgo.com/", 4}, {"https://t.co/", 4}, {"https://www.facebook.com/", 3},
	}
	searches = []string{"shoes", "red shoes", "running shoes", "jacket", "rain jacket", "tent", "backpack", "lamp", "water bottle", "wool socks"}
)

// pick draws by weight.
func pick(r *rand.Rand, from []weighted) string {
	total := 0
	for _, w := range from {
		total += w.weight
	}
	n := r.IntN(total)
	for _, w := range from {
		if n -= w.weight; n < 0 {
			return w.value
		}
	}
	return from[0].value
}

// visit is one user's way through the shop.
type visit struct {
	user                              uint64
	session                           [2]uint64
	country, device, browser, referer string
	url                               string // of the last page
	left                              int    // events until the visit ends
	cart                              int    // cents
	slow                              float64
}

// generator makes events of a web shop. The same seed and start give the same events, but for their times. It belongs to one goroutine.
type generator struct {
	r       *rand.Rand
	user    *rand.Zipf
	product *rand.Zipf
	article *rand.Zipf
	visits  [visits]visit
}

// newGenerator returns a generator that goes on behind the first start events.
func newGenerator(seed, start uint64) *generator {
	r := rand.New(rand.NewPCG(seed, start))
	return &generator{
		r:       r,
		user:    rand.NewZipf(r, 1.1, 50, users-1),
		product: rand.NewZipf(r, 1.2, 10, products-1),
		article: rand.NewZipf(r, 1.3, 5, articles-1),
	}
}

// begin opens a visit. What a user is does not change from visit to visit.
func (g *generator) begin(v *visit) {
	user := g.user.Uint64()
	is := rand.New(rand.NewPCG(user, 0))
	device := pick(is, devices)
	*v = visit{
		user: user + 1, session: [2]uint64{g.r.Uint64(), g.r.Uint64()},
		country: pick(is, countries), device: device, browser: pick(is, browsers[device]),
		referer: pick(g.r, referers), left: 1 + int(g.r.ExpFloat64()*9),
		slow: 0.6 + 0.8*is.Float64(),
	}
	if device == "mobile" {
		v.slow *= 1.5
	}
}

// next appends one event as a JSON object to dst and returns it with the user it belongs to, the topic's key.
func (g *generator) next(dst []byte, now time.Time) (event []byte, user uint64) {
	v := &g.visits[g.r.IntN(visits)]
	if v.left == 0 {
		g.begin(v)
	}
	v.left--
	referer := v.url
	if referer == "" {
		referer = v.referer
	}
	kind, cents := g.step(v)
	status := 200
	switch n := g.r.IntN(1000); {
	case n < 3:
		status = 500
	case n < 15:
		status = 404
	case n < 40:
		status = 304
	}
	if status == 500 || status == 404 {
		cents = 0
	}
	dst = append(dst, `{"time":"`...)
	dst = now.UTC().AppendFormat(dst, "2006-01-02 15:04:05.000")
	dst = append(dst, `","event":"`...)
	dst = append(dst, kind...)
	dst = append(dst, `","user_id":`...)
	dst = strconv.AppendUint(dst, v.user, 10)
	dst = append(dst, `,"session_id":"`...)
	dst = appendUUID(dst, v.session)
	for _, f := range [...][2]string{{"url", v.url}, {"referer", referer}, {"country", v.country}, {"device", v.device}, {"browser", v.browser}} {
		dst = append(dst, `","`...)
		dst = append(dst, f[0]...)
		dst = append(dst, `":"`...)
		dst = append(dst, f[1]...)
	}
	dst = append(dst, `","status":`...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, `,"latency_ms":`...)
	dst = strconv.AppendInt(dst, int64(g.latency(v, kind, status)), 10)
	dst = append(dst, `,"revenue":`...)
	dst = appendCents(dst, cents)
	return append(dst, '}'), v.user
}

// step moves a visit on: what happened, where, and what it brought in, in cents.
func (g *generator) step(v *visit) (kind string, cents int) {
	const shop = "https://shop.example"
	switch n := g.r.IntN(100); {
	case v.url == "" && n < 45:
		v.url = shop + "/"
	case v.cart > 0 && n < 12:
		v.url, cents, v.cart = shop+"/checkout/done", v.cart, 0
		return "purchase", cents
	case n < 20:
		v.cart += 499 + 100*g.r.IntN(120)
		v.url = shop + "/cart"
		return "add_to_cart", 0
	case n < 32:
		v.url = shop + "/search?q=" + queryEscape(searches[g.r.IntN(len(searches))])
		return "search", 0
	case n < 50:
		v.url = shop + "/blog/" + strconv.FormatUint(g.article.Uint64()+1, 10)
	default:
		v.url = shop + "/product/" + strconv.FormatUint(g.product.Uint64()+1, 10)
	}
	return "page_view", 0
}

// latency is what the server took: mostly quick, with a long tail.
func (g *generator) latency(v *visit, kind string, status int) int {
	ms := 20 + g.r.ExpFloat64()*45*v.slow
	switch {
	case status == 500:
		ms += 800 + g.r.ExpFloat64()*700
	case kind == "search":
		ms *= 2.2
	case kind == "purchase":
		ms *= 3
	}
	if g.r.IntN(200) == 0 {
		ms *= 8
	}
	return int(ms)
}

// queryEscape is url.QueryEscape for words and spaces.
func queryEscape(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] == ' ' {
			b[i] = '+'
		}
	}
	return string(b)
}

// appendUUID appends 128 random bits as a version 4 UUID.
func appendUUID(dst []byte, u [2]uint64) []byte {
	const hex = "0123456789abcdef"
	u[0] = u[0]&^0xf000 | 0x4000
	u[1] = u[1]&^(3<<62) | 2<<62
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			dst = append(dst, '-')
		}
		dst = append(dst, hex[u[i/16]>>(60-4*(i%16))&15])
	}
	return dst
}

// appendCents appends an amount with two digits behind the point.
func appendCents(dst []byte, cents int) []byte {
	dst = strconv.AppendInt(dst, int64(cents/100), 10)
	return append(dst, '.', byte('0'+cents/10%10), byte('0'+cents%10))
}
