//go:build !amd64

package kernel

// There is no assembly for this processor: all rows are left to the Go loops.

const simd = levelGo

func unpackVectors[T Int](dst []T, src []byte, start, width int, base T) int { return 0 }

func expandVectors[T any](dst, values []T, ends []uint32, from int) (runs, rows int) { return 0, 0 }

func sumVectors[T Int](src []T) (sum uint64, done int) { return 0, 0 }

func sumFloatVectors[T Float](out *[floatSums]float64, src []T) int { return 0 }

func minMaxVectors[T Int](src []T) (lo, hi T, done int) { return 0, 0, 0 }

func hashVectors[T Int](dst []uint64, src []T) int { return 0 }

func pairVectors(dst, words []uint64) int { return 0 }

func combineVectors(dst, next []uint64) int { return 0 }

func compareConstVectors[T Number](dst []uint8, op Op, a []T, c T) int { return 0 }

func inRangeVectors[T Number](dst []uint8, a []T, lo, hi T) int { return 0 }

func compareVectors[T Number](dst []uint8, op Op, a, b []T) int { return 0 }

func maskVectors(op maskOp, dst, a, b []uint8) int { return 0 }

func positionVectors(dst []uint32, mask []uint8, base uint32) (n, done int) { return 0, 0 }

func lookupVectors[T Int](dst []T, table *[256]T, codes []uint8) int { return 0 }

func prefixVectors[T Int](dst []T, first T) (done int, last T) { return 0, first }

func arithVectors[T Number](op arithOp, dst, a, b []T) int { return 0 }

func widenVectors[T, S Number](dst []T, src []S) int { return 0 }

func (p *probe) candidates(pos []uint32, data []byte, at int) (n, next int) { return 0, at }
