package virtual

import "testing"

func TestSchemas(t *testing.T) {
	loaded.Do(load)
	for n := range fillers {
		if system[n] == nil {
			t.Errorf("system.%s has rows and no schema", n)
		}
	}
}
