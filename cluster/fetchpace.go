package cluster

import (
	"context"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/clock"
)

// pace bounds the bytes a second of all that take part in it.
type pace struct {
	clk  clock.Clock
	rate int64 // bytes a second
	mu   struct {
		sync.Mutex
		free time.Time // when what was taken so far is paid for
	}
}

// paceBurst is how far takers may run ahead, so that small pieces need no timer each.
const paceBurst = 50 * time.Millisecond

// take waits until n more bytes fit the rate.
func (p *pace) take(ctx context.Context, n int) error {
	now := p.clk.Now()
	p.mu.Lock()
	if p.mu.free.Before(now) {
		p.mu.free = now
	}
	p.mu.free = p.mu.free.Add(time.Duration(float64(n) / float64(p.rate) * float64(time.Second)))
	wait := p.mu.free.Sub(now) - paceBurst
	p.mu.Unlock()
	return p.clk.Sleep(ctx, wait)
}
