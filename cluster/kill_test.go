package cluster

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/vfs"
)

// killDir names the variable that makes the test binary the process that is killed.
const killDir = "OLAPD_CLUSTER_KILL_DIR"

func killConfig(dir string) Config {
	cfg := loadConfig(vfs.Disk())
	cfg.Dir, cfg.LogSegment = dir, 256<<10
	return cfg
}

// TestKilledProcess is not a test: it appends for ever, and says on standard output what was acknowledged.
func TestKilledProcess(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		return
	}
	n := mustOpen(t, killConfig(dir))
	s := &story{}
	must(t, s.tables(context.Background(), n))
	at := n.Shards()[0].Cursors(s.k).Cursors[TopicPartition{"t", 0}]
	for i := uint64(at.Next); ; i++ {
		_, err := n.Shards()[0].Append(context.Background(), s.batch(i))
		must(t, err)
		fmt.Println(i + 1)
	}
}

// TestKill kills a process that appends, again and again: nothing acknowledged is lost, nothing doubled.
func TestKill(t *testing.T) {
	dir, s := t.TempDir()+"/data", &story{}
	for cycle := range 4 {
		last := killOnce(t, dir, 100+50*cycle)
		if last < s.acked {
			t.Fatalf("cycle %d: acknowledged up to %d, then %d", cycle, s.acked, last)
		}
		s.acked = last
		start := time.Now()
		n := mustOpen(t, killConfig(dir))
		t.Logf("cycle %d: %d rows acknowledged, restart in %s", cycle, s.acked, time.Since(start))
		must(t, s.check(n))
		must(t, n.Close())
	}
}

// killOnce starts the process, kills it after it has acknowledged some rows, and returns how many it had.
func killOnce(t *testing.T, dir string, rows int) (acked uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledProcess$", "-test.v=false")
	cmd.Env = append(os.Environ(), killDir+"="+dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	for lines := bufio.NewScanner(out); lines.Scan(); rows-- {
		n, err := strconv.ParseUint(lines.Text(), 10, 64)
		if err != nil {
			t.Errorf("the process says %q", lines.Text())
			break
		}
		acked = n
		if rows == 0 {
			must(t, cmd.Process.Kill())
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the process ended by itself")
	}
	return acked
}
