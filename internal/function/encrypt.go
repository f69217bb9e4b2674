package function

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	for _, f := range []struct {
		name, doc, example string
		do                 cryption
	}{
		{"encrypt", "Encrypts with AES; the first argument is the mode, such as aes-256-gcm.", "hex(encrypt('aes-128-ecb', 'text', '1234567891012131')) → E9C4644E38A856AB0D2FCC1F7D2DC8A5", cryption{}},
		{"decrypt", "Decrypts what encrypt made.", "decrypt('aes-128-ecb', encrypt('aes-128-ecb', 'text', '1234567891012131'), '1234567891012131') → text", cryption{decrypt: true}},
		{"tryDecrypt", "Decrypts what encrypt made; NULL where the key is another one.", "tryDecrypt('aes-128-ecb', 'x', '1234567891012131') → NULL", cryption{decrypt: true, try: true}},
		{"aes_encrypt_mysql", "Encrypts as MySQL's aes_encrypt does: a longer key is folded, a longer initialization vector cut.", "", cryption{mysql: true}},
		{"aes_decrypt_mysql", "Decrypts as MySQL's aes_decrypt does.", "aes_decrypt_mysql('aes-128-ecb', aes_encrypt_mysql('aes-128-ecb', 'text', 'a key longer than 16'), 'a key longer than 16') → text", cryption{decrypt: true, mysql: true}},
	} {
		most := 5
		if f.do.mysql {
			most = 4
		}
		register(&Scalar{Name: f.name, MinArgs: 3, MaxArgs: most, Resolve: f.do.resolve(f.name), Eval: f.do.eval, Family: "encryption", Doc: f.doc, Example: f.example})
	}
}

// cryption is one of the functions that encrypt or decrypt.
type cryption struct{ decrypt, try, mysql bool }

// cipherMode is a mode's name taken apart.
type cipherMode struct {
	name  string
	block string // ecb, cbc, …
	key   int    // bytes
}

func parseCipher(name string, mysql bool) (m cipherMode, err error) {
	m.name = name
	parts := strings.Split(name, "-")
	if len(parts) != 3 || parts[0] != "aes" {
		return m, sqlerr.New(sqlerr.BadArguments, "Invalid mode: %s", name)
	}
	m.key = map[string]int{"128": 16, "192": 24, "256": 32}[parts[1]]
	modes := []string{"ecb", "cbc", "ofb", "ctr", "gcm"}
	if m.block = parts[2]; mysql {
		modes = modes[:3]
	}
	switch {
	case m.key == 0:
		return m, sqlerr.New(sqlerr.BadArguments, "Invalid mode: %s", name)
	case strings.HasPrefix(m.block, "cfb"):
		return m, sqlerr.New(sqlerr.NotImplemented, "Mode %s is not supported: ecb, cbc, ofb, ctr and gcm are", name)
	case !slices.Contains(modes, m.block):
		return m, sqlerr.New(sqlerr.BadArguments, "Unsupported cipher mode: %s", name)
	}
	return m, nil
}

func (f cryption) resolve(name string) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if err := checkTypes(name, args, isStr); err != nil {
			return nil, err
		}
		mode, ok := constString(args, 0)
		if !ok {
			return nil, sqlerr.New(sqlerr.IllegalColumn, "The first argument of function %s must be a constant string: the mode", name)
		}
		m, err := parseCipher(mode, f.mysql)
		switch {
		case err != nil:
			return nil, err
		case len(args) > 3 && m.block == "ecb":
			return nil, sqlerr.New(sqlerr.BadArguments, "%s does not support IV", mode)
		case len(args) > 4 && m.block != "gcm":
			return nil, sqlerr.New(sqlerr.BadArguments, "AAD can be only set for GCM-mode")
		case f.try:
			return types.NewNullable(types.TString), nil
		}
		return types.TString, nil
	}
}

func (f cryption) eval(c *Call) (column.Vector, error) {
	name, _ := stringConst(c.Args[0])
	m, err := parseCipher(name, f.mysql)
	if err != nil {
		return nil, err
	}
	empty := stringsOf(&column.Const{Value: column.NewStrings(""), N: c.Rows})
	text, key, iv, aad := stringsOf(c.Args[1]), stringsOf(c.Args[2]), empty, empty
	if len(c.Args) > 3 {
		iv = stringsOf(c.Args[3])
	}
	if len(c.Args) > 4 {
		aad = stringsOf(c.Args[4])
	}
	out, nulls := column.NewStr(types.TString, c.Rows), make([]uint8, c.Rows)
	var block cipher.Block
	for i := range c.Rows {
		if block == nil || !key.isConst() {
			k, err := f.sized(key.row(i), m.key)
			if err != nil {
				return nil, err
			}
			if block, err = aes.NewCipher(k); err != nil {
				return nil, sqlerr.Wrap(err, sqlerr.BadArguments, "key of mode %s", name)
			}
		}
		vector, err := f.vector(iv.row(i), m)
		if err != nil {
			return nil, err
		}
		n := len(out.Data)
		if out.Data, err = f.apply(out.Data, block, m, text.row(i), vector, aad.row(i)); err != nil {
			if !f.try {
				return nil, err
			}
			out.Data, nulls[i] = out.Data[:n], 1
		}
		if err := c.endBounded(out, "encrypt"); err != nil {
			return nil, err
		}
	}
	if f.try {
		return column.NewNullable(nulls, out), nil
	}
	return out, nil
}

