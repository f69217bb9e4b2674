package raftlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"sort"
	"time"

	"github.com/hashicorp/raft"
)

// ErrCorrupt marks data that is not what was written.
var ErrCorrupt = errors.New("raftlog: corrupt")

const (
	version       = 1
	magic         = "olapdrl"
	fileHeader    = 40
	recordHeader  = 32
	recordAlign   = 8
	entryHeader   = 32
	deleteBytes   = 16
	checkpointMin = 24
	flagLast      = 1
)

type kind uint8

const (
	kindEntry kind = iota + 1
	kindMoved
	kindDelete
	kindSet
	kindCheckpoint
	kindCheckpointEnd
	kindDrop
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var le = binary.LittleEndian

// header is the first bytes of a file.
type header struct {
	number     uint64
	prevEnd    uint64
	firstBatch uint64
}

func (h header) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, version)
	dst = append(dst, magic...)
	dst = le.AppendUint64(dst, h.number)
	dst = le.AppendUint64(dst, h.prevEnd)
	dst = le.AppendUint64(dst, h.firstBatch)
	dst = le.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
	return le.AppendUint32(dst, 0)
}

func decodeHeader(b []byte) (header, error) {
	if len(b) < fileHeader {
		return header{}, fmt.Errorf("%w: file of %d bytes is shorter than its header", ErrCorrupt, len(b))
	}
	if string(b[1:8]) != magic {
		return header{}, fmt.Errorf("%w: not a Raft log file", ErrCorrupt)
	}
	if b[0] != version {
		return header{}, fmt.Errorf("raftlog: file format version %d, this olapd reads version %d", b[0], version)
	}
	if got, want := crc32.Checksum(b[:32], castagnoli), le.Uint32(b[32:]); got != want {
		return header{}, fmt.Errorf("%w: file header checksum %08x, stored %08x", ErrCorrupt, got, want)
	}
	return header{number: le.Uint64(b[8:]), prevEnd: le.Uint64(b[16:]), firstBatch: le.Uint64(b[24:])}, nil
}

// record is one decoded record; payload is a part of the buffer it was read from.
type record struct {
	batch   uint64
	group   uint64
	kind    kind
	last    bool
	size    int // bytes in the file, padding included
	payload []byte
}

func padded(n int) int { return (n + recordAlign - 1) &^ (recordAlign - 1) }

// beginRecord appends a header without batch and checksum; the payload is appended after it.
func beginRecord(dst []byte, group uint64, k kind) []byte {
	dst = append(dst, make([]byte, recordHeader)...)
	h := dst[len(dst)-recordHeader:]
	le.PutUint64(h[16:], group)
	h[24] = byte(k)
	return dst
}

// endRecord stores the payload's length of the record at start and pads it.
func endRecord(dst []byte, start int) []byte {
	n := len(dst) - start
	le.PutUint32(dst[start+4:], uint32(n-recordHeader))
	return append(dst, make([]byte, padded(n)-n)...)
}

// sealBatch gives all records in buf their batch number, the last one its flag, and the checksums.
func sealBatch(buf []byte, batch uint64) {
	for at := 0; at < len(buf); {
		r := buf[at:]
		n := recordHeader + int(le.Uint32(r[4:]))
		le.PutUint64(r[8:], batch)
		at += padded(n)
		if at >= len(buf) {
			r[25] |= flagLast
		}
		le.PutUint32(r, crc32.Checksum(r[4:n], castagnoli))
	}
}

// decodeRecord reads the record at the start of b. All zeros, or nothing at all, is errEnd.
func decodeRecord(b []byte) (record, error) {
	if len(b) < recordHeader {
		if isZero(b) {
			return record{}, errEnd
		}
		return record{}, fmt.Errorf("%w: %d bytes are too few for a record", ErrCorrupt, len(b))
	}
	if isZero(b[:recordHeader]) {
		return record{}, errEnd
	}
	length := le.Uint32(b[4:])
	if length > maxRecordBytes || int(length) > len(b)-recordHeader {
		return record{}, fmt.Errorf("%w: record of %d bytes where %d are left", ErrCorrupt, length, len(b)-recordHeader)
	}
	n := recordHeader + int(length)
	if got, want := crc32.Checksum(b[4:n], castagnoli), le.Uint32(b); got != want {
		return record{}, fmt.Errorf("%w: record checksum %08x, stored %08x", ErrCorrupt, got, want)
	}
	r := record{
		batch:   le.Uint64(b[8:]),
		group:   le.Uint64(b[16:]),
		kind:    kind(b[24]),
		last:    b[25]&flagLast != 0,
		size:    min(padded(n), len(b)),
		payload: b[recordHeader:n:n],
	}
	if r.kind < kindEntry || r.kind > kindDrop {
		return record{}, fmt.Errorf("%w: record of unknown kind %d", ErrCorrupt, r.kind)
	}
	return r, nil
}

// errEnd says that no record follows.
var errEnd = errors.New("raftlog: end of records")

func isZero(b []byte) bool {
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}

func appendEntry(dst []byte, group uint64, l *raft.Log) []byte {
	start := len(dst)
	dst = beginRecord(dst, group, kindEntry)
	dst = le.AppendUint64(dst, l.Index)
	dst = le.AppendUint64(dst, l.Term)
	var at int64
	if !l.AppendedAt.IsZero() {
		at = l.AppendedAt.UnixNano()
	}
	dst = le.AppendUint64(dst, uint64(at))
	dst = append(dst, byte(l.Type), 0, 0, 0)
	dst = le.AppendUint32(dst, uint32(len(l.Extensions)))
	dst = append(dst, l.Extensions...)
	dst = append(dst, l.Data...)
	return endRecord(dst, start)
}

