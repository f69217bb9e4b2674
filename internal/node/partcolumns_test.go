package node

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/vfs"
)

// openSegments is a file system that counts the segments which are open for reading.
type openSegments struct {
	vfs.FS
	open atomic.Int64
}

func (f *openSegments) Open(name string) (vfs.File, error) {
	file, err := f.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".seg") {
		return file, err
	}
	f.open.Add(1)
	return &openSegment{file, f}, nil
}

type openSegment struct {
	vfs.File
	of *openSegments
}

func (s *openSegment) Close() error {
	s.of.open.Add(-1)
	return s.File.Close()
}

// TestPartColumnsCloseSegments: what tells the sizes of columns does not keep segments open that are gone.
func TestPartColumnsCloseSegments(t *testing.T) {
	fs := &openSegments{FS: vfs.NewMem()}
	n := open(t, fs)
	defer n.Close()
	must(t, n, "CREATE TABLE t (k UInt32, s String) ENGINE = MergeTree ORDER BY k")
	for range 3 {
		must(t, n, "INSERT INTO t SELECT number, toString(number) FROM numbers(1000)")
		must(t, n, "OPTIMIZE TABLE t")
		expect(t, n, "SELECT count() > 0 FROM system.parts_columns WHERE table = 't'", "1\n")
	}
	if fs.open.Load() == 0 {
		t.Fatal("no segment is open")
	}
	must(t, n, "DROP TABLE t SYNC")
	for deadline := time.Now().Add(20 * time.Second); fs.open.Load() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d segments of no table are open", fs.open.Load())
		}
	}
}
