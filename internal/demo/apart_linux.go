package demo

import "syscall"

// apart is how nodes are started: Ctrl-C in the terminal is for the demo, which ends them itself; they end with it in any case.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
