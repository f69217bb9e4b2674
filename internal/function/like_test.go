package function

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// TestLikeOfVectors holds LIKE over whole vectors against LIKE row by row.
func TestLikeOfVectors(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	alphabet := []string{"a", "b", "A", "k", "i", "\u212A", "İ", "é", "É", "\xff", "%", "_", "go", "Go"}
	word := func(n int) string {
		s := ""
		for range r.Intn(n) {
			s += alphabet[r.Intn(len(alphabet))]
		}
		return s
	}
	for round := range 3000 {
		all := column.NewStr(types.TString, 0)
		for range 2 + r.Intn(20) {
			all.AppendString(word(10))
		}
		h := all.Slice(1, all.Len()).(*column.Str)
		pattern := []string{"", "%"}[r.Intn(2)] + word(4) + []string{"", "%", "_"}[r.Intn(3)] + word(3) + []string{"", "%"}[r.Intn(2)]
		for _, fold := range []bool{false, true} {
			p, err := compileLike([]byte(pattern), fold)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]uint8, h.Len())
			p.matchAll(got, h, fold)
			for i := range got {
				s := h.At(i)
				if fold {
					s = lowerAny(nil, s)
				}
				if want := b2u(p.match(s)); got[i] != want {
					t.Fatalf("round %d: %q like %q (fold %v) is %d, want %d", round, h.At(i), pattern, fold, got[i], want)
				}
			}
		}
	}
}

func BenchmarkLike(b *testing.B) {
	h := column.NewStr(types.TString, 0)
	for i := range 8192 {
		h.AppendString(fmt.Sprintf("http://www.example%d.com/some/path?q=%d&lang=en", i%100, i))
	}
	for _, pattern := range []string{"%google%", "%example%", "http://%", "%en", "%ple7_.com%q=%"} {
		for _, fold := range []bool{false, true} {
			p, _ := compileLike([]byte(pattern), fold)
			out := make([]uint8, h.Len())
			b.Run(fmt.Sprintf("%s/fold=%v", pattern, fold), func(b *testing.B) {
				for b.Loop() {
					p.matchAll(out, h, fold)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/8192, "ns/row")
			})
		}
	}
}
