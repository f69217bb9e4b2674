package function

import (
	"encoding/binary"
	"math"
	"slices"
)

// Parameters of ClickHouse's t-digest.
const (
	digestEpsilon  = 0.01
	digestMax      = 2048 // centroids before a compression
	digestUnmerged = 2048
)

type centroid struct{ mean, count float64 }

// tdigest keeps centroids that are small at the ends of the distribution and large in its middle.
type tdigest struct {
	c        []centroid
	count    float64
	unmerged int
}

func (d *tdigest) add(x float64) {
	if math.IsNaN(x) {
		return
	}
	d.push(centroid{float64(float32(x)), 1})
}

// addChosen adds a value of a weight.
func (d *tdigest) addChosen(x float64, weight uint64) {
	if weight > 0 && !math.IsNaN(x) {
		d.push(centroid{float64(float32(x)), float64(float32(weight))})
	}
}

func (d *tdigest) push(c centroid) {
	d.c = append(d.c, c)
	d.count += c.count
	if d.unmerged++; d.unmerged > digestUnmerged {
		d.compress()
	}
}

// compress merges neighbours while the bound k·q(1-q) allows, equal ones too: else the digest loses its balance.
func (d *tdigest) compress() {
	d.unmerged = 0
	if len(d.c) < 2 {
		return
	}
	slices.SortFunc(d.c, func(a, b centroid) int {
		switch {
		case a.mean < b.mean:
			return -1
		case a.mean > b.mean:
			return 1
		case math.Signbit(a.mean) && !math.Signbit(b.mean):
			return -1
		case math.Signbit(b.mean) && !math.Signbit(a.mean):
			return 1
		}
		return 0
	})
	epsilon := 4 * digestEpsilon
	sum, l := 0.0, d.c[0]
	out := d.c[:0]
	for _, r := range d.c[1:] {
		ql, qr := (sum+l.count*0.5)/d.count, (sum+l.count+r.count*0.5)/d.count
		err := math.Min(ql*(1-ql), qr*(1-qr))
		if l.count+r.count <= d.count*err*epsilon && (l.mean == r.mean || !math.IsInf(l.mean, 0) && !math.IsInf(r.mean, 0)) {
			l.count += r.count
			if r.mean != l.mean {
				l.mean += r.count * (r.mean - l.mean) / l.count
			}
			continue
		}
		sum += l.count
		out = append(out, l)
		l = r
	}
	d.c = append(out, l)
}

func (d *tdigest) merge(o quantiler) {
	for _, c := range o.(*tdigest).c {
		d.push(c)
	}
}

func (d *tdigest) bytes() int64 { return 16 * int64(cap(d.c)) }

func (d *tdigest) save(dst []byte) []byte {
	d.compress()
	dst = binary.AppendUvarint(dst, uint64(len(d.c)))
	for _, c := range d.c {
		dst = appendF64(appendF64(dst, c.mean), c.count)
	}
	return dst
}

func (d *tdigest) load(r *reader) {
	for n := r.count(16); n > 0; n-- {
		c := centroid{r.f64(), r.f64()}
		if !(c.count > 0) || math.IsNaN(c.mean) {
			r.fail()
			return
		}
		d.push(c)
	}
}

func (d *tdigest) level(q float64) float64 {
	if len(d.c) == 0 {
		return math.NaN()
	}
	d.compress()
	if len(d.c) == 1 {
		return d.c[0].mean
	}
	x := q * d.count
	prevX, sum, prevMean, prevCount := 0.0, 0.0, d.c[0].mean, d.c[0].count
	for _, c := range d.c {
		currX := sum + c.count*0.5
		if currX >= x {
			left, right := prevX, currX
			if prevCount == 1 {
				left += 0.5
			}
			if c.count == 1 {
				right -= 0.5
			}
			switch {
			case x <= left:
				return prevMean
			case x >= right:
				return c.mean
			}
			k := (x - left) / (right - left)
			return (1-k)*prevMean + k*c.mean
		}
		sum += c.count
		prevMean, prevCount, prevX = c.mean, c.count, currX
	}
	return d.c[len(d.c)-1].mean
}
