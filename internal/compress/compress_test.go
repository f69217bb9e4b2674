package compress

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/olapd/olapd/internal/sqlerr"
)

// inputs are raw bytes of many lengths, compressible and not.
func inputs() [][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	var out [][]byte
	for _, n := range []int{0, 1, 11, 12, 13, 14, 15, 16, 17, 100, 269, 270, 271, 4096, 65536, 1<<20 + 17} {
		noise := make([]byte, n)
		for i := range noise {
			noise[i] = byte(rng.Uint32())
		}
		out = append(out, noise, bytes.Repeat([]byte("abcdefg "), n/8+1)[:n], make([]byte, n))
	}
	return out
}

func TestBlockRoundTrip(t *testing.T) {
	for _, c := range []Codec{None, LZ4, ZSTD} {
		for _, raw := range inputs() {
			prefix := []byte("prefix")
			comp, err := AppendCompress(bytes.Clone(prefix), c, raw)
			if err != nil || !bytes.HasPrefix(comp, prefix) {
				t.Fatalf("%s of %d bytes: %v", c, len(raw), err)
			}
			comp = comp[len(prefix):]
			if len(comp) > Bound(c, len(raw)) {
				t.Fatalf("%s of %d bytes takes %d, over its bound %d", c, len(raw), len(comp), Bound(c, len(raw)))
			}
			got := make([]byte, len(raw))
			if err := Decompress(got, c, comp); err != nil || !bytes.Equal(got, raw) {
				t.Fatalf("%s of %d bytes does not come back: %v", c, len(raw), err)
			}
			if err := Decompress(make([]byte, len(raw)+1), c, comp); !sqlerr.Is(err, sqlerr.CannotDecompress) {
				t.Fatalf("%s of %d bytes into one more: %v", c, len(raw), err)
			}
			if len(raw) > 0 {
				if err := Decompress(make([]byte, len(raw)-1), c, comp); !sqlerr.Is(err, sqlerr.CannotDecompress) {
					t.Fatalf("%s of %d bytes into one less: %v", c, len(raw), err)
				}
			}
		}
	}
}

