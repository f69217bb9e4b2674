//go:build !linux

package demo

import "syscall"

// apart is how nodes are started; a demo that is killed leaves them behind here.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
