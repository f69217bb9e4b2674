//go:build !linux

package main

import "errors"

// forget has no way of dropping files from the page cache on this system.
func forget(string) error { return errors.New("no way to drop the page cache on this system") }
