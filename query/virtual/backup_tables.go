package virtual

import (
	"context"
	"time"
)

// Backup is a BACKUP or RESTORE, under way or ended.
type Backup struct {
	ID, Name, Base, QueryID string
	Status, Error           string
	Started, Ended          time.Time // Ended is zero while it runs
	// Files and Bytes were written to a backup, or read of one.
	Restore      bool
	Files, Bytes uint64
}

func init() {
	fill("backups", func(_ context.Context, s *Source, add func(row)) error {
		if s.Backups == nil {
			return nil
		}
		for _, b := range s.Backups() {
			r := row{"id": b.ID, "name": b.Name, "base_backup_name": b.Base, "query_id": b.QueryID, "status": b.Status, "error": b.Error, "start_time": b.Started}
			if !b.Ended.IsZero() {
				r["end_time"] = b.Ended
			}
			if b.Restore {
				r["files_read"], r["bytes_read"] = b.Files, b.Bytes
			} else {
				r["num_files"], r["num_entries"] = b.Files, b.Files
				r["total_size"], r["uncompressed_size"], r["compressed_size"] = b.Bytes, b.Bytes, b.Bytes
			}
			add(r)
		}
		return nil
	})
}
