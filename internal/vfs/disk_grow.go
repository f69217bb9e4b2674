package vfs

import "os"

// growTo extends a file with zeros on volumes that cannot reserve space: the size is right,
// but a later write may still meet a full volume.
func growTo(f *os.File, size int64) error {
	st, err := f.Stat()
	if err != nil || st.Size() >= size {
		return err
	}
	return f.Truncate(size)
}
