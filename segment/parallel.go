package segment

import (
	"errors"
	"sync"
	"sync/atomic"
)

// inParallel calls f for every number below n, as many at a time as there are workers, in order of their numbers. It returns when
// all calls have; the errors are joined. A panic in f is one in the caller.
func inParallel(workers, n int, f func(i int) error) error {
	if workers = min(workers, n); workers < 2 {
		for i := range n {
			if err := f(i); err != nil {
				return err
			}
		}
		return nil
	}
	var (
		next   atomic.Int64
		wait   sync.WaitGroup
		errs   = make([]error, workers)
		panics = make([]any, workers)
	)
	work := func(k int) {
		defer func() { panics[k] = recover() }()
		for errs[k] == nil {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			errs[k] = f(i)
		}
	}
	for k := 1; k < workers; k++ {
		wait.Go(func() { work(k) })
	}
	work(0)
	wait.Wait()
	for _, p := range panics {
		if p != nil {
			panic(p)
		}
	}
	return errors.Join(errs...)
}
