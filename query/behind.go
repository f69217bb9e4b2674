package query

import (
	"context"
	"sync"

	"github.com/olapd/olapd/internal/backup"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/virtual"
)

// behind is what statements have left to be done when they have returned. The zero value is ready.
type behind struct {
	mu     sync.Mutex
	ctx    context.Context // of all; nil: there has been none
	end    context.CancelCauseFunc
	closed bool
	work   sync.WaitGroup
}

// start runs f, until close at the latest; it reports whether it does.
func (b *behind) start(f func(ctx context.Context)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	if b.ctx == nil {
		b.ctx, b.end = context.WithCancelCause(context.Background())
	}
	ctx := b.ctx
	b.work.Go(func() { f(ctx) })
	return true
}

// close ends all that runs, and waits.
func (b *behind) close() {
	b.mu.Lock()
	b.closed = true
	if b.end != nil {
		b.end(errShutdown())
	}
	b.mu.Unlock()
	b.work.Wait()
}

func errShutdown() error { return sqlerr.New(sqlerr.Aborted, "The server is shutting down") }

// Close ends what statements have left to be done behind them, and waits. Statements that run are not its business.
func (e *Engine) Close() { e.behind.close() }

// laterBackup is what a BACKUP or RESTORE … ASYNC comes to.
type laterBackup struct{ moved backup.Moved }

// backupLater runs a BACKUP or RESTORE once more behind its own statement, with the same user, settings and id, so that it is a query like any other:
// listed, limited, and killed by KILL QUERY. How it ends is in system.backups only.
func (x *statement) backupLater(s *ast.Backup, entry *virtual.Backup) {
	text := ast.Format(&ast.Backup{Restore: s.Restore, Elements: s.Elements, Place: s.Place, Base: s.Base, Settings: s.Settings})
	later := &laterBackup{}
	q := Query{Text: text, ID: x.q.id, Database: x.db, Params: x.in.Params, Settings: x.in.Settings, ReadOnly: x.in.ReadOnly, Client: x.in.Client, later: later}
	session, ended, log, clk := x.s, x.q.done, &x.e.backups, x.e.deps.Clock
	if !x.e.behind.start(func(ctx context.Context) {
		select {
		case <-ended: // an id is that of one query at a time
		case <-ctx.Done():
			log.end(entry, backup.Moved{}, context.Cause(ctx), clk.Now())
			return
		}
		r, err := session.Execute(ctx, q)
		if err == nil {
			r.Close()
		}
		log.end(entry, later.moved, err, clk.Now())
	}) {
		log.end(entry, backup.Moved{}, errShutdown(), clk.Now())
	}
}
