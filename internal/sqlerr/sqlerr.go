// Package sqlerr defines the errors a client sees: ClickHouse's stable numeric
// code and name, a sentence, and where in the query text the fault lies.
//
// Every error that can reach a client carries a Code; tests check codes, not
// wording. An error without one is reported as LogicalError: a bug of ours.
package sqlerr

import (
	"context"
	"errors"
	"fmt"
)

// Error is an error with a ClickHouse code. Errors are immutable once returned.
type Error struct {
	Code Code
	// Msg is one or more full sentences without the "Code: N. DB::Exception:" frame.
	Msg string
	// Pos is the byte offset in the query text the message speaks of, or -1.
	Pos int
	// Cause is the underlying error, reachable through errors.Is and errors.As.
	Cause error
}

// New returns an error with the given code; the message is formatted as by fmt.Sprintf.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Msg: fmt.Sprintf(format, args...), Pos: -1}
}

// At is New with the byte offset in the query text that the message speaks of.
func At(pos int, code Code, format string, args ...any) *Error {
	return &Error{Code: code, Msg: fmt.Sprintf(format, args...), Pos: pos}
}

// Wrap gives cause a code and a message prefix. It returns nil if cause is nil.
func Wrap(cause error, code Code, format string, args ...any) error {
	if cause == nil {
		return nil
	}
	return &Error{Code: code, Msg: fmt.Sprintf(format, args...), Pos: -1, Cause: cause}
}

// Error returns the message and, behind a colon, the cause.
func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Msg + ": " + e.Cause.Error()
	}
	return e.Msg
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// CodeOf returns the code of the outermost *Error in err's chain. Context
// cancellation maps to QueryWasCancelled and a passed deadline to
// TimeoutExceeded; any other error is a LogicalError.
func CodeOf(err error) Code {
	var e *Error
	switch {
	case err == nil:
		return OK
	case errors.As(err, &e):
		return e.Code
	case errors.Is(err, context.Canceled):
		return QueryWasCancelled
	case errors.Is(err, context.DeadlineExceeded):
		return TimeoutExceeded
	}
	return LogicalError
}

// Is reports whether err carries the given code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }
