package function

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"hash"
	"strings"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/md4"
	"golang.org/x/crypto/ripemd160"
	legacy "golang.org/x/crypto/sha3"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	digestOf := func(name string, n int, f func() hash.Hash) *Scalar {
		return digest(name, n, func(dst, b []byte) []byte {
			h := f()
			h.Write(b)
			return h.Sum(dst)
		})
	}
	register(
		digestOf("MD4", md4.Size, md4.New), digestOf("RIPEMD160", ripemd160.Size, ripemd160.New), digestOf("keccak256", 32, legacy.NewLegacyKeccak256),
		digest("SHA512_256", sha512.Size256, func(dst, b []byte) []byte { s := sha512.Sum512_256(b); return append(dst, s[:]...) }),
		&Scalar{Name: "HMAC", CaseInsensitive: true, MinArgs: 3, MaxArgs: 3, Resolve: resolveHMAC, Eval: evalHMAC, Family: "hash", Doc: "Returns the authentication code of a message by a key with a hash algorithm.", Example: "hex(HMAC('md5', 'message', 'key')) → 4E4748E62B463521F6775FBF921234B5"},
	)
}

// hmacHashes are the algorithms of HMAC by their names in lower case.
var hmacHashes = map[string]func() hash.Hash{
	"md4": md4.New, "md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
	"sha512-224": sha512.New512_224, "sha512-256": sha512.New512_256, "ripemd160": ripemd160.New, "ripemd": ripemd160.New, "rmd160": ripemd160.New,
	"sha3-224": func() hash.Hash { return sha3.New224() }, "sha3-256": func() hash.Hash { return sha3.New256() },
	"sha3-384": func() hash.Hash { return sha3.New384() }, "sha3-512": func() hash.Hash { return sha3.New512() },
	"blake2b512": newBlake2b,
}

// newBlake2b is BLAKE2b without a key, which cannot fail.
func newBlake2b() hash.Hash {
	h, err := blake2b.New512(nil)
	if err != nil {
		panic(err)
	}
	return h
}

func resolveHMAC(_ *Env, args []Arg) (*types.Type, error) {
	if err := checkTypes("HMAC", args, isStr); err != nil {
		return nil, err
	}
	name, ok := constString(args, 0)
	if !ok {
		return nil, sqlerr.New(sqlerr.IllegalColumn, "The first argument of function HMAC must be a constant string: the name of a hash algorithm")
	}
	if hmacHashes[strings.ToLower(name)] == nil {
		return nil, sqlerr.New(sqlerr.BadArguments, "Invalid hash algorithm: %s", types.QuoteString(name))
	}
	return types.TString, nil
}

func evalHMAC(c *Call) (column.Vector, error) {
	name, _ := stringConst(c.Args[0])
	newHash := hmacHashes[strings.ToLower(name)]
	text, key, out := stringsOf(c.Args[1]), stringsOf(c.Args[2]), stringResult(c)
	var mac hash.Hash
	for i := range c.Rows {
		if mac == nil || !key.isConst() {
			mac = hmac.New(newHash, key.row(i))
		}
		mac.Reset()
		mac.Write(text.row(i))
		out.Data = mac.Sum(out.Data)
		out.EndValue()
	}
	return out, nil
}
