package valuetext

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

const hexDigits = "0123456789abcdef"

// AppendUUID appends a UUID in lower case with dashes.
func AppendUUID(dst []byte, u types.U128) []byte {
	text := [36]byte{8: '-', 13: '-', 18: '-', 23: '-'}
	writeHex(text[0:8], u.Hi>>32)
	writeHex(text[9:13], u.Hi>>16)
	writeHex(text[14:18], u.Hi)
	writeHex(text[19:23], u.Lo>>48)
	writeHex(text[24:36], u.Lo)
	return append(dst, text[:]...)
}

// writeHex fills text with the lowest digits of x.
func writeHex(text []byte, x uint64) {
	for i := len(text) - 1; i >= 0; i-- {
		text[i] = hexDigits[x&15]
		x >>= 4
	}
}

// ScanUUID reads a UUID with dashes (36 characters) or without (32) off the front of s.
func ScanUUID(s []byte) (u types.U128, n int, err error) {
	dashes := len(s) >= 36 && s[8] == '-'
	n = 32
	if dashes {
		n = 36
	}
	if len(s) < n {
		return u, 0, badUUID(s)
	}
	digits := 0
	for i, c := range s[:n] {
		if dashes && (i == 8 || i == 13 || i == 18 || i == 23) {
			if c != '-' {
				return u, 0, badUUID(s)
			}
			continue
		}
		d, ok := unhex(c)
		if !ok {
			return u, 0, badUUID(s)
		}
		if digits < 16 {
			u.Hi = u.Hi<<4 | uint64(d)
		} else {
			u.Lo = u.Lo<<4 | uint64(d)
		}
		digits++
	}
	return u, n, nil
}

func unhex(c byte) (byte, bool) {
	switch {
	case c-'0' < 10:
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

func badUUID(s []byte) error {
	return sqlerr.New(sqlerr.CannotParseUUID, "Cannot parse uuid %q", clip(s))
}

// AppendIPv4 appends an address in dotted form.
func AppendIPv4(dst []byte, a uint32) []byte {
	for shift := 24; shift >= 0; shift -= 8 {
		dst = strconv.AppendUint(dst, uint64(a>>shift&255), 10)
		if shift > 0 {
			dst = append(dst, '.')
		}
	}
	return dst
}

// ParseIPv4 reads a whole dotted address.
func ParseIPv4(s []byte) (uint32, error) {
	a, err := netip.ParseAddr(bytesString(s))
	if err != nil || !a.Is4() {
		return 0, sqlerr.New(sqlerr.CannotParseIPv4, "Invalid IPv4 value %q", clip(s))
	}
	b := a.As4()
	return binary.BigEndian.Uint32(b[:]), nil
}

// AppendIPv6 appends the 16 bytes of an address in its shortest form, mapped IPv4 addresses as ::ffff:1.2.3.4.
func AppendIPv6(dst, a []byte) []byte {
	if len(a) != 16 {
		return append(dst, a...)
	}
	v4 := a[10] == 0xff && a[11] == 0xff || a[10] == 0 && a[11] == 0 && (a[12] != 0 || a[13] != 0)
	for _, c := range a[:10] {
		v4 = v4 && c == 0
	}
	if v4 {
		dst = append(dst, "::"...)
		if a[10] == 0xff {
			dst = append(dst, "ffff:"...)
		}
		return AppendIPv4(dst, binary.BigEndian.Uint32(a[12:]))
	}
	addr := netip.AddrFrom16([16]byte(a))
	return addr.AppendTo(dst)
}

// ParseIPv6 reads a whole address, IPv4 ones as mapped.
func ParseIPv6(s []byte) ([16]byte, error) {
	a, err := netip.ParseAddr(bytesString(s))
	if err != nil || a.Zone() != "" {
		return [16]byte{}, sqlerr.New(sqlerr.CannotParseIPv6, "Invalid IPv6 value %q", clip(s))
	}
	return a.As16(), nil
}
