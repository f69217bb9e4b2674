package query

import (
	"slices"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/backup"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/virtual"
)

// maxBackupLog is how many backups and restores are remembered.
const maxBackupLog = 100

// backupLog is the last backups and restores, oldest first. It lives in memory.
type backupLog struct {
	mu struct {
		sync.Mutex
		list []*virtual.Backup
	}
}

// begin notes an operation; the entry belongs to the log.
func (l *backupLog) begin(b virtual.Backup) *virtual.Backup {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.mu.list) == maxBackupLog {
		l.mu.list = slices.Delete(l.mu.list, 0, 1)
	}
	l.mu.list = append(l.mu.list, &b)
	return &b
}

// end notes how an operation ended.
func (l *backupLog) end(b *virtual.Backup, moved backup.Moved, err error, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b.Files, b.Bytes, b.Ended = moved.Segments, moved.Bytes, now
	switch {
	case err == nil && b.Restore:
		b.Status = "RESTORED"
	case err == nil:
		b.Status = "BACKUP_CREATED"
	case sqlerr.Is(err, sqlerr.QueryWasCancelled) && b.Restore:
		b.Status, b.Error = "RESTORE_CANCELLED", err.Error()
	case sqlerr.Is(err, sqlerr.QueryWasCancelled):
		b.Status, b.Error = "BACKUP_CANCELLED", err.Error()
	case b.Restore:
		b.Status, b.Error = "RESTORE_FAILED", err.Error()
	default:
		b.Status, b.Error = "BACKUP_FAILED", err.Error()
	}
}

func (l *backupLog) entries() []virtual.Backup {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]virtual.Backup, len(l.mu.list))
	for i, b := range l.mu.list {
		out[i] = *b
	}
	return out
}
