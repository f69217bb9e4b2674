package raftnet

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/internal/sqlerr"
)

// wireVersion is the first byte of every message.
const wireVersion = 1

// kind says what a message is; an answer's is its request's with the answer bit.
type kind uint8

// The kinds. On the wire: never renumber.
const (
	kindAppendEntries kind = iota + 1
	kindRequestVote
	kindRequestPreVote
	kindTimeoutNow
	kindInstallSnapshot
	kindAnswer  kind = 64
	kindRefusal kind = 127
)

// message is a decoded message. body is one of raft's requests or responses, or a string for a refusal.
type message struct {
	kind      kind
	id, group uint64
	body      any
}

// Flags of bodies.
const (
	flagYes     = 1 // granted, success, transfer
	flagNoPause = 2
)

func flag(on bool, f byte) byte {
	if on {
		return f
	}
	return 0
}

func appendText[T string | []byte](dst []byte, s T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendNumbers(dst []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		dst = binary.AppendUvarint(dst, n)
	}
	return dst
}

func appendRPCHeader(dst []byte, h raft.RPCHeader) []byte {
	return appendText(appendText(appendNumbers(dst, uint64(h.ProtocolVersion)), h.ID), h.Addr)
}

// appendMessage appends a message; body is one of raft's requests or responses, or a string.
func appendMessage(dst []byte, m message) ([]byte, error) {
	dst = appendNumbers(append(dst, wireVersion, byte(m.kind)), m.id, m.group)
	switch b := m.body.(type) {
	case *raft.AppendEntriesRequest:
		return appendEntries(dst, b), nil
	case *raft.RequestVoteRequest:
		dst = appendNumbers(appendRPCHeader(dst, b.RPCHeader), b.Term, b.LastLogIndex, b.LastLogTerm)
		return append(dst, flag(b.LeadershipTransfer, flagYes)), nil
	case *raft.RequestPreVoteRequest:
		return appendNumbers(appendRPCHeader(dst, b.RPCHeader), b.Term, b.LastLogIndex, b.LastLogTerm), nil
	case *raft.TimeoutNowRequest:
		return appendRPCHeader(dst, b.RPCHeader), nil
	case *raft.InstallSnapshotRequest:
		dst = appendNumbers(appendRPCHeader(dst, b.RPCHeader), uint64(b.SnapshotVersion), b.Term, b.LastLogIndex, b.LastLogTerm)
		return appendNumbers(appendText(dst, b.Configuration), b.ConfigurationIndex, uint64(b.Size)), nil
	case *raft.AppendEntriesResponse:
		dst = appendNumbers(appendRPCHeader(dst, b.RPCHeader), b.Term, b.LastLog)
		return append(dst, flag(b.Success, flagYes)|flag(b.NoRetryBackoff, flagNoPause)), nil
	case *raft.RequestVoteResponse:
		return append(appendNumbers(appendRPCHeader(dst, b.RPCHeader), b.Term), flag(b.Granted, flagYes)), nil
	case *raft.RequestPreVoteResponse:
		return append(appendNumbers(appendRPCHeader(dst, b.RPCHeader), b.Term), flag(b.Granted, flagYes)), nil
	case *raft.TimeoutNowResponse:
		return appendRPCHeader(dst, b.RPCHeader), nil
	case *raft.InstallSnapshotResponse:
		return append(appendNumbers(appendRPCHeader(dst, b.RPCHeader), b.Term), flag(b.Success, flagYes)), nil
	case string:
		return appendText(dst, b[:min(len(b), maxText)]), nil
	}
	return nil, sqlerr.New(sqlerr.LogicalError, "A message of type %T", m.body)
}

func appendEntries(dst []byte, b *raft.AppendEntriesRequest) []byte {
	dst = appendNumbers(appendRPCHeader(dst, b.RPCHeader), b.Term, b.PrevLogEntry, b.PrevLogTerm, b.LeaderCommitIndex, uint64(len(b.Entries)))
	for _, e := range b.Entries {
		at := int64(0)
		if !e.AppendedAt.IsZero() {
			at = e.AppendedAt.UnixNano()
		}
		dst = binary.AppendVarint(append(appendNumbers(dst, e.Index, e.Term), byte(e.Type)), at)
		dst = appendText(appendText(dst, e.Data), e.Extensions)
	}
	return dst
}

// decodeMessage reads a message, all of b. Any input gives a message or an error of code CorruptedData. Entries share b's
// memory.
func decodeMessage(b []byte) (message, error) {
	r := &reader{b: b}
	if v := r.u8(); r.err == nil && v != wireVersion {
		r.fail("version %d, this build reads %d", v, wireVersion)
	}
	m := message{kind: kind(r.u8()), id: r.uvarint(), group: r.uvarint()}
	if r.err == nil {
		m.body = r.body(m.kind)
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d bytes behind the end", len(r.b))
	}
	return m, r.err
}

