package dictionary

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

// trie finds the longest prefix that holds an address. Addresses of four bytes are those of ::ffff:0:0/96.
type trie struct {
	rows    map[netip.Prefix]uint32
	lengths []int // of prefixes, the longest first
}

const prefixBytes = 48 // about what an entry of the map takes

// newTrie indexes prefixes such as 10.0.0.0/8; of those that are equal the last remains. It puts the keys as they are shown, addresses of four
// bytes as ::ffff:0:0/96, in place of those given.
func newTrie(keys []column.Vector) (finder, []uint32, error) {
	given := keys[0].(*column.Str)
	canonical := column.NewStr(given.Typ, given.Len())
	t := &trie{rows: map[netip.Prefix]uint32{}}
	var keep []uint32
	n := given.Len()
	for i := range n {
		p, err := parsePrefix(string(given.At(i)))
		if err != nil {
			return nil, nil, err
		}
		canonical.AppendString(p.String())
		t.rows[p] = uint32(i)
		if !slices.Contains(t.lengths, p.Bits()) {
			t.lengths = append(t.lengths, p.Bits())
		}
	}
	keys[0] = canonical
	slices.SortFunc(t.lengths, func(a, b int) int { return b - a })
	if len(t.rows) == n {
		return t, nil, nil
	}
	for _, r := range t.rows {
		keep = append(keep, r)
	}
	slices.Sort(keep)
	for p, r := range t.rows {
		at, _ := slices.BinarySearch(keep, r)
		t.rows[p] = uint32(at)
	}
	return t, keep, nil
}

// parsePrefix reads a prefix, or an address, which is one of full length.
func parsePrefix(s string) (netip.Prefix, error) {
	var p netip.Prefix
	var err error
	if strings.Contains(s, "/") {
		p, err = netip.ParsePrefix(s)
	} else {
		var a netip.Addr
		if a, err = netip.ParseAddr(s); err == nil && a.Zone() == "" {
			p = netip.PrefixFrom(a, a.BitLen())
		}
	}
	if err != nil || !p.IsValid() {
		return p, sqlerr.New(sqlerr.CannotParseIPv6, "Invalid IP prefix of a dictionary: %s", s)
	}
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += 96
	}
	return netip.PrefixFrom(netip.AddrFrom16(p.Addr().As16()), bits).Masked(), nil
}

// find takes addresses as vectors of IPv4 or IPv6.
func (t *trie) find(keys []column.Vector, _ column.Vector, rows []uint32, none uint32) error {
	switch v := keys[0].(type) {
	case *column.Num[uint32]:
		for i, x := range v.Data {
			a := netip.AddrFrom4([4]byte{byte(x >> 24), byte(x >> 16), byte(x >> 8), byte(x)})
			rows[i] = t.one(netip.AddrFrom16(a.As16()), none)
		}
		return nil
	case *column.Str:
		for i := range rows {
			a, ok := netip.AddrFromSlice(v.At(i))
			if !ok || !a.Is6() {
				return sqlerr.New(sqlerr.LogicalError, "An address of %d bytes", len(v.At(i)))
			}
			rows[i] = t.one(a, none)
		}
		return nil
	}
	return sqlerr.New(sqlerr.TypeMismatch, "Key of an ip_trie dictionary must be an address, not %s", keys[0].Type())
}

func (t *trie) one(a netip.Addr, none uint32) uint32 {
	for _, bits := range t.lengths {
		p := netip.PrefixFrom(a, bits).Masked()
		if r, ok := t.rows[p]; ok {
			return r
		}
	}
	return none
}

func (t *trie) bytes() int64 { return int64(len(t.rows)) * prefixBytes }