func entryBytes(l *raft.Log) int {
	return padded(recordHeader + entryHeader + len(l.Extensions) + len(l.Data))
}

// decodeEntry fills l from an entry's payload; Extensions and Data are parts of it.
func decodeEntry(p []byte, l *raft.Log) error {
	if len(p) < entryHeader {
		return fmt.Errorf("%w: entry of %d bytes", ErrCorrupt, len(p))
	}
	ext := int(le.Uint32(p[28:]))
	if ext > len(p)-entryHeader {
		return fmt.Errorf("%w: entry with %d bytes of extensions in %d", ErrCorrupt, ext, len(p))
	}
	*l = raft.Log{Index: le.Uint64(p), Term: le.Uint64(p[8:]), Type: raft.LogType(p[24])}
	if at := int64(le.Uint64(p[16:])); at != 0 {
		l.AppendedAt = time.Unix(0, at)
	}
	body := p[entryHeader:]
	if ext > 0 {
		l.Extensions = body[:ext:ext]
	}
	if len(body) > ext {
		l.Data = body[ext:]
	}
	return nil
}

func appendDelete(dst []byte, group, first, last uint64) []byte {
	start := len(dst)
	dst = beginRecord(dst, group, kindDelete)
	dst = le.AppendUint64(dst, first)
	dst = le.AppendUint64(dst, last)
	return endRecord(dst, start)
}

func decodeDelete(p []byte) (first, last uint64, err error) {
	if len(p) != deleteBytes {
		return 0, 0, fmt.Errorf("%w: delete of %d bytes", ErrCorrupt, len(p))
	}
	return le.Uint64(p), le.Uint64(p[8:]), nil
}

func appendSet(dst []byte, group uint64, key, value []byte) []byte {
	start := len(dst)
	dst = beginRecord(dst, group, kindSet)
	dst = le.AppendUint32(dst, uint32(len(key)))
	dst = append(dst, key...)
	dst = append(dst, value...)
	return endRecord(dst, start)
}

func decodeSet(p []byte) (key, value []byte, err error) {
	if len(p) < 4 || int(le.Uint32(p)) > len(p)-4 {
		return nil, nil, fmt.Errorf("%w: set of %d bytes", ErrCorrupt, len(p))
	}
	n := 4 + int(le.Uint32(p))
	return p[4:n], p[n:], nil
}

func appendDrop(dst []byte, group uint64) []byte {
	return endRecord(beginRecord(dst, group, kindDrop), len(dst))
}

// checkpoint is what a group holds: live entries first to last, none if both are 0, and keys.
type checkpoint struct {
	first, last uint64
	keys        map[string][]byte
}

func (c checkpoint) empty() bool { return c.last == 0 && len(c.keys) == 0 }

func (c checkpoint) equal(d checkpoint) bool {
	if c.first != d.first || c.last != d.last || len(c.keys) != len(d.keys) {
		return false
	}
	for k, v := range c.keys {
		if w, ok := d.keys[k]; !ok || !slices.Equal(v, w) {
			return false
		}
	}
	return true
}

func appendCheckpoint(dst []byte, group uint64, c checkpoint) []byte {
	start := len(dst)
	dst = beginRecord(dst, group, kindCheckpoint)
	dst = le.AppendUint64(dst, c.first)
	dst = le.AppendUint64(dst, c.last)
	dst = le.AppendUint32(dst, uint32(len(c.keys)))
	dst = le.AppendUint32(dst, 0)
	keys := make([]string, 0, len(c.keys))
	for k := range c.keys {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		dst = le.AppendUint32(dst, uint32(len(k)))
		dst = le.AppendUint32(dst, uint32(len(c.keys[k])))
		dst = append(dst, k...)
		dst = append(dst, c.keys[k]...)
	}
	return endRecord(dst, start)
}

func decodeCheckpoint(p []byte) (checkpoint, error) {
	if len(p) < checkpointMin {
		return checkpoint{}, fmt.Errorf("%w: checkpoint of %d bytes", ErrCorrupt, len(p))
	}
	c := checkpoint{first: le.Uint64(p), last: le.Uint64(p[8:]), keys: map[string][]byte{}}
	if (c.first == 0) != (c.last == 0) || c.first > c.last {
		return checkpoint{}, fmt.Errorf("%w: checkpoint of entries %d to %d", ErrCorrupt, c.first, c.last)
	}
	n := le.Uint32(p[16:])
	p = p[checkpointMin:]
	for range n {
		if len(p) < 8 {
			return checkpoint{}, fmt.Errorf("%w: checkpoint ends before its %d keys", ErrCorrupt, n)
		}
		k, v := uint64(le.Uint32(p)), uint64(le.Uint32(p[4:]))
		p = p[8:]
		if k+v > uint64(len(p)) {
			return checkpoint{}, fmt.Errorf("%w: checkpoint key and value of %d and %d bytes where %d are left", ErrCorrupt, k, v, len(p))
		}
		c.keys[string(p[:k])] = slices.Clone(p[k : k+v])
		p = p[k+v:]
	}
	if len(p) > 0 || len(c.keys) != int(n) {
		return checkpoint{}, fmt.Errorf("%w: checkpoint of %d keys, %d bytes left over", ErrCorrupt, n, len(p))
	}
	return c, nil
}

func appendCheckpointEnd(dst []byte, groups int) []byte {
	start := len(dst)
	dst = beginRecord(dst, 0, kindCheckpointEnd)
	dst = le.AppendUint32(dst, uint32(groups))
	return endRecord(dst, start)
}
