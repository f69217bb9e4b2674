package mem

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/olapd/olapd/internal/sqlerr"
)

func TestBudget(t *testing.T) {
	total := NewBudget("total", 100)
	query := total.Child("for query", 60)
	other := total.Child("for query", 0)
	if err := query.Reserve(50); err != nil {
		t.Fatal(err)
	}
	err := query.Reserve(20)
	if sqlerr.CodeOf(err) != sqlerr.MemoryLimitExceeded {
		t.Fatalf("over the query's limit: %v", err)
	}
	want := "Memory limit (for query) exceeded: would use 70.00 B (attempt to allocate chunk of 20 bytes), current use 50.00 B, maximum: 60.00 B"
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if err := other.Reserve(51); sqlerr.CodeOf(err) != sqlerr.MemoryLimitExceeded || !strings.Contains(err.Error(), "(total)") {
		t.Fatalf("over the total limit: %v", err)
	}
	if other.Used() != 0 || total.Used() != 50 {
		t.Errorf("a refused reservation stays: %d, %d", other.Used(), total.Used())
	}
	query.Release(50)
	if total.Used() != 0 || total.Peak() != 50 || query.Peak() != 50 {
		t.Errorf("used %d, peak %d, %d", total.Used(), total.Peak(), query.Peak())
	}
	var none *Budget
	if err := none.Reserve(1 << 50); err != nil {
		t.Errorf("nil budget: %v", err)
	}
	none.Release(1 << 50)
}

func TestBudgetConcurrently(t *testing.T) {
	total := NewBudget("total", 1000)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			b := total.Child("for query", 400)
			rng := rand.New(rand.NewPCG(uint64(w), 0))
			for range 5000 {
				n := rng.Int64N(300)
				if b.Reserve(n) == nil {
					if used := total.Used(); used < n {
						t.Errorf("used %d while holding %d", used, n)
					}
					b.Release(n)
				}
			}
			if b.Used() != 0 {
				t.Errorf("left %d", b.Used())
			}
		})
	}
	wg.Wait()
	if total.Used() != 0 || total.Peak() > 1000 {
		t.Errorf("used %d, peak %d", total.Used(), total.Peak())
	}
}

func TestBatch(t *testing.T) {
	b := NewBudget("total", 3*batchChunk)
	w := NewBatch(b)
	for range 1000 {
		if err := w.Reserve(1000); err != nil {
			t.Fatal(err)
		}
	}
	if b.Used() != batchChunk || w.Used() != 1_000_000 {
		t.Errorf("budget %d, worker %d", b.Used(), w.Used())
	}
	if err := w.Reserve(3*batchChunk - 1_000_000); err != nil {
		t.Errorf("up to the limit exactly: %v", err)
	}
	if err := w.Reserve(1); sqlerr.CodeOf(err) != sqlerr.MemoryLimitExceeded {
		t.Errorf("beyond the limit: %v", err)
	}
	w.Release(3 * batchChunk)
	if b.Used() != batchChunk {
		t.Errorf("after release %d", b.Used())
	}
	w.Close()
	if b.Used() != 0 {
		t.Errorf("after close %d", b.Used())
	}
}

func TestArena(t *testing.T) {
	b := NewBudget("total", 64<<20)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3 { // the second and third round get used slabs, which must be zero again
		a := NewArena(b)
		var all [][]uint64
		for range 200 {
			n := rng.IntN(20_000)
			s, err := Slice[uint64](a, n)
			if err != nil {
				t.Fatal(err)
			}
			if len(s) != n || cap(s) != n {
				t.Fatalf("len %d, cap %d, want %d", len(s), cap(s), n)
			}
			if n > 0 && uintptr(unsafe.Pointer(&s[0]))%align != 0 {
				t.Fatal("not aligned")
			}
			for i := range s {
				if s[i] != 0 {
					t.Fatal("not zero")
				}
				s[i] = uint64(len(all))
			}
			all = append(all, s)
		}
		big, err := a.Bytes(3 << 20)
		if err != nil {
			t.Fatal(err)
		}
		clear(unsafe.Slice(&big[0], len(big)+pad)) // the padding is ours too
		for i, s := range all {
			for _, v := range s {
				if v != uint64(i) {
					t.Fatalf("slice %d holds %d: slices overlap", i, v)
				}
			}
		}
		if a.Held() != b.Used() {
			t.Errorf("held %d, budget %d", a.Held(), b.Used())
		}
		a.Free()
		if b.Used() != 0 {
			t.Errorf("after Free: %d", b.Used())
		}
	}
}

