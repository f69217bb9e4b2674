package invariants

import "testing"

func TestCheck(t *testing.T) {
	Check(true, "never")
	defer func() {
		if got := recover() != nil; got != Enabled {
			t.Errorf("panicked: %v, enabled: %v", got, Enabled)
		}
	}()
	Check(false, "value %d", 1)
}
