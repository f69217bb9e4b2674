//go:build linux && !race

package query

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/query/exec/spill"
)

// TestResidentUnderTheLimit runs aggregations of more groups than their memory holds. What counts is what the system gives the process, with the
// garbage, the tables that others have replaced, and the buffers of temporary files: that stays under the limit.
func TestResidentUnderTheLimit(t *testing.T) {
	mem.PaceCollector(256 << 20)
	mem.KeepIdle(0, 0, nil)
	defer mem.KeepIdle(128<<20, 128<<20, nil)
	for _, c := range []struct {
		sql   string
		limit int64 // MiB
		ok    bool
	}{
		{"SELECT number, number * 7 AS k, count(), sum(number), avg(number) FROM numbers(2000000) GROUP BY number, k", 96, true},
		{"SELECT number % 1500000 AS k, count(), avg(number) FROM numbers(3000000) GROUP BY k ORDER BY k LIMIT 5", 96, true},
		{"SELECT number, number * 7 AS k, count(), sum(number), avg(number) FROM numbers(3000000) GROUP BY number, k SETTINGS max_bytes_ratio_before_external_group_by = 0", 64, false},
	} {
		h := newHarness(t)
		disk, err := spill.Open(vfs.Disk(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		h.e.deps.Temp = disk
		h.run(Query{Text: "SELECT 1"})
		debug.FreeOSMemory()
		before := resident(t, "VmRSS")
		if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
			t.Fatal(err)
		}
		r, err := h.s.Execute(t.Context(), Query{Text: c.sql, Settings: map[string]string{"max_memory_usage": fmt.Sprint(c.limit << 20), "max_threads": "2"}})
		if err != nil {
			t.Fatal(err)
		}
		err = r.Render(io.Discard, "TabSeparated")
		r.Close()
		peak := resident(t, "VmHWM") - before
		if c.ok && err != nil || !c.ok && !sqlerr.Is(err, sqlerr.MemoryLimitExceeded) {
			t.Errorf("%s: %v", c.sql, err)
		}
		if peak > c.limit<<20 {
			t.Errorf("%s: the process grew by %d MiB, of %d", c.sql, peak>>20, c.limit)
		}
	}
}

// resident is what the system says of this process, in bytes.
func resident(t *testing.T, field string) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if name, rest, _ := strings.Cut(line, ":"); name == field {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatalf("no %s in /proc/self/status", field)
	return 0
}
