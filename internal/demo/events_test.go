package demo

import (
	"encoding/json"
	"regexp"
	"testing"
	"time"
)

// Events are JSON with all columns of the table; the same seed and start make the same ones.
func TestGenerator(t *testing.T) {
	type event struct {
		Time      string  `json:"time"`
		Event     string  `json:"event"`
		UserID    uint64  `json:"user_id"`
		SessionID string  `json:"session_id"`
		URL       string  `json:"url"`
		Referer   string  `json:"referer"`
		Country   string  `json:"country"`
		Device    string  `json:"device"`
		Browser   string  `json:"browser"`
		Status    uint16  `json:"status"`
		Latency   uint32  `json:"latency_ms"`
		Revenue   float64 `json:"revenue"`
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	now := time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	a, b, later := newGenerator(1, 7), newGenerator(1, 7), newGenerator(1, 8)
	kinds, countries, differ, revenue := map[string]int{}, map[uint64]string{}, 0, 0.0
	const n = 20_000
	for range n {
		text, user := a.next(nil, now)
		if again, _ := b.next(nil, now); string(again) != string(text) {
			t.Fatalf("%s and %s", text, again)
		}
		if other, _ := later.next(nil, now); string(other) != string(text) {
			differ++
		}
		var e event
		if err := json.Unmarshal(text, &e); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if e.Time != "2026-01-02 03:04:05.006" || e.UserID != user || !uuid.MatchString(e.SessionID) || e.URL == "" || e.Browser == "" || e.Latency < 20 {
			t.Fatalf("%s", text)
		}
		if c, ok := countries[user]; ok && c != e.Country {
			t.Fatalf("user %d moved from %s to %s", user, c, e.Country)
		}
		countries[user] = e.Country
		kinds[e.Event]++
		revenue += e.Revenue
		if (e.Revenue > 0) && e.Event != "purchase" {
			t.Fatalf("%s", text)
		}
	}
	if differ < n*9/10 || len(kinds) != 4 || kinds["page_view"] < n/2 || kinds["purchase"] < n/200 || revenue == 0 {
		t.Errorf("%d differ, kinds %v, revenue %f", differ, kinds, revenue)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1000: "-1,000", -999: "-999", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

func BenchmarkGenerator(b *testing.B) {
	g, buf := newGenerator(1, 0), []byte(nil)
	now := time.Now()
	for b.Loop() {
		buf, _ = g.next(buf[:0], now)
		b.SetBytes(int64(len(buf)))
	}
}
