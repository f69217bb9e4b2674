package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/olapd/olapd/test/olapd"
)

// scaleNodes is a cluster of olapd processes on this machine, every shard with as many replicas as told.
type scaleNodes struct {
	servers []*olapd.Server
	session olapd.Session // with the first
	dir     string
}

// scaleMemory is what each process may use: three of them, and the table, are to fit into a small machine.
const scaleMemory = "1GiB"

// startScale founds a cluster in a fresh directory and waits until every shard has a leader.
func startScale(ctx context.Context, o machineOptions, nodes, shards, replicas int) (c *scaleNodes, err error) {
	c = &scaleNodes{}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return nil, err
	}
	if c.dir, err = os.MkdirTemp(o.dir, "scale-"); err != nil {
		return nil, err
	}
	front, err := olapd.FreeAddress()
	if err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, o.server, "cluster", "init", "--data", c.data(0), "--address", front, "--name", "scale",
		"--shards", strconv.Itoa(shards), "--replicas", strconv.Itoa(replicas), "--tokens", strconv.Itoa(max(nodes-1, 1)), "--replace-after", "0").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("olapd cluster init: %w: %s", err, out)
	}
	tokens := regexp.MustCompile(`olapd1\.\S+`).FindAllString(string(out), -1)
	if len(tokens) < nodes-1 {
		return nil, fmt.Errorf("olapd cluster init gave %d tokens: %s", len(tokens), out)
	}
	for i := range nodes {
		at, args := front, []string(nil)
		if i > 0 {
			if at, err = olapd.FreeAddress(); err != nil {
				return nil, err
			}
			args = []string{"--join", front, "--token", tokens[i-1]}
		}
		if err := c.start(o, at, args); err != nil {
			return nil, err
		}
	}
	c.session = olapd.Session{Server: c.servers[0], Settings: map[string]string{"use_query_condition_cache": "0"}}
	return c, c.settled(ctx, nodes, shards, replicas)
}

func (c *scaleNodes) data(i int) string { return filepath.Join(c.dir, fmt.Sprint("node-", i+1)) }

func (c *scaleNodes) start(o machineOptions, at string, args []string) error {
	http, err := olapd.FreeAddress()
	if err != nil {
		return err
	}
	args = append([]string{"--cluster", at, "--advertise", at, "--memory", scaleMemory}, args...)
	s, err := olapd.Launch(o.server, c.data(len(c.servers)), http, args, fmt.Sprintf("GOMAXPROCS=%d", o.threads))
	if err != nil {
		return err
	}
	c.servers = append(c.servers, s)
	return s.Wait()
}

// settled waits until all replicas vote in groups that have leaders.
func (c *scaleNodes) settled(ctx context.Context, nodes, shards, replicas int) error {
	want := fmt.Sprintf("%d\t%d\t%d", shards, shards*min(replicas, nodes), min(nodes, shards))
	if _, err := c.ask(ctx, "SYSTEM CLUSTER REBALANCE"); err != nil {
		return err
	}
	for last := ""; ; {
		rows, err := c.ask(ctx, "SELECT countIf(leader != ''), sum(length(voters)), uniqExact(leader) FROM system.shards")
		if last = strings.Join(rows, ""); err == nil && last == want {
			return nil
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("the cluster does not settle: %s leaders and voters, want %s: %w, %v", last, want, ctx.Err(), err)
		}
	}
}

// ask returns the rows of an answer.
func (c *scaleNodes) ask(ctx context.Context, sql string) ([]string, error) {
	a, err := c.session.Run(ctx, sql, "TSV")
	if err == nil && a.Code != 0 {
		err = fmt.Errorf("olapd: %s: %s", sql, a.Message)
	}
	return splitRows(a.Data, 0), err
}

// cpu is the processor time that all nodes have taken.
func (c *scaleNodes) cpu() time.Duration {
	sum := time.Duration(0)
	for _, s := range c.servers {
		sum += threadTime(s)
	}
	return sum
}

// threadTime is the processor time of a process by its threads, which the system tells to the nanosecond, where it does: queries take less than the hundredth of a
// second in which it counts processes. Threads of Go programs do not end.
func threadTime(s *olapd.Server) time.Duration {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.PID()))
	if err != nil || len(files) == 0 {
		return s.CPU()
	}
	sum := time.Duration(0)
	for _, f := range files {
		stat, err := os.ReadFile(f)
		if err != nil {
			continue // a thread that has just ended
		}
		first, _, _ := strings.Cut(string(stat), " ")
		n, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return s.CPU()
		}
		sum += time.Duration(n)
	}
	return sum
}

func (c *scaleNodes) close() {
	for _, s := range c.servers {
		s.Quit()
	}
	if c.dir != "" {
		os.RemoveAll(c.dir)
	}
}
