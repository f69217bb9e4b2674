package torturecluster

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// Every check sees each fault that is planted, and nothing else.

func TestCheckEvents(t *testing.T) {
	good := [][]string{{"0", "10", "10", "0", "9"}, {"1", "5", "5", "0", "4"}}
	for name, c := range map[string]struct {
		rows  [][]string
		whole bool
		want  string
	}{
		"same":                {good, true, ""},
		"doubled":             {[][]string{{"0", "11", "10", "0", "9"}, good[1]}, true, "t/0: 1 rows doubled"},
		"missing":             {[][]string{{"0", "10", "10", "0", "10"}, good[1]}, true, "t/0: 1 rows missing"},
		"missing, not whole":  {[][]string{{"0", "10", "10", "0", "10"}, good[1]}, false, ""},
		"missing at start":    {[][]string{good[0], {"1", "5", "5", "1", "5"}}, true, "t/1: 1 rows missing"},
		"rolled back":         {[][]string{{"0", "9", "9", "0", "8"}, good[1]}, true, "t/0: 9 rows, were 10"},
		"a partition is gone": {good[:1], true, "t/1: 0 rows, were 5"},
		"no number":           {[][]string{{"0", "x", "", "", ""}}, true, "t: "},
	} {
		_, before := checkEvents("t", good, true, nil)
		bad, _ := checkEvents("t", c.rows, c.whole, before)
		if c.want == "" && bad != nil || c.want != "" && (len(bad) != 1 || !strings.HasPrefix(bad[0], c.want)) {
			t.Errorf("%s: %q", name, bad)
		}
	}
}

func TestCheckInserts(t *testing.T) {
	l := newLoad(nil, 1)
	for _, s := range spreads {
		l.mu.inserts[s.name] = map[string]*insert{"a": {rows: 3, total: 30, acked: true}, "b": {rows: 2, total: 20}}
	}
	a := []string{"a", "3", "30", "3"}
	for name, c := range map[string]struct {
		rows [][]string
		bad  map[string]int // by spread
	}{
		"as acknowledged": {[][]string{a}, nil},
		"both":            {[][]string{a, {"b", "2", "20", "2"}}, nil},
		"lost":            {nil, map[string]int{"plain": 1, "keyed": 1}},
		"doubled":         {[][]string{{"a", "6", "60", "3"}}, map[string]int{"plain": 1, "keyed": 1}},
		"partly":          {[][]string{{"a", "2", "20", "2"}}, map[string]int{"plain": 1, "keyed": 1}},
		"unknown, partly": {[][]string{a, {"b", "1", "10", "1"}}, map[string]int{"plain": 1}},
		"unknown doubled": {[][]string{a, {"b", "4", "40", "2"}}, map[string]int{"plain": 1, "keyed": 1}},
		"from nowhere":    {[][]string{a, {"x", "1", "10", "1"}}, map[string]int{"plain": 1, "keyed": 1}},
	} {
		for _, s := range spreads {
			if bad := l.checkInserts(s.name, c.rows, l.due(s.name)); len(bad) != c.bad[s.name] {
				t.Errorf("%s, %s: %q", name, s.name, bad)
			}
		}
	}
}

func TestCheckRollup(t *testing.T) {
	base, rollup := []string{"base", "a", "1", "2"}, []string{"rollup", "a", "1", "2"}
	for name, c := range map[string]struct {
		rows [][]string
		n    int
	}{
		"same":          {[][]string{base, rollup}, 0},
		"nothing":       {nil, 0},
		"differs":       {[][]string{base, {"rollup", "a", "1", "3"}}, 1},
		"rollup lacks":  {[][]string{base, {"base", "b", "1", "2"}, {"rollup", "b", "1", "2"}}, 1},
		"base lacks":    {[][]string{rollup}, 1},
		"last one lost": {[][]string{base, rollup, {"base", "z", "1", "1"}}, 1},
	} {
		if bad := checkRollup("r", c.rows); len(bad) != c.n {
			t.Errorf("%s: %q", name, bad)
		}
	}
}

// TestProxy: what is cut waits and then arrives, in each direction by itself, and the owner of a connection is found.
func TestProxy(t *testing.T) {
	back, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	p := newProxies(func(port int) string {
		if ownerOf(port, []int{os.Getpid()}) == os.Getpid() {
			return "me"
		}
		return ""
	})
	front, err := p.front("other", back.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("tcp", front)
	if err != nil {
		t.Fatal(err)
	}
	server, err := back.Accept()
	if err != nil {
		t.Fatal(err)
	}
	expect := func(from, to net.Conn, arrives bool) {
		t.Helper()
		if _, err := from.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		wait := 5 * time.Second
		if !arrives {
			wait = 50 * time.Millisecond
		}
		_ = to.SetReadDeadline(time.Now().Add(wait))
		if n, err := to.Read(make([]byte, 1)); (n == 1) != arrives {
			t.Errorf("arrived: %t, want %t (%v)", n == 1, arrives, err)
		}
	}
	expect(client, server, true)
	expect(server, client, true)
	p.setCut(link{"me", "other"})
	expect(client, server, false)
	expect(server, client, true)
	p.setCut()
	_ = server.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := server.Read(make([]byte, 1)); n != 1 {
		t.Errorf("what waited did not arrive: %v", err)
	}
	p.reset()
	if n, err := client.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Error("the connection goes on")
	}
	if err := p.close(); err != nil {
		t.Error(err)
	}
}
