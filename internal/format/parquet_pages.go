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
	"github.com/olapd/olapd/internal/kernel"
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
	at, end int64      // in the file
	window  *readAhead // file, if it is distant
	body    []byte     // of the page at hand, as in the file
	raw     []byte     // of it, decompressed
}

// maxParquetAhead bounds what all columns of a distant file hold of bytes read ahead, minParquetAhead is what one has even so.
const (
	maxParquetAhead = 32 << 20
	minParquetAhead = 64 << 10
)

// pagesOf returns the pages that m describes.
func pagesOf(in *randomInput, m *pqformat.ColumnMetaData) (*parquetPages, error) {
	start := m.DataPageOffset
	if m.DictionaryPageOffset > 0 && m.DictionaryPageOffset < start {
		start = m.DictionaryPageOffset
	}
	if start < 0 || m.TotalCompressedSize < 0 || start > in.size || m.TotalCompressedSize > in.size-start {
		return nil, fmt.Errorf("pages at %d of %d bytes in a file of %d", start, m.TotalCompressedSize, in.size)
	}
	p := &parquetPages{file: in, codec: m.Codec, at: start, end: start + m.TotalCompressedSize}
	if in.ahead > 0 {
		p.window = &readAhead{file: in, end: p.end, size: in.ahead}
		p.file = p.window
	}
	return p, nil
}

// next reads the next page: its header and its bytes as they were before they were compressed, good until the next call. io.EOF
// behind the last.
func (p *parquetPages) next() (*pqformat.PageHeader, []byte, error) {
	if p.at == p.end {
		return nil, nil, io.EOF
	}
	h, err := p.header()
	if err != nil {
		return nil, nil, err
	}
	plain := 0 // bytes in front of those that are compressed: a page of version 2 has its levels there
	if v2 := &h.DataPageHeaderV2.V; h.DataPageHeaderV2.Valid {
		plain = int(v2.RepetitionLevelsByteLength) + int(v2.DefinitionLevelsByteLength)
		if v2.IsCompressed.Valid && !v2.IsCompressed.V {
			plain = len(p.body)
		}
	}
	size := int(h.UncompressedPageSize)
	if plain < 0 || plain > min(len(p.body), size) {
		return nil, nil, fmt.Errorf("a page of %d bytes, %d decompressed, with %d of levels", len(p.body), size, plain)
	}
	if p.codec == pqformat.Uncompressed || plain == len(p.body) {
		if len(p.body) != size {
			return nil, nil, fmt.Errorf("a page of %d bytes that should have %d", len(p.body), size)
		}
		return h, p.body, nil
	}
	p.raw = replaced(p.raw, size)
	copy(p.raw, p.body[:plain])
	if plain < size {
		err = p.decompress(p.raw[plain:], p.body[plain:])
	}
	return h, p.raw, err
}

// close gives the memory of the page at hand back.
func (p *parquetPages) close() {
	kernel.Recycle(p.body)
	kernel.Recycle(p.raw)
	if p.window != nil {
		kernel.Recycle(p.window.held)
		p.window.held = nil
	}
	p.body, p.raw = nil, nil
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
	p.body = replaced(p.body, int(h.CompressedPageSize))
	if _, err := p.file.ReadAt(p.body, body); err != nil && err != io.EOF {
		return nil, err
	}
	if h.CRC != 0 && uint32(h.CRC) != crc32.ChecksumIEEE(p.body) {
		return nil, fmt.Errorf("page at %d: checksum mismatch", p.at)
	}
	p.at = body + int64(h.CompressedPageSize)
	return h, nil
}

// replaced returns n bytes of any value, those of b where they are enough.
func replaced(b []byte, n int) []byte {
	if cap(b) < n {
		kernel.Recycle(b)
		return kernel.Dirty[byte](n)
	}
	return b[:n]
}

// decompress fills dst with what src was compressed from.
func (p *parquetPages) decompress(dst, src []byte) error {
	switch p.codec {
	case pqformat.Zstd:
		return compress.Decompress(dst, compress.ZSTD, src)
	case pqformat.Lz4Raw:
		return compress.Decompress(dst, compress.LZ4, src)
	case pqformat.Snappy:
		if n, k := binary.Uvarint(src); k <= 0 || n != uint64(len(dst)) {
			return fmt.Errorf("a page of %d bytes that should have %d", n, len(dst))
		}
		_, err := new(snappy.Codec).Decode(dst, src)
		return err
	case pqformat.Gzip:
		r, err := compress.NewReader(bytes.NewReader(src), compress.Gzip)
		if err != nil {
			return err
		}
		defer r.Close()
		return exactly(r, dst)
	case pqformat.Brotli:
		return exactly(brotli.NewReader(bytes.NewReader(src)), dst)
	}
	return sqlerr.New(sqlerr.NotImplemented, "Compression %s of Parquet is not supported", p.codec)
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
