//go:build !linux

package mem

// mapAnonymous returns n zero bytes from the Go heap on systems without a mapping of our own.
func mapAnonymous(n int) ([]byte, error) { return make([]byte, n), nil }

func mapRegion(int) []byte { return nil }

func unmap([]byte) {}
