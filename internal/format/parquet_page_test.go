package format

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/rle"
)

// What the library encodes is decoded, of every width, and no prefix of it passes for more than it holds.
func TestParquetHybrid(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for width := 1; width <= 32; width++ {
		var want []int32
		for len(want) < 3000 {
			v := int32(rnd.Uint32() & (1<<width - 1))
			want = append(want, slices.Repeat([]int32{v}, 1+rnd.IntN(2)*rnd.IntN(60))...)
		}
		src, err := (&rle.Encoding{BitWidth: width}).EncodeInt32(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{len(want), len(want) - 1, 1001, 9, 1} {
			got := make([]uint32, n)
			if err := readHybrid(got, src, width); err != nil {
				t.Fatalf("%d numbers of %d bits: %v", n, width, err)
			}
			for i := range got {
				if got[i] != uint32(want[i]) {
					t.Fatalf("number %d of %d bits is %d, not %d", i, width, got[i], want[i])
				}
			}
		}
		for cut := range min(len(src), 200) {
			if err := readHybrid(make([]uint32, len(want)), src[:cut], width); err != io.ErrUnexpectedEOF {
				t.Fatalf("%d of %d bytes: %v", cut, len(src), err)
			}
		}
	}
}

func TestParquetLevels(t *testing.T) {
	for _, c := range []struct {
		src  string
		n    int
		most byte
		want string // error, or levels
	}{
		{"\x0a\x01", 5, 1, "[]"},
		{"\x0a\x01", 6, 1, "unexpected EOF"},
		{"\x0a\x00", 5, 1, "[0 0 0 0 0]"},
		{"\x04\x02\x03\x24\x00", 4, 2, "[2 2 0 1]"},
		{"\x03\x06", 8, 1, "[0 1 1 0 0 0 0 0]"},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", 1, 1, "unexpected EOF"},
		{"", 1, 1, "unexpected EOF"},
	} {
		levels, err := parquetLevels([]byte(c.src), c.n, c.most)
		got := fmt.Sprint(levels)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q: %s, want %s", c.src, got, c.want)
		}
	}
}

// Every encoding, version of pages and compression that the library writes is read, NULLs and a dictionary given up half-way included.
func TestParquetEncodings(t *testing.T) {
	type row struct {
		Plain   string  `parquet:"plain"`
		Dict    string  `parquet:"dict,dict"`
		Opt     *string `parquet:"opt,optional,dict,snappy"`
		Delta   string  `parquet:"delta,delta,gzip"`
		I       int64   `parquet:"i,delta,zstd"`
		Coded   int32   `parquet:"coded,dict,lz4"`
		Float   float64 `parquet:"float,split"`
		Flag    bool    `parquet:"flag"`
		Missing *int32  `parquet:"missing,optional"`
	}
	var rows []row
	var want strings.Builder
	for i := range 5000 {
		text := strings.Repeat("x", i%7) + fmt.Sprint(i%100)
		r := row{Plain: text, Dict: text, Delta: text, I: int64(i * i), Coded: int32(i % 13), Float: float64(i) / 4, Flag: i%3 == 0}
		opt := "null"
		if i%5 != 0 || i < 1500 { // the first pages hold no NULL
			r.Opt, opt = &text, `"`+text+`"`
		}
		rows = append(rows, r)
		fmt.Fprintf(&want, `{"plain":%q,"dict":%q,"opt":%s,"delta":%q,"i":%d,"coded":%d,"float":%v,"flag":%v,"missing":null}`+"\n",
			text, text, opt, text, i*i, i%13, r.Float, r.Flag)
	}
	s := schemaOf(t, "plain", "String", "dict", "String", "opt", "Nullable(String)", "delta", "String", "i", "Int64", "coded", "Int32", "float", "Float64",
		"flag", "Bool", "missing", "Nullable(Int32)")
	for version := 1; version <= 2; version++ {
		for _, dictionary := range []int64{0, 300} { // of none, and of the bytes after which it is given up
			var file bytes.Buffer
			w := parquet.NewGenericWriter[row](&file, parquet.DataPageVersion(version), parquet.PageBufferSize(3000), parquet.MaxRowsPerRowGroup(3000),
				parquet.DictionaryMaxBytes(dictionary))
			if _, err := w.Write(rows); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			for _, block := range []int{777, 1 << 20} {
				got, err := readFile(t, "Parquet", file.Bytes(), s, parquetOptions(2), block)
				if err != nil || got != want.String() {
					t.Fatalf("version %d, dictionaries of %d, blocks of %d: %v\n%s", version, dictionary, block, err, firstDifference(got, want.String()))
				}
			}
		}
	}
}

// Strings behind lengths that go past the page, or past what a vector holds, are errors.
func TestParquetLengthStrings(t *testing.T) {
	for _, c := range []struct {
		src string
		n   int
		ok  bool
	}{
		{"\x01\x00\x00\x00a\x00\x00\x00\x00", 2, true},
		{"\x01\x00\x00\x00a\x00\x00\x00", 2, false},
		{"\x02\x00\x00\x00a", 1, false},
		{"\xff\xff\xff\xffa", 1, false},
		{"", 1, false},
	} {
		dst := column.NewStr(types.TString, 0)
		if err := readStrings(dst, &parquetBytes{data: []byte(c.src), behind: true, left: c.n}, 0, c.n); (err == nil) != c.ok {
			t.Errorf("%q: %v", c.src, err)
		}
	}
}
