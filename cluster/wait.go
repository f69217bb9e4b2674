package cluster

import (
	"context"
	"time"
)

// wait waits for a channel to be closed, and no longer than ctx, the group and its replica live.
func (g *group) wait(ctx context.Context, c <-chan struct{}) error {
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return ctxErr(ctx)
	case <-g.closing:
		return closed()
	case <-g.machine.failed:
		return stopped(g.id, g.machine.err())
	}
}

func (g *group) waitApplied(ctx context.Context, index uint64) error {
	for {
		at, changed := g.machine.appliedIndex()
		if at >= index {
			return nil
		}
		if err := g.wait(ctx, changed); err != nil {
			return err
		}
	}
}

// readIndex returns the index, and its entry's term, that has been reached when all that was committed at the time of the call is applied. A
// leader whose term has begun knows all that earlier terms committed; that it still leads, a majority confirms.
func (g *group) readIndex(ctx context.Context) (index, term uint64, err error) {
	if term, err = g.awaitTerm(ctx, 0); err != nil {
		return 0, 0, err
	}
	index = g.raft.CommitIndex()
	if err := g.window.enter(ctx, g.closing, 0); err != nil {
		return 0, 0, err
	}
	end := make(chan error, 1)
	calm := g.transport.Hurry()
	f := g.raft.VerifyLeader()
	go func() {
		end <- f.Error()
		calm()
		g.window.leave(0)
	}()
	select {
	case err := <-end:
		if err != nil {
			return 0, 0, notLeader(g)
		}
	case <-ctx.Done():
		return 0, 0, ctxErr(ctx)
	case <-g.down:
		return 0, 0, closed()
	}
	return index, term, nil
}

// clockShare is how long a writer pauses at a pressure between a half and one: nothing to pressurePause.
func clockShare(pressure float64) time.Duration {
	return time.Duration((pressure - 0.5) * 2 * float64(pressurePause))
}
