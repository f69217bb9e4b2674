package exec

import "sync/atomic"

// once runs a function once, while all others that ask for it wait. It is a sync.Once whose waiting lets virtual time pass: what is waited for may be another node.
type once struct {
	begun atomic.Bool
	done  chan struct{}
}

func newOnce() once { return once{done: make(chan struct{})} }

func (o *once) do(f func()) {
	if o.begun.CompareAndSwap(false, true) {
		defer close(o.done)
		f()
		return
	}
	<-o.done
}
