package fragment

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/clock"
)

// reporter sends what a fragment has read, now and then.
type reporter struct {
	c                    *conn
	planned, rows, bytes atomic.Uint64
	end                  context.CancelFunc
	ended                sync.WaitGroup
}

func newReporter(ctx context.Context, c *conn, clk clock.Clock) *reporter {
	r := &reporter{c: c}
	ctx, r.end = context.WithCancel(ctx)
	t := clk.NewTicker(reportEvery)
	r.ended.Go(func() {
		defer t.Stop()
		for {
			select {
			case <-t.C():
				if r.flush() != nil { // the fragment itself will see it
					return
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return r
}

func (r *reporter) read(rows, bytes int64) {
	r.rows.Add(uint64(rows))
	r.bytes.Add(uint64(bytes))
}

func (r *reporter) plan(rows int64) { r.planned.Add(uint64(rows)) }

// flush sends what is new.
func (r *reporter) flush() error {
	p := progress{planned: r.planned.Swap(0), rows: r.rows.Swap(0), bytes: r.bytes.Swap(0)}
	if p == (progress{}) {
		return nil
	}
	return r.c.send(msgProgress, p.encode())
}

// stop ends the reports.
func (r *reporter) stop() {
	r.end()
	r.ended.Wait()
}
