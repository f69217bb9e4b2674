package page

import (
	"flag"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/olapd/olapd/internal/kernel"
)

var columnsFlag = flag.String("columns", "", "directory of columns as raw little-endian integers, NAME.BYTES each, that TestMeasure encodes beside the generated ones")

// metrics are columns as tables of metrics have them, sorted by series and time.
func metrics(n int) map[string][]int64 {
	r := rand.New(rand.NewPCG(7, 7))
	out := map[string][]int64{}
	add := func(name string, f func(series, i int, prev int64) int64, length int) {
		v := make([]int64, n)
		prev := int64(0)
		for i := range v {
			prev = f(i/length, i%length, prev)
			v[i] = prev
		}
		out[name] = v
	}
	const day = 1_700_000_000
	add("time, every 10 s, 8640 a series", func(_, i int, _ int64) int64 { return day + int64(i)*10 }, 8640)
	add("time, every 10 s, 500 a series, other starts", func(s, i int, p int64) int64 {
		if i == 0 {
			return day + int64(r.IntN(86400))
		}
		return p + 10
	}, 500)
	add("time, every 10 or 60 s by series", func(s, i int, _ int64) int64 { return day + int64(i)*[]int64{10, 60, 15}[s%3] }, 2000)
	add("time in ms with jitter of 20 ms", func(_, i int, _ int64) int64 { return day*1000 + int64(i)*10_000 + int64(r.IntN(20)) }, 8640)
	add("time in ms, 2 % missing", func(_, i int, p int64) int64 {
		if i == 0 {
			return day * 1000
		}
		step := int64(10_000)
		for r.IntN(50) == 0 {
			step += 10_000
		}
		return p + step
	}, 8640)
	add("time of events, no series", func(_, _ int, p int64) int64 { return max(p, day*1000) + int64(r.ExpFloat64()*40) }, n)
	add("counter, about 1000 a step, resets", func(_, i int, p int64) int64 {
		if i == 0 || r.IntN(3000) == 0 {
			return 0
		}
		return p + 900 + int64(r.IntN(200))
	}, 8640)
	add("counter, rates drift", func(s, i int, p int64) int64 {
		if i == 0 {
			return 0
		}
		return p + 100_000 + int64(50_000*math.Sin(float64(i)/300)) + int64(r.IntN(16))
	}, 8640)
	add("counter, mostly still", func(_, i int, p int64) int64 {
		if i == 0 {
			return 0
		}
		if r.IntN(20) > 0 {
			return p
		}
		return p + int64(r.IntN(500))
	}, 8640)
	add("gauge, random walk", func(_, i int, p int64) int64 {
		if i == 0 {
			return int64(r.IntN(1_000_000))
		}
		return p + int64(r.NormFloat64()*20)
	}, 8640)
	add("latency in us, long tail", func(int, int, int64) int64 { return int64(math.Exp(r.NormFloat64()*0.8 + 6)) }, n)
	add("bytes of responses", func(int, int, int64) int64 {
		if r.IntN(100) == 0 {
			return int64(r.IntN(50_000_000))
		}
		return 200 + int64(r.IntN(4000))
	}, n)
	return out
}

// sizes are bytes of a column: as it is, as it was encoded before there were patched streams, before and behind LZ4, and now; and of how many pages differences of each order are packed.
type sizes struct {
	raw, plain, before, now int
	pages                   [maxOrder + 1]int
}

func (s *sizes) add(o sizes) {
	s.raw, s.plain, s.before, s.now = s.raw+o.raw, s.plain+o.plain, s.before+o.before, s.now+o.now
	for k := range s.pages {
		s.pages[k] += o.pages[k]
	}
}

func measure[T kernel.Int](src []T) (s sizes) {
	for ; len(src) > 0; src = src[min(len(src), 65_536):] {
		p := src[:min(len(src), 65_536)]
		was, _ := unpatched(p, true)
		old := appendAs(nil, p, was)
		if out, ok := appendDict(nil, p, was.size, maxDict); ok {
			old = out
		}
		now := AppendInts(nil, p)
		s.add(sizes{raw: len(p) * width[T](), plain: len(old), before: len(lz4Instead(slices.Clone(old), 0, p)), now: len(now)})
		if now[0] == howPatched {
			s.pages[now[1]]++
		}
	}
	return s
}

func fromFile[T kernel.Int](b []byte) []T {
	out := make([]T, len(b)/width[T]())
	kernel.Unpack(out, append(b, make([]byte, 64)...), 0, 8*width[T](), 0)
	return out
}

// TestMeasure prints what patched streams save, and holds them to it for the generated columns.
func TestMeasure(t *testing.T) {
	all := map[string]sizes{}
	var generated, read sizes
	for name, v := range metrics(262_144) {
		all["metrics: "+name] = measure(v)
		generated.add(all["metrics: "+name])
	}
	files, err := filepath.Glob(filepath.Join(*columnsFlag, "*.[1248]"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		s := sizes{}
		switch f[len(f)-1] {
		case '1':
			s = measure(fromFile[uint8](b))
		case '2':
			s = measure(fromFile[int16](b))
		case '4':
			s = measure(fromFile[int32](b))
		case '8':
			s = measure(fromFile[int64](b))
		}
		all[filepath.Base(f)] = s
		read.add(s)
	}
	all["metrics, all"], all["read, all"] = generated, read
	t.Logf("%-52s %10s %10s %10s %10s  pages by order", "column", "raw", "plain", "before", "now")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		s := all[name]
		t.Logf("%-52s %10d %10d %10d %10d  %v", name, s.raw, s.plain, s.before, s.now, s.pages)
		if s.now > s.before+s.before/100 {
			t.Errorf("%s grew from %d to %d bytes", name, s.before, s.now)
		}
	}
	if generated.now > generated.before/2 {
		t.Errorf("columns of metrics take %d bytes, %d before: less than half is saved", generated.now, generated.before)
	}
	for k, n := range generated.pages {
		if n == 0 {
			t.Errorf("no page of differences of order %d", k)
		}
	}
}
