package vfs

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// KillEnv is the environment variable that FaultsFromEnv reads a kill point from: OP:PATH:N, for instance "sync:wal-:20".
//
//	OP    create, write, tear, sync, rename, remove or syncdir; tear writes half of a buffer first
//	PATH  a part of the operation's path, of a rename's source; empty matches all
//	N     which matching operation, counted from 1
const KillEnv = "OLAPD_KILL_AT"

// opTear is OpWrite in a kill point: the process dies in the middle of the write.
const opTear = "tear"

// killOps are the operations that a kill point can name: those that change files.
var killOps = []string{
	OpCreate.String(), OpWrite.String(), opTear, OpSync.String(), OpRename.String(), OpRemove.String(), OpSyncDir.String(),
}

// KillPoint is an Injector that ends the process by SIGKILL at an operation: no deferred call runs, no buffer is
// written, as when the kernel or an operator kills it. What the process wrote before survives in the kernel.
type KillPoint struct {
	op, path string
	n        int64
	seen     atomic.Int64
	kill     func() // does not return, but in tests
}

// ParseKillPoint reads OP:PATH:N.
func ParseKillPoint(s string) (*KillPoint, error) {
	op, rest, _ := strings.Cut(s, ":")
	colon := strings.LastIndexByte(rest, ':')
	if colon < 0 || !slices.Contains(killOps, op) {
		return nil, fmt.Errorf("vfs: kill point %q is not OP:PATH:N with OP one of %s", s, strings.Join(killOps, ", "))
	}
	n, err := strconv.ParseInt(rest[colon+1:], 10, 64)
	if err != nil || n < 1 {
		return nil, fmt.Errorf("vfs: kill point %q: %q is not a number from 1", s, rest[colon+1:])
	}
	return &KillPoint{op: op, path: rest[:colon], n: n, kill: killSelf}, nil
}

// Fault implements Injector.
func (k *KillPoint) Fault(op Op) Fault {
	tear := k.op == opTear && op.Kind == OpWrite
	if !tear && op.Kind.String() != k.op || !strings.Contains(op.Path, k.path) || k.seen.Add(1) != k.n {
		return Fault{}
	}
	if tear {
		return Fault{Err: errors.New("killed"), Short: op.Len / 2, Then: k.kill}
	}
	k.kill()
	return Fault{}
}

// killSelf ends the process at once.
func killSelf() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill() // cannot fail for a process of its own
	}
	select {} // the signal arrives within microseconds; nothing more may happen meanwhile
}
