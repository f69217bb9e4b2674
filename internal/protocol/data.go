package protocol

import (
	"encoding/binary"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/compress"
	"github.com/olapd/olapd/internal/format"
)

// Data is a block with the name of its table: empty for rows of a result or an INSERT.
type Data struct {
	Table  string
	Schema column.Schema
	Block  *column.Block
}

// Empty reports whether it is the block that ends a run of them.
func (d Data) Empty() bool { return len(d.Schema) == 0 && d.Block.N == 0 }

// ReadData reads a block behind its packet's kind: that of Data, Totals, Extremes, Scalar, and uncompressed of Log and ProfileEvents.
func (r *Reader) ReadData(revision int, compressed bool) (Data, error) {
	d := Data{Table: r.Name()}
	d.Schema, d.Block = r.Block(revision, compressed)
	return d, r.err
}

// Encoder appends blocks and keeps its memory between them. One goroutine at a time.
type Encoder struct {
	Revision int
	// Compress puts blocks in frames of Codec.
	Compress bool
	Codec    compress.Codec
	// Native is how values with types of their own are written.
	Native format.NativeForm
	raw    []byte
}

// keepRaw is how much memory an Encoder keeps between blocks.
const keepRaw = 1 << 20

// maxFrame is the raw bytes of a frame, as ClickHouse's max_compress_block_size.
const maxFrame = 1 << 20

// AppendData appends a block as a packet of the given kind, which is a ClientPacket or a ServerPacket.
func (e *Encoder) AppendData(dst []byte, kind uint64, d Data) ([]byte, error) {
	dst = appendString(binary.AppendUvarint(dst, kind), d.Table)
	if !e.Compress {
		return format.AppendNativeBlock(dst, d.Schema, d.Block, e.Revision, e.Native)
	}
	raw, err := format.AppendNativeBlock(e.raw[:0], d.Schema, d.Block, e.Revision, e.Native)
	if err != nil {
		return nil, err
	}
	if e.raw = raw; cap(raw) > keepRaw {
		e.raw = nil
	}
	for len(raw) > 0 {
		n := min(len(raw), maxFrame)
		if dst, err = compress.AppendFrame(dst, e.Codec, raw[:n]); err != nil {
			return nil, err
		}
		raw = raw[n:]
	}
	return dst, nil
}

// AppendPlain is AppendData for Log and ProfileEvents, which are never compressed.
func (e *Encoder) AppendPlain(dst []byte, kind uint64, d Data) ([]byte, error) {
	plain := Encoder{Revision: e.Revision}
	return plain.AppendData(dst, kind, d)
}

// EndOfData is the block that ends a run of them.
func EndOfData() Data { return Data{Block: &column.Block{}} }
