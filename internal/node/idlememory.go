package node

import (
	"time"

	"github.com/olapd/olapd/internal/mem"
)

const (
	// idleMost and idleStays are parts of the memory limit, as denominators: what ended queries had stays for the next ones while these use it, and what stays though they do not.
	// Fresh memory for the rows and tables of a large GROUP BY cost a quarter of its time.
	idleMost, idleStays = 4, 16
	// idleTick is how long nobody has to use memory for it to be given back.
	idleTick = 5 * time.Second
)

// idler gives memory of ended queries back that the next ones do not use.
type idler struct{ stop, done chan struct{} }

func (n *Node) keepIdle() *idler {
	mem.KeepIdle(n.cfg.Memory/idleMost, n.cfg.Memory/idleStays, n.budget)
	i := &idler{make(chan struct{}), make(chan struct{})}
	go func() {
		defer close(i.done)
		tick := n.cfg.Clock.NewTicker(idleTick)
		defer tick.Stop()
		for {
			select {
			case <-tick.C():
				mem.TrimIdle()
			case <-i.stop:
				return
			}
		}
	}()
	return i
}

func (i *idler) close() {
	close(i.stop)
	<-i.done
}
