package kernel

import "unsafe"

// scanStride is how many bytes are searched by one call of assembly, which cannot be interrupted: some tens of microseconds' work.
const scanStride = 1 << 20

// candidates writes to pos positions of data, from at on, where the probes match, and returns how many and where it stopped: behind the last
// position that it looked at. Without progress the rest is the caller's.
func (p *probe) candidates(pos []uint32, data []byte, at int) (n, next int) {
	end := min(len(data)-p.reach, at+scanStride) // positions that all probes can be read from
	if simd == levelGo || end-at < vectorBytes() || len(pos) < vectorBytes() {
		return 0, at
	}
	d, s := unsafe.SliceData(pos), ptr(data)
	if simd == levelAVX512 {
		return candidatesAVX512(d, len(pos), s, at, end, &p.offs, &p.fold, &p.want)
	}
	return candidatesAVX2(d, len(pos), s, at, end, &p.offs, &p.fold, &p.want)
}
