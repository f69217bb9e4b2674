package access

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/olapd/olapd/internal/sqlerr"
)

// AuthType is how a password is kept.
type AuthType string

// The types, with ClickHouse's names.
const (
	NoPassword  AuthType = "no_password"
	Plaintext   AuthType = "plaintext_password"
	SHA256      AuthType = "sha256_password"
	DoubleSHA1  AuthType = "double_sha1_password"
	Bcrypt      AuthType = "bcrypt_password"
	ScramSHA256 AuthType = "scram_sha256_password"
)

// Auth is one way a user may prove who they are.
type Auth struct {
	Type AuthType `json:"type"`
	// Hash is the password of Plaintext, lower-case hex of SHA256 and DoubleSHA1, what bcrypt prints of Bcrypt, base64 of ScramSHA256.
	Hash string `json:"hash,omitempty"`
	Salt string `json:"salt,omitempty"` // of SHA256, put behind the password; of ScramSHA256
	// Until is when it ends, in Unix seconds; 0: never.
	Until int64 `json:"until,omitempty"`
}

const (
	// bcryptCost is ClickHouse's default work factor: 2^12 rounds, about 0.2 s.
	bcryptCost = 12
	// maxBcrypt is the bytes of a password that bcrypt looks at.
	maxBcrypt = 72
	// scramRounds is ClickHouse's number of iterations.
	scramRounds = 4096
	saltBytes   = 16
)

// NewAuth keeps a password. BadArguments if bcrypt cannot take it.
func NewAuth(t AuthType, password string) (Auth, error) {
	a := Auth{Type: t}
	switch t {
	case NoPassword:
		return a, nil
	case Bcrypt:
		if len(password) > maxBcrypt {
			return a, sqlerr.New(sqlerr.BadArguments, "bcrypt passwords cannot be longer than %d bytes", maxBcrypt)
		}
		h, err := bcrypt.GenerateFromPassword([]byte(password), bcryptCost)
		if err != nil {
			return a, sqlerr.Wrap(err, sqlerr.BadArguments, "Cannot hash the password")
		}
		a.Hash = string(h)
		return a, nil
	case SHA256, ScramSHA256:
		var salt [saltBytes]byte
		rand.Read(salt[:]) // never fails
		a.Salt = strings.ToUpper(hex.EncodeToString(salt[:]))
	}
	a.Hash = a.hashed(password)
	return a, nil
}

// GivenHash keeps a hash that was made elsewhere; BadArguments if it is none.
func GivenHash(t AuthType, hash, salt string) (Auth, error) {
	a := Auth{Type: t, Hash: hash, Salt: salt}
	want := 0
	switch t {
	case SHA256:
		want = sha256.Size
	case DoubleSHA1:
		want = sha1.Size
	case Bcrypt:
		if _, err := bcrypt.Cost([]byte(hash)); err != nil {
			return a, sqlerr.New(sqlerr.BadArguments, "Could not parse the 'bcrypt_password' hash: it must be a base64 bcrypt hash of 60 characters")
		}
		return a, nil
	case ScramSHA256:
		if b, err := base64.StdEncoding.DecodeString(hash); err != nil || len(b) != sha256.Size {
			return a, sqlerr.New(sqlerr.BadArguments, "Cannot read a scram_sha256 hash: it must be base64 of %d bytes", sha256.Size)
		}
		return a, nil
	}
	a.Hash = strings.ToLower(hash)
	if b, err := hex.DecodeString(hash); err != nil || len(b) != want {
		return a, sqlerr.New(sqlerr.BadArguments, "Cannot read password hash in hex, check for valid characters [0-9a-fA-F] and length.")
	}
	return a, nil
}

// hashed is what is kept of a password; not for Bcrypt.
func (a *Auth) hashed(password string) string {
	switch a.Type {
	case SHA256:
		h := sha256.Sum256([]byte(password + a.Salt))
		return hex.EncodeToString(h[:])
	case DoubleSHA1:
		h := sha1.Sum([]byte(password))
		h = sha1.Sum(h[:])
		return hex.EncodeToString(h[:])
	case ScramSHA256:
		h, err := pbkdf2.Key(sha256.New, password, []byte(a.Salt), scramRounds, sha256.Size)
		if err != nil {
			return ""
		}
		return base64.StdEncoding.EncodeToString(h)
	}
	return password
}

