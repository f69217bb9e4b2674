package segment

import (
	"context"
	"fmt"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/zeebo/xxh3"
)

func hashString(h xxh3.Uint128) string { return fmt.Sprintf("%016x%016x", h.Hi, h.Lo) }

// Verify reads the whole file and compares its hash with the trailer's.
func (r *Reader) Verify(ctx context.Context) error {
	return r.VerifyPaced(ctx, func(int) error { return nil })
}

// VerifyPaced is Verify, and calls pace behind each piece with its bytes: an error of it ends the reading.
func (r *Reader) VerifyPaced(ctx context.Context, pace func(bytes int) error) error {
	h, buf := xxh3.New(), make([]byte, min(1<<20, r.size))
	for off := int64(0); off < r.size-trailerSize; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.f.ReadAt(buf[:min(int64(len(buf)), r.size-trailerSize-off)], off)
		if n == 0 {
			return fmt.Errorf("segment: reading %s at %d: %w", r.path, off, err)
		}
		_, _ = h.Write(buf[:n]) // never fails
		off += int64(n)
		if err := pace(n); err != nil {
			return err
		}
	}
	if got := hashString(h.Sum128()); got != r.meta.Hash {
		return sqlerr.New(sqlerr.ChecksumDoesntMatch, "Hash of segment %s is %s, its trailer says %s", r.path, got, r.meta.Hash)
	}
	return nil
}
