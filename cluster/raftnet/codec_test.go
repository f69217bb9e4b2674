package raftnet

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/hashicorp/raft"
	"go.uber.org/goleak"

	"github.com/olapd/olapd/internal/sqlerr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// goldenMessages are one message of each kind, with every field set.
func goldenMessages() map[string]message {
	h := raft.RPCHeader{ProtocolVersion: 3, ID: []byte("node-1"), Addr: []byte("node-1")}
	conf := raft.EncodeConfiguration(raft.Configuration{Servers: []raft.Server{{ID: "node-1", Address: "node-1"}}})
	bodies := map[string]struct {
		kind kind
		body any
	}{
		"AppendEntries": {kindAppendEntries, &raft.AppendEntriesRequest{RPCHeader: h, Leader: h.Addr, Term: 5, PrevLogEntry: 300, PrevLogTerm: 4, LeaderCommitIndex: 299, Entries: []*raft.Log{
			{Index: 301, Term: 5, Type: raft.LogCommand, Data: []byte("data"), Extensions: []byte("x"), AppendedAt: time.Unix(1_700_000_000, 7)},
			{Index: 302, Term: 5, Type: raft.LogNoop, Data: []byte{}, Extensions: []byte{}}}}},
		"RequestVote":    {kindRequestVote, &raft.RequestVoteRequest{RPCHeader: h, Term: 6, LastLogIndex: 300, LastLogTerm: 5, LeadershipTransfer: true}},
		"RequestPreVote": {kindRequestPreVote, &raft.RequestPreVoteRequest{RPCHeader: h, Term: 6, LastLogIndex: 300, LastLogTerm: 5}},
		"TimeoutNow":     {kindTimeoutNow, &raft.TimeoutNowRequest{RPCHeader: h}},
		"InstallSnapshot": {kindInstallSnapshot, &raft.InstallSnapshotRequest{RPCHeader: h, Leader: h.Addr, SnapshotVersion: 1, Term: 6, LastLogIndex: 300, LastLogTerm: 5,
			Configuration: conf, ConfigurationIndex: 1, Size: 1 << 20}},
		"AppendEntriesAnswer":   {kindAnswer | kindAppendEntries, &raft.AppendEntriesResponse{RPCHeader: h, Term: 6, LastLog: 302, Success: true, NoRetryBackoff: true}},
		"RequestVoteAnswer":     {kindAnswer | kindRequestVote, &raft.RequestVoteResponse{RPCHeader: h, Term: 6, Granted: true}},
		"RequestPreVoteAnswer":  {kindAnswer | kindRequestPreVote, &raft.RequestPreVoteResponse{RPCHeader: h, Term: 6, Granted: true}},
		"TimeoutNowAnswer":      {kindAnswer | kindTimeoutNow, &raft.TimeoutNowResponse{RPCHeader: h}},
		"InstallSnapshotAnswer": {kindAnswer | kindInstallSnapshot, &raft.InstallSnapshotResponse{RPCHeader: h, Term: 6, Success: true}},
		"Refusal":               {kindRefusal, "raftnet: no group 2 here"},
	}
	out := map[string]message{}
	for name, b := range bodies {
		out[name] = message{kind: b.kind, id: 77, group: 2, body: b.body}
	}
	return out
}

// TestGolden holds the bytes of every message against testdata/messages: nodes of several versions work together.
func TestGolden(t *testing.T) {
	messages := goldenMessages()
	datadriven.RunTest(t, "testdata/messages", func(t *testing.T, d *datadriven.TestData) string {
		m, ok := messages[d.Cmd]
		if !ok {
			return "no such message\n"
		}
		delete(messages, d.Cmd)
		b, err := appendMessage(nil, m)
		must(t, err)
		again, err := decodeMessage(b)
		must(t, err)
		if !reflect.DeepEqual(again, m) {
			t.Errorf("%s: decoded %+v, want %+v", d.Cmd, again.body, m.body)
		}
		return hex.Dump(b)
	})
	for name := range messages {
		t.Errorf("%s is not in testdata/messages", name)
	}
}

// TestDecodeDamaged: what is cut off or longer than it says is refused.
func TestDecodeDamaged(t *testing.T) {
	for name, m := range goldenMessages() {
		b, err := appendMessage(nil, m)
		must(t, err)
		for n := range b {
			if _, err := decodeMessage(b[:n]); !sqlerr.Is(err, sqlerr.CorruptedData) {
				t.Fatalf("%s, %d of %d bytes: %v", name, n, len(b), err)
			}
		}
		if _, err := decodeMessage(append(b, 0)); !sqlerr.Is(err, sqlerr.CorruptedData) {
			t.Fatalf("%s with a byte more: %v", name, err)
		}
	}
	if _, err := appendMessage(nil, message{body: 1}); err == nil {
		t.Error("a message of nothing is encoded")
	}
}

func FuzzDecode(f *testing.F) {
	for _, m := range goldenMessages() {
		b, err := appendMessage(nil, m)
		must(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMessage(b)
		if err != nil {
			if !sqlerr.Is(err, sqlerr.CorruptedData) {
				t.Fatal(err)
			}
			return
		}
		again, err := appendMessage(nil, m)
		must(t, err)
		if twice, err := decodeMessage(again); err != nil || fmt.Sprintf("%+v", twice.body) == "" {
			t.Fatalf("%+v does not survive: %v", m, err)
		}
	})
}
