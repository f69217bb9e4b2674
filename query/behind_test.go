package query

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/backup"
	"github.com/olapd/olapd/internal/sqlerr"
)

// stuckBackups end only when their statement is told to.
type stuckBackups struct {
	Backups
	began chan struct{}
}

func (b stuckBackups) Backup(ctx context.Context, _ backup.Location, _ *backup.Location, _ []string, _ []BackupTable) (backup.Moved, error) {
	b.began <- struct{}{}
	<-ctx.Done()
	return backup.Moved{}, context.Cause(ctx)
}

// TestBackupBehind: a BACKUP … ASYNC is a query that KILL QUERY ends, and it ends with the engine.
func TestBackupBehind(t *testing.T) {
	h := newHarness(t)
	stuck := stuckBackups{began: make(chan struct{})}
	h.e.deps.Backups = stuck
	begin := func(id string) {
		t.Helper()
		if got := h.run(Query{Text: "BACKUP ALL TO File('x') SETTINGS id = '" + id + "' ASYNC", ID: "query-" + id}); got != id+"\tCREATING_BACKUP\n" {
			t.Fatalf("BACKUP ASYNC answers %q", got)
		}
		<-stuck.began
	}
	state := func(id string) string {
		return h.run(Query{Text: "SELECT status, query_id, error FROM system.backups WHERE id = '" + id + "'"})
	}
	begin("killed")
	if got := state("killed"); got != "CREATING_BACKUP\tquery-killed\t\n" {
		t.Errorf("while it runs: %q", got)
	}
	if got := h.run(Query{Text: "KILL QUERY WHERE query_id = 'query-killed' SYNC"}); !strings.HasPrefix(got, "finished\tquery-killed\t") {
		t.Errorf("KILL QUERY answers %q", got)
	}
	for end := time.Now().Add(10 * time.Second); strings.HasPrefix(state("killed"), "CREATING") && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if got := state("killed"); !strings.HasPrefix(got, "BACKUP_CANCELLED\tquery-killed\t") {
		t.Errorf("killed: %q", got)
	}
	begin("ended")
	h.e.Close()
	if got := state("ended"); !strings.HasPrefix(got, "BACKUP_FAILED\tquery-ended\t") || !strings.Contains(got, errShutdown().Error()) {
		t.Errorf("at the end: %q", got)
	}
	h.run(Query{Text: "BACKUP ALL TO File('x') SETTINGS id = 'late' ASYNC"})
	if got := state("late"); !strings.HasPrefix(got, "BACKUP_FAILED\t") {
		t.Errorf("behind the end: %q", got)
	}
	if !sqlerr.Is(errShutdown(), sqlerr.Aborted) {
		t.Error(errShutdown())
	}
}
