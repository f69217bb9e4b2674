package raftlog

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/olapd/olapd/internal/vfs"
)

const (
	fileSuffix  = ".log"
	reserveName = "next.tmp"
)

// segment is one log file. end and live belong to the writer. refs counts the log itself and
// readers; the last one closes the file, which may have been removed by then.
type segment struct {
	number uint32
	file   vfs.File
	size   int64 // allocated bytes
	end    int64 // where its records end
	live   int64 // bytes of records of live entries
	refs   atomic.Int32
}

func newSegment(number uint32, file vfs.File) *segment {
	s := &segment{number: number, file: file}
	s.refs.Store(1)
	return s
}

func (s *segment) release() error {
	if s.refs.Add(-1) == 0 {
		return s.file.Close()
	}
	return nil
}

// name is the file's path in dir.
func segmentName(dir string, number uint32) string {
	return path.Join(dir, fmt.Sprintf("%08d%s", number, fileSuffix))
}

// segmentNumber returns the number in a file's name, or false for other files.
func segmentNumber(name string) (uint32, bool) {
	digits, ok := strings.CutSuffix(name, fileSuffix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), err == nil && n > 0
}

// acquire returns the segment of a location for reading, or nil if it has been removed.
func (l *Log) acquire(number uint32) *segment {
	l.files.RLock()
	defer l.files.RUnlock()
	s := l.files.byNumber[number]
	if s != nil {
		s.refs.Add(1)
	}
	return s
}

func (l *Log) addSegment(s *segment) {
	l.files.Lock()
	defer l.files.Unlock()
	l.files.byNumber[s.number] = s
	l.files.order = append(l.files.order, s)
}

// removeOldest takes the oldest segment out of the log.
func (l *Log) removeOldest() {
	l.files.Lock()
	s := l.files.order[0]
	l.files.order = l.files.order[1:]
	delete(l.files.byNumber, s.number)
	l.files.Unlock()
	_ = s.release() // a removed file's close can lose nothing
}