// sized is a key of n bytes: MySQL folds a longer one.
func (f cryption) sized(key []byte, n int) ([]byte, error) {
	if len(key) < n || len(key) > n && !f.mysql {
		return nil, sqlerr.New(sqlerr.BadArguments, "Invalid key size: %d expected %d", len(key), n)
	}
	folded := slices.Clone(key[:n])
	for i, b := range key[n:] {
		folded[i%n] ^= b
	}
	return folded, nil
}

// vector is the initialization vector as the mode takes it: zeros if there is none, except of gcm.
func (f cryption) vector(iv []byte, m cipherMode) ([]byte, error) {
	switch {
	case m.block == "ecb":
		return nil, nil
	case m.block == "gcm":
		if len(iv) == 0 {
			return nil, sqlerr.New(sqlerr.BadArguments, "Invalid IV size 0 != expected size 12")
		}
		return iv, nil
	case len(iv) == 0:
		return make([]byte, aes.BlockSize), nil
	case len(iv) < aes.BlockSize || len(iv) > aes.BlockSize && !f.mysql:
		return nil, sqlerr.New(sqlerr.BadArguments, "Invalid IV size: %d expected %d", len(iv), aes.BlockSize)
	}
	return iv[:aes.BlockSize], nil
}

func (f cryption) apply(dst []byte, block cipher.Block, m cipherMode, text, iv, aad []byte) ([]byte, error) {
	if f.decrypt && len(text) == 0 {
		return dst, nil
	}
	switch m.block {
	case "gcm":
		return f.gcm(dst, block, text, iv, aad)
	case "ctr":
		return append(dst, streamed(cipher.NewCTR(block, iv), text)...), nil
	case "ofb":
		return append(dst, streamed(&ofb{block: block, state: slices.Clone(iv)}, text)...), nil
	}
	if f.decrypt {
		return unblocked(dst, block, iv, text)
	}
	return blocked(dst, block, iv, text), nil
}

func streamed(s cipher.Stream, text []byte) []byte {
	out := make([]byte, len(text))
	s.XORKeyStream(out, text)
	return out
}

// ofb is output feedback: the state encrypted again and again is the key stream.
type ofb struct {
	block cipher.Block
	state []byte
}

func (o *ofb) XORKeyStream(dst, src []byte) {
	for len(src) > 0 {
		o.block.Encrypt(o.state, o.state)
		for i := range min(len(src), len(o.state)) {
			dst[i] = src[i] ^ o.state[i]
		}
		n := min(len(src), len(o.state))
		dst, src = dst[n:], src[n:]
	}
}

// gcm appends the tag to what it encrypts, and checks it of what it decrypts.
func (f cryption) gcm(dst []byte, block cipher.Block, text, iv, aad []byte) ([]byte, error) {
	aead, err := cipher.NewGCMWithNonceSize(block, len(iv))
	if err != nil {
		return dst, sqlerr.Wrap(err, sqlerr.BadArguments, "IV of %d bytes", len(iv))
	}
	if !f.decrypt {
		return aead.Seal(dst, iv, text, aad), nil
	}
	if len(text) < aead.Overhead() {
		return dst, sqlerr.New(sqlerr.BadArguments, "Encrypted data is smaller than the size of additional data for AEAD mode, cannot decrypt")
	}
	out, err := aead.Open(dst, iv, text, aad)
	if err != nil {
		return dst, sqlerr.New(sqlerr.OpenSSLError, "Cannot decrypt: the authentication tag does not match")
	}
	return out, nil
}

// blocked encrypts whole blocks, padded as PKCS #7 has it; with iv chained.
func blocked(dst []byte, block cipher.Block, iv, text []byte) []byte {
	n, pad := len(dst), aes.BlockSize-len(text)%aes.BlockSize
	dst = append(append(dst, text...), bytes.Repeat([]byte{byte(pad)}, pad)...)
	if iv != nil {
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(dst[n:], dst[n:])
		return dst
	}
	for b := dst[n:]; len(b) > 0; b = b[aes.BlockSize:] {
		block.Encrypt(b, b)
	}
	return dst
}

func unblocked(dst []byte, block cipher.Block, iv, text []byte) ([]byte, error) {
	if len(text)%aes.BlockSize != 0 {
		return dst, sqlerr.New(sqlerr.OpenSSLError, "Cannot decrypt: data size %d is not a multiple of the cipher block size %d", len(text), aes.BlockSize)
	}
	n := len(dst)
	out := append(dst, text...)
	if iv != nil {
		cipher.NewCBCDecrypter(block, iv).CryptBlocks(out[n:], out[n:])
	} else {
		for b := out[n:]; len(b) > 0; b = b[aes.BlockSize:] {
			block.Decrypt(b, b)
		}
	}
	pad := int(out[len(out)-1])
	if pad == 0 || pad > aes.BlockSize || bytes.Count(out[len(out)-pad:], []byte{byte(pad)}) != pad {
		return dst, sqlerr.New(sqlerr.OpenSSLError, "Cannot decrypt: the padding is wrong")
	}
	return out[:len(out)-pad], nil
}