// Matches compares in constant time.
func (a *Auth) Matches(password string) bool {
	switch a.Type {
	case NoPassword:
		return true
	case Bcrypt:
		return bcrypt.CompareHashAndPassword([]byte(a.Hash), []byte(password)) == nil
	}
	got, want := sha256.Sum256([]byte(a.hashed(password))), sha256.Sum256([]byte(a.Hash))
	return a.known() && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// known reports whether the type is one that can be checked: a newer version may have stored others.
func (a *Auth) known() bool {
	switch a.Type {
	case NoPassword, Plaintext, SHA256, DoubleSHA1, Bcrypt, ScramSHA256:
		return true
	}
	return false
}

// ended reports whether the time of a is over.
func (a *Auth) ended(now time.Time) bool { return a.Until != 0 && now.Unix() >= a.Until }

// Hosts are where a user may come from: any of them is enough. The zero value is nowhere.
type Hosts struct {
	Any     bool     `json:"any,omitempty"`
	Local   bool     `json:"local,omitempty"`
	IPs     []string `json:"ips,omitempty"` // addresses and CIDR prefixes
	Names   []string `json:"names,omitempty"`
	Regexps []string `json:"regexps,omitempty"`
	Likes   []string `json:"likes,omitempty"`
}

// Resolver looks up names of hosts.
type Resolver interface {
	// Addresses are those of a name.
	Addresses(name string) []netip.Addr
	// Names are those of an address, which must lead back to it to count.
	Names(addr netip.Addr) []string
}

// Admit reports whether a client at addr may come in. An address that is not one comes from within the process and is local.
func (h *Hosts) Admit(addr string, dns Resolver) bool {
	if h.Any {
		return true
	}
	ip, ok := hostAddr(addr)
	if !ok {
		return h.Local
	}
	if ip.IsLoopback() && h.Local {
		return true
	}
	for _, text := range h.IPs {
		if p, err := ParsePrefix(text); err == nil && p.Contains(ip) {
			return true
		}
	}
	return dns != nil && h.admitsName(ip, dns)
}

func (h *Hosts) admitsName(ip netip.Addr, dns Resolver) bool {
	for _, n := range h.Names {
		for _, a := range dns.Addresses(n) {
			if a.Unmap() == ip {
				return true
			}
		}
	}
	if len(h.Regexps) == 0 && len(h.Likes) == 0 {
		return false
	}
	for _, n := range dns.Names(ip) {
		n = strings.TrimSuffix(n, ".")
		for _, re := range h.Regexps {
			if x, err := regexp.Compile("^(?:" + re + ")$"); err == nil && x.MatchString(n) {
				return true
			}
		}
		for _, like := range h.Likes {
			if Like(n, like) {
				return true
			}
		}
	}
	return false
}

// hostAddr is the address of host:port or of a host.
func hostAddr(addr string) (netip.Addr, bool) {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		addr = host
	}
	ip, err := netip.ParseAddr(addr)
	return ip.Unmap().WithZone(""), err == nil
}

// ParsePrefix reads an address or a CIDR prefix, IPv4 also with a mask in full; BadArguments if it is none.
func ParsePrefix(text string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			return netip.PrefixFrom(a.Unmap(), p.Bits()-96), nil
		}
		return p, nil
	}
	host, mask, both := strings.Cut(text, "/")
	a, err := netip.ParseAddr(host)
	if err == nil && !both {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	if m := net.ParseIP(mask).To4(); err == nil && m != nil && a.Is4() {
		if ones, bits := net.IPMask(m).Size(); bits != 0 {
			return netip.PrefixFrom(a, ones), nil
		}
	}
	return netip.Prefix{}, sqlerr.New(sqlerr.BadArguments, "Invalid address: %s", text)
}

// Like matches a pattern of LIKE against a whole text; it takes time linear in both.
func Like(s, pattern string) bool {
	re := strings.Builder{}
	re.WriteString(`^(?s:`)
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '%':
			re.WriteString(`.*`)
		case c == '_':
			re.WriteByte('.')
		case c == '\\' && i+1 < len(pattern):
			i++
			re.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		default:
			re.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	x, err := regexp.Compile(re.String() + `)$`)
	return err == nil && x.MatchString(s)
}

// Fingerprint is a keyed hash of a password, for remembering in memory that it was right.
func Fingerprint(key []byte, password string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(password))
	return string(m.Sum(nil))
}
