package sqlerr

import "runtime/debug"

// Guard calls f and returns its error; a panic in it, which is a bug of ours unless it is an *Error, becomes a LogicalError with the stack. Every goroutine
// that works for a statement runs under it: the statement ends, and not the process.
func Guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if e, ok := p.(*Error); ok { // thrown on purpose, from where no error can be returned
				err = e
				return
			}
			err = New(LogicalError, "Internal error: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}
