package torturecluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/test/olapd"
)

const (
	nodeCount, shardCount = 3, 2
	// diskSize is the size of a node's file system, if one can be mounted: far more than a run writes.
	diskSize = "1g"
	// startPatience is how long the cluster may take until all replicas vote.
	startPatience = 2 * time.Minute
)

// node is a place where an olapd runs or has run.
type node struct {
	name, dir, http, listen, front string
	binary                         string        // of the next process
	slow                           string        // the file that makes its disk slow, see vfs.SlowDisk
	at                             *olapd.Server // whichever process serves it
	mu                             struct {
		sync.Mutex
		srv *olapd.Server // the last process
		pid int
	}
	mounted bool
}

func (n *node) server() *olapd.Server {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mu.srv
}

// dead tells whether the process has ended.
func (n *node) dead() bool {
	select {
	case <-n.server().Ended():
		return true
	default:
		return false
	}
}

// fleet is the cluster's processes.
type fleet struct {
	binary           string
	shards, replicas int
	nodes            []*node
	net              *proxies
}

// ownerName finds the node whose process has a port.
func (f *fleet) ownerName(port int) string {
	pids := make([]int, len(f.nodes))
	for i, n := range f.nodes {
		n.mu.Lock()
		pids[i] = n.mu.pid
		n.mu.Unlock()
	}
	owner := ownerOf(port, pids)
	for i, n := range f.nodes {
		if owner != 0 && pids[i] == owner {
			return n.name
		}
	}
	return ""
}

// newFleet founds a cluster in a directory and returns when all its replicas vote. The caller closes it also after an error.
func newFleet(ctx context.Context, binary, dir string, shards, replicas int) (*fleet, error) {
	f := &fleet{binary: binary, shards: shards, replicas: replicas}
	f.net = newProxies(f.ownerName)
	for i := range nodeCount {
		n, err := f.place(i, dir)
		if err != nil {
			return f, err
		}
		f.nodes = append(f.nodes, n)
	}
	out, err := exec.CommandContext(ctx, binary, "cluster", "init", "--data", f.nodes[0].dir, "--address", f.nodes[0].front, "--name", "torture",
		"--shards", strconv.Itoa(shards), "--replicas", strconv.Itoa(replicas), "--tokens", strconv.Itoa(nodeCount-1), "--replace-after", "0").CombinedOutput()
	if err != nil {
		return f, fmt.Errorf("olapd cluster init: %w: %s", err, out)
	}
	tokens := regexp.MustCompile(`olapd1\.\S+`).FindAllString(string(out), -1)
	if len(tokens) != nodeCount-1 {
		return f, fmt.Errorf("olapd cluster init gave %d tokens: %s", len(tokens), out)
	}
	for i, n := range f.nodes {
		var args []string
		if i > 0 {
			args = []string{"--join", f.nodes[0].front, "--token", tokens[i-1]}
		}
		if err := f.start(n, args); err != nil {
			return f, err
		}
		if err := n.server().Wait(); err != nil {
			return f, fmt.Errorf("%s: %w; its log:\n%s", n.name, err, n.server().Log())
		}
	}
	return f, f.settled(ctx)
}

// place finds addresses for a node, and a file system if it can.
func (f *fleet) place(i int, dir string) (n *node, err error) {
	n = &node{name: fmt.Sprint("node-", i+1), dir: filepath.Join(dir, fmt.Sprint("node-", i+1)), binary: f.binary}
	n.slow = n.dir + ".slow"
	if err := os.Mkdir(n.dir, 0o755); err != nil {
		return nil, err
	}
	n.mounted = mount(n.dir) == nil // without the right to, no disk is filled
	if n.http, err = olapd.FreeAddress(); err != nil {
		return n, err
	}
	if n.listen, err = olapd.FreeAddress(); err != nil {
		return n, err
	}
	n.at = olapd.At("http://" + n.http)
	n.front, err = f.net.front(n.name, n.listen)
	return n, err
}

func mount(dir string) error {
	return exec.Command("mount", "-t", "tmpfs", "-o", "size="+diskSize, "tmpfs", dir).Run()
}

// start starts a node's process, with more in its environment.
func (f *fleet) start(n *node, args []string, environment ...string) error {
	args = append([]string{"--cluster", n.listen, "--advertise", n.front, "--log-file", "1MiB", "--snapshot-log", "2MiB", "--memory", "1GiB"}, args...)
	environment = append(environment, vfs.SlowEnv+"="+n.slow)
	srv, err := olapd.Launch(n.binary, n.dir, n.http, args, environment...)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.srv, n.mu.pid = srv, srv.PID()
	return nil
}

// settled waits until every shard has a leader, all its replicas vote, and they are spread evenly over the nodes.
func (f *fleet) settled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		rows, err := rowsOf(ctx, f.nodes[0].at, fmt.Sprintf("SELECT (SELECT countIf(length(voters) = %d AND empty(learners) AND arraySort(voters) = arraySort(replicas)) FROM system.shards), "+
			"(SELECT max(replicas) - min(replicas) FROM system.nodes)", f.replicas))
		if err == nil && rows[0][0] == strconv.Itoa(f.shards) && rows[0][1] == "0" {
			return nil
		}
		if sleep(ctx, 200*time.Millisecond); ctx.Err() != nil {
			return errors.Join(fmt.Errorf("the cluster has not come up: %q", rows), err)
		}
	}
}

// leaders returns the names of the shards' leaders, as a node knows them.
func (f *fleet) leaders(ctx context.Context, through *node) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	rows, err := rowsOf(ctx, through.at, "SELECT leader FROM system.shards WHERE leader != '' ORDER BY shard")
	var out []string
	for _, r := range rows {
		out = append(out, r[0])
	}
	return out, err
}

// others are the nodes but one.
func (f *fleet) others(n *node) []*node {
	var out []*node
	for _, o := range f.nodes {
		if o != n {
			out = append(out, o)
		}
	}
	return out
}

// close kills all processes and waits, and takes the file systems away.
func (f *fleet) close() error {
	errs := []error{f.net.close()}
	for _, n := range f.nodes {
		if srv := n.server(); srv != nil {
			_ = srv.Signal(syscall.SIGCONT) // it may be stopped, or gone
			srv.Stop()
		}
		if n.mounted {
			errs = append(errs, exec.Command("umount", n.dir).Run())
		}
	}
	return errors.Join(errs...)
}

// rowsOf runs a query at a node and returns its rows, split at tabs.
func rowsOf(ctx context.Context, at *olapd.Server, sql string) ([][]string, error) {
	return rowsWith(ctx, at, sql, nil)
}

// rowsStrong is rowsOf with a strong read.
func rowsStrong(ctx context.Context, at *olapd.Server, sql string) ([][]string, error) {
	return rowsWith(ctx, at, sql, map[string]string{"select_sequential_consistency": "1"})
}

func rowsWith(ctx context.Context, at *olapd.Server, sql string, settings map[string]string) ([][]string, error) {
	a, err := (&olapd.Session{Server: at, Settings: settings}).Run(ctx, sql, "TSV")
	if err != nil {
		return nil, err
	}
	if a.Code != 0 {
		return nil, fmt.Errorf("code %d: %s\nin: %s", a.Code, strings.TrimSpace(a.Message), sql)
	}
	var rows [][]string
	for line := range strings.Lines(a.Data) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows, nil
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
