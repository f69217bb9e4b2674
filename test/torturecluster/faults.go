package torturecluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/olapd/olapd/internal/vfs"
)

// quitPatience is how long a node may take to end by itself.
const quitPatience = 30 * time.Second

// fault is something that happens to a node, and how it is undone. undo is called once, and leaves the node's process running or dead: the dead
// are started again.
type fault struct {
	name   string
	inject func(f *fleet, n *node, r *rand.Rand) (undo func() error, err error)
	armed  bool // the node is started again with a kill point first
	disk   bool // needs a file system of the node's own
}

var faults = []fault{
	{name: "kill", inject: kill},
	{name: "isolate", inject: isolate},
	{name: "stop", inject: stop},
	{name: "kill, then die at a kill point", inject: kill, armed: true},
	{name: "hear nothing", inject: deafen},
	{name: "restart", inject: quit},
	{name: "disk full", inject: fillDisk, disk: true},
	{name: "cut off from one", inject: cutPair},
	{name: "connections break", inject: breakConnections},
	{name: "slow disk", inject: slowDisk},
}

func nothing() error { return nil }

func kill(_ *fleet, n *node, _ *rand.Rand) (func() error, error) {
	n.server().Stop()
	return nothing, nil
}

func quit(_ *fleet, n *node, _ *rand.Rand) (func() error, error) {
	srv := n.server()
	if err := srv.Signal(syscall.SIGTERM); err != nil {
		return nil, err
	}
	select {
	case <-srv.Ended():
	case <-time.After(quitPatience):
		_ = srv.Signal(syscall.SIGQUIT) // for its goroutines
		<-srv.Ended()
		return nil, fmt.Errorf("%s goes on %s after SIGTERM; its log ends:\n%s", n.name, quitPatience, srv.Log())
	}
	if code := srv.Exit(); code != 0 {
		return nil, fmt.Errorf("%s ended with code %d after SIGTERM; its log ends:\n%s", n.name, code, tail(srv.Log()))
	}
	return nothing, nil
}

func stop(_ *fleet, n *node, _ *rand.Rand) (func() error, error) {
	srv := n.server()
	return func() error { return srv.Signal(syscall.SIGCONT) }, srv.Signal(syscall.SIGSTOP)
}

func (f *fleet) heal() error {
	f.net.setCut()
	return nil
}

func isolate(f *fleet, n *node, _ *rand.Rand) (func() error, error) {
	var cut []link
	for _, o := range f.others(n) {
		cut = append(cut, link{n.name, o.name}, link{o.name, n.name})
	}
	f.net.setCut(cut...)
	return f.heal, nil
}

func deafen(f *fleet, n *node, _ *rand.Rand) (func() error, error) {
	var cut []link
	for _, o := range f.others(n) {
		cut = append(cut, link{o.name, n.name})
	}
	f.net.setCut(cut...)
	return f.heal, nil
}

func cutPair(f *fleet, n *node, r *rand.Rand) (func() error, error) {
	o := f.others(n)[r.IntN(nodeCount-1)]
	f.net.setCut(link{n.name, o.name}, link{o.name, n.name})
	return f.heal, nil
}

func breakConnections(f *fleet, _ *node, _ *rand.Rand) (func() error, error) {
	f.net.reset()
	return nothing, nil
}

// fillDisk takes all space that a node's file system has, and all that it frees, until it is undone.
func fillDisk(_ *fleet, n *node, _ *rand.Rand) (func() error, error) {
	name := filepath.Join(n.dir, "ballast")
	ctx, cancel := context.WithCancel(context.Background())
	filled, err := os.Create(name)
	if err != nil {
		cancel()
		return nil, err
	}
	chunk := make([]byte, 64<<10)
	fill := func() error {
		for {
			if _, err := filled.Write(chunk); errors.Is(err, syscall.ENOSPC) {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
	if err := fill(); err != nil {
		cancel()
		return nil, errors.Join(err, filled.Close(), os.Remove(name))
	}
	done := make(chan error, 1)
	go func() {
		var err error
		for err == nil && ctx.Err() == nil {
			err = fill()
			sleep(ctx, 50*time.Millisecond)
		}
		done <- err
	}()
	return func() error {
		cancel()
		return errors.Join(<-done, filled.Close(), os.Remove(name))
	}, nil
}

// slowSync is how long each sync of a slow disk takes, from and to.
const slowSync = "20ms 300ms"

// slowDisk has each sync of a node take its time until it is undone.
func slowDisk(_ *fleet, n *node, _ *rand.Rand) (func() error, error) {
	text := n.slow + ".new" // renamed, so that nobody reads half of it
	if err := errors.Join(os.WriteFile(text, []byte(slowSync), 0o644), os.Rename(text, n.slow)); err != nil {
		return nil, err
	}
	return func() error { return os.Remove(n.slow) }, nil
}

// killPoints are file operations that a node dies at, and the most of them that are let pass.
var killPoints = []struct {
	at   string
	most int
}{
	{"tear:.log", 20}, {"sync:.log", 20}, {"create:.seg", 2}, {"tear:.seg", 5}, {"sync:.seg", 2}, {"sync:snapshots", 1}, {"rename:snapshots", 1}, {"syncdir:segments", 2},
}

func killPoint(r *rand.Rand) string {
	k := killPoints[r.IntN(len(killPoints))]
	return fmt.Sprintf("%s=%s:%d", vfs.KillEnv, k.at, 1+r.IntN(k.most))
}

// panicked returns what a server's log says of a panic, "" if nothing.
func panicked(log string) string {
	if i := strings.Index(log, "panic:"); i >= 0 {
		return log[i:min(len(log), i+3000)]
	}
	return ""
}

func tail(s string) string { return s[max(0, len(s)-3000):] }
