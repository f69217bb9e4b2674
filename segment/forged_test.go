package segment

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/olapd/olapd/internal/vfs"
	"github.com/zeebo/xxh3"
)

// chunkList is where the bodies of a segment's chunks lie, the footer last.
func chunkList(t testing.TB, b []byte) []ref {
	footer, _, err := parseTrailer(b[len(b)-trailerSize:], "", int64(len(b)), b[headSize-1])
	if err != nil {
		t.Fatal(err)
	}
	// Chunks lie end to end; their lengths are found by their checksums.
	var out []ref
	for at := int64(headSize); at < footer.off; {
		n := 0
		for ; ; n++ {
			end := at + int64(n)
			if end+sumSize > footer.off {
				t.Fatalf("no chunk at %d", at)
			}
			if checksum(b[at:end], at) == binary.LittleEndian.Uint64(b[end:]) {
				break
			}
		}
		out = append(out, ref{at, n})
		at += int64(n) + sumSize
	}
	return append(out, footer)
}

// forge makes a segment's checksums right again after a change to one chunk.
func forge(b []byte, chunk, footer ref) {
	end := chunk.off + int64(chunk.len)
	binary.LittleEndian.PutUint64(b[end:], checksum(b[chunk.off:end], chunk.off))
	tail := len(b) - trailerSize
	copy(b[tail:], appendTrailer(nil, footer, xxh3.Hash128(b[:tail]), int(b[headSize-1])))
}

// TestForgedChunks changes bytes and makes the checksums fit: whatever the lengths and counts say then, there may be
// errors and other values, but no panic and no endless loop.
func TestForgedChunks(t *testing.T) {
	for name, make := range smallFiles {
		t.Run(name, func(t *testing.T) { testForged(t, make) })
	}
}

func testForged(t *testing.T, make func(testing.TB, vfs.FS, string) *table) {
	fs, path := vfs.NewMem(), "/s"
	tab := make(t, fs, path)
	good, err := vfs.ReadFile(fs, path)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(11, 11))
	list := chunkList(t, good)
	refused := 0
	for round := range 800 / len(smallFiles) {
		c := list[r.IntN(len(list))]
		if c.len == 0 {
			continue
		}
		bad := bytes.Clone(good)
		note := ""
		for range 1 + r.IntN(2) {
			at := c.off + int64(r.IntN(c.len))
			bad[at] = []byte{0, 1, 0x7f, 0xff, bad[at] + 1, bad[at] ^ 0x80, '9', '-'}[r.IntN(8)]
			note += fmt.Sprintf(" %d:%02x", at, bad[at])
		}
		forge(bad, c, list[len(list)-1])
		put(t, fs, path, bad)
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("round %d, chunk of %d bytes at %d, bytes%s: panic: %v", round, c.len, c.off, note, p)
					panic(p)
				}
			}()
			if _, err := useAll(fs, path, tab.block.N); err != nil {
				refused++
			}
		}()
	}
	t.Logf("%d refused", refused)
}

func FuzzOpen(f *testing.F) {
	for _, make := range smallFiles {
		fs := vfs.NewMem()
		make(f, fs, "/s")
		good, err := vfs.ReadFile(fs, "/s")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(good, uint32(100), uint8(3))
	}
	f.Fuzz(func(t *testing.T, b []byte, at uint32, to uint8) {
		if len(b) < headSize+trailerSize {
			return
		}
		footer, _, err := parseTrailer(b[len(b)-trailerSize:], "", int64(len(b)), b[headSize-1])
		if err == nil { // a file with right frames: change a byte and keep it right
			b = bytes.Clone(b)
			b[int(at)%len(b)] = to
			forge(b, footer, footer)
		}
		fs := vfs.NewMem()
		put(t, fs, "/s", b)
		_, _ = useAll(fs, "/s", 60)
	})
}
