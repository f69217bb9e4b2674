//go:build !linux

package node

// machineMemory is what is assumed of a machine that cannot be asked.
func machineMemory() int64 { return defaultMemory }
