package vfs

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Syncs take their time while the file is there, and nothing else does.
func TestSlowDiskFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "slow")
	var slept []time.Duration
	s := &SlowDisk{file: file, sleep: func(d time.Duration) { slept = append(slept, d) }}
	mem := NewMem()
	run := func() error { return steps(WithFaults(mem, s), "/") }
	if err := run(); err != nil || len(slept) > 0 {
		t.Fatalf("without the file: %v, slept %v", err, slept)
	}
	put := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("20ms 30ms\n")
	if err := run(); err != nil || len(slept) != 3 {
		t.Fatalf("two files and a directory are synced: %v, slept %v", err, slept)
	}
	for _, d := range slept {
		if d < 20*time.Millisecond || d > 30*time.Millisecond {
			t.Errorf("slept %s", d)
		}
	}
	for _, text := range []string{"", "20ms", "20ms 10ms", "-1s 1s", "0s 1h", "x y", "1s 1s 1s", "5 6"} {
		if put(text); run() == nil {
			t.Errorf("%q is taken for two durations", text)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := run(); err != nil || len(slept) != 3 {
		t.Fatalf("after the file has gone: %v, slept %v", err, slept)
	}
}
