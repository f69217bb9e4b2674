package format

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/parquet-go/parquet-go/compress/snappy"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	pqformat "github.com/parquet-go/parquet-go/format"
)

// parquetPages are the pages of a leaf in one row group, as bytes that are not compressed. They are read and decompressed here,
// within the limits, where the library takes any size that a few bytes announce (and tries a broken LZ4 page for ever).
type parquetPages struct {
	file    io.ReaderAt
	codec   pqformat.CompressionCodec
	at, end int64  // in the file
	from    int64  // the offset of out[0] among the bytes handed out
	out     []byte // the page at hand: its header as it is without compression, and its body
	body    []byte // of it, as in the file
	raw     []byte // of it, decompressed
}

// pagesOf returns the pages that m describes.
func pagesOf(in *randomInput, m *pqformat.ColumnMetaData) (*parquetPages, error) {
	start := m.DataPageOffset
	if m.DictionaryPageOffset > 0 && m.DictionaryPageOffset < start {
		start = m.DictionaryPageOffset
	}
	if start < 0 || m.TotalCompressedSize < 0 || start > in.size || m.TotalCompressedSize > in.size-start {
		return nil, fmt.Errorf("pages at %d of %d bytes in a file of %d", start, m.TotalCompressedSize, in.size)
	}
	return &parquetPages{file: in, codec: m.Codec, at: start, end: start + m.TotalCompressedSize}, nil
}

// ReadAt implements io.ReaderAt for a reader that goes from 0 to the end.
func (p *parquetPages) ReadAt(b []byte, off int64) (int, error) {
	if off < p.from {
		return 0, fmt.Errorf("a page of codes without a dictionary in front of it")
	}
	n := 0
	for n < len(b) {
		at := off + int64(n) - p.from
		if at < int64(len(p.out)) {
			n += copy(b[n:], p.out[at:])
			continue
		}
		p.from += int64(len(p.out))
		if p.at == p.end {
			p.out = p.out[:0]
			return n, io.EOF
		}
		if err := p.next(); err != nil {
			return n, err
		}
	}
	return n, nil
}

// next makes the next page of the file the one at hand.
func (p *parquetPages) next() error {
	h, err := p.header()
	if err != nil {
		return err
	}
	plain := 0 // bytes in front of those that are compressed: a page of version 2 has its levels there
	if v2 := &h.DataPageHeaderV2.V; h.DataPageHeaderV2.Valid {
		plain = int(v2.RepetitionLevelsByteLength) + int(v2.DefinitionLevelsByteLength)
		if v2.IsCompressed.Valid && !v2.IsCompressed.V {
			plain = len(p.body)
		}
		v2.IsCompressed.Valid, v2.IsCompressed.V = true, false
	}
	if plain < 0 || plain > min(len(p.body), int(h.UncompressedPageSize)) {
		return fmt.Errorf("a page of %d bytes, %d decompressed, with %d of levels", len(p.body), h.UncompressedPageSize, plain)
	}
	raw, err := p.decompress(p.body[plain:], int(h.UncompressedPageSize)-plain)
	if err != nil {
		return err
	}
	h.CompressedPageSize, h.CRC = h.UncompressedPageSize, 0
	var protocol thrift.CompactProtocol
	head, err := thrift.Marshal(&protocol, *h)
	if err != nil {
		return err
	}
	p.out = append(append(append(p.out[:0], head...), p.body[:plain]...), raw...)
	return nil
}

// parquetHeaderRead is the buffer for a page's header, which is some 20 to 100 bytes; long minima and maxima read on.
const parquetHeaderRead = 512

// header reads the header of the page at hand and its body, and goes on to the next.
func (p *parquetPages) header() (*pqformat.PageHeader, error) {
	section := io.NewSectionReader(p.file, p.at, p.end-p.at)
	buffered := bufio.NewReaderSize(section, parquetHeaderRead)
	var protocol thrift.CompactProtocol
	h := &pqformat.PageHeader{}
	if err := thrift.NewDecoder(protocol.NewReader(buffered)).Decode(h); err != nil {
		return nil, fmt.Errorf("page at %d: %w", p.at, err)
	}
	values := max(h.DataPageHeader.V.NumValues, h.DataPageHeaderV2.V.NumValues, h.DictionaryPageHeader.V.NumValues)
	least := min(h.DataPageHeader.V.NumValues, h.DataPageHeaderV2.V.NumValues, h.DictionaryPageHeader.V.NumValues, h.CompressedPageSize, h.UncompressedPageSize)
	if least < 0 || h.UncompressedPageSize > maxParquetPage || values > maxParquetPageValues {
		return nil, fmt.Errorf("page at %d of %d bytes, %d decompressed, with %d values: the limits are %d and %d", p.at,
			h.CompressedPageSize, h.UncompressedPageSize, values, maxParquetPage, maxParquetPageValues)
	}
	read, err := section.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	body := p.at + read - int64(buffered.Buffered())
	if int64(h.CompressedPageSize) > p.end-body {
		return nil, fmt.Errorf("page at %d of %d bytes ends behind its column", p.at, h.CompressedPageSize)
	}
	p.body = resized(p.body, int(h.CompressedPageSize))
	if _, err := p.file.ReadAt(p.body, body); err != nil && err != io.EOF {
		return nil, err
	}
	if h.CRC != 0 && uint32(h.CRC) != crc32.ChecksumIEEE(p.body) {
		return nil, fmt.Errorf("page at %d: checksum mismatch", p.at)
	}
	p.at = body + int64(h.CompressedPageSize)
	return h, nil
}

// resized returns n bytes, those of b where they are enough.
func resized(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// decompress returns src decompressed: exactly size bytes, valid until the next call.
func (p *parquetPages) decompress(src []byte, size int) ([]byte, error) {
	if p.codec == pqformat.Uncompressed {
		if len(src) != size {
			return nil, fmt.Errorf("a page of %d bytes that should have %d", len(src), size)
		}
		return src, nil
	}
	p.raw = resized(p.raw, size)
	if size == 0 {
		return p.raw, nil
	}
	switch p.codec {
	case pqformat.Zstd:
		return p.raw, compress.Decompress(p.raw, compress.ZSTD, src)
	case pqformat.Lz4Raw:
		return p.raw, compress.Decompress(p.raw, compress.LZ4, src)
	case pqformat.Snappy:
		if n, k := binary.Uvarint(src); k <= 0 || n != uint64(size) {
			return nil, fmt.Errorf("a page of %d bytes that should have %d", n, size)
		}
		return new(snappy.Codec).Decode(p.raw, src)
	case pqformat.Gzip:
		r, err := compress.NewReader(bytes.NewReader(src), compress.Gzip)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return p.raw, exactly(r, p.raw)
	case pqformat.Brotli:
		return p.raw, exactly(brotli.NewReader(bytes.NewReader(src)), p.raw)
	}
	return nil, sqlerr.New(sqlerr.NotImplemented, "Compression %s of Parquet is not supported", p.codec)
}

// exactly fills dst, at which r must end.
func exactly(r io.Reader, dst []byte) error {
	if _, err := io.ReadFull(r, dst); err != nil {
		return fmt.Errorf("a page shorter than the %d bytes announced: %w", len(dst), err)
	}
	var more [1]byte
	if n, err := r.Read(more[:]); n > 0 || err != io.EOF {
		return fmt.Errorf("a page longer than the %d bytes announced", len(dst))
	}
	return nil
}
