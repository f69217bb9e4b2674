package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"github.com/olapd/olapd/cluster/identity"
	"github.com/olapd/olapd/internal/node"
	"github.com/olapd/olapd/internal/vfs"
)

const (
	// clusterShards is how many shards a cluster of the demo has; each has a replica on every node, three at most.
	clusterShards = 2
	// firstClusterPort is where the first node listens for others; if it is taken, a free port is chosen.
	firstClusterPort = 9101
	// startPatience is how long a node may take to answer.
	startPatience = time.Minute
	stopPatience  = 20 * time.Second
)

// process is a node of the cluster, a process of its own: so that it can be killed.
type process struct {
	name, dir, http, native string
	cmd                     *exec.Cmd
	done                    chan struct{}
}

// openCluster starts the nodes, founding the cluster on the first run.
func (d *demo) openCluster(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var tokens []string
	join := ""
	for i := 1; i <= d.opts.nodes; i++ {
		p := &process{name: fmt.Sprint("node-", i), dir: filepath.Join(d.opts.data, fmt.Sprint("olapd-", i))}
		http, native := d.opts.http, d.opts.native
		if i > 1 {
			http, native = "127.0.0.1:"+strconv.Itoa(8123+i-1), "127.0.0.1:"+strconv.Itoa(9000+i-1)
		}
		if p.http, err = freeAddress(http); err != nil {
			return err
		}
		if p.native, err = freeAddress(native); err != nil {
			return err
		}
		args := []string{"server", "--data", p.dir, "--http", p.http, "--native", p.native}
		id, err := identity.Load(vfs.Disk(), p.dir)
		if err != nil {
			return err
		}
		if id == nil {
			at, err := freeAddress("127.0.0.1:" + strconv.Itoa(firstClusterPort+i-1))
			if err != nil {
				return err
			}
			if i == 1 {
				if tokens, err = found(p.dir, at, d.opts.nodes); err != nil {
					return err
				}
				join = at
			} else {
				if len(tokens) == 0 {
					return fmt.Errorf("%s is a cluster of fewer nodes: use another --data", d.opts.data)
				}
				args = append(args, "--cluster", at, "--join", join, "--token", tokens[0])
				tokens = tokens[1:]
			}
		}
		if err := d.startProcess(self, p, args); err != nil {
			return err
		}
	}
	d.ask = &asker{}
	for _, p := range d.nodes {
		d.ask.urls = append(d.ask.urls, "http://"+p.http)
	}
	d.closing(func() error {
		d.ask.client.CloseIdleConnections()
		return nil
	})
	return d.awaitCluster(ctx)
}

// freeAddress is the address, or another port of its host if that is taken.
func freeAddress(want string) (string, error) {
	l, err := listen(want)
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

var tokenText = regexp.MustCompile(`olapd1\.\S+`)

// found makes the first node's data directory that of a cluster, and returns the tokens for the others.
func found(dir, address string, nodes int) ([]string, error) {
	var out bytes.Buffer
	err := node.InitCluster([]string{"--data", dir, "--address", address, "--name", "demo", "--shards", strconv.Itoa(clusterShards),
		"--replicas", strconv.Itoa(min(nodes, 3)), "--tokens", strconv.Itoa(nodes - 1), "--replace-after", "30s"}, &out)
	return tokenText.FindAllString(out.String(), -1), err
}

func (d *demo) startProcess(self string, p *process, args []string) error {
	p.cmd = exec.Command(self, args...)
	p.cmd.Stdout, p.cmd.Stderr = d.log, d.log
	p.cmd.SysProcAttr = apart()
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	p.done = make(chan struct{})
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // one that was killed is no failure of the demo
	}()
	d.nodes = append(d.nodes, p)
	d.closing(func() error { return p.stop() })
	return nil
}

// stop ends the process, by force if it takes too long.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(stopPatience):
		return errors.Join(fmt.Errorf("%s did not stop", p.name), p.cmd.Process.Kill())
	}
}

// awaitCluster waits until every shard has all its replicas.
func (d *demo) awaitCluster(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		n, err := d.ask.number(ctx, fmt.Sprintf("SELECT countIf(length(voters) = %d) FROM system.shards", min(d.opts.nodes, 3)))
		if err == nil && n == clusterShards {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("the cluster has not come up; see %s", d.logName()), err, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// welcomeCluster says what to try with several nodes.
func (d *demo) welcomeCluster(p func(format string, args ...any)) {
	p("%d nodes, %d shards of %d replicas, each node a process:", d.opts.nodes, clusterShards, min(d.opts.nodes, 3))
	for _, n := range d.nodes {
		p("  %-8s http://%s  pid %d  %s", n.name, n.http, n.cmd.Process.Pid, n.dir)
	}
	p("  %s cluster status%s", os.Args[0], clientPort(d.nodes[0].native))
	p("  kill -9 %d      # the stream goes on; start it again with: %s server --data %s --http %s --native %s", d.nodes[1].cmd.Process.Pid, os.Args[0], d.nodes[1].dir, d.nodes[1].http,
		d.nodes[1].native)
}
