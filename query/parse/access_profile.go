package parse

import (
	"strings"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/query/ast"
)

// profileClause takes SETTINGS, and of ALTER also ADD, DROP and MODIFY.
func (p *parser) profileClause(s *ast.AccessChange) bool {
	c := s.Settings
	if c == nil {
		c = &ast.ProfileClause{}
	}
	switch {
	case p.anyWords("SETTINGS", "SETTING") != "":
		c.Replace = true
		p.profileElements(c)
	case p.isWords("PROFILE") || p.isWords("PROFILES"):
		c.Replace = true
		p.profileElements(c)
	case s.Alter && p.anyWords("ADD SETTINGS", "ADD SETTING", "MODIFY SETTINGS", "MODIFY SETTING") != "":
		p.profileElements(c)
	case s.Alter && p.isWords("ADD PROFILE") || s.Alter && p.isWords("ADD PROFILES"):
		p.pos++
		p.profileElements(c)
	case s.Alter && p.words("DROP ALL SETTINGS"):
		c.DropAllSettings = true
	case s.Alter && p.words("DROP ALL PROFILES"):
		c.DropAllProfiles = true
	case s.Alter && p.anyWords("DROP SETTINGS", "DROP SETTING") != "":
		c.Drop = append(c.Drop, p.compound())
		for p.symbolAt(0, ",") && p.peek(1).kind == tokWord && !p.dropAhead(1) {
			p.pos++
			c.Drop = append(c.Drop, p.compound())
		}
	case s.Alter && p.anyWords("DROP PROFILES", "DROP PROFILE") != "":
		c.DropProfiles = append(c.DropProfiles, p.nonEmptyName())
	default:
		return false
	}
	for s.Alter && p.symbolAt(0, ",") && p.dropAhead(1) { // DROP SETTING a, ADD SETTING b = 1
		p.pos++
		s.Settings = c
		if !p.profileClause(s) {
			p.fail()
		}
	}
	s.Settings = c
	return true
}

func (p *parser) dropAhead(n int) bool {
	return p.wordAt(n, "DROP") || p.wordAt(n, "ADD") || p.wordAt(n, "MODIFY")
}

func (p *parser) profileElements(c *ast.ProfileClause) {
	if p.words("NONE") {
		return
	}
	for {
		c.Elements = append(c.Elements, p.profileElement())
		if !p.symbolAt(0, ",") || p.dropAhead(1) {
			return
		}
		p.pos++
	}
}

func (p *parser) profileElement() ast.ProfileElement {
	if p.anyWords("PROFILES", "PROFILE", "INHERIT") != "" {
		return ast.ProfileElement{Profile: p.nonEmptyName()}
	}
	e := ast.ProfileElement{Setting: p.compound()}
	for {
		switch {
		case p.symbol("="):
			e.Value = p.settingValue()
		case p.words("MIN"):
			p.symbol("=")
			e.Min = p.settingValue()
		case p.words("MAX"):
			p.symbol("=")
			e.Max = p.settingValue()
		default:
			w := p.anyWords("READONLY", "CONST", "WRITABLE", "CHANGEABLE_IN_READONLY")
			if w == "" {
				return e
			}
			if w == "READONLY" {
				w = "CONST"
			}
			e.Writability = w
		}
	}
}

// quotaKeys are what a quota may be keyed by.
var quotaKeys = []string{"USER_NAME", "IP_ADDRESS", "FORWARDED_IP_ADDRESS", "CLIENT_KEY", "NORMALIZED_QUERY_HASH"}

func (p *parser) quotaClause(s *ast.AccessChange) bool {
	switch {
	case p.words("NOT KEYED"):
		s.Keys = &[]string{}
	case p.anyWords("KEYED BY", "KEY BY") != "":
		keys := []string{p.quotaKey()}
		for p.symbol(",") {
			keys = append(keys, p.quotaKey())
		}
		s.Keys = &keys
	case p.words("FOR"):
		s.Intervals = append(s.Intervals, p.quotaInterval())
		for p.symbolAt(0, ",") && p.wordAt(1, "FOR") {
			p.pos += 2
			s.Intervals = append(s.Intervals, p.quotaInterval())
		}
	default:
		return false
	}
	return true
}

func (p *parser) quotaKey() string {
	w := p.anyWords(quotaKeys...)
	if w == "" {
		p.fail()
	}
	return strings.ToLower(w)
}

// unitSeconds are the seconds of a quota's units.
var unitSeconds = map[string]int64{"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2629746, "quarter": 7889238, "year": 31556952}

// maxQuotaUnits keeps the seconds of an interval within an int64.
const maxQuotaUnits = 1 << 32

func (p *parser) quotaInterval() *ast.QuotaInterval {
	q := &ast.QuotaInterval{Randomized: p.words("RANDOMIZED")}
	p.words("INTERVAL")
	t := p.at()
	n := p.uint()
	if n == 0 || n > maxQuotaUnits {
		p.failAt(t, "Expected a positive number")
	}
	u, ok := units[strings.ToUpper(p.src(p.at()))]
	if !ok || p.at().kind != tokWord || unitSeconds[u.name] == 0 {
		p.failWant("interval unit")
	}
	p.pos++
	q.Seconds = int64(n) * unitSeconds[u.name]
	switch {
	case p.words("NO LIMITS"):
		q.NoLimits = true
	case p.words("TRACKING ONLY"):
		q.Tracking = true
	default:
		p.words("MAX")
		for again := true; again; {
			q.Max = append(q.Max, p.quotaMax())
			if again = p.symbolAt(0, ",") && !p.wordAt(1, "FOR"); again {
				p.pos++
				p.words("MAX")
			}
		}
	}
	return q
}

func (p *parser) quotaMax() ast.QuotaMax {
	var upper []string
	for _, r := range access.Resources {
		upper = append(upper, strings.ToUpper(r))
	}
	w := p.anyWords(upper...)
	if w == "" {
		for _, r := range upper { // with spaces, as ClickHouse reads them too
			if p.words(strings.ReplaceAll(r, "_", " ")) {
				w = r
				break
			}
		}
	}
	if w == "" {
		p.fail()
	}
	p.symbol("=")
	t := p.at()
	if t.kind == tokString {
		return ast.QuotaMax{Resource: strings.ToLower(w), Value: p.stringText()}
	}
	if t.kind != tokNumber {
		p.failWant("number")
	}
	p.pos++
	return ast.QuotaMax{Resource: strings.ToLower(w), Value: p.src(t)}
}
