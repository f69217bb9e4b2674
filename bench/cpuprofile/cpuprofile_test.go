package cpuprofile

import (
	"bytes"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

func TestPackage(t *testing.T) {
	for in, want := range map[string]string{
		"runtime.mallocgc":                          "runtime",
		"github.com/a/b/c.(*T).Method":              "github.com/a/b/c",
		"github.com/a/b/c.F[go.shape.int/x.Y]":      "github.com/a/b/c",
		"github.com/a/b.v2/c.(*T[...]).M.func1":     "github.com/a/b.v2/c",
		"memeqbody":                                 "memeqbody",
		"github.com/a/b/c.(*T[github.com/d/e.F]).M": "github.com/a/b/c",
	} {
		if got := Package(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestAdd(t *testing.T) {
	s := Add([]Stack{
		{[]string{"a/b.leaf", "a/b.root"}, 60},
		{[]string{"runtime.scanobject", "runtime.gcDrainMarkWorkerIdle", "runtime.gcBgMarkWorker"}, 10},
		{[]string{"runtime.greyobject", "runtime.gcAssistAlloc", "runtime.mallocgc", "a/b.root"}, 10},
		{[]string{"runtime.nextFreeFast", "runtime.mallocgc", "a/b.leaf", "a/b.leaf"}, 20},
	})
	if s.Nanoseconds != 100 || s.Collector != 0.2 || s.Idle != 0.1 || s.Allocation != 0.2 {
		t.Errorf("got %+v", s)
	}
	if want := (Line{"a/b", 0.6, 0.9}); s.Packages[0] != want {
		t.Errorf("got %+v, want %+v", s.Packages[0], want)
	}
	if want := (Line{"a/b.leaf", 0.6, 0.8}); s.Functions[0] != want {
		t.Errorf("got %+v, want %+v", s.Functions[0], want)
	}
}

// TestParse reads a profile of this program.
func TestParse(t *testing.T) {
	var b bytes.Buffer
	if err := pprof.StartCPUProfile(&b); err != nil {
		t.Fatal(err)
	}
	spin(200 * time.Millisecond)
	pprof.StopCPUProfile()
	stacks, err := Parse(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Add(stacks).Functions {
		if strings.HasSuffix(f.Name, ".spin") && f.Total > 0.5 {
			return
		}
	}
	t.Errorf("the function that took the time is not in %+v", Add(stacks).Functions)
}

func spin(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		p := parser{lines: map[uint64][]uint64{}, names: map[uint64]uint64{}}
		if fields(data, p.top) == nil {
			_, _ = p.stacks() // must not panic
		}
	})
}
