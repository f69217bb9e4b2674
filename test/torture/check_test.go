package torture

import (
	"strings"
	"testing"
)

// Every check sees each fault that is planted, and nothing else.

func TestOffsetsCheck(t *testing.T) {
	good := [][]int64{{0, 10, 10, 0, 9, 1}, {1, 5, 5, 0, 4, 0}}
	for _, c := range []struct {
		name string
		then [][]int64
		want string
	}{
		{"same", good, ""},
		{"more", [][]int64{{0, 11, 11, 0, 10, 2}, {1, 5, 5, 0, 4, 0}, {2, 1, 1, 0, 0, 0}}, ""},
		{"doubled", [][]int64{{0, 11, 10, 0, 9, 1}, good[1]}, "t/0: 1 rows doubled"},
		{"missing", [][]int64{{0, 10, 10, 0, 10, 1}, good[1]}, "t/0: 1 rows missing"},
		{"missing at the start", [][]int64{{0, 9, 9, 1, 9, 1}, good[1]}, "t/0: 1 rows missing"},
		{"rolled back", [][]int64{{0, 9, 9, 0, 8, 1}, good[1]}, "t/0: visible up to 9, was up to 10"},
		{"partition gone", [][]int64{good[0]}, "t/1: visible up to 0"},
		{"dead letter gone", [][]int64{{0, 10, 10, 0, 9, 0}, good[1]}, "t: 0 dead letters, were 1"},
	} {
		o := &offsets{name: "t"}
		if bad := o.check(good); bad != nil {
			t.Fatal(bad)
		}
		bad := o.check(c.then)
		if c.want == "" && bad != nil || c.want != "" && (len(bad) != 1 || !strings.HasPrefix(bad[0], c.want)) {
			t.Errorf("%s: %q", c.name, bad)
		}
	}
	o := &offsets{name: "t"}
	o.check(good)
	if bad := o.against(map[int64]int64{0: 10, 1: 5}); bad != nil || o.total() != 15 {
		t.Error(bad, o.total())
	}
	if bad := o.against(map[int64]int64{0: 10, 1: 5, 2: 1}); len(bad) != 1 {
		t.Error(bad)
	}
}

func TestPairCheck(t *testing.T) {
	p := pair{name: "r", base: "SELECT '%s'", rollup: "SELECT 1"}
	if sql := p.sql("x"); !strings.Contains(sql, "(SELECT 'x')") {
		t.Error(sql)
	}
	row := func(w, a, c string) []string { return []string{w, a, "", c, "0", ""} }
	same := [][]string{row("base", "a", "1"), row("rollup", "a", "1")}
	if bad := p.check(same); bad != nil {
		t.Error(bad)
	}
	for name, c := range map[string]struct {
		rows [][]string
		n    int
	}{
		"differs":      {[][]string{row("base", "a", "1"), row("rollup", "a", "2")}, 2},
		"rollup lacks": {append(same, row("base", "b", "1")), 1},
		"base lacks":   {append(same, row("rollup", "b", "1")), 1},
		"twice":        {append(same, row("rollup", "a", "1")), 1},
	} {
		if bad := p.check(c.rows); len(bad) != c.n {
			t.Errorf("%s: %q", name, bad)
		}
	}
}

func TestLedgerCheck(t *testing.T) {
	l := newLedger(func() int { return 1 })
	a, b := l.begin(0, 0, 3, 30), l.begin(0, 1, 2, 20)
	l.ack(a)
	l.ack(a)
	if l.mu.ackedRows != 3 || len(l.due("")) != 1 || len(l.due("d")) != 0 {
		t.Fatal(l.mu.ackedRows, l.due(""))
	}
	good := [][]string{{a, "3", "30", "3"}}
	for name, c := range map[string]struct {
		rows [][]string
		n    int
	}{
		"as acknowledged": {good, 0},
		"lost":            {nil, 1},
		"doubled":         {[][]string{{a, "6", "60", "3"}}, 1},
		"partly":          {[][]string{{a, "2", "20", "2"}}, 1},
		"unknown, partly": {append(good, []string{b, "1", "10", "1"}), 1},
		"from nowhere":    {append(good, []string{"x", "1", "10", "1"}), 1},
	} {
		l.mu.inserts[b].outcome = unknown
		if bad := l.check(c.rows, []string{a}); len(bad) != c.n {
			t.Errorf("%s: %q", name, bad)
		}
	}
	l.mu.inserts[b].outcome = unknown
	if bad := l.check(append(good, []string{b, "2", "20", "2"}), l.due("")); bad != nil {
		t.Error(bad)
	}
	if bad := l.check(good, l.due("")); len(bad) != 1 { // seen once, gone now
		t.Error(bad)
	}
}
