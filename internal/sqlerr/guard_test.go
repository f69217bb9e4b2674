package sqlerr

import (
	"errors"
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	err := Guard(func() error { var m map[string]int; m["x"] = 1; return nil })
	if !Is(err, LogicalError) || !strings.Contains(err.Error(), "assignment to entry in nil map") || !strings.Contains(err.Error(), "guard_test.go") {
		t.Errorf("a panic became %v", err)
	}
	want := errors.New("plain")
	if err := Guard(func() error { return want }); err != want {
		t.Errorf("an error became %v", err)
	}
}
