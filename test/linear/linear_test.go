package linear

import (
	"testing"
	"time"
)

// TestCheck plants what is allowed and what is not.
func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		do  func(h *History)
		bad bool
	}{
		"one after the other": {func(h *History) { h.Insert(0, 1, 1)(); h.Read(1, 1)([]uint8{1}) }, false},
		"lost":                {func(h *History) { h.Insert(0, 1, 1)(); h.Read(1, 1)(nil) }, true},
		"doubled":             {func(h *History) { h.Insert(0, 1, 1)(); h.Read(1, 1)([]uint8{1, 1}) }, true},
		"from nowhere":        {func(h *History) { h.Read(1, 1)([]uint8{3}) }, true},
		"another key":         {func(h *History) { h.Insert(0, 1, 1)(); h.Read(1, 2)(nil) }, false},
		"unknown, not there":  {func(h *History) { h.Insert(0, 1, 1); h.Read(1, 1)(nil) }, false},
		"unknown, comes late": {func(h *History) { h.Insert(0, 1, 1); h.Read(1, 1)(nil); h.Read(1, 1)([]uint8{1}) }, false},
		"stale read":          {func(h *History) { h.Insert(0, 1, 1); h.Read(1, 1)([]uint8{1}); h.Read(2, 1)(nil) }, true},
		"under way": {func(h *History) {
			done := h.Insert(0, 1, 1)
			h.Read(1, 1)([]uint8{1})
			done()
		}, false},
		"read before": {func(h *History) {
			seen := h.Read(1, 1)
			h.Insert(0, 1, 1)()
			seen(nil)
		}, false},
	} {
		now := time.Unix(0, 0)
		h := New(func() time.Time { now = now.Add(1); return now })
		c.do(h)
		if v := h.Check(time.Second); (len(v.Bad) > 0) != c.bad || v.Undecided > 0 {
			t.Errorf("%s: %s %q", name, v, v.Bad)
		}
	}
}
