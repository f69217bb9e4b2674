package feature

import (
	"testing"

	"github.com/olapd/olapd/internal/sqlerr"
)

// TestFeatures: every feature has a name and a level that a build can have, and the newest level has brought something.
func TestFeatures(t *testing.T) {
	newest := Level(0)
	for i := range features {
		f := Feature(i)
		if f.String() == "" || f.Since() < 1 || f.Since() > Current {
			t.Errorf("feature %d is called %q, of level %d; the newest is %d", i, f, f.Since(), Current)
		}
		newest = max(newest, f.Since())
	}
	if newest != Current {
		t.Errorf("this build is of level %d, the newest feature of %d", Current, newest)
	}
}

func TestRequire(t *testing.T) {
	if err := Level(0).Require(Levels); !sqlerr.Is(err, sqlerr.NotImplemented) || Level(0).Has(Levels) {
		t.Errorf("at level 0: %v", err)
	}
	if err := Levels.Since().Require(Levels); err != nil || !Levels.Since().Has(Levels) {
		t.Errorf("at its level: %v", err)
	}
}
