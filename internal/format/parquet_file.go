package format

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	pqformat "github.com/parquet-go/parquet-go/format"
)

// parquetFile is the metadata of a file: the library's tree of columns, and where the pages are.
type parquetFile struct {
	*parquet.File
	groups []pqformat.RowGroup
}

// parquetTail is the length of a file's end: the length of the metadata, and the magic.
const parquetTail = 8

const parquetMagic = "PAR1"

// openParquet reads a file's metadata.
func openParquet(in *randomInput) (*parquetFile, error) {
	if in.size < int64(len(parquetMagic))+parquetTail {
		return nil, fmt.Errorf("the file is too short: %d bytes", in.size)
	}
	var tail [parquetTail]byte
	if _, err := in.ReadAt(tail[:], in.size-parquetTail); err != nil && err != io.EOF {
		return nil, err
	}
	if string(tail[4:]) != parquetMagic {
		return nil, fmt.Errorf("the file ends with %q", tail[4:])
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	if n > maxParquetFooter || n > in.size-parquetTail {
		return nil, fmt.Errorf("bad size of the metadata: %d bytes", n)
	}
	footer := make([]byte, n)
	if _, err := in.ReadAt(footer, in.size-parquetTail-n); err != nil && err != io.EOF {
		return nil, err
	}
	f := &parquetFile{}
	return f, f.parse(footer)
}

// parse reads the metadata and has the library make its tree of it, as of a file without rows.
func (f *parquetFile) parse(footer []byte) error {
	var protocol thrift.CompactProtocol
	var meta pqformat.FileMetaData
	if err := thrift.NewDecoder(protocol.NewReaderFromBytes(footer)).Decode(&meta); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	f.groups, meta.RowGroups = meta.RowGroups, nil
	text, err := thrift.Marshal(&protocol, meta)
	if err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	file := append([]byte(parquetMagic), text...)
	file = append(binary.LittleEndian.AppendUint32(file, uint32(len(text))), parquetMagic...)
	f.File, err = parquet.OpenFile(bytes.NewReader(file), int64(len(file)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	return err
}

// pages are those of a leaf in a row group.
func (f *parquetFile) pages(in *randomInput, group, leaf int) (*parquetPages, error) {
	if leaf >= len(f.groups[group].Columns) {
		return nil, fmt.Errorf("row group %d has no column %d", group, leaf)
	}
	return pagesOf(in, &f.groups[group].Columns[leaf].MetaData)
}
