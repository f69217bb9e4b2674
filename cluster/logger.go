package cluster

import (
	"context"
	"io"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// raftLogger passes what raft logs on to an slog.Logger, from Info up, one level lower: raft calls normal things
// warnings.
func raftLogger(to *slog.Logger, group uint64) hclog.Logger {
	l := hclog.NewInterceptLogger(&hclog.LoggerOptions{Level: hclog.Off, Output: io.Discard})
	l.RegisterSink(&slogSink{to.With("group", group)})
	return l
}

type slogSink struct{ to *slog.Logger }

var slogLevels = map[hclog.Level]slog.Level{hclog.Info: slog.LevelDebug, hclog.Warn: slog.LevelInfo, hclog.Error: slog.LevelWarn}

// Accept implements hclog.SinkAdapter.
func (s *slogSink) Accept(_ string, level hclog.Level, msg string, args ...any) {
	to, ok := slogLevels[level]
	if msg == "heartbeat timeout reached, starting election" {
		to = slog.LevelDebug // how every start of a group of one begins
	}
	if ok {
		s.to.Log(context.Background(), to, "raft: "+msg, args...)
	}
}
