package function

import (
	"bytes"
	"net"
	"net/netip"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	part := func(name, doc string, f func([]byte) []byte) *Scalar {
		return partOf(name, nil, doc, f)
	}
	register(
		part("protocol", "Returns a URL's protocol.", urlProtocol), part("domain", "Returns a URL's host.", urlDomain),
		part("domainWithoutWWW", "Returns a URL's host without a leading www.", func(s []byte) []byte { return bytes.TrimPrefix(urlDomain(s), []byte("www.")) }),
		part("topLevelDomain", "Returns a URL's top-level domain.", topLevelDomain),
		part("path", "Returns a URL's path without the query.", func(s []byte) []byte { return untilAny(urlPathFull(s), "?#") }),
		part("pathFull", "Returns a URL's path with query and fragment.", urlPathFull),
		part("queryString", "Returns a URL's query.", urlQuery), part("fragment", "Returns a URL's fragment.", urlFragment),
		part("firstSignificantSubdomain", "Returns the label in front of the public suffix.", func(s []byte) []byte { return untilAny(significantDomain(s), ".") }),
		part("cutToFirstSignificantSubdomain", "Returns the host from the label in front of the public suffix on.", significantDomain),
		mapStrings("cutQueryString", nil, "Removes a URL's query.", func(dst, s []byte) []byte {
			q := bytes.IndexByte(s, '?')
			if q < 0 {
				return append(dst, s...)
			}
			dst = append(dst, s[:q]...)
			if f := bytes.IndexByte(s, '#'); f > q {
				dst = append(dst, s[f:]...)
			}
			return dst
		}),
		part("queryStringAndFragment", "Returns a URL's query and fragment.", urlQueryAndFragment),
		part("cutQueryStringAndFragment", "Removes a URL's query and fragment.", func(s []byte) []byte { return untilAny(s, "?#") }),
		mapStrings("encodeURLFormComponent", nil, "Encodes with percent escapes, spaces as plus signs.", appendFormEncoded),
		part("cutFragment", "Removes a URL's fragment.", func(s []byte) []byte { return untilAny(s, "#") }),
		mapStrings("cutWWW", nil, "Removes www. in front of a URL's host.", appendWithoutWWW),
		mapStrings("decodeURLComponent", nil, "Decodes percent escapes.", func(dst, s []byte) []byte { return appendURLDecoded(dst, s, false) }),
		mapStrings("decodeURLFormComponent", nil, "Decodes percent escapes and plus signs.", func(dst, s []byte) []byte { return appendURLDecoded(dst, s, true) }),
		mapStrings("encodeURLComponent", nil, "Encodes with percent escapes.", appendURLEncoded),
		&Scalar{Name: "extractURLParameter", MinArgs: 2, MaxArgs: 2, Resolve: fixed("extractURLParameter", types.TString, isStr), Eval: evalURLParameter, Family: "url", Doc: "Returns a parameter of a URL's query.", Example: "extractURLParameter('http://a/?b=1', 'b') → 1"},
		&Scalar{Name: "extractURLParameterNames", MinArgs: 1, MaxArgs: 1, Resolve: fixed("extractURLParameterNames", types.NewArray(types.TString), isStr), Eval: evalURLParameters(true), Family: "url", Doc: "Returns the names of a URL's parameters."},
		&Scalar{Name: "extractURLParameters", MinArgs: 1, MaxArgs: 1, Resolve: fixed("extractURLParameters", types.NewArray(types.TString), isStr), Eval: evalURLParameters(false), Family: "url", Doc: "Returns a URL's parameters as name=value."},
		&Scalar{Name: "port", MinArgs: 1, MaxArgs: 2, Resolve: fixed("port", types.TUInt16, isStr, isPlainInt), Eval: evalPort, Family: "url", Doc: "Returns a URL's port.", Example: "port('http://a:80/') → 80"},

		&Scalar{Name: "IPv4NumToString", Aliases: []string{"INET_NTOA"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("IPv4NumToString", types.TString, anyOf(isPlainInt, isIPv4)), Eval: evalIPv4ToString, Family: "ip", Doc: "Writes a number as an IPv4 address.", Example: "IPv4NumToString(16909060) → 1.2.3.4"},
		&Scalar{Name: "IPv4StringToNum", Aliases: []string{"INET_ATON"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("IPv4StringToNum", types.TUInt32, isStr), Eval: evalIPv4FromString(false), Family: "ip", Doc: "Reads an IPv4 address as a number.", Example: "IPv4StringToNum('1.2.3.4') → 16909060"},
		&Scalar{Name: "IPv4StringToNumOrDefault", MinArgs: 1, MaxArgs: 1, Resolve: fixed("IPv4StringToNumOrDefault", types.TUInt32, isStr), Eval: evalIPv4FromString(true), Family: "ip", Doc: "Reads an IPv4 address; 0 if it is none."},
		&Scalar{Name: "IPv6NumToString", Aliases: []string{"INET6_NTOA"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("IPv6NumToString", types.TString, func(t *types.Type) bool { return t.Kind == types.IPv6 || t.Kind == types.FixedString && t.N == 16 }), Eval: func(c *Call) (column.Vector, error) {
			s, out := stringsOf(c.Args[0]), stringResult(c)
			for i := range c.Rows {
				out.Data = valuetext.AppendIPv6(out.Data, s.row(i))
				out.EndValue()
			}
			return out, nil
		}, Family: "ip", Doc: "Writes 16 bytes as an IPv6 address."},
		&Scalar{Name: "isIPv4String", MinArgs: 1, MaxArgs: 1, Resolve: fixed("isIPv4String", types.TUInt8, isStr), Eval: testStrings(func(s []byte) bool { _, err := valuetext.ParseIPv4(s); return err == nil }), Family: "ip", Doc: "Tests for an IPv4 address.", Example: "isIPv4String('1.2.3.4') → 1"},
		&Scalar{Name: "isIPv6String", MinArgs: 1, MaxArgs: 1, Resolve: fixed("isIPv6String", types.TUInt8, isStr), Eval: testStrings(func(s []byte) bool {
			a, err := netip.ParseAddr(string(s))
			return err == nil && a.Is6() && a.Zone() == ""
		}), Family: "ip", Doc: "Tests for an IPv6 address.", Example: "isIPv6String('::1') → 1"},
		&Scalar{Name: "isIPAddressInRange", MinArgs: 2, MaxArgs: 2, Resolve: fixed("isIPAddressInRange", types.TUInt8, isStr), Eval: evalInRange, Family: "ip", Doc: "Tests whether an address lies in a network.", Example: "isIPAddressInRange('10.1.2.3', '10.0.0.0/8') → 1"},
	)
}

// firstOf is where the first of a few bytes stands, or -1.
func firstOf(s []byte, set string) int {
	at := -1
	for i := range len(set) {
		if k := bytes.IndexByte(s, set[i]); k >= 0 {
			s, at = s[:k], k
		}
	}
	return at
}

func untilAny(s []byte, set string) []byte {
	if i := firstOf(s, set); i >= 0 {
		return s[:i]
	}
	return s
}

func urlProtocol(s []byte) []byte {
	for i, c := range s {
		switch {
		case c == ':' && i > 0 && bytes.HasPrefix(s[i:], []byte("://")):
			return s[:i]
		case !isAlnum(c) && c != '+' && c != '-' && c != '.':
			return nil
		}
	}
	return nil
}

// authority is what stands behind the protocol, user and password included.
func authority(s []byte) []byte {
	switch p := urlProtocol(s); {
	case p != nil:
		s = s[len(p)+3:]
	case bytes.HasPrefix(s, []byte("//")):
		s = s[2:]
	}
	return untilAny(s, "/?#")
}

func urlDomain(s []byte) []byte {
	a := authority(s)
	if at := bytes.LastIndexByte(a, '@'); at >= 0 {
		if bytes.IndexByte(a[:at], ':') >= 0 { // the scheme of mailto:a@b.c, or a password, is no host
			return nil
		}
		a = a[at+1:]
	}
	if len(a) > 0 && a[0] == '[' {
		if end := bytes.IndexByte(a, ']'); end > 0 {
			return a[:end+1]
		}
	}
	a = untilAny(a, ":")
	for _, c := range a {
		if !isAlnum(c) && c != '-' && c != '.' && c != '_' && c != '~' && c < 0x80 && c != '%' {
			return nil
		}
	}
	if bytes.IndexByte(a, '.') < 0 && urlProtocol(s) == nil {
		return nil
	}
	return a
}

func topLevelDomain(s []byte) []byte {
	d := urlDomain(s)
	dot := bytes.LastIndexByte(d, '.')
	if dot < 0 || dot+1 == len(d) || d[dot+1]-'0' < 10 {
		return nil
	}
	return d[dot+1:]
}

func urlPathFull(s []byte) []byte {
	p := urlProtocol(s)
	switch {
	case p != nil:
		s = s[len(p)+3:]
	case bytes.HasPrefix(s, []byte("//")):
		s = s[2:]
	}
	if i := firstOf(s, "/?#"); i >= 0 && (s[i] == '/' || p != nil) {
		return s[i:]
	}
	return nil
}

func urlQuery(s []byte) []byte {
	q := bytes.IndexByte(s, '?')
	if q < 0 {
		return nil
	}
	return untilAny(s[q+1:], "#")
}

func urlFragment(s []byte) []byte {
	if f := bytes.IndexByte(s, '#'); f >= 0 {
		return s[f+1:]
	}
	return nil
}

func urlQueryAndFragment(s []byte) []byte {
	at := firstOf(s, "?#")
	if at < 0 {
		return nil
	}
	if s[at] == '?' {
		at++
	}
	return s[at:]
}

func appendFormEncoded(dst, s []byte) []byte {
	for {
		at := bytes.IndexByte(s, ' ')
		if at < 0 {
			return appendURLEncoded(dst, s)
		}
		dst = append(appendURLEncoded(dst, s[:at]), '+')
		s = s[at+1:]
	}
}

func appendWithoutWWW(dst, s []byte) []byte {
	a := authority(s)
	if !bytes.HasPrefix(a, []byte("www.")) {
		return append(dst, s...)
	}
	at := bytes.Index(s, a)
	return append(append(dst, s[:at]...), s[at+4:]...)
}

// secondLevel are the labels under a country's domain that belong to the public suffix.
var secondLevel = map[string]bool{"com": true, "net": true, "org": true, "co": true, "biz": true, "gov": true, "mil": true, "edu": true}

// significantDomain is the host from the first label in front of the suffix on.
func significantDomain(s []byte) []byte {
	d := bytes.TrimPrefix(urlDomain(s), []byte("www."))
	last := bytes.LastIndexByte(d, '.')
	if last < 0 {
		return nil
	}
	second := bytes.LastIndexByte(d[:last], '.')
	if second < 0 || !secondLevel[string(d[second+1:last])] {
		return d[second+1:]
	}
	return d[bytes.LastIndexByte(d[:second], '.')+1:]
}

func appendURLDecoded(dst, s []byte, form bool) []byte {
	if bytes.IndexByte(s, '%') < 0 && !form {
		return append(dst, s...)
	}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '%' && i+2 < len(s) && unhexDigit(s[i+1]) != 0xff && unhexDigit(s[i+2]) != 0xff:
			dst = append(dst, unhexDigit(s[i+1])<<4|unhexDigit(s[i+2]))
			i += 2
		case form && s[i] == '+':
			dst = append(dst, ' ')
		default:
			dst = append(dst, s[i])
		}
	}
	return dst
}

// urlPlain are the bytes that stand for themselves in a URL.
var urlPlain = func() (table [256]bool) {
	for c := range table {
		b := byte(c)
		table[c] = isAlnum(b) || b == '-' || b == '_' || b == '.' || b == '~'
	}
	return table
}()

func appendURLEncoded(dst, s []byte) []byte {
	for _, c := range s {
		if urlPlain[c] {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// parameters calls f with the name and value of each parameter until it returns false.
func parameters(s []byte, f func(name, value, whole []byte) bool) {
	q := firstOf(s, "?#")
	if q < 0 {
		return
	}
	for rest := s[q+1:]; len(rest) > 0; {
		end := 0
		for end < len(rest) && rest[end] != '&' && rest[end] != ';' && rest[end] != '#' && rest[end] != '?' {
			end++
		}
		p := rest[:end]
		eq := bytes.IndexByte(p, '=')
		if eq >= 0 && !f(p[:eq], p[eq+1:], p) {
			return
		}
		rest = rest[min(end+1, len(rest)):]
	}
}

func evalURLParameter(c *Call) (column.Vector, error) {
	s, name := stringsOf(c.Args[0]), stringsOf(c.Args[1])
	out := piecesOf(s, c.Rows)
	for i := range c.Rows {
		var value []byte
		parameters(s.row(i), func(n, v, _ []byte) bool {
			if !bytes.Equal(n, name.row(i)) {
				return true
			}
			value = v
			return false
		})
		out.add(value)
	}
	return out.strings(c, "extractURLParameter")
}

func evalURLParameters(names bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		s := stringsOf(c.Args[0])
		out, ends := piecesOf(s, c.Rows), make([]uint32, 1, c.Rows+1)
		for i := range c.Rows {
			parameters(s.row(i), func(n, _, whole []byte) bool {
				if names {
					whole = n
				}
				out.add(whole)
				return true
			})
			ends = append(ends, out.count())
		}
		return out.arrays(c, "extractURLParameters", ends)
	}
}

func evalPort(c *Call) (column.Vector, error) {
	s, out := stringsOf(c.Args[0]), make([]uint16, c.Rows)
	def := broadcast[uint16]{[]uint16{0}, 0}
	if len(c.Args) > 1 {
		def = numArg[uint16](c.Args[1], c.Rows)
	}
	for i := range out {
		out[i] = def.at(i)
		_, port, err := net.SplitHostPort(string(authority(s.row(i))))
		if n, _, used, perr := valuetext.ScanInt64([]byte(port), types.TUInt32); err == nil && perr == nil && used == len(port) && n < 1<<16 {
			out[i] = uint16(n)
		}
	}
	return newNum(c.Result, out), nil
}

func evalIPv4ToString(c *Call) (column.Vector, error) {
	a, out := numArg[uint32](c.Args[0], c.Rows), stringResult(c)
	for i := range c.Rows {
		out.Data = valuetext.AppendIPv4(out.Data, a.at(i))
		out.EndValue()
	}
	return out, nil
}

func evalIPv4FromString(orDefault bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		s, out := stringsOf(c.Args[0]), make([]uint32, c.Rows)
		for i := range out {
			a, err := valuetext.ParseIPv4(s.row(i))
			if err != nil && !orDefault {
				return nil, err
			}
			out[i] = a
		}
		return newNum(c.Result, out), nil
	}
}

func evalInRange(c *Call) (column.Vector, error) {
	a, n, out := stringsOf(c.Args[0]), stringsOf(c.Args[1]), make([]uint8, c.Rows)
	for i := range out {
		addr, err := netip.ParseAddr(string(a.row(i)))
		if err != nil {
			return nil, sqlerr.New(sqlerr.CannotParseText, "Neither IPv4 nor IPv6 address: '%s'", a.row(i))
		}
		p, err := netip.ParsePrefix(string(n.row(i)))
		if err != nil {
			return nil, sqlerr.New(sqlerr.CannotParseText, "The text does not contain a network: '%s'", n.row(i))
		}
		out[i] = b2u(p.Masked().Contains(addr))
	}
	return column.NewBools(out), nil
}
