package mergetree

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// simulation is a table whose segments have only sizes, with one merge at a time at a given speed.
type simulation struct {
	segs            []Segment
	seq             int
	written, merged uint64
	most            int // segments of a partition at once
	running         *MergePlan
	until           int64 // when the running merge is done
	lim             Limits
}

// Speed of merging and of the disks, in bytes a second: what one core does.
const simSpeed = 60 << 20

func (s *simulation) add(now int64, part string, bytes uint64) {
	s.seq++
	s.segs = append(s.segs, Segment{ID: strconv.Itoa(s.seq), Partition: part, Rows: bytes / 100, Bytes: bytes, Created: now,
		First: SeqAt(uint64(s.seq), 0), Last: SeqAt(uint64(s.seq), 0), TTLMin: NoTTL, TTLMax: NoTTL})
	s.written += bytes
}

func (s *simulation) step(now int64) {
	if s.running != nil && now >= s.until {
		s.finish(now)
	}
	if s.running == nil {
		if plans := Select(s.segs, now, s.lim); len(plans) > 0 {
			s.running = &plans[0]
			s.until = now + int64(total(plans[0].Inputs)/simSpeed)
		}
	}
	count := map[string]int{}
	for _, seg := range s.segs {
		count[seg.Partition]++
		s.most = max(s.most, count[seg.Partition])
	}
}

func total(segs []Segment) uint64 {
	n := uint64(0)
	for _, s := range segs {
		n += s.Bytes
	}
	return n
}

func (s *simulation) finish(now int64) {
	p := s.running
	s.running = nil
	out := Segment{ID: "m" + p.Inputs[0].ID + "-" + p.Inputs[len(p.Inputs)-1].ID, Partition: p.Partition, Bytes: total(p.Inputs), Created: now,
		First: p.Inputs[0].First, Last: p.Inputs[len(p.Inputs)-1].Last, TTLMin: NoTTL, TTLMax: NoTTL}
	s.segs = slices.DeleteFunc(s.segs, func(x Segment) bool {
		return slices.ContainsFunc(p.Inputs, func(y Segment) bool { return x.ID == y.ID })
	})
	s.segs = append(s.segs, out)
	s.merged += out.Bytes
}

// TestSelectSimulated holds the selector to bounds of write amplification (bytes written by merges over bytes ingested) and
// of segments in a partition, over six hours.
func TestSelectSimulated(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct {
		name    string
		arrive  func(s *simulation, now int64)
		maxAmp  float64
		maxSegs int
		maxEnd  int // segments once nothing has arrived for two hours
	}{
		{"a flush of 20 MB every 10 s", func(s *simulation, now int64) {
			if now%10 == 0 {
				s.add(now, "p", 20<<20)
			}
		}, 5, 45, 6},
		{"a small flush every second", func(s *simulation, now int64) { s.add(now, "p", 40<<10) }, 7, 30, 5},
		{"bulk inserts of 200 segments an hour", func(s *simulation, now int64) {
			if now%3600 == 0 {
				for range 200 {
					s.add(now, "p", 30<<20)
				}
			}
		}, 4, 220, 6},
		{"sizes of all kinds", func(s *simulation, now int64) {
			if now%7 == 0 {
				s.add(now, "p", uint64(1)<<(10+r.IntN(15)))
			}
		}, 5, 50, 5},
		{"four partitions", func(s *simulation, now int64) {
			if now%10 == 0 {
				for p := range 4 {
					s.add(now, fmt.Sprint(p), 1<<20)
				}
			}
		}, 6, 30, 5},
		{"one partition a day, an hour each here", func(s *simulation, now int64) {
			if now%5 == 0 {
				s.add(now, fmt.Sprint(now/3600), 5<<20)
			}
		}, 6, 30, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &simulation{lim: Limits{MaxBytes: DefaultMaxMergeBytes, MaxInputs: maxFanIn}}
			for now := range int64(6 * 3600) {
				c.arrive(s, now)
				s.step(now)
			}
			amp := float64(s.merged) / float64(s.written)
			for now := int64(6 * 3600); now < 8*3600; now++ {
				s.step(now)
			}
			end := map[string]int{}
			worst := 0
			for _, seg := range s.segs {
				end[seg.Partition]++
				worst = max(worst, end[seg.Partition])
			}
			t.Logf("write amplification %.2f, at most %d segments a partition, %d after two quiet hours", amp, s.most, worst)
			if amp > c.maxAmp || s.most > c.maxSegs || worst > c.maxEnd {
				t.Errorf("bounds are %.1f, %d and %d", c.maxAmp, c.maxSegs, c.maxEnd)
			}
		})
	}
}

// TestSelect runs scripts: a line per segment, "partition first-last bytes [age=s] [ttl=min,max] [busy]".
func TestSelect(t *testing.T) {
	const now = 1_000_000
	datadriven.RunTest(t, "testdata/select", func(t *testing.T, d *datadriven.TestData) string {
		lim := Limits{MaxBytes: 1 << 40, MaxInputs: maxFanIn, TTLDelay: time.Hour}
		for _, a := range d.CmdArgs {
			n, _ := strconv.Atoi(strings.Join(a.Vals, ""))
			switch a.Key {
			case "max-bytes":
				lim.MaxBytes = uint64(n)
			case "max-inputs":
				lim.MaxInputs = n
			case "max-plans":
				lim.MaxPlans = n
			case "frontier":
				lim.Frontier = SeqAt(uint64(n), 0)
			case "drop-only":
				lim.TTLDropOnly = true
			}
		}
		busy := map[string]bool{}
		lim.Busy = func(id string) bool { return busy[id] }
		var segs []Segment
		for _, line := range strings.Split(d.Input, "\n") {
			f := strings.Fields(line)
			s := Segment{ID: f[0] + "/" + f[1], Partition: f[0], TTLMin: NoTTL, TTLMax: NoTTL, Created: now}
			var a, b uint64
			if _, err := fmt.Sscanf(f[1], "%d-%d", &a, &b); err != nil {
				t.Fatal(err)
			}
			s.First, s.Last = SeqAt(a, 0), SeqAt(b, 0)
			s.Bytes, _ = strconv.ParseUint(f[2], 10, 64)
			for _, opt := range f[3:] {
				switch k, v, _ := strings.Cut(opt, "="); k {
				case "busy":
					busy[s.ID] = true
				case "age":
					n, _ := strconv.Atoi(v)
					s.Created = now - int64(n)
				case "ttl":
					if _, err := fmt.Sscanf(v, "%d,%d", &s.TTLMin, &s.TTLMax); err != nil {
						t.Fatal(err)
					}
					s.TTLMin, s.TTLMax = now+s.TTLMin, now+s.TTLMax
				}
			}
			segs = append(segs, s)
		}
		var out strings.Builder
		for _, p := range Select(segs, now, lim) {
			fmt.Fprintf(&out, "%s", p.Cause)
			if p.Drop {
				out.WriteString(" drop")
			}
			for _, in := range p.Inputs {
				fmt.Fprintf(&out, " %s", in.ID)
			}
			out.WriteString("\n")
		}
		return out.String()
	})
}
