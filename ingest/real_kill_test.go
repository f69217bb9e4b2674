package ingest

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestRealKafkaKilled kills a real broker with SIGKILL while it is produced to and consumed from. KAFKA_START names the
// script that runs one; `make test-kafka` sets it.
func TestRealKafkaKilled(t *testing.T) {
	script := os.Getenv("KAFKA_START")
	if script == "" {
		t.Skip("KAFKA_START is not set: make test-kafka sets it")
	}
	dir := t.TempDir()
	ports := freePorts(t, 1)
	run := func() *exec.Cmd {
		cmd := exec.Command(script, dir, itoa(ports[0]))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	kill := func(cmd *exec.Cmd) {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	broken := run()
	defer func() { kill(broken) }()
	b := &broker{t: t, addrs: []string{"127.0.0.1:" + itoa(ports[0])}}
	b.connect()
	b.await()
	topic := b.topic(b.name("killed"), 3)
	s := newShard(t)
	c := b.start(s, topic)
	n := 0
	for range 3 {
		done := make(chan struct{})
		go func() { // kills in the middle of the writes
			defer close(done)
			time.Sleep(300 * time.Millisecond)
			kill(broken)
			broken = run()
		}()
		for range 30 {
			b.produceIDs(topic, 3, n, n+100)
			n += 100
			time.Sleep(20 * time.Millisecond)
		}
		<-done
	}
	wait(t, c, "all rows", func() bool { return s.count() >= n })
	s.ids(n)
	t.Logf("%d messages over 3 kills; %d sessions, %d commits", n, c.Status().Sessions, c.Status().Commits)
}
