package function

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		encodes("base32Encode", "Encodes in base 32.", "base32Encode('Hello') → JBSWY3DP", base32.StdEncoding.AppendEncode),
		&Scalar{Name: "base58Encode", MinArgs: 1, MaxArgs: 1, Resolve: fixed("base58Encode", types.TString, isStr), Eval: evalDecode("base58Encode", maxBase58, func(dst, s []byte) ([]byte, bool) { return appendBase58(dst, s), true }, false), Family: "encoding", Doc: "Encodes in base 58, with Bitcoin's alphabet.", Example: "base58Encode('Hello') → 9Ajdvzr"},
		encodes("base64URLEncode", "Encodes in the base 64 of URLs, without padding.", "base64URLEncode('a?>') → YT8-", base64.RawURLEncoding.AppendEncode),
	)
	for _, f := range []struct {
		name, doc, example string
		limit              int
		decode             func(dst, s []byte) ([]byte, bool)
	}{
		{"base32Decode", "Decodes base 32", "base32Decode('JBSWY3DP') → Hello", maxStringResult, appendUnbase32},
		{"base58Decode", "Decodes base 58", "base58Decode('9Ajdvzr') → Hello", maxBase58, appendUnbase58},
		{"base64URLDecode", "Decodes the base 64 of URLs", "base64URLDecode('YT8-') → a?>", maxStringResult, appendUnbase64URL},
	} {
		try := "tryB" + f.name[1:]
		register(
			&Scalar{Name: f.name, MinArgs: 1, MaxArgs: 1, Resolve: fixed(f.name, types.TString, isStr), Eval: evalDecode(f.name, f.limit, f.decode, false), Family: "encoding", Doc: f.doc + ".", Example: f.example},
			&Scalar{Name: try, MinArgs: 1, MaxArgs: 1, Resolve: fixed(try, types.TString, isStr), Eval: evalDecode(try, f.limit, f.decode, true), Family: "encoding", Doc: f.doc + "; the empty string if it is none.", Example: "tryB" + f.example[1:]},
		)
	}
}

func encodes(name, doc, example string, f func(dst, s []byte) []byte) *Scalar {
	fn := mapStrings(name, nil, doc, f)
	fn.CaseInsensitive, fn.Family, fn.Example = false, "encoding", example
	return fn
}

// maxBase58 bounds what is encoded in or decoded from base 58, whose work is the square of the length: a second.
const maxBase58 = 1 << 15

// evalDecode maps strings of at most limit bytes; what decode refuses is an error, or with try the empty string.
func evalDecode(name string, limit int, decode func(dst, s []byte) ([]byte, bool), try bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		s, out := stringsOf(c.Args[0]), stringResult(c)
		for i := range c.Rows {
			if i%checkEvery == 0 && c.Env.Ctx.Err() != nil {
				return nil, c.Env.Ctx.Err()
			}
			if len(s.row(i)) > limit {
				return nil, sqlerr.New(sqlerr.TooLargeStringSize, "The string is too big for function %s, should be at most %d bytes", name, limit)
			}
			n := len(out.Data)
			var ok bool
			if out.Data, ok = decode(out.Data, s.row(i)); !ok {
				if !try {
					return nil, sqlerr.New(sqlerr.IncorrectData, "Invalid %s value (%.100q), cannot be decoded", name, s.row(i))
				}
				out.Data = out.Data[:n]
			}
			if err := c.endBounded(out, name); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
}

// checkEvery is after how many rows a function whose rows may be slow looks whether the query is cancelled.
const checkEvery = 64

func appendUnbase32(dst, s []byte) ([]byte, bool) {
	out, err := base32.StdEncoding.AppendDecode(dst, bytes.ToUpper(s))
	return out, err == nil
}

// appendUnbase64URL takes the characters of plain base 64 too, and any padding; white space is skipped.
func appendUnbase64URL(dst, s []byte) ([]byte, bool) {
	text := make([]byte, 0, len(s))
	for _, c := range bytes.TrimRight(s, "=") {
		switch c {
		case '+':
			c = '-'
		case '/':
			c = '_'
		case ' ', '\t', '\n', '\r', '\f':
			continue
		}
		text = append(text, c)
	}
	out, err := base64.RawURLEncoding.AppendDecode(dst, text)
	return out, err == nil
}

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// base58Digits is the value of each character, 0xff of those that are none.
var base58Digits = func() (d [256]byte) {
	for i := range d {
		d[i] = 0xff
	}
	for i := range base58Alphabet {
		d[base58Alphabet[i]] = byte(i)
	}
	return d
}()

// appendBase58 writes the bytes as one number; zero bytes in front are ones.
func appendBase58(dst, s []byte) []byte {
	for len(s) > 0 && s[0] == 0 {
		dst, s = append(dst, '1'), s[1:]
	}
	n := len(dst) // the digits from here on, the lowest first
	for _, b := range s {
		carry := uint32(b)
		for i := n; i < len(dst); i++ {
			carry += uint32(dst[i]) << 8
			dst[i] = byte(carry % 58)
			carry /= 58
		}
		for ; carry > 0; carry /= 58 {
			dst = append(dst, byte(carry%58))
		}
	}
	digits := dst[n:]
	for i, j := 0, len(digits)-1; i <= j; i, j = i+1, j-1 {
		digits[i], digits[j] = base58Alphabet[digits[j]], base58Alphabet[digits[i]]
	}
	return dst
}

func appendUnbase58(dst, s []byte) ([]byte, bool) {
	for len(s) > 0 && s[0] == '1' {
		dst, s = append(dst, 0), s[1:]
	}
	n := len(dst)
	for _, c := range s {
		carry := uint32(base58Digits[c])
		if carry == 0xff {
			return dst, false
		}
		for i := n; i < len(dst); i++ {
			carry += uint32(dst[i]) * 58
			dst[i] = byte(carry)
			carry >>= 8
		}
		for ; carry > 0; carry >>= 8 {
			dst = append(dst, byte(carry))
		}
	}
	decoded := dst[n:]
	for i, j := 0, len(decoded)-1; i < j; i, j = i+1, j-1 {
		decoded[i], decoded[j] = decoded[j], decoded[i]
	}
	return dst, true
}
