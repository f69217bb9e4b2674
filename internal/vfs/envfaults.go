package vfs

import "os"

// FaultsFromEnv wraps fsys in the faults that the environment names, by KillEnv and SlowEnv: tests of whole processes do so. Without either it
// returns fsys itself.
func FaultsFromEnv(fsys FS) (FS, error) {
	if file := os.Getenv(SlowEnv); file != "" {
		fsys = WithFaults(fsys, NewSlowDisk(file))
	}
	if s := os.Getenv(KillEnv); s != "" {
		k, err := ParseKillPoint(s)
		if err != nil {
			return nil, err
		}
		fsys = WithFaults(fsys, k)
	}
	return fsys, nil
}
