package query

import (
	"strconv"
	"strings"
	"testing"
)

// traffic runs a statement and returns the bytes that went between nodes for it, as the query log has them.
func (s *spread) traffic(t *testing.T, sql string, settings map[string]string) (sent, received int) {
	t.Helper()
	id := "traffic-" + strconv.Itoa(len(sql)) + "-" + strconv.Itoa(len(s.e.log.entries()))
	if out := s.run(Query{ID: id, Text: sql, Settings: settings}); strings.HasPrefix(out, "Code:") {
		t.Fatalf("%s\n%s", sql, out)
	}
	for _, e := range s.e.log.entries() {
		if e.QueryID == id && e.Events != nil {
			sent, received = int(e.Events["NetworkSendBytes"]), int(e.Events["NetworkReceiveBytes"])
		}
	}
	return sent, received
}

// TestSpreadTraffic: what goes over the network is counted, and is as much as has to: rows where rows are asked for, states for sums.
func TestSpreadTraffic(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *spread) {
		sent, rows := s.traffic(t, "SELECT x FROM t FORMAT Null", nil)
		if sent < 100 || sent > 2000 || rows < 30000 || rows > 150_000 {
			t.Errorf("for rows of 120,000 bytes: %d sent, %d received", sent, rows)
		}
		if sent, sum := s.traffic(t, sumOfT, nil); sent < 100 || sent > 2000 || sum < 10 || sum > 2000 {
			t.Errorf("for a sum: %d sent, %d received", sent, sum)
		}
		if sent, none := s.traffic(t, "SELECT 1", nil); sent != 0 || none != 0 {
			t.Errorf("for nothing: %d sent, %d received", sent, none)
		}
		out := s.run(Query{Text: "SELECT event FROM system.events WHERE event LIKE 'Network%' AND value > 0 ORDER BY event"})
		if out != "NetworkReceiveBytes\nNetworkSendBytes\n" {
			t.Errorf("%s", out)
		}
	})
}