// TestFrameGolden reads frames that ClickHouse 26.7 wrote (column files of Log tables) and, where the
// compressed bytes are determined, writes the same.
func TestFrameGolden(t *testing.T) {
	want := bytes.Repeat([]byte("\x1dhello hello hello hello hello"), 3)
	frames := map[Codec]string{
		None: "c47ab910d8108701c7f70ac99c9d1bcf" + // CityHash128, low then high
			"02" + "63000000" + "5a000000" + // method, size, raw size
			hex.EncodeToString(want),
		LZ4: "096cb6fa49c7c72982e8bcf17148e250" + "82" + "1e000000" + "5a000000" +
			"7f1d68656c6c6f200600040f1e00245068656c6c6f",
		ZSTD: "de59887e179349f8bfadd4f3c65359c1" + "90" + "2b000000" + "5a000000" +
			"28b52ffd205acd0000581d68656c6c6f201d201d200500a00a100e54060491ba1801",
	}
	for c, text := range frames {
		frame, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(NewFrameReader(bytes.NewReader(frame)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %q, %v", c, got, err)
		}
	}
	if got, err := AppendFrame(nil, None, want); err != nil || hex.EncodeToString(got) != frames[None] {
		t.Errorf("stored frame: %x, %v", got, err)
	}
}

func TestFrameStream(t *testing.T) {
	for _, c := range []Codec{None, LZ4, ZSTD} {
		var file bytes.Buffer
		w := NewFrameWriter(&file, c)
		var want []byte
		for i, raw := range inputs() {
			want = append(want, raw...)
			if _, err := w.Write(raw); err != nil {
				t.Fatal(err)
			}
			if i%3 == 0 {
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(NewFrameReader(iotest.OneByteReader(bytes.NewReader(file.Bytes()))))
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s: %d bytes of %d: %v", c, len(got), len(want), err)
		}
	}
}

func TestFrameErrors(t *testing.T) {
	good, err := AppendFrame(nil, LZ4, bytes.Repeat([]byte("hello "), 20))
	if err != nil {
		t.Fatal(err)
	}
	read := func(b []byte) error {
		_, err := io.ReadAll(NewFrameReader(bytes.NewReader(b)))
		return err
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x10
		if err := read(bad); !sqlerr.Is(err, sqlerr.ChecksumDoesntMatch) && !sqlerr.Is(err, sqlerr.CannotDecompress) && !sqlerr.Is(err, sqlerr.TooLargeSizeCompressed) {
			t.Fatalf("byte %d flipped: %v", i, err)
		}
		if err := read(good[:i]); i > 0 && !sqlerr.Is(err, sqlerr.CannotDecompress) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	bad := bytes.Clone(good)
	bad[0]++
	if err := read(bad); !sqlerr.Is(err, sqlerr.ChecksumDoesntMatch) {
		t.Fatalf("wrong hash: %v", err)
	}
	sentinel := errors.New("connection reset")
	if _, err := io.ReadAll(NewFrameReader(io.MultiReader(bytes.NewReader(good[:20]), iotest.ErrReader(sentinel)))); !errors.Is(err, sentinel) {
		t.Fatalf("error of the source: %v", err)
	}
}

func TestCodings(t *testing.T) {
	for _, c := range append([]Coding{Identity}, Codings...) {
		t.Run(fmt.Sprintf("%q", string(c)), func(t *testing.T) {
			var file bytes.Buffer
			w, err := NewWriter(&file, c)
			if err != nil {
				t.Fatal(err)
			}
			var want []byte
			for _, raw := range inputs() {
				want = append(want, raw...)
				if _, err := w.Write(raw); err != nil {
					t.Fatal(err)
				}
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			got, err := decode(file.Bytes(), c)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes of %d: %v", len(got), len(want), err)
			}
			if c == Identity {
				return
			}
			if _, err := decode(file.Bytes()[:file.Len()/2], c); !sqlerr.Is(err, sqlerr.CannotDecompress) {
				t.Fatalf("cut in half: %v", err)
			}
			if _, err := decode([]byte("this is not compressed at all"), c); !sqlerr.Is(err, sqlerr.CannotDecompress) {
				t.Fatalf("garbage: %v", err)
			}
			if got, err := decode(nil, c); err != nil || len(got) != 0 {
				t.Fatalf("empty body: %v", err)
			}
		})
	}
	if _, err := NewReader(strings.NewReader(""), "br"); !sqlerr.Is(err, sqlerr.NotImplemented) {
		t.Fatalf("br: %v", err)
	}
}

func decode(b []byte, c Coding) ([]byte, error) {
	r, err := NewReader(bytes.NewReader(b), c)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func FuzzDecompress(f *testing.F) {
	for c := None; c <= ZSTD; c++ {
		b, _ := AppendCompress(nil, c, []byte("hello hello hello hello"))
		f.Add(uint8(c), uint16(23), b)
	}
	f.Fuzz(func(t *testing.T, c uint8, n uint16, src []byte) {
		_ = Decompress(make([]byte, n), Codec(c), src)
	})
}

func FuzzFrameReader(f *testing.F) {
	for c := None; c <= ZSTD; c++ {
		b, _ := AppendFrame(nil, c, []byte("hello hello hello hello"))
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = io.Copy(io.Discard, NewFrameReader(bytes.NewReader(b)))
	})
}

func BenchmarkLZ4(b *testing.B) {
	raw := bytes.Repeat([]byte("http://example.com/page?id=12345&"), 2000)
	comp, _ := AppendCompress(nil, LZ4, raw)
	b.Run("compress", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			comp, _ = AppendCompress(comp[:0], LZ4, raw)
		}
	})
	b.Run("decompress", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			_ = Decompress(raw, LZ4, comp)
		}
	})
}