func TestArenaOverBudget(t *testing.T) {
	b := NewBudget("for query", 8<<20)
	a := NewArena(b)
	defer a.Free()
	if _, err := a.Bytes(16 << 20); sqlerr.CodeOf(err) != sqlerr.MemoryLimitExceeded {
		t.Errorf("large: %v", err)
	}
	if _, err := Slice[uint64](a, 1<<60); sqlerr.CodeOf(err) != sqlerr.MemoryLimitExceeded {
		t.Errorf("absurd: %v", err)
	}
	for range 4 {
		if _, err := a.Bytes(1_000_000); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Bytes(1_000_000); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Bytes(1_000_000); sqlerr.CodeOf(err) != sqlerr.MemoryLimitExceeded {
		t.Errorf("small: %v", err)
	}
}

// TestIdleChunks takes what others have left: zero where it has to be, halves of what is larger, and no more than may stay.
func TestIdleChunks(t *testing.T) {
	p := idlePool{most: 40 << 20}
	sizes := []int{slabBytes, chunkBytes, chunkBytes, 2 * chunkBytes, slabBytes}
	for range 3 {
		var held []chunk
		for _, size := range sizes {
			c, err := p.get(size)
			if err != nil {
				t.Fatal(err)
			}
			for i, b := range c.b[c.dirty:] {
				if b != 0 {
					t.Fatalf("byte %d behind the dirty ones is %d", i, b)
				}
			}
			used := c.take(size-pad, size, true)
			for i, b := range used {
				if b != 0 {
					t.Fatalf("byte %d is %d", i, b)
				}
				used[i] = 1
			}
			held = append(held, c)
		}
		for _, c := range held {
			p.put(c)
		}
		if p.total > p.most || p.total < p.most-2*chunkBytes {
			t.Fatalf("%d bytes stay, of %d", p.total, p.most)
		}
	}
	c, err := p.get(slabBytes)
	for i := 0; err == nil && i < 30; i++ {
		c, err = p.get(slabBytes)
	}
	if err != nil || len(c.b) != slabBytes || len(p.free[4]) > 0 {
		t.Errorf("%v; a chunk of %d bytes, %d of the largest left", err, len(c.b), len(p.free[4]))
	}
}

// TestTrimIdle: what queries go on to use stays, what they do not goes down to what may stay, and all of it goes that the budget has not left.
func TestTrimIdle(t *testing.T) {
	const size = 4 * slabBytes
	b := NewBudget("total", 20*size)
	p := idlePool{most: 10 * size, stays: 2 * size, of: b}
	use := func(n int) {
		t.Helper()
		var held []chunk
		for range n {
			c, err := p.get(size)
			if err != nil {
				t.Fatal(err)
			}
			c.take(size-pad, size, true)
			held = append(held, c)
		}
		for _, c := range held {
			p.put(c)
		}
	}
	check := func(what string, chunks int64) {
		t.Helper()
		if p.total != chunks*size {
			t.Errorf("%s: %d chunks are kept, want %d", what, p.total/size, chunks)
		}
	}
	trim := func() { p.unmap(p.trim()) }
	use(12)
	check("more than may stay", 10)
	trim()
	check("all were used", 10)
	use(6)
	trim()
	check("six were used", 6)
	trim()
	check("none was used", 2)
	use(8)
	if err := b.Reserve(17 * size); err != nil {
		t.Fatal(err)
	}
	trim()
	check("the budget has three left", 3)
	if err := b.Reserve(3 * size); err != nil {
		t.Fatal(err)
	}
	use(1)
	check("the budget has none left", 0)
}

func BenchmarkBudgetReserve(b *testing.B) {
	q := NewBudget("total", 0).Child("for query", 0)
	for b.Loop() {
		_ = q.Reserve(100)
		q.Release(100)
	}
}

func BenchmarkBatchReserve(b *testing.B) {
	w := NewBatch(NewBudget("total", 0).Child("for query", 0))
	for b.Loop() {
		_ = w.Reserve(100)
		w.Release(100)
	}
}

func TestRegion(t *testing.T) {
	r := NewRegion(1 << 30)
	if r == nil {
		t.Skip("this system has no regions")
	}
	b := r.Bytes()
	for i := range 3 << 20 {
		b = append(b, byte(i))
	}
	if len(b) != 3<<20 || cap(b) != 1<<30 || b[1<<20+7] != 7 {
		t.Errorf("%d of %d bytes, %d", len(b), cap(b), b[1<<20+7])
	}
	r.Free()
	r.Free()
	(*Region)(nil).Free()
}

// What yields gives way to what is needed, and only as far as that helps; nothing gives way to what is spare.
func TestBudgetYields(t *testing.T) {
	total := NewBudget("total", 100)
	kept, asked := int64(0), 0
	total.Yields(func(n int64) bool {
		if asked++; n > kept {
			return false
		}
		kept -= n
		total.Release(n)
		return true
	})
	if !total.ReserveSpare(90) || total.ReserveSpare(11) {
		t.Fatal("90 bytes are spare and no more")
	}
	kept = 90
	query := total.Child("for query", 60)
	if err := query.Reserve(10); err != nil || asked != 0 {
		t.Fatalf("%v, asked %d times", err, asked)
	}
	if err := query.Reserve(30); err != nil || kept != 60 || query.Used() != 40 || total.Used() != 100 {
		t.Fatalf("%v: %d bytes are kept, the query has %d of %d", err, kept, query.Used(), total.Used())
	}
	if err := query.Reserve(30); sqlerr.CodeOf(err) != sqlerr.MemoryLimitExceeded || kept != 60 || asked != 1 {
		t.Fatalf("over the query's own limit: %v, asked %d times", err, asked)
	}
	if err := total.Reserve(61); sqlerr.CodeOf(err) != sqlerr.MemoryLimitExceeded || kept != 60 || total.Used() != 100 {
		t.Fatalf("more than could give way: %v, %d bytes are kept", err, kept)
	}
	if total.ReserveSpare(1) || kept != 60 {
		t.Fatal("something gave way to what is spare")
	}
	if peak := total.Peak(); peak != 100 {
		t.Errorf("peak %d", peak)
	}
}

// Under concurrent pressure all that could give way does, the limit holds, and nothing is refused that fits.
func TestBudgetYieldsConcurrently(t *testing.T) {
	const workers, each, limit = 8, 5, 8 * 5
	total := NewBudget("total", limit)
	kept := int64(limit)
	total.Yields(func(n int64) bool {
		if n > kept {
			return false
		}
		kept -= n
		total.Release(n)
		return true
	})
	if !total.ReserveSpare(limit) {
		t.Fatal("an empty budget has no room")
	}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				if err := total.Reserve(1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if kept != 0 || total.Used() != limit || total.Peak() != limit {
		t.Fatalf("%d bytes are kept, %d used, peak %d", kept, total.Used(), total.Peak())
	}
}
