// SPDX-License-Identifier: Apache-2.0

//go:build unix

package source

import "syscall"

// ownGroup puts a command and what it starts into a process group of its own: it ends as a whole, and an interrupt
// typed at our terminal is ours to handle.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func killGroup(leader int) error { return syscall.Kill(-leader, syscall.SIGKILL) }
