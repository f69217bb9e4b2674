package torturecluster

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ownerOf returns which of the processes has a socket at a local TCP port, by Linux's tables; 0 if none of them.
func ownerOf(port int, pids []int) int {
	inode := inodeOf(port)
	if inode == "" {
		return 0
	}
	want := "socket:[" + inode + "]"
	for _, pid := range pids {
		dir := fmt.Sprintf("/proc/%d/fd", pid)
		fds, err := os.ReadDir(dir)
		if err != nil {
			continue // it has ended
		}
		for _, fd := range fds {
			if at, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil && at == want {
				return pid
			}
		}
	}
	return 0
}

// inodeOf finds the socket whose local address has the port and which is connected.
func inodeOf(port int) string {
	suffix := fmt.Sprintf(":%04X", port)
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(table)
		if err != nil {
			continue
		}
		inode := ""
		for s := bufio.NewScanner(f); s.Scan() && inode == ""; {
			const local, state, inodeAt, established = 1, 3, 9, "01"
			fields := strings.Fields(s.Text())
			if len(fields) > inodeAt && strings.HasSuffix(fields[local], suffix) && fields[state] == established {
				inode = fields[inodeAt]
			}
		}
		_ = f.Close() // it was read only
		if inode != "" {
			return inode
		}
	}
	return ""
}