func (r *reader) body(k kind) any {
	switch k {
	case kindAppendEntries:
		return r.appendEntries()
	case kindRequestVote:
		return &raft.RequestVoteRequest{RPCHeader: r.header(), Term: r.uvarint(), LastLogIndex: r.uvarint(), LastLogTerm: r.uvarint(), LeadershipTransfer: r.u8()&flagYes != 0}
	case kindRequestPreVote:
		return &raft.RequestPreVoteRequest{RPCHeader: r.header(), Term: r.uvarint(), LastLogIndex: r.uvarint(), LastLogTerm: r.uvarint()}
	case kindTimeoutNow:
		return &raft.TimeoutNowRequest{RPCHeader: r.header()}
	case kindInstallSnapshot:
		return r.installSnapshot()
	case kindAnswer | kindAppendEntries:
		b := &raft.AppendEntriesResponse{RPCHeader: r.header(), Term: r.uvarint(), LastLog: r.uvarint()}
		f := r.u8()
		b.Success, b.NoRetryBackoff = f&flagYes != 0, f&flagNoPause != 0
		return b
	case kindAnswer | kindRequestVote:
		return &raft.RequestVoteResponse{RPCHeader: r.header(), Term: r.uvarint(), Granted: r.u8()&flagYes != 0}
	case kindAnswer | kindRequestPreVote:
		return &raft.RequestPreVoteResponse{RPCHeader: r.header(), Term: r.uvarint(), Granted: r.u8()&flagYes != 0}
	case kindAnswer | kindTimeoutNow:
		return &raft.TimeoutNowResponse{RPCHeader: r.header()}
	case kindAnswer | kindInstallSnapshot:
		return &raft.InstallSnapshotResponse{RPCHeader: r.header(), Term: r.uvarint(), Success: r.u8()&flagYes != 0}
	case kindRefusal:
		return string(r.bytes(maxText))
	}
	r.fail("kind %d", k)
	return nil
}

func (r *reader) header() raft.RPCHeader {
	return raft.RPCHeader{ProtocolVersion: raft.ProtocolVersion(r.small()), ID: r.bytes(maxName), Addr: r.bytes(maxName)}
}

func (r *reader) appendEntries() any {
	b := &raft.AppendEntriesRequest{RPCHeader: r.header(), Term: r.uvarint(), PrevLogEntry: r.uvarint(), PrevLogTerm: r.uvarint(), LeaderCommitIndex: r.uvarint()}
	b.Leader = b.Addr
	for range r.count(maxEntries, 6) {
		e := &raft.Log{Index: r.uvarint(), Term: r.uvarint(), Type: raft.LogType(r.u8())}
		if at := r.varint(); at != 0 {
			e.AppendedAt = time.Unix(0, at)
		}
		e.Data, e.Extensions = r.bytes(maxAppendMessage), r.bytes(maxAppendMessage)
		if e.Type == raft.LogConfiguration {
			r.configuration(e.Data)
		}
		b.Entries = append(b.Entries, e)
	}
	return b
}

func (r *reader) installSnapshot() any {
	b := &raft.InstallSnapshotRequest{RPCHeader: r.header(), SnapshotVersion: raft.SnapshotVersion(r.small()), Term: r.uvarint(), LastLogIndex: r.uvarint(), LastLogTerm: r.uvarint()}
	b.Leader = b.Addr
	b.Configuration, b.ConfigurationIndex = r.bytes(maxText), r.uvarint()
	size := r.uvarint()
	b.Size = int64(size)
	if r.err == nil && (b.Size < 0 || b.SnapshotVersion < raft.SnapshotVersionMin || b.SnapshotVersion > raft.SnapshotVersionMax) {
		r.fail("a Raft snapshot of %d bytes and version %d", size, b.SnapshotVersion)
	}
	r.configuration(b.Configuration)
	return b
}

// configuration refuses the bytes of a configuration over which raft would panic.
func (r *reader) configuration(b []byte) {
	if r.err != nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			r.fail("configuration: %v", p)
		}
	}()
	raft.DecodeConfiguration(b)
}

// reader takes a message apart. Its first failure stays, and everything after it is zero.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = sqlerr.New(sqlerr.CorruptedData, "Bad message of Raft: %s", fmt.Sprintf(format, args...))
		r.b = nil
	}
}

func (r *reader) u8() byte {
	if len(r.b) == 0 {
		r.fail("it is cut off")
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail("bad number")
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail("bad number")
		return 0
	}
	r.b = r.b[n:]
	return v
}

// small reads a version.
func (r *reader) small() int {
	v := r.uvarint()
	if v > 1<<10 {
		r.fail("version %d", v)
		return 0
	}
	return int(v)
}

// count reads the length of a list whose elements take size bytes at least.
func (r *reader) count(limit, size int) int {
	n := r.uvarint()
	if n > uint64(limit) || n*uint64(size) > uint64(len(r.b)) {
		r.fail("%d elements in %d bytes", n, len(r.b))
		return 0
	}
	return int(n)
}

func (r *reader) bytes(limit int) []byte {
	n := r.uvarint()
	if n > uint64(limit) || n > uint64(len(r.b)) {
		r.fail("%d bytes of %d", n, len(r.b))
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}
