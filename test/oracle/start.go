package oracle

import (
	"errors"
	"testing"
)

// Start opens an engine for a test, in a directory of the test's own, and closes it at the
// test's end. It returns nil, and logs why, when the engine is not installed.
func Start(t testing.TB, engine string) *Oracle {
	t.Helper()
	o, err := Open(Config{Engine: engine, Dir: t.TempDir(), Threads: 2})
	if errors.Is(err, ErrNotAvailable) {
		t.Logf("%s: %v", engine, err)
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}
