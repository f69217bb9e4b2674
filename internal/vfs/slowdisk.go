package vfs

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"time"
)

// SlowEnv is the environment variable that names the file of a SlowDisk.
const SlowEnv = "OLAPD_SLOW_DISK"

// maxSlowSync bounds what a SlowDisk's file can ask for, so that a slip in it does not stop a node.
const maxSlowSync = 10 * time.Second

// SlowDisk is an Injector that delays each sync, of a file or a directory, while a file of the operating system is there that says from how long to
// how long, as "20ms 300ms". It fails nothing: a sync that is delayed is done afterwards, as on a disk that is slow or busy. The file is read
// before each sync, so that tests make a running process's disk slow and fast again; what is not understood there fails the sync.
type SlowDisk struct {
	file  string
	sleep func(time.Duration) // time.Sleep, but in tests
}

// NewSlowDisk returns the injector that reads file.
func NewSlowDisk(file string) *SlowDisk { return &SlowDisk{file: file, sleep: time.Sleep} }

// Fault implements Injector.
func (s *SlowDisk) Fault(op Op) Fault {
	if op.Kind != OpSync && op.Kind != OpSyncDir {
		return Fault{}
	}
	text, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return Fault{}
	}
	if err != nil {
		return Fault{Err: err}
	}
	shortest, longest, err := parseSlow(string(text))
	if err != nil {
		return Fault{Err: fmt.Errorf("%s: %w", s.file, err)}
	}
	s.sleep(shortest + rand.N(longest-shortest+1))
	return Fault{}
}

// parseSlow reads two durations, of which the first is no longer than the second.
func parseSlow(text string) (shortest, longest time.Duration, err error) {
	f := strings.Fields(text)
	if len(f) != 2 {
		return 0, 0, fmt.Errorf("vfs: %q is not two durations", text)
	}
	if shortest, err = time.ParseDuration(f[0]); err != nil {
		return 0, 0, err
	}
	if longest, err = time.ParseDuration(f[1]); err != nil {
		return 0, 0, err
	}
	if shortest < 0 || longest < shortest || longest > maxSlowSync {
		return 0, 0, fmt.Errorf("vfs: %q are not two durations in order from 0 to %s", text, maxSlowSync)
	}
	return shortest, longest, nil
}
